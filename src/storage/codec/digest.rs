//! What is kept of events for reports, as rows.

use super::{corrupt, count};
use crate::model::id::EventId;
use crate::storage::StoreError;
use crate::storage::kept::{Digest, DigestRow};
use uuid::Uuid;

/// The event's id and number, and the number and summary that are kept of it.
pub(in crate::storage) type DigestRowColumns = (Uuid, i64, Option<i64>, Option<Vec<u8>>);

pub(in crate::storage) fn read_digest_row(row: DigestRowColumns) -> Result<DigestRow, StoreError> {
    let (id, number, kept_number, summary) = row;
    let event = EventId(id);
    let kept = match (kept_number, summary) {
        (Some(number), Some(summary)) => {
            let journal_number = count(number, "digests", "journal_number", id)?;
            Some(Digest { event, journal_number, summary, facts: Vec::new() })
        }
        (None, None) => None,
        _ => return Err(corrupt("digests", "summary", id)),
    };
    Ok(DigestRow { event, journal_number: count(number, "events", "journal_number", id)?, kept })
}
