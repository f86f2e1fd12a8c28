//! An event's rows: the small one that every batch rewrites, and the document beside it.

use super::{column, corrupt, count, from_json, to_json};
use crate::admission::{Counts, Header, SeatCounts, SessionCounts};
use crate::model::access::Within;
use crate::model::event::{Event, EventKind, EventState, Terms};
use crate::model::id::Number;
use crate::model::time::Timestamp;
use crate::storage::{EventRow, NO_START, StoreError};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The columns of an event that follow from its document.
pub(in crate::storage) struct EventColumns {
    pub id: Uuid,
    pub centre_id: String,
    pub programme_id: Option<String>,
    pub municipality: String,
    pub kind: &'static str,
    pub starts_at: i64,
    pub document: String,
}

impl EventColumns {
    pub fn of(event: &Event) -> Result<Self, StoreError> {
        Ok(Self {
            id: event.id.0,
            centre_id: event.centre.0.clone(),
            programme_id: event.programme.as_ref().map(|p| p.0.clone()),
            municipality: event.details.municipality_code.clone(),
            kind: kind_word(event.details.kind),
            starts_at: event.terms.starts_at.unwrap_or(NO_START).0,
            document: to_json(event)?,
        })
    }
}

/// What the header column holds; state and journal number have columns of their own.
#[derive(Serialize, Deserialize)]
struct HeaderDocument {
    version: u64,
    last_at: Timestamp,
    next_number: Number,
    counts: Counts,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    released: Vec<u16>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    attendance: Vec<SessionCounts>,
}

/// The header column.
pub(in crate::storage) fn write_header(header: &Header) -> Result<String, StoreError> {
    to_json(&HeaderDocument {
        version: header.version,
        last_at: header.last_at,
        next_number: header.next_number,
        counts: header.counts,
        released: header.released.clone(),
        attendance: header.attendance.clone(),
    })
}

/// The header of an event that was created just now: a draft without anybody in it.
pub(in crate::storage) fn header_of_new(created_at: Timestamp) -> Header {
    Header {
        state: EventState::Draft,
        version: 1,
        journal_number: 1,
        last_at: created_at,
        next_number: 1,
        counts: Counts::default(),
        released: Vec::new(),
        attendance: Vec::new(),
    }
}

/// The seats of an event in which nobody sits; `None` where a pool has no bound.
pub(in crate::storage) fn free_seats(terms: &Terms) -> Option<i64> {
    terms.pools.iter().map(|p| p.capacity.map(i64::from)).sum()
}

/// What the first batch of an event leaves.
pub(in crate::storage) fn counts_of_new(terms: &Terms) -> SeatCounts {
    let free = terms.pools.iter().try_fold(0u32, |sum, pool| Some(sum.saturating_add(pool.capacity?)));
    SeatCounts::of(&Counts::default(), free)
}

/// The event of a stored document.
pub(in crate::storage) fn read_event(id: Uuid, document: &str) -> Result<Event, StoreError> {
    from_json(document, "event_documents", "document", id)
}

/// An event with what its row keeps of the roster.
pub(in crate::storage) fn read_row(
    id: Uuid,
    state: &str,
    journal_number: i64,
    header: &str,
    document: &str,
) -> Result<EventRow, StoreError> {
    let kept: HeaderDocument = from_json(header, "events", "header", id)?;
    let header = Header {
        state: read_state(id, state)?,
        version: kept.version,
        journal_number: count(journal_number, "events", "journal_number", id)?,
        last_at: kept.last_at,
        next_number: kept.next_number,
        counts: kept.counts,
        released: kept.released,
        attendance: kept.attendance,
    };
    Ok(EventRow { event: read_event(id, document)?, header })
}

/// The word of a state in its column.
pub(in crate::storage) fn state_word(state: EventState) -> &'static str {
    match state {
        EventState::Draft => "draft",
        EventState::Published => "published",
        EventState::Cancelled => "cancelled",
        EventState::Completed => "completed",
    }
}

fn read_state(id: Uuid, word: &str) -> Result<EventState, StoreError> {
    [EventState::Draft, EventState::Published, EventState::Cancelled, EventState::Completed]
        .into_iter()
        .find(|s| state_word(*s) == word)
        .ok_or_else(|| corrupt("events", "state", id))
}

/// The word of a kind in its column.
pub(in crate::storage) fn kind_word(kind: EventKind) -> &'static str {
    match kind {
        EventKind::Course => "course",
        EventKind::OpenGroup => "open_group",
        EventKind::OpenEvent => "open_event",
        EventKind::SingleSession => "single_session",
        EventKind::Appointments => "appointments",
        EventKind::Contest => "contest",
    }
}

/// A query for events as its column values.
pub(in crate::storage) struct QueryColumns {
    pub centre: Option<String>,
    pub programme: Option<String>,
    pub municipality: Option<String>,
    pub kind: Option<&'static str>,
    pub state: Option<&'static str>,
    pub starts_from: Option<i64>,
    pub starts_before: Option<i64>,
    pub has_free_seats: Option<bool>,
    pub within: WithinColumns,
    pub no_drafts: bool,
    pub after_start: Option<i64>,
    pub after_id: Uuid,
    pub limit: i64,
}

impl QueryColumns {
    pub fn of(query: &crate::storage::EventQuery) -> Self {
        Self {
            centre: query.centre.as_ref().map(|c| c.0.clone()),
            programme: query.programme.as_ref().map(|p| p.0.clone()),
            municipality: query.municipality.clone(),
            kind: query.kind.map(kind_word),
            state: query.state.map(state_word),
            starts_from: query.starts_from.map(|t| t.0),
            starts_before: query.starts_before.map(|t| t.0),
            has_free_seats: query.has_free_seats,
            within: WithinColumns::of(&query.within),
            no_drafts: query.no_drafts,
            after_start: query.after.map(|(start, _)| start.0),
            after_id: query.after.map_or(Uuid::nil(), |(_, id)| id.0),
            limit: column(u64::from(query.limit)),
        }
    }
}

/// What a query is narrowed to.
pub(in crate::storage) struct WithinColumns {
    pub centres: Option<Vec<String>>,
    pub events: Option<Vec<Uuid>>,
}

impl WithinColumns {
    pub fn of(within: &Within) -> Self {
        Self {
            centres: within.centres.as_ref().map(|all| all.iter().map(|centre| centre.0.clone()).collect()),
            events: within.events.as_ref().map(|all| all.iter().map(|event| event.0).collect()),
        }
    }

    /// As JSON arrays, for a database without arrays.
    pub fn texts(self) -> (Option<String>, Option<String>) {
        let events = |all: Vec<Uuid>| all.iter().map(|id| id.simple().to_string()).collect();
        (self.centres.map(json), self.events.map(events).map(json))
    }
}

fn json(ids: Vec<String>) -> String {
    serde_json::Value::from(ids).to_string()
}
