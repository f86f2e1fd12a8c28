//! Who sees the people of a sensitive event (docs/decisions/0026). Staff whose role the event does not name see that seats are
//! taken, and by whom in no way: neither in a list nor by its order, neither by a search nor by a refusal.

use super::caller::Caller;
use super::proto;
use super::{Api, status};
use crate::model::id::EventId;
use tonic::Status;

impl Api {
    /// Whether the caller is staff that sees who the people of an event are.
    pub(super) async fn sees_people(&self, caller: Caller, event: EventId) -> Result<bool, Status> {
        self.look(event, |view| caller.sees_people_of(view.event.details.named_roles())).await
    }

    /// Refuses what would tell who they are to whoever is not named.
    pub(super) async fn sees_people_or_no(
        &self,
        caller: Caller,
        event: EventId,
        method: &'static str,
    ) -> Result<(), Status> {
        match self.sees_people(caller, event).await? {
            true => Ok(()),
            false => Err(status::people_not_shown(method, event)),
        }
    }
}

/// An event as people outside of the centre are to see it: whose names nobody is to connect with it shows neutral titles alone
/// where it has them, and never who is named.
pub(super) fn outside(event: proto::Event) -> proto::Event {
    let Some(sensitivity) = event.sensitivity else { return event };
    let event = proto::Event { sensitivity: None, ..event };
    if sensitivity.neutral_titles.is_empty() {
        return event;
    }
    let sessions = event.sessions.into_iter();
    proto::Event {
        titles: sensitivity.neutral_titles,
        descriptions: Vec::new(),
        programme: String::new(),
        project_code: String::new(),
        sessions: sessions.map(|session| proto::Session { note: String::new(), ..session }).collect(),
        ..event
    }
}
