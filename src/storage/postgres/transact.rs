//! The one way in which anything is written: begin, work, commit, or roll back. Everything here runs in a
//! task of its own (see `apart`), so that no open transaction is ever dropped half-way.

use super::errors::failed_to_commit;
use super::held::{Connections, Held};
use super::{load, write};
use crate::storage::codec::Batch;
use crate::storage::{Decide, Lock, StoreError};
use sqlx::PgConnection;

/// The connections that write.
///
/// Differs from sqlite because a commit whose outcome is not known says nothing about the next: the server
/// recovers by itself, and a new connection sees what became of it.
#[derive(Clone)]
pub(super) struct Writer {
    connections: Connections,
}

impl Writer {
    pub fn new(connections: Connections) -> Self {
        Self { connections }
    }

    pub fn connections(&self) -> &Connections {
        &self.connections
    }

    /// Whether anything can still be written.
    pub fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The isolation is named: under a stricter one, a lock that was waited for shows old rows.
    pub async fn begin(&self) -> Result<Held, StoreError> {
        self.check()?;
        let mut transaction = self.connections.hold().await?;
        self.in_time(transaction.begin("begin isolation level read committed")).await?;
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

/// Locks, decides, writes, commits.
pub(super) async fn transact(writer: Writer, locks: Vec<Lock>, decide: Decide) -> Result<(), StoreError> {
    let mut transaction = writer.begin().await?;
    let work = writer.in_time(decide_and_write(&mut transaction, &locks, decide)).await;
    writer.finish(transaction, work).await
}

async fn decide_and_write(connection: &mut PgConnection, locks: &[Lock], decide: Decide) -> Result<(), StoreError> {
    let fresh = load::fresh(connection, locks).await?;
    let writes = decide(fresh);
    if writes.is_empty() {
        return Ok(());
    }
    write::write(connection, Batch::of(writes)?).await
}
