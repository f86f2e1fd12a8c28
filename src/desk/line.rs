//! One line at the desk: a task that takes everybody who waits, decides them together, commits once, and
//! answers each. While a commit runs the next group gathers; there are no timers.
//!
//! A caller that went away changes nothing: the work runs here, not in the caller's task.

use super::Shared;
use super::batch::{AtTable, Batch, Ticket, Verdict};
use super::job::DeskError;
use crate::model::id::EventId;
use crate::model::time::Timestamp;
use crate::storage::{Lock, StoreError};
use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::mpsc;

/// For so long the outcome of a lost commit is looked for before its callers are told that it is not known: others wait in
/// the same line, and a database that is silent stays so for a while.
const SETTLE: Duration = Duration::from_secs(5);

/// How often a batch that gave way to another transaction, or whose commit is unknown, is decided again.
const ATTEMPTS: u32 = 6;

pub(super) async fn run(shared: Arc<Shared>, mut waiting: mpsc::Receiver<Ticket>) {
    let mut tickets = Vec::new();
    loop {
        let taken = tokio::select! {
            biased;
            taken = waiting.recv_many(&mut tickets, shared.options.batch_max) => taken,
            // The door closes behind those who are inside: they are still served.
            () = shared.closing.cancelled(), if !waiting.is_closed() => {
                waiting.close();
                continue;
            }
        };
        if taken == 0 {
            return;
        }
        let batch = std::mem::take(&mut tickets);
        serve(&shared, batch).await;
        shared.cache.trim();
    }
}

/// Decides a batch, as often as it takes to know its outcome.
async fn serve(shared: &Shared, mut tickets: Vec<Ticket>) {
    let started = Instant::now();
    let (size, mut unknown) = (tickets.len(), false);
    // The same for every attempt: at the same number the same is decided, and what a lost attempt wrote shows by its number.
    let now = shared.clock.now();
    for attempt in 1..=ATTEMPTS {
        let (result, batch) = attempt_once(shared, tickets, now, attempt > 1).await;
        let again = match result {
            Ok(()) if !batch.again => {
                publish(shared, batch);
                shared.observe(size, started.elapsed());
                return;
            }
            Ok(()) => true,
            Err(error) => {
                unknown |= matches!(error, StoreError::Unknown(_));
                report(&error, attempt);
                shared.stop_if_fatal(&error);
                // An unknown commit is settled by deciding again: the request ids tell what was written.
                may_try_again(&error) || (unknown && matches!(error, StoreError::Unavailable(_)))
            }
        };
        tickets = batch.abandon();
        if !again || shared.fatal.is_cancelled() || (unknown && started.elapsed() >= SETTLE) {
            break;
        }
        tokio::time::sleep(pause(attempt)).await;
    }
    for ticket in tickets {
        ticket.fail(|| if unknown { DeskError::OutcomeUnknown } else { DeskError::Unavailable });
    }
}

fn may_try_again(error: &StoreError) -> bool {
    matches!(error, StoreError::GaveWay(_) | StoreError::Unknown(_) | StoreError::Conflict(_))
}

fn report(error: &StoreError, attempt: u32) {
    match error {
        StoreError::GaveWay(_) => tracing::debug!(%error, attempt, "a batch gave way and is decided again"),
        StoreError::Conflict(_) if attempt == 1 => tracing::debug!(%error, "a batch was decided on what was old"),
        _ => tracing::warn!(%error, attempt, "a batch could not be committed"),
    }
}

/// 10 ms, 20 ms, 40 ms ... with some jitter, so that two instances do not meet again.
fn pause(attempt: u32) -> Duration {
    let base = 10u64 << attempt.min(8);
    let jitter = uuid::Uuid::new_v4().as_u128() as u64 % base.max(1);
    Duration::from_millis((base + jitter) / 2)
}

/// One transaction. The batch comes back with its verdicts, to be told only if the result is `Ok`.
async fn attempt_once(
    shared: &Shared,
    tickets: Vec<Ticket>,
    now: Timestamp,
    forget: bool,
) -> (Result<(), StoreError>, Batch) {
    let ids: BTreeSet<EventId> = tickets.iter().flat_map(|t| t.events()).collect();
    let mut events = Vec::with_capacity(ids.len());
    // In id order, as the rows are locked: two lines that share events in transfers cannot wait in a ring.
    for id in ids {
        let cell = shared.cache.cell(id);
        let mut guard = Arc::clone(&cell.loaded).write_owned().await;
        if forget {
            *guard = None;
        }
        events.push(AtTable::new(id, guard));
    }
    // Who asks for a roster has heard that the one in memory is old.
    let ask = tickets.iter().any(|ticket| matches!(ticket, Ticket::Load(..)));
    let lock = |e: &AtTable| Lock { event: e.id, known: e.guard.as_ref().map(|l| l.roster.journal_number), ask };
    let locks = events.iter().map(lock).collect();
    let batch = Arc::new(Mutex::new(Some(Batch::new(tickets, events))));
    let inside = Arc::clone(&batch);
    let decide = Box::new(move |fresh| {
        let mut batch = inside.lock().unwrap_or_else(PoisonError::into_inner);
        batch.as_mut().map(|b| b.decide(fresh, now)).unwrap_or_default()
    });
    let result = shared.store.transact(locks, decide).await;
    let batch = batch.lock().unwrap_or_else(PoisonError::into_inner).take();
    (result, batch.unwrap_or_else(|| Batch::new(Vec::new(), Vec::new())))
}

/// After the commit: lets go of the rosters, tells each caller, and wakes the watchers.
fn publish(shared: &Shared, batch: Batch) {
    let has_moved = batch.events.iter().any(AtTable::has_moved);
    for event in batch.events {
        let cell = shared.cache.cell(event.id);
        shared.cache.weigh(&cell, event.guard.as_ref());
        let (id, number) = (event.id, event.guard.as_ref().map(|l| l.roster.journal_number));
        drop((event, cell));
        match number {
            Some(number) => shared.watches.moved(id, number),
            None => shared.cache.forget_empty(id),
        }
    }
    if has_moved {
        shared.watches.committed();
    }
    for (ticket, verdict) in batch.tickets.into_iter().zip(batch.verdicts) {
        // A caller who left is normal: the send fails and nothing else.
        match (ticket, verdict) {
            (Ticket::One(_, reply), Verdict::One(answer)) => drop(reply.send(*answer)),
            (Ticket::Transfer(_, reply), Verdict::Transfer(answer)) => drop(reply.send(*answer)),
            (Ticket::Load(_, reply), Verdict::Load(answer)) => drop(reply.send(answer)),
            (ticket, _) => ticket.fail(|| DeskError::Internal),
        }
    }
}

impl Batch {
    /// Gives the tickets back, and forgets every roster that was decided on: it may hold what is not
    /// committed.
    fn abandon(mut self) -> Vec<Ticket> {
        for event in &mut self.events {
            *event.guard = None;
        }
        self.tickets
    }
}
