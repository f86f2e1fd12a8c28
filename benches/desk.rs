//! The desk alone, without the wire: sign-ups a second on one hot event and over many, on each database.
//! `cargo bench --bench desk [-- sqlite|postgres]`
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod databases;
#[path = "../tests/desk/faulty.rs"]
#[allow(dead_code)]
mod faulty;
#[path = "../tests/desk/house.rs"]
#[allow(dead_code)]
mod house;

use eile::model::policy::Policy;
use house::House;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Instant;
use uuid::Uuid;

/// Sign-ups in flight.
const IN_FLIGHT: usize = 1024;

#[tokio::main(worker_threads = 2)]
async fn main() {
    databases::on_each(measure).await;
}

async fn measure(name: &str, url: &str) {
    let store = eile::storage::open(url, eile::storage::Options::default()).await.unwrap();
    let house = Arc::new(House::over(store, name == "postgres").await);
    for (what, events, total) in [("hot", 1usize, 60_000usize), ("hot", 1, 60_000), ("1,000 events", 1000, 40_000)] {
        let mut ids = Vec::new();
        for _ in 0..events {
            ids.push(house.event(12, Policy::usual()).await);
        }
        let ids = Arc::new(ids);
        house.store.transactions.store(0, Ordering::SeqCst);
        let started = Instant::now();
        let tasks: Vec<_> = (0..IN_FLIGHT)
            .map(|t| {
                let (house, ids) = (house.clone(), ids.clone());
                tokio::spawn(async move {
                    for n in 0..total / IN_FLIGHT {
                        let event = ids[(t + n * IN_FLIGHT) % ids.len()];
                        house.sign_up(event, 1 + (n as u32 % 3) / 2, Uuid::new_v4()).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let rate = (total / IN_FLIGHT * IN_FLIGHT) as f64 / started.elapsed().as_secs_f64();
        println!(
            "{name:9} {what:13} {rate:>7.0}/s in {} transactions",
            house.store.transactions.load(Ordering::SeqCst)
        );
    }
}
