//! What can happen to an event. The journal is a list of these; replaying it gives the roster.
//!
//! No personal data: numbers, states, seats and reasons only. The stored form is pinned by a golden test.

use crate::model::attendance::{Heads, Mark, MemberNo, SessionNo, Source};
use crate::model::consent::Consent;
use crate::model::event::Terms;
use crate::model::id::{Number, PoolNo};
use crate::model::registration::{ActorKind, End};
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// One change under its number.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Dense per event: 1, 2, 3 ...
    #[serde(rename = "n")]
    pub number: u64,
    /// Never earlier than the entry before.
    #[serde(rename = "at")]
    pub at: Timestamp,
    #[serde(rename = "by")]
    pub actor: ActorKind,
    /// The version of the waitlist policy it was decided under.
    #[serde(rename = "pv")]
    pub policy: u32,
    /// Seats that it took (positive) or gave back (negative).
    #[serde(rename = "s", default, skip_serializing_if = "is_zero")]
    pub seats: i64,
    #[serde(rename = "c")]
    pub change: Change,
    /// Those whose mark as a possible duplicate goes with it. No entries of their own: a number that moved by two would
    /// have told who is registered.
    #[serde(rename = "cl", default, skip_serializing_if = "Vec::is_empty")]
    pub cleared: Vec<Number>,
}

impl Entry {
    /// The registrations whose standing it moves.
    pub fn touches(&self) -> impl Iterator<Item = Number> {
        self.change.touches().chain(self.cleared.iter().copied())
    }
}

fn is_zero(n: &i64) -> bool {
    *n == 0
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Change {
    /// Number 1 of every journal.
    EventCreated {
        terms: Arc<Terms>,
    },
    /// Pools, policy, window or limits changed.
    TermsChanged {
        terms: Arc<Terms>,
    },
    /// Texts, venue or other things that give nobody a seat changed.
    DetailsChanged,
    Published,
    EventCancelled,
    EventCompleted,
    /// A kept pool is open to all from now on.
    PoolReleased {
        pool: PoolNo,
    },
    /// A party was taken in.
    Registered {
        number: Number,
        size: u32,
        /// Pools that it accepts, in order of wish; empty: any.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        wishes: Vec<PoolNo>,
        to: Entering,
        /// It may be the same party as this one: set where the caller could not vouch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        twin_of: Option<Number>,
        /// When a possible duplicate is dropped.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drop_at: Option<Timestamp>,
    },
    /// A review ended well: the party stands in line at its accepted number.
    Approved {
        number: Number,
    },
    /// A seat was given.
    Confirmed {
        number: Number,
        pool: PoolNo,
        because: Because,
        /// Who stood first and did not fit.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed_over: Option<Number>,
    },
    /// A seat is held until a deadline.
    Offered {
        number: Number,
        pool: PoolNo,
        expires_at: Timestamp,
        because: Because,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed_over: Option<Number>,
    },
    OfferAccepted {
        number: Number,
    },
    /// The deadline passed and the party stays on the list.
    OfferMissed {
        number: Number,
        /// Its new place where the policy sends it to the end.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        to_place: Option<Number>,
    },
    /// The event was closed while an offer stood, or the session begun or called off: nothing was missed, and there is
    /// nothing to answer any more.
    OfferWithdrawn {
        number: Number,
    },
    /// A registration ended.
    Ended {
        number: Number,
        end: End,
    },
    /// Staff set or took away the priority class; the reason stands elsewhere.
    ClassSet {
        number: Number,
        class: Option<String>,
    },
    /// The party became smaller or larger.
    Resized {
        number: Number,
        size: u32,
        /// Who waits first and does not fit into the seats that it takes.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed_over: Option<Number>,
    },
    /// The contact or other words of the party were corrected; the place stays.
    Amended {
        number: Number,
        /// Its new contact is taken by this one: set where the caller could not vouch.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        twin_of: Option<Number>,
        /// When it is dropped as a possible duplicate.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        drop_at: Option<Timestamp>,
    },
    /// Personal data of the party were erased: all of it, or all but what must be kept for a while.
    Erased {
        number: Number,
        kept: bool,
    },
    /// The party's words are to be left alone, or not any more.
    Restricted {
        number: Number,
        restricted: bool,
    },
    /// What the party consents to, or took back: these purposes, as they stand from now on.
    ConsentsSet {
        number: Number,
        consents: Vec<Consent>,
    },
    /// Seats were freed and stay free, with the reason.
    SeatsFree {
        pool: PoolNo,
        seats: u32,
        because: Idle,
    },
    /// Who came to a session was written down, or corrected. No marks: all of it was known already.
    AttendanceRecorded {
        session: SessionNo,
        source: Source,
        /// When it happened; the entry's own time is when it was entered.
        happened_at: Timestamp,
        marks: Vec<MarkSet>,
    },
    /// A party was at the door. No marks: it was in already, or has no seat.
    CheckedIn {
        session: SessionNo,
        number: Number,
        happened_at: Timestamp,
        size: u32,
        /// Members who are not in after it.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        missing: Vec<MemberNo>,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        marks: Vec<MarkSet>,
    },
    /// Heads were counted at a session, or the count corrected.
    HeadsCounted {
        session: SessionNo,
        happened_at: Timestamp,
        heads: Heads,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        was: Option<HeadsWere>,
    },
    /// A session that was to come takes place at another time; the terms changed in the entry before.
    SessionMoved {
        session: SessionNo,
        from: Timestamp,
        to: Timestamp,
        /// Who had a seat at it, and is told.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tell: Vec<Number>,
    },
    /// A session that was to come does not take place.
    SessionCancelled {
        session: SessionNo,
        at: Timestamp,
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        tell: Vec<Number>,
    },
}

/// One member's mark, and what it corrects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkSet {
    #[serde(rename = "n")]
    pub number: Number,
    #[serde(rename = "m")]
    pub member: MemberNo,
    #[serde(rename = "k")]
    pub mark: Mark,
    #[serde(rename = "min", default, skip_serializing_if = "is_no_minute")]
    pub minutes: u16,
    /// The mark before it: nothing is overwritten without trace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<MarkWas>,
}

