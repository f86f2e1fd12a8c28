//! An event: what it is (details) and under which terms seats are given (terms). The core reads only the
//! terms; the details are carried along.

use super::access::Role;
use super::attendance::{SessionNo, Slot};
use super::id::{CentreId, EventId, PoolNo, ProgrammeId};
use super::policy::Policy;
use super::text::LocalizedText;
use super::time::{Span, Timestamp, Zone};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// An event as it is stored: a document beside its roster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    pub id: EventId,
    pub centre: CentreId,
    pub programme: Option<ProgrammeId>,
    pub details: Details,
    pub terms: Arc<Terms>,
    /// 1 when created, one more with each change by staff: the etag.
    pub version: u64,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Why it was cancelled, in the words of staff; empty otherwise.
    #[serde(default)]
    pub cancel_reason: String,
}

/// What people read about an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Details {
    pub project_code: String,
    pub titles: Vec<LocalizedText>,
    pub descriptions: Vec<LocalizedText>,
    pub kind: EventKind,
    pub venue: Venue,
    pub municipality_code: String,
    pub languages: Vec<String>,
    pub sessions: Vec<Session>,
    pub minimum_to_start: u32,
    pub childcare_places: u32,
    pub rides: u32,
    pub questions: Vec<Question>,
    pub attendance_rule: Option<AttendanceRule>,
    /// Absent: whoever of the staff reaches the event sees who its people are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<Sensitivity>,
}

impl Details {
    /// The roles of staff that alone see who the people of the event are; absent: all do.
    pub fn named_roles(&self) -> Option<&[Role]> {
        self.sensitivity.as_ref().map(|sensitivity| sensitivity.named_roles.as_slice())
    }

    /// Whether people outside of the centre are to read neutral words in place of its own.
    pub fn is_neutral_outside(&self) -> bool {
        self.sensitivity.as_ref().is_some_and(|sensitivity| !sensitivity.neutral_titles.is_empty())
    }
}

/// What makes an event sensitive: to be on its list gives something away.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sensitivity {
    /// The roles that see names, contacts, answers and classes; never none.
    pub named_roles: Vec<Role>,
    /// Titles for whatever leaves the centre; empty: its own.
    pub neutral_titles: Vec<LocalizedText>,
    /// Portals find it by its id alone.
    pub unlisted: bool,
}

impl Sensitivity {
    /// Whether nobody sees by this what was not shown by `before`: neither who the people are, nor what the event is about.
    pub fn keeps(&self, before: &Sensitivity) -> bool {
        let names_nobody_else = self.named_roles.iter().all(|role| before.named_roles.contains(role));
        let stays_neutral = before.neutral_titles.is_empty() || !self.neutral_titles.is_empty();
        names_nobody_else && stays_neutral && (self.unlisted || !before.unlisted)
    }
}

/// The terms under which seats are given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Terms {
    pub zone: Zone,
    /// No bound where absent: open as soon as published.
    pub opens_at: Option<Timestamp>,
    /// Half open: at this instant it is closed. Absent: the start of the first session.
    pub closes_at: Option<Timestamp>,
    pub starts_at: Option<Timestamp>,
    pub ends_at: Option<Timestamp>,
    pub pools: Vec<Pool>,
    pub policy: Policy,
    pub party_min: u32,
    pub party_max: u32,
    pub approval_required: bool,
    /// People may still come in after the first session.
    pub join_midway: bool,
    /// The highest number of a pool that was taken out, so that no number is given twice; 0: none was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_retired: PoolNo,
    /// The words of pools that were taken out: an answer that named one names it again when the request is repeated.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub retired: Vec<(PoolNo, String)>,
    /// The sessions in order of their start, as far as they matter for seats and attendance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub sessions: Vec<Slot>,
    /// The highest number of a session that was taken out; 0: none was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub last_retired_session: SessionNo,
}

fn is_zero(no: &PoolNo) -> bool {
    *no == 0
}

/// Seats that are counted together. A party sits wholly in one pool.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    pub no: PoolNo,
    /// The word by which callers name it, `[a-z0-9-]{1,32}`.
    pub id: String,
    /// Seats; no bound where absent.
    pub capacity: Option<u32>,
    /// The classes that it is kept for; empty: everybody.
    #[serde(default)]
    pub classes: Vec<String>,
    /// From then on it is open to all.
    #[serde(default)]
    pub release_at: Option<Timestamp>,
    /// The session that it seats, where a pool is one appointment.
    #[serde(default)]
    pub session_id: String,
}

