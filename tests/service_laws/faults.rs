//! The laws held against runs that were tampered with: each fault must be seen by the law that is named, or the laws
//! would show nothing. The faults are those of services that oversell, lose, repeat, reorder or tell stale things.

use super::driver::Stage;
use super::history::{Ask, Call, Heard, History};
use super::laws::{LAWS, runs};
use super::replay::rerun;
use crate::support::service::Database;
use eile::admission::{Change, Entering};
use eile::storage::Whole;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What is done to a run, unless there is no place in it for that, and the beginning of the law's name that must see it.
type Fault = (&'static str, fn(&mut History) -> Option<()>, &'static str);

/// How often runs are played at most until every fault was put somewhere and seen. Which calls overlap is not the
/// seed's alone: in one run of twenty some fault finds no place, and a changed line may by chance say the same.
const ROUNDS: u64 = 8;

const FAULTS: &[Fault] = &[
    ("a seat too many was given", give_a_seat_too_many, "p1"),
    ("a party was confirmed with one seat fewer", shrink_a_confirmed_party, "p2"),
    ("two of one line changed places", swap_two_in_line, "the_rules"),
    ("a wrong position was told", tell_a_wrong_position, "the_rules"),
    ("a freed seat stays free without a word", forget_why_seats_are_free, "p6"),
    ("a repeated request was answered otherwise", answer_otherwise, "p7"),
    ("a request was taken that nobody sent", forget_that_it_was_asked, "p7"),
    ("an acknowledged change is not there", lose_a_request, "p8"),
    ("an acknowledged sign-up has no row", lose_a_row, "p8"),
    ("a number of the journal is left out", leave_a_number_out, "p9"),
    ("a row is not what the journal says", alter_a_row, "p9"),
    ("a change was decided before one that had returned", call_it_later, "whoever_returned"),
    ("a read showed an older state", read_late, "whoever_returned"),
    ("a read showed what never was", read_what_never_was, "reads"),
    ("a correction was overwritten without trace", overwrite_a_mark, "who_came"),
    ("a scan was answered as a welcome that let nobody in", welcome_nobody, "the_rules"),
    ("somebody was refused without a reason", refuse_somebody, "every_refusal"),
];

#[test]
fn every_fault_is_seen_by_its_law() {
    let mut unseen: Vec<(&Fault, Vec<Vec<&str>>)> = FAULTS.iter().map(|fault| (fault, Vec::new())).collect();
    let stage = Stage { database: Database::Sqlite, instances: 1 };
    for sound in (0..ROUNDS).filter_map(|round| runs(stage, 7 + 100 * round).pop()).map(|(history, _)| history) {
        assert!(seen(sound.clone()).is_empty(), "the run itself is sound");
        unseen.retain_mut(|((_, tamper, law), instead)| {
            let mut history = sound.clone();
            if tamper(&mut history).is_none() {
                return true;
            }
            let seen = seen(history);
            let by_its_law = seen.iter().any(|name| name.starts_with(law));
            instead.push(seen);
            !by_its_law
        });
        if unseen.is_empty() {
            return;
        }
    }
    for ((what, _, law), instead) in unseen {
        eprintln!("{what}: not seen by {law}; where it had a place it was seen by {instead:?}");
    }
    panic!("a fault was not seen by its law in {ROUNDS} runs");
}

/// The laws that a run breaks.
fn seen(history: History) -> Vec<&'static str> {
    let Ok(again) = catch_unwind(AssertUnwindSafe(|| rerun(&history))) else { return vec!["p9 (no journal)"] };
    let played = (history, again);
    let broken = |law: &fn(&(History, super::replay::Rerun))| catch_unwind(AssertUnwindSafe(|| law(&played))).is_err();
    LAWS.iter().filter(|(_, law)| broken(law)).map(|(name, _)| *name).collect()
}

fn give_a_seat_too_many(history: &mut History) -> Option<()> {
    for log in &mut history.logs {
        for entry in &mut log.entries {
            if let Change::Registered { to, size, .. } = &mut entry.change
                && *to == Entering::Line
            {
                (*to, *size) = (Entering::Seat { pool: 1, passed_over: None }, 4);
            }
        }
    }
    Some(())
}

fn shrink_a_confirmed_party(history: &mut History) -> Option<()> {
    let change = history.logs[0].entries.iter_mut().find_map(|e| match &mut e.change {
        Change::Registered { to: Entering::Seat { .. }, size, .. } if *size > 1 => Some(size),
        _ => None,
    });
    *change? -= 1;
    Some(())
}

fn swap_two_in_line(history: &mut History) -> Option<()> {
    for log in &mut history.logs {
        let confirmed: Vec<usize> =
            (0..log.entries.len()).filter(|n| matches!(log.entries[*n].change, Change::Confirmed { .. })).collect();
        if let [one, .., other] = confirmed.as_slice() {
            let change = log.entries[*one].change.clone();
            log.entries[*one].change = std::mem::replace(&mut log.entries[*other].change, change);
            return Some(());
        }
    }
    None
}

fn tell_a_wrong_position(history: &mut History) -> Option<()> {
    let told = history.calls.iter_mut().rev().find_map(|c| match &mut c.heard {
        Heard::SignedUp(new) if new.first.position > 1 => Some(&mut new.first.position),
        _ => None,
    });
    *told? -= 1;
    Some(())
}

