//! The desk alone, without the wire: sign-ups a second on one hot event and over many.
#![allow(clippy::unwrap_used, clippy::expect_used)]

#[path = "../tests/desk/faulty.rs"]
#[allow(dead_code)]
mod faulty;
#[path = "../tests/desk/house.rs"]
#[allow(dead_code)]
mod house;

use eile::model::policy::Policy;
use house::House;
use std::time::Instant;
use uuid::Uuid;

#[tokio::main(worker_threads = 2)]
async fn main() {
    let url = std::env::args().nth(1).filter(|a| a.contains(':')).unwrap_or_else(|| "sqlite:/tmp/deskbench/eile.db".into());
    let store = eile::storage::open(&url, eile::storage::Options::default()).await.unwrap();
    let house = std::sync::Arc::new(House::over(store, url.starts_with("postgres")).await);
    for (name, events, total) in [("hot", 1usize, 60_000usize), ("hot", 1, 60_000), ("1000 events", 1000, 40_000)] {
        let mut ids = Vec::new();
        for _ in 0..events {
            ids.push(house.event(12, Policy::usual()).await);
        }
        let ids = std::sync::Arc::new(ids);
        let started = Instant::now();
        let tasks: Vec<_> = (0..1024)
            .map(|t| {
                let (house, ids) = (house.clone(), ids.clone());
                tokio::spawn(async move {
                    for n in 0..total / 1024 {
                        house.sign_up(ids[(t + n * 1024) % ids.len()], 1 + (n as u32 % 3) / 2, Uuid::new_v4()).await.unwrap();
                    }
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let took = started.elapsed().as_secs_f64();
        println!("{name}: {:.0}/s, {} transactions", (total / 1024 * 1024) as f64 / took, house.store.transactions.swap(0, std::sync::atomic::Ordering::SeqCst));
    }
}
