//! The ladder for attendance: lists, the door, people on no list, heads. Nothing here gives a seat except to
//! somebody on no list, by the same rule as to any newcomer.

use super::change::{Change, Entering, HeadsWere, MarkSet, MarkWas};
use super::command::{AtDoor, GivenMark, HeadCount, MarkList, WalkIn, WhichRegistration, WhichSession};
use super::decide::Decision;
use super::refusal::{MarkFault, MarkWhy, Refusal};
use super::roster::{Roster, Standing};
use super::settle::Aside;
use crate::model::attendance::{Mark, MemberNo, Slot, Source};
use crate::model::event::{EventState, Pool};
use crate::model::id::Number;
use crate::model::registration::State;
use crate::model::time::{Span, Timestamp};
use std::collections::HashSet;

/// How long before a session its door opens: nobody is present before, and nobody absent.
pub const DOOR_OPENS_BEFORE: Span = Span::hours(3);
/// How long after its end a scan may still belong to a session.
const DOOR_SHUTS_AFTER: Span = Span::hours(12);

impl Roster {
    /// A list: every mark is sound, or nothing is written down.
    pub(super) fn record_attendance(&self, list: &MarkList, now: Timestamp) -> Decision {
        self.held()?;
        let slot = self.session_by(&list.session)?;
        let begun = slot.starts_at <= now.plus(DOOR_OPENS_BEFORE);
        // Only who says beforehand that they cannot come can be marked before there is anything to come to.
        if !begun && list.marks.iter().any(|m| m.mark != Mark::Excused) {
            return Err(Refusal::SessionNotBegun { starts_at: slot.starts_at });
        }
        let (mut faults, mut seen) = (Vec::new(), HashSet::new());
        let mut marks = Vec::with_capacity(list.marks.len());
        for (index, given) in list.marks.iter().enumerate() {
            let is_first = seen.insert((given.who.number, given.member));
            match self.mark_of(slot, given) {
                Ok(_) if !is_first => faults.push(MarkFault { index, why: MarkWhy::NamedTwice }),
                Ok(set) => marks.extend(set),
                Err(why) => faults.push(MarkFault { index, why }),
            }
        }
        if !faults.is_empty() {
            return Err(Refusal::MarksRefused { faults });
        }
        let happened_at = list.happened_at.unwrap_or(slot.starts_at);
        Ok(vec![Change::AttendanceRecorded { session: slot.no, source: list.source, happened_at, marks }])
    }

    /// Attendance is written down while an event runs and after it, and not before or where it is called off.
    fn held(&self) -> Result<(), Refusal> {
        match self.state {
            EventState::Published | EventState::Completed => Ok(()),
            EventState::Draft => Err(Refusal::EventNotPublished),
            EventState::Cancelled => Err(Refusal::EventCancelled),
        }
    }

    /// A session that takes place.
    fn session_by(&self, id: &str) -> Result<&Slot, Refusal> {
        let slot = self.terms.session(id).ok_or(Refusal::SessionNotFound)?;
        if slot.cancelled { Err(Refusal::SessionCancelled) } else { Ok(slot) }
    }

    /// One mark of a list; `None` where it says what is known already.
    fn mark_of(&self, slot: &Slot, given: &GivenMark) -> Result<Option<MarkSet>, MarkWhy> {
        let s = self.registration_by(&given.who).ok_or(MarkWhy::RegistrationNotFound)?;
        if given.member == 0 || u32::from(given.member) > s.size {
            return Err(MarkWhy::NoSuchMember { size: s.size });
        }
        if !s.seated {
            return Err(MarkWhy::NotConfirmed { state: s.state.kind() });
        }
        if !self.may_come(s, slot) {
            return Err(MarkWhy::OtherSession);
        }
        let minutes = match given.mark {
            Mark::Present => given.minutes.unwrap_or(slot.minutes()),
            Mark::Absent | Mark::Excused | Mark::MadeUp => 0,
        };
        if minutes > slot.minutes() {
            return Err(MarkWhy::LongerThanSession { minutes: slot.minutes() });
        }
        Ok(self.set(slot, s.number, given.member, given.mark, minutes))
    }

