//! What is asked of an event when personal data of a party are to go.

use super::change::Change;
use super::decide::Decision;
use super::refusal::Refusal;
use super::roster::{Roster, Standing};
use crate::model::attendance::Mark;
use crate::model::event::EventState;
use crate::model::id::Number;
use crate::model::registration::{ActorKind, CancelReason, End, State};
use crate::model::time::Timestamp;

impl Roster {
    /// Whoever still waits or has a seat leaves first, so that the line closes up and the seats go on. Once an event is
    /// over nobody's state changes any more: counts stay.
    pub(super) fn erase(&self, number: Number, kept: bool, actor: ActorKind, now: Timestamp) -> Decision {
        let s = self.standing(number).ok_or(Refusal::RegistrationNotFound)?;
        let mut changes = Vec::new();
        if s.state.is_live() && self.state == EventState::Published && !self.is_over(now) {
            let end = End::Cancelled { by: actor, reason: CancelReason::Erased };
            changes.push(Change::Ended { number, end });
        }
        if !s.is_erased(kept) {
            changes.push(Change::Erased { number, kept });
        }
        Ok(changes)
    }

    /// Whether the last session has ended, or the event was called off or closed.
    pub fn is_over(&self, now: Timestamp) -> bool {
        match self.state {
            EventState::Draft => false,
            EventState::Published => self.terms.ends_at.is_some_and(|at| at <= now),
            EventState::Cancelled | EventState::Completed => true,
        }
    }

    /// Whether the party came, as far as anybody knows: somebody of it was marked present, or it had a seat at something
    /// that has begun and of which no list was entered.
    pub fn took_part(&self, number: Number, now: Timestamp) -> bool {
        let Some(s) = self.standing(number) else { return false };
        let came = |mark: Mark| matches!(mark, Mark::Present | Mark::MadeUp);
        if self.marks_of(number).any(|(_, marked)| came(marked.mark)) {
            return true;
        }
        let begun = self.terms.starts_at.is_some_and(|at| at <= now);
        let listed = self.session_counts().any(|c| c.present + c.absent + c.excused + c.made_up > 0);
        let is_on = self.state != EventState::Cancelled;
        matches!(s.state, State::Confirmed { .. }) && begun && is_on && !listed
    }
}

impl Standing {
    /// Whether as much is gone already.
    pub fn is_erased(&self, kept: bool) -> bool {
        self.erased.is_some_and(|erased| kept || !erased.kept)
    }
}
