//! A registration: one party's sign-up for one event, and the states it goes through.

use super::id::{EventId, PoolNo, RegistrationId};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `IN_REVIEW -> WAITLISTED <-> OFFERED -> CONFIRMED`, and the ends.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    InReview,
    Waitlisted,
    Offered { pool: PoolNo, expires_at: Timestamp },
    Confirmed { pool: PoolNo },
    Ended(End),
}

/// How a registration ended. Ends are final.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    Cancelled {
        by: ActorKind,
        reason: CancelReason,
    },
    Declined {
        reason: CancelReason,
    },
    /// An offer was missed under a policy that ends it.
    Expired,
    /// A possible duplicate whose time was up.
    DuplicateDropped,
    Rejected {
        reason: RejectReason,
    },
    EventCancelled,
    Transferred {
        to: Box<TransferTarget>,
    },
}

/// Where a transferred registration went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TransferTarget {
    pub event: EventId,
    pub registration: RegistrationId,
}

/// A state without what it knows: the word on the wire and in the column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum StateKind {
    InReview = 1,
    Waitlisted = 2,
    Offered = 3,
    Confirmed = 4,
    Cancelled = 5,
    Declined = 6,
    Expired = 7,
    Rejected = 8,
    EventCancelled = 9,
    Transferred = 10,
}

impl StateKind {
    /// The kind of a stored code.
    pub fn from_code(code: u8) -> Option<Self> {
        use StateKind::*;
        [InReview, Waitlisted, Offered, Confirmed, Cancelled, Declined, Expired, Rejected, EventCancelled, Transferred]
            .into_iter()
            .find(|k| *k as u8 == code)
    }
    /// Neither ended nor transferred.
    pub fn is_live(self) -> bool {
        matches!(self, Self::InReview | Self::Waitlisted | Self::Offered | Self::Confirmed)
    }
}

impl State {
    pub fn kind(&self) -> StateKind {
        match self {
            State::InReview => StateKind::InReview,
            State::Waitlisted => StateKind::Waitlisted,
            State::Offered { .. } => StateKind::Offered,
            State::Confirmed { .. } => StateKind::Confirmed,
            State::Ended(End::Cancelled { .. }) => StateKind::Cancelled,
            State::Ended(End::Declined { .. }) => StateKind::Declined,
            State::Ended(End::Expired | End::DuplicateDropped) => StateKind::Expired,
            State::Ended(End::Rejected { .. }) => StateKind::Rejected,
            State::Ended(End::EventCancelled) => StateKind::EventCancelled,
            State::Ended(End::Transferred { .. }) => StateKind::Transferred,
        }
    }
    pub fn is_live(&self) -> bool {
        !matches!(self, State::Ended(_))
    }
    /// The pool whose seats it holds, confirmed or offered.
    pub fn holds(&self) -> Option<PoolNo> {
        match self {
            State::Offered { pool, .. } | State::Confirmed { pool } => Some(*pool),
            _ => None,
        }
    }
}

/// Who caused a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ActorKind {
    /// The party itself, by its management token.
    Party,
    Staff,
    /// A portal on a party's behalf, without the right to vouch.
    Portal,
    /// The service: a deadline, a release.
    System,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CancelReason {
    Unspecified,
    CannotCome,
    FoundElsewhere,
    NotReachable,
    EnteredByMistake,
    Duplicate,
    Other,
    /// Did not come, and said nothing: staff give the seat on.
    NoShow,
    /// Its personal data were erased.
    Erased,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RejectReason {
    NotEligible,
    OutsideArea,
    Incomplete,
    Duplicate,
    OtherServiceFitsBetter,
    Other,
}
