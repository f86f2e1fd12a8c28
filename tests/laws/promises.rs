//! One property per promise of the design. Each shows every step of a made-up history to one law.

use crate::oracle::{Oracle, Past};
use crate::world::{Step, World, published, script, uphold};
use eile::admission::{Answer, Because, Change, Counts, Entering, Entry, Idle, Refusal, Roster, Standing, Verb};
use eile::model::contact::ContactKeys;
use eile::model::id::{Number, PoolNo, RegistrationId};
use eile::model::policy::{PartyFit, Promotion};
use eile::model::registration::{ActorKind, State};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// Shows each entry of a step with the roster that it was written into.
fn each_entry(step: &Step, mut look: impl FnMut(&Roster, &Entry, &Roster)) {
    let mut roster = step.before.clone();
    for entry in &step.entries {
        let before = roster.clone();
        roster.apply(entry);
        look(&before, entry, &roster);
    }
}

fn total_held(roster: &Roster) -> i64 {
    roster.standings().filter(|s| s.state.holds().is_some()).map(|s| i64::from(s.size)).sum()
}

fn capacity_is_kept(_: &World, step: &Step) {
    each_entry(step, |before, entry, after| {
        let (old, new) = (Oracle(before), Oracle(after));
        for pool in &after.terms.pools {
            if new.held(pool.no) > old.held(pool.no) {
                assert!(pool.capacity.is_none_or(|c| new.held(pool.no) <= c), "oversold by {entry:?}");
            }
        }
    });
}

fn parties_are_whole(_: &World, step: &Step) {
    let roster = &step.after;
    for (pool, held) in roster.pools() {
        assert_eq!(held.total(), Oracle(roster).held(pool.no), "pool {}", pool.no);
    }
    each_entry(step, |before, entry, after| {
        assert_eq!(entry.seats, total_held(after) - total_held(before), "{entry:?}");
        if let Change::Confirmed { number, .. } | Change::Offered { number, .. } = entry.change {
            let who = before.standing(number).unwrap();
            let takes = if who.state.holds().is_some() { 0 } else { who.size };
            assert_eq!(entry.seats, i64::from(takes), "{entry:?}");
        }
    });
}

fn contacts_have_one_place(world: &World, step: &Step) {
    let roster = &step.after;
    let limit = roster.terms.policy.registrations_per_contact as usize;
    let mut by_key: BTreeMap<u64, usize> = BTreeMap::new();
    for s in roster.standings().filter(|s| s.state.is_live()) {
        assert_eq!(s.twin_of.is_some(), s.drop_at.is_some(), "{s:?}");
        assert!(!published(roster) || s.drop_at.is_none_or(|at| at > step.now), "not dropped in time: {s:?}");
        if s.twin_of.is_none() && !world.excused.contains(&(step.event, s.number)) {
            s.contact.iter().for_each(|key| *by_key.entry(key).or_default() += 1);
        }
        if s.twin_of.is_some() && published(roster) {
            let shares = |o: &&Standing| {
                let live = o.state.is_live() && o.twin_of.is_none() && o.number != s.number;
                live && o.contact.iter().any(|k| s.contact.iter().any(|mine| mine == k))
            };
            let others = roster.standings().filter(shares).count();
            assert!(limit > 0 && others >= limit, "held back though nobody lives under its contact: {s:?}");
        }
    }
    assert!(limit == 0 || by_key.values().all(|n| *n <= limit), "{by_key:?}");
    // Whoever comes in comes in as a newcomer does, with the sign-up or an approval; after that nothing is given.
    let mut approved = None;
    each_entry(step, |before, entry, _| match &entry.change {
        Change::Approved { number } => approved = Some(*number),
        // The same offer, to be answered earlier.
        Change::Offered { because: Because::StartMoved, .. } => {}
        Change::Confirmed { number, .. } | Change::Offered { number, .. } => {
            let is_marked = before.standing(*number).unwrap().twin_of.is_some();
            assert!(!is_marked || approved == Some(*number), "a possible duplicate is given a seat: {entry:?}");
        }
        Change::Amended { number, drop_at: Some(at), .. } => {
            let (before, hold) = (before.standing(*number).unwrap(), before.terms.policy.duplicate_hold);
            assert_eq!(*at, before.drop_at.unwrap_or(entry.at.plus(hold)), "it can be put off: {entry:?}");
        }
        _ => {}
    });
}

