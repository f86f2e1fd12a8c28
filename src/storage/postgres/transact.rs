//! The one way in which anything is written: begin, work, commit, or roll back. Everything here runs in a
//! task of its own (see `apart`), so that no open transaction is ever dropped half-way.

use super::errors::{failed, failed_to_commit};
use super::{load, write};
use crate::storage::codec::Batch;
use crate::storage::traits::{Decide, Lock, StoreError};
use sqlx::{PgConnection, PgPool, Postgres, Transaction};

/// The connections that write.
///
/// Differs from sqlite because a commit whose outcome is not known says nothing about the next: the server
/// recovers by itself, and a new connection sees what became of it.
#[derive(Clone)]
pub(super) struct Writer {
    pool: PgPool,
}

impl Writer {
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }

    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Whether anything can still be written.
    pub fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    /// The isolation is named: under a stricter one, a lock that was waited for shows old rows.
    pub async fn begin(&self) -> Result<Transaction<'static, Postgres>, StoreError> {
        self.check()?;
        self.pool.begin_with("begin isolation level read committed").await.map_err(failed)
    }

    /// Commits what went well, and rolls back what did not.
    pub async fn finish<T>(
        &self,
        transaction: Transaction<'static, Postgres>,
        work: Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        match work {
            Ok(value) => {
                transaction.commit().await.map_err(failed_to_commit)?;
                Ok(value)
            }
            Err(error) => {
                // A rollback that fails closes the connection, which rolls back too.
                let _ = transaction.rollback().await;
                Err(error)
            }
        }
    }
}

/// Locks, decides, writes, commits.
pub(super) async fn transact(writer: Writer, locks: Vec<Lock>, decide: Decide) -> Result<(), StoreError> {
    let mut transaction = writer.begin().await?;
    let work = decide_and_write(&mut transaction, &locks, decide).await;
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
