//! What a hostile review found, one story each.

use crate::bench::{Bench, party, pool, terms, vilnius};
use eile::admission::{Change, Idle, NewParty, Refusal, Verb, WalkIn};
use eile::model::attendance::{Slot, Source};
use eile::model::contact::ContactKeys;
use eile::model::policy::{PartyFit, Promotion};
use eile::model::registration::ActorKind;
use eile::model::time::{Span, Timestamp};
use std::time::{Duration, Instant};

const MORNING: &str = "2025-01-13T09:00";

fn resize(number: u32, size: u32) -> Verb {
    Verb::Amend { number, size: Some(size), contact: None }
}

#[test]
fn growing_passes_over_whoever_waits_first_and_only_as_often_as_allowed() {
    let mut skipping = terms(5);
    skipping.policy.party_fit = PartyFit::Skip { max_passed_over: 2 };
    let mut bench = Bench::open(skipping, vilnius(MORNING));
    let grower = bench.join(2);
    let waits = bench.join(5);
    for (size, passed_over) in [(3, 1), (4, 2)] {
        bench.ask(resize(grower, size)).unwrap();
        let grown = Change::Resized { number: grower, size, passed_over: Some(waits) };
        assert_eq!(bench.journal.last().unwrap().change, grown);
        let standing = bench.roster.standing(waits).unwrap();
        assert_eq!((standing.passed_over, standing.steps.last()), (passed_over, Some(&bench.roster.journal_number)));
    }
    assert_eq!(bench.ask(resize(grower, 5)), Err(Refusal::WaitingPartyFirst { number: waits }), "it holds now");
    bench.ask(resize(grower, 1)).unwrap();
    assert_eq!(bench.roster.standing(waits).unwrap().passed_over, 2, "growing smaller passes nobody over");
}

#[test]
fn where_staff_choose_nobody_grows_past_those_who_wait() {
    let mut chosen = terms(4);
    chosen.policy.party_fit = PartyFit::Skip { max_passed_over: 9 };
    chosen.policy.promotion = Promotion::Manual;
    let mut bench = Bench::open(chosen, vilnius(MORNING));
    let (grower, waits) = (bench.join(2), bench.join(4));
    assert_eq!(bench.ask(resize(grower, 3)), Err(Refusal::WaitingPartyFirst { number: waits }));
}

#[test]
fn a_released_pool_is_kept_again_until_a_time_that_is_to_come() {
    let mut kept = terms(1);
    kept.pools.push(pool(2, Some(1)));
    kept.pools[1].classes = vec!["guardian".to_owned()];
    let (released_at, kept_until) = (vilnius("2025-01-13T10:00"), vilnius("2025-01-14T10:00"));
    kept.pools[1].release_at = Some(released_at);
    let mut bench = Bench::open(kept, vilnius(MORNING));
    let released = |bench: &Bench| bench.roster.header().released;
    bench.sweep_at(released_at);
    assert_eq!(released(&bench), [2]);
    bench.edit(|t| t.party_max = 4);
    assert_eq!(released(&bench), [2], "what else changes keeps nothing back");
    bench.edit(|t| t.pools[1].release_at = Some(kept_until));
    assert_eq!(released(&bench), [0u16; 0]);
    let (seated, waits) = (bench.join(1), bench.join(1));
    assert!(bench.is_confirmed(seated) && !bench.is_confirmed(waits), "the other seat is kept");
    bench.sweep_at(kept_until);
    assert!(bench.is_confirmed(waits));
    bench.edit(|t| t.pools[1].release_at = None);
    assert_eq!(released(&bench), [0u16; 0], "for good");
}

/// So many who corrected their contact to the first one's.
fn duplicates(many: u32) -> Bench {
    let mut bench = Bench::open(terms(many), vilnius(MORNING));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    let taken = ContactKeys { email: Some(7), phone: None };
    for _ in 0..many {
        let number = bench.join(1);
        bench.ask_as(ActorKind::Party, Verb::Amend { number, size: None, contact: Some(taken) }).unwrap();
        bench.roster.attach(number, bench.roster.standing(number).unwrap().id, taken);
    }
    bench
}

