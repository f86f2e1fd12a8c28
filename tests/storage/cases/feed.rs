//! The change feed of storage: every batch of every event has one place, for good.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{asked, contact, created, event, minutes, open_request, sign_up};
use eile::admission::{Entry, Roster, Verb};
use eile::model::id::{CentreId, EventId, ProgrammeId};
use eile::model::registration::CancelReason;
use eile::storage::{FeedQuery, FeedRow, Store};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Reads the feed to its end, `step` positions and `entries` entries at a time.
async fn read(store: &dyn Store, query: &FeedQuery, step: u64, entries: u64) -> Vec<FeedRow> {
    let end = store.feed_end().await.unwrap();
    let (mut rows, mut at) = (Vec::new(), query.after);
    while at < end {
        let query = FeedQuery { after: at, until: end.min(at + step), entries_max: entries, ..query.clone() };
        let page = store.feed(&query).await.unwrap();
        assert!(page.reached > at && page.reached <= query.until, "it goes on");
        assert!(page.rows.iter().all(|row| row.position > at && row.position <= page.reached));
        at = page.reached;
        rows.extend(page.rows);
    }
    rows
}

async fn all(store: &dyn Store) -> Vec<FeedRow> {
    read(store, &FeedQuery::default(), 1000, 1000).await
}

/// The journals that the rows make up; fails where an entry comes twice, too early or not at all.
fn journals(rows: &[FeedRow]) -> BTreeMap<EventId, Vec<Entry>> {
    let mut journals: BTreeMap<EventId, Vec<Entry>> = BTreeMap::new();
    for row in rows {
        let journal = journals.entry(row.event).or_default();
        for entry in &row.entries {
            assert_eq!(entry.number, journal.len() as u64 + 1, "{:?} at {}", row.event, row.position);
            journal.push(entry.clone());
        }
    }
    journals
}

async fn assert_whole(store: &dyn Store, rows: &[FeedRow]) {
    assert!(rows.iter().zip(1..).all(|(row, position)| row.position == position), "positions have no gap");
    let told = journals(rows);
    let events = store.event_ids(None, None, 10_000).await.unwrap();
    assert_eq!(told.keys().copied().collect::<Vec<_>>(), events);
    for event in events {
        assert_eq!(told[&event], store.journal(event, 1, u32::MAX).await.unwrap());
    }
}

fn shape(rows: &[FeedRow]) -> Vec<(u64, EventId, u64, usize)> {
    rows.iter().map(|row| (row.position, row.event, row.entries[0].number, row.entries.len())).collect()
}

pub async fn every_batch_has_one_place_and_keeps_it(place: Place) {
    let store = place.store.as_ref();
    assert_eq!(store.feed_end().await.unwrap(), 0);
    let mut seen = Vec::new();
    let clerks = [Clerk::at_open(&place.store, Some(3)).await, Clerk::at_open(&place.store, None).await];
    for round in 0..4 {
        for (i, clerk) in clerks.iter().enumerate() {
            let first = 10 * round + 1000 * i as u64;
            clerk.hand_in((first..first + round + 1).map(|n| sign_up(1, contact(n))).collect()).await.unwrap();
        }
        let rows = all(store).await;
        assert_eq!(shape(&rows)[..seen.len()], seen, "what was told once stays where it is");
        seen = shape(&rows);
        assert_whole(store, &rows).await;
    }
    assert_eq!(store.feed_end().await.unwrap(), 2 * (2 + 4));
    for (step, entries) in [(1, 1), (2, 1000), (5, 3), (1000, 1), (1000, 4)] {
        assert_eq!(shape(&read(store, &FeedQuery::default(), step, entries).await), seen);
    }
    // Each registration comes with its id.
    for row in all(store).await {
        let about: Vec<_> = row.entries.iter().filter_map(|e| e.change.about()).collect();
        assert!(about.iter().all(|n| row.ids.iter().any(|(number, id)| number == n && id.number() == *n)));
        assert!(row.ids.iter().all(|(number, _)| about.contains(number)));
    }
}

