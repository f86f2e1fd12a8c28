//! The whole service, assembled: store, desk, handlers, server, operators' port. `eile serve` runs one, and
//! so does the demo, under a clock of its own.

use crate::access_log::{self, AccessLog};
use crate::api::server::{self, Drained, Listening, Running, ServerOptions, Serving};
use crate::api::{Api, FILE_DESCRIPTOR_SET, Metrics, WatchOptions};
use crate::clock::Clock;
use crate::config::{Config, Database};
use crate::desk::{Desk, DeskOptions};
use crate::feed::FeedOptions;
use crate::keys::Keys;
use crate::model::time::{Span, Timestamp};
use crate::oidc::Users;
use crate::privacy::{Ledger, Privacy, keep_rules};
use crate::report::keep_ahead;
use crate::storage::{self, Store};
use crate::telemetry::{self, DeskMeters, Health, Operators};
use crate::tls::Tls;
use anyhow::Context;
use prometheus_client::registry::Registry;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// A service that runs.
pub struct Service {
    running: Running,
    desk: Desk,
    access_log: AccessLog,
    health: Health,
    operators: Option<Operators>,
    look: JoinHandle<()>,
    engine: String,
    access_keys: Option<usize>,
    tls: Option<Tls>,
    issuer: Option<String>,
    events: u64,
    notice: Duration,
    bound: Duration,
}

impl Service {
    /// Opens everything and takes calls. What can fail early is done first: the addresses are taken and
    /// certificates read before the database is touched.
    pub async fn start(config: &Config, clock: Arc<dyn Clock>) -> anyhow::Result<Self> {
        let listener = listen(config.listen).await?;
        let operators = match config.metrics.address() {
            Some(address) => Some(listen(address).await?),
            None => None,
        };
        let mut registry = telemetry::registry();
        let tls = match config.tls.files() {
            Some(files) => Some(Tls::open(files, Arc::clone(&clock), &mut registry).context("no TLS")?),
            None => None,
        };
        let store = open_store(config).await?;
        let keys = Keys::new(store.secret().await?);
        let has_keys = live_keys(store.as_ref(), clock.now()).await?.is_some();
        let users = users(config, &keys).await?;
        let issuer = users.as_ref().map(|users| users.issuer().to_owned());
        must_not_be_open(config, has_keys || users.is_some())?;
        let engine = store.engine().await?;
        let events = store.count_events().await?;
        let meters = Arc::new(DeskMeters::new(&mut registry));
        let desk = Desk::open_observed(store, Arc::clone(&clock), keys, desk_options(config), Some(meters));
        telemetry::show_lines(&desk, &mut registry);
        let listening = Listening { tcp: listener, tls: tls.clone() };
        let privacy = privacy(&desk, config).await?;
        let access_keys = live_keys(desk.store().as_ref(), clock.now()).await?;
        let metrics = Metrics::default();
        let measured = (&mut registry, metrics.clone());
        let (running, access_log) = serve(listening, (&desk, privacy), config, users, measured).await?;
        let registry = Arc::new(registry);
        metrics.set(Arc::clone(&registry));
        let health = Health::default();
        let operators = operators.map(|listener| Operators::open(listener, registry, health.clone())).transpose()?;
        running.serving().tell(true).await;
        health.set_ready(true);
        let look = tokio::spawn(look_at(Arc::clone(desk.store()), running.serving().clone(), health.clone()));
        let notice = Duration::from_secs(config.limits.drain_notice_seconds);
        let bound = Duration::from_secs(config.limits.drain_timeout_seconds);
        Ok(Self {
            running,
            desk,
            access_log,
            health,
            operators,
            look,
            engine,
            access_keys,
            tls,
            issuer,
            events,
            notice,
            bound,
        })
    }

    pub fn address(&self) -> SocketAddr {
        self.running.address()
    }

    /// Where operators look, if anywhere.
    pub fn operators(&self) -> Option<SocketAddr> {
        self.operators.as_ref().map(Operators::address)
    }

    /// What kind of database it is, and its version.
    pub fn engine(&self) -> &str {
        &self.engine
    }

    /// How many access keys let somebody in when it started; where none was ever made, everybody who reaches it is
    /// trusted.
    pub fn access_keys(&self) -> Option<usize> {
        self.access_keys
    }

