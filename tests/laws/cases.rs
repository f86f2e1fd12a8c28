//! What a second reading of the core found, one story each, and a line of a hundred thousand.

use crate::bench::{Bench, party, pool, terms, vilnius};
use eile::admission::{Change, NewParty, Verb};
use eile::model::contact::ContactKeys;
use eile::model::policy::{PartyFit, Promotion};
use eile::model::registration::ActorKind;
use eile::model::time::Timestamp;

const MORNING: &str = "2025-01-13T09:00";

fn unvouched(contact: u64) -> Verb {
    Verb::Register(NewParty { vouched: false, ..party(1, contact) })
}

#[test]
fn a_party_larger_than_a_pool_does_not_keep_its_seats_empty() {
    let mut small = terms(1);
    small.pools.insert(0, pool(2, Some(4)));
    let mut bench = Bench::open(small, vilnius(MORNING));
    let (four, one) = (bench.join(4), bench.join(1));
    let (waits, single) = (bench.join(4), bench.join(1));
    bench.cancel(one);
    assert!(bench.is_confirmed(single), "the pool of one is no good to a party of four");
    assert_eq!(bench.roster.position(waits), 1);
    bench.cancel(four);
    assert!(bench.is_confirmed(waits));
}

#[test]
fn after_a_cut_nobody_is_thrown_out_and_nobody_let_in_until_it_fits() {
    let mut bench = Bench::open(terms(4), vilnius(MORNING));
    let all: Vec<u32> = (0..6).map(|_| bench.join(1)).collect();
    bench.edit(|t| t.pools[0].capacity = Some(2));
    assert_eq!(bench.roster.counts.confirmed.persons, 4);
    bench.cancel(all[0]);
    bench.cancel(all[1]);
    assert_eq!(bench.roster.position(all[4]), 1);
    bench.cancel(all[2]);
    assert!(bench.is_confirmed(all[4]));
}

#[test]
fn of_several_duplicates_the_first_takes_the_place_of_the_one_that_ended() {
    let mut bench = Bench::open(terms(9), vilnius(MORNING));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    for _ in 0..2 {
        bench.ask_as(ActorKind::Portal, unvouched(7)).unwrap();
    }
    let marked = |bench: &Bench| [2, 3].map(|n| bench.roster.standing(n).unwrap().twin_of.is_some());
    assert_eq!(marked(&bench), [true, true]);
    bench.cancel(1);
    assert_eq!(marked(&bench), [false, true], "its twin is now the second");
    bench.cancel(2);
    assert!(!marked(&bench)[1]);
}

#[test]
fn a_duplicate_of_two_is_held_back_while_either_lives() {
    let mut bench = Bench::open(terms(9), vilnius(MORNING));
    let keys = |email, phone| ContactKeys { email, phone };
    for contact in [keys(Some(1), None), keys(None, Some(2))] {
        bench.ask(Verb::Register(NewParty { contact, ..party(1, 0) })).unwrap();
    }
    let both = NewParty { contact: keys(Some(1), Some(2)), vouched: false, ..party(1, 0) };
    bench.ask_as(ActorKind::Portal, Verb::Register(both)).unwrap();
    bench.cancel(1);
    assert!(bench.roster.standing(3).unwrap().twin_of.is_some());
    bench.cancel(2);
    assert_eq!(bench.roster.standing(3).unwrap().twin_of, None);
}

#[test]
fn correcting_either_contact_ends_the_doubt() {
    for corrected in [1, 2] {
        let mut bench = Bench::open(terms(9), vilnius(MORNING));
        bench.ask(Verb::Register(party(1, 7))).unwrap();
        bench.ask_as(ActorKind::Portal, unvouched(7)).unwrap();
        let contact = Some(ContactKeys { email: Some(8), phone: None });
        bench.ask_as(ActorKind::Party, Verb::Amend { number: corrected, size: None, contact }).unwrap();
        assert_eq!(bench.roster.standing(2).unwrap().twin_of, None, "{corrected} was corrected");
    }
}

