//! EventService: events, their terms and their life. What is more than a few lines stands in a file of its
//! own under `events/`.

mod copy;
mod create;
mod list;
mod sessions;
mod update;
mod verbs;

use super::caller::Caller;
use super::from_proto::{Fields, Path};
use super::proto::*;
use super::sight::outside;
use super::to_proto::{self, names};
use super::{Api, status};
use crate::model::event::EventState;
use crate::model::id::EventId;
use tonic::{Request, Response, Status};

type Answer<T> = Result<Response<T>, Status>;

#[tonic::async_trait]
impl super::proto::event_service_server::EventService for Api {
    async fn create_event(&self, request: Request<CreateEventRequest>) -> Answer<CreateEventResponse> {
        let (caller, r) = self.admit(request).await?;
        let event = self.open_event(caller, r).await?;
        Ok(Response::new(CreateEventResponse { event: Some(event) }))
    }

    async fn get_event(&self, request: Request<GetEventRequest>) -> Answer<GetEventResponse> {
        let (caller, r) = self.admit(request).await?;
        let mut fields = Fields::default();
        let id = fields.event_name(Path::Top("name"), &r.name);
        let id = fields.finish(id.unwrap_or_default()).map_err(status::fields)?;
        let event = self.event(caller, id).await?;
        Ok(Response::new(GetEventResponse { event: Some(event) }))
    }

    async fn list_events(&self, request: Request<ListEventsRequest>) -> Answer<ListEventsResponse> {
        let (caller, r) = self.admit(request).await?;
        self.events(caller, r).await.map(Response::new)
    }

    async fn update_event(&self, request: Request<UpdateEventRequest>) -> Answer<UpdateEventResponse> {
        let (caller, r) = self.admit(request).await?;
        let event = self.change_event(caller, r).await?;
        Ok(Response::new(UpdateEventResponse { event: Some(event) }))
    }

    async fn publish_event(&self, request: Request<PublishEventRequest>) -> Answer<PublishEventResponse> {
        let (caller, r) = self.admit(request).await?;
        let event = self.publish(caller, r).await?;
        Ok(Response::new(PublishEventResponse { event: Some(event) }))
    }

    async fn cancel_event(&self, request: Request<CancelEventRequest>) -> Answer<CancelEventResponse> {
        let (caller, r) = self.admit(request).await?;
        let event = self.call_off(caller, r).await?;
        Ok(Response::new(CancelEventResponse { event: Some(event) }))
    }

    async fn complete_event(&self, request: Request<CompleteEventRequest>) -> Answer<CompleteEventResponse> {
        let (caller, r) = self.admit(request).await?;
        let event = self.complete(caller, r).await?;
        Ok(Response::new(CompleteEventResponse { event: Some(event) }))
    }

    async fn move_session(&self, request: Request<MoveSessionRequest>) -> Answer<MoveSessionResponse> {
        let (caller, r) = self.admit(request).await?;
        let event = self.move_meeting(caller, r).await?;
        Ok(Response::new(MoveSessionResponse { event: Some(event) }))
    }

    async fn cancel_session(&self, request: Request<CancelSessionRequest>) -> Answer<CancelSessionResponse> {
        let (caller, r) = self.admit(request).await?;
        let event = self.call_meeting_off(caller, r).await?;
        Ok(Response::new(CancelSessionResponse { event: Some(event) }))
    }

    async fn copy_event(&self, request: Request<CopyEventRequest>) -> Answer<CopyEventResponse> {
        let (caller, r) = self.admit(request).await?;
        let event = self.copy(caller, r).await?;
        Ok(Response::new(CopyEventResponse { event: Some(event) }))
    }
}

impl Api {
    /// An event as this caller may see it: a draft is there for staff only.
    pub(super) async fn event(&self, caller: Caller, id: EventId) -> Result<Event, Status> {
        self.look(id, |view| {
            let visible = caller.is_staff() || view.roster.state != EventState::Draft;
            let shown = |event| if caller.is_staff() { event } else { outside(event) };
            visible.then(|| shown(to_proto::event::event(view.event, view.roster)))
        })
        .await?
        .ok_or_else(|| status::event_not_found(&names::event(id)))
    }
}
