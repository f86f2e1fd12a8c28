//! The journal numbers that this instance committed last. As long as nobody else writes an event, what is in memory is
//! right without asking.

use super::Lock;
use crate::model::id::EventId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// Most events whose number is remembered.
const EVENTS_MAX: usize = 100_000;
/// For so long after somebody else was seen to write an event, its row is locked before anything is decided: a guess that
/// fails costs a whole roster.
const OTHERS: Duration = Duration::from_secs(30);

/// What was committed last, and where others were met.
#[derive(Default)]
pub(super) struct Latest(Mutex<Known>);

#[derive(Default)]
struct Known {
    numbers: HashMap<EventId, u64>,
    others: HashMap<EventId, Instant>,
}

impl Latest {
    /// Whether each of these is known to stand at the number that the caller knows, as far as this instance can tell.
    pub fn are_current(&self, locks: &[Lock]) -> bool {
        let known = self.known();
        locks.iter().all(|lock| lock.known.is_some() && known.numbers.get(&lock.event).copied() == lock.known)
    }

    /// What this instance has committed, of events at which nobody else was met lately.
    pub fn committed(&self, written: impl IntoIterator<Item = (EventId, u64)>) {
        let mut known = self.known();
        if known.numbers.len() > EVENTS_MAX {
            known.numbers.clear();
        }
        for (event, number) in written {
            if known.others.get(&event).is_some_and(|met| met.elapsed() < OTHERS) {
                continue;
            }
            known.others.remove(&event);
            known.numbers.insert(event, number);
        }
    }

    /// Somebody else writes these events too.
    pub fn met_others(&self, events: impl IntoIterator<Item = EventId>) {
        let mut known = self.known();
        if known.others.len() > EVENTS_MAX {
            known.others.clear();
        }
        let now = Instant::now();
        for event in events {
            known.numbers.remove(&event);
            known.others.insert(event, now);
        }
    }

    /// Of these nothing is known any more.
    pub fn forget(&self, locks: &[Lock]) {
        let mut known = self.known();
        for lock in locks {
            known.numbers.remove(&lock.event);
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
