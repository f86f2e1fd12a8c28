//! RecordAttendance and RecordHeadCount.

use super::another_entry;
use crate::admission::{Change as Happened, Command, Entry, HeadCount, MarkList, Verb};
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{
    RecordAttendanceRequest, RecordAttendanceResponse, RecordHeadCountRequest, RecordHeadCountResponse,
};
use crate::api::request::{Asked, Change};
use crate::api::status::About;
use crate::api::to_proto::{self, int32, int64, time};
use crate::api::{Api, status};
use crate::desk::{DeskError, Job, Papers};
use crate::model::id::EventId;
use tonic::Status;

impl Api {
    pub(super) async fn write_list(
        &self,
        caller: Caller,
        mut r: RecordAttendanceRequest,
    ) -> Result<RecordAttendanceResponse, Status> {
        caller.staff_only(RecordAttendanceRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let event = fields.event_name(Path::Top("parent"), &r.parent).unwrap_or_default();
        let given = r.marks.len();
        let list = MarkList {
            session: fields.session_id(Path::Top("session_id"), r.session_id),
            source: fields.source(Path::Top("source"), r.source),
            happened_at: fields.past(Path::Top("happen_time"), r.happen_time, self.desk.clock().now()),
            marks: fields.marks(Path::Top("marks"), r.marks, event),
        };
        let list = fields.finish(list).map_err(status::fields)?;
        let session = list.session.clone();
        let verb = Verb::RecordAttendance(Box::new(list));
        let entry = self.written_down(caller, &asked, event, verb, &session).await?;
        recorded(&entry, given)
    }

    pub(super) async fn count_heads(
        &self,
        caller: Caller,
        mut r: RecordHeadCountRequest,
    ) -> Result<RecordHeadCountResponse, Status> {
        caller.staff_only(RecordHeadCountRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let event = fields.event_name(Path::Top("parent"), &r.parent).unwrap_or_default();
        let count = HeadCount {
            session: fields.session_id(Path::Top("session_id"), r.session_id),
            happened_at: fields.past(Path::Top("happen_time"), r.happen_time, self.desk.clock().now()),
            heads: fields.heads_at_session(r.adults, r.children, r.estimated),
        };
        let count = fields.finish(count).map_err(status::fields)?;
        let session = count.session.clone();
        let entry = self.written_down(caller, &asked, event, Verb::CountHeads(count), &session).await?;
        let Happened::HeadsCounted { happened_at, heads, was, .. } = &entry.change else {
            return Err(another_entry(&entry));
        };
        let before = match was {
            None => None,
            Some(was) => {
                let entries = self.desk.store().journal_entries(event, &[was.step]).await.map_err(status::storage)?;
                entries.first().and_then(to_proto::attendance::heads_of)
            }
        };
        Ok(RecordHeadCountResponse {
            heads: Some(to_proto::attendance::heads(*heads, *happened_at, entry.actor, entry.at, entry.number)),
            before,
        })
    }

    /// Hands a verb of attendance in, or tries it out, and answers the entry that it wrote, now or when it was first
    /// asked.
    async fn written_down(
        &self,
        caller: Caller,
        asked: &Asked,
        event: EventId,
        verb: Verb,
        session_id: &str,
    ) -> Result<Entry, Status> {
        let request = Some(asked.within(event, self.desk.keys()));
        let command = Command { actor: caller.actor(), request, verb };
        let job = Job { event, command, papers: Papers::None, borne: None };
        let entry = match asked.validate_only {
            true => match self.desk.try_out(job, |done, _| done.entry.clone()).await {
                Ok(entry) => entry.ok_or(DeskError::Internal),
                Err(error) => Err(error),
            },
            false => match self.desk.submit(job).await {
                Ok(done) => self.entry_of(event, &done).await,
                Err(error) => Err(error),
            },
        };
        match entry {
            Ok(entry) => Ok(entry),
            Err(error) => Err(self.no(error, &About { session_id, ..asked.about(event) }).await),
        }
    }
}

/// What became of a list, from its entry alone: a repeated request is answered the same.
fn recorded(entry: &Entry, given: usize) -> Result<RecordAttendanceResponse, Status> {
    let Happened::AttendanceRecorded { marks, .. } = &entry.change else { return Err(another_entry(entry)) };
    let count = |n: usize| int32(u32::try_from(n).unwrap_or(u32::MAX));
    let corrected = marks.iter().filter(|m| m.was.is_some()).count();
    Ok(RecordAttendanceResponse {
        journal_number: int64(entry.number),
        enter_time: Some(time::instant(entry.at)),
        new_marks: count(marks.len() - corrected),
        corrected_marks: count(corrected),
        unchanged_marks: count(given.saturating_sub(marks.len())),
    })
}
