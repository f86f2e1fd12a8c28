//! Opening and closing: every connection is told what durability and what patience it owes.
//!
//! A plan that was made for an empty table reads the whole of it for ever after. All lookups here go by key,
//! so the connections are told to prefer an index always, and plans stay right while tables grow.

use super::PostgresStore;
use super::errors::failed;
use super::feed::Layer;
use super::held::{ACQUIRE, Connections, RESTED, ServerTime, Silence, WAKE};
use super::transact::Writer;
use super::wall::{self, Role, Wall};
use crate::storage::Options;
use crate::storage::StoreError;
use sqlx::migrate::Migrator;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions, PgSslMode};
use sqlx::{ConnectOptions, Connection, PgConnection};
use std::net::IpAddr;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

/// Differs from sqlite because several instances may start at once. sqlx would hold an advisory lock, which
/// not every engine of this family has; see `run_migrations`.
fn migrator() -> Migrator {
    let mut migrator = sqlx::migrate!("migrations/postgres");
    migrator.set_locking(false);
    migrator
}

impl PostgresStore {
    pub async fn open(url: &str, options: Options) -> Result<Self, StoreError> {
        let server = connect_options(url)?;
        let role = prepare(&server, options.migrate).await?;
        let server = server.options(patience(options.patience));
        let (silence, time) = (Silence::default(), ServerTime::default());
        let writers = pool(options.writers.max(1), silence.clone(), time.clone());
        let writers = writers.connect_with(server.clone().options(WRITER_SETTINGS)).await.map_err(failed)?;
        let readers = pool(options.readers.max(1), silence.clone(), time.clone());
        let readers = readers.connect_with(server.options(READER_SETTINGS)).await.map_err(failed)?;
        let [writers, readers] =
            [writers, readers].map(|pool| Connections::new(pool, options.patience, silence.clone(), time.clone()));
        let layer = Arc::new(Layer::new(&readers));
        let wall = Wall::new(&readers, role);
        Ok(Self { writer: Writer::new(writers), readers, wall, layer })
    }
}

/// Brings the tables up to date.
pub(in crate::storage) async fn migrate(url: &str) -> Result<(), StoreError> {
    prepare(&connect_options(url)?, true).await.map(|_| ())
}

fn connect_options(url: &str) -> Result<PgConnectOptions, StoreError> {
    let options = PgConnectOptions::from_str(url)
        .map_err(|_| StoreError::Failed("a PostgreSQL URL looks like postgres://user@host/database".into()))?;
    if !is_kept_private(&options) {
        return Err(StoreError::Failed(NOT_PRIVATE.into()));
    }
    Ok(options.application_name("eile").statement_cache_capacity(200).options(SETTINGS))
}

const NOT_PRIVATE: &str = "the database is on another machine, and names of people go there: add ?sslmode=verify-full (and \
     &sslrootcert=FILE where the system does not trust its certificate) to its URL, or ?sslmode=disable where nobody else is on \
     that network";

/// Whether what is sent stays on this machine, or the URL says how it goes. A wish for TLS that gives way (`prefer`, which is
/// what a URL means that says nothing) is none: whoever stands between may refuse it.
fn is_kept_private(options: &PgConnectOptions) -> bool {
    let host = options.get_host();
    let is_here = host.parse().map_or(host == "localhost" || host.starts_with('/'), |ip: IpAddr| ip.is_loopback());
    let gives_way = matches!(options.get_ssl_mode(), PgSslMode::Allow | PgSslMode::Prefer);
    is_here || options.get_socket().is_some() || !gives_way
}

/// Differs from sqlite because these are the server's to keep, per connection.
const SETTINGS: [(&str, &str); 1] = [("synchronous_commit", "on")];

