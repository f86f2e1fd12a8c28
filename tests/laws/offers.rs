//! Deadlines of offers and what a missed one does: the stories of the domain, on the wall clock of Vilnius.

use crate::bench::{Bench, REASON, pool, terms, vilnius};
use eile::admission::{Change, Idle, Verb};
use eile::model::event::Terms;
use eile::model::policy::{MissedOffer, OfferRule, PartyFit, Promotion, QuietHours};
use eile::model::registration::StateKind;
use eile::model::time::{Span, Timestamp, Zone};
use proptest::prelude::*;

fn offering(capacity: u32, start: &str, missed: MissedOffer) -> Terms {
    let mut terms = terms(capacity);
    terms.starts_at = Some(vilnius(start));
    terms.policy.promotion = Promotion::Offer;
    terms.policy.missed_offer = missed;
    terms
}

#[test]
fn story_4_a_seat_freed_the_evening_before_is_offered_until_twenty_to_ten() {
    for (fit, first_offered) in [(PartyFit::Hold, false), (PartyFit::Skip { max_passed_over: 3 }, true)] {
        let mut terms = offering(3, "2025-02-04T17:30", MissedOffer::Leave);
        terms.policy.party_fit = fit;
        let mut bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
        let (single, couple) = (bench.join(1), bench.join(2));
        let (waiting_couple, waiting_single) = (bench.join(2), bench.join(1));
        bench.now = vilnius("2025-02-03T19:10");
        bench.cancel(single);
        assert_eq!(bench.deadline(waiting_couple), None, "one seat is not enough for two");
        assert_eq!(bench.deadline(waiting_single).is_some(), first_offered);
        if first_offered {
            assert_eq!(bench.deadline(waiting_single), Some(vilnius("2025-02-04T09:10")));
            assert_eq!(bench.roster.standing(waiting_couple).unwrap().passed_over, 1);
        }
        bench.now = vilnius("2025-02-03T19:40");
        bench.cancel(couple);
        assert_eq!(bench.deadline(waiting_couple), Some(vilnius("2025-02-04T09:40")), "under {fit:?}");
    }
}

#[test]
fn after_half_past_five_in_the_morning_staff_have_a_call_list() {
    let mut bench = Bench::open(offering(1, "2025-02-04T17:30", MissedOffer::Leave), vilnius("2025-01-13T09:00"));
    let (first, second) = (bench.join(1), bench.join(1));
    bench.now = vilnius("2025-02-04T05:31");
    bench.cancel(first);
    assert_eq!(bench.deadline(second), None);
    let last = bench.journal.last().unwrap();
    assert_eq!(last.change, Change::SeatsFree { pool: 1, seats: 1, because: Idle::TooCloseToStart });
    bench.ask(Verb::Promote { number: second, pool: None, has_reason: false }).unwrap();
    assert!(bench.is_confirmed(second));
}

#[test]
fn the_time_to_answer_goes_by_the_time_to_the_start() {
    let terms = offering(1, "2025-02-20T12:00", MissedOffer::Leave);
    for (asked, answer) in [
        ("2025-02-10T10:00", Some("2025-02-14T06:00")), // 48 h in days of 13 open hours
        ("2025-02-13T12:00", Some("2025-02-17T08:00")), // exactly seven days
        ("2025-02-13T12:01", Some("2025-02-15T10:01")), // a little less: 24 h
        ("2025-02-18T12:01", Some("2025-02-18T15:01")), // less than two days: 3 h
        ("2025-02-20T00:00", Some("2025-02-20T11:00")), // twelve hours: the clock starts at eight
        ("2025-02-20T00:01", None),
        ("2025-02-20T12:00", None),
    ] {
        let bench = Bench::open(terms.clone(), vilnius("2025-01-13T09:00"));
        let deadline = bench.roster.offer_deadline(vilnius(asked));
        // Forty-eight hours of waking time: written out by the clock below, not by the core.
        let expected = answer.map(|_| waking(vilnius(asked), asked, &terms));
        assert_eq!(deadline, expected.flatten(), "asked at {asked}");
        if let Some(short) = answer.filter(|_| asked > "2025-02-18") {
            assert_eq!(deadline, Some(vilnius(short)));
        }
    }
}

