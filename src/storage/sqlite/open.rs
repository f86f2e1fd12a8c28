//! Opening and closing: the settings on which durability rests are set, read back on every connection, and
//! the file is brought to rest before anybody is served.
//!
//! WAL with `synchronous = full` lost nothing in power cuts; every other combination did. A row that a
//! killed process wrote can be read from the page cache although a power cut would still take it; the
//! checkpoint at start closes that hole. A lock file keeps a second process out.

use super::SqliteStore;
use super::errors::failed;
use super::feed;
use super::transact::Writer;
use crate::storage::Options;
use crate::storage::StoreError;
use sqlx::migrate::Migrator;
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, SqliteConnection, SqlitePool};
use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::Mutex;
use std::time::Duration;

static MIGRATOR: Migrator = sqlx::migrate!("migrations/sqlite");

/// SQLite before this version can corrupt a WAL that two connections write back.
const VERSION_MIN: (u32, u32, u32) = (3, 51, 3);

impl SqliteStore {
    pub async fn open(url: &str, options: Options) -> Result<Self, StoreError> {
        let (file, lock) = take(url, options.migrate).await?;
        prepare(&file, options.migrate).await?;
        let writer = pool(1).connect_with(file.clone()).await.map_err(failed)?;
        let readers = pool(options.readers.max(1));
        let readers = readers.connect_with(file.read_only(true)).await.map_err(failed)?;
        let latest = feed::latest(&readers).await?;
        Ok(Self { writer: Writer::new(writer, latest), readers, lock: Mutex::new(Some(lock)) })
    }
}

/// Brings the tables up to date.
pub(in crate::storage) async fn migrate(url: &str) -> Result<(), StoreError> {
    let (file, _lock) = take(url, true).await?;
    prepare(&file, true).await
}

/// Says whose file it is: "Eile".
const APPLICATION_ID: i64 = 0x4569_6c65;

/// The file, under the one path that it really has, and its lock. Nothing is made beside a file that is not there, and
/// nothing is changed in one that is somebody else's.
async fn take(url: &str, make: bool) -> Result<(SqliteConnectOptions, File), StoreError> {
    let named = connect_options(url)?;
    let path = real_path(named.get_filename(), make)?;
    let lock = lock(&path)?;
    check_owner(&path).await?;
    Ok((named.filename(path).create_if_missing(false), lock))
}

/// Two names of one file must meet at one lock and one WAL: links are followed to where they lead.
pub(super) fn real_path(database: &Path, make: bool) -> Result<PathBuf, StoreError> {
    if make {
        let cannot = |e| StoreError::Unavailable(format!("the database file cannot be made: {e}"));
        for_us_alone(File::options().append(true).create(true)).open(database).map_err(cannot)?;
    }
    let absent = |e| StoreError::Unavailable(format!("there is no such database file: {e}"));
    let path = database.canonicalize().map_err(absent)?;
    match links(&path).map_err(absent)? {
        0 | 1 => Ok(path),
        n => Err(StoreError::Failed(format!("the file has {n} names (hard links): SQLite needs it to have one"))),
    }
}

/// Names and contacts stand in it: whoever runs the service reads it, and nobody else. The WAL gets the same rights.
#[cfg(unix)]
pub(super) fn for_us_alone(options: &mut OpenOptions) -> &mut OpenOptions {
    use std::os::unix::fs::OpenOptionsExt;
    options.mode(0o600)
}

#[cfg(not(unix))]
pub(super) fn for_us_alone(options: &mut OpenOptions) -> &mut OpenOptions {
    options
}

#[cfg(unix)]
fn links(path: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    path.metadata().map(|data| data.nlink())
}

#[cfg(not(unix))]
fn links(path: &Path) -> std::io::Result<u64> {
    path.metadata().map(|_| 1)
}

/// Refuses a file that is no database of this program, before any setting is written to it.
async fn check_owner(path: &Path) -> Result<(), StoreError> {
    let foreign = || StoreError::Failed("the file is not a database of this program; nothing was changed in it".into());
    let plain = SqliteConnectOptions::new().filename(path).busy_timeout(Duration::from_secs(5));
    let mut connection = plain.connect().await.map_err(|_| foreign())?;
    let found: Result<(i64, i64), _> = sqlx::query_as(
        "-- owner
        select a.application_id, (select count(*) from sqlite_schema)
        from pragma_application_id as a",
    )
    .fetch_one(&mut connection)
    .await;
    connection.close().await.map_err(failed)?;
    match found {
        Ok((APPLICATION_ID, _) | (0, 0)) => Ok(()),
        Ok(_) => Err(foreign()),
        // What is no SQLite file at all, for one.
        Err(error) => Err(if error.as_database_error().is_some() { foreign() } else { failed(error) }),
    }
}

