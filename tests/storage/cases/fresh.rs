//! What a transaction hears about the events that it locks.

use crate::clerk::{self, Clerk};
use crate::places::Place;
use crate::samples::{asked, contact, sign_up};
use eile::admission::{Answer, Verb};
use eile::model::id::EventId;
use eile::model::registration::CancelReason;
use eile::storage::{Fresh, Lock};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

pub async fn who_is_up_to_date_hears_just_that(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    clerk.hand_in(Vec::new()).await.unwrap();
    assert_eq!(clerk.remembered().heard, "current");
}

pub async fn who_is_behind_hears_exactly_what_is_missing(place: Place) {
    let writer = Clerk::at_open(&place.store, Some(2)).await;
    writer.hand_in((1..=4).map(|n| sign_up(1, contact(n))).collect()).await.unwrap();
    let reader = Clerk::at(&place.store, writer.event);
    reader.hand_in(Vec::new()).await.unwrap();
    assert_eq!(reader.remembered().heard, "whole");

    let newcomer = sign_up(1, contact(5));
    let amend = asked(Verb::Amend { number: 2, size: None, contact: Some(contact(20)) });
    let cancel = asked(Verb::Cancel { number: 1, reason: CancelReason::CannotCome });
    writer.hand_in(vec![newcomer.clone(), amend.clone()]).await.unwrap();
    writer.hand_in(vec![cancel.clone()]).await.unwrap();

    // The reader decides with what it heard: the contacts are taken, the request ids are used.
    let answers = reader.hand_in(vec![newcomer, amend, cancel, sign_up(1, contact(20)), sign_up(1, contact(2))]).await;
    let answers = answers.unwrap();
    assert_eq!(reader.remembered().heard, "behind");
    assert!(answers[..3].iter().all(|a| matches!(a, Answer::Replayed(_))), "{answers:?}");
    assert!(matches!(answers[3], Answer::Refused(_)), "{answers:?}");
    assert!(matches!(answers[4], Answer::Done(_)), "{answers:?}");
    let roster = reader.check().await;
    clerk::assert_same(&roster, &writer.check().await);
}

pub async fn a_replay_is_answered_as_the_first_time_after_a_restart(mut place: Place) {
    let clerk = Clerk::at_open(&place.store, Some(1)).await;
    let commands: Vec<_> = (1..=3).map(|n| sign_up(1, contact(n))).collect();
    let cancel = asked(Verb::Cancel { number: 1, reason: CancelReason::CannotCome });
    let mut first = clerk.hand_in(commands.clone()).await.unwrap();
    first.extend(clerk.hand_in(vec![cancel.clone()]).await.unwrap());
    place.reopen(Default::default()).await.unwrap();
    let stranger = Clerk::at(&place.store, clerk.event);
    let again = stranger.hand_in([commands, vec![cancel]].concat()).await.unwrap();
    for (first, again) in first.iter().zip(&again) {
        match (first, again) {
            (Answer::Done(a), Answer::Replayed(b)) => assert_eq!(a, b),
            other => panic!("{other:?}"),
        }
    }
}

pub async fn events_are_told_of_in_the_order_of_the_locks(place: Place) {
    let missing = EventId(Uuid::now_v7());
    let whole = Clerk::at_open(&place.store, None).await;
    let behind = Clerk::at_open(&place.store, None).await;
    let current = Clerk::at_open(&place.store, None).await;
    let old = behind.lock();
    behind.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    let locks = [
        Lock { event: missing, known: Some(3), ask: false },
        current.lock(),
        old,
        Lock { event: whole.event, known: None, ask: false },
        Lock { event: EventId(Uuid::nil()), known: None, ask: false },
    ];
    for locks in [locks.to_vec(), locks.iter().rev().copied().collect::<Vec<_>>()] {
        let expected: Vec<_> = locks
            .iter()
            .map(|lock| match lock.event {
                e if e == current.event => "current",
                e if e == behind.event => "behind",
                e if e == whole.event => "whole",
                _ => "missing",
            })
            .collect();
        assert_eq!(hear(&place, locks).await, expected);
    }
}

pub async fn who_knows_more_than_the_database_hears_everything(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let lock = Lock { event: clerk.event, known: Some(1_000), ask: false };
    assert_eq!(hear(&place, vec![lock]).await, ["whole"]);
}

pub async fn an_event_that_is_gone_is_told_as_missing_and_the_rest_goes_on(place: Place) {
    let clerk = Clerk::at(&place.store, EventId(Uuid::now_v7()));
    assert_eq!(clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap(), []);
    assert!(place.store.whole(clerk.event).await.unwrap().is_none());
    assert_eq!(place.store.journal_numbers(&[clerk.event]).await.unwrap(), []);
}

/// What is told about each event, with the entries that a roster lacks counted.
async fn hear(place: &Place, locks: Vec<Lock>) -> Vec<&'static str> {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let ears = Arc::clone(&heard);
    let ids: Vec<_> = locks.iter().map(|l| l.event).collect();
    let work = move |fresh: Vec<Fresh>| {
        for (id, fresh) in ids.into_iter().zip(fresh) {
            ears.lock().unwrap().push(match fresh {
                Fresh::Missing => "missing",
                Fresh::Current => "current",
                Fresh::Behind(b) => {
                    assert_eq!(b.event.id, id);
                    assert_eq!(b.entries.len(), 1);
                    assert_eq!(b.attachments, [(1, clerk::registration_id(1), contact(1))]);
                    "behind"
                }
                Fresh::Whole(w) => {
                    assert_eq!(w.event.id, id);
                    "whole"
                }
            });
        }
        Vec::new()
    };
    place.store.transact(locks, Box::new(work)).await.unwrap();
    std::mem::take(&mut *heard.lock().unwrap())
}