/// A mark that was corrected; who set it and when stands in its own entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarkWas {
    #[serde(rename = "k")]
    pub mark: Mark,
    #[serde(rename = "min", default, skip_serializing_if = "is_no_minute")]
    pub minutes: u16,
    /// The journal number that set it.
    #[serde(rename = "by")]
    pub step: u64,
}

/// A count of heads that was corrected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadsWere {
    pub heads: Heads,
    /// The journal number that set it.
    #[serde(rename = "by")]
    pub step: u64,
}

fn is_no_minute(n: &u16) -> bool {
    *n == 0
}

impl Change {
    /// The registration that it is about; `None` where it is about the event.
    pub fn about(&self) -> Option<Number> {
        match self {
            Change::Registered { number, .. }
            | Change::Approved { number }
            | Change::Confirmed { number, .. }
            | Change::Offered { number, .. }
            | Change::OfferAccepted { number }
            | Change::OfferMissed { number, .. }
            | Change::OfferWithdrawn { number }
            | Change::Ended { number, .. }
            | Change::ClassSet { number, .. }
            | Change::Resized { number, .. }
            | Change::Amended { number, .. }
            | Change::Erased { number, .. }
            | Change::Restricted { number, .. }
            | Change::ConsentsSet { number, .. }
            | Change::CheckedIn { number, .. } => Some(*number),
            Change::EventCreated { .. }
            | Change::TermsChanged { .. }
            | Change::DetailsChanged
            | Change::Published
            | Change::EventCancelled
            | Change::EventCompleted
            | Change::PoolReleased { .. }
            | Change::SeatsFree { .. }
            | Change::AttendanceRecorded { .. }
            | Change::HeadsCounted { .. }
            | Change::SessionMoved { .. }
            | Change::SessionCancelled { .. } => None,
        }
    }

    /// The registrations whose standing it moves: the one that it is about, and one that it passes over.
    fn touches(&self) -> impl Iterator<Item = Number> {
        let own = match self {
            // Attendance stands beside the standing.
            Change::CheckedIn { .. } => None,
            _ => self.about(),
        };
        own.into_iter().chain(self.passed_over())
    }

    /// The pool that it names, if any.
    pub fn pool(&self) -> Option<PoolNo> {
        match self {
            Change::Registered { to: Entering::Seat { pool, .. }, .. }
            | Change::Confirmed { pool, .. }
            | Change::Offered { pool, .. }
            | Change::PoolReleased { pool }
            | Change::SeatsFree { pool, .. } => Some(*pool),
            _ => None,
        }
    }

    /// The session that it is about, if it is about one.
    pub fn session(&self) -> Option<SessionNo> {
        match self {
            Change::AttendanceRecorded { session, .. }
            | Change::CheckedIn { session, .. }
            | Change::HeadsCounted { session, .. }
            | Change::SessionMoved { session, .. }
            | Change::SessionCancelled { session, .. } => Some(*session),
            _ => None,
        }
    }

    /// Who stood before and did not fit, if anybody.
    pub fn passed_over(&self) -> Option<Number> {
        match self {
            Change::Registered { to: Entering::Seat { passed_over, .. }, .. }
            | Change::Confirmed { passed_over, .. }
            | Change::Offered { passed_over, .. }
            | Change::Resized { passed_over, .. } => *passed_over,
            _ => None,
        }
    }

    /// The terms that hold from now on, where it sets them.
    pub fn terms(&self) -> Option<&Arc<Terms>> {
        match self {
            Change::EventCreated { terms } | Change::TermsChanged { terms } => Some(terms),
            _ => None,
        }
    }
}

/// Where a new party goes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entering {
    InReview,
    Line,
    /// Straight to a seat, because nobody who waits has a right to it.
    Seat {
        pool: PoolNo,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        passed_over: Option<Number>,
    },
}

/// The rule by which a seat was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// First in line.
    FirstInLine,
    /// The first in line that fits; who was passed over keeps the place.
    FirstThatFits,
    /// Staff chose the first in line.
    StaffInOrder,
    /// Staff chose somebody else, with a reason that stands elsewhere.
    StaffOutOfOrder,
    /// It was offered already, and is to be answered earlier: the start was moved.
    StartMoved,
}

/// Why a freed seat stays free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Idle {
    /// Nobody waits for this pool.
    NobodyWaits,
    /// Only possible duplicates wait for it whose twins are live; this is the first.
    OnlyDuplicates { number: Number },
    /// The first in line needs more seats than are free, and holds them.
    FirstHolds { number: Number },
    /// Nobody in line fits.
    NobodyFits,
    /// The policy leaves the choice to staff.
    StaffChoose,
    /// Too close to the start for an automatic offer: staff have a call list.
    TooCloseToStart,
    /// The event, or the session that the pool seats, has begun and takes nobody midway.
    Begun,
    /// The session that the pool seats is called off, or all of them are.
    CalledOff,
    /// The only parties that fit have just missed or declined this offer.
    JustMissed,
}
