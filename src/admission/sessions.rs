//! Sessions that staff move or call off. The terms hold them; what is here says who is told.

use super::attendance::SessionCounts;
use super::change::Change;
use super::roster::Roster;
use crate::model::attendance::{SessionNo, Slot};
use crate::model::event::{EventState, Terms};
use crate::model::id::Number;
use crate::model::registration::State;
use crate::model::time::Timestamp;

impl Roster {
    /// What new terms mean to the sessions that were to come: moved, called off or taken out.
    pub(super) fn sessions_changed(&self, terms: &Terms, now: Timestamp) -> Vec<Change> {
        if self.state != EventState::Published {
            return Vec::new();
        }
        let to_come = self.terms.sessions.iter().filter(|slot| !slot.cancelled && slot.starts_at > now);
        to_come.filter_map(|slot| self.session_changed(slot, terms)).collect()
    }

    fn session_changed(&self, slot: &Slot, terms: &Terms) -> Option<Change> {
        let session = slot.no;
        match terms.session_no(session).filter(|new| !new.cancelled) {
            None => Some(Change::SessionCancelled { session, at: slot.starts_at, tell: self.seated_at(slot) }),
            Some(new) if (new.starts_at, new.ends_at) != (slot.starts_at, slot.ends_at) => {
                let (from, to) = (slot.starts_at, new.starts_at);
                Some(Change::SessionMoved { session, from, to, tell: self.seated_at(slot) })
            }
            Some(_) => None,
        }
    }

    /// Who has a seat at a session, or an offer of one.
    fn seated_at(&self, slot: &Slot) -> Vec<Number> {
        let holds = |state: &State| matches!(state, State::Confirmed { .. } | State::Offered { .. });
        self.standings().filter(|s| holds(&s.state) && self.may_come(s, slot)).map(|s| s.number).collect()
    }

    /// A session of which something was written down, and that new terms leave out, call off, or move though it was
    /// held: what was written down would be of another session.
    pub(super) fn session_in_use(&self, terms: &Terms, now: Timestamp) -> Option<SessionNo> {
        let times = |slot: &Slot| (slot.starts_at, slot.ends_at);
        let stays = |counts: &SessionCounts| {
            let kept = terms.session_no(counts.session).filter(|slot| !slot.cancelled);
            let old = self.terms.session_no(counts.session);
            kept.is_some_and(|new| old.is_none_or(|old| times(old) == times(new) || !was_held(old, counts, now)))
        };
        self.session_counts().find(|counts| !stays(counts)).map(|counts| counts.session)
    }
}

/// Whether a session took place, as far as it is written down. Who said beforehand that they cannot come says
/// nothing of it.
fn was_held(slot: &Slot, counts: &SessionCounts, now: Timestamp) -> bool {
    slot.starts_at <= now || counts.heads.is_some() || counts.present + counts.absent + counts.made_up > 0
}