    pub(super) fn registration_by(&self, who: &WhichRegistration) -> Option<&Standing> {
        let s = self.standing(who.number)?;
        who.id.is_none_or(|id| id == s.id).then_some(s)
    }

    /// Whether it has a seat at this session.
    pub fn has_seat_at(&self, s: &Standing, slot: &Slot) -> bool {
        matches!(s.state, State::Confirmed { .. }) && self.may_come(s, slot)
    }

    /// Whether the seat of a registration is one at this session: a pool may seat one session alone.
    pub(super) fn may_come(&self, s: &Standing, slot: &Slot) -> bool {
        let pool = s.state.holds().and_then(|no| self.terms.pool(no));
        pool.is_none_or(|p| p.session_id.is_empty() || p.session_id == slot.id)
    }

    fn set(&self, slot: &Slot, number: Number, member: MemberNo, mark: Mark, minutes: u16) -> Option<MarkSet> {
        let before = self.marked(slot.no, number, member);
        if before.is_some_and(|b| b.mark == mark && b.minutes == minutes) {
            return None;
        }
        let was = before.map(|b| MarkWas { mark: b.mark, minutes: b.minutes, step: b.step });
        Some(MarkSet { number, member, mark, minutes, was })
    }

    /// A party at the door. Who has no seat is not refused: staff are told what stands in the way.
    pub(super) fn check_in(&self, at: &AtDoor) -> Decision {
        self.held()?;
        let slot = self.session_at(&at.session, at.happened_at)?;
        let s = self.registration_by(&at.who).ok_or(Refusal::RegistrationNotFound)?;
        if let Some(member) = at.members.iter().find(|m| **m == 0 || u32::from(**m) > s.size) {
            return Err(Refusal::MemberNotFound { member: *member, size: s.size });
        }
        let all = 1..=MemberNo::try_from(s.size).unwrap_or(MemberNo::MAX);
        let is_in = |m: MemberNo| self.marked(slot.no, s.number, m).is_some_and(|b| b.mark == Mark::Present);
        let enters = |m: &MemberNo| at.members.is_empty() || at.members.contains(m);
        let welcome = matches!(s.state, State::Confirmed { .. }) && self.may_come(s, slot);
        let in_now = |m: &MemberNo| is_in(*m) || (welcome && enters(m));
        let new = all.clone().filter(|m| welcome && enters(m) && !is_in(*m));
        let marks = new.filter_map(|m| self.set(slot, s.number, m, Mark::Present, slot.minutes())).collect();
        Ok(vec![Change::CheckedIn {
            session: slot.no,
            number: s.number,
            happened_at: at.happened_at,
            size: s.size,
            missing: all.filter(|m| !in_now(m)).collect(),
            marks,
        }])
    }

    /// The session that is meant: the one that is named, or the one whose door is open at this time.
    fn session_at(&self, which: &WhichSession, at: Timestamp) -> Result<&Slot, Refusal> {
        let open =
            |slot: &Slot| slot.starts_at <= at.plus(DOOR_OPENS_BEFORE) && at <= slot.ends_at.plus(DOOR_SHUTS_AFTER);
        match which {
            WhichSession::Named(id) => {
                let slot = self.session_by(id)?;
                if open(slot) { Ok(slot) } else { Err(Refusal::DoorShut { starts_at: slot.starts_at }) }
            }
            WhichSession::AtThatTime => {
                let held = || self.terms.sessions.iter().filter(|s| !s.cancelled);
                let nearest = held().filter(|s| open(s)).min_by_key(|s| s.starts_at.since(at).0.abs());
                let next = held().find(|s| s.starts_at > at).or_else(|| held().next_back());
                nearest.ok_or(match next {
                    Some(slot) => Refusal::DoorShut { starts_at: slot.starts_at },
                    None => Refusal::SessionNotFound,
                })
            }
        }
    }