pub(super) fn connect_options(url: &str) -> Result<SqliteConnectOptions, StoreError> {
    let options = SqliteConnectOptions::from_str(url)
        .map_err(|_| StoreError::Failed("a SQLite URL looks like sqlite:path/to/file".into()))?;
    if url.contains(":memory:") || url.contains("mode=memory") {
        return Err(StoreError::Failed("a database in memory keeps nothing; name a file".into()));
    }
    Ok(options
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(Duration::from_secs(5))
        .pragma("trusted_schema", "off")
        .pragma("cell_size_check", "on")
        .pragma("mmap_size", "0")
        .pragma("secure_delete", "on")
        .pragma("temp_store", "memory")
        .pragma("wal_autocheckpoint", "16000")
        .pragma("cache_size", "-16000")
        .row_buffer_size(512)
        .statement_cache_capacity(200))
}

/// A pool whose connections live as long as it does.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .min_connections(connections)
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        .acquire_timeout(Duration::from_secs(10))
        .test_before_acquire(false)
        .after_connect(|connection, _| Box::pin(read_back(connection)))
}

/// Takes the lock file beside the database, for as long as the returned file lives.
fn lock(database: &Path) -> Result<File, StoreError> {
    let mut path = database.as_os_str().to_owned();
    path.push(".lock");
    let cannot = |e: std::io::Error| StoreError::Unavailable(format!("the lock file cannot be opened: {e}"));
    let file = for_us_alone(File::options().create(true).truncate(false).write(true)).open(&path).map_err(cannot)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::Unavailable("another process has this database open; stop it first".into()))
        }
        Err(TryLockError::Error(e)) => Err(cannot(e)),
    }
}

/// On a connection of its own, before any other is opened: version, tables, the WAL written back, the
/// folder's entry of the file on disk.
async fn prepare(file: &SqliteConnectOptions, migrate: bool) -> Result<(), StoreError> {
    let mut connection = file.connect().await.map_err(failed)?;
    check_version(&mut connection).await?;
    read_back(&mut connection).await.map_err(failed)?;
    if migrate {
        sqlx::query(
            "-- own
            pragma application_id = 1164536933",
        )
        .execute(&mut connection)
        .await
        .map_err(failed)?;
        MIGRATOR
            .run_direct(None, &mut connection, false)
            .await
            .map_err(|e| StoreError::Failed(format!("migration: {e}")))?;
    } else {
        check_migrations(&mut connection).await?;
    }
    write_back(&mut connection).await?;
    connection.close().await.map_err(failed)?;
    sync_folder(file.get_filename())
}

async fn check_version(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let text: String = sqlx::query_scalar(
        "-- sqlite_version
        select sqlite_version()",
    )
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    if is_sound(&text) {
        return Ok(());
    }
    Err(StoreError::Failed(format!("SQLite {text} can corrupt a WAL; 3.51.3 or later is needed")))
}

fn is_sound(version: &str) -> bool {
    let mut parts = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || parts.next().unwrap_or(0);
    (next(), next(), next()) >= VERSION_MIN
}

/// Reads back the settings on which durability rests.
async fn read_back(connection: &mut SqliteConnection) -> Result<(), sqlx::Error> {
    let (journal, synchronous, keys): (String, i64, i64) = sqlx::query_as(
        "-- read_back
        select j.journal_mode, s.synchronous, k.foreign_keys
        from pragma_journal_mode as j, pragma_synchronous as s, pragma_foreign_keys as k",
    )
    .fetch_one(connection)
    .await?;
    if journal == "wal" && synchronous == 2 && keys == 1 {
        return Ok(());
    }
    let found = format!("journal_mode {journal}, synchronous {synchronous}, foreign_keys {keys}");
    Err(sqlx::Error::Configuration(format!("the database does not keep what it is told: {found}").into()))
}

