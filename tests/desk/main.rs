//! The desk over both databases: what is told only after the commit, what happens when the commit fails or
//! its answer is lost, replays, two desks on one database, sweeping, draining.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod faulty;
mod house;
mod ledger;
#[path = "../support/postgres.rs"]
mod postgres;

use eile::desk::DeskError;
use eile::model::policy::{Policy, Promotion};
use eile::model::registration::StateKind;
use eile::model::time::Span;
use eile::storage::Store;
use faulty::Fault;
use house::{House, START};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use uuid::Uuid;

/// Runs a case on SQLite and on PostgreSQL.
macro_rules! on_both {
    ($($name:ident($house:ident) $body:block)*) => {$(
        mod $name {
            use super::*;
            async fn case($house: House) $body

            #[tokio::test(flavor = "multi_thread")]
            async fn on_sqlite() {
                let folder = tempfile::tempdir().unwrap();
                let store = sqlite(&folder).await;
                case(House::over(Arc::clone(&store), false).await).await;
                store.close().await;
            }

            #[tokio::test(flavor = "multi_thread")]
            async fn on_postgres() {
                let cluster = cluster();
                let store = postgres(&cluster).await;
                case(House::over(Arc::clone(&store), true).await).await;
                store.close().await;
            }
        }
    )*};
}

