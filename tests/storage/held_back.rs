//! A transaction that has written and not yet committed, while later ones do: whoever reads the change feed
//! meanwhile must see it afterwards. PostgreSQL only: there is one writer on SQLite.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{contact, minutes, sign_up};
use eile::admission::{Command, Request, Verb};
use eile::model::registration::ActorKind;
use eile::storage::{FeedQuery, FeedRow, Store};
use sqlx::{Connection, Executor, PgConnection};
use std::time::Duration;

async fn behind(store: &dyn Store, after: u64) -> Vec<FeedRow> {
    let until = store.feed_end().await.unwrap();
    store.feed(&FeedQuery { after, until, entries_max: 1000, ..Default::default() }).await.unwrap().rows
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_is_held_back_is_seen_by_whoever_read_on_meanwhile() {
    let place = Place::postgres().await;
    let other = place.another().await;
    let slow = Clerk::at_open(&place.store, None).await;
    let quick = Clerk::at_open(&other, None).await;
    let start = place.store.feed_end().await.unwrap();

    // Somebody holds the very row of `requests` that the slow one writes last: its journal is written by then.
    let request = Request { key: 77, fingerprint: 7 };
    let mut holder = PgConnection::connect(&place.url).await.unwrap();
    holder.execute("begin").await.unwrap();
    sqlx::query("insert into requests (event_id, request_key, fingerprint, number, journal_number, outcome) values ($1, $2, 7, 0, 0, '')")
        .bind(slow.event.0)
        .bind(uuid::Uuid::from_u128(request.key))
        .execute(&mut holder)
        .await
        .unwrap();
    let event = slow.event;
    let held = tokio::spawn(async move {
        let cancel = Command { actor: ActorKind::Staff, request: Some(request), verb: Verb::CancelEvent };
        slow.hand_in_at(vec![cancel], minutes(5)).await.unwrap();
    });
    until_someone_waits(&place.url).await;

    let mut seen = Vec::new();
    for n in 0..3 {
        quick.hand_in_at(vec![sign_up(1, contact(n))], minutes(10 + n as i64)).await.unwrap();
        let after = seen.last().map_or(start, |row: &FeedRow| row.position);
        seen.extend(behind(if n == 1 { other.as_ref() } else { place.store.as_ref() }, after).await);
    }
    assert!(!held.is_finished());
    assert_eq!(seen.iter().filter(|row| row.event == quick.event).count(), 3, "nobody waits for the one held back");
    assert!(seen.iter().all(|row| row.event != event), "what is not committed is not told");

    holder.execute("rollback").await.unwrap();
    held.await.unwrap();
    let after = seen.last().unwrap().position;
    let late = behind(other.as_ref(), after).await;
    assert_eq!(late.len(), 1, "it is told of when it is committed");
    assert_eq!((late[0].event, late[0].position), (event, after + 1));
    // Whoever starts at its time finds it, although later ones stand before it.
    let found = other.feed_before(minutes(5), after + 1).await.unwrap();
    assert!(found < after + 1);
    assert_eq!(behind(other.as_ref(), after + 1).await.len(), 0, "and once only");
}

/// Waits until a transaction waits for another.
async fn until_someone_waits(url: &str) {
    let mut watcher = PgConnection::connect(url).await.unwrap();
    for _ in 0..200 {
        let waiting: bool = sqlx::query_scalar(
            "select exists (select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock')",
        )
        .fetch_one(&mut watcher)
        .await
        .unwrap();
        if waiting {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody waits");
}
