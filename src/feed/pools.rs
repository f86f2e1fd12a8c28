//! The ids of seat pools by their numbers, which is all that journals hold. A number is given once per event
//! and never comes to mean another pool, so what was learnt once stays true.

use crate::admission::Entry;
use crate::model::event::Terms;
use crate::model::id::{EventId, PoolNo};
use crate::storage::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Pool ids of one event.
pub type PoolIds = Arc<[(PoolNo, String)]>;

/// Most events that are remembered.
const EVENTS_MAX: usize = 8_192;
/// Entries of a journal that are read at once where a pool is not among the event's any more.
const CHUNK: u32 = 1_000;

#[derive(Default)]
pub(super) struct Pools {
    known: Mutex<HashMap<EventId, PoolIds>>,
}

impl Pools {
    fn known(&self) -> MutexGuard<'_, HashMap<EventId, PoolIds>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ids of all pools that these entries name.
    pub async fn of(&self, store: &dyn Store, event: EventId, entries: &[Entry]) -> Result<PoolIds, StoreError> {
        let mut ids = self.known().get(&event).cloned().unwrap_or_default();
        for entry in entries {
            if let Some(terms) = entry.change.terms() {
                ids = learn(ids, terms);
            }
        }
        let lacks = |ids: &PoolIds| entries.iter().filter_map(|e| e.change.pool()).any(|no| !holds(ids, no));
        if lacks(&ids)
            && let Some(event) = store.document(event).await?
        {
            ids = learn(ids, &event.terms);
        }
        // A pool that staff have taken out since: the terms of its time stand in the journal.
        let mut from = 1;
        while lacks(&ids) {
            let read = store.journal(event, from, CHUNK).await?;
            let Some(last) = read.last() else { break };
            from = last.number + 1;
            ids = read.iter().filter_map(|e| e.change.terms()).fold(ids, |ids, terms| learn(ids, terms));
        }
        self.remember(event, &ids);
        Ok(ids)
    }

    fn remember(&self, event: EventId, ids: &PoolIds) {
        let mut known = self.known();
        let more = known.get(&event).is_none_or(|known| known.len() < ids.len());
        if more {
            if known.len() >= EVENTS_MAX {
                known.clear();
            }
            known.insert(event, Arc::clone(ids));
        }
    }
}

fn holds(ids: &PoolIds, no: PoolNo) -> bool {
    ids.iter().any(|(known, _)| *known == no)
}

fn learn(ids: PoolIds, terms: &Terms) -> PoolIds {
    if terms.pools.iter().all(|pool| holds(&ids, pool.no)) {
        return ids;
    }
    let new = terms.pools.iter().filter(|pool| !holds(&ids, pool.no)).map(|pool| (pool.no, pool.id.clone()));
    ids.iter().cloned().chain(new).collect()
}
