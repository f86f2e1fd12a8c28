//! Reports over a million registrations in ten thousand events: how long demand, imbalance and participation take, what a
//! public page's counts cost, and what a running quarter report costs sign-ups. On SQLite and on PostgreSQL.
//!
//! `cargo bench --bench reports`; `-- --registrations 1000000 --events 10000 --json FILE` as one likes, and `sqlite` or
//! `postgres` for one of them. Filling takes some minutes.
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

use client::{Call, Client, fill, make_event};
use eile::api::proto;
use proto::admin_service_client::AdminServiceClient;
use proto::event_service_client::EventServiceClient;
use proto::report_service_client::ReportServiceClient;
use servers::Server;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};
use table::Row;
use tonic::transport::Channel;
use uuid::Uuid;

/// Calls in flight in closed loop.
const IN_FLIGHT: usize = 1024;
/// Events that are filled at a time.
const AT_ONCE: usize = 1_000;
/// How often each figure is measured.
const TIMES: usize = 5;

struct Settings {
    registrations: u64,
    events: usize,
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
        registrations: value("--registrations").and_then(|v| v.parse().ok()).unwrap_or(1_000_000),
        events: value("--events").and_then(|v| v.parse().ok()).unwrap_or(10_000),
        json: value("--json").cloned(),
        only: args.iter().find(|a| ["sqlite", "postgres"].contains(&a.as_str())).cloned(),
    };
    runtime.block_on(run(settings));
}

async fn run(settings: Settings) {
    let folder = tempfile::tempdir_in(".").unwrap();
    let wanted = |name: &str| settings.only.as_deref().is_none_or(|only| only == name);
    let mut rows = Vec::new();
    if wanted("sqlite") {
        let url = format!("sqlite:{}", folder.path().join("eile.db").display());
        rows.extend(measure(&settings, "SQLite", &url).await);
    }
    if wanted("postgres") {
        let cluster = postgres::Cluster::start();
        rows.extend(measure(&settings, "PostgreSQL", &cluster.database()).await);
    }
    println!("\n{}", table::table(&rows));
    if let Some(path) = &settings.json {
        std::fs::write(path, table::json(&rows)).unwrap();
    }
}

async fn measure(settings: &Settings, name: &str, url: &str) -> Vec<Row> {
    let server = Server::start("eile", url);
    let client = Client::connect(&server.address).await;
    let small = make_event(&client).await;
    fill(&client, std::slice::from_ref(&small), 1_000).await;
    let counts_small = counts_of(&client, &small).await;
    let events = make_events(&client, settings.events).await;
    // Some events after the other, as a year goes: all at once they do not fit into the memory for rosters.
    for some in events.chunks(AT_ONCE) {
        fill(&client, some, settings.registrations * some.len() as u64 / events.len() as u64).await;
    }
    let mut reports = ReportServiceClient::new(client.channel());
    let began = Instant::now();
    // What was worked out within the deadline is kept: who asks again goes on from there.
    while let Err(status) = reports.get_demand(proto::GetDemandRequest::default()).await {
        assert_eq!(status.code(), tonic::Code::DeadlineExceeded, "{status}");
    }
    let cold = vec![began.elapsed().as_secs_f64()];
    let (mut demand, mut imbalance, mut participation, mut counts) = (vec![], vec![], vec![], vec![]);
    for _ in 0..TIMES {
        demand.push(seconds(reports.get_demand(proto::GetDemandRequest::default())).await);
        imbalance.push(seconds(reports.get_imbalance(proto::GetImbalanceRequest::default())).await);
        participation.push(seconds(reports.get_participation(proto::GetParticipationRequest::default())).await);
        counts.push(counts_of(&client, &events[0]).await / counts_small);
    }
    let beside = beside(&client).await;
    let memory = vec![server.memory_mib()];
    let row = |what: &str, aim: &str, unit, reached: fn(f64) -> bool, values| {
        Row::new(format!("{name}: {what}"), aim, unit, reached, values)
    };
    vec![
        row("counts of an event, among all / before any", "<= 2", "", |v| v <= 2.0, counts),
        row("demand, first of all", "", "s", |_| true, cold),
        row("demand", "<= 1", "s", |v| v <= 1.0, demand),
        row("imbalance", "<= 1", "s", |v| v <= 1.0, imbalance),
        row("participation", "", "s", |_| true, participation),
        row("sign-ups beside a running quarter report / alone", ">= 0.90", "", |v| v >= 0.9, beside),
        row("memory after all of it", "", "MiB", |_| true, memory),
    ]
}