#[test]
fn an_event_that_ends_moves_nobody_up_while_the_others_leave() {
    let mut bench = Bench::open(terms(1), vilnius(MORNING));
    bench.ask(Verb::Register(party(1, 7))).unwrap();
    bench.ask_as(ActorKind::Portal, unvouched(7)).unwrap();
    bench.join(1);
    let before = bench.journal.len();
    bench.ask(Verb::CancelEvent).unwrap();
    let ended = |c: &Change| matches!(c, Change::Ended { .. } | Change::EventCancelled);
    assert!(bench.journal[before..].iter().all(|e| ended(&e.change)));
    assert_eq!(bench.roster.counts.event_cancelled.parties, 3);
    assert_eq!(bench.roster.counts.held(), 0);
    assert_eq!(bench.roster.next_due(), None);
}

#[test]
fn approval_confirms_where_the_place_reaches_a_seat_in_every_mode() {
    for promotion in [Promotion::Automatic, Promotion::Offer, Promotion::Manual] {
        let mut reviewed = terms(1);
        reviewed.approval_required = true;
        reviewed.policy.promotion = promotion;
        reviewed.policy.waitlist_limit = Some(1);
        let mut bench = Bench::open(reviewed, vilnius(MORNING));
        let all: Vec<u32> = (0..3).map(|_| bench.join(1)).collect();
        bench.ask(Verb::Approve { number: all[1] }).unwrap();
        assert!(bench.is_confirmed(all[1]), "{promotion:?}");
        bench.ask(Verb::Approve { number: all[2] }).unwrap();
        assert_eq!(bench.roster.position(all[2]), 1);
        let full = bench.ask(Verb::Approve { number: all[0] });
        assert_eq!(full, Err(eile::admission::Refusal::WaitlistFull { limit: 1 }));
    }
}

#[test]
fn a_party_passed_over_as_often_as_allowed_holds_the_line() {
    let mut skipping = terms(2);
    skipping.policy.party_fit = PartyFit::Skip { max_passed_over: 2 };
    let mut bench = Bench::open(skipping, vilnius(MORNING));
    let (one, other, couple) = (bench.join(1), bench.join(1), bench.join(2));
    let mut singles = vec![bench.join(1), bench.join(1)];
    bench.cancel(one);
    bench.cancel(singles[0]);
    assert!(bench.is_confirmed(singles[1]));
    assert_eq!(bench.roster.standing(couple).unwrap().passed_over, 2);
    singles.push(bench.join(1));
    bench.cancel(singles[1]);
    assert_eq!(bench.roster.position(singles[2]), 2, "the couple holds now, against newcomers too");
    bench.cancel(other);
    assert!(bench.is_confirmed(couple));
}

#[test]
fn seats_in_a_new_pool_go_to_the_line() {
    let mut bench = Bench::open(terms(1), vilnius(MORNING));
    let (_, waits) = (bench.join(1), bench.join(1));
    bench.edit(|t| t.pools.push(pool(2, Some(3))));
    assert!(bench.is_confirmed(waits));
    assert!(matches!(bench.journal.last().unwrap().change, Change::SeatsFree { pool: 2, seats: 2, .. }));
}

#[test]
fn a_line_of_a_hundred_thousand_is_taken_in_and_told_its_positions() {
    let mut bench = Bench::open(terms(12), vilnius(MORNING));
    let n = 100_000u32;
    for i in 0..n {
        bench.now = Timestamp(bench.now.0 + 1);
        bench.ask(Verb::Register(party(i % 3 + 1, u64::from(i)))).unwrap();
    }
    assert_eq!(bench.roster.line_len(), n - 6);
    for position in [1, 2, 50_000, n - 6] {
        let number = bench.roster.at_position(position).unwrap();
        assert_eq!(bench.roster.position(number), position);
    }
    for number in 1..=6 {
        bench.cancel(number);
    }
    assert_eq!(bench.roster.counts.confirmed.persons, 12);
    assert_eq!(bench.roster.line_len(), n - 12);
}