/// Two commands a batch, so that there is a state in between that was never committed.
pub async fn each_batch_tells_the_counts_of_its_event_after_it(place: Place) {
    let store = place.store.as_ref();
    let cancel = |number| asked(Verb::Cancel { number, reason: CancelReason::CannotCome });
    for capacity in [Some(3), None] {
        let clerk = Clerk::at_open(&place.store, capacity).await;
        for n in 0..3 {
            let two = vec![sign_up(1, contact(2 * n)), sign_up(2, contact(2 * n + 1))];
            clerk.hand_in(two).await.unwrap();
        }
        clerk.hand_in(vec![cancel(1), cancel(2), cancel(4)]).await.unwrap();
    }
    let mut told = Vec::new();
    let mut rosters: BTreeMap<EventId, Roster> = BTreeMap::new();
    for row in all(store).await {
        let begun = || Roster::replay(row.event, &row.entries[..1]).unwrap();
        let roster = rosters.entry(row.event).or_insert_with(begun);
        row.entries.iter().filter(|e| e.number > 1).for_each(|entry| roster.apply(entry));
        assert_eq!(row.counts, roster.seat_counts(), "{:?}", row.entries);
        told.push((row.event, row.entries.last().unwrap().number, row.counts));
    }
    let bounded = told.iter().filter(|(.., counts)| counts.free.is_some());
    let figures = bounded.map(|(.., c)| (c.confirmed.persons, c.waiting.parties, c.free.unwrap()));
    assert_eq!(figures.take(5).collect::<Vec<_>>(), [(0, 0, 3), (0, 0, 3), (3, 0, 0), (3, 2, 0), (3, 4, 0)]);
    assert_eq!(told.iter().filter(|(.., counts)| counts.free.is_none()).count(), 6, "a pool without bound");
    // Whoever checks the journal finds them under the same numbers.
    for event in rosters.keys() {
        let of_event: Vec<_> = told.iter().filter(|(e, ..)| e == event).map(|(_, n, counts)| (*n, *counts)).collect();
        assert_eq!(store.journal_counts(*event, 1, 1_000).await.unwrap(), of_event);
        assert_eq!(store.journal_counts(*event, 2, 1).await.unwrap(), of_event[1..2]);
    }
}

pub async fn a_place_survives_a_restart(mut place: Place) {
    let clerk = Clerk::at_open(&place.store, Some(3)).await;
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    let before = shape(&all(place.store.as_ref()).await);
    place.reopen(Default::default()).await.unwrap();
    let clerk = Clerk::at(&place.store, clerk.event);
    clerk.hand_in(vec![sign_up(1, contact(2))]).await.unwrap();
    let after = all(place.store.as_ref()).await;
    assert_eq!(shape(&after)[..before.len()], before);
    assert_whole(place.store.as_ref(), &after).await;
}

pub async fn a_piece_of_it_holds_what_is_asked_for(place: Place) {
    let mut made = Vec::new();
    for n in 0..6 {
        let mut event = event(Some(5));
        event.centre = CentreId(format!("centre-{}", n % 2));
        event.programme = (n % 3 > 0).then(|| ProgrammeId(format!("programme-{}", n % 3)));
        made.push((Clerk::at_new(&place.store, &event).await, event));
    }
    for (clerk, _) in &made {
        clerk.hand_in(vec![asked(Verb::Publish), sign_up(2, contact(1))]).await.unwrap();
    }
    let rows = all(place.store.as_ref()).await;
    for step in [1, 3, 1000] {
        for (_, event) in &made {
            let queries = [
                FeedQuery { event: Some(event.id), ..Default::default() },
                FeedQuery { centre: Some(event.centre.clone()), ..Default::default() },
                FeedQuery { programme: event.programme.clone(), ..Default::default() },
                FeedQuery { after: 4, centre: Some(CentreId("nobody".into())), ..Default::default() },
            ];
            for query in queries {
                let is_wanted = |row: &&FeedRow| {
                    row.position > query.after
                        && query.event.is_none_or(|id| id == row.event)
                        && query.centre.as_ref().is_none_or(|centre| *centre == row.centre)
                        && (query.programme.is_none() || query.programme == row.programme)
                };
                let expected: Vec<FeedRow> = rows.iter().filter(is_wanted).cloned().collect();
                assert_eq!(shape(&read(place.store.as_ref(), &query, step, 2).await), shape(&expected), "{query:?}");
            }
        }
    }
}

