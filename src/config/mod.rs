//! Settings: one struct per concern, each field with its unit and default. Where a value comes from
//! (defaults, file, environment, flags) is `sources`; what is refused at start is `check`.

mod check;
mod database;
mod oidc;
mod sources;

pub use database::{Database, Postgres};
pub use oidc::Oidc;
pub use sources::{Setting, load};

use crate::model::retention::Rules;
use crate::tls::Files;
use serde::{Deserialize, Serialize};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Every setting. `config.sample.toml` shows them all with their defaults.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where calls are taken. Anywhere but on loopback only with access keys or `oidc`, and over TLS or behind a proxy.
    pub listen: SocketAddr,
    /// Whether something in front of it does TLS, so that plain text may be spoken elsewhere than on loopback.
    pub behind_proxy: bool,
    /// A file for embedded SQLite, or a `postgres://` address.
    pub database: Database,
    /// Whether `serve` brings the database's schema up to date at start.
    pub migrate: bool,
    pub tls: Tls,
    pub limits: Limits,
    pub web: Web,
    pub log: Log,
    pub metrics: Metrics,
    pub desk: Desk,
    pub feed: Feed,
    pub access_log: AccessLog,
    pub pool: Pool,
    pub reports: Reports,
    pub oidc: Oidc,
    pub privacy: Privacy,
    pub retention: Retention,
}

/// TLS in the process. The files are read again when they change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tls {
    /// The certificate, and those between it and its authority, in PEM. Empty: plain text.
    pub certificate_file: String,
    /// Its private key, in PEM.
    pub key_file: String,
    /// Who vouches for certificates of clients, in PEM: an access key may name one. Empty: none are asked for.
    pub client_ca_file: String,
}

/// Bounds on what callers may use up.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// The longest that a call may take, in milliseconds; a caller may ask for less.
    pub deadline_max_ms: u64,
    /// Calls in work at once; more are told to come again. Open watches do not count.
    pub concurrency_max: usize,
    /// Connections at once; more wait to be accepted.
    pub connections_max: usize,
    /// Connections at once from one address (on IPv6, from one network of 64 bits); more are closed at once. Behind a
    /// proxy all callers have its address: give it as many as it opens. At least 1.
    pub connections_per_address_max: usize,
    /// Calls at once on one connection.
    pub streams_per_connection_max: u32,
    /// Calls of one address that are open at once, streams among them, so that none takes what is there for all; more
    /// are refused with TOO_MANY_CALLS. Behind a proxy all callers have its address. At least 1.
    pub calls_per_address_max: usize,
    /// Streams at once on this instance, whoever opened them; more are refused with TOO_MANY_STREAMS. Watches of the
    /// service's health are counted apart, up to the same number.
    pub streams_max: usize,
    /// Calls that one address may make in a second, as many at once after a pause; more are refused with
    /// TOO_MANY_CALLS. 0 for any number.
    pub calls_per_second: u32,
    /// Messages that have not come whole yet, together, in MiB; the calls that bring more are told to come again.
    pub arriving_mib_max: usize,
    /// How long, in seconds, a connection may stay without an open call before it is asked to go.
    pub idle_seconds: u64,
    /// How long, in seconds, calls in work may take to end when the service stops.
    pub drain_timeout_seconds: u64,
    /// How long, in seconds, the service reports that it is leaving before it takes no more connections,
    /// so that a load balancer can look elsewhere. May be 0.
    pub drain_notice_seconds: u64,
}

/// Browsers.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Web {
    /// Web sites whose scripts may call by gRPC-Web, such as `https://sign-up.example.org`. Empty: none.
    pub cors_origins: Vec<String>,
}

