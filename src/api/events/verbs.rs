//! PublishEvent, CancelEvent and CompleteEvent.

use crate::admission::{Command, Verb};
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{self, CancelEventRequest, CompleteEventRequest, PublishEventRequest};
use crate::api::repeat::event_answer;
use crate::api::request::{Asked, Change};
use crate::api::{Api, status};
use crate::desk::{EditEvent, EventPapers, Job, Papers};
use crate::model::event::Event;
use crate::model::id::EventId;
use std::sync::Arc;
use tonic::Status;

impl Api {
    pub(super) async fn publish(&self, caller: Caller, mut r: PublishEventRequest) -> Result<proto::Event, Status> {
        caller.staff_only(PublishEventRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let (id, etag) = event_and_etag(&mut fields, &r.name, &r.etag);
        fields.finish(()).map_err(status::fields)?;
        self.event_verb(caller, &asked, id, etag, Verb::Publish, None).await
    }

    pub(super) async fn call_off(&self, caller: Caller, mut r: CancelEventRequest) -> Result<proto::Event, Status> {
        caller.staff_only(CancelEventRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let (id, etag) = event_and_etag(&mut fields, &r.name, &r.etag);
        let reason = fields.required_paragraph(Path::Top("reason"), r.reason, 500);
        let reason = fields.finish(reason).map_err(status::fields)?;
        let edit = move |event: &mut Event| event.cancel_reason.clone_from(&reason);
        self.event_verb(caller, &asked, id, etag, Verb::CancelEvent, Some(Arc::new(edit))).await
    }

    pub(super) async fn complete(&self, caller: Caller, mut r: CompleteEventRequest) -> Result<proto::Event, Status> {
        caller.staff_only(CompleteEventRequest::METHOD)?;
        let mut fields = Fields::default();
        let asked = Asked::of(&mut r, self.desk.keys(), &mut fields);
        let (id, etag) = event_and_etag(&mut fields, &r.name, &r.etag);
        fields.finish(()).map_err(status::fields)?;
        self.event_verb(caller, &asked, id, etag, Verb::CompleteEvent, None).await
    }

    /// The desk compares the etag under the event's lock, except where the request was answered before: its
    /// own change moved the etag then.
    async fn event_verb(
        &self,
        caller: Caller,
        asked: &Asked,
        id: EventId,
        etag: Option<u64>,
        verb: Verb,
        edit: Option<EditEvent>,
    ) -> Result<proto::Event, Status> {
        let request = asked.within(id, self.desk.keys());
        let papers = Papers::Event(EventPapers { if_version: etag, edit, answer: Some(event_answer()) });
        let command = Command { actor: caller.actor(), request: Some(request), verb };
        match self.decide_event(asked, Job { event: id, command, papers, borne: None }).await {
            Ok(event) => Ok(event),
            Err(error) => Err(self.no(error, &asked.about(id)).await),
        }
    }
}

fn event_and_etag(fields: &mut Fields, name: &str, etag: &str) -> (EventId, Option<u64>) {
    let id = fields.event_name(Path::Top("name"), name).unwrap_or_default();
    (id, fields.etag(Path::Top("etag"), etag))
}
