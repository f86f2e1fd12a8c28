//! The ladder of refusals: in the documented order, each shown while everything above it is in order and
//! everything below it would refuse as well.

use crate::bench::{Bench, REASON, party, pool, terms, vilnius};
use eile::admission::{Answer, Command, NewParty, Refusal, Request, Verb};
use eile::model::contact::ContactKeys;
use eile::model::event::{EventState, Terms};
use eile::model::id::{EventId, RegistrationId};
use eile::model::policy::{MissedOffer, Promotion};
use eile::model::registration::{ActorKind, RejectReason, StateKind, TransferTarget};
use std::sync::Arc;
use uuid::Uuid;

fn staff_only(capacity: u32) -> Terms {
    let mut terms = terms(capacity);
    terms.opens_at = Some(vilnius("2025-01-13T09:00"));
    terms.closes_at = Some(vilnius("2025-01-31T12:00"));
    terms.party_min = 2;
    terms.policy.waitlist_limit = Some(0);
    terms
}

/// A published event with one seat of two left out of three, as strict as can be.
fn strict() -> Bench {
    let mut bench = Bench::open(staff_only(4), vilnius("2025-01-13T09:00"));
    bench.ask(Verb::Register(party(2, 7))).unwrap();
    bench
}

fn sign_up(bench: &mut Bench, size: u32, wishes: &[u16], contact: u64) -> Result<u32, Refusal> {
    let party = NewParty { wishes: wishes.to_vec(), ..party(size, contact) };
    bench.ask(Verb::Register(party)).map(|o| o.number)
}

#[test]
fn the_refusals_of_a_sign_up_come_in_their_documented_order() {
    // One request that is wrong in every way, put right one by one from the top.
    let early = vilnius("2025-01-13T08:59");
    let late = vilnius("2025-01-31T12:00");
    let mut draft = Bench::draft(staff_only(4), late);
    assert_eq!(sign_up(&mut draft, 9, &[9], 7), Err(Refusal::EventNotPublished));

    let mut bench = strict();
    let taken = Request { key: 2, fingerprint: 99 };
    let reused = Command { actor: ActorKind::Staff, request: Some(taken), verb: Verb::Register(party(9, 7)) };
    assert_eq!(
        bench.roster.handle(&reused, late, &mut Vec::new()),
        Answer::Refused(Refusal::RequestIdReused),
        "before the state, the window and everything else"
    );
    let mut cancelled = strict();
    cancelled.ask(Verb::CancelEvent).unwrap();
    let reused_there = cancelled.roster.handle(&reused, late, &mut Vec::new());
    assert_eq!(reused_there, Answer::Refused(Refusal::RequestIdReused));
    cancelled.now = late;
    assert_eq!(sign_up(&mut cancelled, 9, &[9], 7), Err(Refusal::EventCancelled));
    let mut completed = strict();
    completed.ask(Verb::CompleteEvent).unwrap();
    completed.now = late;
    assert_eq!(sign_up(&mut completed, 9, &[9], 7), Err(Refusal::EventCompleted));

    let mut closed = strict();
    closed.now = late;
    assert_eq!(sign_up(&mut closed, 9, &[9], 7), Err(Refusal::RegistrationClosed { closed_at: late }));
    let mut unopened = Bench::open(staff_only(4), early);
    let opens_at = vilnius("2025-01-13T09:00");
    assert_eq!(sign_up(&mut unopened, 9, &[9], 7), Err(Refusal::RegistrationNotOpen { opens_at }));

    let ladder: [(u32, &[u16], u64, Refusal); 7] = [
        (1, &[9], 7, Refusal::PartyTooSmall { size: 1, min: 2 }),
        (0, &[9], 7, Refusal::PartyTooSmall { size: 0, min: 2 }),
        (9, &[9], 7, Refusal::PartyTooLarge { size: 9, max: 5 }),
        (5, &[1, 9], 7, Refusal::PoolNotFound { pool: 9 }),
        (5, &[1], 7, Refusal::PartyLargerThanPool { size: 5, largest: 4 }),
        (4, &[1], 7, Refusal::AlreadyRegistered { number: 1 }),
        (4, &[1], 8, Refusal::WaitlistFull { limit: 0 }),
    ];
    for (size, wishes, contact, refusal) in ladder {
        let before = bench.roster.header();
        assert_eq!(sign_up(&mut bench, size, wishes, contact), Err(refusal));
        assert_eq!(bench.roster.header(), before, "a refusal leaves nothing behind");
    }
    assert_eq!(sign_up(&mut bench, 2, &[1], 8), Ok(2));
}

