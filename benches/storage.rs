//! Storage alone, without the desk: what one transaction costs, by the size of the batch and by what the
//! event holds already. `cargo bench --bench storage [-- sqlite|postgres] [rows held, default 200000]`
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/storage/clerk.rs"]
#[allow(dead_code)]
mod clerk;
mod databases;
#[path = "../tests/storage/samples.rs"]
#[allow(dead_code)]
mod samples;

use clerk::Clerk;
use eile::model::contact::ContactKeys;
use eile::storage::{EventWrite, Fresh, Options, Store};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use uuid::Uuid;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let held = std::env::args().find_map(|a| a.parse().ok()).unwrap_or(200_000);
    databases::on_each(async |name, url| measure(name, url, held).await).await;
}

async fn measure(name: &str, url: &str, held: usize) {
    let store = eile::storage::open(url, Options::default()).await.unwrap();
    if let (true, Ok(sql)) = (name == "sqlite", std::env::var("EILE_BENCH_SQL")) {
        use sqlx::Connection;
        let mut connection = sqlx::SqliteConnection::connect(url).await.unwrap();
        sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection).await.unwrap();
    }
    let hot = Clerk::at_open(&store, Some(12)).await;
    for (size, rounds) in [(1, 400), (16, 100), (256, 60), (1000, 30)] {
        report(name, "hot", size, &rush(&hot, size, rounds).await);
    }
    let started = Instant::now();
    while hot.roster().len() < held {
        rush(&hot, 4000, 1).await;
    }
    println!("{name:9} filled to {held} in {:.1} s", started.elapsed().as_secs_f64());
    for (size, rounds) in [(1, 400), (256, 60), (1000, 30)] {
        report(name, "hot, full", size, &rush(&hot, size, rounds).await);
    }
    let started = Instant::now();
    let stranger = Clerk::at(&store, hot.event);
    stranger.hand_in(Vec::new()).await.unwrap();
    println!("{name:9} whole, {} rows, in {:.2} s", stranger.roster().len(), started.elapsed().as_secs_f64());
    spread(name, &store).await;
    store.close().await;
}

/// Transactions of `size` sign-ups each; the time of each transaction without the time to decide it.
async fn rush(clerk: &Clerk, size: usize, rounds: usize) -> Vec<Duration> {
    let mut took = Vec::new();
    for _ in 0..rounds {
        let write = prepare(clerk, size);
        let lock = write.1;
        let started = Instant::now();
        clerk.store.transact(vec![lock], Box::new(move |_| vec![write.0])).await.unwrap();
        took.push(started.elapsed());
    }
    took
}

fn prepare(clerk: &Clerk, size: usize) -> (EventWrite, eile::storage::Lock) {
    let lock = clerk.lock();
    let mut memory = clerk.memory.lock().unwrap();
    let commands: Vec<_> = (0..size).map(|_| samples::sign_up(1, stranger())).collect();
    let mut write = clerk::decide(memory.as_mut().unwrap(), &commands, samples::minutes(5)).1.unwrap();
    for new in &mut write.new {
        new.party.document = DOCUMENT.into();
    }
    (write, lock)
}

fn stranger() -> ContactKeys {
    let (email, phone) = Uuid::new_v4().as_u64_pair();
    ContactKeys { email: Some(email), phone: Some(phone) }
}

const DOCUMENT: &str = r#"{"contact":{"name":"Ona Pavyzdienė","email":"ona@example.org","phone":"+37061200000"},"language":"lt","channel":"web","on_behalf_of":"oneself","who":{"members":[{"name":"Ona Pavyzdienė","birth_year":1988,"sex":"female","role":"mother"},{"name":"Jonas Pavyzdys","birth_year":2016,"sex":"male","role":"child"}]},"willing_elsewhere":true,"municipality_code":"42","services":{"childcare_children":1,"rides":0}}"#;

/// One transaction over many events, a sign-up each.
async fn spread(name: &str, store: &Arc<dyn Store>) {
    let mut clerks = Vec::new();
    for _ in 0..500 {
        clerks.push(Clerk::at_open(store, Some(12)).await);
    }
    let mut took = Vec::new();
    for _ in 0..30 {
        let (writes, locks): (Vec<_>, Vec<_>) = clerks.iter().map(|c| prepare(c, 1)).unzip();
        let writes = Mutex::new(writes);
        let started = Instant::now();
        let work = move |fresh: Vec<Fresh>| {
            assert!(fresh.iter().all(|f| matches!(f, Fresh::Current)));
            writes.into_inner().unwrap()
        };
        store.transact(locks, Box::new(work)).await.unwrap();
        took.push(started.elapsed());
    }
    report(name, "500 events", 500, &took);
}

fn report(name: &str, what: &str, size: usize, took: &[Duration]) {
    let mut sorted = took.to_vec();
    sorted.sort();
    let median = sorted[sorted.len() / 2].as_secs_f64() * 1e3;
    let total: f64 = took.iter().map(Duration::as_secs_f64).sum();
    let rate = (size * took.len()) as f64 / total;
    println!("{name:9} {what:11} batch {size:>5}: median {median:>7.2} ms, {rate:>7.0} rows/s");
}