    /// TLS, where it is spoken.
    pub fn tls(&self) -> Option<&Tls> {
        self.tls.as_ref()
    }

    /// Who signs people in, if anybody does: then nobody is trusted who shows nothing.
    pub fn issuer(&self) -> Option<&str> {
        self.issuer.as_deref()
    }

    /// How many events there were when it started.
    pub fn events(&self) -> u64 {
        self.events
    }

    pub fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Leaves in order, within the bound: takes nobody in any more, ends the calls in work, serves who is
    /// inside at the desk, and closes the database.
    pub async fn drain(self) -> Drained {
        self.look.abort();
        let _ = self.look.await;
        self.health.set_ready(false);
        let drained = self.running.drain(self.notice, self.bound).await;
        if tokio::time::timeout(self.bound, self.access_log.close()).await.is_err() {
            tracing::error!("the access log was not written to its end in time");
        }
        if tokio::time::timeout(self.bound, self.desk.drain()).await.is_err() {
            tracing::error!("the desk did not end in time");
            return Drained::Cut;
        }
        self.desk.store().close().await;
        drained
    }
}

/// Access keys that let somebody in; nothing where none was ever made.
async fn live_keys(store: &dyn Store, now: Timestamp) -> anyhow::Result<Option<usize>> {
    const CHUNK: u32 = 1_000;
    let (mut live, mut after) = (0, None::<String>);
    loop {
        let page = store.list_access_keys(after.as_deref(), CHUNK).await?;
        if page.is_empty() && after.is_none() {
            return Ok(None);
        }
        live += page.iter().filter(|key| key.is_live(now)).count();
        after = page.last().map(|key| key.id.clone());
        if page.len() < CHUNK as usize {
            return Ok(Some(live));
        }
    }
}

/// Refuses to take calls from elsewhere where nobody is asked who they are. Behind a proxy a loopback address is open to
/// whoever reaches the proxy.
fn must_not_be_open(config: &Config, asks: bool) -> anyhow::Result<()> {
    anyhow::ensure!(
        asks || (config.listen.ip().is_loopback() && !config.behind_proxy),
        "there is no access key, nobody signs in, and {} is reached from elsewhere: anybody could do anything; \
         `eile admin-key` makes the first key",
        config.listen
    );
    Ok(())
}

/// The people who sign in, where the settings name who signs their tokens.
async fn users(config: &Config, keys: &Keys) -> anyhow::Result<Option<Arc<Users>>> {
    let Some(options) = config.oidc.options().map_err(anyhow::Error::msg)? else { return Ok(None) };
    let users = Users::open(options, keys.clone()).await.context("people cannot sign in (oidc)")?;
    Ok(Some(Arc::new(users)))
}

/// How often the database is asked whether it answers, and how long it may take.
const LOOK_EVERY: Duration = Duration::from_secs(2);
const LOOK_TIME: Duration = Duration::from_secs(3);

/// Says NOT_SERVING while the database does not answer: what cannot be kept must not be sent here.
async fn look_at(store: Arc<dyn Store>, serving: Serving, health: Health) {
    let mut was = true;
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let is = matches!(tokio::time::timeout(LOOK_TIME, store.ping()).await, Ok(Ok(())));
        if is != was {
            match is {
                true => tracing::info!("the database answers again"),
                false => tracing::warn!("the database does not answer: not ready"),
            }
            health.set_ready(is);
            serving.tell(is).await;
            was = is;
        }
    }
}

async fn listen(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on {address}"))
}

const ONCE_A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// The rules for personal data, and the ledger: what it says was done is done again before anybody is served.
async fn privacy(desk: &Desk, config: &Config) -> anyhow::Result<Privacy> {
    let privacy = Privacy::new(desk.clone(), config.retention.rules());
    if config.privacy.ledger_file.is_empty() {
        return Ok(privacy);
    }
    let path = Path::new(&config.privacy.ledger_file);
    let ledger = Ledger::open(path).with_context(|| format!("cannot read the ledger {}", path.display()))?;
    let privacy = privacy.with_ledger(Arc::new(ledger));
    let again = privacy.replay().await.context("cannot erase and revoke again what the ledger says")?;
    if again.erased > 0 {
        tracing::warn!(
            registrations = again.erased,
            "the database had personal data that were erased: they are erased again"
        );
    }
    if again.revoked > 0 {
        tracing::warn!(keys = again.revoked, "access keys that were revoked let in: they are revoked again");
    }
    Ok(privacy)
}