#[test]
fn a_clock_that_goes_back_moves_no_entry_back_and_ends_no_offer_early() {
    let mut offering = terms(1);
    offering.policy.promotion = Promotion::Offer;
    let mut bench = Bench::open(offering, vilnius(MORNING));
    let (first, second) = (bench.join(1), bench.join(1));
    bench.cancel(first);
    let deadline = bench.deadline(second).unwrap();
    bench.now = Timestamp(bench.now.0 - 3_600_000_000);
    bench.join(1);
    assert!(bench.journal.is_sorted_by_key(|e| e.at));
    assert_eq!(bench.deadline(second), Some(deadline));
}

#[test]
fn a_journal_with_a_gap_or_without_its_beginning_is_not_replayed() {
    let mut bench = Bench::open(terms(1), vilnius(MORNING));
    bench.join(1);
    let created = Change::EventCreated { terms: std::sync::Arc::new(terms(1)) };
    let mut whole = vec![eile::admission::Entry { number: 1, change: created, ..bench.journal[0].clone() }];
    whole.extend(bench.journal.clone());
    let replay = |entries: &[_]| eile::admission::Roster::replay(bench.roster.event, entries).map(|r| r.header());
    assert_eq!(replay(&whole), Some(bench.roster.header()));
    assert_eq!(replay(&whole[1..]), None);
    assert_eq!(replay(&[whole[0].clone(), whole[2].clone()]), None);
    assert_eq!(replay(&[]), None);
    whole[0].number = 7;
    assert_eq!(replay(&whole[..1]), None);
}

#[test]
fn a_class_goes_before_the_others_and_takes_the_seat_kept_for_it() {
    let mut kept = terms(1);
    kept.pools.push(pool(2, Some(1)));
    kept.pools[1].classes = vec!["guardian".to_owned()];
    kept.policy.class_order = vec!["guardian".to_owned()];
    let mut bench = Bench::open(kept, vilnius(MORNING));
    let (first, plain, inga, other) = (bench.join(1), bench.join(1), bench.join(1), bench.join(1));
    let guardian = |number| Verb::SetClass { number, class: Some("guardian".to_owned()) };
    bench.ask(guardian(inga)).unwrap();
    assert_eq!(bench.roster.standing(inga).unwrap().state.holds(), Some(2));
    bench.ask(guardian(other)).unwrap();
    assert_eq!((bench.roster.position(other), bench.roster.position(plain)), (1, 2));
    bench.cancel(first);
    assert!(bench.is_confirmed(other));
    // Taking a class away throws nobody out, and a kept seat that is freed waits for its class.
    bench.ask(Verb::SetClass { number: inga, class: None }).unwrap();
    assert!(bench.is_confirmed(inga));
    bench.cancel(inga);
    assert_eq!(bench.roster.position(plain), 1);
    assert!(matches!(bench.journal.last().unwrap().change, Change::SeatsFree { pool: 2, seats: 1, .. }));
    let promote = |has_reason| Verb::Promote { number: plain, pool: Some(2), has_reason };
    assert_eq!(bench.ask(promote(false)), Err(eile::admission::Refusal::ReasonRequired), "kept for others");
    bench.ask(promote(true)).unwrap();
    assert!(bench.is_confirmed(plain));
}

#[test]
fn an_explanation_names_those_next_before_and_counts_all() {
    let mut bench = Bench::open(terms(1), vilnius(MORNING));
    for _ in 0..150 {
        bench.join(1);
    }
    let explained = bench.roster.explain(150).unwrap();
    assert_eq!((explained.position, explained.persons_ahead, explained.ahead.len()), (149, 148, 100));
    assert_eq!((explained.ahead[0].number, explained.ahead[99].number), (50, 149));
    let seated = bench.roster.explain(1).unwrap();
    assert_eq!((seated.position, seated.persons_ahead, seated.ahead.len()), (0, 0, 0));
    assert_eq!(bench.roster.explain(151), None);
}