fn line_is_total_and_stable(_: &World, step: &Step) {
    let roster = &step.after;
    let oracle = Oracle(roster);
    let line = oracle.line();
    assert_eq!(roster.line_len() as usize, line.len());
    for (i, s) in line.iter().enumerate() {
        assert_eq!(roster.position(s.number), i as u32 + 1);
        assert_eq!(roster.at_position(i as u32 + 1), Some(s.number));
        let explained = roster.explain(s.number).unwrap();
        assert_eq!(explained.persons_ahead, line[..i].iter().map(|s| s.size).sum::<u32>());
        let ahead: Vec<Number> = explained.ahead.iter().map(|a| a.number).collect();
        assert_eq!(ahead, line[i.saturating_sub(100)..i].iter().map(|s| s.number).collect::<Vec<_>>());
    }
    assert_eq!(roster.at_position(line.len() as u32 + 1), None);
    // Two who waited and wait stand as they stood, unless a class, its rank or a missed offer says otherwise.
    let moved: BTreeSet<Number> = step
        .entries
        .iter()
        .filter_map(|e| match &e.change {
            Change::ClassSet { number, .. } | Change::OfferMissed { number, to_place: Some(_) } => Some(*number),
            _ => None,
        })
        .collect();
    if step.before.terms.policy.class_order == roster.terms.policy.class_order {
        let waits = |s: &&Standing| !moved.contains(&s.number) && roster.position(s.number) > 0;
        let old: Vec<Number> = Oracle(&step.before).line().into_iter().filter(waits).map(|s| s.number).collect();
        let new: Vec<u32> = old.iter().map(|n| roster.position(*n)).collect();
        assert!(new.is_sorted(), "{old:?} now stand at {new:?} after {:?}", step.entries);
    }
}

/// Those whom a seat may pass: they missed an offer, and somebody just did.
fn right_but_for_missers(oracle: &Oracle<'_>, pool: PoolNo, wanted: Number) -> bool {
    let Some(pool) = oracle.pool(pool) else { return false };
    let mut resting = BTreeSet::new();
    loop {
        if oracle.right(pool, &resting, Past::Fitting) == Some(wanted) {
            return true;
        }
        let waiting = oracle.waits_for(pool, &resting, Past::Fitting);
        let Some(misser) = waiting.iter().find(|s| s.missed_offers > 0) else { return false };
        resting.insert(misser.number);
    }
}

