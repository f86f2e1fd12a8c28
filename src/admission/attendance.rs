//! Who came, as the roster keeps it: the last mark of each member at each session with the number of the entry
//! that set it. What a mark was before stands in that entry, so that every correction can be followed back
//! through the journal. An event of which nothing was written down keeps nothing.

use super::apply::Header;
use super::change::{Entry, MarkSet};
use super::roster::Roster;
use crate::model::attendance::{Heads, Mark, MemberNo, SessionNo, Source};
use crate::model::id::Number;
use crate::model::registration::ActorKind;
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// One member's mark at one session, as it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Marked {
    pub mark: Mark,
    pub minutes: u16,
    pub source: Source,
    /// Who entered it.
    pub by: ActorKind,
    pub happened_at: Timestamp,
    pub entered_at: Timestamp,
    /// The journal number that set it.
    pub step: u64,
}

/// Whose mark, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MarkKey {
    pub session: SessionNo,
    pub number: Number,
    pub member: MemberNo,
}

/// The counts of one session, kept with every mark.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionCounts {
    #[serde(rename = "no")]
    pub session: SessionNo,
    #[serde(rename = "p", default, skip_serializing_if = "is_zero")]
    pub present: u32,
    #[serde(rename = "a", default, skip_serializing_if = "is_zero")]
    pub absent: u32,
    #[serde(rename = "e", default, skip_serializing_if = "is_zero")]
    pub excused: u32,
    #[serde(rename = "m", default, skip_serializing_if = "is_zero")]
    pub made_up: u32,
    /// Minutes of those who were present.
    #[serde(rename = "min", default, skip_serializing_if = "is_zero")]
    pub minutes: u32,
    #[serde(rename = "h", default, skip_serializing_if = "Option::is_none")]
    pub heads: Option<HeadsCounted>,
}

/// The last count of heads of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadsCounted {
    pub heads: Heads,
    pub by: ActorKind,
    pub happened_at: Timestamp,
    pub entered_at: Timestamp,
    pub step: u64,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl SessionCounts {
    fn count_of(&mut self, mark: Mark) -> &mut u32 {
        match mark {
            Mark::Present => &mut self.present,
            Mark::Absent => &mut self.absent,
            Mark::Excused => &mut self.excused,
            Mark::MadeUp => &mut self.made_up,
        }
    }

    fn add(&mut self, marked: &Marked) {
        *self.count_of(marked.mark) += 1;
        if marked.mark == Mark::Present {
            self.minutes += u32::from(marked.minutes);
        }
    }

    fn take(&mut self, marked: &Marked) {
        let count = self.count_of(marked.mark);
        *count = count.saturating_sub(1);
        if marked.mark == Mark::Present {
            self.minutes = self.minutes.saturating_sub(u32::from(marked.minutes));
        }
    }
}

/// What was written down of an event.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Attendance {
    marks: BTreeMap<MarkKey, Marked>,
    sessions: BTreeMap<SessionNo, SessionCounts>,
}

impl Attendance {
    /// How many marks there are.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    fn counts_mut(&mut self, session: SessionNo) -> &mut SessionCounts {
        self.sessions.entry(session).or_insert(SessionCounts { session, ..SessionCounts::default() })
    }

    fn set(&mut self, key: MarkKey, marked: Marked) {
        let before = self.marks.insert(key, marked);
        let counts = self.counts_mut(key.session);
        if let Some(before) = before {
            counts.take(&before);
        }
        counts.add(&marked);
    }
}

impl Roster {
    /// The mark of one member at one session.
    pub fn marked(&self, session: SessionNo, number: Number, member: MemberNo) -> Option<&Marked> {
        self.attendance.as_ref()?.marks.get(&MarkKey { session, number, member })
    }

    /// The marks of a session from this registration and member on, in order.
    pub fn marks_from(&self, from: MarkKey) -> impl Iterator<Item = (MarkKey, &Marked)> {
        self.attendance.iter().flat_map(move |a| a.marks.range(from..)).map(|(key, marked)| (*key, marked))
    }

    /// Every mark, by session, registration and member.
    pub fn marks(&self) -> impl Iterator<Item = (MarkKey, &Marked)> {
        self.marks_from(MarkKey { session: 0, number: 0, member: 0 })
    }

    /// The counts of the sessions of which something was written down, by number.
    pub fn session_counts(&self) -> impl Iterator<Item = SessionCounts> {
        self.attendance.iter().flat_map(|a| a.sessions.values().copied())
    }

    /// The counts of one session; all 0 where nothing was written down.
    pub fn counts_of_session(&self, session: SessionNo) -> SessionCounts {
        let known = self.attendance.as_ref().and_then(|a| a.sessions.get(&session)).copied();
        known.unwrap_or(SessionCounts { session, ..SessionCounts::default() })
    }

    /// The highest number of a member of this registration that has a mark; 0: none has.
    pub fn last_member_marked(&self, number: Number) -> MemberNo {
        let sessions = self.attendance.iter().flat_map(|a| a.sessions.keys().copied());
        let last = |session| {
            let of = |member| MarkKey { session, number, member };
            let marks = self.attendance.as_ref()?.marks.range(of(0)..=of(MemberNo::MAX));
            marks.last().map(|(key, _)| key.member)
        };
        sessions.filter_map(last).max().unwrap_or(0)
    }

    /// The marks of one registration.
    pub fn marks_of(&self, number: Number) -> impl Iterator<Item = (MarkKey, &Marked)> {
        self.attendance.iter().flat_map(move |a| {
            a.sessions.keys().flat_map(move |session| {
                let of = |member| MarkKey { session: *session, number, member };
                a.marks.range(of(0)..=of(MemberNo::MAX)).map(|(key, marked)| (*key, marked))
            })
        })
    }

    /// Enters a mark from its row.
    pub fn place_mark(&mut self, key: MarkKey, marked: Marked) {
        self.attendance.get_or_insert_default().set(key, marked);
    }

    pub(super) fn mark(
        &mut self,
        entry: &Entry,
        session: SessionNo,
        source: Source,
        happened_at: Timestamp,
        marks: &[MarkSet],
    ) {
        for set in marks {
            let marked = Marked {
                mark: set.mark,
                minutes: set.minutes,
                source,
                by: entry.actor,
                happened_at,
                entered_at: entry.at,
                step: entry.number,
            };
            self.place_mark(MarkKey { session, number: set.number, member: set.member }, marked);
        }
    }

    pub(super) fn count_heads(&mut self, entry: &Entry, session: SessionNo, happened_at: Timestamp, heads: Heads) {
        let counted = HeadsCounted { heads, by: entry.actor, happened_at, entered_at: entry.at, step: entry.number };
        self.attendance.get_or_insert_default().counts_mut(session).heads = Some(counted);
    }

    /// Heads stand in the event's row alone.
    pub(super) fn heads_from(&mut self, header: &Header) {
        for counts in header.attendance.iter().filter(|c| c.heads.is_some()) {
            self.attendance.get_or_insert_default().counts_mut(counts.session).heads = counts.heads;
        }
    }
}
