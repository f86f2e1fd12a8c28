//! A stored value that cannot be read is named, and never a panic.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{contact, sign_up};
use eile::storage::StoreError;

pub async fn the_place_of_a_value_that_cannot_be_read_is_told(place: Place) {
    let spoiled = [
        ("registrations", "steps", "update registrations set steps = 'x'"),
        ("registrations", "outcome", "update registrations set outcome = '99,,,,'"),
        ("registrations", "rare", "update registrations set rare = '{'"),
        ("registrations", "pool", "update registrations set pool = null"),
        ("registrations", "size", "update registrations set size = -1"),
        ("events", "header", "update events set header = '[]'"),
        ("event_documents", "document", "update event_documents set document = ''"),
    ];
    for (table, column, sql) in spoiled {
        let clerk = Clerk::at_open(&place.store, None).await;
        clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
        place.meddle(sql).await;
        match place.store.whole(clerk.event).await {
            Err(StoreError::Corrupt { table: t, column: c, .. }) => assert_eq!((t, c), (table, column)),
            Err(error) => panic!("{error}"),
            Ok(_) => panic!("{table}.{column} was read"),
        }
        place.meddle("delete from registrations; delete from events; delete from event_documents").await;
    }
}

pub async fn a_journal_with_a_hole_is_not_caught_up_from(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let old = clerk.lock();
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    clerk.hand_in(vec![sign_up(1, contact(2))]).await.unwrap();
    place.meddle("delete from journal where first_number = 3").await;
    let behind = place.store.transact(vec![old], Box::new(|_| unreachable!("nothing can be decided"))).await;
    assert!(matches!(behind, Err(StoreError::Corrupt { table: "journal", .. })));
}
