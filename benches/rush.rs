//! The rush: Eilė on SQLite and on PostgreSQL beside the ceiling (the same service with a canned answer,
//! behind the same transport and layers) and beside the textbook way (one transaction per sign-up), in
//! alternation within one run. Client, server and database share the machine.
//!
//! `cargo bench --bench rush` runs everything but the million; `-- --million` adds it (some minutes);
//! `-- --rounds 5 --seconds 4 --json FILE` as one likes.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "rush/client.rs"]
mod client;
#[path = "rush/million.rs"]
mod million;
#[path = "../tests/support/postgres.rs"]
mod postgres;
#[path = "rush/servers.rs"]
mod servers;
#[path = "rush/stand_ins.rs"]
mod stand_ins;
#[path = "rush/table.rs"]
mod table;

use client::{Call, Client, make_event};
use eile::api::proto;
use servers::Server;
use std::sync::Arc;
use std::time::{Duration, Instant};
use table::Row;
use uuid::Uuid;

/// Calls in flight in closed loop.
const IN_FLIGHT: usize = 1024;

struct Settings {
    rounds: usize,
    lasts: Duration,
    json: Option<String>,
    million: bool,
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
        json: value("--json").cloned(),
        million: args.iter().any(|a| a == "--million"),
    };
    runtime.block_on(run(settings));
}

async fn run(settings: Settings) {
    let folder = tempfile::tempdir().unwrap();
    let mut rounds = Vec::new();
    for n in 1..=settings.rounds {
        println!("round {n} of {}", settings.rounds);
        rounds.push(Round::measure(&settings, &folder.path().join(n.to_string())).await);
    }
    let mut rows = rows(&rounds);
    if settings.million {
        rows.extend(million::measure(&folder.path().join("million")).await);
    }
    println!("\n{}", table::table(&rows));
    if let Some(path) = settings.json {
        std::fs::write(path, table::json(&rows)).unwrap();
    }
}

/// What one round showed of one server.
#[derive(Default, Clone)]
struct Figures {
    hot: f64,
    hot_p99_ms: f64,
    spread: f64,
    open_p50_ms: f64,
    open_p99_ms: f64,
    alone_us: f64,
    position: f64,
    event: f64,
    idle_mib: f64,
    /// With an access key, each as a share of the same without one, on the same server in the same round.
    keyed: [f64; 4],
}

struct Round {
    ceiling: Figures,
    textbook: f64,
    fdatasync_us: f64,
    sqlite: Figures,
    postgres: Figures,
}

impl Round {
    async fn measure(settings: &Settings, folder: &std::path::Path) -> Self {
        std::fs::create_dir_all(folder).unwrap();
        let fdatasync_us = fdatasync_us(folder);
        let ceiling = of_ceiling(settings).await;
        let sqlite = of_eile(settings, &format!("sqlite:{}", folder.join("eile.db").display())).await;
        let cluster = postgres::Cluster::start();
        let postgres = of_eile(settings, &cluster.database()).await;
        let textbook = of_textbook(settings, &cluster.database()).await;
        let say = |name: &str, f: &Figures| {
            println!(
                "  {name:9} hot {:>6.0}/s  spread {:>6.0}/s  position {:>6.0}/s  event {:>6.0}/s  alone {:>5.0} us",
                f.hot, f.spread, f.position, f.event, f.alone_us
            );
        };
        say("ceiling", &ceiling);
        say("sqlite", &sqlite);
        say("postgres", &postgres);
        println!("  textbook  hot {textbook:>6.0}/s   fdatasync {fdatasync_us:.0} us");
        Self { ceiling, textbook, fdatasync_us, sqlite, postgres }
    }
}

async fn of_ceiling(settings: &Settings) -> Figures {
    let server = Server::start("canned", "none");
    let client = Client::connect(&server.address).await;
    let names = Arc::new(vec![format!("events/{}", Uuid::nil())]);
    let registration = Arc::new(vec![format!("events/{}/registrations/{}", Uuid::nil(), Uuid::nil())]);
    warm(&client, &Call::SignUp(names.clone())).await;
    let sign_ups = client.closed(Call::SignUp(names.clone()), IN_FLIGHT, settings.lasts).await;
    let alone = client.closed(Call::SignUp(names.clone()), 1, settings.lasts / 2).await;
    let position = client.closed(Call::Position(registration), IN_FLIGHT, settings.lasts).await;
    let event = client.closed(Call::Event(names[0].clone()), IN_FLIGHT, settings.lasts).await;
    Figures {
        hot: sign_ups.per_second,
        spread: sign_ups.per_second,
        alone_us: alone.at(0.5).as_micros() as f64,
        position: position.per_second,
        event: event.per_second,
        ..Figures::default()
    }
}

