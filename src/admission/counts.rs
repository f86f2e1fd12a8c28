//! The counts of an event, kept with every change and never counted from rows.

use crate::model::registration::{End, State};
use serde::{Deserialize, Serialize};

/// Parties and the persons in them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    #[serde(rename = "pa")]
    pub parties: u32,
    #[serde(rename = "pe")]
    pub persons: u32,
}

fn is_zero(n: &u32) -> bool {
    *n == 0
}

impl Tally {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }
    pub(super) fn add(&mut self, size: u32) {
        self.parties += 1;
        self.persons += size;
    }
    pub(super) fn take(&mut self, size: u32) {
        self.parties = self.parties.saturating_sub(1);
        self.persons = self.persons.saturating_sub(size);
    }
}

/// Where everybody stands. Each registration is in exactly one tally. What is 0 is not stored: the row of a
/// quiet event is rewritten with every batch that it is in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub in_review: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub waiting: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub offered: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub confirmed: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub cancelled: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub declined: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub expired: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub rejected: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub event_cancelled: Tally,
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub transferred: Tally,
    /// Possible duplicates that were dropped. While they live they are counted like everybody.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub dropped: Tally,
    #[serde(skip_serializing_if = "is_zero")]
    pub offers_made: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub offers_accepted: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub offers_declined: u32,
    #[serde(skip_serializing_if = "is_zero")]
    pub offers_missed: u32,
}

/// The counts of an event that the change feed tells: who has seats, holds offers and waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SeatCounts {
    pub confirmed: Tally,
    pub offered: Tally,
    pub waiting: Tally,
    /// Over all pools; `None` where a pool has no bound.
    pub free: Option<u32>,
}

impl SeatCounts {
    pub fn of(counts: &Counts, free: Option<u32>) -> Self {
        Self { confirmed: counts.confirmed, offered: counts.offered, waiting: counts.waiting, free }
    }
}

impl Counts {
    /// Seats held: confirmed and offered.
    pub fn held(&self) -> u32 {
        self.confirmed.persons + self.offered.persons
    }

    /// Everybody who ever asked, without duplicates that were dropped.
    pub fn applied(&self) -> Tally {
        let all = [
            self.in_review,
            self.waiting,
            self.offered,
            self.confirmed,
            self.cancelled,
            self.declined,
            self.expired,
            self.rejected,
            self.event_cancelled,
            self.transferred,
        ];
        all.iter().fold(Tally::default(), |sum, t| Tally {
            parties: sum.parties + t.parties,
            persons: sum.persons + t.persons,
        })
    }

    /// The tally that a registration of this state belongs to. Whether it is marked as a possible duplicate makes no
    /// difference: counts are told to everybody.
    pub(super) fn tally(&mut self, state: &State) -> &mut Tally {
        match state {
            State::InReview => &mut self.in_review,
            State::Waitlisted => &mut self.waiting,
            State::Offered { .. } => &mut self.offered,
            State::Confirmed { .. } => &mut self.confirmed,
            State::Ended(End::Cancelled { .. }) => &mut self.cancelled,
            State::Ended(End::Declined { .. }) => &mut self.declined,
            State::Ended(End::Expired) => &mut self.expired,
            State::Ended(End::DuplicateDropped) => &mut self.dropped,
            State::Ended(End::Rejected { .. }) => &mut self.rejected,
            State::Ended(End::EventCancelled) => &mut self.event_cancelled,
            State::Ended(End::Transferred { .. }) => &mut self.transferred,
        }
    }
}
