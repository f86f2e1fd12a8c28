//! What is decided is what is stored, and what is read back.

use crate::clerk::{self, Clerk, registration_id};
use crate::places::Place;
use crate::samples::{asked, contact, minutes, sign_up};
use eile::admission::{Answer, Command, Standing, Verb};
use eile::model::id::EventId;
use eile::model::registration::{ActorKind, CancelReason, End, RejectReason, State, TransferTarget};
use eile::storage::{ChangedRegistration, Fresh, Lock, NewRegistration, StoreError};
use std::sync::{Arc, Mutex};
use uuid::Uuid;

pub async fn a_roster_read_back_is_the_roster_that_was_written(place: Place) {
    let clerk = Clerk::at_open(&place.store, Some(5)).await;
    let many = (0..700).map(|n| sign_up(1 + n as u32 % 3, contact(n))).collect();
    let answers = clerk.hand_in(many).await.unwrap();
    assert!(answers.iter().all(|a| matches!(a, Answer::Done(_))));
    clerk.check().await;
    clerk
        .hand_in(vec![
            asked(Verb::Cancel { number: 1, reason: CancelReason::CannotCome }),
            asked(Verb::SetClass { number: 9, class: Some("referral".into()) }),
        ])
        .await
        .unwrap();
    clerk.check().await;
    let stranger = Clerk::at(&place.store, clerk.event);
    stranger.check().await;
    assert_eq!(stranger.remembered().event, clerk.remembered().event);
}

pub async fn every_state_and_every_rare_word_comes_back(place: Place) {
    let states = [
        State::InReview,
        State::Waitlisted,
        State::Offered { pool: 1, expires_at: minutes(60) },
        State::Confirmed { pool: 1 },
        State::Ended(End::Cancelled { by: ActorKind::Party, reason: CancelReason::Other }),
        State::Ended(End::Declined { reason: CancelReason::Other }),
        State::Ended(End::Expired),
        State::Ended(End::Rejected { reason: RejectReason::OutsideArea }),
        State::Ended(End::EventCancelled),
        State::Ended(End::Transferred {
            to: Box::new(TransferTarget { event: EventId(Uuid::now_v7()), registration: registration_id(77) }),
        }),
    ];
    let states = Arc::new(states);
    for rare in [false, true] {
        let clerk = Clerk::at_open(&place.store, None).await;
        let written = Arc::new(Mutex::new(Vec::new()));
        let commands: Vec<_> = (0..states.len() as u64).map(|n| sign_up(2, contact(n))).collect();
        let (states, sent) = (Arc::clone(&states), Arc::clone(&written));
        let mut memory = Some(clerk.remembered());
        let work = move |mut fresh: Vec<Fresh>| {
            clerk::refresh(&mut memory, fresh.pop().unwrap());
            let (_, write) = clerk::decide(memory.as_mut().unwrap(), &commands, minutes(2));
            let mut write = write.unwrap();
            for (new, state) in write.new.iter_mut().zip(states.iter()) {
                new.standing.state = state.clone();
                // As it can be: who is confirmed has a seat, and who left may have had one.
                new.standing.seated = matches!(state, State::Confirmed { .. }) || (rare && !state.is_live());
                new.standing.contact.phone = rare.then_some(u64::MAX);
                new.guard = None;
                decorate(&mut new.standing, rare);
                sent.lock().unwrap().push(new.standing.clone());
            }
            vec![write]
        };
        place.store.transact(vec![clerk.lock()], Box::new(work)).await.unwrap();
        let stored = place.store.whole(clerk.event).await.unwrap().unwrap();
        for (stored, written) in stored.standings.iter().zip(written.lock().unwrap().iter()) {
            assert_eq!(stored, written);
        }
        assert_eq!(stored.standings.len(), 10);
    }
}

fn decorate(standing: &mut Standing, rare: bool) {
    if !rare {
        return;
    }
    standing.class = Some("referral \"x\"".into());
    standing.wishes = Arc::from([3, 1]);
    standing.passed_over = u16::MAX;
    standing.missed_offers = 2;
    standing.twin_of = Some(1);
    standing.drop_at = Some(minutes(9));
    standing.place = u32::MAX - 1;
    standing.steps = vec![1, u64::from(u32::MAX) + 9];
}

pub async fn one_transaction_carries_many_events(place: Place) {
    let mut clerks = Vec::new();
    for _ in 0..40 {
        clerks.push(Clerk::at_open(&place.store, Some(2)).await);
    }
    hand_in_together(&clerks, 3).await.unwrap();
    for clerk in &clerks {
        let roster = clerk.check().await;
        assert_eq!((roster.counts.confirmed.parties, roster.counts.waiting.parties), (2, 1));
    }
}