fn nobody_jumps(_: &World, step: &Step) {
    let mut just_missed = false;
    each_entry(step, |before, entry, _| {
        let oracle = Oracle(before);
        let none = BTreeSet::new();
        just_missed |= matches!(entry.change, Change::OfferMissed { .. });
        match &entry.change {
            Change::Registered { number, size, to: Entering::Seat { pool, passed_over }, .. } => {
                let pool = oracle.pool(*pool).unwrap();
                let at_the_door = matches!(step.command.verb, Verb::WalkIn(_));
                let past = if at_the_door { Past::Everybody } else { oracle.past(entry.at) };
                let waiting = oracle.waits_for(pool, &none, past);
                let mine = (oracle.rank(None), *number);
                let first = waiting.first().filter(|w| oracle.key(w) < mine);
                assert!(
                    !waiting.iter().any(|w| oracle.key(w) < mine && w.size <= oracle.free(pool)),
                    "{entry:?} jumps"
                );
                assert_eq!(first.map(|w| w.number), *passed_over);
                if let (Some(first), PartyFit::Skip { max_passed_over }) = (first, before.terms.policy.party_fit) {
                    assert!(first.passed_over < max_passed_over, "{entry:?} passes somebody who holds");
                } else {
                    assert!(first.is_none(), "{entry:?} passes {first:?}");
                }
                assert!(*size <= oracle.free(pool));
            }
            Change::Offered { number, pool, because, passed_over, .. }
            | Change::Confirmed { number, pool, because, passed_over }
                if entry.actor == ActorKind::System =>
            {
                let who = before.standing(*number).unwrap();
                let plain = oracle.right(oracle.pool(*pool).unwrap(), &none, Past::Fitting) == Some(*number);
                assert!(plain || (just_missed && right_but_for_missers(&oracle, *pool, *number)), "{entry:?} jumps");
                assert_eq!(*because == Because::FirstInLine, passed_over.is_none());
                // Whoever has just missed an offer rests, and is not passed over by what goes on without it.
                let waiting = oracle.waits_for(oracle.pool(*pool).unwrap(), &none, Past::Fitting);
                if just_missed {
                    let before_it = |w: &&&Standing| oracle.key(w) < oracle.key(who);
                    let someone = |over: Number| waiting.iter().filter(before_it).any(|w| w.number == over);
                    assert!(passed_over.is_none_or(someone), "{entry:?} passes over who does not stand before");
                } else {
                    assert_eq!(*passed_over, Some(waiting[0].number).filter(|first| first != number));
                }
                // Its best wish among the pools that it has the right to.
                if let (true, false, false) = (plain, just_missed, who.wishes.is_empty()) {
                    let right = |no: PoolNo| oracle.right(oracle.pool(no).unwrap(), &none, Past::Fitting);
                    let has = |no: &&PoolNo| right(**no) == Some(*number);
                    assert_eq!(who.wishes.iter().find(has), Some(pool));
                }
            }
            Change::Confirmed { number, pool, because: Because::StaffInOrder, .. } => {
                let pool = oracle.pool(*pool).unwrap();
                let who = before.standing(*number).unwrap();
                assert!(oracle.may_sit(who, pool), "a seat kept for others: {entry:?}");
                let better = oracle.waits_for(pool, &none, Past::Fitting);
                let better = better.iter().find(|w| oracle.key(w) < oracle.key(who) && w.size <= oracle.free(pool));
                assert!(better.is_none(), "{better:?} stood before {who:?}");
            }
            Change::Resized { number, size, passed_over } => {
                let who = before.standing(*number).unwrap();
                let (Some(no), true) = (who.state.holds(), *size > who.size) else {
                    assert_eq!(*passed_over, None, "{entry:?} takes no seats");
                    return;
                };
                let pool = oracle.pool(no).unwrap();
                let past = oracle.past(entry.at);
                assert_eq!(oracle.right(pool, &none, past), None, "{entry:?}");
                let first = oracle.waits_for(pool, &none, past).first().copied();
                assert_eq!(first.map(|w| w.number), *passed_over, "{entry:?} passes somebody over uncounted");
                if let Some(first) = first {
                    let PartyFit::Skip { max_passed_over } = before.terms.policy.party_fit else {
                        panic!("{entry:?} passes {first:?}");
                    };
                    assert!(first.passed_over < max_passed_over, "{entry:?} passes somebody who holds");
                    assert_ne!(before.terms.policy.promotion, Promotion::Manual, "{entry:?}");
                }
            }
            _ => {}
        }
    });
}

fn no_seat_is_left_behind(_: &World, step: &Step) {
    let roster = &step.after;
    let (old, new) = (Oracle(&step.before), Oracle(roster));
    if !published(roster) {
        return;
    }
    for pool in roster.terms.pools.iter().filter(|p| p.capacity.is_some()) {
        let before = old.pool(pool.no).map_or(0, |p| old.free(p));
        let recorded =
            step.entries.iter().any(|e| matches!(e.change, Change::SeatsFree { pool: no, .. } if no == pool.no));
        let opened = old.pool(pool.no).is_some_and(|p| p.classes != pool.classes)
            || step.entries.iter().any(|e| matches!(e.change, Change::PoolReleased { pool: no } if no == pool.no));
        if new.free(pool) > before || (opened && before < u32::MAX && new.free(pool) > 0) {
            assert!(recorded, "pool {} has {} free, had {before}: {:#?}", pool.no, new.free(pool), step.entries);
        }
    }
    each_entry(step, |before, entry, _| {
        let Change::SeatsFree { pool, seats, because } = &entry.change else { return };
        let oracle = Oracle(before);
        let pool = oracle.pool(*pool).unwrap();
        let past = oracle.past(entry.at);
        let all = oracle.waits_for(pool, &BTreeSet::new(), Past::Nobody);
        let waiting = oracle.waits_for(pool, &BTreeSet::new(), past);
        let right = oracle.right(pool, &BTreeSet::new(), past);
        let free = oracle.free(pool);
        assert!(*seats > 0 && *seats <= free);
        let true_reason = match because {
            Idle::NobodyWaits => all.is_empty(),
            Idle::OnlyDuplicates { number } => {
                waiting.is_empty() && all.iter().all(|s| s.twin_of.is_some()) && all[0].number == *number
            }
            Idle::FirstHolds { number } => {
                let missed = |s: &&&Standing| s.missed_offers == 0 || s.number == *number;
                right.is_none_or(|r| before.standing(r).unwrap().missed_offers > 0)
                    && waiting.iter().find(missed).is_some_and(|s| s.number == *number && s.size > free)
            }
            Idle::NobodyFits => waiting.iter().all(|s| s.size > free || s.missed_offers > 0),
            Idle::StaffChoose => before.terms.policy.promotion == Promotion::Manual,
            Idle::TooCloseToStart | Idle::Begun => !oracle.moves(entry.at),
            Idle::CalledOff => before.terms.called_off(pool).is_some(),
            Idle::JustMissed => right.is_some_and(|r| before.standing(r).unwrap().missed_offers > 0),
        };
        assert!(true_reason, "{entry:?} with {waiting:?}");
    });
}

