//! The reasons for a no. A refusal is an answer with facts, not a failure; it leaves no change behind.

use crate::model::attendance::{MemberNo, SessionNo};
use crate::model::event::EventState;
use crate::model::id::{Number, PoolNo};
use crate::model::registration::StateKind;
use crate::model::time::Timestamp;

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The request id was used for something else.
    RequestIdReused,
    EventNotPublished,
    EventCancelled,
    EventCompleted,
    RegistrationNotOpen {
        opens_at: Timestamp,
    },
    RegistrationClosed {
        closed_at: Timestamp,
    },
    PartyTooSmall {
        size: u32,
        min: u32,
    },
    PartyTooLarge {
        size: u32,
        max: u32,
    },
    /// No pool that the party accepts is ever large enough for it.
    PartyLargerThanPool {
        size: u32,
        largest: u32,
    },
    PoolNotFound {
        pool: PoolNo,
    },
    AlreadyRegistered {
        number: Number,
    },
    WaitlistFull {
        limit: u32,
    },
    RegistrationNotFound,
    /// The verb is not possible in this state.
    IllegalState {
        state: StateKind,
    },
    IllegalEventState {
        state: EventState,
    },
    OfferExpired,
    NoLiveOffer {
        state: StateKind,
    },
    /// The seats asked for are not free.
    SeatsNotFree {
        asked: u32,
        free: u32,
    },
    /// The seats are free, but somebody who waits has the better right to them.
    WaitingPartyFirst {
        number: Number,
    },
    ReasonRequired,
    ClassUnknown {
        class: String,
    },
    PossibleDuplicate {
        twin_of: Number,
    },
    EtagMismatch {
        current: u64,
    },
    /// A pool that is held or wished for cannot go.
    PoolInUse {
        pool: PoolNo,
    },
    SameEvent,
    /// It cannot be closed before its last session has ended.
    EventNotOver {
        ends_at: Timestamp,
    },
    SessionNotFound,
    SessionCancelled,
    /// All seats that would do are at sessions that are called off; this is one of them.
    SeatsCalledOff {
        session: SessionNo,
    },
    /// It is too early to write down who came.
    SessionNotBegun {
        starts_at: Timestamp,
    },
    /// The scan was made when the door of the session was shut.
    DoorShut {
        starts_at: Timestamp,
    },
    /// Lines of a list that cannot be: all of them; nothing was written down.
    MarksRefused {
        faults: Vec<MarkFault>,
    },
    MemberNotFound {
        member: MemberNo,
        size: u32,
    },
    /// A party cannot become smaller than its last member whose attendance is written down.
    MemberAttended {
        member: MemberNo,
    },
    WalkInsNotTaken,
    /// A session of which something was written down cannot be taken out or called off.
    SessionInUse {
        session: SessionNo,
    },
}

/// A line of a list that cannot be, counted from 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MarkFault {
    pub index: usize,
    pub why: MarkWhy,
}

/// Why a line of a list cannot be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkWhy {
    RegistrationNotFound,
    NoSuchMember {
        size: u32,
    },
    /// It never had a seat.
    NotConfirmed {
        state: StateKind,
    },
    /// Its seat is one at another session.
    OtherSession,
    LongerThanSession {
        minutes: u16,
    },
    /// The member stands in the list already.
    NamedTwice,
}