/// One meeting of an event. The local time is what was announced; the instants follow from it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Session {
    pub id: String,
    /// `YYYY-MM-DDTHH:MM` on the wall clock of the event's zone.
    pub start_local: String,
    pub end_local: String,
    pub starts_at: Timestamp,
    pub ends_at: Timestamp,
    /// Where it takes place; absent: the event's venue.
    #[serde(default)]
    pub venue: Option<Venue>,
    #[serde(default)]
    pub note: String,
    /// Why it does not take place, in the words of staff; empty otherwise.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub cancel_reason: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Venue {
    pub name: String,
    pub address: String,
    pub link: String,
}

/// Something that the event asks each party.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Question {
    pub id: String,
    pub texts: Vec<LocalizedText>,
    pub required: bool,
    pub max_length: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AttendanceRule {
    pub min_percent: u32,
    pub makeup_sessions: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    Course,
    OpenGroup,
    OpenEvent,
    SingleSession,
    Appointments,
    Contest,
}

/// `DRAFT -> PUBLISHED -> CANCELLED | COMPLETED`; a draft may be cancelled too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventState {
    Draft,
    Published,
    Cancelled,
    Completed,
}

impl Terms {
    /// When registration closes: the window's end, or the start where it has none and nobody joins midway.
    pub fn closes(&self) -> Option<Timestamp> {
        match (self.closes_at, self.starts_at) {
            (Some(at), _) => Some(at),
            (None, Some(_)) => self.last_entry(),
            (None, None) => self.ends_at,
        }
    }

    /// Until when anybody new comes in: the start of the first session, of a later one by the policy, or the
    /// end where people join midway.
    pub fn last_entry(&self) -> Option<Timestamp> {
        if self.join_midway {
            return self.ends_at;
        }
        let later = usize::from(self.policy.entry_sessions).checked_sub(1).filter(|n| *n > 0);
        let held = || self.sessions.iter().filter(|s| !s.cancelled);
        let session = later.and_then(|n| held().nth(n).or_else(|| held().next_back()));
        session.map(|s| s.starts_at).or(self.starts_at)
    }

    /// The time left to the start, if the event has one.
    pub fn time_to_start(&self, now: Timestamp) -> Option<Span> {
        self.starts_at.map(|start| start.since(now))
    }

    /// The session of that word.
    pub fn session(&self, id: &str) -> Option<&Slot> {
        self.sessions.iter().find(|s| s.id == id)
    }

    /// The session of that number.
    pub fn session_no(&self, no: SessionNo) -> Option<&Slot> {
        self.sessions.iter().find(|s| s.no == no)
    }

    /// The session that a pool seats; `None` where it seats all, or where the session was taken out.
    pub fn slot_of(&self, pool: &Pool) -> Option<&Slot> {
        if pool.session_id.is_empty() { None } else { self.session(&pool.session_id) }
    }

    /// The session because of which nobody is to get seats of a pool: it is called off, and the pool seats no other.
    pub fn called_off(&self, pool: &Pool) -> Option<&Slot> {
        match self.slot_of(pool) {
            Some(slot) => Some(slot).filter(|slot| slot.cancelled),
            None => self.all_called_off(),
        }
    }

    /// The last session of an event none of whose sessions takes place.
    pub fn all_called_off(&self) -> Option<&Slot> {
        if self.sessions.iter().any(|s| !s.cancelled) { None } else { self.sessions.last() }
    }

    /// Whether nobody new gets seats of a pool: the session that it seats has begun or is called off.
    pub fn is_shut(&self, pool: &Pool, now: Timestamp) -> bool {
        self.called_off(pool).is_some() || self.slot_of(pool).is_some_and(|slot| slot.starts_at <= now)
    }

    /// The word by which callers name a pool that the event has or had.
    pub fn pool_word(&self, no: PoolNo) -> Option<&str> {
        let retired = || self.retired.iter().find(|(gone, _)| *gone == no).map(|(_, word)| word.as_str());
        self.pool(no).map(|p| p.id.as_str()).or_else(retired)
    }

    /// The pool of that number.
    pub fn pool(&self, no: PoolNo) -> Option<&Pool> {
        self.pools.iter().find(|p| p.no == no)
    }
}
