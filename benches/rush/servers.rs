//! Servers as processes of their own, started from this very binary: each behind the same transport and the
//! same layers, so that only what stands behind them differs.

use super::stand_ins::{Canned, Textbook};
use eile::api::proto::event_service_server::EventServiceServer;
use eile::api::proto::registration_service_server::RegistrationServiceServer;
use eile::api::server::{self, ServerOptions};
use eile::api::{Api, FILE_DESCRIPTOR_SET, WatchOptions};
use eile::clock::SystemClock;
use eile::desk::{Desk, DeskOptions};
use eile::keys::Keys;
use eile::storage::{self, Options};
use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

/// A server in a process of its own; it ends when this is dropped.
pub struct Server {
    pub address: String,
    child: Child,
}

impl Server {
    /// Starts `kind` (canned, textbook, eile) over a database.
    pub fn start(kind: &str, url: &str) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--serve", kind, url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim().to_owned();
        assert!(address.contains(':'), "{kind} did not start");
        Self { address, child }
    }

    /// Resident memory in MiB.
    pub fn memory_mib(&self) -> f64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap_or_default();
        let line = status.lines().find(|l| l.starts_with("VmRSS:")).unwrap_or("VmRSS: 0 kB");
        let kib: f64 = line.split_whitespace().nth(1).and_then(|n| n.parse().ok()).unwrap_or(0.0);
        kib / 1024.0
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Its standard input closes first, which is how it is told to drain.
        drop(self.child.stdin.take());
        let until = Instant::now() + Duration::from_secs(20);
        while Instant::now() < until {
            if let Ok(Some(_)) = self.child.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The child's side: serves until standard input ends.
pub async fn serve(kind: &str, url: &str) {
    let drain = CancellationToken::new();
    let mut desk = None;
    let routes = match kind {
        "canned" => Routes::new(RegistrationServiceServer::new(Canned)).add_service(EventServiceServer::new(Canned)),
        "textbook" => Routes::new(RegistrationServiceServer::new(Textbook::open(url).await.unwrap())),
        _ => {
            let shared = url.starts_with("postgres");
            let store = storage::open(url, Options::default()).await.unwrap();
            let keys = Keys::new(store.secret().await.unwrap());
            let options = DeskOptions { lines: if shared { 2 } else { 1 }, shared, ..DeskOptions::default() };
            let opened = Desk::open(store, Arc::new(SystemClock), keys, options);
            desk = Some(opened.clone());
            Api::new(opened, WatchOptions::default(), drain.clone()).routes()
        }
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = ServerOptions {
        deadline_max: Duration::from_secs(30),
        concurrency_max: 8192,
        connections_max: 2000,
        streams_per_connection_max: 1024,
        calls_per_address_max: 16_384,
        ..ServerOptions::default()
    };
    let mut registry = prometheus_client::registry::Registry::default();
    let running = server::start(listener, routes, FILE_DESCRIPTOR_SET, &options, &mut registry, drain).await.unwrap();
    running.serving().tell(true).await;
    println!("{}", running.address());
    let mut nothing = String::new();
    let _ = tokio::task::spawn_blocking(move || std::io::stdin().read_line(&mut nothing)).await;
    running.drain(Duration::ZERO, Duration::from_secs(5)).await;
    if let Some(desk) = desk {
        desk.drain().await;
        desk.store().close().await;
    }
}