/// The server bounds every wait; that it may fall silent itself, `held` knows.
fn patience(patience: Duration) -> [(&'static str, String); 3] {
    let bound = format!("{}ms", patience.as_millis());
    let lock = format!("{}ms", patience.min(LOCK_WAIT).as_millis());
    [("lock_timeout", lock), ("statement_timeout", bound.clone()), ("idle_in_transaction_session_timeout", bound)]
}

const LOCK_WAIT: Duration = Duration::from_secs(5);

/// The isolation is named here for what is a transaction of its own (`sign_ups::at_once`); a nested loop updates events in the
/// order in which they are named, so that two batches never wait for each other in a circle.
const WRITER_SETTINGS: [(&str, &str); 4] = [
    ("default_transaction_isolation", "read committed"),
    ("enable_seqscan", "off"),
    ("enable_hashjoin", "off"),
    ("enable_mergejoin", "off"),
];

/// Filters that are not asked for drop out of a plan only when it is made for the values at hand.
const READER_SETTINGS: [(&str, &str); 1] = [("plan_cache_mode", "force_custom_plan")];

/// A connection that rested is asked whether it still lives; one that is in use is not, because that would cost
/// each batch a round trip. A dead one fails before anything is written; a silent one costs one caller's patience, and
/// then all are asked.
fn pool(connections: u32, silence: Silence, time: ServerTime) -> PgPoolOptions {
    PgPoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .acquire_timeout(ACQUIRE)
        .test_before_acquire(false)
        .before_acquire(move |connection, state| {
            let asked = state.idle_for > RESTED || silence.is_later_than(state.idle_for);
            Box::pin(async move {
                if asked {
                    let word = tokio::time::timeout(WAKE, connection.ping()).await;
                    word.map_err(|_| sqlx::Error::PoolTimedOut)??;
                }
                Ok(true)
            })
        })
        .after_connect(move |connection, _| {
            let time = time.clone();
            Box::pin(async move { read_back(connection).await.map(|now| time.learn(now)) })
        })
}

/// On a connection of its own: the tables, and the wall before them.
async fn prepare(server: &PgConnectOptions, migrate: bool) -> Result<Role, StoreError> {
    let mut connection = server.connect().await.map_err(failed)?;
    read_back(&mut connection).await.map_err(failed)?;
    if migrate {
        run_migrations(&mut connection).await?;
    } else {
        check_migrations(&mut connection).await?;
    }
    let role = wall::find(&mut connection, migrate).await?;
    connection.close().await.map_err(failed)?;
    Ok(role)
}

/// Each migration is one transaction: whoever comes second fails on the first one's tables, and finds on the
/// next try that all is done.
async fn run_migrations(connection: &mut PgConnection) -> Result<(), StoreError> {
    let migrator = migrator();
    let mut tries = 1;
    loop {
        match migrator.run_direct(None, connection, false).await {
            Ok(()) => return Ok(()),
            Err(error) if tries == 5 => return Err(StoreError::Failed(format!("migration: {error}"))),
            Err(_) => tokio::time::sleep(Duration::from_millis(100 * tries)).await,
        }
        tries += 1;
    }
}

/// Reads back the setting on which durability rests, and that this server takes writes; and its time.
async fn read_back(connection: &mut PgConnection) -> Result<i64, sqlx::Error> {
    let (synchronous, standby, now): (String, bool, i64) = sqlx::query_as(
        "-- read_back
        select
          current_setting('synchronous_commit'),
          pg_is_in_recovery(),
          (extract(epoch from statement_timestamp()) * 1000000)::bigint",
    )
    .fetch_one(connection)
    .await?;
    if synchronous == "on" && !standby {
        return Ok(now);
    }
    let found = format!("synchronous_commit {synchronous}, in recovery {standby}");
    Err(sqlx::Error::Configuration(format!("the database does not keep what it is told: {found}").into()))
}

/// Refuses a database whose tables are not exactly those of this version.
async fn check_migrations(connection: &mut PgConnection) -> Result<(), StoreError> {
    let known: bool = sqlx::query_scalar(
        "-- has_migrations
        select to_regclass('_sqlx_migrations') is not null",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    let mut applied: Vec<(i64, Vec<u8>)> = Vec::new();
    if known {
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
    crate::storage::compare_migrations(&migrator(), &applied)
}

pub(super) async fn engine(readers: &Connections) -> Result<String, StoreError> {
    let version: String = sqlx::query_scalar(
        "-- engine
        select current_setting('server_version')",
    )
    .fetch_one(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    // Behind the version stands who packed it.
    Ok(format!("PostgreSQL {}", version.split(' ').next().unwrap_or_default()))
}

pub(super) async fn count_events(readers: &Connections) -> Result<u64, StoreError> {
    let events: i64 = sqlx::query_scalar(
        "-- count_events
        select count(*)
        from events",
    )
    .fetch_one(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    Ok(u64::try_from(events).unwrap_or(0))
}

pub(super) async fn ping(writer: &Writer, readers: &Connections) -> Result<(), StoreError> {
    writer.check()?;
    let _: i32 = sqlx::query_scalar(
        "-- ping
        select 1",
    )
    .fetch_one(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    Ok(())
}

/// Lets every connection go.
pub(super) async fn close(writer: &Writer, readers: &Connections) {
    readers.close().await;
    writer.connections().close().await;
}
