//! Who came, as laws over made-up histories: corrections leave a trace, attendance moves nobody, and counts are what
//! a recount finds.

use crate::world::{Step, World, script, uphold};
use eile::admission::{Answer, Change, Entering, Entry, HeadsWere, MarkKey, MarkSet, MarkWas, SessionCounts, Verb};
use eile::model::attendance::Mark;
use eile::model::registration::State;
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The marks that an entry sets, with their session.
fn set(entry: &Entry) -> Option<(u16, &[MarkSet])> {
    match &entry.change {
        Change::AttendanceRecorded { session, marks, .. } | Change::CheckedIn { session, marks, .. } => {
            Some((*session, marks))
        }
        _ => None,
    }
}

/// The journal alone tells each mark that ever stood, and who corrected it: what an entry says a mark was is what
/// the entry before it had set, and no mark changes in any other way.
fn corrections_leave_a_trace(world: &World, step: &Step) {
    let mut known: BTreeMap<MarkKey, MarkWas> = BTreeMap::new();
    let mut heads: BTreeMap<u16, HeadsWere> = BTreeMap::new();
    for entry in &world.journals[step.event][..step.after.journal_number as usize] {
        if let Some((session, marks)) = set(entry) {
            for m in marks {
                let key = MarkKey { session, number: m.number, member: m.member };
                let now = MarkWas { mark: m.mark, minutes: m.minutes, step: entry.number };
                assert_eq!(m.was, known.insert(key, now), "{entry:?}");
                assert!(m.was.is_none_or(|w| (w.mark, w.minutes) != (m.mark, m.minutes)), "nothing new: {entry:?}");
            }
        }
        if let Change::HeadsCounted { session, heads: counted, was, .. } = &entry.change {
            let now = HeadsWere { heads: *counted, step: entry.number };
            assert_eq!(*was, heads.insert(*session, now), "{entry:?}");
        }
    }
    let stands: BTreeMap<MarkKey, MarkWas> =
        step.after.marks().map(|(key, m)| (key, MarkWas { mark: m.mark, minutes: m.minutes, step: m.step })).collect();
    assert_eq!(stands, known);
}

fn attendance_moves_nobody(_: &World, step: &Step) {
    let is_attendance = matches!(step.command.verb, Verb::RecordAttendance(_) | Verb::CheckIn(_) | Verb::CountHeads(_));
    if !is_attendance || !matches!(step.answer, Answer::Done(_)) {
        return;
    }
    let mut due = step.before.clone();
    due.do_due(step.now, &mut Vec::new());
    let left: Vec<_> = due.standings().collect();
    let right: Vec<_> = step.after.standings().collect();
    assert_eq!((left, due.counts), (right, step.after.counts));
    assert_eq!(step.after.journal_number, due.journal_number + 1, "one entry each");
}

fn session_counts_are_right(_: &World, step: &Step) {
    let mut counted: BTreeMap<u16, SessionCounts> = BTreeMap::new();
    for (key, marked) in step.after.marks() {
        let counts =
            counted.entry(key.session).or_insert(SessionCounts { session: key.session, ..SessionCounts::default() });
        match marked.mark {
            Mark::Present => {
                counts.present += 1;
                counts.minutes += u32::from(marked.minutes);
            }
            Mark::Absent => counts.absent += 1,
            Mark::Excused => counts.excused += 1,
            Mark::MadeUp => counts.made_up += 1,
        }
    }
    for kept in step.after.session_counts() {
        let recount = counted.remove(&kept.session).unwrap_or(SessionCounts { heads: kept.heads, ..kept });
        assert_eq!(SessionCounts { heads: None, ..kept }, SessionCounts { heads: None, ..recount });
    }
    assert!(counted.is_empty(), "marks that nobody counts: {counted:?}");
}

/// Only who has or had a seat is written down, as a member that the party has.
fn only_members_with_a_seat_are_marked(_: &World, step: &Step) {
    for entry in &step.entries {
        for m in set(entry).map(|(_, marks)| marks).unwrap_or_default() {
            let s = step.after.standing(m.number).unwrap();
            assert!(s.seated && u32::from(m.member) <= s.size && m.member > 0, "{m:?} of {s:?}");
        }
    }
    for (key, _) in step.after.marks() {
        let s = step.after.standing(key.number).unwrap();
        assert!(u32::from(key.member) <= s.size, "{key:?} of {s:?}");
    }
}

/// Who is on no list and comes in has a seat, and is there with everybody they came with.
fn a_walk_in_is_seated_and_present(_: &World, step: &Step) {
    let (Verb::WalkIn(walk_in), Answer::Done(outcome)) = (&step.command.verb, &step.answer) else { return };
    let s = step.after.standing(outcome.number).unwrap();
    assert!(matches!(s.state, State::Confirmed { .. }), "{s:?}");
    assert!(step.entries.iter().any(|e| matches!(e.change, Change::Registered { to: Entering::Seat { .. }, .. })));
    let present = step.after.marks().filter(|(key, m)| key.number == s.number && m.mark == Mark::Present);
    assert_eq!(present.count() as u32, walk_in.party.size);
}

proptest! {
    #[test]
    fn a_correction_keeps_what_stood_before_and_nothing_is_overwritten_without_trace((shapes, ops) in script()) {
        uphold(&shapes, &ops, corrections_leave_a_trace);
    }

    #[test]
    fn writing_down_who_came_moves_nobody((shapes, ops) in script()) {
        uphold(&shapes, &ops, attendance_moves_nobody);
    }

    #[test]
    fn the_counts_of_a_session_are_what_a_recount_finds((shapes, ops) in script()) {
        uphold(&shapes, &ops, session_counts_are_right);
    }

    #[test]
    fn only_who_has_a_seat_is_written_down((shapes, ops) in script()) {
        uphold(&shapes, &ops, only_members_with_a_seat_are_marked);
    }

    #[test]
    fn somebody_on_no_list_who_is_let_in_has_a_seat_and_is_present((shapes, ops) in script()) {
        uphold(&shapes, &ops, a_walk_in_is_seated_and_present);
    }
}
