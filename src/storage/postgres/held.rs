//! A connection in somebody's hands, and how long an answer is waited for.
//!
//! The server bounds what it does (see `open`), but a server that froze, or a network that swallows what is sent, bounds
//! nothing: whoever asks has to give up by himself. A future of sqlx that is dropped half-way leaves its connection
//! somewhere in the protocol, and the pool would wait for that connection for ever. So connections go back through
//! [`Held`], which asks of each that it answers in time, and which closes the ones of which nobody knows whether a
//! transaction is open.

use super::errors::failed;
use crate::storage::StoreError;
use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, PgPool, Postgres};
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;

/// How long a connection that goes back to the pool may take to show that it lives.
const RETURN: Duration = Duration::from_secs(2);

/// When silence was met last: connections that rested since before then may be as silent.
#[derive(Clone, Default)]
pub(super) struct Silence(Arc<Mutex<Option<Instant>>>);

impl Silence {
    fn met(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Whether it was met after a connection was put to rest.
    pub fn is_later_than(&self, rested_for: Duration) -> bool {
        let last = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        last.is_some_and(|last| last.elapsed() <= rested_for)
    }
}

/// Connections, and the patience of those who use them.
#[derive(Clone)]
pub(super) struct Connections {
    pool: PgPool,
    patience: Duration,
    silence: Silence,
}

impl Connections {
    pub fn new(pool: PgPool, patience: Duration, silence: Silence) -> Self {
        Self { pool, patience, silence }
    }

    pub async fn hold(&self) -> Result<Held, StoreError> {
        let connection = self.pool.acquire().await.map_err(failed)?;
        Ok(Held { connection, in_transaction: false })
    }

    /// A little more than the server's own.
    pub fn patience(&self) -> Duration {
        self.patience + self.patience / 4
    }

    /// Waits for what is asked until the server itself would have given up. Not for a commit:
    /// of that, silence says nothing.
    pub async fn in_time<T>(&self, work: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        let patience = self.patience();
        let silent = |_| {
            self.fell_silent();
            Err(StoreError::Unavailable(format!("no answer within {patience:?}")))
        };
        tokio::time::timeout(patience, work).await.unwrap_or_else(silent)
    }

    /// From now on whoever takes a connection that rested asks it first.
    pub fn fell_silent(&self) {
        self.silence.met();
    }

    pub async fn close(&self) {
        self.pool.close().await;
    }
}

/// A connection, until it is let go. One that is let go in the middle of a transaction is closed, with which the server
/// rolls back.
pub(super) struct Held {
    connection: PoolConnection<Postgres>,
    in_transaction: bool,
}

impl Held {
    pub async fn begin(&mut self, statement: &'static str) -> Result<(), StoreError> {
        self.in_transaction = true;
        self.connection.execute(statement).await.map_err(failed)?;
        Ok(())
    }

    pub async fn commit(mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("COMMIT").await?;
        self.in_transaction = false;
        Ok(())
    }

    pub async fn roll_back(mut self) -> Result<(), sqlx::Error> {
        self.connection.execute("ROLLBACK").await?;
        self.in_transaction = false;
        Ok(())
    }
}

impl Deref for Held {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        &self.connection
    }
}

impl DerefMut for Held {
    fn deref_mut(&mut self) -> &mut PgConnection {
        &mut self.connection
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.in_transaction {
            self.connection.close_on_drop();
        } else if let Ok(runtime) = Handle::try_current() {
            runtime.spawn(tokio::time::timeout(RETURN, self.connection.return_to_pool()));
        }
    }
}
