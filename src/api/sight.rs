//! Who sees the people of a sensitive event (docs/decisions/0026). Staff whose role the event does not name see that seats are
//! taken, and by whom in no way: neither in a list nor by its order, neither by a search nor by a refusal.

use super::admit::event_in;
use super::caller::Caller;
use super::proto;
use super::rights::Target;
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

impl Api {
    /// Leaves out where registrations went, for staff that is not shown the people of both events: it has the name in one of
    /// them, and would learn who sits in the other.
    pub(super) async fn unlink<'a>(
        &self,
        caller: Caller,
        all: impl IntoIterator<Item = &'a mut proto::Registration>,
    ) -> Result<(), Status> {
        for registration in all {
            if !self.may_follow(caller, &registration.event, &registration.transferred_to).await? {
                registration.transferred_to.clear();
            }
        }
        Ok(())
    }

    /// The same for changes.
    pub(super) async fn unlinked(
        &self,
        caller: Caller,
        mut changes: Vec<proto::Change>,
    ) -> Result<Vec<proto::Change>, Status> {
        for change in &mut changes {
            if !self.may_follow(caller, &change.event, &change.transferred_to).await? {
                change.transferred_to.clear();
            }
        }
        Ok(changes)
    }

    /// Whether the caller reaches both, and is shown who their people are. What cannot be read is an error and no answer: a
    /// follower would never be told again.
    async fn may_follow(&self, caller: Caller, from: &str, to: &str) -> Result<bool, Status> {
        if to.is_empty() {
            return Ok(true);
        }
        let targets = [Target::Event(from), Target::Event(to)];
        self.learn_places(&targets).await?;
        if !self.reaches_all(caller, &targets)? {
            return Ok(false);
        }
        for event in [from, to].map(event_in) {
            let Some(event) = event else { return Ok(false) };
            if !self.sees_people(caller, event).await? {
                return Ok(false);
            }
        }
        Ok(true)
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
