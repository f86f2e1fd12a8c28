//! Parties: words that come back as they were given, found by number and by name.

use crate::clerk::{self, Clerk};
use crate::places::Place;
use crate::samples::{asked, contact, sign_up};
use eile::admission::Verb;
use eile::model::access::Reach;
use eile::model::id::Number;

async fn signed_up(place: &Place) -> Clerk {
    let clerk = Clerk::at_open(&place.store, None).await;
    clerk.hand_in((1..=20).map(|n| sign_up(1, contact(n))).collect()).await.unwrap();
    clerk
}

pub async fn parties_come_back_as_they_were_given(place: Place) {
    let clerk = signed_up(&place).await;
    let amend = Verb::Amend { number: 4, size: None, contact: Some(contact(99)) };
    clerk.hand_in(vec![asked(amend)]).await.unwrap();
    let mut rows = place.store.parties(&Reach::Service, clerk.event, &[4, 1, 77]).await.unwrap();
    rows.sort_by_key(|row| row.number);
    let words: Vec<_> = rows.iter().map(|row| (row.number, row.document.clone(), row.search.clone())).collect();
    let expected = [clerk::party(1, "as signed up"), clerk::party(4, "amended")];
    assert_eq!(words, expected.map(|p| (p.number, p.document, p.search)));
    let other = signed_up(&place).await;
    assert_eq!(
        place.store.parties(&Reach::Service, other.event, &[4]).await.unwrap()[0].document,
        clerk::party(4, "as signed up").document
    );
}

pub async fn names_are_paged_in_the_order_of_their_bytes(place: Place) {
    let clerk = signed_up(&place).await;
    let mut expected: Vec<(String, Number)> = (1..=20).map(|n| (clerk::party(n, "").search, n)).collect();
    expected.sort();
    for limit in [1, 3, 50] {
        let mut all: Vec<(String, Number)> = Vec::new();
        loop {
            let page =
                place.store.parties_by_name(&Reach::Service, clerk.event, all.last().cloned(), limit).await.unwrap();
            let short = page.len() < limit as usize;
            all.extend(page.into_iter().map(|row| (row.search, row.number)));
            if short {
                break;
            }
        }
        assert_eq!(all, expected);
    }
}

pub async fn the_hash_of_a_token_is_found_by_number(place: Place) {
    let clerk = signed_up(&place).await;
    assert_eq!(place.store.token_hash(clerk.event, 7).await.unwrap(), Some(clerk::token_hash(7)));
    assert_eq!(place.store.token_hash(clerk.event, 21).await.unwrap(), None);
}

pub async fn a_token_that_takes_the_place_of_another_is_the_only_one(place: Place) {
    let (clerk, other) = (signed_up(&place).await, signed_up(&place).await);
    let amend = |number, to| asked(Verb::Amend { number, size: None, contact: Some(contact(to)) });
    clerk.hand_in(vec![amend(4, 94)]).await.unwrap();
    clerk.hand_in(vec![amend(6, 96), amend(8, 98)]).await.unwrap();
    for number in 1..=20 {
        let expected = if [4, 6, 8].contains(&number) { number + 100 } else { number };
        let hash = place.store.token_hash(clerk.event, number).await.unwrap();
        assert_eq!(hash, Some(clerk::token_hash(expected)), "{number}");
        assert_eq!(place.store.token_hash(other.event, number).await.unwrap(), Some(clerk::token_hash(number)));
    }
}

pub async fn what_is_erased_is_gone_with_what_staff_wrote_and_the_contact_finds_nobody(place: Place) {
    let clerk = signed_up(&place).await;
    let class = |number| asked(Verb::SetClass { number, class: None });
    clerk.hand_in(vec![class(4), class(5)]).await.unwrap();
    let found = place.store.registrations_by_contact(&Reach::Service, contact(4)).await.unwrap();
    assert_eq!(found, [(clerk.event, clerk::registration_id(4))]);
    assert_eq!(place.store.reasons(&Reach::Service, clerk.event, 4).await.unwrap().len(), 1);
    // A reason that comes in the same batch goes too.
    clerk.hand_in(vec![class(4), asked(Verb::Erase { number: 4, kept: false })]).await.unwrap();
    assert_eq!(place.store.registrations_by_contact(&Reach::Service, contact(4)).await.unwrap(), []);
    assert_eq!(place.store.reasons(&Reach::Service, clerk.event, 4).await.unwrap(), []);
    assert_eq!(place.store.reasons(&Reach::Service, clerk.event, 5).await.unwrap().len(), 1, "of somebody else");
    let row = &place.store.parties(&Reach::Service, clerk.event, &[4]).await.unwrap()[0];
    assert_eq!(row.document, clerk::party(4, "erased").document);
    place.store.scrub().await.unwrap();
    let whole = place.store.whole(clerk.event).await.unwrap().unwrap();
    let standing = whole.standings.iter().find(|s| s.number == 4).unwrap();
    assert_eq!(standing.erased.map(|erased| erased.kept), Some(false), "it comes back from its row");
}
