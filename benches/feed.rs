//! The change feed under the rush: does a follower keep up with sign-ups at full rate on one hot event, what does it
//! cost them, and what do a thousand followers take? In alternation within one run, on SQLite and on PostgreSQL.
//!
//! `cargo bench --bench feed`; `-- --rounds 3 --seconds 4 --followers 1000 --json FILE` as one likes, and `sqlite` or
//! `postgres` for one of them.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "rush/client.rs"]
#[allow(dead_code)]
mod client;
#[path = "../tests/support/postgres.rs"]
mod postgres;
#[path = "rush/servers.rs"]
#[allow(dead_code)]
mod servers;
#[path = "rush/stand_ins.rs"]
#[allow(dead_code)]
mod stand_ins;
#[path = "rush/table.rs"]
mod table;

use client::{Call, Client, make_event};
use eile::api::proto;
use eile::clock::{Clock, SystemClock};
use hdrhistogram::Histogram;
use proto::change_service_client::ChangeServiceClient;
use proto::registration_service_client::RegistrationServiceClient;
use servers::Server;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use table::Row;
use tonic::transport::Channel;
use uuid::Uuid;

/// Calls in flight in closed loop.
const IN_FLIGHT: usize = 1024;
/// Followers on one connection.
const PER_CONNECTION: usize = 50;

struct Settings {
    rounds: usize,
    lasts: Duration,
    followers: usize,
    json: Option<String>,
    only: Option<String>,
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(i) = args.iter().position(|a| a == "--serve") {
        runtime.block_on(servers::serve(&args[i + 1], &args[i + 2]));
        return;
    }
    let value = |name: &str| args.iter().position(|a| a == name).and_then(|i| args.get(i + 1));
    let settings = Settings {
        rounds: value("--rounds").and_then(|v| v.parse().ok()).unwrap_or(3),
        lasts: Duration::from_secs_f64(value("--seconds").and_then(|v| v.parse().ok()).unwrap_or(4.0)),
        followers: value("--followers").and_then(|v| v.parse().ok()).unwrap_or(1000),
        json: value("--json").cloned(),
        only: args.iter().find(|a| ["sqlite", "postgres"].contains(&a.as_str())).cloned(),
    };
    runtime.block_on(run(settings));
}

/// What one round showed of one database.
#[derive(Default, Clone)]
struct Figures {
    /// Sign-ups a second without a follower, and with one.
    alone: f64,
    followed: f64,
    /// From the answer to whoever signed up until the follower hears of it.
    lag_p50_ms: f64,
    lag_p99_ms: f64,
    /// From the decision, which the commit of its batch follows.
    age_p99_ms: f64,
    /// What followers that hear everything take, in all.
    followers_mib: f64,
}

async fn run(settings: Settings) {
    let folder = tempfile::tempdir().unwrap();
    let (mut sqlite, mut postgres) = (Vec::new(), Vec::new());
    let wanted = |name: &str| settings.only.as_deref().is_none_or(|only| only == name);
    for n in 1..=settings.rounds {
        println!("round {n} of {}", settings.rounds);
        if wanted("sqlite") {
            let url = format!("sqlite:{}", folder.path().join(format!("{n}.db")).display());
            sqlite.push(measure(&settings, "sqlite", &url).await);
        }
        if wanted("postgres") {
            let cluster = postgres::Cluster::start();
            postgres.push(measure(&settings, "postgres", &cluster.database()).await);
        }
    }
    let mut rows = rows("SQLite", &settings, &sqlite);
    rows.extend(self::rows("PostgreSQL", &settings, &postgres));
    println!("\n{}", table::table(&rows));
    if let Some(path) = &settings.json {
        std::fs::write(path, table::json(&rows)).unwrap();
    }
}

