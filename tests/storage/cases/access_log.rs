//! Who read and who decided; and when keys were used last.

use crate::places::Place;
use crate::samples::{START, minutes};
use eile::model::access::{Reach, Role};
use eile::model::access_log::{AccessEntry, AccessKind, AccessQuery};
use eile::model::id::{CentreId, EventId, RegistrationId};
use eile::model::time::Timestamp;
use uuid::Uuid;

const KEY: &str = "0f1e2d3c4b5a6978";

/// The `n`th row, at its minute: everything is there, or nothing that can be left out.
fn entry(n: u64, full: bool) -> AccessEntry {
    AccessEntry {
        id: Uuid::from_u64_pair(7, n),
        at: minutes(i64::try_from(n).unwrap()),
        key: if full { KEY.into() } else { String::new() },
        role: full.then_some(Role::Head),
        person: full.then(Uuid::new_v4),
        method: "ListRegistrations".into(),
        kind: if full { AccessKind::Read } else { AccessKind::Decision },
        centre: full.then(|| CentreId("elektrenai".into())),
        event: full.then(|| EventId(Uuid::new_v4())),
        registration: full.then(|| RegistrationId(Uuid::new_v4())),
        rows_max: full.then_some(u32::MAX),
        request_id: full.then(Uuid::new_v4),
        reason: if full { "CANCEL_REASON_OTHER".into() } else { String::new() },
        outcome: if full { 16 } else { 0 },
        left_out: if full { u32::MAX } else { 0 },
    }
}

fn all() -> AccessQuery {
    AccessQuery { limit: 1_000, ..AccessQuery::default() }
}

pub async fn rows_come_back_as_they_were_given_newest_first(place: Place) {
    let rows: Vec<AccessEntry> = (0..350).map(|n| entry(n, n % 2 == 0)).collect();
    place.store.add_access_entries(rows.clone()).await.unwrap();
    place.store.add_access_entries(Vec::new()).await.unwrap();
    let newest: Vec<AccessEntry> = rows.into_iter().rev().collect();
    assert_eq!(place.store.access_entries(&Reach::Service, &all()).await.unwrap(), newest);
    let mut paged = Vec::new();
    let mut query = AccessQuery { limit: 40, ..AccessQuery::default() };
    loop {
        let page = place.store.access_entries(&Reach::Service, &query).await.unwrap();
        let Some(last) = page.last() else { break };
        query.after = Some((last.at, last.id));
        paged.extend(page);
    }
    assert_eq!(paged, newest);
}

pub async fn rows_are_found_by_every_word_of_the_query(place: Place) {
    // Two that differ in one word, and one of another kind, all in the same microsecond.
    let row = |n| AccessEntry { at: START, ..entry(n, true) };
    let (first, second, bare) = (row(1), row(2), AccessEntry { at: START, ..entry(3, false) });
    let first = AccessEntry { centre: Some(CentreId("kaisiadorys".into())), key: "1".repeat(16), ..first };
    place.store.add_access_entries(vec![first.clone(), second.clone(), bare.clone()]).await.unwrap();
    let ids = async |query: AccessQuery| {
        let found = place.store.access_entries(&Reach::Service, &query).await.unwrap();
        found.into_iter().map(|row| row.id).collect::<Vec<_>>()
    };
    assert_eq!(ids(all()).await, [bare.id, second.id, first.id]);
    for (wanted, other) in [(&first, &second), (&second, &first)] {
        let by = [
            AccessQuery { centre: wanted.centre.clone(), ..all() },
            AccessQuery { event: wanted.event, ..all() },
            AccessQuery { registration: wanted.registration, ..all() },
            AccessQuery { key: Some(wanted.key.clone()), ..all() },
        ];
        for query in by {
            assert_eq!(ids(query.clone()).await, [wanted.id], "{query:?}");
            assert!(ids(AccessQuery { event: other.event, centre: wanted.centre.clone(), ..query }).await.is_empty());
        }
    }
    let after = Timestamp(START.0 + 1);
    assert_eq!(ids(AccessQuery { from: Some(START), before: Some(after), ..all() }).await.len(), 3);
    assert!(ids(AccessQuery { from: Some(after), ..all() }).await.is_empty());
    assert!(ids(AccessQuery { before: Some(START), ..all() }).await.is_empty());
}

pub async fn a_row_that_is_written_twice_is_there_once(place: Place) {
    let rows: Vec<AccessEntry> = (0..3).map(|n| entry(n, true)).collect();
    place.store.add_access_entries(rows[..2].to_vec()).await.unwrap();
    place.store.add_access_entries(rows.clone()).await.unwrap();
    assert_eq!(place.store.access_entries(&Reach::Service, &all()).await.unwrap().len(), 3);
}

pub async fn what_is_older_goes_in_small_pieces(place: Place) {
    place.store.add_access_entries((0..10).map(|n| entry(n, false)).collect()).await.unwrap();
    let before = minutes(7);
    for gone in [4, 3, 0] {
        assert_eq!(place.store.drop_access_entries(before, 4).await.unwrap(), gone);
    }
    let left = place.store.access_entries(&Reach::Service, &all()).await.unwrap();
    assert_eq!(left.iter().map(|row| row.at).collect::<Vec<_>>(), [minutes(9), minutes(8), minutes(7)]);
}

pub async fn the_last_use_of_a_key_never_goes_back(place: Place) {
    let used = |key: &str, n| (key.to_owned(), minutes(n));
    place.store.note_key_uses(vec![used("b", 2), used("a", 1)]).await.unwrap();
    place.store.note_key_uses(vec![used("a", 5), used("b", 1)]).await.unwrap();
    place.store.note_key_uses(Vec::new()).await.unwrap();
    assert_eq!(place.store.key_uses(None, 9).await.unwrap(), [used("a", 5), used("b", 2)]);
    assert_eq!(place.store.key_uses(None, 1).await.unwrap(), [used("a", 5)]);
    assert_eq!(place.store.key_uses(Some("a"), 9).await.unwrap(), [used("b", 2)]);
}
