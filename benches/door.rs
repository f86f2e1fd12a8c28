//! The door and the list, without the wire: check-ins a second on one event, each a scan of its own under its own
//! request id, decided, written and committed before it is answered; and the list of a session of 20 people, which is
//! one entry and one transaction. On each database. Aims: 1,000 check-ins a second on two cores; a list within 50 ms.
//! `cargo bench --bench door [-- sqlite|postgres]`, or `make bench-door`.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod databases;
#[path = "../tests/desk/faulty.rs"]
#[allow(dead_code)]
mod faulty;
#[path = "../tests/desk/house.rs"]
#[allow(dead_code)]
mod house;

use eile::admission::{AtDoor, GivenMark, MarkList, Verb, WhichRegistration, WhichSession};
use eile::model::attendance::{Mark, MemberNo};
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
/// Lists that are entered one after the other, each of this many people.
const LISTS: u32 = 200;
const PEOPLE: u32 = 20;
/// For 99 of 100 lists, in milliseconds.
const LIST_AIM: f64 = 50.0;

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
        println!("{name:9} {round:13} {rate:>7.0}/s, aim {AIM:.0}/s {}", verdict(rate >= AIM));
    }
    let counts = house.desk.read(event, |view| view.roster.session_counts().next().unwrap()).await.unwrap();
    assert_eq!(counts.present, 2 * PARTIES, "everybody once");
    lists(name, &house).await;
}

fn verdict(reached: bool) -> &'static str {
    if reached { "reached" } else { "NOT reached" }
}

/// A group's list, entered and corrected again and again.
async fn lists(name: &str, house: &House) {
    let event = house.event(PEOPLE, Policy::usual()).await;
    for _ in 0..PEOPLE / 2 {
        house.sign_up(event, 2, Uuid::new_v4()).await.unwrap();
    }
    house.clock.move_to(house::FIRST_EVENING);
    let before = house.desk.read(event, |view| view.roster.journal_number).await.unwrap();
    let mut took: Vec<f64> = Vec::with_capacity(LISTS as usize);
    for n in 0..LISTS {
        let mark = if n % 2 == 0 { Mark::Present } else { Mark::Absent };
        let list = Verb::RecordAttendance(Box::new(MarkList::on_paper("s1", everybody(mark))));
        let started = Instant::now();
        house.ask(event, list).await.unwrap();
        took.push(started.elapsed().as_secs_f64() * 1_000.0);
    }
    let after = house.desk.read(event, |view| view.roster.journal_number).await.unwrap();
    assert_eq!(after - before, u64::from(LISTS), "one entry for each list");
    took.sort_by(f64::total_cmp);
    let (median, p99) = (took[took.len() / 2], took[took.len() * 99 / 100]);
    let verdict = verdict(p99 <= LIST_AIM);
    println!(
        "{name:9} a list of {PEOPLE}, one entry: median {median:.1} ms, p99 {p99:.1} ms, aim {LIST_AIM:.0} ms {verdict}"
    );
}

fn everybody(mark: Mark) -> Vec<GivenMark> {
    let members = (1..=PEOPLE / 2).flat_map(|number| [1, 2].map(|member: MemberNo| (number, member)));
    let line =
        |(number, member)| GivenMark { who: WhichRegistration { number, id: None }, member, mark, minutes: None };
    members.map(line).collect()
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
