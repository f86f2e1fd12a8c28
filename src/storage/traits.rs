//! What the rooms above need of a database, in their words. One method is one transaction; no transaction
//! handle crosses this line.

use super::kept::{Digest, DigestQuery, DigestRow, Everything};
use super::transaction::{Decide, Lock, PartyRow, Whole};
use crate::admission::{Entry, Header, SeatCounts};
use crate::model::access::{AccessKey, Reach, Within};
use crate::model::access_log::{AccessEntry, AccessQuery};
use crate::model::centre::{Centre, Programme};
use crate::model::contact::ContactKeys;
use crate::model::event::{Event, EventKind, EventState};
use crate::model::id::{CentreId, EventId, Number, ProgrammeId, RegistrationId};
use crate::model::person::PeopleEntry;
use crate::model::report::Report;
use crate::model::time::Timestamp;
use async_trait::async_trait;
use uuid::Uuid;

/// Why storage could not do as asked. Messages are for the log; callers never see them.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Nothing was written; the same again may work (serialization failure, deadlock, lock timeout, a lost
    /// connection).
    #[error("the transaction gave way to another: {0}")]
    GaveWay(String),
    /// The commit was sent and its answer lost: written or not, only the request ids can tell.
    #[error("the outcome of the commit is not known: {0}")]
    Unknown(String),
    /// Nothing was written; the database cannot be reached or is overloaded.
    #[error("the database does not answer: {0}")]
    Unavailable(String),
    /// A unique key that admission believed free is taken; the cache was wrong.
    #[error("the database holds something that the roster did not know: {0}")]
    Conflict(String),
    /// A stored value cannot be read back.
    #[error("corrupt value in {table}.{column} of {id}")]
    Corrupt { table: &'static str, column: &'static str, id: String },
    /// Anything else: a bug, a full disk.
    #[error("the database failed: {0}")]
    Failed(String),
}

/// A request id outside any event: scope and id as a keyed hash.
#[derive(Clone, Debug)]
pub struct OpenRequest {
    pub key: u128,
    pub fingerprint: u64,
    /// What is answered if it is done now; kept beside the request id, for whoever asks again.
    pub answer: Vec<u8>,
}

/// What became of a creation under a request id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    Created,
    /// The same was asked before under this request id; what was answered then.
    Replayed(Vec<u8>),
    /// The request id was used for something else.
    RequestIdReused,
    /// The id that the caller chose is taken.
    Taken,
    /// An update found another version (the current one).
    VersionMismatch(u64),
    Missing,
}

/// Which events to list. Ordered by start (events without one last), then id.
#[derive(Clone, Debug, Default)]
pub struct EventQuery {
    pub centre: Option<CentreId>,
    pub programme: Option<ProgrammeId>,
    pub municipality: Option<String>,
    pub kind: Option<EventKind>,
    pub state: Option<EventState>,
    /// Start at or after.
    pub starts_from: Option<Timestamp>,
    /// Start before.
    pub starts_before: Option<Timestamp>,
    pub has_free_seats: Option<bool>,
    /// Only what is reached.
    pub within: Within,
    /// Leave drafts out.
    pub no_drafts: bool,
    /// Only after this one in the order.
    pub after: Option<(Timestamp, EventId)>,
    pub limit: u32,
}

/// The start under which an event without one is ordered.
pub const NO_START: Timestamp = Timestamp(i64::MAX);

/// An event as lists show it: the document and what the row keeps of its roster.
pub struct EventRow {
    pub event: Event,
    pub header: Header,
}

/// Which batches of the change feed to read.
#[derive(Clone, Debug, Default)]
pub struct FeedQuery {
    /// Only behind this position.
    pub after: u64,
    /// Only up to this position.
    pub until: u64,
    pub event: Option<EventId>,
    pub centre: Option<CentreId>,
    pub programme: Option<ProgrammeId>,
    /// Read no more batches once they hold so many entries; at least one is read.
    pub entries_max: u64,
}

/// A piece of the change feed.
pub struct FeedPage {
    pub rows: Vec<FeedRow>,
    /// Everything up to this position was looked at.
    pub reached: u64,
}

/// One batch of one event, under its position in the change feed.
#[derive(Clone, Debug)]
pub struct FeedRow {
    pub position: u64,
    pub event: EventId,
    /// Whose event it is now.
    pub centre: CentreId,
    pub programme: Option<ProgrammeId>,
    /// Never empty.
    pub entries: Vec<Entry>,
    /// Of the event after the batch.
    pub counts: SeatCounts,
    /// The registrations that the entries are about, by number.
    pub ids: Vec<(Number, RegistrationId)>,
}