/// Refuses a database whose tables are not exactly those of this version.
async fn check_migrations(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let known: i64 = sqlx::query_scalar(
        "-- has_migrations
        select count(*)
        from sqlite_schema
        where name = '_sqlx_migrations'",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    let mut applied: Vec<(i64, Vec<u8>)> = Vec::new();
    if known == 1 {
        applied = sqlx::query_as(
            "-- applied_migrations
            select version, checksum
            from _sqlx_migrations
            where success
            order by version",
        )
        .fetch_all(connection)
        .await
        .map_err(failed)?;
    }
    crate::storage::compare_migrations(&MIGRATOR, &applied)
}

/// Writes the WAL back into the database and empties it.
async fn write_back(connection: &mut SqliteConnection) -> Result<(), StoreError> {
    let (busy, _, _): (i64, i64, i64) =
        sqlx::query_as("pragma wal_checkpoint(truncate)").fetch_one(connection).await.map_err(failed)?;
    if busy == 0 { Ok(()) } else { Err(StoreError::Unavailable("the WAL cannot be written back now".into())) }
}

/// Nothing that was overwritten stays in the file (`secure_delete`) or in the WAL, which still has the pages of before.
pub(super) async fn scrub(writer: &Writer) -> Result<(), StoreError> {
    write_back(&mut *writer.take().await?).await
}

/// A new file is safe only once its folder's entry is on disk too.
fn sync_folder(database: &Path) -> Result<(), StoreError> {
    let folder = match database.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)
        .and_then(|folder| folder.sync_all())
        .map_err(|e| StoreError::Unavailable(format!("the database's folder cannot be synced: {e}")))
}

pub(super) async fn engine(readers: &SqlitePool) -> Result<String, StoreError> {
    let version: String = sqlx::query_scalar(
        "-- engine
        select sqlite_version()",
    )
    .fetch_one(readers)
    .await
    .map_err(failed)?;
    Ok(format!("SQLite {version}"))
}

pub(super) async fn count_events(readers: &SqlitePool) -> Result<u64, StoreError> {
    let events: i64 = sqlx::query_scalar(
        "-- count_events
        select count(*)
        from events",
    )
    .fetch_one(readers)
    .await
    .map_err(failed)?;
    Ok(u64::try_from(events).unwrap_or(0))
}

pub(super) async fn ping(writer: &Writer, readers: &SqlitePool) -> Result<(), StoreError> {
    writer.check()?;
    let _: i64 = sqlx::query_scalar(
        "-- ping
        select 1",
    )
    .fetch_one(readers)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Lets the readers go, writes the WAL back, and closes.
pub(super) async fn close(writer: &Writer, readers: &SqlitePool) {
    readers.close().await;
    let written_back = match writer.pool().acquire().await {
        Ok(mut connection) => write_back(&mut connection).await,
        Err(e) => Err(failed(e)),
    };
    if let Err(error) = written_back {
        tracing::warn!(%error, "the WAL stays beside the database; the next start writes it back");
    }
    writer.pool().close().await;
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_connection_that_does_not_keep_the_settings_of_durability_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("eile.db").display());
        let sound = connect_options(&url).unwrap().create_if_missing(true);
        for weak in [
            sound.clone().synchronous(SqliteSynchronous::Normal),
            sound.clone().foreign_keys(false),
            sound.clone().journal_mode(SqliteJournalMode::Delete),
        ] {
            let mut connection = weak.connect().await.unwrap();
            assert!(read_back(&mut connection).await.is_err());
            connection.close().await.unwrap();
            let impatient = pool(1).acquire_timeout(Duration::from_millis(300));
            assert!(impatient.connect_with(weak).await.is_err());
        }
        for options in [sound.clone(), sound.read_only(true)] {
            let readers = pool(2).connect_with(options).await.unwrap();
            read_back(&mut readers.acquire().await.unwrap()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn nothing_is_written_after_a_commit_whose_outcome_is_not_known() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("eile.db").display());
        let store = SqliteStore::open(&url, Options::default()).await.unwrap();
        let transaction = store.writer.begin().await.unwrap();
        let lost: Result<(), _> = Err(StoreError::Unknown("the disk failed".into()));
        store.writer.finish(transaction, lost).await.unwrap_err();
        assert!(matches!(store.writer.begin().await, Err(StoreError::Unavailable(_))));
        assert!(matches!(ping(&store.writer, &store.readers).await, Err(StoreError::Unavailable(_))));
    }

    #[tokio::test]
    async fn the_bundled_version_is_sound() {
        let mut connection = SqliteConnection::connect("sqlite::memory:").await.unwrap();
        check_version(&mut connection).await.unwrap();
    }

    #[test]
    fn a_version_that_can_corrupt_a_wal_is_refused() {
        assert!(is_sound("3.51.3") && is_sound("3.52.0") && is_sound("4.0.0"));
        assert!(!is_sound("3.51.2") && !is_sound("3.40.1") && !is_sound("nonsense"));
    }
}
