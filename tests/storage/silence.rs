//! A database that falls silent: the wire is there, and nothing comes back over it. What the server bounds does not help
//! here, and on SQLite there is no wire.

use crate::clerk::{self, Clerk};
use crate::findings::on_postgres::{cluster, settled};
use crate::places::Place;
use crate::proxy::{Cut, Wire};
use crate::samples::{contact, minutes, sign_up};
use eile::admission::Answer;
use eile::storage::{Fresh, Lock, Options, Store, StoreError};
use futures_util::future::{OptionFuture, join_all};
use sqlx::{Connection, PgConnection};
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

const PATIENCE: Duration = Duration::from_secs(1);

/// A store at the end of a wire, with as many connections of either kind.
async fn wired(place: &Place, connections: u32) -> (Arc<Wire>, Arc<dyn Store>) {
    let wire = Wire::to(cluster().await.port()).await;
    let name = place.url.rsplit('/').next().unwrap();
    let url = format!("postgres://eile@127.0.0.1:{}/{name}", wire.port);
    let options = Options { writers: connections, readers: connections, patience: PATIENCE, ..Options::default() };
    (Arc::new(wire), eile::storage::open(&url, options).await.unwrap())
}

/// A transaction amid which the wire falls silent: it has the lock and has decided, and nothing of it arrives.
async fn cut_off(wire: &Arc<Wire>, clerk: &Clerk, n: u64) -> JoinHandle<Result<(), StoreError>> {
    let (fell, silence) = oneshot::channel();
    let (hush, mut memory) = (Arc::clone(wire), clerk.remembered());
    let work = move |_: Vec<Fresh>| {
        hush.fall_silent();
        fell.send(()).unwrap();
        clerk::decide(&mut memory, &[sign_up(1, contact(n))], minutes(2)).1.into_iter().collect()
    };
    // Asked first: a batch that is decided from memory has no connection yet, and may get one that speaks.
    let (store, lock) = (Arc::clone(&clerk.store), Lock { ask: true, ..clerk.lock() });
    let call = tokio::spawn(async move { store.transact(vec![lock], Box::new(work)).await });
    silence.await.unwrap();
    call
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_falls_silent_holds_nobody_longer_than_the_patience() {
    let place = Place::postgres().await;
    let (wire, store) = wired(&place, 2).await;
    let clerk = Clerk::at_open(&store, None).await;
    let events = [clerk.lock().event];
    for n in 0..6 {
        // It falls silent amid a transaction, and while nobody uses it.
        let amid = if n % 2 == 0 { Some(cut_off(&wire, &clerk, 100 + n).await) } else { None };
        if amid.is_none() {
            wire.fall_silent();
        }
        let calls = async {
            tokio::join!(
                OptionFuture::from(amid),
                clerk.hand_in(vec![sign_up(1, contact(n))]),
                store.journal_numbers(&events)
            )
        };
        let (lost, written, read) = tokio::time::timeout(4 * PATIENCE, calls).await.expect("silence holds somebody");
        let lost = lost.map(|call| call.unwrap().expect_err("it was committed over a silent wire"));
        for error in [lost, written.err(), read.err()].into_iter().flatten() {
            let may_be_told =
                matches!(error, StoreError::Unavailable(_) | StoreError::GaveWay(_) | StoreError::Unknown(_));
            assert!(may_be_told, "{error}");
        }
        // What fell silent was given up: the next find connections that speak, and no seat in the pool is lost.
        clerk.hand_in(vec![sign_up(1, contact(10 + n))]).await.unwrap();
        let all_at_once = (0..8).map(|_| store.journal_numbers(&events));
        assert!(join_all(all_at_once).await.iter().all(Result::is_ok));
        clerk.check().await;
    }
    let mut watcher = PgConnection::connect(&place.url).await.unwrap();
    settled(&mut watcher).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silence_after_a_commit_says_nothing_of_its_outcome() {
    let place = Place::postgres().await;
    let (wire, store) = wired(&place, 1).await;
    let clerk = Clerk::at_open(&store, None).await;
    for at_once in [false, true] {
        let command = sign_up(1, contact(u64::from(at_once)));
        if at_once {
            clerk.hand_in(vec![sign_up(1, contact(10))]).await.unwrap();
            wire.cut_next_at_once(Cut::SilentAfterCommit);
        } else {
            clerk.forget();
            wire.cut_next(Cut::SilentAfterCommit);
        }
        let error = clerk.hand_in(vec![command.clone()]).await.unwrap_err();
        assert!(matches!(error, StoreError::Unknown(_)), "{error}");
        let answers = clerk.hand_in(vec![command]).await.unwrap();
        assert!(matches!(answers[..], [Answer::Replayed(_)]));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_arrives_after_its_time_does_nothing() {
    let place = Place::postgres().await;
    let (wire, store) = wired(&place, 1).await;
    let clerk = Clerk::at_open(&store, None).await;
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    wire.cut_next_at_once(Cut::Late);
    let error = clerk.hand_in(vec![sign_up(1, contact(2))]).await.unwrap_err();
    assert!(matches!(error, StoreError::Unknown(_)), "{error}");
    // Whoever asks again meanwhile learns that nothing was written, and may be told no: so it has to stay so.
    tokio::time::sleep(Duration::from_secs(3)).await;
    clerk.forget();
    assert_eq!(clerk.check().await.counts.confirmed.parties, 1);
}