/// Counts minutes by the wall clock, one by one.
fn waking(from: Timestamp, asked: &str, terms: &Terms) -> Option<Timestamp> {
    let left = terms.starts_at?.since(from);
    let hours = match left.0 / 3_600_000_000 {
        168.. => 48,
        48.. => 24,
        12.. => 3,
        _ => return None,
    };
    let (mut at, mut minutes) = (from, hours * 60);
    while minutes > 0 {
        let hour = terms.zone.local(at).hour();
        minutes -= i64::from((8..21).contains(&hour));
        at = at.plus(Span::seconds(60));
        assert!(at.since(from).0 < Span::hours(24 * 30).0, "no end, asked at {asked}");
    }
    Some(at.min(terms.starts_at?))
}

#[test]
fn an_offer_never_stands_beyond_the_start() {
    let mut terms = offering(1, "2025-02-04T09:00", MissedOffer::Leave);
    terms.policy.offer_rules = vec![OfferRule { min_time_to_start: Span(0), answer_window: Some(Span::hours(48)) }];
    let bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
    let start = vilnius("2025-02-04T09:00");
    assert_eq!(bench.roster.offer_deadline(vilnius("2025-02-03T20:00")), Some(start));
    assert_eq!(bench.roster.offer_deadline(vilnius("2025-02-04T08:59")), Some(start));
    assert_eq!(bench.roster.offer_deadline(start), None);
}

#[test]
fn without_rules_or_with_no_time_to_answer_nothing_is_offered_and_nobody_spins() {
    for rules in [Vec::new(), vec![OfferRule { min_time_to_start: Span(0), answer_window: Some(Span(0)) }]] {
        let mut terms = offering(1, "2025-02-04T09:00", MissedOffer::KeepPlace);
        terms.policy.offer_rules = rules;
        let mut bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
        let (first, second) = (bench.join(1), bench.join(1));
        bench.cancel(first);
        assert_eq!(bench.roster.position(second), 1);
        bench.sweep_at(vilnius("2025-01-20T09:00"));
        assert_eq!(bench.roster.counts.offers_made, 0);
    }
}

#[test]
fn quiet_hours_hold_across_both_clock_changes() {
    for (asked, deadline) in [
        // 30 March, 03:00 becomes 04:00: the night is an hour shorter, the deadline the same on the wall.
        ("2025-03-29T20:00", "2025-03-30T10:00"),
        ("2025-03-30T02:30", "2025-03-30T11:00"),
        // 26 October, 04:00 becomes 03:00 again.
        ("2025-10-25T20:00", "2025-10-26T10:00"),
        ("2025-10-26T03:30", "2025-10-26T11:00"),
    ] {
        let start = vilnius(asked).plus(Span::hours(40));
        let mut terms = offering(1, "2025-02-04T09:00", MissedOffer::Leave);
        terms.starts_at = Some(start);
        let bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
        assert_eq!(bench.roster.offer_deadline(vilnius(asked)), Some(vilnius(deadline)), "asked at {asked}");
    }
}

/// A deadline as UTC, for an offer that is made then, with so many minutes to answer outside these quiet hours.
fn deadline_by(made: &str, minutes: i64, (from, to): (&str, &str)) -> String {
    let minute = |text: &str| {
        let (hour, minute) = text.split_once(':').unwrap();
        hour.parse::<u16>().unwrap() * 60 + minute.parse::<u16>().unwrap()
    };
    let mut terms = terms(1);
    terms.policy.promotion = Promotion::Offer;
    terms.policy.quiet_hours = Some(QuietHours { from_minute: minute(from), to_minute: minute(to) });
    let answer_window = Some(Span::seconds(minutes * 60));
    terms.policy.offer_rules = vec![OfferRule { min_time_to_start: Span(0), answer_window }];
    let bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
    let made: jiff::Timestamp = made.parse().unwrap();
    bench.roster.offer_deadline(Timestamp(made.as_microsecond())).unwrap().to_jiff().to_string()
}