fn nobody_who_fits_waits_on(_: &World, step: &Step) {
    let roster = &step.after;
    let oracle = Oracle(roster);
    if !oracle.moves(step.now) || !matches!(step.answer, Answer::Done(_)) {
        return;
    }
    let automatic = roster.terms.policy.promotion == Promotion::Automatic;
    for pool in &roster.terms.pools {
        let right = oracle.right(pool, &BTreeSet::new(), Past::Fitting).and_then(|n| roster.standing(n));
        let rests = right.is_some_and(|s| !automatic && s.missed_offers > 0);
        assert!(right.is_none() || rests, "{right:?} fits pool {} after {:#?}", pool.no, step.entries);
    }
    for s in roster.standings() {
        if let State::Offered { expires_at, .. } = s.state {
            assert!(expires_at > step.now, "a dead offer: {s:?}");
        }
    }
}

fn a_request_counts_once(world: &World, step: &Step) {
    let mut roster = step.after.clone();
    let Some(request) = step.command.request else { return };
    let first = world.sent.iter().find(|(e, c, _)| *e == step.event && c.request.map(|r| r.key) == Some(request.key));
    match (&step.answer, first) {
        (Answer::Replayed(outcome), Some((_, command, known))) => {
            assert_eq!((Some(*outcome), command), (*known, &step.command));
            assert!(step.entries.iter().all(|e| e.actor == ActorKind::System), "{:?}", step.entries);
        }
        (Answer::Refused(Refusal::RequestIdReused), Some((_, command, _))) => assert_ne!(command, &step.command),
        (Answer::Done(outcome), _) => {
            let mut journal = Vec::new();
            assert_eq!(roster.handle(&step.command, step.now, &mut journal), Answer::Replayed(*outcome));
            let mut other = step.command.clone();
            other.request.as_mut().unwrap().fingerprint ^= 1;
            let refused = roster.handle(&other, step.now, &mut journal);
            assert_eq!((refused, journal.len()), (Answer::Refused(Refusal::RequestIdReused), 0));
        }
        _ => {}
    }
    if let Answer::Refused(_) = step.answer {
        assert!(step.entries.iter().all(|e| e.actor == ActorKind::System), "a refusal left {:?}", step.entries);
    }
}

/// What the journal knows of a registration.
fn plain(s: &Standing) -> Standing {
    let id = RegistrationId::new(s.number, [0; 12]);
    Standing { id, contact: ContactKeys::default(), ..s.clone() }
}

fn same(left: &Roster, right: &Roster) {
    assert_eq!(left.header(), right.header());
    let plain_of = |r: &Roster| r.standings().map(plain).collect::<Vec<_>>();
    assert_eq!(plain_of(left), plain_of(right));
    assert_eq!(left.pools().collect::<Vec<_>>(), right.pools().collect::<Vec<_>>());
    assert_eq!(left.next_due(), right.next_due());
    assert_eq!(left.marks().collect::<Vec<_>>(), right.marks().collect::<Vec<_>>());
    for s in left.standings() {
        assert_eq!(left.position(s.number), right.position(s.number));
    }
}