on_both! {
    nobody_is_told_before_the_commit_returned(house) {
        let event = house.event(12, Policy::usual()).await;
        let id = Uuid::new_v4();
        let permits = house.store.gate.available_permits();
        house.store.gate.forget_permits(permits);
        let waiting = tokio::spawn(submit(&house, house.sign_up_job(event, 1, id)));
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!waiting.is_finished(), "answered while the commit was held back");
        house.store.gate.add_permits(10);
        assert_eq!(waiting.await.unwrap().unwrap().outcome.state, Some(StateKind::Confirmed));
        house.check(event).await;
    }

    each_line_tells_how_many_wait_behind_a_commit_that_hangs(house) {
        let event = house.event(12, Policy::usual()).await;
        assert!(house.desk.waiting().iter().all(|n| *n == 0));
        let permits = house.store.gate.available_permits();
        house.store.gate.forget_permits(permits);
        let mut calls = vec![tokio::spawn(submit(&house, house.sign_up_job(event, 1, Uuid::new_v4())))];
        tokio::time::sleep(Duration::from_millis(300)).await;
        calls.extend((0..5).map(|_| tokio::spawn(submit(&house, house.sign_up_job(event, 1, Uuid::new_v4())))));
        tokio::time::sleep(Duration::from_millis(300)).await;
        let mut waiting = house.desk.waiting();
        waiting.retain(|n| *n > 0);
        assert_eq!(waiting, [5], "the event has one line, and the first of the six is being served");
        house.store.gate.add_permits(100);
        for call in calls {
            call.await.unwrap().unwrap();
        }
        assert!(house.desk.waiting().iter().all(|n| *n == 0));
    }

    a_failed_commit_is_told_to_everybody_and_leaves_nothing(house) {
        let event = house.event(12, Policy::usual()).await;
        house.store.next(&[Fault::FailBeforeCommit]);
        let told = house.sign_up(event, 1, Uuid::new_v4()).await;
        assert!(matches!(told, Err(DeskError::Unavailable)), "{told:?}");
        assert_eq!(house.check(event).await.len(), 0);
        let next = house.sign_up(event, 1, Uuid::new_v4()).await.unwrap();
        assert_eq!(next.outcome.number, 1, "the failed one took no number");
        house.check(event).await;
    }

    a_batch_that_gave_way_is_decided_again(house) {
        let event = house.event(12, Policy::usual()).await;
        house.store.next(&[Fault::GiveWay, Fault::GiveWay]);
        let told = house.sign_up(event, 2, Uuid::new_v4()).await.unwrap();
        assert_eq!(told.outcome.state, Some(StateKind::Confirmed));
        assert_eq!(house.check(event).await.counts.confirmed.persons, 2);
    }

    a_replay_is_answered_as_first_and_has_one_effect(house) {
        let event = house.event(1, Policy::usual()).await;
        let (first, second) = (Uuid::new_v4(), Uuid::new_v4());
        house.sign_up(event, 1, first).await.unwrap();
        let waiting = house.sign_up(event, 1, second).await.unwrap();
        house.cancel(event, 1).await.unwrap();
        let again = house.sign_up(event, 1, second).await.unwrap();
        assert!(again.replayed);
        assert_eq!(again.outcome, waiting.outcome, "as first answered, though it has its seat by now");
        assert_eq!(again.standing.unwrap().state.kind(), StateKind::Confirmed);
        let roster = house.check(event).await;
        assert_eq!((roster.len(), roster.counts.confirmed.persons), (2, 1));
    }

    a_request_id_counts_within_its_event_only(house) {
        let (one, other) = (house.event(5, Policy::usual()).await, house.event(5, Policy::usual()).await);
        let id = Uuid::new_v4();
        house.sign_up(one, 1, id).await.unwrap();
        let there = house.sign_up(other, 1, id).await.unwrap();
        assert!(!there.replayed, "another event's answer was given");
        let roster = house.check(other).await;
        assert_eq!(roster.counts.confirmed.persons, 1);
        assert_ne!(house.keys.request_key("a", id), house.keys.request_key("b", id));
    }

    what_was_acknowledged_is_there_after_everything_in_memory_is_gone(house) {
        let event = house.event(2, Policy::usual()).await;
        let ids: Vec<Uuid> = (0..4).map(|_| Uuid::new_v4()).collect();
        let mut told = Vec::new();
        for id in &ids {
            told.push(house.sign_up(event, 1, *id).await.unwrap().outcome);
        }
        let cancel = Uuid::new_v4();
        let verb = || eile::admission::Verb::Cancel { number: 1, reason: eile::model::registration::CancelReason::Other };
        let cancelled = house.ask_as(event, verb(), cancel).await.unwrap().outcome;
        // Another desk over the same rows knows nothing but what is stored.
        let other = House::over(house.store.clone(), false).await;
        for (id, outcome) in ids.iter().zip(&told) {
            let again = other.sign_up(event, 1, *id).await.unwrap();
            assert_eq!((again.replayed, &again.outcome), (true, outcome));
        }
        let again = other.ask_as(event, verb(), cancel).await.unwrap();
        assert_eq!((again.replayed, again.outcome), (true, cancelled));
        other.check(event).await;
    }

    a_transfer_is_in_both_journals_or_in_neither(house) {
        let (from, to) = (house.event(1, Policy::usual()).await, house.event(1, Policy::usual()).await);
        house.sign_up(from, 1, Uuid::new_v4()).await.unwrap();
        house.sign_up(from, 1, Uuid::new_v4()).await.unwrap();
        let id = Uuid::new_v4();
        let job = || house.transfer_job(from, 1, to, id);
        house.store.next(&[Fault::FailBeforeCommit]);
        assert!(house.desk.transfer(job().await).await.is_err());
        assert_eq!((house.check(from).await.counts.transferred.parties, house.check(to).await.len()), (0, 0));
        let job = house.transfer_job(from, 1, to, id).await;
        let moved = house.desk.transfer(job).await.unwrap();
        assert_eq!(moved.target.outcome.state, Some(StateKind::Confirmed));
        let left = house.check(from).await;
        assert_eq!(left.counts.transferred.parties, 1);
        assert_eq!(left.counts.confirmed.persons, 1, "the freed seat moved on in the same transaction");
        house.check(to).await;
        let mut again = house.transfer_job(from, 2, to, id).await;
        again.number = 1;
        let again = house.desk.transfer(again).await.unwrap();
        assert_eq!((again.target.outcome, again.source.outcome), (moved.target.outcome, moved.source.outcome));
        assert_eq!(house.check(to).await.len(), 1);
    }

    a_transfer_that_the_target_refuses_changes_neither(house) {
        let from = house.event(1, Policy::usual()).await;
        let to = house.event(1, Policy { waitlist_limit: Some(0), ..Policy::usual() }).await;
        house.sign_up(from, 1, Uuid::new_v4()).await.unwrap();
        house.sign_up(to, 1, Uuid::new_v4()).await.unwrap();
        let job = house.transfer_job(from, 1, to, Uuid::new_v4()).await;
        assert!(matches!(house.desk.transfer(job).await, Err(DeskError::Refused(..))));
        assert_eq!(house.check(from).await.counts.confirmed.parties, 1);
        assert_eq!(house.check(to).await.len(), 1);
    }

    a_caller_who_went_away_changes_nothing(house) {
        let event = house.event(100, Policy::usual()).await;
        let ids: Vec<Uuid> = (0..100).map(|_| Uuid::new_v4()).collect();
        for id in &ids {
            let call = submit(&house, house.sign_up_job(event, 1, *id));
            // Polled once, so that it is handed in, and dropped.
            let _ = tokio::time::timeout(Duration::from_micros(50), call).await;
        }
        for id in &ids {
            house.sign_up(event, 1, *id).await.unwrap();
        }
        let roster = house.check(event).await;
        assert_eq!((roster.len(), roster.counts.confirmed.persons), (100, 100));
    }

    offers_expire_by_themselves_and_the_seat_moves_on(house) {
        let policy = Policy { promotion: Promotion::Offer, quiet_hours: None, ..Policy::usual() };
        let event = house.event(1, policy).await;
        for _ in 0..3 {
            house.sign_up(event, 1, Uuid::new_v4()).await.unwrap();
        }
        house.cancel(event, 1).await.unwrap();
        house.clock.advance(Span::hours(48));
        house.desk.sweep_now().await;
        house.desk.sweep_now().await;
        let roster = house.check(event).await;
        assert_eq!((roster.counts.expired.parties, roster.counts.offered.parties), (1, 1));
        assert_eq!((roster.counts.offers_made, roster.counts.offers_missed), (2, 1));
        assert!(house.store.due_events(START.plus(Span::hours(48)), 10).await.unwrap().is_empty());
    }

    whoever_is_inside_when_the_door_closes_is_served(house) {
        let event = house.event(1000, Policy::usual()).await;
        let calls: Vec<_> = (0..200)
            .map(|_| tokio::spawn(submit(&house, house.sign_up_job(event, 1, Uuid::new_v4()))))
            .collect();
        tokio::time::sleep(Duration::from_millis(5)).await;
        house.desk.drain().await;
        let mut served = 0;
        for call in calls {
            match call.await.unwrap() {
                Ok(_) => served += 1,
                Err(DeskError::Draining) => {}
                Err(other) => panic!("{other:?}"),
            }
        }
        let roster = house.check(event).await;
        assert_eq!(roster.len(), served);
        assert!(matches!(house.sign_up(event, 1, Uuid::new_v4()).await, Err(DeskError::Draining)));
    }

    a_watcher_is_woken_by_each_commit(house) {
        let event = house.event(1, Policy::usual()).await;
        let mut watch = house.desk.watch(event).await.unwrap();
        let before = *watch.borrow_and_update();
        house.sign_up(event, 1, Uuid::new_v4()).await.unwrap();
        tokio::time::timeout(Duration::from_secs(5), watch.changed()).await.unwrap().unwrap();
        assert!(*watch.borrow() > before);
    }

    an_event_that_does_not_exist_leaves_nothing_and_takes_no_turn(house) {
        let event = house.event(5, Policy::usual()).await;
        house.sign_up(event, 1, Uuid::new_v4()).await.unwrap();
        let known = house.desk.events_in_memory();
        let before = house.store.transactions.load(Ordering::SeqCst);
        for _ in 0..50 {
            let nowhere = eile::model::id::EventId(Uuid::new_v4());
            assert!(matches!(house.desk.read(nowhere, |_| ()).await, Err(DeskError::EventNotFound)));
            assert!(matches!(house.sign_up(nowhere, 1, Uuid::new_v4()).await, Err(DeskError::EventNotFound)));
            // The source of a transfer exists, and its target does not.
            let job = house.transfer_job(event, 1, nowhere, Uuid::new_v4()).await;
            assert!(house.desk.transfer(job).await.is_err());
        }
        assert_eq!(house.desk.events_in_memory(), known);
        assert_eq!(house.store.transactions.load(Ordering::SeqCst) - before, 50, "only the transfers came to the desk");
    }

    an_erasure_that_was_refused_leaves_no_note_that_acts(house) { ledger::refused(house).await; }

    an_erasure_that_turns_from_whole_into_part_is_noted_as_it_was_done(house) { ledger::turned(house).await; }

    an_erasure_of_which_nobody_knows_stays_noted(house) { ledger::unknown(house).await; }

    commands_that_wait_together_share_one_transaction(house) {
        let event = house.event(1000, Policy::usual()).await;
        let before = house.store.transactions.load(Ordering::SeqCst);
        let calls: Vec<_> = (0..500)
            .map(|_| tokio::spawn(submit(&house, house.sign_up_job(event, 1, Uuid::new_v4()))))
            .collect();
        for call in calls {
            call.await.unwrap().unwrap();
        }
        let transactions = house.store.transactions.load(Ordering::SeqCst) - before;
        assert!(transactions < 250, "{transactions} transactions for 500 sign-ups");
        house.check(event).await;
    }
}