async fn of_textbook(settings: &Settings, url: &str) -> f64 {
    let server = Server::start("textbook", url);
    let event = Uuid::now_v7();
    stand_ins::Textbook::open(url).await.unwrap().create_event(event, 12).await.unwrap();
    let client = Client::connect(&server.address).await;
    let call = Call::SignUp(Arc::new(vec![format!("events/{event}")]));
    // Sixteen connections stand in a queue for one row; more in flight only wait longer.
    client.closed(call, 64, settings.lasts).await.per_second
}

async fn of_eile(settings: &Settings, url: &str) -> Figures {
    let server = Server::start("eile", url);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let idle_mib = server.memory_mib();
    let client = Client::connect(&server.address).await;
    let hot = Arc::new(vec![make_event(&client).await]);
    let warm_up = Call::SignUp(Arc::new(vec![make_event(&client).await]));
    warm(&client, &warm_up).await;
    let sign_ups = client.closed(Call::SignUp(hot.clone()), IN_FLIGHT, settings.lasts).await;
    assert_eq!(sign_ups.failed, 0, "a sign-up failed");
    let mut many = Vec::new();
    for _ in 0..1000 {
        many.push(make_event(&client).await);
    }
    let many = Arc::new(many);
    let spread = client.closed(Call::SignUp(many.clone()), IN_FLIGHT, settings.lasts).await;
    let open_event = Arc::new(vec![make_event(&client).await]);
    let half = sign_ups.per_second / 2.0;
    let open = client.open(Call::SignUp(open_event.clone()), half, settings.lasts).await;
    let alone = client.closed(Call::SignUp(open_event), 1, settings.lasts / 2).await;
    let names = Arc::new(names_in(&client, &hot[0], 1000).await);
    let position = client.closed(Call::Position(names.clone()), IN_FLIGHT, settings.lasts).await;
    let event = client.closed(Call::Event(hot[0].clone()), IN_FLIGHT, settings.lasts).await;
    assert_eq!(spread.failed + open.failed + position.failed + event.failed, 0, "a call failed");
    let keyed = with_a_key(settings, client, &hot[0], &many, &names).await;
    Figures {
        keyed: [0, 1, 2, 3].map(|n| keyed[2 * n + 1] / keyed[2 * n]),
        hot: sign_ups.per_second,
        hot_p99_ms: sign_ups.at(0.99).as_secs_f64() * 1e3,
        spread: spread.per_second,
        open_p50_ms: open.at(0.5).as_secs_f64() * 1e3,
        open_p99_ms: open.at(0.99).as_secs_f64() * 1e3,
        alone_us: alone.at(0.5).as_micros() as f64,
        position: position.per_second,
        event: event.per_second,
        idle_mib,
    }
}

/// Sign-ups on one event and on many, positions and events: each without a key, and then with one.
async fn with_a_key(
    settings: &Settings,
    client: Client,
    event: &str,
    many: &Arc<Vec<String>>,
    names: &Arc<Vec<String>>,
) -> [f64; 8] {
    let hot = Arc::new(vec![make_event(&client).await]);
    let calls =
        [Call::SignUp(hot), Call::SignUp(many.clone()), Call::Position(names.clone()), Call::Event(event.to_owned())];
    let mut figures = [0.0; 8];
    for (n, call) in calls.iter().enumerate() {
        figures[2 * n] = client.closed(call.clone(), IN_FLIGHT, settings.lasts).await.per_second;
    }
    let client = client.with_key().await;
    for (n, call) in calls.into_iter().enumerate() {
        let run = client.closed(call, IN_FLIGHT, settings.lasts).await;
        assert_eq!(run.failed, 0, "a call with a key failed");
        figures[2 * n + 1] = run.per_second;
    }
    figures
}

async fn warm(client: &Client, call: &Call) {
    client.closed(call.clone(), 256, Duration::from_millis(700)).await;
}

/// Names of registrations of an event.
async fn names_in(client: &Client, event: &str, pages_of: i32) -> Vec<String> {
    use proto::registration_service_client::RegistrationServiceClient;
    let request =
        proto::ListRegistrationsRequest { parent: event.into(), page_size: pages_of.min(500), ..Default::default() };
    let mut client = RegistrationServiceClient::new(client.channel());
    let page = client.list_registrations(request).await.unwrap().into_inner();
    page.registrations.into_iter().map(|r| r.name).collect()
}

