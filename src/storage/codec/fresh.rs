//! What a transaction learns about its events, gathered from rows in any order of tables: which rosters are
//! right, which lack entries, which are wanted whole.

use super::{AttachmentRow, MarkRow, count, read_mark, read_recorded, read_row};
use super::{Reader, RegistrationRow, attached_numbers, column, corrupt, read_attachment, read_entries, read_event};
use crate::model::id::{EventId, Number};
use crate::model::time::Timestamp;
use crate::storage::{Behind, Fresh, Lock, StoreError, Whole};
use std::collections::HashMap;
use uuid::Uuid;

/// A request's row: event_id, request_key, fingerprint, number, outcome.
pub(in crate::storage) type RequestRow = (Uuid, Uuid, i64, i64, String);

/// A whole event's row.
#[derive(sqlx::FromRow)]
pub(in crate::storage) struct WholeRow {
    pub id: Uuid,
    pub state: String,
    pub journal_number: i64,
    pub next_due: Option<i64>,
    pub free_seats: Option<i64>,
    pub header: String,
    pub document: Option<String>,
}

/// Which events are wanted how.
#[derive(Default)]
pub(in crate::storage) struct Gathering {
    behind: HashMap<Uuid, (u64, Behind)>,
    whole: HashMap<Uuid, Whole>,
    stored: HashMap<Uuid, u64>,
    reader: Reader,
}

/// What is to be loaded.
#[derive(Default)]
pub(in crate::storage) struct Wanted {
    /// Events with the number up to which they are known.
    pub behind: Vec<(Uuid, i64)>,
    pub whole: Vec<Uuid>,
}

impl Gathering {
    /// Takes the locked rows (id, journal number) and tells what is to be loaded. A roster that knows more
    /// than the database (it was restored from a copy) is wanted whole.
    pub fn begin(locks: &[Lock], rows: Vec<(Uuid, i64)>) -> Result<(Self, Wanted), StoreError> {
        let mut gathering = Self::default();
        for (id, number) in rows {
            gathering.stored.insert(id, count(number, "events", "journal_number", id)?);
        }
        let mut wanted = Wanted::default();
        for lock in locks {
            let id = lock.event.0;
            match (gathering.stored.get(&id), lock.known) {
                (Some(stored), Some(known)) if known < *stored => wanted.behind.push((id, column(known))),
                (Some(stored), Some(known)) if known == *stored => {}
                (Some(_), _) => wanted.whole.push(id),
                (None, _) => {}
            }
        }
        Ok((gathering, wanted))
    }

    pub fn whole_event(&mut self, row: WholeRow) -> Result<(), StoreError> {
        let WholeRow { id, state, journal_number, next_due, free_seats, header, document } = row;
        let document = document.ok_or_else(|| corrupt("event_documents", "event_id", id))?;
        let read = read_row(id, &state, journal_number, &header, &document)?;
        let free_seats = free_seats.map(|free| u32::try_from(free).map_err(|_| corrupt("events", "free_seats", id)));
        let whole = Whole {
            event: read.event,
            header: read.header,
            next_due: next_due.map(Timestamp),
            free_seats: free_seats.transpose()?,
            standings: Vec::new(),
            marks: Vec::new(),
            requests: Vec::new(),
        };
        self.whole.insert(id, whole);
        Ok(())
    }

    pub fn registration(&mut self, event: Uuid, row: RegistrationRow) -> Result<(), StoreError> {
        let (standing, recorded) = self.reader.read(row)?;
        let whole = self.whole.get_mut(&event).ok_or_else(|| corrupt("registrations", "event_id", event))?;
        whole.standings.push(standing);
        whole.requests.push(recorded);
        Ok(())
    }

    /// The whole events of which something was written down: only of them, marks are looked for.
    pub fn wanted_marks(&self) -> Vec<Uuid> {
        let attended = self.whole.iter().filter(|(_, whole)| !whole.header.attendance.is_empty());
        attended.map(|(id, _)| *id).collect()
    }