async fn measure(settings: &Settings, name: &str, url: &str) -> Figures {
    let server = Server::start("eile", url);
    let client = Client::connect(&server.address).await;
    let event = Call::SignUp(Arc::new(vec![make_event(&client).await]));
    client.closed(event, 256, Duration::from_millis(700)).await;
    let alone = hot(settings, &client).await;
    let probed = make_event(&client).await;
    let follower = Follower::start(client.channel(), probed.clone()).await;
    let prober = tokio::spawn(probe(client.channel(), probed));
    let followed = hot(settings, &client).await;
    let answered = stop(prober).await;
    let (heard, age) = follower.end(&client).await;
    let lag = lag(&answered, &heard);
    drop((client, server));
    let followers_mib = memory_of(settings, url).await;
    let at = |times: &Histogram<u64>, quantile| times.value_at_quantile(quantile) as f64 / 1e3;
    let (lag_p50_ms, lag_p99_ms, age_p99_ms) = (at(&lag, 0.5), at(&lag, 0.99), at(&age, 0.99));
    let figures = Figures { alone, followed, lag_p50_ms, lag_p99_ms, age_p99_ms, followers_mib };
    println!(
        "  {name:9} alone {alone:>6.0}/s  followed {followed:>6.0}/s  lag p50 {lag_p50_ms:.0} ms, p99 {lag_p99_ms:.0} ms \
         ({} probes; from the decision {age_p99_ms:.0} ms)  {} followers {followers_mib:.0} MiB",
        lag.len(),
        settings.followers
    );
    figures
}

/// When somebody was answered, or a follower heard of it, by the registration.
type Moments = HashMap<String, Instant>;

/// Signs parties up one after the other, in the middle of the rush, until it is aborted; tells when each was answered.
async fn probe(channel: Channel, event: String) -> Moments {
    let mut registrations = RegistrationServiceClient::new(channel);
    let mut answered = Moments::new();
    let until = Instant::now() + PROBING_MAX;
    while !PROBED.load(Ordering::Relaxed) && Instant::now() < until {
        let n = u64::MAX / 4 + answered.len() as u64 + 1_000_000 * PROBES.load(Ordering::Relaxed);
        let answer = registrations.create_registration(client::sign_up(&event, n)).await.unwrap().into_inner();
        answered.insert(answer.registration.unwrap().name, Instant::now());
    }
    answered
}

static PROBED: AtomicBool = AtomicBool::new(false);
static PROBES: AtomicU64 = AtomicU64::new(0);
const PROBING_MAX: Duration = Duration::from_secs(120);

async fn stop(prober: tokio::task::JoinHandle<Moments>) -> Moments {
    PROBED.store(true, Ordering::Relaxed);
    let answered = prober.await.unwrap();
    PROBED.store(false, Ordering::Relaxed);
    PROBES.fetch_add(1, Ordering::Relaxed);
    answered
}

/// How much later than the answer the follower heard; nothing where it heard first.
fn lag(answered: &Moments, heard: &Moments) -> Histogram<u64> {
    let mut lag = Histogram::new_with_bounds(1, 600_000_000, 3).unwrap();
    for (registration, answered) in answered {
        let late = heard[registration].saturating_duration_since(*answered);
        lag.record((late.as_micros() as u64).max(1)).unwrap();
    }
    lag
}

/// Sign-ups a second on one new event.
async fn hot(settings: &Settings, client: &Client) -> f64 {
    let event = Call::SignUp(Arc::new(vec![make_event(client).await]));
    let run = client.closed(event, IN_FLIGHT, settings.lasts).await;
    assert_eq!(run.failed, 0, "a sign-up failed");
    run.per_second
}

/// One follower, who notes when it hears.
struct Follower {
    task: tokio::task::JoinHandle<(Moments, Histogram<u64>)>,
}

impl Follower {
    async fn start(channel: Channel, probed: String) -> Self {
        let start = Some(proto::ChangeStart { now: true, ..Default::default() });
        let request = proto::WatchChangesRequest { start, filter: None };
        let mut stream = ChangeServiceClient::new(channel).watch_changes(request).await.unwrap().into_inner();
        let task = tokio::spawn(async move {
            let mut age = Histogram::new_with_bounds(1, 600_000_000, 3).unwrap();
            let mut heard = Moments::new();
            loop {
                let message = stream.message().await.unwrap().unwrap();
                let (now, moment) = (SystemClock.now().0, Instant::now());
                for change in message.changes {
                    let time = change.time.as_ref().unwrap();
                    let decided = time.seconds * 1_000_000 + i64::from(time.nanos) / 1_000;
                    age.record((now - decided).max(1) as u64).unwrap();
                    if change.kind() == proto::ChangeKind::EventCancelled {
                        return (heard, age);
                    }
                    if change.event == probed && change.kind() == proto::ChangeKind::Registered {
                        heard.insert(change.registration, moment);
                    }
                }
            }
        });
        Self { task }
    }

