//! What the database refuses although a cache believed it: nothing of such a batch stays.

use crate::clerk::{self, Clerk};
use crate::places::Place;
use crate::samples::{asked, contact, minutes, sign_up};
use eile::admission::Verb;
use eile::storage::{EventWrite, Fresh, StoreError};

pub async fn a_batch_from_an_old_number(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let old = clerk.remembered();
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    let mut memory = old;
    let write = clerk::decide(&mut memory, &[sign_up(1, contact(2))], minutes(3)).1.unwrap();
    assert_conflict(&clerk, write).await;
}

pub async fn a_request_id_that_was_used_before(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let used = sign_up(1, contact(1));
    clerk.hand_in(vec![used.clone()]).await.unwrap();
    let mut write = decide(&clerk, sign_up(1, contact(2)));
    write.new[0].request = used.request.unwrap();
    assert_conflict(&clerk, write).await;

    let used = asked(Verb::SetClass { number: 1, class: Some("referral".into()) });
    clerk.hand_in(vec![used.clone()]).await.unwrap();
    let mut write = decide(&clerk, asked(Verb::SetClass { number: 1, class: None }));
    write.requests[0].request = used.request.unwrap();
    assert_conflict(&clerk, write).await;
}

pub async fn a_second_live_registration_under_one_contact(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    let mut write = decide(&clerk, sign_up(1, contact(2)));
    write.new[0].guard = contact(1).email;
    assert_conflict(&clerk, write).await;
    // The same contact at another event is nobody's concern.
    let other = Clerk::at_open(&place.store, None).await;
    other.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
}

pub async fn a_number_that_is_taken(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    let mut write = decide(&clerk, sign_up(1, contact(2)));
    write.new[0].standing.number = 1;
    assert_conflict(&clerk, write).await;
}

pub async fn a_change_of_a_row_that_is_not_there(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    let class = asked(Verb::SetClass { number: 1, class: Some("referral".into()) });
    let mut write = decide(&clerk, class.clone());
    write.changed[0].standing.number = 5;
    assert_conflict(&clerk, write).await;
    let mut write = decide(&clerk, class);
    write.parties.push(clerk::party(6, "nobody"));
    assert_conflict(&clerk, write).await;
}

pub async fn a_batch_whose_entries_do_not_follow(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let gap = |write: &mut EventWrite| write.entries[0].number += 1;
    let empty = |write: &mut EventWrite| write.entries.clear();
    let header = |write: &mut EventWrite| write.header.journal_number += 1;
    for spoil in [gap as fn(&mut EventWrite), empty, header] {
        let mut write = decide(&clerk, sign_up(1, contact(2)));
        spoil(&mut write);
        let error = clerk.store.transact(vec![clerk.lock()], Box::new(move |_| vec![write])).await.unwrap_err();
        assert!(matches!(error, StoreError::Failed(_)), "{error}");
        clerk.check().await;
    }
}

fn decide(clerk: &Clerk, command: eile::admission::Command) -> EventWrite {
    clerk::decide(&mut clerk.remembered(), &[command], minutes(3)).1.unwrap()
}

async fn assert_conflict(clerk: &Clerk, write: EventWrite) {
    let before = clerk.check().await;
    let work = move |_: Vec<Fresh>| vec![write];
    let error = clerk.store.transact(vec![clerk.lock()], Box::new(work)).await.unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)), "{error}");
    clerk::assert_same(&before, &clerk.check().await);
}
