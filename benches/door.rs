//! The door alone, without the wire: check-ins a second on one event, each a scan of its own under its own request id,
//! decided, written and committed before it is answered. On each database. Aim: 1,000 a second on two cores.
//! `cargo bench --bench door [-- sqlite|postgres]`
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod databases;
#[path = "../tests/desk/faulty.rs"]
#[allow(dead_code)]
mod faulty;
#[path = "../tests/desk/house.rs"]
#[allow(dead_code)]
mod house;

use eile::admission::{AtDoor, Verb, WhichRegistration, WhichSession};
use eile::model::id::{EventId, Number};
use eile::model::policy::Policy;
use house::House;
use std::sync::Arc;
use std::time::Instant;
use uuid::Uuid;

const PARTIES: u32 = 4_000;
/// Devices at the door, each with one scan in flight.
const DEVICES: u32 = 64;
const AIM: f64 = 1_000.0;

#[tokio::main(worker_threads = 2)]
async fn main() {
    databases::on_each(measure).await;
}

async fn measure(name: &str, url: &str) {
    let store = eile::storage::open(url, eile::storage::Options::default()).await.unwrap();
    let house = Arc::new(House::over(store, name == "postgres").await);
    let event = house.event(2 * PARTIES, Policy::usual()).await;
    each(&house, 0..PARTIES, move |house, _| async move {
        house.sign_up(event, 2, Uuid::new_v4()).await.unwrap();
    })
    .await;
    for round in ["first scans", "second scans"] {
        let started = Instant::now();
        each(&house, 1..PARTIES + 1, move |house, number| check_in(house, event, number)).await;
        let rate = f64::from(PARTIES) / started.elapsed().as_secs_f64();
        let verdict = if rate >= AIM { "reached" } else { "NOT reached" };
        println!("{name:9} {round:13} {rate:>7.0}/s, aim {AIM:.0}/s {verdict}");
    }
    let counts = house.desk.read(event, |view| view.roster.session_counts().next().unwrap()).await.unwrap();
    assert_eq!(counts.present, 2 * PARTIES, "everybody once");
}

/// Does it for each number, with as many in flight as there are devices.
async fn each<F: Future<Output = ()> + Send + 'static>(
    house: &Arc<House>,
    numbers: std::ops::Range<u32>,
    act: impl Fn(Arc<House>, u32) -> F + Copy + Send + 'static,
) {
    let tasks: Vec<_> = (0..DEVICES)
        .map(|device| {
            let (house, numbers) = (Arc::clone(house), numbers.clone());
            tokio::spawn(async move {
                for number in numbers.skip(device as usize).step_by(DEVICES as usize) {
                    act(Arc::clone(&house), number).await;
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

async fn check_in(house: Arc<House>, event: EventId, number: Number) {
    let scan = AtDoor {
        who: WhichRegistration { number, id: None },
        session: WhichSession::Named("s1".into()),
        members: Vec::new(),
        happened_at: house::FIRST_EVENING,
    };
    let done = house.ask(event, Verb::CheckIn(Box::new(scan))).await.unwrap();
    assert!(done.entry.is_some());
}