    /// Lets it hear everything up to a last change.
    async fn end(self, client: &Client) -> (Moments, Histogram<u64>) {
        use proto::event_service_client::EventServiceClient;
        let name = make_event(client).await;
        let request = proto::CancelEventRequest {
            name,
            reason: "bench".into(),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        EventServiceClient::new(client.channel()).cancel_event(request).await.unwrap();
        self.task.await.unwrap()
    }
}

/// How much more the server holds with all followers than without, while each of them hears what happens.
///
/// In a process of its own, which has not yet held anything that could be used again.
async fn memory_of(settings: &Settings, url: &str) -> f64 {
    let server = Server::start("eile", url);
    let client = Client::connect(&server.address).await;
    let event = make_event(&client).await;
    let mut registrations = RegistrationServiceClient::new(client.channel());
    registrations.create_registration(client::sign_up(&event, u64::MAX / 2 - 1)).await.unwrap();
    let before = server.memory_mib();
    let heard = Arc::new(AtomicU64::new(0));
    let mut tasks = tokio::task::JoinSet::new();
    let mut channel = client.channel();
    for n in 0..settings.followers {
        if n % PER_CONNECTION == 0 {
            let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
            channel = endpoint.connect().await.unwrap();
        }
        let start = Some(proto::ChangeStart { now: true, ..Default::default() });
        let request = proto::WatchChangesRequest { start, filter: None };
        let mut stream = ChangeServiceClient::new(channel.clone()).watch_changes(request).await.unwrap().into_inner();
        let heard = Arc::clone(&heard);
        tasks.spawn(async move {
            while let Ok(Some(message)) = stream.message().await {
                heard.fetch_add(message.changes.len() as u64, Ordering::Relaxed);
            }
        });
    }
    let event = make_event(&client).await;
    let mut most = server.memory_mib();
    for n in 0..200 {
        registrations.create_registration(client::sign_up(&event, u64::MAX / 2 + n)).await.unwrap();
        most = most.max(server.memory_mib());
    }
    // Two changes of the event and a party each.
    let all = 202 * settings.followers as u64;
    let patience = Instant::now() + Duration::from_secs(60);
    while heard.load(Ordering::Relaxed) < all && Instant::now() < patience {
        tokio::time::sleep(Duration::from_millis(20)).await;
        most = most.max(server.memory_mib());
    }
    assert!(heard.load(Ordering::Relaxed) >= all, "somebody did not hear everything");
    tasks.shutdown().await;
    most - before
}

fn rows(name: &str, settings: &Settings, rounds: &[Figures]) -> Vec<Row> {
    if rounds.is_empty() {
        return Vec::new();
    }
    let each = |f: fn(&Figures) -> f64| rounds.iter().map(f).collect::<Vec<_>>();
    let named = |what: &str| format!("{name}: {what}");
    vec![
        Row::new(named("sign-ups, nobody follows"), "", "/s", |_| true, each(|f| f.alone)),
        Row::new(named("sign-ups, one follower"), "", "/s", |_| true, each(|f| f.followed)),
        Row::new(named("followed / alone"), ">= 0.90", "", |v| v >= 0.9, each(|f| f.followed / f.alone)),
        Row::new(named("lag of the follower, p50"), "", "ms", |_| true, each(|f| f.lag_p50_ms)),
        Row::new(named("lag of the follower, p99"), "<= 250", "ms", |v| v <= 250.0, each(|f| f.lag_p99_ms)),
        Row::new(named("from decision to follower, p99"), "", "ms", |_| true, each(|f| f.age_p99_ms)),
        Row::new(
            named(&format!("memory of {} followers", settings.followers)),
            "<= 100",
            "MiB",
            |v| v <= 100.0,
            each(|f| f.followers_mib),
        ),
    ]
}