    pub fn mark(&mut self, event: Uuid, row: MarkRow) -> Result<(), StoreError> {
        let mark = read_mark(event, row)?;
        let whole = self.whole.get_mut(&event).ok_or_else(|| corrupt("attendance", "event_id", event))?;
        whole.marks.push(mark);
        Ok(())
    }

    pub fn behind_event(&mut self, id: Uuid, known: i64, document: &str) -> Result<(), StoreError> {
        let event = read_event(id, document)?;
        let behind = Behind { event, entries: Vec::new(), attachments: Vec::new(), requests: Vec::new() };
        self.behind.insert(id, (super::unsigned(known), behind));
        Ok(())
    }

    /// One row of the journal of an event that is behind; rows of an event come in order.
    pub fn entries(&mut self, event: Uuid, first_number: i64, entries: String) -> Result<(), StoreError> {
        let batch = read_entries(event, &[(first_number, entries)])?;
        if let Some((known, behind)) = self.behind.get_mut(&event) {
            behind.entries.extend(batch.into_iter().filter(|entry| entry.number > *known));
        }
        Ok(())
    }

    /// The registrations whose attachments are wanted.
    pub fn wanted_attachments(&self) -> Vec<(Uuid, Number)> {
        let of = |(id, (_, behind)): (&Uuid, &(u64, Behind))| {
            let id = *id;
            attached_numbers(&behind.entries).into_iter().map(move |number| (id, number)).collect::<Vec<_>>()
        };
        self.behind.iter().flat_map(of).collect()
    }

    pub fn attachment(&mut self, row: &AttachmentRow) -> Result<(), StoreError> {
        let (attachment, recorded) = read_attachment(row)?;
        if let Some((_, behind)) = self.behind.get_mut(&row.0) {
            behind.attachments.push(attachment);
            behind.requests.push(recorded);
        }
        Ok(())
    }

    /// A request other than a sign-up, of an event that is wanted in either way.
    pub fn request(&mut self, (event, key, fingerprint, number, outcome): RequestRow) -> Result<(), StoreError> {
        let number = count(number, "requests", "number", key)?;
        let recorded = read_recorded("requests", number, key, fingerprint, &outcome)?;
        if let Some(whole) = self.whole.get_mut(&event) {
            whole.requests.push(recorded);
        } else if let Some((_, behind)) = self.behind.get_mut(&event) {
            behind.requests.push(recorded);
        }
        Ok(())
    }

    /// What is new about each event, in the order of the locks. An event that lacks entries must have got
    /// all of them.
    pub fn finish(mut self, locks: &[Lock]) -> Result<Vec<Fresh>, StoreError> {
        locks.iter().map(|lock| self.fresh(lock)).collect()
    }

    fn fresh(&mut self, lock: &Lock) -> Result<Fresh, StoreError> {
        let id = lock.event.0;
        let Some(stored) = self.stored.get(&id).copied() else { return Ok(Fresh::Missing) };
        if lock.known == Some(stored) {
            return Ok(Fresh::Current);
        }
        if let Some(whole) = self.whole.remove(&id) {
            return Ok(Fresh::Whole(Box::new(whole)));
        }
        let (known, behind) = self.behind.remove(&id).ok_or_else(|| corrupt("event_documents", "event_id", id))?;
        let dense = behind.entries.iter().zip(known + 1..).all(|(entry, number)| entry.number == number);
        let complete = behind.entries.last().is_some_and(|entry| entry.number == stored);
        if dense && complete { Ok(Fresh::Behind(Box::new(behind))) } else { Err(corrupt("journal", "entries", id)) }
    }

    /// The one event that was wanted whole, if it is there.
    pub fn into_whole(mut self, event: EventId) -> Option<Whole> {
        self.whole.remove(&event.0)
    }
}