/// 29 March 2026, 01:00 UTC: 03:00 becomes 04:00, and no clock shows half past three.
#[test]
fn quiet_hours_with_an_edge_in_the_night_when_the_clock_goes_forward() {
    let small_hours = ("02:00", "05:00");
    // 01:30 local, an hour to answer: half of it before two, half after five, two hours later on any watch.
    assert_eq!(deadline_by("2026-03-28T23:30:00Z", 60, small_hours), "2026-03-29T02:30:00Z");
    // Within them, on either side of the change: the clock starts at five.
    assert_eq!(deadline_by("2026-03-29T00:30:00Z", 60, small_hours), "2026-03-29T03:00:00Z");
    assert_eq!(deadline_by("2026-03-29T01:30:00Z", 60, small_hours), "2026-03-29T03:00:00Z");
    // Exactly at their edges.
    assert_eq!(deadline_by("2026-03-28T23:00:00Z", 60, small_hours), "2026-03-29T00:00:00Z");
    assert_eq!(deadline_by("2026-03-29T02:00:00Z", 1, small_hours), "2026-03-29T02:01:00Z");
    // An edge in the hour that is skipped: the clock shows it passed from the change on.
    assert_eq!(deadline_by("2026-03-29T00:30:00Z", 60, ("03:30", "05:00")), "2026-03-29T02:30:00Z");
    assert_eq!(deadline_by("2026-03-29T00:30:00Z", 60, ("21:00", "03:30")), "2026-03-29T02:00:00Z");
    // Quiet hours that are skipped as a whole.
    assert_eq!(deadline_by("2026-03-29T00:30:00Z", 60, ("03:00", "04:00")), "2026-03-29T01:30:00Z");
}

/// 25 October 2026, 01:00 UTC: 04:00 becomes 03:00 again, and every clock shows half past three twice.
#[test]
fn quiet_hours_with_an_edge_in_the_night_when_the_clock_goes_back() {
    let small_hours = ("02:00", "05:00");
    // 01:30 local: half before two, half after five, which is four hours later on any watch.
    assert_eq!(deadline_by("2026-10-24T22:30:00Z", 60, small_hours), "2026-10-25T03:30:00Z");
    // Within them, in the first half past three, in the second, and just before the change.
    assert_eq!(deadline_by("2026-10-25T00:30:00Z", 60, small_hours), "2026-10-25T04:00:00Z");
    assert_eq!(deadline_by("2026-10-25T01:30:00Z", 60, small_hours), "2026-10-25T04:00:00Z");
    assert_eq!(deadline_by("2026-10-25T00:59:00Z", 60, small_hours), "2026-10-25T04:00:00Z");
    // Exactly at their edges.
    assert_eq!(deadline_by("2026-10-24T22:00:00Z", 60, small_hours), "2026-10-24T23:00:00Z");
    assert_eq!(deadline_by("2026-10-25T03:00:00Z", 1, small_hours), "2026-10-25T03:01:00Z");
    // An edge in the hour that is shown twice counts each time that the clock shows it. The second ten past three:
    // twenty minutes, then quiet until five.
    assert_eq!(deadline_by("2026-10-25T01:10:00Z", 60, ("03:30", "05:00")), "2026-10-25T03:40:00Z");
    assert_eq!(deadline_by("2026-10-25T00:10:00Z", 60, ("03:30", "05:00")), "2026-10-25T03:10:00Z");
    // The second ten past three is quiet until the second half past.
    assert_eq!(deadline_by("2026-10-25T01:10:00Z", 60, ("21:00", "03:30")), "2026-10-25T02:30:00Z");
    assert_eq!(deadline_by("2026-10-25T00:10:00Z", 60, ("21:00", "03:30")), "2026-10-25T02:00:00Z");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_clock_of_an_offer_runs_in_waking_minutes_only(
        // Around the clock changes of two years.
        change in prop_oneof![
            Just("2025-03-30T00:00"), Just("2025-10-26T00:00"), Just("2026-03-29T00:00"), Just("2026-10-25T00:00"),
        ],
        minutes in -3000i64..3000,
        window in 1i64..3000,
        // Every second edge in the small hours, when the clocks change.
        from in prop_oneof![0u16..1440, 120u16..300],
        to in prop_oneof![0u16..1440, 120u16..300],
    ) {
        let now = vilnius(change).plus(Span::seconds(minutes * 60));
        let quiet = |at: Timestamp| {
            let local = Zone::named("Europe/Vilnius").unwrap().local(at);
            let minute = local.hour() as u16 * 60 + local.minute() as u16;
            if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to }
        };
        prop_assume!((i64::from(to) - i64::from(from)).rem_euclid(1440) < 1300);
        let mut terms = terms(1);
        terms.policy.promotion = Promotion::Offer;
        terms.policy.quiet_hours = Some(QuietHours { from_minute: from, to_minute: to });
        let answer_window = Some(Span::seconds(window * 60));
        terms.policy.offer_rules = vec![OfferRule { min_time_to_start: Span(0), answer_window }];
        let bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
        let deadline = bench.roster.offer_deadline(now).unwrap();
        let mut waking = 0;
        let mut at = now;
        while at < deadline {
            waking += i64::from(!quiet(at));
            at = at.plus(Span::seconds(60));
        }
        prop_assert_eq!((at, waking), (deadline, window));
    }
}

