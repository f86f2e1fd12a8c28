//! The counts of an event, kept with every change and never counted from rows.

use crate::model::registration::StateKind;
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
    /// Possible duplicates without seats, whose twin is live: in nobody's way, and in no other tally.
    #[serde(skip_serializing_if = "Tally::is_empty")]
    pub duplicates: Tally,
    /// Duplicates that were dropped.
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

    /// Everybody who ever asked, without duplicates.
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

    /// The tally that a registration of this state belongs to.
    pub(super) fn tally(&mut self, state: StateKind, is_twin: bool) -> &mut Tally {
        match (is_twin, state) {
            // Whoever became one while holding seats holds them until it is dropped.
            (_, StateKind::Offered) => &mut self.offered,
            (_, StateKind::Confirmed) => &mut self.confirmed,
            (true, s) if s.is_live() => &mut self.duplicates,
            (true, _) => &mut self.dropped,
            (false, StateKind::InReview) => &mut self.in_review,
            (false, StateKind::Waitlisted) => &mut self.waiting,
            (false, StateKind::Cancelled) => &mut self.cancelled,
            (false, StateKind::Declined) => &mut self.declined,
            (false, StateKind::Expired) => &mut self.expired,
            (false, StateKind::Rejected) => &mut self.rejected,
            (false, StateKind::EventCancelled) => &mut self.event_cancelled,
            (false, StateKind::Transferred) => &mut self.transferred,
        }
    }
}
