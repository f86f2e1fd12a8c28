//! The rosters in memory: one cell per event, locked for writing while a batch decides and commits, so that
//! nobody ever reads what is not committed. Bounded by the number of registrations held.

use super::loaded::Loaded;
use crate::model::id::EventId;
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::RwLock;

/// Where an event is kept, or will be.
#[derive(Default)]
pub(super) struct Cell {
    pub loaded: Arc<RwLock<Option<Loaded>>>,
    last_used: AtomicU64,
    /// Registrations held, as last accounted for.
    weight: AtomicUsize,
}

pub(super) struct Cache {
    cells: Mutex<HashMap<EventId, Arc<Cell>>>,
    turn: AtomicU64,
    held: AtomicUsize,
    max: usize,
}

/// Events that are kept whatever they weigh.
const KEPT_LAST: usize = 8;
/// What an event weighs beside its registrations.
const EVENT_WEIGHT: usize = 16;

impl Cache {
    pub fn new(max: usize) -> Self {
        Self { cells: Mutex::default(), turn: AtomicU64::new(0), held: AtomicUsize::new(0), max }
    }

    fn cells(&self) -> MutexGuard<'_, HashMap<EventId, Arc<Cell>>> {
        self.cells.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The event's cell, made where there is none.
    pub fn cell(&self, event: EventId) -> Arc<Cell> {
        let turn = self.turn.fetch_add(1, Ordering::Relaxed);
        let cell = Arc::clone(self.cells().entry(event).or_default());
        cell.last_used.store(turn, Ordering::Relaxed);
        cell
    }

    /// Whether the event has a cell.
    pub fn has(&self, event: EventId) -> bool {
        self.cells().contains_key(&event)
    }

    /// How many events have cells.
    pub fn events(&self) -> usize {
        self.cells().len()
    }

    /// Takes an empty cell away, unless somebody is at it: an event that does not exist leaves nothing.
    pub fn forget_empty(&self, event: EventId) {
        let mut cells = self.cells();
        let is_empty = cells.get(&event).is_some_and(|c| {
            let unused = Arc::strong_count(c) == 1 && Arc::strong_count(&c.loaded) == 1;
            unused && c.loaded.try_read().is_ok_and(|loaded| loaded.is_none())
        });
        if is_empty {
            cells.remove(&event);
        }
    }

    /// Accounts for what the cell holds now.
    pub fn weigh(&self, cell: &Cell, loaded: Option<&Loaded>) {
        let now = loaded.map_or(0, |l| l.roster.weight() + EVENT_WEIGHT);
        let before = cell.weight.swap(now, Ordering::Relaxed);
        if now >= before {
            self.held.fetch_add(now - before, Ordering::Relaxed);
        } else {
            self.held.fetch_sub(before - now, Ordering::Relaxed);
        }
    }

    /// Registrations in memory.
    pub fn held(&self) -> usize {
        self.held.load(Ordering::Relaxed)
    }

    /// Lets go of the rosters that were not used for longest, until the bound is kept. Cells in use stay.
    pub fn trim(&self) {
        if self.held() <= self.max {
            return;
        }
        let mut cells = self.cells();
        let mut oldest: Vec<(u64, EventId)> =
            cells.iter().map(|(id, c)| (c.last_used.load(Ordering::Relaxed), *id)).collect();
        oldest.sort_unstable();
        // The few that were used last always stay: an event that is larger than the bound would otherwise be
        // loaded anew with every batch.
        oldest.truncate(oldest.len().saturating_sub(KEPT_LAST));
        // One quarter below the bound, so that not every batch has to trim.
        let aim = self.max / 4 * 3;
        for (_, id) in oldest {
            if self.held() <= aim {
                return;
            }
            let unused = cells.get(&id).is_some_and(|c| Arc::strong_count(c) == 1 && Arc::strong_count(&c.loaded) == 1);
            if unused && let Some(cell) = cells.remove(&id) {
                self.weigh(&cell, None);
            }
        }
    }
}
