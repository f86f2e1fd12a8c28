//! The journal reads the same by any page, whatever the batches were.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{contact, sign_up};
use eile::model::id::EventId;

async fn written(place: &Place) -> Clerk {
    let clerk = Clerk::at_open(&place.store, Some(4)).await;
    for (from, count) in [(0, 1), (10, 7), (20, 2), (30, 40), (90, 1)] {
        clerk.hand_in((from..from + count).map(|n| sign_up(1, contact(n))).collect()).await.unwrap();
    }
    clerk
}

pub async fn any_page_shows_its_numbers_and_no_others(place: Place) {
    let clerk = written(&place).await;
    let last = clerk.roster().journal_number;
    assert_eq!(last, 2 + 51);
    for from in [0, 1, 2, 3, 9, 11, 12, 13, 30, last, last + 1] {
        for limit in [0, 1, 2, 8, 1000] {
            let page = place.store.journal(clerk.event, from, limit).await.unwrap();
            let numbers: Vec<u64> = page.iter().map(|entry| entry.number).collect();
            let first = from.max(1);
            let end = (from + u64::from(limit)).min(last + 1);
            let expected: Vec<u64> = if from == 0 && limit > 0 {
                (1..=u64::from(limit).min(last)).take(numbers.len()).collect()
            } else {
                (first..end.max(first)).collect()
            };
            assert_eq!(numbers, expected, "from {from}, {limit} of them");
        }
    }
    assert_eq!(place.store.journal(EventId(uuid::Uuid::nil()), 1, 9).await.unwrap(), []);
}

pub async fn single_entries_are_found_by_number(place: Place) {
    let clerk = written(&place).await;
    let all = place.store.journal(clerk.event, 1, 1000).await.unwrap();
    let wanted = [1, 4, 5, 12, 40, 53, 54, 0];
    let found = place.store.journal_entries(clerk.event, &wanted).await.unwrap();
    let expected: Vec<_> = all.into_iter().filter(|e| wanted.contains(&e.number)).collect();
    assert_eq!(found, expected);
    assert_eq!(place.store.journal_entries(clerk.event, &[]).await.unwrap(), []);
}
