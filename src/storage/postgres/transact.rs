//! The one way in which anything is written: begin, work, commit, or roll back. Everything here runs in a
//! task of its own (see `apart`), so that no open transaction is ever dropped half-way.

use super::errors::failed_to_commit;
use super::held::{Connections, Held};
use super::{load, sign_ups, write};
use crate::model::id::EventId;
use crate::storage::codec::Batch;
use crate::storage::latest::Latest;
use crate::storage::{Decide, EventWrite, Fresh, Lock, StoreError};
use std::sync::Arc;

const BEGIN: &str = "begin isolation level read committed; set local eile.reach to 'service'";

/// The connections that write.
///
/// Differs from sqlite because a commit whose outcome is not known says nothing about the next: the server
/// recovers by itself, and a new connection sees what became of it.
#[derive(Clone)]
pub(super) struct Writer {
    connections: Connections,
    latest: Arc<Latest>,
}

impl Writer {
    pub fn new(connections: Connections) -> Self {
        Self { connections, latest: Arc::default() }
    }

    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Whether anything can still be written.
    pub fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The isolation is named: under a stricter one, a lock that was waited for shows old rows. Whoever writes is the
    /// service, for many callers at once, and says so with the same word over the wire.
    pub async fn begin(&self) -> Result<Held, StoreError> {
        self.check()?;
        let mut transaction = self.connections.hold().await?;
        self.in_time(transaction.begin(BEGIN)).await?;
        Ok(transaction)
    }

    /// Waits for the work of a transaction, all but its end.
    pub async fn in_time<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        self.connections.in_time(work).await
    }

    /// Commits what went well, and rolls back what did not. Silence after a commit leaves open whether it was heard.
    pub async fn finish<T>(&self, transaction: Held, work: Result<T, StoreError>) -> Result<T, StoreError> {
        let patience = self.connections.patience();
        match work {
            Ok(value) => {
                let committed = tokio::time::timeout(patience, transaction.commit()).await;
                let silent = |_| {
                    self.connections.fell_silent();
                    Err(StoreError::Unknown(format!("no word on a commit within {patience:?}")))
                };
                committed.map(|word| word.map_err(failed_to_commit)).unwrap_or_else(silent)?;
                Ok(value)
            }
            Err(error) => {
                // Without an answer to the rollback the connection is closed, which rolls back too.
                let _ = tokio::time::timeout(patience, transaction.roll_back()).await;
                Err(error)
            }
        }
    }
}

/// Locks, decides, writes, commits; or, where nobody else was seen at these events, decides first.
pub(super) async fn transact(writer: Writer, locks: Vec<Lock>, decide: Decide) -> Result<(), StoreError> {
    let done = if locks.iter().all(|lock| !lock.ask) && writer.latest.are_current(&locks) {
        decide_first(&writer, &locks, decide).await
    } else {
        lock_first(&writer, &locks, decide).await
    };
    match &done {
        Ok(written) => writer.latest.committed(written.iter().copied()),
        Err(StoreError::Conflict(_)) => writer.latest.met_others(locks.iter().map(|lock| lock.event)),
        Err(_) => writer.latest.forget(&locks),
    }
    done.map(drop)
}

async fn lock_first(writer: &Writer, locks: &[Lock], decide: Decide) -> Result<Numbers, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = async {
        let fresh = load::fresh(&mut transaction, locks).await?;
        let behind = locks.iter().zip(&fresh).filter(|(_, fresh)| matches!(fresh, Fresh::Behind(_)));
        writer.latest.met_others(behind.map(|(lock, _)| lock.event));
        let writes = decide(fresh);
        let written = numbers_of(&writes);
        if !writes.is_empty() {
            write::write(&mut transaction, Batch::of(writes)?).await?;
        }
        Ok(written)
    };
    let work = writer.in_time(work).await;
    writer.finish(transaction, work).await
}

/// Decides on what this instance committed last, and lets the database be the judge: it takes the rows only at the numbers
/// from which they were decided. A batch of sign-ups is then one statement and one round trip instead of four.
///
/// Differs from sqlite because others may write these events: who is found to have done so makes this a conflict, which
/// is decided again from what the rows say, and their rows are locked first for a while.
async fn decide_first(writer: &Writer, locks: &[Lock], decide: Decide) -> Result<Numbers, StoreError> {
    let writes = decide(locks.iter().map(|_| Fresh::Current).collect());
    let written = numbers_of(&writes);
    let mut batch = Batch::of(writes)?;
    // Rows are updated in this order, as they are locked elsewhere: two batches never wait for each other in a circle.
    batch.events.sort_unstable_by_key(|event| event.id);
    if written.len() == locks.len() && sign_ups::is_one_statement(&batch) {
        write_at_once(writer, batch).await?;
    } else {
        confirm(writer, locks, batch).await?;
    }
    Ok(written)
}

/// Silence after it leaves open whether it was heard, as after a commit.
async fn write_at_once(writer: &Writer, batch: Batch) -> Result<(), StoreError> {
    writer.check()?;
    let connection = writer.connections.hold().await?;
    let (patience, deadline) = (writer.connections.patience(), writer.connections.deadline());
    let done = tokio::time::timeout(patience, sign_ups::at_once(connection, batch, deadline)).await;
    done.unwrap_or_else(|_| {
        writer.connections.fell_silent();
        Err(StoreError::Unknown(format!("no word on a batch within {patience:?}")))
    })
}

/// Whatever was decided without writing to each event holds only if the numbers are still the same: a refusal, or the answer
/// to a repeated request, must be as true and as durable as what is written.
async fn confirm(writer: &Writer, locks: &[Lock], batch: Batch) -> Result<(), StoreError> {
    let mut transaction = writer.begin().await?;
    let work = async {
        load::expect_current(&mut transaction, locks).await?;
        if !batch.events.is_empty() {
            write::write(&mut transaction, batch).await?;
        }
        Ok(())
    };
    let work = writer.in_time(work).await;
    writer.finish(transaction, work).await
}

type Numbers = Vec<(EventId, u64)>;

fn numbers_of(writes: &[EventWrite]) -> Numbers {
    writes.iter().map(|write| (write.event, write.header.journal_number)).collect()
}
