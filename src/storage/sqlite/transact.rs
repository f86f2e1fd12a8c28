//! The one way in which anything is written: begin, work, commit, or roll back. Everything here runs in a
//! task of its own (see `apart`), so that no open transaction is ever dropped half-way.

use super::errors::{failed, failed_to_commit};
use super::script::Script;
use super::{load, write};
use crate::model::id::EventId;
use crate::storage::codec::{Batch, JournalRow};
use crate::storage::latest::Latest;
use crate::storage::{Decide, EventWrite, Fresh, Lock, StoreError};
use sqlx::pool::PoolConnection;
use sqlx::{Connection, Sqlite, SqliteConnection, SqlitePool, Transaction};
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
    /// Nobody else writes this file.
    numbers: Arc<Latest>,
}

const BEGIN: &str = "begin immediate";

impl Writer {
    /// `latest` is the last moment in the journal.
    pub fn new(pool: SqlitePool, latest: i64) -> Self {
        Self { pool, wounded: Arc::default(), latest: Arc::new(AtomicI64::new(latest)), numbers: Arc::default() }
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

    /// The connection. Whoever has it is the only one who writes.
    pub async fn take(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        self.check()?;
        self.pool.acquire().await.map_err(failed)
    }

    /// Differs from postgres because there is one writer for the whole file: it is locked at once, or a
    /// read that turns into a write would be refused.
    pub async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        self.check()?;
        self.pool.begin_with(BEGIN).await.map_err(failed)
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
        transaction: Transaction<'_, Sqlite>,
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
        Err(self.after(error))
    }

    /// Runs a script that begins its own transaction, and commits.
    async fn run(&self, connection: &mut PoolConnection<Sqlite>, script: Script) -> Result<(), StoreError> {
        let mut work = script.run(connection).await;
        if work.is_ok() {
            work = sqlx::query("commit").execute(&mut **connection).await.map(drop).map_err(failed_to_commit);
        }
        let Err(error) = work else { return Ok(()) };
        // Where there is nothing to roll back any more, a new connection is the safe one.
        if sqlx::query("rollback").execute(&mut **connection).await.is_err() {
            connection.close_on_drop();
        }
        Err(self.after(error))
    }

    fn after(&self, error: StoreError) -> StoreError {
        if matches!(error, StoreError::Unknown(_)) {
            self.wounded.store(true, Ordering::Release);
        }
        error
    }

    /// The rows of a batch, by whoever has the connection.
    fn batch(&self, writes: Vec<EventWrite>) -> Result<Batch, StoreError> {
        let mut batch = Batch::of(writes)?;
        self.stamp(&mut batch.journal);
        Ok(batch)
    }
}

/// Locks, decides, writes, commits.
///
/// Differs from postgres because nobody else writes this file: what was committed last is remembered, and only
/// what is not is read. Each statement is handed to the connection's thread and back, so that this is a third
/// of a lone sign-up.
pub(super) async fn transact(writer: Writer, locks: Vec<Lock>, decide: Decide) -> Result<(), StoreError> {
    let mut connection = writer.take().await?;
    let written = if writer.numbers.are_current(&locks) {
        let writes = decide(locks.iter().map(|_| Fresh::Current).collect());
        let written = numbers_of(&writes);
        write(&writer, &mut connection, writes).await?;
        written
    } else {
        let mut transaction = connection.begin_with(BEGIN).await.map_err(failed)?;
        let work = load_decide_and_write(&writer, &mut transaction, &locks, decide).await;
        writer.finish(transaction, work).await?
    };
    writer.numbers.committed(written);
    Ok(())
}

async fn write(
    writer: &Writer,
    connection: &mut PoolConnection<Sqlite>,
    writes: Vec<EventWrite>,
) -> Result<(), StoreError> {
    if writes.is_empty() {
        return Ok(());
    }
    let batch = writer.batch(writes)?;
    if write::is_lone(&batch) {
        return writer.run(connection, write::lone(batch)).await;
    }
    let mut transaction = connection.begin_with(BEGIN).await.map_err(failed)?;
    let work = write::write(&mut transaction, batch).await;
    writer.finish(transaction, work).await
}

async fn load_decide_and_write(
    writer: &Writer,
    connection: &mut SqliteConnection,
    locks: &[Lock],
    decide: Decide,
) -> Result<Vec<(EventId, u64)>, StoreError> {
    let fresh = load::fresh(connection, locks).await?;
    let writes = decide(fresh);
    let written = numbers_of(&writes);
    if !writes.is_empty() {
        write::write(connection, writer.batch(writes)?).await?;
    }
    Ok(written)
}

fn numbers_of(writes: &[EventWrite]) -> Vec<(EventId, u64)> {
    writes.iter().map(|write| (write.event, write.header.journal_number)).collect()
}