pub async fn a_place_is_found_by_time(place: Place) {
    let store = place.store.as_ref();
    assert_eq!(store.feed_before(minutes(0), 0).await.unwrap(), 0);
    let clerks = [Clerk::at_open(&place.store, None).await, Clerk::at_open(&place.store, None).await];
    // One event's clock is behind the other's: they were decided on two machines.
    for (i, minute) in [10, 20, 15, 30, 25, 30, 40].into_iter().enumerate() {
        clerks[i % 2].hand_in_at(vec![sign_up(1, contact(i as u64))], minutes(minute)).await.unwrap();
        store.feed_end().await.unwrap();
    }
    let rows = all(store).await;
    let end = rows.len() as u64;
    for minute in 0..50 {
        let at = minutes(minute);
        let before = store.feed_before(at, end).await.unwrap();
        let left_out = rows.iter().filter(|row| row.position <= before);
        assert!(left_out.flat_map(|r| &r.entries).all(|e| e.at < at), "something at {minute} is left out");
        let next = rows.get(before as usize);
        assert!(next.is_none_or(|row| row.entries.iter().any(|e| e.at >= at)), "it could start later than {before}");
    }
    assert_eq!(store.feed_before(minutes(50), end).await.unwrap(), end);
    assert_eq!(store.feed_before(minutes(0), end).await.unwrap(), 0);
}

pub async fn whoever_reads_while_many_write_sees_each_change_once(place: Place) {
    let stores = [Arc::clone(&place.store), place.another().await];
    let mut clerks = Vec::new();
    for _ in 0..6 {
        clerks.push(Clerk::at_open(&place.store, Some(4)).await.event);
    }
    let mut writers = tokio::task::JoinSet::new();
    for (i, event) in clerks.iter().enumerate() {
        for (s, store) in stores.iter().enumerate() {
            let clerk = Clerk::at(store, *event);
            writers.spawn(async move {
                for n in 0..20 {
                    let n = 1000 * i as u64 + 100 * s as u64 + n;
                    clerk.hand_in(vec![sign_up(1, contact(n)), sign_up(2, contact(50 + n))]).await.unwrap();
                }
            });
        }
    }
    let mut readers = tokio::task::JoinSet::new();
    let (done, is_done) = tokio::sync::watch::channel(false);
    for store in stores.clone().into_iter().chain(stores.clone()) {
        let is_done = is_done.clone();
        readers.spawn(async move {
            let mut rows: Vec<FeedRow> = Vec::new();
            loop {
                let last = *is_done.borrow();
                let after = rows.last().map_or(0, |row| row.position);
                rows.extend(read(store.as_ref(), &FeedQuery { after, ..Default::default() }, 7, 9).await);
                if last {
                    return rows;
                }
            }
        });
    }
    writers.join_all().await;
    done.send(true).unwrap();
    for rows in readers.join_all().await {
        assert_whole(place.store.as_ref(), &rows).await;
    }
}

pub async fn a_new_event_is_in_it_at_once(place: Place) {
    let sample = event(Some(5));
    place.store.create_event(&sample, &created(&sample), &open_request()).await.unwrap();
    let rows = all(place.store.as_ref()).await;
    assert_eq!((rows.len(), rows[0].event, rows[0].entries.len()), (1, sample.id, 1));
    assert_eq!(place.store.document(sample.id).await.unwrap(), Some(sample));
    assert_eq!(place.store.document(EventId(uuid::Uuid::nil())).await.unwrap(), None);
}