fn the_journal_tells_all(world: &World, step: &Step) {
    let journal = &world.journals[step.event][..step.after.journal_number as usize];
    assert!(journal.iter().zip(1..).all(|(e, n)| e.number == n), "not dense");
    assert!(journal.is_sorted_by_key(|e| e.at), "time goes back");
    let stored = serde_json::to_string(journal).unwrap();
    let read: Vec<Entry> = serde_json::from_str(&stored).unwrap();
    assert_eq!(read, journal);
    same(&step.after, &Roster::replay(step.after.event, &read).unwrap());
    let seats: i64 = journal.iter().map(|e| e.seats).sum();
    assert_eq!(seats, i64::from(step.after.counts.held()));
}

/// The numbers of the entries that speak of a registration, as a party is told them.
fn steps_are_all_entries(world: &World, step: &Step) {
    let mut steps: BTreeMap<Number, Vec<u64>> = BTreeMap::new();
    for entry in &world.journals[step.event][..step.after.journal_number as usize] {
        let told = match &entry.change {
            Change::Registered { number, to: Entering::Seat { passed_over, .. }, .. }
            | Change::Confirmed { number, passed_over, .. }
            | Change::Offered { number, passed_over, .. }
            | Change::Resized { number, passed_over, .. } => [Some(*number), *passed_over],
            Change::Registered { number, .. }
            | Change::Approved { number }
            | Change::OfferAccepted { number }
            | Change::OfferMissed { number, .. }
            | Change::OfferWithdrawn { number }
            | Change::Ended { number, .. }
            | Change::ClassSet { number, .. }
            | Change::Amended { number, .. }
            | Change::Erased { number, .. }
            | Change::Restricted { number, .. }
            | Change::ConsentsSet { number, .. } => [Some(*number), None],
            _ => [None, None],
        };
        let cleared = entry.cleared.iter().copied().filter(|n| !told.contains(&Some(*n)));
        told.into_iter().flatten().chain(cleared).for_each(|n| steps.entry(n).or_default().push(entry.number));
    }
    for s in step.after.standings() {
        assert_eq!(Some(&s.steps), steps.get(&s.number), "of {}", s.number);
    }
}