async fn seconds<T>(call: impl Future<Output = Result<tonic::Response<T>, tonic::Status>>) -> f64 {
    let began = Instant::now();
    call.await.unwrap();
    began.elapsed().as_secs_f64()
}

/// Seconds that `GetEventCounts` takes, one after the other.
async fn counts_of(client: &Client, event: &str) -> f64 {
    const CALLS: u32 = 2_000;
    let mut reports = ReportServiceClient::new(client.channel());
    let began = Instant::now();
    for _ in 0..CALLS {
        let request = proto::GetEventCountsRequest { event: event.to_owned() };
        reports.get_event_counts(request).await.unwrap();
    }
    began.elapsed().as_secs_f64() / f64::from(CALLS)
}

/// Sign-ups on one hot event beside a quarter report that runs again and again, and alone, in turn.
async fn beside(client: &Client) -> Vec<f64> {
    let lasts = Duration::from_secs(4);
    let mut ratios = Vec::new();
    for _ in 0..3 {
        let hot = || async { Call::SignUp(Arc::new(vec![make_event(client).await])) };
        let alone = client.closed(hot().await, IN_FLIGHT, lasts).await.per_second;
        let stop = Arc::new(AtomicBool::new(false));
        let report = tokio::spawn(quarter(client.channel(), Arc::clone(&stop)));
        let with = client.closed(hot().await, IN_FLIGHT, lasts).await.per_second;
        stop.store(true, Ordering::Relaxed);
        let reports = report.await.unwrap();
        println!("  alone {alone:.0}/s, beside {reports} quarter reports {with:.0}/s");
        ratios.push(with / alone);
    }
    ratios
}

/// A quarter report, and the next one a second later, as no job would do; how many there were.
async fn quarter(channel: Channel, stop: Arc<AtomicBool>) -> u32 {
    let mut reports = ReportServiceClient::new(channel);
    let seconds = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
    // The first quarter of 2099, in which a quarter of the events lie.
    let scope = proto::ReportScope {
        start_time: seconds(4_070_908_800),
        end_time: seconds(4_078_684_800),
        ..Default::default()
    };
    let mut done = 0;
    while !stop.load(Ordering::Relaxed) {
        let request = proto::GetParticipationRequest { scope: Some(scope.clone()), ..Default::default() };
        reports.get_participation(request).await.unwrap();
        done += 1;
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    done
}

/// Courses of twelve seats: twenty programmes in five municipalities, over the months of a year.
async fn make_events(client: &Client, number: usize) -> Vec<String> {
    let texts = |text: &str| vec![proto::LocalizedText { language: "lt".into(), text: text.into() }];
    for n in 0..20 {
        let programme =
            proto::Programme { titles: texts("Mokymai"), kind: proto::EventKind::Course as i32, ..Default::default() };
        let request = proto::CreateProgrammeRequest {
            programme_id: format!("p{n}"),
            programme: Some(programme),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        AdminServiceClient::new(client.channel()).create_programme(request).await.unwrap();
    }
    let mut names = Vec::with_capacity(number);
    let one = |n: usize| {
        let mut events = EventServiceClient::new(client.channel());
        let start = format!("2099-{:02}-{:02}", n % 12 + 1, n % 28 + 1);
        let event = proto::Event {
            centre: "centres/elk".into(),
            programme: format!("programmes/p{}", n % 20),
            municipality_code: ["42", "49", "41", "85", "13"][n % 5].into(),
            titles: texts("Sėkmingos tėvystės mokymai"),
            sessions: vec![proto::Session {
                start_local: format!("{start}T17:30"),
                end_local: format!("{start}T19:30"),
                ..Default::default()
            }],
            seat_pools: vec![proto::SeatPool { pool_id: "main".into(), capacity: Some(12), ..Default::default() }],
            ..Default::default()
        };
        async move {
            let request_id = Uuid::new_v4().to_string();
            let request = proto::CreateEventRequest { event: Some(event), request_id, ..Default::default() };
            let name = events.create_event(request).await.unwrap().into_inner().event.unwrap().name;
            let request_id = Uuid::new_v4().to_string();
            let publish = proto::PublishEventRequest { name: name.clone(), request_id, ..Default::default() };
            events.publish_event(publish).await.unwrap();
            name
        }
    };
    for some in (0..number).collect::<Vec<_>>().chunks(200) {
        names.extend(futures_util::future::join_all(some.iter().map(|n| one(*n))).await);
    }
    names
}
