//! One behaviour, two dialects. The only room that knows sqlx; the rooms above see [`Store`].
//!
//! `sqlite/` and `postgres/` are mirror folders: the same files with the same functions in the same order.
//! `codec/` turns rows into values and back for both. One conformance suite (tests/storage) runs on both.

mod codec;
mod kept;
mod latest;
mod postgres;
mod retry;
mod sqlite;
mod traits;
mod transaction;

pub use kept::{Digest, DigestQuery, DigestRow, Everything};
pub use traits::{
    EventQuery, EventRow, FeedPage, FeedQuery, FeedRow, NO_START, OpenRequest, Store, StoreError, Stored,
};
pub use transaction::{
    Behind, ChangedRegistration, Decide, EventWrite, Fresh, Lock, NewRegistration, PartyRow, PartyWrite, Reason,
    RequestWrite, Whole,
};

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

/// How a database is opened.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Bring the tables up to date first; otherwise opening is refused where they are not.
    pub migrate: bool,
    /// Connections that write. SQLite has one, whatever this says.
    pub writers: u32,
    /// Connections that only read.
    pub readers: u32,
    /// How long PostgreSQL may take for one statement, or for letting a lock go if that is less than 5 s. A quarter
    /// longer, and a connection that says nothing is given up.
    pub patience: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Self { migrate: true, writers: 4, readers: 4, patience: Duration::from_secs(20) }
    }
}

/// Opens the database that the URL names: `sqlite:path/to/file` or `postgres://...`.
pub async fn open(url: &str, options: Options) -> Result<Arc<dyn Store>, StoreError> {
    match dialect(url)? {
        Dialect::Sqlite => Ok(Arc::new(sqlite::SqliteStore::open(url, options).await?)),
        Dialect::Postgres => Ok(Arc::new(postgres::PostgresStore::open(url, options).await?)),
    }
}

/// Brings the tables of the database up to date, and does nothing else.
pub async fn migrate(url: &str) -> Result<(), StoreError> {
    match dialect(url)? {
        Dialect::Sqlite => sqlite::migrate(url).await,
        Dialect::Postgres => postgres::migrate(url).await,
    }
}

/// Copies the database to a file while a service goes on with it, where it is an embedded one.
pub async fn backup(url: &str, to: &Path) -> Result<(), StoreError> {
    match dialect(url)? {
        Dialect::Sqlite => sqlite::backup(url, to).await,
        Dialect::Postgres => postgres::backup(url, to).await,
    }
}

enum Dialect {
    Sqlite,
    Postgres,
}

/// The URL itself is never shown: it may hold a password.
fn dialect(url: &str) -> Result<Dialect, StoreError> {
    match url.split_once(':').map(|(scheme, _)| scheme) {
        Some("sqlite") => Ok(Dialect::Sqlite),
        Some("postgres" | "postgresql") => Ok(Dialect::Postgres),
        _ => Err(unknown_scheme()),
    }
}

fn unknown_scheme() -> StoreError {
    StoreError::Failed("a database URL begins with sqlite: or postgres:".into())
}

/// Refuses a database whose tables are not exactly those of this version.
fn compare_migrations(migrator: &sqlx::migrate::Migrator, applied: &[(i64, Vec<u8>)]) -> Result<(), StoreError> {
    let known: Vec<_> = migrator.iter().filter(|m| m.migration_type.is_up_migration()).collect();
    for migration in &known {
        match applied.iter().find(|(version, _)| *version == migration.version) {
            Some((_, checksum)) if **checksum == *migration.checksum => {}
            Some(_) => return Err(StoreError::Failed(format!("migration {} was altered", migration.version))),
            None => return Err(StoreError::Failed("the database is not up to date: run `eile migrate` first".into())),
        }
    }
    match applied.iter().find(|(version, _)| known.iter().all(|m| m.version != *version)) {
        Some((version, _)) => {
            Err(StoreError::Failed(format!("the database is newer than this program: it has migration {version}")))
        }
        None => Ok(()),
    }
}
