//! Who reached what an event asks for. Worked out from marks and sessions whenever it is asked for, so that a
//! correction is in it at once.

use super::roster::{Roster, Standing};
use crate::model::attendance::{Mark, MemberNo, Slot};
use crate::model::event::AttendanceRule;
use crate::model::time::Timestamp;

/// How far a member is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Progress {
    Reached,
    /// One more missed session made up for would reach it, and the rule allows one more.
    OneMakeupShort,
    /// The sessions to come can still reach it.
    Possible,
    OutOfReach,
}

/// What one member has been to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Completion {
    pub sessions_present: u32,
    pub minutes_present: u32,
    /// Missed sessions that were made up for and count: no more than the rule allows.
    pub sessions_made_up: u32,
    /// Sessions missed without a word.
    pub sessions_absent: u32,
    /// Minutes that count, and those of all sessions that take place.
    pub minutes_counted: u32,
    pub minutes_in_all: u32,
    pub progress: Progress,
    /// Every session is over.
    pub is_over: bool,
}

impl Completion {
    /// The share that counts, in whole percent, rounded down; never more than 100, though marks may tell of more
    /// minutes than a session now has.
    pub fn percent(&self) -> u32 {
        self.minutes_counted.saturating_mul(100).checked_div(self.minutes_in_all).unwrap_or(0).min(100)
    }
}

impl Roster {
    /// What a member has been to, by this rule.
    pub fn completion(&self, s: &Standing, member: MemberNo, rule: AttendanceRule, now: Timestamp) -> Completion {
        let held: Vec<&Slot> =
            self.terms.sessions.iter().filter(|slot| !slot.cancelled && self.may_come(s, slot)).collect();
        let mut c = Completion {
            sessions_present: 0,
            minutes_present: 0,
            sessions_made_up: 0,
            sessions_absent: 0,
            minutes_counted: 0,
            minutes_in_all: held.iter().map(|slot| u32::from(slot.minutes())).sum(),
            progress: Progress::OutOfReach,
            is_over: held.iter().all(|slot| slot.ends_at <= now),
        };
        let (mut to_come, mut longest_missed) = (0, 0);
        for slot in held {
            let length = u32::from(slot.minutes());
            match self.marked(slot.no, s.number, member).map(|m| (m.mark, m.minutes)) {
                Some((Mark::Present, minutes)) => {
                    c.sessions_present += 1;
                    c.minutes_present += u32::from(minutes);
                }
                Some((Mark::MadeUp, _)) if c.sessions_made_up < rule.makeup_sessions => {
                    c.sessions_made_up += 1;
                    c.minutes_counted += length;
                }
                None if slot.ends_at > now => to_come += length,
                other => {
                    c.sessions_absent += u32::from(other.is_some_and(|(mark, _)| mark == Mark::Absent));
                    longest_missed = longest_missed.max(length);
                }
            }
        }
        c.minutes_counted += c.minutes_present;
        c.progress = progress(&c, rule, to_come, longest_missed);
        c
    }
}

/// Whoever never came has reached nothing, however little the rule asks for.
fn progress(c: &Completion, rule: AttendanceRule, to_come: u32, longest_missed: u32) -> Progress {
    let enough = |minutes: u32| minutes > 0 && minutes * 100 >= c.minutes_in_all * rule.min_percent;
    let may_make_up = c.sessions_made_up < rule.makeup_sessions && longest_missed > 0;
    let one_more = c.minutes_counted + if may_make_up { longest_missed } else { 0 };
    if c.sessions_present > 0 && enough(c.minutes_counted) {
        Progress::Reached
    } else if may_make_up && c.sessions_present > 0 && enough(one_more) {
        Progress::OneMakeupShort
    } else if to_come > 0 && enough(one_more + to_come) {
        Progress::Possible
    } else {
        Progress::OutOfReach
    }
}