    /// Somebody on no list: registered and present at once, if there is a seat that nobody who waits has a
    /// right to.
    pub(super) fn walk_in(&self, walk_in: &WalkIn, now: Timestamp) -> Decision {
        self.published()?;
        let slot = self.session_by(&walk_in.session)?;
        if slot.starts_at > now.plus(DOOR_OPENS_BEFORE) {
            return Err(Refusal::SessionNotBegun { starts_at: slot.starts_at });
        }
        if !self.terms.policy.walk_ins {
            return Err(Refusal::WalkInsNotTaken);
        }
        let party = &walk_in.party;
        self.size_allowed(party.size)?;
        self.pools_known(&party.wishes)?;
        self.fits_some_pool(party)?;
        if let Some(number) = self.contact_taken(party.contact, self.next_number) {
            return Err(Refusal::AlreadyRegistered { number });
        }
        let number = self.next_number;
        let (pool, passed_over) = self.seat_at_the_door(slot, party.size, &party.wishes)?;
        let registered = Change::Registered {
            number,
            size: party.size,
            wishes: party.wishes.clone(),
            to: Entering::Seat { pool, passed_over },
            twin_of: None,
            drop_at: None,
        };
        let members = 1..=MemberNo::try_from(party.size).unwrap_or(MemberNo::MAX);
        let marks = members.filter_map(|m| self.set(slot, number, m, Mark::Present, slot.minutes())).collect();
        let happened_at = walk_in.happened_at.unwrap_or(slot.starts_at);
        let came = Change::AttendanceRecorded { session: slot.no, source: walk_in.source, happened_at, marks };
        Ok(vec![registered, came])
    }

    fn seat_at_the_door(&self, slot: &Slot, size: u32, wishes: &[u16]) -> Result<(u16, Option<Number>), Refusal> {
        let here = |no: &u16| self.terms.pool(*no).is_some_and(|p| p.session_id.is_empty() || p.session_id == slot.id);
        let wished: Vec<u16> = self.pools_in_order(None, wishes).into_iter().filter(here).collect();
        // A session that has begun takes people in at its own door; and staff, who see who may be registered twice, need not
        // act as if they did not.
        let shut = |pool: &Pool| self.terms.called_off(pool).is_some();
        let seat = self.seat_at_once((self.next_number, size), None, &wished, shut, Aside::Everybody);
        if let Some(seat) = seat.filter(|_| !wished.is_empty()) {
            return Ok(seat);
        }
        let free = wished.iter().filter_map(|no| self.pool(*no)).map(|(p, h)| Self::free(p, h)).max().unwrap_or(0);
        match self.first_at_the_door(&wished, size) {
            Some(number) => Err(Refusal::WaitingPartyFirst { number }),
            None => Err(Refusal::SeatsNotFree { asked: size, free }),
        }
    }

    pub(super) fn heads_counted(&self, count: &HeadCount, now: Timestamp) -> Decision {
        self.held()?;
        let slot = self.session_by(&count.session)?;
        if slot.starts_at > now.plus(DOOR_OPENS_BEFORE) {
            return Err(Refusal::SessionNotBegun { starts_at: slot.starts_at });
        }
        let before = self.counts_of_session(slot.no).heads;
        let was = before.map(|b| HeadsWere { heads: b.heads, step: b.step });
        let happened_at = count.happened_at.unwrap_or(slot.starts_at);
        Ok(vec![Change::HeadsCounted { session: slot.no, happened_at, heads: count.heads, was }])
    }
}

impl MarkList {
    /// A list for a session as it is kept on paper.
    pub fn on_paper(session: &str, marks: Vec<GivenMark>) -> Self {
        Self { session: session.to_owned(), source: Source::PaperList, happened_at: None, marks }
    }
}