#[test]
fn the_window_is_half_open_and_ends_with_the_start_unless_said_otherwise() {
    let start = vilnius("2025-02-04T17:30");
    let end = vilnius("2025-03-25T19:30");
    for (midway, closes, closed_at) in
        [(false, None, start), (true, None, end), (false, Some(end), end), (true, Some(start), start)]
    {
        let mut terms = terms(10);
        (terms.starts_at, terms.ends_at, terms.closes_at, terms.join_midway) = (Some(start), Some(end), closes, midway);
        let mut bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
        bench.now = eile::model::time::Timestamp(closed_at.0 - 1);
        assert!(sign_up(&mut bench, 1, &[], 1).is_ok());
        bench.now = closed_at;
        assert_eq!(sign_up(&mut bench, 1, &[], 2), Err(Refusal::RegistrationClosed { closed_at }));
    }
}

#[test]
fn a_duplicate_is_refused_to_who_vouches_and_taken_from_who_does_not() {
    let mut bench = Bench::open(terms(1), vilnius("2025-01-13T09:00"));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    let portal = NewParty { vouched: false, ..party(1, 7) };
    let outcome = bench.ask_as(ActorKind::Portal, Verb::Register(portal)).unwrap();
    assert_eq!((outcome.state, outcome.position), (Some(StateKind::Waitlisted), 1));
    assert_eq!(bench.roster.standing(2).unwrap().twin_of, Some(1));
    assert_eq!(bench.ask(Verb::Register(party(1, 7))), Err(Refusal::AlreadyRegistered { number: 1 }));
    let promote = Verb::Promote { number: 2, pool: None, has_reason: true };
    assert_eq!(bench.ask(promote), Err(Refusal::PossibleDuplicate { twin_of: 1 }));
}

/// Every verb that names a registration, of this number.
fn verbs(number: u32) -> Vec<Verb> {
    let registration = RegistrationId::new(1, [0; 12]);
    let to = TransferTarget { event: EventId(Uuid::nil()), registration };
    vec![
        Verb::Amend { number, size: Some(2), contact: None },
        Verb::Cancel { number, reason: REASON },
        Verb::Accept { number },
        Verb::Decline { number, reason: REASON },
        Verb::Approve { number },
        Verb::Reject { number, reason: RejectReason::Other },
        Verb::SetClass { number, class: Some("nobody-knows-it".to_owned()) },
        Verb::Promote { number, pool: Some(9), has_reason: false },
        Verb::TransferAway { number, to },
    ]
}

#[test]
fn every_verb_refuses_in_the_order_of_existence_event_and_state() {
    let mut bench = Bench::open(terms(1), vilnius("2025-01-13T09:00"));
    let (held, waits, gone) = (bench.join(1), bench.join(1), bench.join(1));
    bench.cancel(gone);
    for verb in verbs(99) {
        assert_eq!(bench.ask(verb.clone()), Err(Refusal::RegistrationNotFound), "{verb:?}");
    }
    for verb in verbs(gone) {
        let refusal = match verb {
            Verb::Accept { .. } | Verb::Decline { .. } => Refusal::NoLiveOffer { state: StateKind::Cancelled },
            _ => Refusal::IllegalState { state: StateKind::Cancelled },
        };
        assert_eq!(bench.ask(verb.clone()), Err(refusal), "{verb:?}");
    }
    let mut completed = Bench { roster: bench.roster.clone(), journal: Vec::new(), ..bench };
    completed.ask(Verb::CompleteEvent).unwrap();
    for number in [held, waits, gone] {
        assert_eq!(completed.roster.may_leave(number).err(), Some(Refusal::EventCompleted));
        // The source's half of a transfer must not fail once the target took the party in.
        let others = |v: &Verb| !matches!(v, Verb::TransferAway { .. });
        // Whoever waited in vain may still leave.
        let is_refused = |v: &Verb| number != waits || !matches!(v, Verb::Cancel { .. });
        for verb in verbs(number).into_iter().filter(others).filter(is_refused) {
            assert_eq!(completed.ask(verb.clone()), Err(Refusal::EventCompleted), "{verb:?}");
        }
    }
}

