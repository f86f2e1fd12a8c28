//! Growth: a database of 1,000,000 registrations, all in one line; then a hot event of 100,000 beside it.

use super::client::{Call, Client, fill};
use super::servers::Server;
use super::table::Row;
use super::{IN_FLIGHT, make_event, names_in, postgres};
use std::sync::Arc;
use std::time::{Duration, Instant};

const MILLION: u64 = 1_000_000;

pub async fn measure(folder: &std::path::Path) -> Vec<Row> {
    std::fs::create_dir_all(folder).unwrap();
    let mut rows = on("SQLite", &format!("sqlite:{}", folder.join("eile.db").display())).await;
    let cluster = postgres::Cluster::start();
    rows.extend(on("PostgreSQL", &cluster.database()).await);
    rows
}

async fn on(name: &str, url: &str) -> Vec<Row> {
    let lasts = Duration::from_secs(4);
    let server = Server::start("eile", url);
    let client = Client::connect(&server.address).await;
    let (empty, full) = (make_event(&client).await, make_event(&client).await);
    fill(&client, std::slice::from_ref(&full), MILLION).await;
    let (mut growth, mut look_ups, mut counts) = (Vec::new(), Vec::new(), Vec::new());
    let few = Arc::new(names_in(&client, &full, 500).await);
    let small = make_event(&client).await;
    fill(&client, std::slice::from_ref(&small), 1000).await;
    let small_names = Arc::new(names_in(&client, &small, 500).await);
    for _ in 0..3 {
        let at_empty = client.closed(Call::SignUp(Arc::new(vec![empty.clone()])), IN_FLIGHT, lasts).await;
        let at_full = client.closed(Call::SignUp(Arc::new(vec![full.clone()])), IN_FLIGHT, lasts).await;
        growth.push(at_full.per_second / at_empty.per_second);
        let in_full = client.closed(Call::Position(few.clone()), IN_FLIGHT, lasts).await;
        let in_small = client.closed(Call::Position(small_names.clone()), IN_FLIGHT, lasts).await;
        look_ups.push(in_full.per_second / in_small.per_second);
        let of_full = client.closed(Call::Event(full.clone()), IN_FLIGHT, lasts).await;
        let of_small = client.closed(Call::Event(small.clone()), IN_FLIGHT, lasts).await;
        counts.push(of_full.per_second / of_small.per_second);
    }
    drop(server);
    let (starts, memory) = beside(url).await;
    let row = |what: &str, aim: &str, unit, reached: fn(f64) -> bool, values| {
        Row::new(format!("{name}: {what}"), aim, unit, reached, values)
    };
    vec![
        row("sign-ups into an event of 1,000,000 / empty", ">= 0.90", "", |v| v >= 0.9, growth),
        row("positions in a line of 1,000,000 / 1,000", ">= 0.90", "", |v| v >= 0.9, look_ups),
        row("counts of 1,000,000 / 1,000", ">= 0.90", "", |v| v >= 0.9, counts),
        row("start to first answer, 1,000,000 stored", "<= 0.5", "s", |v| v <= 0.5, starts),
        row("memory, 1,000,000 stored, 100,000 in line", "<= 160", "MiB", |v| v <= 160.0, memory),
    ]
}

/// Starts anew on the filled database: how soon it answers, and its memory with 100,000 in one more line.
async fn beside(url: &str) -> (Vec<f64>, Vec<f64>) {
    let mut starts = Vec::new();
    for _ in 0..3 {
        let began = Instant::now();
        let server = Server::start("eile", url);
        let client = Client::connect(&server.address).await;
        make_event(&client).await;
        starts.push(began.elapsed().as_secs_f64());
    }
    let server = Server::start("eile", url);
    let client = Client::connect(&server.address).await;
    let hot = make_event(&client).await;
    fill(&client, std::slice::from_ref(&hot), 100_000).await;
    (starts, vec![server.memory_mib()])
}
