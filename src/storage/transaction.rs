//! What goes into one transaction over events, and what it is told: locks, what is new about each event, and the rows
//! that a batch writes.

use crate::admission::{Entry, Header, MarkKey, Marked, Outcome, Recorded, Request, Standing};
use crate::model::contact::ContactKeys;
use crate::model::event::Event;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::time::Timestamp;

/// An event to be locked, and the journal number up to which its roster is known.
#[derive(Clone, Copy, Debug)]
pub struct Lock {
    pub event: EventId,
    pub known: Option<u64>,
    /// Whether what is known is known to be old, or to be doubted: then the row is asked before anything is decided.
    pub ask: bool,
}

/// What the locked row says about the roster that the caller has.
pub enum Fresh {
    /// No such event.
    Missing,
    /// The number is the same: the roster is right.
    Current,
    /// These entries are missing.
    Behind(Box<Behind>),
    /// The caller had none: everything.
    Whole(Box<Whole>),
}

/// What a roster lacks.
pub struct Behind {
    pub event: Event,
    pub entries: Vec<Entry>,
    /// Ids and contact keys of registrations that are new or amended in `entries`.
    pub attachments: Vec<(Number, RegistrationId, ContactKeys)>,
    pub requests: Vec<(u128, Recorded)>,
}

/// A whole event.
pub struct Whole {
    pub event: Event,
    pub header: Header,
    /// As the sweeper finds it.
    pub next_due: Option<Timestamp>,
    /// As lists filter by it; `None` where a pool has no bound.
    pub free_seats: Option<u32>,
    /// By accepted number.
    pub standings: Vec<Standing>,
    /// In any order.
    pub marks: Vec<(MarkKey, Marked)>,
    pub requests: Vec<(u128, Recorded)>,
}

/// What one batch writes for one event.
pub struct EventWrite {
    pub event: EventId,
    /// The journal number before the batch; the row must still have it.
    pub from: u64,
    pub header: Header,
    pub next_due: Option<Timestamp>,
    /// Free seats in all; `None` where a pool has no bound.
    pub free_seats: Option<u32>,
    /// The document, where staff changed it.
    pub document: Option<Event>,
    /// Number `from + 1` and on; never empty.
    pub entries: Vec<Entry>,
    pub new: Vec<NewRegistration>,
    /// Registrations that existed before the batch and changed in it.
    pub changed: Vec<ChangedRegistration>,
    /// Parties whose words changed.
    pub parties: Vec<PartyWrite>,
    /// Requests other than sign-ups.
    pub requests: Vec<RequestWrite>,
    /// Reasons that staff wrote down, apart from what they decided.
    pub reasons: Vec<Reason>,
    /// Parties whose personal data were erased: what staff wrote about them goes too.
    pub erased: Vec<Number>,
    /// SHA-256 of management tokens that take the place of others, of registrations that existed before the batch.
    pub tokens: Vec<(Number, [u8; 32])>,
    /// Marks that are new or corrected, each once, as they stand after the batch.
    pub marks: Vec<(MarkKey, Marked)>,
}

/// A request and what came of it.
#[derive(Clone)]
pub struct RequestWrite {
    pub request: Request,
    pub outcome: Outcome,
    /// What was answered, where that is more than the outcome: an event.
    pub answer: Option<Vec<u8>>,
}

/// A sign-up, as it stands after the batch.
pub struct NewRegistration {
    pub standing: Standing,
    pub guard: Option<u64>,
    pub request: Request,
    pub outcome: Outcome,
    /// SHA-256 of the management token.
    pub token_hash: [u8; 32],
    pub party: PartyWrite,
}

pub struct ChangedRegistration {
    pub standing: Standing,
    pub guard: Option<u64>,
}

/// A party's words: personal data, in a table of its own.
#[derive(Clone)]
pub struct PartyWrite {
    pub number: Number,
    /// The party as a JSON document (`model::party::Party`).
    pub document: String,
    /// Names, folded for search and for the order by name.
    pub search: String,
}

/// Words of staff about a decision; never in the journal.
pub struct Reason {
    pub journal_number: u64,
    pub number: Number,
    pub text: String,
}

/// A party's row.
#[derive(Clone)]
pub struct PartyRow {
    pub number: Number,
    pub document: String,
    pub search: String,
}

/// Decides a batch inside the transaction, with the event rows locked. Must not block.
pub type Decide = Box<dyn FnOnce(Vec<Fresh>) -> Vec<EventWrite> + Send>;
