//! A call's place in the buffer: whatever becomes of the call, its row is written.

use super::Shared;
use crate::model::access_log::AccessEntry;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::mpsc::OwnedPermit;

/// The outcome of a call that broke off: CANCELLED.
pub const GONE: u8 = 1;

/// Dropped before the call has ended, it leaves a row that says so.
pub struct Seat {
    shared: Arc<Shared>,
    waiting: Option<(OwnedPermit<AccessEntry>, AccessEntry)>,
}

impl Seat {
    pub(super) fn new(shared: Arc<Shared>, permit: OwnedPermit<AccessEntry>, entry: AccessEntry) -> Self {
        Self { shared, waiting: Some((permit, entry)) }
    }

    fn end(&mut self, outcome: u8) {
        if let Some((permit, entry)) = self.waiting.take() {
            let (id, at) = (self.shared.next_id(), self.shared.clock.now());
            permit.send(AccessEntry { id, at, outcome, ..entry });
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.end(GONE);
    }
}

/// What goes with a call, so that whoever lets it in can leave its seat to whoever knows how it ended.
#[derive(Clone, Default)]
pub struct Slot(Arc<Mutex<Vec<Seat>>>);

impl Slot {
    /// One more row, where there is one already: they tell of the same call.
    pub fn leave(&self, seat: Seat) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(seat);
    }

    /// Adds to what stands in its rows, while the call is in work.
    pub fn note(&self, mut add: impl FnMut(&mut AccessEntry)) {
        let mut seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seats.iter_mut().filter_map(|seat| seat.waiting.as_mut()).for_each(|(_, entry)| add(entry));
    }

    /// What stands in its row so far, where it leaves one.
    pub fn row(&self) -> Option<AccessEntry> {
        let seats = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seats.first().and_then(|seat| seat.waiting.as_ref()).map(|(_, entry)| entry.clone())
    }

    /// The call ended with this status code.
    pub fn ended(&self, outcome: u8) {
        let seats = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        seats.into_iter().for_each(|mut seat| seat.end(outcome));
    }
}
