//! Ten thousand idle watches: what they cost in memory, on SQLite and on PostgreSQL.
//!
//! `cargo bench --bench watches`; `-- --json FILE` as one likes.
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

use client::{Client, make_event};
use eile::api::proto::WatchEventRequest;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use servers::Server;
use table::Row;

const CONNECTIONS: usize = 100;
/// On each connection.
const WATCHES: usize = 100;

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    if let Some(i) = args.iter().position(|a| a == "--serve") {
        runtime.block_on(servers::serve(&args[i + 1], &args[i + 2]));
        return;
    }
    let json = args.iter().position(|a| a == "--json").and_then(|i| args.get(i + 1)).cloned();
    runtime.block_on(run(json));
}

async fn run(json: Option<String>) {
    let folder = tempfile::tempdir().unwrap();
    let cluster = postgres::Cluster::start();
    let sqlite = format!("sqlite:{}", folder.path().join("eile.db").display());
    let rows = vec![row("SQLite", &sqlite).await, row("PostgreSQL", &cluster.database()).await];
    println!("\n{}", table::table(&rows));
    if let Some(path) = json {
        std::fs::write(path, table::json(&rows)).unwrap();
    }
}

async fn row(name: &str, url: &str) -> Row {
    let server = Server::start("eile", url);
    let client = Client::connect(&server.address).await;
    let event = make_event(&client).await;
    let before = server.memory_mib();
    let mut watches = Vec::with_capacity(CONNECTIONS * WATCHES);
    for _ in 0..CONNECTIONS {
        let endpoint = tonic::transport::Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
        let mut watcher = RegistrationServiceClient::new(endpoint.connect().await.unwrap());
        for _ in 0..WATCHES {
            let request = WatchEventRequest { name: event.clone() };
            let mut watch = watcher.watch_event(request).await.unwrap().into_inner();
            watch.message().await.unwrap().unwrap();
            watches.push(watch);
        }
    }
    let cost = server.memory_mib() - before;
    let what = format!("{name}: memory of {} idle watches", watches.len());
    Row::new(what, "<= 200", "MiB", |mib| mib <= 200.0, vec![cost])
}
