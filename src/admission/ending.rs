//! How an event ends, and what that leaves of those who are in it.

use super::change::Change;
use super::decide::Decision;
use super::refusal::Refusal;
use super::roster::Roster;
use crate::model::event::EventState;
use crate::model::id::Number;
use crate::model::registration::{End, State};
use crate::model::time::Timestamp;

impl Roster {
    pub(super) fn cancel_event(&self) -> Decision {
        self.event_in(&[EventState::Draft, EventState::Published])?;
        let live = self.standings().filter(|s| s.state.is_live());
        let ends = live.map(|s| Change::Ended { number: s.number, end: End::EventCancelled });
        // The event first: nobody moves up while the others leave.
        Ok(std::iter::once(Change::EventCancelled).chain(ends).collect())
    }

    /// Closes an event whose last session has ended. Who waits stays as the demand that was not met. Who was still
    /// asked whether to come missed nothing: there is nothing to answer any more.
    pub(super) fn complete_event(&self, now: Timestamp) -> Decision {
        self.event_in(&[EventState::Published])?;
        // Where every session is called off there is none to wait for.
        let is_held = self.terms.all_called_off().is_none();
        if let Some(ends_at) = self.terms.ends_at.filter(|at| is_held && now < *at) {
            return Err(Refusal::EventNotOver { ends_at });
        }
        let offered = self.standings().filter(|s| matches!(s.state, State::Offered { .. }));
        let back = offered.map(|s| Change::OfferWithdrawn { number: s.number });
        Ok(std::iter::once(Change::EventCompleted).chain(back).collect())
    }

    /// Whether a registration may be cancelled: any live one while its event is to come or runs; after it, whoever
    /// waited in vain may still take the name off the list.
    pub(super) fn may_be_cancelled(&self, number: Number) -> Result<(), Refusal> {
        let waited = |s: &super::Standing| matches!(s.state, State::Waitlisted | State::InReview);
        if self.state == EventState::Completed && self.standing(number).is_some_and(waited) {
            return Ok(());
        }
        self.live(number).map(|_| ())
    }
}