/// The behaviour that both dialects share, shown by one conformance suite.
///
/// What belongs to people or centres is read with a [`Reach`]: who reads, and what that one reaches. On PostgreSQL nothing
/// else is shown, whatever is asked for (docs/decisions/0024).
#[async_trait]
pub trait Store: Send + Sync + 'static {
    /// Locks the events in id order, tells `decide` what is new about each (in the order of `locks`),
    /// writes what it answers, and commits; all in one transaction, committed also where nothing is
    /// written, so that an answer read under the lock is as durable as a write.
    async fn transact(&self, locks: Vec<Lock>, decide: Decide) -> Result<(), StoreError>;

    /// Stores a new event with its first entry, under a request id.
    async fn create_event(&self, event: &Event, entry: &Entry, request: &OpenRequest) -> Result<Stored, StoreError>;

    /// The journal numbers of these events; events that do not exist are left out.
    async fn journal_numbers(&self, events: &[EventId]) -> Result<Vec<(EventId, u64)>, StoreError>;

    async fn list_events(&self, query: &EventQuery) -> Result<Vec<EventRow>, StoreError>;

    /// Events with something due at or before `now`, earliest first.
    async fn due_events(&self, now: Timestamp, limit: u32) -> Result<Vec<EventId>, StoreError>;

    /// Entries of a journal from number `from` on, at most `limit` of them.
    async fn journal(&self, event: EventId, from: u64, limit: u32) -> Result<Vec<Entry>, StoreError>;

    /// The counts that were written with the batches that begin with number `from` or one of the `limit` - 1 behind it,
    /// each under its last number.
    async fn journal_counts(&self, event: EventId, from: u64, limit: u32)
    -> Result<Vec<(u64, SeatCounts)>, StoreError>;

    /// The entries of these numbers.
    async fn journal_entries(&self, event: EventId, numbers: &[u64]) -> Result<Vec<Entry>, StoreError>;

    /// The last position of the change feed. Whatever was committed before the call has a position by then, and
    /// whatever is committed later will get a later one.
    async fn feed_end(&self) -> Result<u64, StoreError>;

    /// The batches of the change feed that `query` asks for, in order.
    async fn feed(&self, query: &FeedQuery) -> Result<FeedPage, StoreError>;

    /// The last position, up to `until`, before everything that happened at `at` or later; 0 where that is the
    /// beginning.
    async fn feed_before(&self, at: Timestamp, until: u64) -> Result<u64, StoreError>;

    /// An event as staff wrote it.
    async fn document(&self, event: EventId) -> Result<Option<Event>, StoreError>;

    /// Everything of an event as one snapshot, outside any cache: for `eile check`.
    async fn whole(&self, event: EventId) -> Result<Option<Whole>, StoreError>;

    /// Everything of an event as one snapshot, outside any cache: for reports.
    async fn everything(&self, reach: &Reach, event: EventId) -> Result<Option<Everything>, StoreError>;

    /// The events of a report with the summaries that are kept of them, in id order.
    async fn digests(&self, query: &DigestQuery) -> Result<Vec<DigestRow>, StoreError>;

    /// The facts that are kept of these events, with the number that they belong to, in any order.
    async fn digest_facts(&self, events: &[EventId]) -> Result<Vec<(EventId, u64, Vec<u8>)>, StoreError>;

    /// Events, drafts aside, that have moved since their digest was worked out, with their journal numbers; in the order
    /// of their ids.
    async fn stale_digests(&self, limit: u32) -> Result<Vec<(EventId, u64)>, StoreError>;
    /// Keeps what was worked out of events, unless something later is kept already.
    async fn keep_digests(&self, digests: Vec<Digest>) -> Result<(), StoreError>;

    /// Event ids after `after`, of one centre or of all, in id order.
    async fn event_ids(
        &self,
        centre: Option<&CentreId>,
        after: Option<EventId>,
        limit: u32,
    ) -> Result<Vec<EventId>, StoreError>;

    /// The parties of these numbers, in any order; missing ones are left out.
    async fn parties(&self, reach: &Reach, event: EventId, numbers: &[Number]) -> Result<Vec<PartyRow>, StoreError>;

    /// Parties in the order of (search, number), after the given pair.
    async fn parties_by_name(
        &self,
        reach: &Reach,
        event: EventId,
        after: Option<(String, Number)>,
        limit: u32,
    ) -> Result<Vec<PartyRow>, StoreError>;

    /// Registrations, live and ended, whose contact has one of these keys; of every event that is reached, in any order.
    async fn registrations_by_contact(
        &self,
        reach: &Reach,
        contact: ContactKeys,
    ) -> Result<Vec<(EventId, RegistrationId)>, StoreError>;

    /// Registrations that were transferred into one of these, directly; of every event that is reached, in any order.
    async fn registrations_moved_to(
        &self,
        reach: &Reach,
        targets: &[RegistrationId],
    ) -> Result<Vec<(EventId, RegistrationId)>, StoreError>;

    /// The reasons that staff wrote down about a registration, with the journal numbers of their decisions.
    async fn reasons(&self, reach: &Reach, event: EventId, number: Number) -> Result<Vec<(u64, String)>, StoreError>;

    /// After personal data were erased: nothing of what was overwritten stays in the database's own files, as far as
    /// the engine lets its client see to that.
    async fn scrub(&self) -> Result<(), StoreError>;

    /// SHA-256 of a registration's management token.
    async fn token_hash(&self, event: EventId, number: Number) -> Result<Option<[u8; 32]>, StoreError>;

    /// What was answered to a request about the event itself, if it was used.
    async fn event_answer(&self, event: EventId, request_key: u128) -> Result<Option<Vec<u8>>, StoreError>;

    /// What was answered under a request id outside any event, if the same was asked before; as durable as the
    /// first answer.
    async fn open_answer(&self, request: &OpenRequest) -> Result<Option<Vec<u8>>, StoreError>;

    async fn create_centre(&self, centre: &Centre, request: &OpenRequest) -> Result<Stored, StoreError>;
    /// Replaces a centre whose stored version is `centre.version - 1`.
    async fn update_centre(&self, centre: &Centre, request: &OpenRequest) -> Result<Stored, StoreError>;
    async fn centre(&self, id: &CentreId) -> Result<Option<Centre>, StoreError>;
    /// Centres in id order, after `after`.
    async fn list_centres(&self, after: Option<&CentreId>, limit: u32) -> Result<Vec<Centre>, StoreError>;

    async fn create_programme(&self, programme: &Programme, request: &OpenRequest) -> Result<Stored, StoreError>;
    async fn update_programme(&self, programme: &Programme, request: &OpenRequest) -> Result<Stored, StoreError>;
    async fn programme(&self, id: &ProgrammeId) -> Result<Option<Programme>, StoreError>;
    async fn list_programmes(&self, after: Option<&ProgrammeId>, limit: u32) -> Result<Vec<Programme>, StoreError>;

    async fn create_access_key(&self, key: &AccessKey, request: &OpenRequest) -> Result<Stored, StoreError>;
    async fn update_access_key(&self, key: &AccessKey, request: &OpenRequest) -> Result<Stored, StoreError>;
    /// Access keys in the order of their ids, after `after`; revoked and expired ones too.
    async fn list_access_keys(&self, after: Option<&str>, limit: u32) -> Result<Vec<AccessKey>, StoreError>;

    /// Adds rows to the access log; one that is there already stays as it is given again.
    async fn add_access_entries(&self, entries: Vec<AccessEntry>) -> Result<(), StoreError>;
    /// Rows of the access log, newest first.
    async fn access_entries(&self, reach: &Reach, query: &AccessQuery) -> Result<Vec<AccessEntry>, StoreError>;
    /// Takes out of the access log what is older than `before`, at most `limit` rows, oldest first; how many it were.
    async fn drop_access_entries(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
    /// Notes when access keys were used last; what is noted never goes back.
    async fn note_key_uses(&self, uses: Vec<(String, Timestamp)>) -> Result<(), StoreError>;
    /// When access keys were used last, in the order of their ids, after `after`; ones that never were are left out.
    async fn key_uses(&self, after: Option<&str>, limit: u32) -> Result<Vec<(String, Timestamp)>, StoreError>;

    async fn create_report(&self, report: &Report, request: &OpenRequest) -> Result<Stored, StoreError>;
    async fn report(&self, reach: &Reach, id: Uuid) -> Result<Option<Report>, StoreError>;
    /// Stored reports of centres that are reached, in the order in which they were made, after `after`.
    async fn list_reports(&self, reach: &Reach, after: Option<Uuid>, limit: u32) -> Result<Vec<Report>, StoreError>;

    /// Adds an entry about persons under its number; `Taken` where somebody else was first.
    async fn add_people_entry(&self, entry: &PeopleEntry, request: &OpenRequest) -> Result<Stored, StoreError>;
    /// Entries about persons with a higher number than `after`, in order.
    async fn people_entries(&self, after: u64, limit: u32) -> Result<Vec<PeopleEntry>, StoreError>;

    /// The installation's secret: made at the first start, the same for every instance ever after.
    async fn secret(&self) -> Result<[u8; 32], StoreError>;

    /// What kind of database it is, and its version, for people: `SQLite 3.51.3`.
    async fn engine(&self) -> Result<String, StoreError>;

    /// Whether the database answers.
    async fn ping(&self) -> Result<(), StoreError>;
    /// How many events are stored.
    async fn count_events(&self) -> Result<u64, StoreError>;

    /// Writes back and closes. Nothing may be called after it.
    async fn close(&self);
}
