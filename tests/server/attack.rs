//! Crowds that mean harm, while an honest caller signs people up.

use crate::frames;
use crate::support::{TestServer, options, start};
use eile::api::proto::CreateRegistrationRequest;
use eile::api::server::ServerOptions;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::task::JoinSet;

/// Addresses of the two crowds; the honest caller has another.
const SLOW: [u8; 4] = [127, 0, 0, 2];
const RESETTING: [u8; 4] = [127, 0, 0, 3];
const SLOW_CONNECTIONS: usize = 200;
/// Resets in one breath: fewer than a connection is sent away for.
const TOGETHER: usize = 16;
const SIGN_UPS: usize = 200;
/// For 99 of 100 of them.
const BOUND: Duration = Duration::from_millis(500);

/// Holds a connection with one byte, again and again.
async fn hold(address: SocketAddr, held: Arc<AtomicU64>) {
    loop {
        let mut socket = frames::from(SLOW, address).await;
        let _ = socket.write_all(b"P").await;
        held.fetch_add(1, Ordering::Relaxed);
        frames::is_closed(&mut socket, Duration::from_secs(60)).await;
    }
}

/// Begins calls and takes them back at once, for as long as the connection is let, and then on another.
async fn reset(address: SocketAddr, resets: Arc<AtomicU64>) {
    loop {
        let mut socket = frames::from(RESETTING, address).await;
        let mut words = [frames::PREFACE, frames::SETTINGS].concat();
        let mut streams = (1..).step_by(2);
        while socket.write_all(&words).await.is_ok() {
            words = streams.by_ref().take(TOGETHER).flat_map(frames::begun_and_reset).collect();
            resets.fetch_add(TOGETHER as u64, Ordering::Relaxed);
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// How long 99 of 100 sign-ups took at most, some of them on new connections.
async fn sign_ups(server: &TestServer) -> Duration {
    let mut took = Vec::with_capacity(SIGN_UPS);
    let mut client = server.client().await;
    for n in 0..SIGN_UPS {
        let begun = Instant::now();
        if n % 20 == 0 {
            client = server.client().await;
        }
        client.create_registration(CreateRegistrationRequest::default()).await.unwrap();
        took.push(begun.elapsed());
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    took.sort();
    took[SIGN_UPS * 99 / 100 - 1]
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slow_connections_and_rapid_resets_do_not_keep_an_honest_caller_from_signing_up() {
    let (per_address, most) = (SLOW_CONNECTIONS, 2 * SLOW_CONNECTIONS);
    let greeting = Duration::from_secs(1);
    let bounds =
        ServerOptions { connections_max: most, connections_per_address_max: per_address, greeting, ..options() };
    let server = start(bounds).await;
    let address = server.running.address();
    let (held, resets) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let mut crowds = JoinSet::new();
    for _ in 0..SLOW_CONNECTIONS {
        crowds.spawn(hold(address, Arc::clone(&held)));
    }
    for _ in 0..4 {
        crowds.spawn(reset(address, Arc::clone(&resets)));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    let p99 = sign_ups(&server).await;
    let (held, resets) = (held.load(Ordering::Relaxed), resets.load(Ordering::Relaxed));
    println!("{held} slow connections, {resets} resets; p99 of {SIGN_UPS} sign-ups: {p99:?}");
    assert!(p99 < BOUND, "sign-ups took {p99:?}");
    // There was an attack.
    assert!(held >= SLOW_CONNECTIONS as u64 && resets >= 1_000, "{held} connections, {resets} resets");
    crowds.shutdown().await;
}
