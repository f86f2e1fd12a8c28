//! The ids of seat pools and of sessions by their numbers, which is all that journals hold. A number is given once
//! per event and never comes to mean another, so what was learnt once stays true.

use crate::admission::Entry;
use crate::model::attendance::SessionNo;
use crate::model::event::Terms;
use crate::model::id::{EventId, PoolNo};
use crate::storage::{Store, StoreError};
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Most events that are remembered.
const EVENTS_MAX: usize = 8_192;
/// Entries of a journal that are read at once where a pool or a session is not among the event's any more.
const CHUNK: u32 = 1_000;

/// Pools and sessions of one event.
#[derive(Clone, Debug, Default)]
pub struct Ids {
    pools: Vec<(PoolNo, String)>,
    sessions: Vec<(SessionNo, String)>,
}

impl Ids {
    pub fn pool(&self, no: PoolNo) -> Option<&str> {
        id_of(&self.pools, no)
    }

    pub fn session(&self, no: SessionNo) -> Option<&str> {
        id_of(&self.sessions, no)
    }

    /// Whether it has a word for everything that the entry names.
    fn cover(&self, entry: &Entry) -> bool {
        let pool = entry.change.pool().is_none_or(|no| self.pool(no).is_some());
        pool && entry.change.session().is_none_or(|no| self.session(no).is_some())
    }

    fn len(&self) -> usize {
        self.pools.len() + self.sessions.len()
    }
}

fn id_of(ids: &[(u16, String)], no: u16) -> Option<&str> {
    ids.iter().find(|(known, _)| *known == no).map(|(_, id)| id.as_str())
}

#[derive(Default)]
pub(super) struct Names {
    known: Mutex<HashMap<EventId, Arc<Ids>>>,
}

impl Names {
    fn known(&self) -> MutexGuard<'_, HashMap<EventId, Arc<Ids>>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The ids of all that these entries name.
    pub async fn of(&self, store: &dyn Store, event: EventId, entries: &[Entry]) -> Result<Arc<Ids>, StoreError> {
        let mut ids = self.known().get(&event).cloned().unwrap_or_default();
        for entry in entries {
            if let Some(terms) = entry.change.terms() {
                learn(&mut ids, terms);
            }
        }
        let lacks = |ids: &Ids| entries.iter().any(|entry| !ids.cover(entry));
        if lacks(&ids)
            && let Some(event) = store.document(event).await?
        {
            learn(&mut ids, &event.terms);
        }
        // One that staff have taken out since: the terms of its time stand in the journal.
        let mut from = 1;
        while lacks(&ids) {
            let read = store.journal(event, from, CHUNK).await?;
            let Some(last) = read.last() else { break };
            from = last.number + 1;
            read.iter().filter_map(|e| e.change.terms()).for_each(|terms| learn(&mut ids, terms));
        }
        self.remember(event, &ids);
        Ok(ids)
    }

    fn remember(&self, event: EventId, ids: &Arc<Ids>) {
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

/// Followers share what is known; it is copied only where something is new.
fn learn(ids: &mut Arc<Ids>, terms: &Terms) {
    for pool in terms.pools.iter().filter(|pool| ids.pool(pool.no).is_none()).collect::<Vec<_>>() {
        Arc::make_mut(ids).pools.push((pool.no, pool.id.clone()));
    }
    for slot in terms.sessions.iter().filter(|slot| ids.session(slot.no).is_none()).collect::<Vec<_>>() {
        Arc::make_mut(ids).sessions.push((slot.no, slot.id.clone()));
    }
}