pub async fn a_batch_with_one_bad_event_leaves_nothing_of_any(place: Place) {
    let clerks = [Clerk::at_open(&place.store, None).await, Clerk::at_open(&place.store, None).await];
    let before = place.store.journal_numbers(&[clerks[0].event, clerks[1].event]).await.unwrap();
    let memories: Vec<_> = clerks.iter().map(Clerk::remembered).collect();
    let work = move |_: Vec<Fresh>| {
        let mut writes: Vec<_> = memories
            .into_iter()
            .map(|mut memory| clerk::decide(&mut memory, &[sign_up(1, contact(1))], minutes(2)).1.unwrap())
            .collect();
        let standing = writes[1].new[0].standing.clone();
        writes[1].changed.push(ChangedRegistration { standing: Standing { number: 999, ..standing }, guard: None });
        writes
    };
    let error = place.store.transact(clerks.iter().map(Clerk::lock).collect(), Box::new(work)).await.unwrap_err();
    assert!(matches!(error, eile::storage::StoreError::Conflict(_)), "{error}");
    let mut after = place.store.journal_numbers(&[clerks[0].event, clerks[1].event]).await.unwrap();
    after.sort();
    let mut before = before;
    before.sort();
    assert_eq!(after, before);
    clerks[0].check().await;
}

pub async fn a_guard_passes_from_one_registration_to_another_in_one_batch(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    clerk.hand_in((1..=3).map(|n| sign_up(1, contact(n))).collect()).await.unwrap();
    let amend = |number, to| asked(Verb::Amend { number, size: None, contact: Some(contact(to)) });
    // 1 leaves its contact, 2 takes it, 3 takes what 2 left; and a newcomer takes what 3 left.
    let commands = vec![amend(1, 9), amend(2, 1), amend(3, 2), sign_up(1, contact(3))];
    let answers = clerk.hand_in(commands).await.unwrap();
    assert!(answers.iter().all(|a| matches!(a, Answer::Done(_))), "{answers:?}");
    clerk.check().await;
    let cancel = asked(Verb::Cancel { number: 2, reason: CancelReason::CannotCome });
    clerk.hand_in(vec![cancel, sign_up(1, contact(1))]).await.unwrap();
    let roster = clerk.check().await;
    assert_eq!(roster.counts.confirmed.parties, 4);
}

pub async fn two_instances_at_one_event_never_lose_a_change(place: Place) {
    let first = Clerk::at_open(&place.store, Some(10)).await;
    let second = Clerk::at(&place.another().await, first.event);
    let run = |clerk: Clerk, from: u64| async move {
        for n in 0..20 {
            clerk.hand_in(vec![sign_up(1, contact(from + n))]).await.unwrap();
        }
        clerk
    };
    let (first, second) = tokio::join!(tokio::spawn(run(first, 0)), tokio::spawn(run(second, 100)));
    let roster = first.unwrap().check().await;
    clerk::assert_same(&roster, &second.unwrap().check().await);
    assert_eq!((roster.counts.confirmed.parties, roster.counts.waiting.parties), (10, 30));
}

pub async fn batches_that_lock_the_same_events_in_another_order_do_not_hold_each_other_up(place: Place) {
    let mut clerks = Vec::new();
    for _ in 0..6 {
        clerks.push(Clerk::at_open(&place.store, None).await);
    }
    let other = place.another().await;
    let backwards: Vec<_> = clerks.iter().rev().map(|c| Clerk::at(&other, c.event)).collect();
    let run = |clerks: Vec<Clerk>, from: u64| async move {
        for n in 0..10 {
            // Where the other went first, all is decided again from what is stored.
            while let Err(error) = hand_in_together(&clerks, 1 + from + n).await {
                assert!(matches!(error, StoreError::Conflict(_)), "{error}");
                clerks.iter().for_each(Clerk::forget);
            }
        }
    };
    let (a, b) = tokio::join!(tokio::spawn(run(clerks, 0)), tokio::spawn(run(backwards, 1000)));
    a.unwrap();
    b.unwrap();
}

pub async fn a_decision_that_breaks_off_leaves_nothing(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let broken = place.store.transact(vec![clerk.lock()], Box::new(|_| panic!("on purpose"))).await;
    assert!(matches!(broken, Err(eile::storage::StoreError::Failed(_))));
    clerk.hand_in(vec![sign_up(1, contact(1))]).await.unwrap();
    clerk.check().await;
}