/// Two who wait for one seat that was just freed, under OFFER.
fn two_wait(missed: MissedOffer) -> (Bench, [u32; 3]) {
    let mut bench = Bench::open(offering(1, "2025-06-28T12:00", missed), vilnius("2025-01-13T09:00"));
    let (holder, first, second) = (bench.join(1), bench.join(1), bench.join(1));
    bench.cancel(holder);
    assert!(bench.deadline(first).is_some());
    (bench, [holder, first, second])
}

#[test]
fn a_missed_offer_keeps_the_place_or_goes_to_the_end_or_leaves() {
    for (missed, state, position) in [
        (MissedOffer::KeepPlace, StateKind::Waitlisted, 1),
        (MissedOffer::ToEnd, StateKind::Waitlisted, 2),
        (MissedOffer::Leave, StateKind::Expired, 0),
    ] {
        let (mut bench, [_, first, second]) = two_wait(missed);
        let third = bench.join(1);
        bench.sweep_at(bench.deadline(first).unwrap());
        assert_eq!(bench.state(first).kind(), state);
        assert_eq!(bench.roster.position(first), position, "{missed:?}");
        assert!(bench.deadline(second).is_some(), "the seat goes to the next");
        let behind = if missed == MissedOffer::KeepPlace { 2 } else { 1 };
        assert_eq!(bench.roster.position(third), behind);
    }
}

#[test]
fn a_seat_that_is_missed_goes_down_the_line_and_not_to_and_fro() {
    let (mut bench, [_, first, second]) = two_wait(MissedOffer::KeepPlace);
    let (third, fourth) = (bench.join(1), bench.join(1));
    for (asked, next) in [(first, Some(second)), (second, Some(third)), (third, Some(fourth)), (fourth, None)] {
        bench.sweep_at(bench.deadline(asked).unwrap());
        assert_eq!(bench.deadline(asked), None);
        assert!(next.is_none_or(|n| bench.deadline(n).is_some()), "after {asked}");
    }
    let last = bench.journal.last().unwrap();
    assert_eq!(last.change, Change::SeatsFree { pool: 1, seats: 1, because: Idle::JustMissed });
    // The line stands as it stood, and the first is first again when anything else happens.
    for (position, number) in (1..).zip([first, second, third, fourth]) {
        assert_eq!(bench.roster.position(number), position);
    }
    let newcomer = bench.join(1);
    assert!(bench.deadline(first).is_some() && !bench.is_confirmed(newcomer));
}

#[test]
fn sweeping_alone_never_asks_somebody_again_who_has_just_not_answered() {
    for missed in [MissedOffer::KeepPlace, MissedOffer::ToEnd] {
        let (mut bench, [_, first, second]) = two_wait(missed);
        bench.cancel(second);
        bench.sweep_at(bench.deadline(first).unwrap());
        let entries = bench.journal.len();
        for hours in 1..100 {
            bench.sweep_at(bench.now.plus(Span::hours(hours)));
        }
        assert_eq!(bench.journal.len(), entries, "{missed:?}");
        assert_eq!(bench.roster.counts.offers_made, 1);
    }
}

