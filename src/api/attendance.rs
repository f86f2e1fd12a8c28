//! AttendanceService: who came. Lists and heads in `record`, the door in `door`, people on no list in `walk_in`,
//! what is written down in `list`, the leader's sheet in `roster`, who reached the rule in `completion`.

mod completion;
mod door;
mod list;
mod record;
mod roster;
mod walk_in;

use super::access_log::note_registration;
use super::proto::*;
use super::to_proto::names;
use super::{Api, status};
use crate::admission::Entry;
use crate::desk::{DeskError, Done};
use crate::model::id::EventId;
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl super::proto::attendance_service_server::AttendanceService for Api {
    async fn record_attendance(&self, request: Request<RecordAttendanceRequest>) -> Answer<RecordAttendanceResponse> {
        let (caller, r) = self.admit(request).await?;
        self.write_list(caller, r).await.map(Response::new)
    }

    async fn list_attendance(&self, request: Request<ListAttendanceRequest>) -> Answer<ListAttendanceResponse> {
        let (caller, r) = self.admit(request).await?;
        self.marks(caller, r).await.map(Response::new)
    }

    async fn check_in(&self, request: Request<CheckInRequest>) -> Answer<CheckInResponse> {
        let (caller, r, rows) = self.admit_noted(request).await?;
        let answer = self.at_the_door(caller, r).await?;
        note_registration(&rows, &answer.registration);
        Ok(Response::new(answer))
    }

    async fn add_walk_in(&self, request: Request<AddWalkInRequest>) -> Answer<AddWalkInResponse> {
        let (caller, r, rows) = self.admit_noted(request).await?;
        let answer = self.let_in(caller, r).await?;
        note_registration(&rows, answer.registration.as_ref().map_or("", |made| &made.name));
        Ok(Response::new(answer))
    }

    async fn record_head_count(&self, request: Request<RecordHeadCountRequest>) -> Answer<RecordHeadCountResponse> {
        let (caller, r) = self.admit(request).await?;
        self.count_heads(caller, r).await.map(Response::new)
    }

    async fn get_roster(&self, request: Request<GetRosterRequest>) -> Answer<GetRosterResponse> {
        let (caller, r) = self.admit(request).await?;
        self.roster(caller, r).await.map(Response::new)
    }

    async fn get_completion(&self, request: Request<GetCompletionRequest>) -> Answer<GetCompletionResponse> {
        let (caller, r) = self.admit(request).await?;
        self.completion(caller, r).await.map(Response::new)
    }
}

impl Api {
    /// What a verb of attendance wrote down: now, or when it was asked first.
    async fn entry_of(&self, event: EventId, done: &Done) -> Result<Entry, DeskError> {
        if let Some(entry) = &done.entry {
            return Ok(entry.clone());
        }
        let number = done.outcome.journal_number;
        let entries = self.desk.store().journal_entries(event, &[number]).await;
        let entry = entries.map_err(|_| DeskError::Unavailable)?.into_iter().next();
        entry.ok_or_else(|| {
            tracing::error!(event = %names::event(event), number, "the entry of a recorded answer is not in the journal");
            DeskError::Internal
        })
    }
}

/// The entry under a request's number is not one of its own kind.
fn another_entry(entry: &Entry) -> Status {
    status::internal(format!("entry {} is not what the request wrote", entry.number))
}
