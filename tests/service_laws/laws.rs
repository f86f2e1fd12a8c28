//! The promises, each held against the runs of a stage. They are played once, by whichever test comes first.

use super::driver::{Stage, play};
use super::history::{Ask, Call, Heard, History, number, registration_id};
use super::replay::{Rerun, refusal_is_right, rerun, wire_state};
use crate::support::service::{Database, run};
use eile::admission::{Change, Entering, Entry, Idle, Roster, Standing};
use eile::api::proto as pb;
use eile::model::event::{Pool, Terms};
use eile::model::id::{Number, PoolNo};
use eile::model::policy::{PartyFit, Promotion};
use eile::model::registration::{State, StateKind};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// Each law on each stage.
macro_rules! laws {
    ($($law:ident),+ $(,)?) => {
        /// All laws, for the tests of the laws themselves.
        pub const LAWS: &[(&str, fn(&(History, Rerun)))] = &[$((stringify!($law), $law)),+];

        mod on_sqlite {
            use super::*;
            static PLAYED: OnceLock<Vec<(History, Rerun)>> = OnceLock::new();
            $(#[test] fn $law() { played(&PLAYED, Stage { database: Database::Sqlite, instances: 1 }).iter().for_each(super::$law); })+
        }
        mod on_postgres {
            use super::*;
            static PLAYED: OnceLock<Vec<(History, Rerun)>> = OnceLock::new();
            $(#[test] fn $law() { played(&PLAYED, Stage { database: Database::Postgres, instances: 1 }).iter().for_each(super::$law); })+
        }
        mod on_two_instances {
            use super::*;
            static PLAYED: OnceLock<Vec<(History, Rerun)>> = OnceLock::new();
            $(#[test] fn $law() { played(&PLAYED, Stage { database: Database::Postgres, instances: 2 }).iter().for_each(super::$law); })+
        }
    };
}

laws! {
    p1_no_pool_ever_holds_more_than_its_capacity_unless_staff_cut_it_and_then_nobody_is_let_in,
    p2_a_party_holds_all_its_seats_in_one_pool_or_none,
    p3_nobody_has_more_live_registrations_than_the_event_allows_and_a_duplicate_is_never_promoted,
    p4_the_line_is_in_order_and_every_position_that_was_told_was_true,
    p5_no_newcomer_takes_a_seat_that_somebody_who_waits_has_the_right_to,
    p6_a_freed_seat_goes_to_somebody_or_has_a_recorded_reason,
    p7_the_same_request_has_one_effect_and_one_answer_and_another_body_is_refused,
    p8_everything_that_was_acknowledged_is_there,
    p9_the_journal_is_dense_and_replayed_gives_the_rows_and_the_counts,
    the_rules_give_the_very_same_journal_and_the_very_same_answers,
    whoever_returned_before_another_was_called_comes_before_it,
    reads_show_a_committed_state_and_never_an_older_one,
    every_refusal_was_right_when_it_was_given,
    who_came_is_shown_as_it_was_written_down_with_every_value_before,
    the_audit_agrees,
}

fn played(cell: &'static OnceLock<Vec<(History, Rerun)>>, stage: Stage) -> &'static [(History, Rerun)] {
    cell.get_or_init(|| {
        let seed = std::env::var("EILE_SEED").ok().and_then(|s| s.parse().ok());
        runs(stage, seed.unwrap_or_else(|| uuid::Uuid::new_v4().as_u128() as u64 % 1_000_000))
    })
}

/// Runs are played until in one of them everything happened, which depends on the seed and on which calls overlap.
const RUNS: u64 = 8;

/// The runs that were played, of which the last is the one in which everything happened.
pub fn runs(stage: Stage, seed: u64) -> Vec<(History, Rerun)> {
    let mut runs = Vec::new();
    for seed in seed..seed + RUNS {
        let (send, receive) = std::sync::mpsc::channel();
        run(async move { drop(send.send(play(stage, seed).await)) });
        let history = receive.recv().unwrap();
        let (again, never) = (rerun(&history), never(&history));
        runs.push((history, again));
        if never.is_empty() {
            return runs;
        }
        eprintln!("{seed}: never {never:?}: another run");
    }
    panic!("in none of {RUNS} runs everything happened");
}

/// A roster that is led through a journal, so that the state before each entry can be seen.
fn step_by_step(entries: &[Entry], mut look: impl FnMut(&Roster, &Entry, &Roster)) {
    let mut before = Roster::replay(eile::model::id::EventId(uuid::Uuid::nil()), &entries[..1]).unwrap();
    for entry in &entries[1..] {
        let mut after = before.clone();
        after.apply(entry);
        look(&before, entry, &after);
        before = after;
    }
}

/// Seats held, counted anew from the registrations.
fn held(roster: &Roster, pool: PoolNo) -> u32 {
    roster.standings().filter(|s| s.state.holds() == Some(pool)).map(|s| s.size).sum()
}

fn p1_no_pool_ever_holds_more_than_its_capacity_unless_staff_cut_it_and_then_nobody_is_let_in(
    (history, _): &(History, Rerun),
) {
    for log in &history.logs {
        step_by_step(&log.entries, |before, entry, after| {
            for pool in &after.terms.pools {
                let (was, is) = (held(before, pool.no), held(after, pool.no));
                let fits = pool.capacity.is_none_or(|c| is <= c);
                assert!(fits || is <= was, "{} {}: {is} in {pool:?} after {entry:?}", history.seed, log.name);
            }
        });
        let shown = log.shown.counts.as_ref().unwrap();
        assert!(shown.free.unwrap() >= 0 && shown.over_capacity >= 0);
    }
}

fn p2_a_party_holds_all_its_seats_in_one_pool_or_none((history, _): &(History, Rerun)) {
    for log in &history.logs {
        step_by_step(&log.entries, |before, entry, after| {
            let seats = |roster: &Roster| roster.terms.pools.iter().map(|p| i64::from(held(roster, p.no))).sum::<i64>();
            assert_eq!(entry.seats, seats(after) - seats(before), "{}: {entry:?}", history.seed);
            let Some(number) = confirmed_or_offered(&entry.change) else { return };
            assert_eq!(entry.seats, i64::from(after.standing(number).unwrap().size), "the whole party: {entry:?}");
        });
    }
    // Who was confirmed at once sits in one pool, and was taken in with everybody: not with as many as there was room for.
    for (call, _) in history.accepted() {
        let (Heard::SignedUp(new), Ask::Register { party, .. }) = (&call.heard, &call.ask) else { continue };
        let wanted = (number(&new.name), party.members.len() as u32);
        let taken = history.logs[call.event].entries.iter().find_map(|e| match &e.change {
            Change::Registered { number, size, .. } if *number == wanted.0 => Some((*number, *size)),
            _ => None,
        });
        assert_eq!(taken, Some(wanted), "{}: {call:?}", history.seed);
        let holds =
            [pb::RegistrationState::Confirmed as i32, pb::RegistrationState::Offered as i32].contains(&new.first.state);
        assert_eq!(holds, !new.first.pool_id.is_empty(), "{}: {call:?}", history.seed);
    }
}

/// Whom an entry gives seats.
fn confirmed_or_offered(change: &Change) -> Option<Number> {
    match change {
        Change::Confirmed { number, .. } | Change::Offered { number, .. } => Some(*number),
        Change::Registered { number, to: Entering::Seat { .. }, .. } => Some(*number),
        _ => None,
    }
}

fn p3_nobody_has_more_live_registrations_than_the_event_allows_and_a_duplicate_is_never_promoted(
    (history, again): &(History, Rerun),
) {
    for (log, again) in history.logs.iter().zip(&again.events) {
        let mut marked: HashSet<Number> = HashSet::new();
        for entry in &log.entries {
            match &entry.change {
                Change::Registered { number, twin_of: Some(_), .. }
                | Change::Amended { number, twin_of: Some(_), .. } => {
                    marked.insert(*number);
                }
                Change::Confirmed { number, .. } | Change::Offered { number, .. } => {
                    assert!(!marked.contains(number), "{} {}: {entry:?}", history.seed, log.name);
                }
                _ => {}
            }
            marked.retain(|number| !entry.cleared.contains(number));
        }
        for roster in again.after.values() {
            let mut lives: HashMap<u64, Vec<Number>> = HashMap::new();
            for s in roster.standings().filter(|s| s.state.is_live()) {
                if s.twin_of.is_some() {
                    continue;
                }
                s.contact.iter().for_each(|key| lives.entry(key).or_default().push(s.number));
            }
            let limit = roster.terms.policy.registrations_per_contact as usize;
            for numbers in lives.values().filter(|_| limit > 0) {
                let at = roster.journal_number;
                assert!(numbers.len() <= limit, "{} {}: {numbers:?} at {at}", history.seed, log.name);
            }
        }
    }
}

fn p4_the_line_is_in_order_and_every_position_that_was_told_was_true((history, again): &(History, Rerun)) {
    for (log, again) in history.logs.iter().zip(&again.events) {
        for roster in again.after.values() {
            let line: Vec<&Standing> = in_line(roster);
            let places: Vec<_> = line.iter().map(|s| (roster.rank(s), s.place)).collect();
            assert!(places.is_sorted(), "{}: {places:?}", log.name);
            for (s, position) in line.iter().zip(1..) {
                assert_eq!((roster.position(s.number), roster.at_position(position)), (position, Some(s.number)));
            }
        }
        // The list that staff see is the line.
        let waiting = pb::RegistrationState::Waitlisted as i32;
        let listed: Vec<_> = log.listed.iter().filter(|r| r.state == waiting).map(|r| r.position).collect();
        assert_eq!(listed, (1..=listed.len() as i64).collect::<Vec<_>>(), "{} {}", history.seed, log.name);
        step_by_step(&log.entries, |before, entry, after| {
            // Nobody's place changes but by a missed offer; nobody's number ever does.
            for s in before.standings() {
                let now = after.standing(s.number).unwrap();
                let may_move = matches!(entry.change, Change::OfferMissed { number, .. } if number == s.number);
                assert!(may_move || now.place == s.place, "{entry:?}");
            }
        });
    }
    for call in history.calls.iter().filter(|c| c.refused().is_none()) {
        let Heard::Registration(heard) = &call.heard else { continue };
        let roster = &again.events[call.event].after.get(&(heard.journal_number as u64));
        let Some(roster) = roster else { continue };
        assert_eq!(i64::from(roster.position(number(&heard.name))), heard.position, "{}: {call:?}", history.seed);
    }
}

/// Those who wait, in the order of (rank, place), sorted here and not by the roster.
fn in_line(roster: &Roster) -> Vec<&Standing> {
    let mut line: Vec<_> = roster.standings().filter(|s| s.state == State::Waitlisted).collect();
    line.sort_by_key(|s| (roster.rank(s), s.place));
    line
}

/// Whether somebody may sit in a pool, and the whole party could.
fn suits(roster: &Roster, pool: &Pool, s: &Standing) -> bool {
    let wished = s.wishes.is_empty() || s.wishes.contains(&pool.no);
    let (_, now) = roster.pools().find(|(p, _)| p.no == pool.no).unwrap();
    let open = pool.classes.is_empty()
        || now.released
        || s.class.as_deref().is_some_and(|c| pool.classes.iter().any(|p| p == c));
    wished && open && pool.capacity.is_none_or(|c| s.size <= c)
}

fn free(roster: &Roster, pool: &Pool) -> u32 {
    pool.capacity.map_or(u32::MAX, |c| c.saturating_sub(held(roster, pool.no)))
}

fn p5_no_newcomer_takes_a_seat_that_somebody_who_waits_has_the_right_to((history, _): &(History, Rerun)) {
    let mut seated = 0;
    for log in &history.logs {
        step_by_step(&log.entries, |before, entry, _| {
            let Change::Registered { to: Entering::Seat { pool, .. }, size, .. } = &entry.change else { return };
            seated += 1;
            let pool = before.terms.pool(*pool).unwrap();
            let free = free(before, pool);
            assert!(*size <= free, "{entry:?}");
            let own = before.terms.policy.rank(None);
            // A possible duplicate has a right to no seat.
            let counts = |s: &&Standing| before.rank(s) <= own && s.twin_of.is_none() && suits(before, pool, s);
            let first: Vec<_> = in_line(before).into_iter().filter(counts).collect();
            let jumped = match before.terms.policy.party_fit {
                PartyFit::Hold => first.first(),
                PartyFit::Skip { .. } => first.iter().find(|s| s.size <= free),
            };
            assert!(jumped.is_none(), "{} {}: {entry:?} jumped {jumped:?}", history.seed, log.name);
        });
    }
    assert!(seated > 0);
}

fn p6_a_freed_seat_goes_to_somebody_or_has_a_recorded_reason((history, again): &(History, Rerun)) {
    let mut freed = 0;
    for (log, again) in history.logs.iter().zip(&again.events) {
        let mut before = Roster::replay(log.id, &log.entries[..log.base as usize]).unwrap();
        for chunk in &again.chunks {
            // The rules say what belongs together; what happened is what is stored.
            let numbers = chunk[0].number as usize - 1..chunk[chunk.len() - 1].number as usize;
            let Some(chunk) = log.entries.get(numbers) else { break };
            let mut after = before.clone();
            chunk.iter().for_each(|entry| after.apply(entry));
            for pool in &after.terms.pools {
                let known = before.terms.pool(pool.no).map_or(0, |old| free(&before, old));
                if free(&after, pool) <= known {
                    continue;
                }
                freed += 1;
                let said = chunk.iter().any(|e| matches!(e.change, Change::SeatsFree { pool: p, .. } if p == pool.no));
                assert!(
                    said,
                    "{} {}: seats of {} stay free without a word: {chunk:?}",
                    history.seed, log.name, pool.id
                );
            }
            nobody_entitled_waits(&after, &format!("{} {} at {}", history.seed, log.name, after.journal_number));
            before = after;
        }
    }
    assert!(freed > 0);
}

/// Where free seats are given at once, nobody waits who should have one.
fn nobody_entitled_waits(roster: &Roster, at: &str) {
    if roster.terms.policy.promotion != Promotion::Automatic {
        return;
    }
    for pool in &roster.terms.pools {
        let free = free(roster, pool);
        // A possible duplicate holds seats that are too few for it, and is looked past where they are enough.
        let counts = |s: &&Standing| suits(roster, pool, s) && (s.twin_of.is_none() || s.size > free);
        let line: Vec<_> = in_line(roster).into_iter().filter(counts).collect();
        let entitled = match (roster.terms.policy.party_fit, line.first()) {
            (_, None) => None,
            (PartyFit::Skip { max_passed_over }, Some(first)) if first.passed_over < max_passed_over => {
                line.iter().find(|s| s.size <= free)
            }
            (_, Some(first)) => (first.size <= free).then_some(first),
        };
        assert!(entitled.is_none(), "{at}: {entitled:?} waits beside {free} free seats in {}", pool.id);
    }
}

fn p7_the_same_request_has_one_effect_and_one_answer_and_another_body_is_refused((history, _): &(History, Rerun)) {
    let mut answers: HashMap<(usize, uuid::Uuid), Vec<&Call>> = HashMap::new();
    for call in history.calls.iter().filter(|c| !c.is_read()) {
        if call.reused {
            assert_eq!(call.refused().map(|r| r.reason.as_str()), Some("REQUEST_ID_REUSED"), "{call:?}");
        } else {
            answers.entry((call.event, call.request_id)).or_default().push(call);
        }
    }
    let mut sent_again = 0;
    for calls in answers.values().filter(|calls| calls.len() > 1) {
        let accepted: Vec<_> = calls.iter().filter(|c| c.refused().is_none()).collect();
        let Some(first) = accepted.first() else { continue };
        sent_again += 1;
        for call in &accepted {
            assert_eq!(call.heard, first.heard, "{}: {call:?}", history.seed);
        }
        for refused in calls.iter().filter(|c| c.refused().is_some()) {
            let known = accepted.iter().any(|a| a.returned < refused.called);
            assert!(!known, "{}: accepted, and then refused: {refused:?}", history.seed);
        }
    }
    assert!(sent_again > 10, "only {sent_again} requests were sent again");
    // One effect: as many registrations as were accepted, and as many requests as are stored.
    for (event, log) in history.logs.iter().enumerate() {
        let accepted = history.accepted();
        let entered = accepted.iter().filter(|(c, _)| match &c.ask {
            Ask::Register { .. } | Ask::WalkIn { .. } => c.event == event,
            Ask::Transfer { to } => *to == event,
            _ => false,
        });
        assert_eq!(entered.count(), log.whole.standings.len(), "{} {}", history.seed, log.name);
        let known: BTreeSet<u128> = accepted
            .iter()
            .filter(|(c, _)| c.event == event || matches!(&c.ask, Ask::Transfer { to } if *to == event))
            .map(|(c, _)| history.request_key(event, c.request_id))
            .collect();
        let stored: BTreeSet<u128> = log
            .whole
            .requests
            .iter()
            .filter(|(_, r)| r.outcome.journal_number > log.base)
            .map(|(key, _)| *key)
            .collect();
        assert_eq!(stored, known, "{} {}: requests that nobody sent, or that are lost", history.seed, log.name);
    }
}

fn p8_everything_that_was_acknowledged_is_there((history, again): &(History, Rerun)) {
    for ((call, _), placed) in history.accepted().iter().zip(&again.placed) {
        let expected = if matches!(call.ask, Ask::Transfer { .. }) { 2 } else { 1 };
        assert_eq!(placed.len(), expected, "{}: answered and not stored: {call:?}", history.seed);
        for name in names(&call.heard) {
            let log = history.logs.iter().find(|log| name.starts_with(&log.name)).unwrap();
            let row = log.whole.standings.iter().find(|s| s.number == number(name));
            assert_eq!(row.map(|s| s.id), Some(registration_id(name)), "{}: {name}", history.seed);
        }
        if !call.is_of_terms() {
            let told: BTreeSet<_> = call.numbers().into_iter().collect();
            assert_eq!(told, placed.iter().copied().collect::<BTreeSet<_>>(), "{}: {call:?}", history.seed);
        }
    }
}

fn names(heard: &Heard) -> Vec<&str> {
    match heard {
        Heard::SignedUp(new) => vec![&new.name],
        Heard::Registration(r) => vec![&r.name],
        Heard::Transferred(moved) => vec![&moved.0.name, &moved.1.name],
        _ => Vec::new(),
    }
}

fn p9_the_journal_is_dense_and_replayed_gives_the_rows_and_the_counts((history, _): &(History, Rerun)) {
    for log in &history.logs {
        let numbers: Vec<u64> = log.entries.iter().map(|e| e.number).collect();
        assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>(), "{} {}", history.seed, log.name);
        assert!(log.entries.is_sorted_by_key(|e| e.at), "time went back in {}", log.name);

        let replayed = Roster::replay(log.id, &log.entries).unwrap();
        assert_eq!(replayed.header(), log.whole.header, "{} {}", history.seed, log.name);
        let mut rows: BTreeMap<Number, Standing> = log.whole.standings.iter().map(|s| (s.number, s.clone())).collect();
        for s in replayed.standings() {
            let mut row = rows.remove(&s.number).expect("a row for each registration");
            // The journal has no ids and no contacts.
            (row.id, row.contact) = (s.id, s.contact);
            assert_eq!(&row, s, "{} {}", history.seed, log.name);
        }
        assert!(rows.is_empty(), "rows without a journal: {rows:?}");
        shown_counts_are_counted_rows(log);

        let text = serde_json::to_string(&log.entries).unwrap();
        for word in ["Šeima", "example.org", "8 612", "+370", "Patikrinta", "Skubu"] {
            assert!(!text.contains(word), "`{word}` stands in the journal");
        }
    }
}

/// What the API shows against the rows, counted here.
fn shown_counts_are_counted_rows(log: &super::history::Log) {
    let shown = log.shown.counts.as_ref().unwrap();
    let count = |kind: StateKind| {
        let dropped = State::Ended(eile::model::registration::End::DuplicateDropped);
        let all = log.whole.standings.iter().filter(|s| s.state.kind() == kind && s.state != dropped);
        all.fold((0, 0), |(parties, persons), s| (parties + 1, persons + s.size as i32))
    };
    assert_eq!((shown.confirmed_parties, shown.confirmed_persons), count(StateKind::Confirmed));
    assert_eq!((shown.offered_parties, shown.offered_persons), count(StateKind::Offered));
    assert_eq!((shown.waiting_parties, shown.waiting_persons), count(StateKind::Waitlisted));
    assert_eq!(shown.cancelled_parties, count(StateKind::Cancelled).0);
    assert_eq!(shown.declined_parties, count(StateKind::Declined).0);
    assert_eq!(shown.expired_parties, count(StateKind::Expired).0);
    assert_eq!(shown.transferred_parties, count(StateKind::Transferred).0);
    let terms: &Arc<Terms> = &log.whole.event.terms;
    assert_eq!(shown.capacity, Some(terms.pools.iter().map(|p| p.capacity.unwrap() as i32).sum()));
}

fn the_rules_give_the_very_same_journal_and_the_very_same_answers((history, again): &(History, Rerun)) {
    assert!(again.wrong.is_empty(), "{}:\n{}", history.seed, again.wrong.join("\n"));
}

fn whoever_returned_before_another_was_called_comes_before_it((history, again): &(History, Rerun)) {
    for event in 0..history.logs.len() {
        let mut happened = BTreeMap::new();
        let accepted = history.accepted();
        let placed = |call: &Call| {
            let n = accepted.iter().position(|(c, _)| (c.event, c.request_id) == (call.event, call.request_id))?;
            again.placed[n].iter().find(|(e, _)| *e == event).map(|(_, at)| *at)
        };
        for call in history.calls.iter().filter(|c| c.refused().is_none()) {
            let number = if call.is_read() {
                call.numbers().into_iter().find(|(e, _)| *e == event).map(|(_, at)| at)
            } else {
                placed(call)
            };
            let Some(number) = number else { continue };
            // A repeated request is ordered by its first call: its number may be old.
            let is_first = call.is_read() || accepted.iter().any(|(c, _)| c.called == call.called);
            if is_first {
                happened.insert(call.called, (false, number, call));
            }
            happened.insert(call.returned, (true, number, call));
        }
        let mut highest = 0;
        for (is_return, number, call) in happened.values() {
            match (is_return, call.is_read()) {
                (true, _) => highest = highest.max(*number),
                (false, true) => assert!(
                    *number >= highest,
                    "{}: a read went back to {number} after {highest}: {call:?}",
                    history.seed
                ),
                (false, false) => assert!(*number > highest, "{}: {number} after {highest}: {call:?}", history.seed),
            }
        }
    }
}

fn reads_show_a_committed_state_and_never_an_older_one((history, again): &(History, Rerun)) {
    for call in history.calls.iter().filter(|c| c.is_read()) {
        let (event, at) = call.numbers()[0];
        let Some(roster) = again.events[event].after.get(&at) else {
            panic!("{}: {call:?} saw number {at}, in the middle of a change", history.seed);
        };
        match &call.heard {
            Heard::Registration(heard) => {
                let s = roster.standing(number(&heard.name)).unwrap();
                let position = i64::from(roster.position(s.number));
                assert_eq!(
                    (heard.state, heard.position, heard.party_size),
                    (wire_state(s.state.kind()), position, s.size as i32)
                );
            }
            Heard::Event(heard) => {
                let (shown, counts) = (heard.counts.as_ref().unwrap(), &roster.counts);
                assert_eq!(shown.confirmed_persons, counts.confirmed.persons as i32);
                assert_eq!(
                    (shown.waiting_parties, shown.offered_parties),
                    (counts.waiting.parties as i32, counts.offered.parties as i32)
                );
            }
            other => panic!("{other:?}"),
        }
    }
}

fn every_refusal_was_right_when_it_was_given((history, again): &(History, Rerun)) {
    for call in history.calls.iter().filter(|c| c.refused().is_some() && !c.reused && !c.is_read()) {
        assert!(refusal_is_right(history, again, call), "{}: {call:?}", history.seed);
    }
}

/// What never happened in a run, which therefore shows nothing about it.
fn never(history: &History) -> Vec<&'static str> {
    let entries = || history.logs.iter().flat_map(|log| &log.entries);
    type Is = fn(&Change) -> bool;
    let happened: [(&str, Is); 19] = [
        ("taken in", |c| matches!(c, Change::Registered { to: Entering::Line, .. })),
        ("seated at once", |c| matches!(c, Change::Registered { to: Entering::Seat { .. }, .. })),
        ("confirmed later", |c| matches!(c, Change::Confirmed { .. })),
        ("offered", |c| matches!(c, Change::Offered { .. })),
        ("accepted", |c| matches!(c, Change::OfferAccepted { .. })),
        ("missed", |c| matches!(c, Change::OfferMissed { .. })),
        ("ended", |c| matches!(c, Change::Ended { .. })),
        ("resized", |c| matches!(c, Change::Resized { .. })),
        ("corrected", |c| matches!(c, Change::Amended { .. })),
        ("seats changed", |c| matches!(c, Change::TermsChanged { .. })),
        ("seats stayed free", |c| matches!(c, Change::SeatsFree { .. })),
        ("a list entered", |c| matches!(c, Change::AttendanceRecorded { .. })),
        (
            "a mark corrected",
            |c| matches!(c, Change::AttendanceRecorded { marks, .. } if marks.iter().any(|m| m.was.is_some())),
        ),
        ("let in", |c| matches!(c, Change::CheckedIn { marks, .. } if !marks.is_empty())),
        ("heads counted", |c| matches!(c, Change::HeadsCounted { was: None, .. })),
        ("heads counted anew", |c| matches!(c, Change::HeadsCounted { was: Some(_), .. })),
        ("a session moved", |c| matches!(c, Change::SessionMoved { .. })),
        ("a session called off", |c| matches!(c, Change::SessionCancelled { .. })),
        ("held by the first", |c| matches!(c, Change::SeatsFree { because: Idle::FirstHolds { .. }, .. })),
    ];
    let mut never: Vec<_> =
        happened.iter().filter(|(_, is)| !entries().any(|e| is(&e.change))).map(|(what, _)| *what).collect();
    let walked_in = |c: &Call| matches!((&c.ask, &c.heard), (Ask::WalkIn { .. }, Heard::SignedUp(_)));
    let few = |enough: usize, is: &dyn Fn(&Call) -> bool| history.calls.iter().filter(|c| is(c)).count() < enough;
    type Was<'a> = &'a dyn Fn(&Call) -> bool;
    let called: [(&str, usize, Was<'_>); 4] = [
        ("moved to another event", 1, &|c| matches!(c.heard, Heard::Transferred(..))),
        ("walked in", 1, &walked_in),
        ("read often", 20, &Call::is_read),
        ("refused often", 20, &|c| c.refused().is_some() && !c.reused && !c.is_read()),
    ];
    never.extend(history.logs.iter().any(|log| log.entries.len() < 20).then_some("much in every event"));
    never.extend(called.iter().filter(|(_, enough, is)| few(*enough, is)).map(|(what, ..)| *what));
    never
}

fn who_came_is_shown_as_it_was_written_down_with_every_value_before((history, _): &(History, Rerun)) {
    history.logs.iter().for_each(super::at_the_door::shown_is_what_was_written_down);
}

fn the_audit_agrees((history, _): &(History, Rerun)) {
    assert!(history.audit.is_empty(), "{}:\n{}", history.seed, history.audit.join("\n"));
}
