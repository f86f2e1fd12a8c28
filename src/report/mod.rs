//! Figures: how many asked, how many got a seat, who came. Worked out of the journals, the standings and the parties of
//! whole events; nothing is counted while people sign up.
//!
//! What reports need of one event follows from the event at one journal number and from nothing else, so it is worked
//! out once, kept beside the event (`Digest`), and worked out anew when the number has moved (docs/decisions/0016).
//! Every figure is a fold over such digests: the same for everybody, on either database, and as often as it is asked.

mod ahead;
pub mod cells;
mod demand;
mod digest;
mod facts;
mod funnel;
mod imbalance;
mod lengths;
mod participation;
mod people;
mod returning;
mod trace;

pub use ahead::{Ahead, keep_ahead};
pub use demand::{Cell, Demand, Dimension, Figures, Rows, Tally, demand};
pub use digest::{Digested, Head, Reports, SessionHeld};
pub use facts::{Fact, MemberFact, Offer, OfferEnd};
pub use funnel::{Funnel, OfferCounts};
pub use imbalance::{Side, imbalance};
pub use lengths::{Lengths, Spread};
pub use participation::{Attendances, Band, Participation, Wanted};
pub use people::{NotEntered, People};
pub use returning::{Returned, Returning};

use crate::model::id::{CentreId, EventId, ProgrammeId};
use crate::model::time::Timestamp;
use crate::storage::StoreError;

/// Which events a report is about.
#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// Only this one.
    pub event: Option<EventId>,
    pub from: Option<Timestamp>,
    pub before: Option<Timestamp>,
    pub centre: Option<CentreId>,
    pub programme: Option<ProgrammeId>,
    /// Empty: all.
    pub project: String,
    pub municipality: Option<String>,
}

/// Most events that one report looks at.
pub const EVENTS_MAX: u32 = 100_000;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    #[error("more than {EVENTS_MAX} events")]
    TooLarge,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What figures rest on.
#[derive(Clone, Debug, Default)]
pub struct Basis {
    pub events: Vec<(EventId, u64)>,
    pub people_number: u64,
}

impl Scope {
    fn holds(&self, at: Timestamp) -> bool {
        self.from.is_none_or(|from| from <= at) && self.before.is_none_or(|before| at < before)
    }
}