/// A lost answer at the commit is settled by the request ids, on a database that several write to.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_commit_is_settled_by_the_request_ids() {
    let cluster = cluster();
    let store = postgres(&cluster).await;
    let house = House::over(Arc::clone(&store), true).await;
    let event = house.event(3, Policy::usual()).await;
    house.store.next(&[Fault::LoseAnswer]);
    let told = house.sign_up(event, 2, Uuid::new_v4()).await.unwrap();
    assert_eq!((told.replayed, told.outcome.number), (true, 1), "the first try had been written");
    house.store.next(&[Fault::LoseAnswer]);
    house.cancel(event, 1).await.unwrap();
    let roster = house.check(event).await;
    assert_eq!((roster.len(), roster.counts.cancelled.parties), (1, 1));
}

/// Where one process owns the file, a commit without an answer means that the disk failed.
#[tokio::test(flavor = "multi_thread")]
async fn an_unknown_commit_on_the_own_disk_stops_the_desk() {
    let folder = tempfile::tempdir().unwrap();
    let store = sqlite(&folder).await;
    let house = House::over(store, false).await;
    let event = house.event(3, Policy::usual()).await;
    house.store.next(&[Fault::LoseAnswer]);
    let told = house.sign_up(event, 2, Uuid::new_v4()).await;
    assert!(matches!(told, Err(DeskError::OutcomeUnknown)), "{told:?}");
    assert!(house.desk.fatal().is_cancelled());
    assert!(house.sign_up(event, 1, Uuid::new_v4()).await.is_err(), "nothing is taken any more");
}

