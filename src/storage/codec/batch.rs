//! A batch as rows: what one transaction writes, table by table over all its events.

use super::state_word;
use super::{
    ChangeRow, EventColumns, JournalRow, MarkColumns, SignUpRow, column, journal_row, signed, write_header,
    write_outcome,
};
use crate::admission::{Change, SeatCounts};
use crate::storage::{EventWrite, StoreError};
use uuid::Uuid;

/// All rows of a batch.
#[derive(Default)]
pub(in crate::storage) struct Batch {
    pub events: Vec<EventUpdate>,
    pub documents: Vec<EventColumns>,
    pub journal: Vec<JournalRow>,
    pub sign_ups: Vec<SignUpRow>,
    /// Registrations whose guard is taken away first, because another may take the same one over.
    pub releases: Vec<(Uuid, i64)>,
    /// Changed registrations without a guard: written before those with one.
    pub unguarded: Vec<ChangeRow>,
    pub guarded: Vec<ChangeRow>,
    pub new_parties: Vec<PartyColumns>,
    pub changed_parties: Vec<PartyColumns>,
    pub requests: Vec<RequestColumns>,
    pub reasons: Vec<ReasonColumns>,
    /// Registrations whose reasons go, also those of this batch.
    pub forgotten: Vec<(Uuid, i64)>,
    pub tokens: Vec<TokenColumns>,
    pub marks: Vec<MarkColumns>,
}

/// What every batch changes in the row of an event.
pub(in crate::storage) struct EventUpdate {
    pub id: Uuid,
    /// The journal number that the row must still have.
    pub from: i64,
    pub journal_number: i64,
    pub next_due: Option<i64>,
    pub free_seats: Option<i64>,
    pub state: &'static str,
    pub header: String,
}

pub(in crate::storage) struct PartyColumns {
    pub event: Uuid,
    pub number: i64,
    pub document: String,
    pub search: String,
}

pub(in crate::storage) struct RequestColumns {
    pub event: Uuid,
    pub key: Uuid,
    pub fingerprint: i64,
    pub number: i64,
    pub outcome: String,
    pub journal_number: i64,
    pub answer: Option<Vec<u8>>,
}

pub(in crate::storage) struct ReasonColumns {
    pub event: Uuid,
    pub journal_number: i64,
    pub number: i64,
    pub reason: String,
}

pub(in crate::storage) struct TokenColumns {
    pub event: Uuid,
    pub number: i64,
    pub token_hash: Vec<u8>,
}

impl Batch {
    pub fn of(writes: Vec<EventWrite>) -> Result<Self, StoreError> {
        let mut batch = Self::default();
        for write in writes {
            batch.add(write)?;
        }
        Ok(batch)
    }

    fn add(&mut self, write: EventWrite) -> Result<(), StoreError> {
        let event = write.event.0;
        let counts = SeatCounts::of(&write.header.counts, write.free_seats);
        let journal = journal_row(event, write.from, &write.entries, counts)?;
        let last_number = journal.last_number;
        if column(write.header.journal_number) != last_number {
            return Err(StoreError::Failed(format!("the header of event {event} is not that of its last entry")));
        }
        self.journal.push(journal);
        self.events.push(EventUpdate {
            id: event,
            from: column(write.from),
            journal_number: last_number,
            next_due: write.next_due.map(|at| at.0),
            free_seats: write.free_seats.map(i64::from),
            state: state_word(write.header.state),
            header: write_header(&write.header)?,
        });
        if let Some(document) = &write.document {
            self.documents.push(EventColumns::of(document)?);
        }
        for new in write.new {
            self.sign_ups.push(SignUpRow::of(event, &new)?);
            self.new_parties.push(PartyColumns::of(event, new.party));
        }
        // Only a corrected contact can change one guard into another; all else takes or leaves one.
        let amended = write.entries.iter().any(|entry| matches!(entry.change, Change::Amended { .. }));
        for changed in &write.changed {
            let row = ChangeRow::of(event, changed)?;
            match row.contact_guard {
                None => self.unguarded.push(row),
                Some(_) => {
                    if amended {
                        self.releases.push((event, row.number));
                    }
                    self.guarded.push(row);
                }
            }
        }
        self.changed_parties.extend(write.parties.into_iter().map(|p| PartyColumns::of(event, p)));
        self.requests.extend(write.requests.into_iter().map(|r| RequestColumns {
            event,
            key: Uuid::from_u128(r.request.key),
            fingerprint: signed(r.request.fingerprint),
            number: i64::from(r.outcome.number),
            outcome: write_outcome(&r.outcome),
            journal_number: last_number,
            answer: r.answer,
        }));
        self.reasons.extend(write.reasons.into_iter().map(|r| ReasonColumns {
            event,
            journal_number: column(r.journal_number),
            number: i64::from(r.number),
            reason: r.text,
        }));
        self.forgotten.extend(write.erased.iter().map(|number| (event, i64::from(*number))));
        self.tokens.extend(write.tokens.iter().map(|(number, hash)| TokenColumns {
            event,
            number: i64::from(*number),
            token_hash: hash.to_vec(),
        }));
        self.marks.extend(write.marks.iter().map(|(key, marked)| MarkColumns::of(event, *key, marked)));
        Ok(())
    }
}

impl PartyColumns {
    fn of(event: Uuid, party: crate::storage::PartyWrite) -> Self {
        Self { event, number: i64::from(party.number), document: party.document, search: party.search }
    }
}
