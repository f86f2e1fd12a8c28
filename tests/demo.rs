//! The demo's year, played in-process over gRPC: everything agrees afterwards, and the figures that the
//! service is about come out of it, whatever the seed.
#![allow(clippy::unwrap_used, clippy::expect_used)]

use eile::demo::{House, Outcome, disagreements, parenting, report};

const ANY_PORT: ([u8; 4], u16) = ([127, 0, 0, 1], 0);

async fn played(centres: &[&str], seed: u64) -> Outcome {
    let folder = tempfile::tempdir().unwrap();
    let house = House::open(folder.path(), ANY_PORT.into(), centres).await.unwrap();
    let outcome = house.play(seed).await.unwrap();
    house.close().await;
    outcome
}

/// Seats as published against persons who asked, by municipality.
fn sides(outcome: &Outcome) -> Vec<(String, i32, i32)> {
    let sides = parenting::sides(&outcome.played, false).into_iter();
    sides.map(|s| (s.municipality, s.seats, s.asked)).collect()
}

fn side(municipality: &str, seats: i32, asked: i32) -> (String, i32, i32) {
    (municipality.to_owned(), seats, asked)
}

fn everything_agrees(outcome: &Outcome) {
    assert!(outcome.checked.is_clean(), "{}\n{}", outcome.checked, outcome.differences.join("\n"));
    assert_eq!(outcome.played.tally.failures, Vec::<String>::new());
    assert_eq!(disagreements(&outcome.played), Vec::<String>::new());
    let unexpected: Vec<_> = outcome.played.runs.iter().flat_map(|r| &r.notes.unexpected).collect();
    assert!(unexpected.is_empty(), "{unexpected:#?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_whole_year_is_played_and_everything_agrees() {
    let outcome = played(&[], 2025).await;
    everything_agrees(&outcome);
    assert_eq!(outcome.checked.events, 69);
    assert_eq!(sides(&outcome), [side("42", 78, 451), side("49", 36, 15), side("41", 36, 94), side("85", 22, 26)]);
    let told = report(&outcome.played);
    assert!(told.contains("78 : 451") && told.contains("36 : 15"), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_seed_plays_another_year_with_the_same_imbalance() {
    let outcome = played(&["C-ELK", "C-KAI"], 7).await;
    everything_agrees(&outcome);
    assert_eq!(sides(&outcome), [side("42", 78, 451), side("49", 36, 15)]);
}
