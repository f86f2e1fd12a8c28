//! Who watches which event: each watcher is woken with the event's journal number and looks for itself, so
//! a slow one misses nothing but states in between.

use crate::model::id::EventId;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

#[derive(Default)]
pub(super) struct Watches {
    senders: Mutex<HashMap<EventId, watch::Sender<u64>>>,
    /// Counts the batches that changed something, whatever the event.
    commits: watch::Sender<u64>,
}

impl Watches {
    fn senders(&self) -> MutexGuard<'_, HashMap<EventId, watch::Sender<u64>>> {
        self.senders.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn subscribe(&self, event: EventId, number: u64) -> watch::Receiver<u64> {
        let mut senders = self.senders();
        senders.entry(event).or_insert_with(|| watch::Sender::new(number)).subscribe()
    }

    /// The event has this journal number now.
    pub fn moved(&self, event: EventId, number: u64) {
        let mut senders = self.senders();
        let Some(sender) = senders.get(&event) else { return };
        if sender.receiver_count() == 0 {
            senders.remove(&event);
            return;
        }
        sender.send_if_modified(|known| {
            let is_new = *known < number;
            *known = number.max(*known);
            is_new
        });
    }

    /// Something was committed here.
    pub fn committed(&self) {
        self.commits.send_modify(|n| *n = n.wrapping_add(1));
    }

    /// Wakes with whatever is committed here.
    pub fn commits(&self) -> watch::Receiver<u64> {
        self.commits.subscribe()
    }

    /// The events that somebody watches.
    pub fn events(&self) -> Vec<EventId> {
        let mut senders = self.senders();
        senders.retain(|_, sender| sender.receiver_count() > 0);
        senders.keys().copied().collect()
    }
}