/// The handlers behind their server.
async fn serve(
    listening: Listening,
    (desk, privacy): (&Desk, Privacy),
    config: &Config,
    users: Option<Arc<Users>>,
    (registry, metrics): (&mut Registry, Metrics),
) -> anyhow::Result<(Running, AccessLog)> {
    let drain = CancellationToken::new();
    let feed = FeedOptions { keep: Span::hours(24 * i64::from(config.feed.keep_days)), ..FeedOptions::default() };
    let api = Api::new(desk.clone(), WatchOptions::default(), drain.clone())
        .with_feed(feed)
        .with_small_cell(config.reports.small_cell)
        .with_metrics(metrics)
        .with_privacy(privacy.clone());
    let api = match users {
        Some(users) => api.with_users(users),
        None => api,
    };
    if config.retention.automatic {
        tokio::spawn(keep_rules(privacy, ONCE_A_DAY, drain.clone()));
    }
    tokio::spawn(keep_ahead(api.reports().clone(), drain.clone()));
    let kept = Span::hours(24 * i64::from(config.access_log.keep_days));
    tokio::spawn(access_log::keep(Arc::clone(desk.store()), Arc::clone(desk.clock()), kept, drain.clone()));
    let options = server_options(config);
    let running = server::start(listening, api.routes(), FILE_DESCRIPTOR_SET, &options, registry, drain).await?;
    Ok((running, api.access_log().clone()))
}

/// Opens the database that the settings name.
pub async fn open_store(config: &Config) -> anyhow::Result<Arc<dyn Store>> {
    if config.migrate {
        make_folder(&config.database)?;
    }
    let options = storage::Options {
        migrate: config.migrate,
        writers: u32::try_from(config.desk.lines).unwrap_or(u32::MAX),
        readers: config.pool.readers,
        patience: Duration::from_secs(config.pool.patience_seconds),
    };
    let opened = storage::open(&url(&config.database), options).await;
    opened.with_context(|| format!("cannot open the database {}", config.database))
}

/// The folder of a database file, made where there is none.
pub(super) fn make_folder(database: &Database) -> anyhow::Result<()> {
    let Database::Sqlite(path) = database else { return Ok(()) };
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => {
            private_folder().create(folder).with_context(|| format!("cannot make the folder {}", folder.display()))
        }
        None => Ok(()),
    }
}

/// Names and contacts come to stand in it: a new folder is for whoever runs the service alone.
fn private_folder() -> std::fs::DirBuilder {
    let mut folder = std::fs::DirBuilder::new();
    folder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut folder, 0o700);
    folder
}

/// The address as storage takes it. It may hold a password: for opening only.
pub(super) fn url(database: &Database) -> String {
    match database {
        Database::Sqlite(path) => format!("sqlite:{}", path.display()),
        Database::Postgres(address) => address.expose().to_owned(),
    }
}

fn desk_options(config: &Config) -> DeskOptions {
    let shared = matches!(config.database, Database::Postgres(_));
    let desk = &config.desk;
    DeskOptions {
        lines: if shared { desk.lines } else { 1 },
        shared,
        batch_max: desk.batch_max,
        queue_max: desk.queue_max,
        cache_max: desk.cache_max,
        sweep_every: Duration::from_millis(desk.sweep_every_ms),
    }
}

fn server_options(config: &Config) -> ServerOptions {
    let limits = &config.limits;
    ServerOptions {
        deadline_max: Duration::from_millis(limits.deadline_max_ms),
        concurrency_max: limits.concurrency_max,
        connections_max: limits.connections_max,
        connections_per_address_max: limits.connections_per_address_max,
        streams_per_connection_max: limits.streams_per_connection_max,
        calls_per_address_max: limits.calls_per_address_max,
        streams_max: limits.streams_max,
        calls_per_second: limits.calls_per_second,
        arriving_bytes_max: limits.arriving_mib_max << 20,
        idle: Duration::from_secs(limits.idle_seconds),
        cors_origins: config.web.cors_origins.clone(),
        ..ServerOptions::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_settings_defaults_are_the_servers() {
        assert_eq!(server_options(&Config::default()), ServerOptions::default());
    }
}