/// Two desks, each with its own memory, on one database: seats are never given twice, and nothing is lost.
#[tokio::test(flavor = "multi_thread")]
async fn two_instances_on_one_database_never_give_a_seat_twice() {
    let cluster = cluster();
    let (store, other) = (postgres(&cluster).await, postgres(&cluster).await);
    let houses = [House::over(store, true).await, House::over(other, true).await];
    let event = houses[0].event(7, Policy::usual()).await;
    let mut calls = Vec::new();
    for n in 0..300u32 {
        let house = &houses[n as usize % 2];
        calls.push(tokio::spawn(submit(house, house.sign_up_job(event, 1 + n % 2, Uuid::new_v4()))));
        if n % 25 == 24 {
            let live: Vec<_> = house
                .desk
                .read(event, |v| v.roster.standings().filter(|s| s.state.is_live()).map(|s| s.number).collect())
                .await
                .unwrap();
            if let Some(number) = live.first() {
                // May have been cancelled by the other desk's round already.
                let _ = house.cancel(event, *number).await;
            }
        }
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let roster = houses[0].check(event).await;
    assert_eq!(roster.counts.applied().parties, 300);
    for house in &houses {
        let seen = house.desk.read(event, |v| v.roster.journal_number).await.unwrap();
        assert_eq!(seen, roster.journal_number, "each instance reads what is committed");
    }
}

/// Both sweep at once; each offer expires once.
#[tokio::test(flavor = "multi_thread")]
async fn two_sweepers_expire_each_offer_once() {
    let cluster = cluster();
    let (store, other) = (postgres(&cluster).await, postgres(&cluster).await);
    let houses = [House::over(store, true).await, House::over(other, true).await];
    let policy = Policy { promotion: Promotion::Offer, quiet_hours: None, ..Policy::usual() };
    let event = houses[0].event(5, policy).await;
    for _ in 0..20 {
        houses[0].sign_up(event, 1, Uuid::new_v4()).await.unwrap();
    }
    for number in 1..=5 {
        houses[1].cancel(event, number).await.unwrap();
    }
    for round in 1..=3u32 {
        for house in &houses {
            house.clock.move_to(START.plus(Span::hours(49 * i64::from(round))));
        }
        tokio::join!(houses[0].desk.sweep_now(), houses[1].desk.sweep_now());
        let roster = houses[0].check(event).await;
        assert_eq!(roster.counts.expired.parties, (5 * round).min(15));
    }
}

async fn sqlite(folder: &tempfile::TempDir) -> Arc<dyn Store> {
    let url = format!("sqlite://{}", folder.path().join("eile.db").display());
    eile::storage::open(&url, eile::storage::Options::default()).await.unwrap()
}

async fn postgres(cluster: &postgres::Cluster) -> Arc<dyn Store> {
    eile::storage::open(&cluster.url(), eile::storage::Options::default()).await.unwrap()
}

/// A call that outlives whoever made it.
fn submit(
    house: &House,
    job: eile::desk::Job,
) -> impl Future<Output = Result<eile::desk::Done, DeskError>> + Send + use<> {
    let desk = house.desk.clone();
    async move { desk.submit(job).await }
}

fn cluster() -> postgres::Cluster {
    postgres::Cluster::start()
}