pub async fn a_caller_who_goes_away_changes_nothing(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let (inside, entered) = tokio::sync::oneshot::channel();
    let (go_on, wait) = std::sync::mpsc::channel::<()>();
    let mut memory = clerk.remembered();
    let work = move |_: Vec<Fresh>| {
        inside.send(()).unwrap();
        wait.recv().unwrap();
        clerk::decide(&mut memory, &[sign_up(1, contact(1))], minutes(2)).1.into_iter().collect()
    };
    let lock = Lock { ask: true, ..clerk.lock() };
    let mut call = Box::pin(place.store.transact(vec![lock], Box::new(work)));
    tokio::select! {
        _ = &mut call => panic!("it cannot have ended"),
        _ = entered => {}
    }
    drop(call);
    go_on.send(()).unwrap();
    clerk.hand_in(vec![sign_up(1, contact(2))]).await.unwrap();
    assert_eq!(clerk.check().await.counts.confirmed.parties, 2);
}

pub async fn what_staff_change_shows_in_the_document_and_in_lists(place: Place) {
    let clerk = Clerk::at_open(&place.store, Some(3)).await;
    clerk.hand_in(vec![sign_up(3, contact(1))]).await.unwrap();
    let mut terms = (*clerk.remembered().event.terms).clone();
    terms.starts_at = None;
    terms.pools[0].capacity = Some(12);
    let update = Verb::UpdateEvent { terms: Some(Arc::new(terms)), if_version: None };
    let changed: Command = asked(update);
    clerk.memory.lock().unwrap().as_mut().unwrap().event.details.municipality_code = "49".into();
    clerk.hand_in(vec![changed]).await.unwrap();
    let roster = clerk.check().await;
    let query = eile::storage::EventQuery {
        municipality: Some("49".into()),
        has_free_seats: Some(true),
        limit: 9,
        ..Default::default()
    };
    let listed = place.store.list_events(&query).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].event, clerk.remembered().event);
    assert_eq!(listed[0].header, roster.header());
    assert_eq!(listed[0].event.terms.starts_at, None);
}

pub async fn large_numbers_and_hashes_survive(place: Place) {
    let clerk = Clerk::at_open(&place.store, None).await;
    let mut memory = clerk.remembered();
    let keys = eile::model::contact::ContactKeys { email: Some(u64::MAX), phone: Some(1 << 63) };
    let request = eile::admission::Request { key: u128::MAX, fingerprint: u64::MAX };
    let work = move |_: Vec<Fresh>| {
        let mut write = clerk::decide(&mut memory, &[sign_up(2, keys)], minutes(2)).1;
        for new in write.iter_mut().flat_map(|w| w.new.iter_mut()) {
            *new = NewRegistration { request, guard: Some(u64::MAX), party: new.party.clone(), ..copy(new) };
        }
        write.into_iter().collect()
    };
    let lock = clerk.lock();
    place.store.transact(vec![lock], Box::new(work)).await.unwrap();
    let stored = place.store.whole(clerk.event).await.unwrap().unwrap();
    let recorded = stored.requests.iter().find(|(key, _)| *key == u128::MAX);
    assert_eq!(recorded.map(|(_, r)| r.fingerprint), Some(u64::MAX));
    assert_eq!(stored.standings.first().map(|s| s.contact), Some(keys));
}

fn copy(new: &NewRegistration) -> NewRegistration {
    NewRegistration {
        standing: new.standing.clone(),
        guard: new.guard,
        request: new.request,
        outcome: new.outcome,
        token_hash: new.token_hash,
        party: new.party.clone(),
    }
}

/// `parties` sign-ups for each of many events, in one transaction.
async fn hand_in_together(clerks: &[Clerk], parties: u64) -> Result<(), eile::storage::StoreError> {
    let memories: Vec<_> = clerks.iter().map(|c| Arc::clone(&c.memory)).collect();
    let work = move |fresh: Vec<Fresh>| {
        assert_eq!(fresh.len(), memories.len());
        let mut writes = Vec::new();
        for (memory, fresh) in memories.iter().zip(fresh) {
            let mut memory = memory.lock().unwrap();
            clerk::refresh(&mut memory, fresh);
            let memory = memory.as_mut().unwrap();
            let from = memory.roster.journal_number * 10_000;
            let commands: Vec<_> = (0..parties.min(3)).map(|n| sign_up(1, contact(from + n))).collect();
            writes.extend(clerk::decide(memory, &commands, minutes(2)).1);
        }
        writes
    };
    clerks[0].store.transact(clerks.iter().map(Clerk::lock).collect(), Box::new(work)).await
}