#[test]
fn each_verb_has_its_own_reasons_for_a_no() {
    let mut some = terms(4);
    some.pools.push(pool(2, Some(2)));
    some.policy.promotion = Promotion::Manual;
    some.policy.class_order = vec!["guardian".to_owned(), "any".to_owned()];
    let mut bench = Bench::open(some, vilnius("2025-01-13T09:00"));
    let (four, two, three, one) = (bench.join(4), bench.join(2), bench.join(3), bench.join(1));
    let amend = |number, size| Verb::Amend { number, size: Some(size), contact: None };
    let promote = |number, pool, has_reason| Verb::Promote { number, pool, has_reason };
    let nobody = |state| Refusal::IllegalState { state };
    for (verb, refusal) in [
        (Verb::Accept { number: four }, Refusal::NoLiveOffer { state: StateKind::Confirmed }),
        (Verb::Decline { number: three, reason: REASON }, Refusal::NoLiveOffer { state: StateKind::Waitlisted }),
        (Verb::Approve { number: three }, nobody(StateKind::Waitlisted)),
        (Verb::Reject { number: four, reason: RejectReason::Other }, nobody(StateKind::Confirmed)),
        (Verb::SetClass { number: one, class: Some("vip".into()) }, Refusal::ClassUnknown { class: "vip".into() }),
        (Verb::SetClass { number: one, class: Some("any".into()) }, Refusal::ClassUnknown { class: "any".into() }),
        (promote(four, None, true), nobody(StateKind::Confirmed)),
        (promote(one, Some(9), true), Refusal::PoolNotFound { pool: 9 }),
        (promote(one, Some(1), true), Refusal::SeatsNotFree { asked: 1, free: 0 }),
        (amend(two, 6), Refusal::PartyTooLarge { size: 6, max: 5 }),
        (amend(two, 0), Refusal::PartyTooSmall { size: 0, min: 1 }),
        (amend(three, 5), Refusal::PartyLargerThanPool { size: 5, largest: 4 }),
        (amend(two, 3), Refusal::SeatsNotFree { asked: 1, free: 0 }),
        (Verb::Publish, Refusal::IllegalEventState { state: EventState::Published }),
        (Verb::UpdateEvent { terms: None, if_version: Some(1) }, Refusal::EtagMismatch { current: 2 }),
    ] {
        assert_eq!(bench.ask(verb.clone()), Err(refusal), "{verb:?}");
    }
    bench.cancel(four);
    assert_eq!(bench.ask(promote(one, None, false)), Err(Refusal::ReasonRequired), "three stood before one");
    assert!(bench.ask(promote(three, None, false)).is_ok());
    bench.cancel(two);
    assert_eq!(bench.ask(amend(three, 4)), Err(Refusal::WaitingPartyFirst { number: one }));
    let contact = ContactKeys { email: Some(1_003), phone: None };
    let steal = Verb::Amend { number: one, size: None, contact: Some(contact) };
    assert_eq!(bench.ask(steal.clone()), Err(Refusal::AlreadyRegistered { number: three }));
    assert!(bench.ask_as(ActorKind::Party, steal).is_ok(), "a party does not learn who else is here");
    let mut smaller = (*bench.roster.terms).clone();
    smaller.pools.remove(0);
    let remove = Verb::UpdateEvent { terms: Some(Arc::new(smaller)), if_version: None };
    assert_eq!(bench.ask(remove), Err(Refusal::PoolInUse { pool: 1 }));
}

#[test]
fn an_offer_answered_too_late_has_expired_and_an_event_that_ended_says_how() {
    for missed in [MissedOffer::KeepPlace, MissedOffer::ToEnd, MissedOffer::Leave] {
        let mut offering = terms(1);
        offering.policy.promotion = Promotion::Offer;
        offering.policy.missed_offer = missed;
        let mut bench = Bench::open(offering, vilnius("2025-01-13T09:00"));
        let (first, second) = (bench.join(1), bench.join(1));
        bench.cancel(first);
        bench.now = bench.deadline(second).unwrap();
        assert_eq!(bench.ask(Verb::Accept { number: second }), Err(Refusal::OfferExpired), "{missed:?}");
        assert_eq!(bench.ask(Verb::Decline { number: second, reason: REASON }), Err(Refusal::OfferExpired));
    }
    let mut long = terms(1);
    let ends_at = vilnius("2025-01-20T19:00");
    long.ends_at = Some(ends_at);
    let mut long = Bench::open(long, vilnius("2025-01-20T18:59"));
    assert_eq!(long.ask(Verb::CompleteEvent), Err(Refusal::EventNotOver { ends_at }));
    long.now = ends_at;
    assert!(long.ask(Verb::CompleteEvent).is_ok());
    let mut draft = Bench::draft(terms(1), vilnius("2025-01-13T09:00"));
    assert_eq!(draft.ask(Verb::CompleteEvent), Err(Refusal::EventNotPublished));
    draft.ask(Verb::CancelEvent).unwrap();
    for verb in
        [Verb::Publish, Verb::CancelEvent, Verb::CompleteEvent, Verb::UpdateEvent { terms: None, if_version: None }]
    {
        assert_eq!(draft.ask(verb), Err(Refusal::EventCancelled));
    }
}
