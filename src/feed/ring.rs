//! The last of the feed, in memory, for those who keep up with it. Its positions have no gap.

use super::read::Batch;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most entries that are kept.
const ENTRIES_MAX: usize = 16_384;

#[derive(Default)]
pub(super) struct Ring {
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    /// The position before the first batch.
    before: u64,
    batches: VecDeque<Arc<Batch>>,
    entries: usize,
}

impl Ring {
    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Empties it, to go on behind this position.
    pub fn start(&self, before: u64) {
        *self.inner() = Inner { before, ..Inner::default() };
    }

    /// Takes what comes next in, and lets the oldest go. What does not follow is not taken in.
    pub fn push(&self, new: Vec<Arc<Batch>>) {
        let mut inner = self.inner();
        for batch in new {
            let next = inner.before + inner.batches.len() as u64 + 1;
            if batch.row.position != next {
                return;
            }
            inner.entries += batch.row.entries.len();
            inner.batches.push_back(batch);
        }
        while inner.entries > ENTRIES_MAX
            && let Some(oldest) = inner.batches.pop_front()
        {
            inner.entries -= oldest.row.entries.len();
            inner.before += 1;
        }
    }

    /// The batches behind `after`, until they hold `entries_max` entries. `None` where it does not reach so far back.
    pub fn behind(&self, after: u64, entries_max: usize) -> Option<Vec<Arc<Batch>>> {
        let inner = self.inner();
        let skip = usize::try_from(after.checked_sub(inner.before)?).ok()?;
        if skip >= inner.batches.len() {
            return None;
        }
        let mut entries = 0;
        let room = |batch: &&Arc<Batch>| {
            let room = entries < entries_max;
            entries += batch.row.entries.len();
            room
        };
        Some(inner.batches.iter().skip(skip).take_while(room).cloned().collect())
    }
}