fn forget_why_seats_are_free(history: &mut History) -> Option<()> {
    for log in &mut history.logs {
        for entry in &mut log.entries {
            if matches!(entry.change, Change::SeatsFree { .. }) {
                entry.change = Change::DetailsChanged;
            }
        }
    }
    Some(())
}

/// Two accepted calls under one request id.
fn repeated(history: &mut History) -> Option<&mut Call> {
    let accepted: Vec<_> =
        history.calls.iter().map(|c| (c.event, c.request_id, matches!(c.heard, Heard::SignedUp(_)))).collect();
    let is_repeated = |n: &usize| accepted[*n].2 && accepted.iter().filter(|other| **other == accepted[*n]).count() > 1;
    let n = (0..accepted.len()).rev().find(is_repeated)?;
    Some(&mut history.calls[n])
}

fn answer_otherwise(history: &mut History) -> Option<()> {
    let Heard::SignedUp(new) = &mut repeated(history)?.heard else { return None };
    new.token.push('x');
    Some(())
}

fn forget_that_it_was_asked(history: &mut History) -> Option<()> {
    let request_id = repeated(history)?.request_id;
    history.calls.retain(|c| c.request_id != request_id);
    Some(())
}

fn whole_of(history: &mut History, change: impl FnOnce(&mut Whole) -> Option<()>) -> Option<()> {
    let old = &history.logs[0].whole;
    let mut whole = Whole {
        event: old.event.clone(),
        header: old.header.clone(),
        next_due: old.next_due,
        free_seats: old.free_seats,
        standings: old.standings.clone(),
        marks: old.marks.clone(),
        requests: old.requests.clone(),
    };
    change(&mut whole)?;
    history.logs[0].whole = Arc::new(whole);
    Some(())
}

fn lose_a_request(history: &mut History) -> Option<()> {
    // What was asked before the run, such as publishing, is not among its calls.
    let base = history.logs[0].base;
    whole_of(history, |whole| {
        let last = whole.requests.iter().rposition(|(_, r)| r.outcome.journal_number > base);
        whole.requests.remove(last?);
        Some(())
    })
}

fn lose_a_row(history: &mut History) -> Option<()> {
    whole_of(history, |whole| whole.standings.pop().map(drop))
}

fn leave_a_number_out(history: &mut History) -> Option<()> {
    let middle = history.logs[0].entries.len() / 2;
    history.logs[0].entries.remove(middle);
    Some(())
}

fn alter_a_row(history: &mut History) -> Option<()> {
    whole_of(history, |whole| {
        whole.standings.first_mut()?.passed_over += 1;
        Some(())
    })
}

/// A change that is said to have been called after everything had returned.
fn call_it_later(history: &mut History) -> Option<()> {
    let end = history.calls.iter().map(|c| c.returned).max()?;
    let first = history.calls.iter_mut().find(|c| matches!(c.heard, Heard::SignedUp(_)))?;
    let request_id = first.request_id;
    for (n, call) in history.calls.iter_mut().filter(|c| c.request_id == request_id).enumerate() {
        (call.called, call.returned) = (end + 1 + 2 * n as u64, end + 2 + 2 * n as u64);
    }
    Some(())
}

fn read_late(history: &mut History) -> Option<()> {
    let end = history.calls.iter().map(|c| c.returned).max()?;
    let read = history.calls.iter_mut().find(|c| matches!(c.ask, Ask::Counts))?;
    (read.called, read.returned) = (end + 1, end + 2);
    Some(())
}

fn read_what_never_was(history: &mut History) -> Option<()> {
    let read = history.calls.iter_mut().rev().find_map(|c| match (&c.ask, &mut c.heard) {
        (Ask::Counts, Heard::Event(event)) => event.counts.as_mut(),
        _ => None,
    });
    read?.confirmed_persons += 1;
    Some(())
}

fn overwrite_a_mark(history: &mut History) -> Option<()> {
    let corrected = history.logs.iter_mut().flat_map(|log| &mut log.attendance.attendances);
    corrected.into_iter().find(|a| !a.corrections.is_empty())?.corrections.pop().map(drop)
}

/// A scan that was sent once: of one that was repeated the law of repeats would see it too, and perhaps alone.
fn welcome_nobody(history: &mut History) -> Option<()> {
    let sent: Vec<_> = history.calls.iter().map(|c| c.request_id).collect();
    let once = |c: &&mut Call| sent.iter().filter(|id| **id == c.request_id).count() == 1;
    let seen = history.calls.iter_mut().rev().filter(once).find_map(|c| match &mut c.heard {
        Heard::Scanned(seen) if seen.verdict() != eile::api::proto::DoorVerdict::Welcome => Some(seen),
        _ => None,
    });
    seen?.set_verdict(eile::api::proto::DoorVerdict::Welcome);
    Some(())
}

fn refuse_somebody(history: &mut History) -> Option<()> {
    let refused = history.calls.iter().find(|c| !c.reused && c.refused().is_some())?.heard.clone();
    let Heard::Refused(mut refused) = refused else { return None };
    refused.reason = "WAITLIST_FULL".into();
    let cancelled =
        history.calls.iter_mut().find(|c| matches!(c.ask, Ask::Cancel) && c.refused().is_some() && !c.reused);
    cancelled?.heard = Heard::Refused(refused);
    Some(())
}
