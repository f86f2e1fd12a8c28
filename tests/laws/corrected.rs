//! A party that corrects its contact to one that is taken (docs/decisions/0014): it is not told, and has no more than
//! one place in the end.

use crate::bench::{Bench, party, terms, vilnius};
use eile::admission::{NoticeKind, Outcome, Verb, notices};
use eile::model::contact::ContactKeys;
use eile::model::policy::{MissedOffer, Promotion};
use eile::model::registration::{ActorKind, End, State, StateKind};
use eile::model::time::Span;

const MORNING: &str = "2025-01-13T09:00";

/// One seat each, one party each under these contacts, in this order.
fn bench(seats: u32, contacts: &[u64]) -> Bench {
    let mut bench = Bench::open(terms(seats), vilnius(MORNING));
    for contact in contacts {
        bench.ask(Verb::Register(party(1, *contact))).unwrap();
    }
    bench
}

fn later(bench: &mut Bench, time: Span) {
    bench.sweep_at(bench.now.plus(time));
}

/// Corrects a contact as the party itself, who must not learn who else is here.
fn corrects_to(bench: &mut Bench, number: u32, contact: u64) -> Outcome {
    let contact = Some(ContactKeys { email: Some(contact), phone: None });
    bench.ask_as(ActorKind::Party, Verb::Amend { number, size: None, contact }).unwrap()
}

#[test]
fn whoever_waits_and_corrects_to_a_taken_contact_waits_as_a_possible_duplicate() {
    let mut bench = bench(1, &[7, 8, 9]);
    let before = bench.roster.journal_number;
    let outcome = corrects_to(&mut bench, 2, 7);
    let told = (outcome.state, outcome.position, outcome.journal_number);
    assert_eq!(told, (Some(StateKind::Waitlisted), 1, before + 1), "as any other correction is answered");
    let s = bench.roster.standing(2).unwrap();
    assert_eq!((s.twin_of, s.drop_at), (Some(1), Some(bench.now.plus(Span::hours(24)))));
    assert_eq!((bench.roster.position(3), bench.roster.counts.waiting.parties), (2, 2), "it stands where it stood");
    // Correcting once more, to another who is here, does not put the drop off.
    later(&mut bench, Span::hours(1));
    corrects_to(&mut bench, 2, 9);
    let s = bench.roster.standing(2).unwrap();
    assert_eq!((s.twin_of, s.drop_at), (Some(3), Some(bench.now.plus(Span::hours(23)))));
    // Its twin is cancelled; then the seat becomes free and is its own again.
    bench.cancel(3);
    assert_eq!(bench.roster.standing(2).unwrap().twin_of, None);
    bench.cancel(1);
    assert!(bench.is_confirmed(2));
}

#[test]
fn whoever_holds_a_seat_and_corrects_to_a_taken_contact_keeps_it_until_it_is_dropped() {
    let mut bench = bench(2, &[7, 8, 9]);
    let outcome = corrects_to(&mut bench, 2, 7);
    assert_eq!((outcome.state, bench.roster.counts.held()), (Some(StateKind::Confirmed), 2));
    assert!(bench.roster.standing(2).unwrap().twin_of.is_some());
    // The contact that it gave up is free again.
    assert_eq!(bench.ask(Verb::Register(party(1, 8))).unwrap().position, 2);
    let from = bench.journal.len();
    later(&mut bench, Span::hours(24));
    assert_eq!(bench.state(2), State::Ended(End::DuplicateDropped));
    assert!(bench.is_confirmed(3), "its seat moved on at once");
    let notices: Vec<_> = bench.journal[from..].iter().flat_map(notices).map(|n| (n.number, n.kind)).collect();
    assert_eq!(notices, [(2, NoticeKind::Cancelled), (3, NoticeKind::Promoted)], "who counts on a seat hears of it");
    assert_eq!(bench.roster.counts.held(), 2);
}

#[test]
fn a_seat_is_kept_for_good_once_the_twin_has_ended_or_the_contact_is_free_again() {
    for way in 0..3 {
        let mut bench = bench(2, &[7, 8]);
        corrects_to(&mut bench, 2, 7);
        match way {
            0 => bench.cancel(1),
            1 => drop(corrects_to(&mut bench, 2, 8)),
            _ => drop(corrects_to(&mut bench, 1, 9)),
        }
        let s = bench.roster.standing(2).unwrap();
        assert_eq!((s.twin_of, s.drop_at), (None, None), "{way}");
        later(&mut bench, Span::hours(48));
        assert!(bench.is_confirmed(2), "{way}");
    }
}

#[test]
fn more_registrations_allowed_per_contact_end_the_doubt_about_a_seat_too() {
    let mut bench = bench(2, &[7, 8]);
    corrects_to(&mut bench, 2, 7);
    bench.edit(|terms| terms.policy.registrations_per_contact = 2);
    assert_eq!(bench.roster.standing(2).unwrap().twin_of, None);
}

#[test]
fn an_offer_of_a_possible_duplicate_runs_out_at_its_own_deadline_and_the_drop_comes_at_its_own() {
    let mut offering = terms(1);
    offering.policy.promotion = Promotion::Offer;
    offering.policy.missed_offer = MissedOffer::KeepPlace;
    offering.policy.duplicate_hold = Span::hours(1);
    let mut bench = Bench::open(offering, vilnius(MORNING));
    for contact in [7, 8, 9] {
        bench.ask(Verb::Register(party(1, contact))).unwrap();
    }
    bench.cancel(1);
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    // Dropped before the offer runs out: that is no missed offer, and the next is asked.
    corrects_to(&mut bench, 2, 9);
    assert!(matches!(bench.state(2), State::Offered { .. }));
    later(&mut bench, Span::hours(1));
    assert_eq!(bench.state(2), State::Ended(End::DuplicateDropped));
    assert!(matches!(bench.state(3), State::Offered { .. }));
    assert_eq!(bench.roster.counts.offers_missed, 0);
    // The offer runs out before the drop: missed, and never made again while the twin lives.
    bench.edit(|terms| terms.policy.duplicate_hold = Span::hours(30 * 24));
    corrects_to(&mut bench, 3, 7);
    bench.sweep_at(bench.deadline(3).unwrap());
    assert_eq!(bench.state(3), State::Waitlisted);
    assert!(matches!(bench.state(4), State::Offered { .. }));
}