#[test]
fn thousands_of_duplicates_of_one_contact_cost_no_more_than_as_many_others() {
    let many = 30_000;
    let mut bench = duplicates(many);
    let begun = Instant::now();
    bench.cancel(1);
    assert_eq!(bench.roster.standing(2).unwrap().twin_of, None, "the first of them has the contact now");
    bench.edit(|t| t.party_max = 4);
    bench.cancel(2);
    bench.ask(Verb::CancelEvent).unwrap();
    assert!(bench.roster.standings().all(|s| !s.state.is_live()));
    assert!(begun.elapsed() < Duration::from_secs(10), "it took {:?}", begun.elapsed());
}

#[test]
fn however_often_a_contact_is_signed_up_one_registration_is_left_after_the_hold() {
    let mut bench = Bench::open(terms(9), vilnius(MORNING));
    let again = || Verb::Register(NewParty { vouched: false, ..party(1, 7) });
    for _ in 0..12 {
        bench.ask_as(ActorKind::Portal, again()).unwrap();
    }
    let waits = bench.join(1);
    assert_eq!((bench.roster.counts.held(), bench.roster.position(waits)), (9, 4));
    bench.sweep_at(Timestamp(bench.now.0 + Span::hours(24).0));
    assert_eq!((bench.roster.counts.held(), bench.roster.counts.dropped.parties), (2, 11));
    assert!(bench.is_confirmed(1) && bench.is_confirmed(waits), "their seats moved on");
}

/// Two appointments of one seat each, at ten and at eleven; people may come in midway.
fn appointments() -> Bench {
    let mut terms = terms(1);
    terms.pools.push(pool(2, Some(1)));
    terms.sessions = (1..=2u16)
        .map(|no| {
            let starts_at = vilnius(&format!("2025-01-13T{}:00", 9 + no));
            Slot { no, id: format!("s{no}"), starts_at, ends_at: starts_at.plus(Span::hours(1)), cancelled: false }
        })
        .collect();
    (terms.pools[0].session_id, terms.pools[1].session_id) = ("s1".to_owned(), "s2".to_owned());
    (terms.starts_at, terms.ends_at) = (Some(terms.sessions[0].starts_at), Some(terms.sessions[1].ends_at));
    terms.join_midway = true;
    Bench::open(terms, vilnius(MORNING))
}

fn wishing(pool: u16) -> Verb {
    Verb::Register(NewParty { wishes: vec![pool], ..party(1, 50 + u64::from(pool)) })
}

#[test]
fn seats_at_a_session_that_is_called_off_are_given_to_nobody() {
    let mut bench = appointments();
    let (first, second, waits) = (bench.join(1), bench.join(1), bench.join(1));
    bench.edit(|t| t.sessions[0].cancelled = true);
    bench.cancel(first);
    assert!(!bench.is_confirmed(waits));
    let freed = Change::SeatsFree { pool: 1, seats: 1, because: Idle::CalledOff };
    assert_eq!(bench.journal.last().unwrap().change, freed);
    assert_eq!(bench.ask(wishing(1)), Err(Refusal::SeatsCalledOff { session: 1 }));
    let promote = |pool| Verb::Promote { number: waits, pool, has_reason: true };
    assert_eq!(bench.ask(promote(Some(1))), Err(Refusal::SeatsCalledOff { session: 1 }));
    assert_eq!(bench.ask(promote(None)), Err(Refusal::SeatsNotFree { asked: 1, free: 0 }));
    bench.cancel(second);
    assert_eq!(bench.roster.standing(waits).unwrap().state.holds(), Some(2), "the other session takes place");
    bench.edit(|t| t.sessions[1].cancelled = true);
    let newcomer = Verb::Register(party(1, 99));
    assert!(matches!(bench.ask(newcomer), Err(Refusal::SeatsCalledOff { .. })), "nothing takes place any more");
}