fn counts_are_right(_: &World, step: &Step) {
    let roster = &step.after;
    let mut counted = Counts {
        offers_made: roster.counts.offers_made,
        offers_accepted: roster.counts.offers_accepted,
        offers_declined: roster.counts.offers_declined,
        offers_missed: roster.counts.offers_missed,
        ..Counts::default()
    };
    for s in roster.standings() {
        let tally = match &s.state {
            State::Offered { .. } => &mut counted.offered,
            State::Confirmed { .. } => &mut counted.confirmed,
            State::InReview => &mut counted.in_review,
            State::Waitlisted => &mut counted.waiting,
            State::Ended(end) => {
                use eile::model::registration::End;
                match end {
                    End::Cancelled { .. } => &mut counted.cancelled,
                    End::Declined { .. } => &mut counted.declined,
                    End::Expired => &mut counted.expired,
                    End::DuplicateDropped => &mut counted.dropped,
                    End::Rejected { .. } => &mut counted.rejected,
                    End::EventCancelled => &mut counted.event_cancelled,
                    End::Transferred { .. } => &mut counted.transferred,
                }
            }
        };
        tally.parties += 1;
        tally.persons += s.size;
    }
    assert_eq!(roster.counts, counted);
    let c = &roster.counts;
    let answered = c.offers_accepted + c.offers_declined + c.offers_missed;
    assert!(c.offers_made >= answered + c.offered.parties, "{c:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn p1_seats_held_never_exceed_capacity_unless_staff_cut_it((shapes, ops) in script()) {
        uphold(&shapes, &ops, capacity_is_kept);
    }

    #[test]
    fn p2_a_party_holds_all_its_seats_or_none((shapes, ops) in script()) {
        uphold(&shapes, &ops, parties_are_whole);
    }

    #[test]
    fn p3_a_contact_has_one_place_and_a_duplicate_waits_only_while_its_twin_lives((shapes, ops) in script()) {
        uphold(&shapes, &ops, contacts_have_one_place);
    }

    #[test]
    fn p4_the_line_is_totally_ordered_and_a_correction_moves_nobody((shapes, ops) in script()) {
        uphold(&shapes, &ops, line_is_total_and_stable);
    }

    #[test]
    fn p5_no_newcomer_takes_a_seat_that_a_waiting_party_has_the_right_to((shapes, ops) in script()) {
        uphold(&shapes, &ops, nobody_jumps);
    }

    #[test]
    fn p6_a_seat_that_becomes_free_and_stays_free_has_a_true_reason_in_the_journal((shapes, ops) in script()) {
        uphold(&shapes, &ops, no_seat_is_left_behind);
    }

    #[test]
    fn p6_nobody_who_has_the_right_to_a_free_seat_is_left_waiting((shapes, ops) in script()) {
        uphold(&shapes, &ops, nobody_who_fits_waits_on);
    }

    #[test]
    fn p7_the_same_request_is_answered_the_same_and_changes_nothing((shapes, ops) in script()) {
        uphold(&shapes, &ops, a_request_counts_once);
    }

    #[test]
    fn p9_replaying_the_journal_gives_the_same_roster((shapes, ops) in script()) {
        uphold(&shapes, &ops, the_journal_tells_all);
    }

    #[test]
    fn p4_every_entry_about_a_registration_is_among_its_steps((shapes, ops) in script()) {
        uphold(&shapes, &ops, steps_are_all_entries);
    }

    #[test]
    fn p9_counts_are_what_a_recount_finds((shapes, ops) in script()) {
        uphold(&shapes, &ops, counts_are_right);
    }

    #[test]
    fn p9_loading_anew_between_commands_alters_no_answer_and_no_entry((shapes, ops) in script(), mask: u64) {
        let (mut steady, mut restarted) = (World::new(&shapes), World::new(&shapes));
        restarted.reload = Some(mask);
        for (second, op) in &ops {
            let left = steady.step(usize::from(*second), op);
            let right = restarted.step(usize::from(*second), op);
            let answers = |steps: &[Step]| steps.iter().map(|s| s.answer.clone()).collect::<Vec<_>>();
            prop_assert_eq!(answers(&left), answers(&right));
        }
        prop_assert_eq!(steady.journals, restarted.journals);
    }

    #[test]
    fn p9_another_instance_that_catches_up_decides_the_same((shapes, ops) in script()) {
        let mut world = World::new(&shapes);
        let mut other = world.rosters[0].clone();
        for (_, op) in &ops {
            for step in world.step(0, op).into_iter().filter(|s| s.event == 0) {
                let mut copy = other.clone();
                let mut journal = Vec::new();
                prop_assert_eq!(copy.handle(&step.command, step.now, &mut journal), step.answer.clone());
                prop_assert_eq!(&journal, &step.entries);
                step.entries.iter().for_each(|e| other.apply(e));
                for s in step.after.standings() {
                    other.attach(s.number, s.id, s.contact);
                }
                if let (Some(request), Answer::Done(outcome)) = (step.command.request, step.answer) {
                    other.record(request.key, eile::admission::Recorded { fingerprint: request.fingerprint, outcome });
                }
            }
        }
    }

    #[test]
    fn trying_out_changes_nothing_and_tells_what_would_happen((shapes, ops) in script()) {
        uphold(&shapes, &ops, |_, step| {
            let (answer, left, _) = step.before.try_out(&step.command, step.now);
            assert_eq!(answer, step.answer);
            assert_eq!(left.journal_number, step.before.journal_number + step.entries.len() as u64);
        });
    }

    #[test]
    fn a_sweep_that_finds_nothing_due_changes_nothing((shapes, ops) in script()) {
        uphold(&shapes, &ops, |_, step| {
            let mut roster = step.after.clone();
            let sweep = eile::admission::Command { actor: ActorKind::System, request: None, verb: Verb::Sweep };
            let mut journal = Vec::new();
            roster.handle(&sweep, step.now, &mut journal);
            let first = journal.len();
            roster.handle(&sweep, step.now, &mut journal);
            assert_eq!(journal.len(), first, "the second sweep still found something");
            assert!(first == 0 || !matches!(step.answer, Answer::Done(_)), "left undone: {journal:?}");
            assert!(roster.next_due().is_none_or(|at| at > step.now));
        });
    }
}
