//! Sessions as the core knows them. A session that stays keeps its number, and stays called off; a new one gets
//! the next, never that of one taken out.

use crate::model::attendance::{SessionNo, Slot};
use crate::model::event::{Session, Terms};
use crate::model::time::Timestamp;

/// The slots of these sessions. `old` are the terms that the event has.
pub fn slots(sessions: &[Session], old: Option<&Terms>) -> Vec<Slot> {
    let mut last = old.map_or(0, last_given);
    let known = |id: &str| old.and_then(|terms| terms.session(id));
    let mut slots = Vec::with_capacity(sessions.len());
    for session in sessions {
        let (no, cancelled) = match known(&session.id) {
            Some(same) => (same.no, same.cancelled),
            None => {
                last = last.saturating_add(1);
                (last, false)
            }
        };
        let Session { id, starts_at, ends_at, .. } = session;
        slots.push(Slot { no, id: id.clone(), starts_at: *starts_at, ends_at: *ends_at, cancelled });
    }
    slots
}

/// The first start and the last end of those that take place; of all, where none does.
pub fn bounds(slots: &[Slot]) -> (Option<Timestamp>, Option<Timestamp>) {
    let all_off = slots.iter().all(|s| s.cancelled);
    let held = || slots.iter().filter(|s| all_off || !s.cancelled);
    (held().map(|s| s.starts_at).min(), held().map(|s| s.ends_at).max())
}

/// The highest number that a session of the event has or had.
pub(super) fn last_given(terms: &Terms) -> SessionNo {
    terms.sessions.iter().map(|s| s.no).fold(terms.last_retired_session, SessionNo::max)
}

/// The highest number of a session that is taken out, now or before.
pub fn last_retired(old: Option<&Terms>, slots: &[Slot]) -> SessionNo {
    let Some(old) = old else { return 0 };
    let gone = old.sessions.iter().map(|s| s.no).filter(|no| slots.iter().all(|s| s.no != *no));
    gone.fold(old.last_retired_session, SessionNo::max)
}
