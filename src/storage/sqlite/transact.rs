//! The one way in which anything is written: begin, work, commit, or roll back. Everything here runs in a
//! task of its own (see `apart`), so that no open transaction is ever dropped half-way.

use super::errors::{failed, failed_to_commit};
use super::{load, write};
use crate::storage::codec::{Batch, JournalRow};
use crate::storage::traits::{Decide, Lock, StoreError};
use sqlx::{Sqlite, SqliteConnection, SqlitePool, Transaction};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

/// The connection that writes.
///
/// Differs from postgres because a commit whose outcome is not known (an error of the disk) leaves a file of
/// which nobody knows what is on disk; another commit could claim what the first one lost. Nothing is
/// written any more until a restart has recovered the file.
#[derive(Clone)]
pub(super) struct Writer {
    pool: SqlitePool,
    wounded: Arc<AtomicBool>,
    latest: Arc<AtomicI64>,
}

impl Writer {
    /// `latest` is the last moment in the journal.
    pub fn new(pool: SqlitePool, latest: i64) -> Self {
        Self { pool, wounded: Arc::default(), latest: Arc::new(AtomicI64::new(latest)) }
    }

    pub fn pool(&self) -> &SqlitePool {
        &self.pool
    }

    /// Whether anything can still be written.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.wounded.load(Ordering::Acquire) {
            return Err(StoreError::Unavailable("a commit failed; the service must be restarted".into()));
        }
        Ok(())
    }

    /// Differs from postgres because there is one writer for the whole file: it is locked at once, or a
    /// read that turns into a write would be refused.
    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.check()?;
        self.pool.begin_with("begin immediate").await.map_err(failed)
    }

    /// Keeps the moments of the journal from going back, so that a place in it is found by time. One that is
    /// rolled back leaves them a little late for what comes next, never early.
    pub fn stamp(&self, rows: &mut [JournalRow]) {
        for row in rows {
            row.written_at = row.written_at.max(self.latest.fetch_max(row.written_at, Ordering::Relaxed));
        }
    }

    /// Commits what went well, and rolls back what did not.
    pub async fn finish<T>(
        &self,
        transaction: Transaction<'static, Sqlite>,
        work: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let error = match work {
            Ok(value) => match transaction.commit().await.map_err(failed_to_commit) {
                Ok(()) => return Ok(value),
                Err(error) => error,
            },
            Err(error) => {
                // A rollback that fails closes the connection, which rolls back too.
                let _ = transaction.rollback().await;
                error
            }
        };
        if matches!(error, StoreError::Unknown(_)) {
            self.wounded.store(true, Ordering::Release);
        }
        Err(error)
    }
}

/// Locks, decides, writes, commits.
pub(super) async fn transact(writer: Writer, locks: Vec<Lock>, decide: Decide) -> Result<(), StoreError> {
    let mut transaction = writer.begin().await?;
    let work = decide_and_write(&writer, &mut transaction, &locks, decide).await;
    writer.finish(transaction, work).await
}

async fn decide_and_write(
    writer: &Writer,
    connection: &mut SqliteConnection,
    locks: &[Lock],
    decide: Decide,
) -> Result<(), StoreError> {
    let fresh = load::fresh(connection, locks).await?;
    let writes = decide(fresh);
    if writes.is_empty() {
        return Ok(());
    }
    let mut batch = Batch::of(writes)?;
    writer.stamp(&mut batch.journal);
    write::write(connection, batch).await
}