/// The log, on standard error.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Log {
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`; also per room, as in `info,eile::api=debug`.
    pub level: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    Human,
    Json,
}

/// The port for operators: `/metrics`, `/livez`, `/readyz`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Metrics {
    /// A loopback address, such as `127.0.0.1:9464`. Empty: no such port.
    pub listen: String,
}

/// The desk: how sign-ups are gathered and decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Desk {
    /// Transactions at once on PostgreSQL. SQLite has one writer whatever this says.
    pub lines: usize,
    /// Most commands in one transaction.
    pub batch_max: usize,
    /// Most commands that wait in one line; more are told to come again.
    pub queue_max: usize,
    /// Most registrations kept in memory.
    pub cache_max: usize,
    /// How often, in milliseconds, deadlines and releases are looked for.
    pub sweep_every_ms: u64,
}

/// The change feed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Feed {
    /// How long, in days, the feed can be read back; older cursors are told as expired.
    pub keep_days: u32,
}

/// Who read personal data and who decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessLog {
    /// How long, in days, a row is kept.
    pub keep_days: u32,
}

/// Figures for reporting jobs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reports {
    /// Counts from 1 up to this number less one are not shown to reporting jobs, nor is the row that they stand in;
    /// 5 to 1000.
    pub small_cell: u64,
}

/// What of personal data must outlive the database.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Privacy {
    /// The ledger: a file of erasures and of revoked access keys, ids only, which is replayed at start, before anybody is
    /// served: so that a restored backup forgets again what it had forgotten, and lets in nobody who was shut out. Keep it
    /// outside the backups of the database. Empty: none.
    pub ledger_file: String,
}

/// How long personal data are kept, in days after the end of the event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Retention {
    /// Whether the service erases by itself, once a day, what has run out. Otherwise somebody calls `eile retention apply`.
    pub automatic: bool,
    /// Everything of parties that never took part.
    pub unseated_days: u32,
    /// Contact, answers and wishes of those who took part.
    pub contact_days: u32,
    /// Names of those who took part.
    pub participant_days: u32,
    /// The same at events of a project, whose grant must be accounted for.
    pub project_days: u32,
}

/// Connections to the database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Pool {
    /// Connections for reading. Writing has its own: one on SQLite, one per line of the desk on PostgreSQL.
    pub readers: u32,
    /// How long, in seconds, PostgreSQL may take for one statement; a quarter longer, and a connection that says
    /// nothing is given up. 1 to 600. Nothing on SQLite.
    pub patience_seconds: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 7443)),
            behind_proxy: false,
            database: Database::default(),
            migrate: true,
            tls: Tls::default(),
            limits: Limits::default(),
            web: Web::default(),
            log: Log::default(),
            metrics: Metrics::default(),
            desk: Desk::default(),
            feed: Feed::default(),
            access_log: AccessLog::default(),
            pool: Pool::default(),
            reports: Reports::default(),
            oidc: Oidc::default(),
            privacy: Privacy::default(),
            retention: Retention::default(),
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            deadline_max_ms: 30_000,
            concurrency_max: 8_192,
            connections_max: 2_000,
            connections_per_address_max: 200,
            streams_per_connection_max: 256,
            calls_per_address_max: 4_000,
            streams_max: 10_000,
            calls_per_second: 0,
            arriving_mib_max: 64,
            idle_seconds: 300,
            drain_timeout_seconds: 20,
            drain_notice_seconds: 0,
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { format: LogFormat::Human, level: "info".to_owned() }
    }
}

impl Default for Desk {
    fn default() -> Self {
        Self { lines: 2, batch_max: 1_024, queue_max: 8_192, cache_max: 400_000, sweep_every_ms: 1_000 }
    }
}

impl Default for Feed {
    fn default() -> Self {
        Self { keep_days: 400 }
    }
}

impl Default for AccessLog {
    fn default() -> Self {
        Self { keep_days: 365 }
    }
}

impl Default for Reports {
    fn default() -> Self {
        Self { small_cell: 5 }
    }
}

impl Default for Retention {
    fn default() -> Self {
        let Rules { unseated_days, contact_days, participant_days, project_days } = Rules::default();
        Self { automatic: false, unseated_days, contact_days, participant_days, project_days }
    }
}

impl Retention {
    pub fn rules(&self) -> Rules {
        let Self { automatic: _, unseated_days, contact_days, participant_days, project_days } = *self;
        Rules { unseated_days, contact_days, participant_days, project_days }
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self { readers: 4, patience_seconds: 20 }
    }
}

impl Tls {
    /// The files, where TLS is spoken.
    pub fn files(&self) -> Option<Files> {
        let path = |text: &str| Some(PathBuf::from(text)).filter(|path| !path.as_os_str().is_empty());
        let (certificate, key) = path(&self.certificate_file).zip(path(&self.key_file))?;
        Some(Files { certificate, key, client_ca: path(&self.client_ca_file) })
    }
}

impl Metrics {
    /// The address, where there is one. `check` has seen that it is one.
    pub fn address(&self) -> Option<SocketAddr> {
        self.listen.parse().ok()
    }
}

/// Why the service does not start: one line that says which setting, from where, and what is wrong.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    #[error("cannot read the settings file {path}: {why}")]
    Unreadable { path: String, why: std::io::Error },
    #[error("the settings file {path} is not TOML: {why}")]
    Syntax { path: String, why: String },
    #[error("there is no setting {name} ({from}); config.sample.toml lists them all")]
    Unknown { name: String, from: String },
    #[error("setting {name} ({from}) must be {expected}")]
    WrongType { name: String, from: String, expected: &'static str },
    #[error("{0}")]
    Refused(String),
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn the_sample_file_shows_every_setting_with_its_default() {
        let text = include_str!("../../config.sample.toml");
        let sample: toml::Table = text.parse().unwrap();
        let defaults = toml::Table::try_from(Config::default()).unwrap();
        assert_eq!(sample, defaults);
        assert_eq!(sample.try_into::<Config>().unwrap(), Config::default());
    }

    #[test]
    fn the_defaults_pass_the_checks() {
        Config::default().check().unwrap();
    }
}
