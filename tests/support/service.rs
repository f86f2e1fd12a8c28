//! The whole service inside a test, assembled as `eile serve` assembles it, on an ephemeral loopback port, under a
//! clock that the test moves. Several instances may share one PostgreSQL.
//!
//! A test ends with `finish`, which stops everything and then lets the audit recompute every event from its
//! journal and its rows; a service that is dropped without it fails the test.

use super::client::Client;
use super::{postgres, words};
use eile::admission::{Entry, Notice, notices};
use eile::cli;
use eile::clock::{Clock, ManualClock};
use eile::config::{self, Config};
use eile::keys::Keys;
use eile::model::id::EventId;
use eile::model::time::Timestamp;
use eile::storage::{Options, Store, Whole};
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Database {
    Sqlite,
    Postgres,
}

/// Runs each of these tests on both databases.
macro_rules! on_both_databases {
    ($($name:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[test] fn $name() { $crate::support::service::run(super::$name($crate::support::service::Database::Sqlite)); })+
        }
        mod on_postgres {
            $(#[test] fn $name() { $crate::support::service::run(super::$name($crate::support::service::Database::Postgres)); })+
        }
    };
}

/// Runs a test to its end, on a runtime of its own.
pub fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_secs(120), test).await.expect("the test takes too long");
    });
}

/// The service under test.
pub struct Service {
    pub clock: Arc<ManualClock>,
    pub keys: Keys,
    database: Database,
    url: String,
    instances: Vec<cli::Service>,
    finished: bool,
    _folder: Option<tempfile::TempDir>,
}

impl Service {
    /// Starts on an empty database at this wall-clock time in Vilnius; the centre `elk` exists.
    pub async fn start(database: Database, local: &str) -> Self {
        let (url, folder) = match database {
            Database::Postgres => (postgres::shared().database(), None),
            Database::Sqlite => {
                let folder = tempfile::tempdir().unwrap();
                (format!("sqlite:{}", folder.path().join("eile.db").display()), Some(folder))
            }
        };
        let clock = Arc::new(ManualClock::at(words::vilnius(local)));
        let first = open(&url, &clock).await;
        let keys = first.desk().keys().clone();
        let service = Self { clock, keys, database, url, instances: vec![first], finished: false, _folder: folder };
        service.client().await.open_centre("elk", "Elektrėnų šeimos ir vaiko gerovės centras", "42").await.unwrap();
        service
    }

    /// Starts one more instance on the same PostgreSQL.
    pub async fn add_instance(&mut self) {
        assert_eq!(self.database, Database::Postgres, "the file has one owner");
        self.instances.push(open(&self.url, &self.clock).await);
    }

    /// A new connection to the first instance.
    pub async fn client(&self) -> Client {
        self.client_of(0).await
    }

    /// Where the first instance takes calls.
    pub fn address(&self) -> std::net::SocketAddr {
        self.instances[0].address()
    }

    /// A new connection to that instance.
    pub async fn client_of(&self, instance: usize) -> Client {
        Client::connect(self.instances[instance].address()).await
    }

    pub fn instances(&self) -> usize {
        self.instances.len()
    }

    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Moves the clock to a wall-clock time in Vilnius and does what is due then.
    pub async fn move_to(&self, local: &str) {
        self.clock.move_to(words::vilnius(local));
        self.sweep().await;
    }

    /// Every instance sweeps, all at once.
    pub async fn sweep(&self) {
        futures_util::future::join_all(self.instances.iter().map(|i| i.desk().sweep_now())).await;
    }

    /// Waits until it is so; some seconds at most.
    pub async fn until<F: Future<Output = bool>>(&self, mut is_so: impl FnMut() -> F) {
        let patience = Instant::now() + Duration::from_secs(10);
        while !is_so().await {
            assert!(Instant::now() < patience, "it did not come about");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Stops every instance and starts one on the same data.
    pub async fn restart(&mut self) {
        for instance in self.instances.drain(..) {
            instance.drain().await;
        }
        self.instances.push(open(&self.url, &self.clock).await);
    }

    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(self.instances[0].desk().store())
    }

    /// The journal of an event, as it is stored.
    pub async fn journal(&self, event: &str) -> Vec<Entry> {
        self.store().journal(event_id(event), 1, 100_000).await.unwrap()
    }

    /// What is owed to the parties of an event so far.
    pub async fn notices(&self, event: &str) -> Vec<Notice> {
        self.journal(event).await.iter().flat_map(notices).collect()
    }

    /// Everything that is stored of an event.
    pub async fn whole(&self, event: &str) -> Whole {
        self.store().whole(event_id(event)).await.unwrap().unwrap()
    }

    /// Stops, and fails the test where the audit finds a difference.
    pub async fn finish(self) {
        let found = self.stop_and_audit().await;
        assert!(found.is_empty(), "what is stored does not agree with what happened:\n{}", found.join("\n"));
    }

    /// Stops, and tells what the audit found.
    pub async fn stop_and_audit(mut self) -> Vec<String> {
        self.finished = true;
        for instance in self.instances.drain(..) {
            instance.drain().await;
        }
        let store = open_again(&self.url).await;
        let mut found = Vec::new();
        let tell = |checked: &eile::audit::Checked| {
            found.extend(checked.differences.iter().map(|d| format!("{}: {d}", checked.event.0)));
        };
        let summary = eile::audit::check_all(store.as_ref(), tell).await.unwrap();
        assert_eq!(summary.is_clean(), found.is_empty());
        store.close().await;
        found
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if !self.finished && !std::thread::panicking() {
            panic!("a test ends with `finish`, so that what it left behind is audited");
        }
    }
}

/// An instance on this database.
async fn open(url: &str, clock: &Arc<ManualClock>) -> cli::Service {
    let config = Config {
        listen: ([127, 0, 0, 1], 0).into(),
        database: config::Database::parse(url).unwrap(),
        desk: config::Desk { sweep_every_ms: 200, ..Default::default() },
        limits: config::Limits { drain_timeout_seconds: 2, ..Default::default() },
        ..Default::default()
    };
    config.check().unwrap();
    cli::Service::start(&config, Arc::clone(clock) as Arc<dyn Clock>).await.unwrap()
}

/// Opens what was just closed. A process that another test starts at that moment has the file's lock too, until it has
/// become another program: some milliseconds.
async fn open_again(url: &str) -> Arc<dyn Store> {
    let patience = Instant::now() + Duration::from_secs(5);
    loop {
        match eile::storage::open(url, Options::default()).await {
            Err(_) if Instant::now() < patience => tokio::time::sleep(Duration::from_millis(50)).await,
            opened => return opened.unwrap(),
        }
    }
}

/// The id in the name of an event or of one of its registrations.
pub fn event_id(name: &str) -> EventId {
    EventId(name.split('/').nth(1).unwrap().parse().unwrap())
}
