//! What reports ask of a database, and what it keeps for them.

use super::transaction::{PartyRow, Whole};
use crate::admission::Entry;
use crate::model::id::{CentreId, EventId, ProgrammeId};
use crate::model::time::Timestamp;

/// A whole event with its journal and its parties: what reports are worked out of.
pub struct Everything {
    pub whole: Whole,
    /// Number 1 and on.
    pub entries: Vec<Entry>,
    /// By accepted number.
    pub parties: Vec<PartyRow>,
}

/// Which events a report looks at; drafts never.
#[derive(Clone, Debug, Default)]
pub struct DigestQuery {
    pub event: Option<EventId>,
    pub centre: Option<CentreId>,
    pub programme: Option<ProgrammeId>,
    pub municipality: Option<String>,
    /// Start at or after; events without a start are in it all the same.
    pub starts_from: Option<Timestamp>,
    /// Start before; as above.
    pub starts_before: Option<Timestamp>,
    pub limit: u32,
}

/// What is kept of an event for reports, at some journal number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digest {
    pub event: EventId,
    pub journal_number: u64,
    pub summary: Vec<u8>,
    /// Left empty where only summaries are read.
    pub facts: Vec<u8>,
}

/// An event of a report: its number now, and what is kept of it, which may be of an earlier one.
pub struct DigestRow {
    pub event: EventId,
    pub journal_number: u64,
    pub kept: Option<Digest>,
}
