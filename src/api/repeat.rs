//! What was answered before is answered again, to the byte, whatever has changed since: the answers of changes that are
//! not about one registration stand beside their request ids. (Those about a registration: `registrations::replay`.)

use super::request::Asked;
use super::{Api, proto, status, to_proto};
use crate::desk::{AnswerEvent, DeskError, Done};
use crate::model::id::EventId;
use crate::storage::{OpenRequest, StoreError};
use prost::Message;
use std::sync::Arc;
use tonic::Status;

impl Api {
    /// Says a no only to what was never answered: what is asked again may be refused by rules that came later.
    pub(super) async fn unless_answered<M: Message + Default>(
        &self,
        asked: &Asked,
        open: OpenRequest,
        answer: Result<M, Status>,
    ) -> Result<M, Status> {
        let Err(no) = answer else { return answer };
        if asked.validate_only {
            return Err(no);
        }
        let store = Arc::clone(self.desk.store());
        match self.write(async move { store.open_answer(&open).await }).await {
            Ok(Some(first)) => again(&first),
            _ => Err(no),
        }
    }

    /// The same for a change within an event.
    pub(super) async fn unless_event_answered(
        &self,
        asked: &Asked,
        event: EventId,
        answer: Result<proto::Event, Status>,
    ) -> Result<proto::Event, Status> {
        let Err(no) = answer else { return answer };
        match self.answered_before(asked, event).await {
            Some(done) => self.event_as_first_answered(asked, event, done).await.map_err(|_| no),
            None => Err(no),
        }
    }

    /// What was done within an event under this request id, if the same was asked before.
    pub(super) async fn answered_before(&self, asked: &Asked, event: EventId) -> Option<Done> {
        if asked.validate_only {
            return None;
        }
        self.desk.repeated(event, asked.within(event, self.desk.keys())).await.ok().flatten()
    }

    /// The event as it was right after the change.
    pub(super) async fn event_as_first_answered(
        &self,
        asked: &Asked,
        event: EventId,
        done: Done,
    ) -> Result<proto::Event, DeskError> {
        let answer = match done.answer {
            Some(answer) => Some(answer),
            None => {
                let key = asked.within(event, self.desk.keys()).key;
                self.desk.store().event_answer(event, key).await.map_err(unread)?
            }
        };
        let answer = answer.ok_or(DeskError::Internal)?;
        proto::Event::decode(answer.as_slice()).map_err(|error| {
            tracing::error!(%error, "a stored answer cannot be read");
            DeskError::Internal
        })
    }
}

/// Renders the event as it is answered.
pub(super) fn event_answer() -> AnswerEvent {
    Arc::new(|view| to_proto::event::event(view.event, view.roster).encode_to_vec())
}

/// An answer that was stored.
pub(super) fn again<M: Message + Default>(answer: &[u8]) -> Result<M, Status> {
    M::decode(answer).map_err(status::internal)
}

fn unread(error: StoreError) -> DeskError {
    tracing::warn!(%error, "a stored answer could not be read");
    DeskError::Unavailable
}
