//! What reports keep: digests under their numbers, stored reports, entries about persons.

use crate::clerk::Clerk;
use crate::places::Place;
use crate::samples::{ANSWER, START, contact, open_request, sign_up};
use eile::model::access::Reach;
use eile::model::id::EventId;
use eile::model::person::{PeopleChange, PeopleEntry, PersonId};
use eile::model::report::Report;
use eile::storage::{Digest, DigestQuery, Stored};
use uuid::Uuid;

fn all() -> DigestQuery {
    DigestQuery { limit: 10, ..DigestQuery::default() }
}

fn digest(event: EventId, journal_number: u64, text: &str) -> Digest {
    Digest { event, journal_number, summary: text.into(), facts: format!("facts of {text}").into_bytes() }
}

pub async fn a_digest_is_kept_under_its_number_and_never_goes_back(place: Place) {
    let clerk = Clerk::at_open(&place.store, Some(5)).await;
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    let (event, store) = (clerk.event, &place.store);
    let rows = store.digests(&all()).await.unwrap();
    let now = rows[0].journal_number;
    assert!(rows.len() == 1 && rows[0].kept.is_none() && now >= 3);
    assert_eq!(store.stale_digests(9).await.unwrap(), [(event, now)]);
    store.keep_digests(vec![digest(event, now, "new")]).await.unwrap();
    store.keep_digests(vec![digest(event, now - 1, "old")]).await.unwrap();
    let kept = store.digests(&all()).await.unwrap().remove(0).kept.unwrap();
    assert_eq!((kept.journal_number, kept.summary.as_slice(), kept.facts.len()), (now, &b"new"[..], 0));
    assert!(store.stale_digests(9).await.unwrap().is_empty());
    let facts = store.digest_facts(&[event, EventId(Uuid::now_v7())]).await.unwrap();
    assert_eq!(facts, [(event, now, b"facts of new".to_vec())]);
    clerk.hand_in(vec![sign_up(1, contact(2))]).await.unwrap();
    let row = store.digests(&all()).await.unwrap().remove(0);
    assert!(row.journal_number > now && row.kept.unwrap().journal_number == now, "the event has moved on");
    assert_eq!(store.stale_digests(9).await.unwrap(), [(event, row.journal_number)]);
    assert!(store.stale_digests(0).await.unwrap().is_empty());
}

pub async fn digests_are_picked_by_every_word_of_the_query_and_drafts_are_left_out(place: Place) {
    let clerk = Clerk::at_open(&place.store, Some(5)).await;
    let draft = crate::samples::event(Some(5));
    let entry = crate::samples::created(&draft);
    place.store.create_event(&draft, &entry, &open_request()).await.unwrap();
    let event = clerk.remembered().event;
    let start = event.terms.starts_at.unwrap();
    let (store, wanted) = (&place.store, clerk.event);
    let is_found = |query: DigestQuery| async move {
        let found = store.digests(&DigestQuery { limit: 10, ..query }).await.unwrap();
        found.iter().map(|row| row.event).collect::<Vec<_>>() == [wanted]
    };
    let none = DigestQuery::default;
    assert!(is_found(none()).await);
    assert!(store.stale_digests(9).await.unwrap().iter().all(|(event, _)| *event == wanted));
    assert!(is_found(DigestQuery { event: Some(clerk.event), ..none() }).await);
    assert!(!is_found(DigestQuery { event: Some(draft.id), ..none() }).await);
    assert!(is_found(DigestQuery { centre: Some(event.centre.clone()), ..none() }).await);
    assert!(!is_found(DigestQuery { centre: Some(eile::model::id::CentreId("x".into())), ..none() }).await);
    assert!(is_found(DigestQuery { programme: event.programme.clone(), ..none() }).await);
    assert!(is_found(DigestQuery { municipality: Some(event.details.municipality_code.clone()), ..none() }).await);
    assert!(!is_found(DigestQuery { municipality: Some("00".into()), ..none() }).await);
    assert!(is_found(DigestQuery { starts_from: Some(start), ..none() }).await);
    assert!(!is_found(DigestQuery { starts_before: Some(start), ..none() }).await);
}

pub async fn everything_of_an_event_is_one_snapshot(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let event = clerk.event;
    let store = place.another().await;
    let reader = tokio::spawn(async move {
        for _ in 0..60 {
            let everything = store.everything(&Reach::Service, event).await.unwrap().unwrap();
            let number = everything.whole.header.journal_number;
            assert_eq!(everything.entries.last().unwrap().number, number, "as many entries as the event has");
            assert_eq!(everything.parties.len(), everything.whole.standings.len(), "and a party for each");
        }
    });
    for n in 0..120 {
        clerk.hand_in(vec![sign_up(1, contact(n))]).await.unwrap();
    }
    reader.await.unwrap();
    assert!(place.store.everything(&Reach::Service, EventId(Uuid::now_v7())).await.unwrap().is_none());
}

pub async fn a_stored_report_is_read_back_and_listed_in_order(place: Place) {
    let report = |title: &str| Report {
        id: Uuid::now_v7(),
        title: title.into(),
        centre: None,
        created_at: START,
        query: "cXVlcnk=".into(),
        figures: "ZmlndXJlcw==".into(),
        rests_on: vec![(EventId(Uuid::now_v7()), 7)],
        people_number: 3,
    };
    let (first, second, store) = (report("I"), report("II"), &place.store);
    let request = open_request();
    assert_eq!(store.create_report(&first, &request).await.unwrap(), Stored::Created);
    assert_eq!(store.create_report(&second, &request).await.unwrap(), Stored::Replayed(ANSWER.to_vec()));
    assert_eq!(store.create_report(&second, &open_request()).await.unwrap(), Stored::Created);
    assert_eq!(store.report(&Reach::Service, first.id).await.unwrap(), Some(first.clone()));
    assert_eq!(store.list_reports(&Reach::Service, None, 1).await.unwrap(), std::slice::from_ref(&first));
    assert_eq!(store.list_reports(&Reach::Service, Some(first.id), 9).await.unwrap(), [second]);
    assert_eq!(store.report(&Reach::Service, Uuid::now_v7()).await.unwrap(), None);
}

pub async fn of_those_who_enter_at_once_each_gets_a_number_of_its_own(place: Place) {
    let entry = |number: u64| PeopleEntry {
        number,
        at: START,
        change: PeopleChange::Merged { person: PersonId(Uuid::new_v4()), into: PersonId(Uuid::new_v4()) },
    };
    let other = place.another().await;
    let mut calls = Vec::new();
    for n in 0..8 {
        let store = if n % 2 == 0 { place.store.clone() } else { other.clone() };
        calls.push(tokio::spawn(async move {
            let mut number = 1;
            while store.add_people_entry(&entry(number), &open_request()).await.unwrap() == Stored::Taken {
                number += 1;
            }
            number
        }));
    }
    let mut numbers = Vec::new();
    for call in calls {
        numbers.push(call.await.unwrap());
    }
    numbers.sort_unstable();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6, 7, 8]);
    let read = place.store.people_entries(3, 4).await.unwrap();
    assert_eq!(read.iter().map(|e| e.number).collect::<Vec<_>>(), [4, 5, 6, 7]);
}