#[test]
fn seats_at_a_session_that_has_begun_are_given_at_its_door_alone() {
    let mut bench = appointments();
    let (first, second, waits) = (bench.join(1), bench.join(1), bench.join(1));
    let ten = vilnius("2025-01-13T10:00");
    bench.now = ten;
    bench.cancel(first);
    assert!(!bench.is_confirmed(waits));
    let freed = Change::SeatsFree { pool: 1, seats: 1, because: Idle::Begun };
    assert_eq!(bench.journal.last().unwrap().change, freed);
    assert_eq!(bench.ask(wishing(1)), Err(Refusal::RegistrationClosed { closed_at: ten }));
    bench.cancel(second);
    assert_eq!(bench.roster.standing(waits).unwrap().state.holds(), Some(2));
    bench.edit(|t| t.policy.walk_ins = true);
    let walk_in = WalkIn { party: party(1, 77), session: "s1".to_owned(), source: Source::Door, happened_at: None };
    let came = bench.ask(Verb::WalkIn(Box::new(walk_in))).unwrap();
    assert_eq!(bench.roster.standing(came.number).unwrap().state.holds(), Some(1));
}

#[test]
fn an_event_all_of_whose_sessions_are_called_off_takes_nobody() {
    let mut bench = appointments();
    bench.edit(|t| t.pools.iter_mut().for_each(|p| p.session_id = String::new()));
    let (first, _, waits) = (bench.join(1), bench.join(1), bench.join(1));
    bench.edit(|t| t.sessions.iter_mut().for_each(|s| s.cancelled = true));
    bench.cancel(first);
    assert!(!bench.is_confirmed(waits));
    assert_eq!(bench.ask(resize(2, 2)), Err(Refusal::SeatsCalledOff { session: 2 }));
    assert_eq!(bench.ask(Verb::Register(party(1, 99))), Err(Refusal::SeatsCalledOff { session: 2 }));
    bench.edit(|t| t.ends_at = Some(vilnius("2099-01-01T12:00")));
    assert!(bench.ask(Verb::CompleteEvent).is_ok(), "there is none to wait for");
}

#[test]
fn an_offer_never_outlives_a_start_that_is_moved_or_a_session_that_is_called_off() {
    let mut terms = terms(1);
    terms.policy.promotion = Promotion::Offer;
    let start = vilnius("2025-01-31T18:00");
    let slot =
        Slot { no: 1, id: "s1".to_owned(), starts_at: start, ends_at: start.plus(Span::hours(2)), cancelled: false };
    (terms.starts_at, terms.ends_at, terms.sessions) = (Some(slot.starts_at), Some(slot.ends_at), vec![slot]);
    let mut bench = Bench::open(terms, vilnius(MORNING));
    let (first, second) = (bench.join(1), bench.join(1));
    bench.cancel(first);
    let deadline = bench.deadline(second).unwrap();
    let move_to = |bench: &mut Bench, start: Timestamp| {
        bench.edit(|t| {
            (t.sessions[0].starts_at, t.sessions[0].ends_at) = (start, start.plus(Span::hours(2)));
            (t.starts_at, t.ends_at) = (Some(start), Some(start.plus(Span::hours(2))));
        });
    };
    move_to(&mut bench, vilnius("2025-01-30T18:00"));
    assert_eq!(bench.deadline(second), Some(deadline), "there is time enough");
    let earlier = vilnius("2025-01-14T18:00");
    move_to(&mut bench, earlier);
    assert!(earlier < deadline);
    assert_eq!((bench.deadline(second), bench.roster.counts.offers_made), (Some(earlier), 1));
    let mut called_off = Bench { roster: bench.roster.clone(), journal: Vec::new(), now: bench.now, requests: 99 };
    called_off.edit(|t| t.sessions[0].cancelled = true);
    assert_eq!(called_off.roster.position(second), 1, "it waits, and has missed nothing");
    assert_eq!(called_off.roster.counts.offers_missed, 0);
    bench.sweep_at(earlier);
    assert_eq!(bench.deadline(second), None);
    assert_eq!(bench.ask(Verb::Accept { number: second }), Err(Refusal::OfferExpired));
}