/// The median of a few dozen small appends, each followed by fdatasync, on the disk that SQLite writes to.
fn fdatasync_us(folder: &std::path::Path) -> f64 {
    use std::io::Write;
    let mut file = std::fs::File::create(folder.join("sync")).unwrap();
    let mut took: Vec<f64> = (0..101)
        .map(|_| {
            let began = Instant::now();
            file.write_all(&[7; 4096]).unwrap();
            file.sync_data().unwrap();
            began.elapsed().as_secs_f64() * 1e6
        })
        .collect();
    took.sort_by(f64::total_cmp);
    took[50]
}

fn rows(rounds: &[Round]) -> Vec<Row> {
    let each = |f: &dyn Fn(&Round) -> f64| rounds.iter().map(f).collect::<Vec<_>>();
    let at_least = |aim: f64| move |v: f64| v >= aim;
    let at_most = |aim: f64| move |v: f64| v <= aim;
    let mut rows = vec![
        Row::new("ceiling: canned sign-ups", "", "/s", |_| true, each(&|r| r.ceiling.hot)),
        Row::new("ceiling: canned position", "", "/s", |_| true, each(&|r| r.ceiling.position)),
        Row::new("textbook way on PostgreSQL", "", "/s", |_| true, each(&|r| r.textbook)),
        Row::new("one fdatasync", "", "us", |_| true, each(&|r| r.fdatasync_us)),
    ];
    type Of = fn(&Round) -> &Figures;
    let both: [(&str, Of, f64); 2] = [("SQLite", |r| &r.sqlite, 0.50), ("PostgreSQL", |r| &r.postgres, 0.60)];
    for (name, of, hot_aim) in both {
        let row = |what: &str, aim: String, unit, reached: Box<dyn Fn(f64) -> bool>, values| {
            Row::new(format!("{name}: {what}"), aim, unit, reached, values)
        };
        let (aim, ok) = (format!(">= {hot_aim:.2}"), Box::new(at_least(hot_aim)));
        rows.push(row("sign-ups, one hot event", String::new(), "/s", Box::new(|_| true), each(&|r| of(r).hot)));
        rows.push(row("hot event / ceiling", aim, "", ok, each(&|r| of(r).hot / r.ceiling.hot)));
        rows.push(row(
            "hot event / textbook",
            ">= 20".into(),
            "x",
            Box::new(at_least(20.0)),
            each(&|r| of(r).hot / r.textbook),
        ));
        rows.push(row(
            "1,000 events / ceiling",
            ">= 0.50".into(),
            "",
            Box::new(at_least(0.5)),
            each(&|r| of(r).spread / r.ceiling.hot),
        ));
        rows.push(row(
            "one in flight / (ceiling + fdatasync)",
            "<= 2".into(),
            "x",
            Box::new(at_most(2.0)),
            each(&|r| of(r).alone_us / (r.ceiling.alone_us + r.fdatasync_us)),
        ));
        rows.push(row(
            "position / ceiling",
            ">= 0.90".into(),
            "",
            Box::new(at_least(0.9)),
            each(&|r| of(r).position / r.ceiling.position),
        ));
        rows.push(row(
            "event with counts / ceiling",
            ">= 0.90".into(),
            "",
            Box::new(at_least(0.9)),
            each(&|r| of(r).event / r.ceiling.event),
        ));
        rows.push(row(
            "closed loop of 1,024, p99",
            String::new(),
            "ms",
            Box::new(|_| true),
            each(&|r| of(r).hot_p99_ms),
        ));
        rows.push(row(
            "open loop at half that rate, p50",
            String::new(),
            "ms",
            Box::new(|_| true),
            each(&|r| of(r).open_p50_ms),
        ));
        rows.push(row(
            "open loop at half that rate, p99",
            String::new(),
            "ms",
            Box::new(|_| true),
            each(&|r| of(r).open_p99_ms),
        ));
        let whats = ["hot event", "1,000 events", "position", "event with counts"];
        for (n, what) in whats.into_iter().enumerate() {
            rows.push(row(
                &format!("{what}, with a key / without"),
                ">= 0.90".into(),
                "",
                Box::new(at_least(0.9)),
                each(&move |r| of(r).keyed[n]),
            ));
        }
        rows.push(row("memory, idle", "<= 32".into(), "MiB", Box::new(at_most(32.0)), each(&|r| of(r).idle_mib)));
    }
    rows
}