#[test]
fn offers_missed_at_the_same_moment_are_not_handed_to_each_other() {
    for missed in [MissedOffer::KeepPlace, MissedOffer::ToEnd] {
        let mut bench = Bench::open(offering(2, "2025-06-28T12:00", missed), vilnius("2025-01-13T09:00"));
        let holder = bench.join(2);
        let (first, second) = (bench.join(1), bench.join(1));
        bench.cancel(holder);
        bench.sweep_at(bench.deadline(second).unwrap());
        assert_eq!((bench.deadline(first), bench.deadline(second)), (None, None), "{missed:?}");
    }
}

#[test]
fn after_a_long_silence_everything_due_happens_in_the_order_of_its_time() {
    let mut terms = offering(2, "2025-06-28T12:00", MissedOffer::Leave);
    terms.pools.push(pool(2, Some(1)));
    terms.pools[1].classes = vec!["guardian".to_owned()];
    terms.pools[1].release_at = Some(vilnius("2025-01-20T09:00"));
    let mut bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
    let (a, b) = (bench.join(1), bench.join(1));
    let waiting: Vec<u32> = (0..5).map(|_| bench.join(1)).collect();
    bench.cancel(a);
    bench.now = vilnius("2025-01-14T09:00");
    bench.cancel(b);
    let twin = eile::admission::NewParty { vouched: false, ..crate::bench::party(1, 1_000 + u64::from(waiting[4])) };
    bench.ask(Verb::Register(twin)).unwrap();
    let before = bench.journal.len();
    // Down for a month.
    bench.sweep_at(vilnius("2025-02-13T09:00"));
    let happened: Vec<_> = bench.journal[before..].iter().map(|e| &e.change).collect();
    let due = happened.iter().filter_map(|c| match c {
        Change::Ended { number, .. } => Some(i64::from(*number)),
        Change::PoolReleased { pool } => Some(-i64::from(*pool)),
        _ => None,
    });
    // The duplicate after a day, the first offer, the second, the release.
    let twin = i64::from(waiting[4]) + 1;
    assert_eq!(due.collect::<Vec<_>>(), [twin, i64::from(waiting[0]), i64::from(waiting[1]), -2], "{happened:#?}");
    assert!(bench.journal.is_sorted_by_key(|e| e.at));
    for number in &waiting[2..5] {
        assert!(bench.deadline(*number).is_some_and(|at| at > bench.now), "offered from now on, not from then");
    }
}

#[test]
fn a_released_pool_goes_to_the_line_and_says_what_stays_free() {
    let mut terms = terms(1);
    terms.pools.push(pool(2, Some(3)));
    terms.pools[1].classes = vec!["guardian".to_owned()];
    terms.pools[1].release_at = Some(vilnius("2025-01-20T09:00"));
    let mut bench = Bench::open(terms, vilnius("2025-01-13T09:00"));
    let (_, waits) = (bench.join(1), bench.join(1));
    assert_eq!(bench.roster.next_due(), Some(vilnius("2025-01-20T09:00")));
    bench.sweep_at(vilnius("2025-01-20T09:00"));
    assert!(bench.is_confirmed(waits));
    let last = bench.journal.last().unwrap();
    assert_eq!(last.change, Change::SeatsFree { pool: 2, seats: 2, because: Idle::NobodyWaits });
    assert_eq!(bench.roster.next_due(), None);
}

#[test]
fn who_declines_is_out_and_the_next_is_asked() {
    let (mut bench, [_, first, second]) = two_wait(MissedOffer::KeepPlace);
    bench.ask(Verb::Decline { number: first, reason: REASON }).unwrap();
    assert_eq!(bench.state(first).kind(), StateKind::Declined);
    bench.ask(Verb::Accept { number: second }).unwrap();
    assert!(bench.is_confirmed(second));
}
