//! The journal's rows: one per event and batch, its entries as one JSON array.

use super::{column, corrupt, from_json, to_json};
use crate::admission::{Change, Entry};
use crate::model::id::Number;
use crate::storage::traits::StoreError;
use uuid::Uuid;

/// One batch of one event.
pub(in crate::storage) struct JournalRow {
    pub event: Uuid,
    pub first_number: i64,
    pub last_number: i64,
    pub written_at: i64,
    pub entries: String,
}

/// The row of a batch. Refuses a batch that is empty or does not follow `from` without a gap: such a row
/// could never be replayed.
pub(in crate::storage) fn journal_row(event: Uuid, from: u64, entries: &[Entry]) -> Result<JournalRow, StoreError> {
    let dense = entries.iter().zip(from + 1..).all(|(entry, number)| entry.number == number);
    let (Some(first), Some(last), true) = (entries.first(), entries.last(), dense) else {
        return Err(StoreError::Failed(format!("the entries of event {event} do not follow number {from}")));
    };
    Ok(JournalRow {
        event,
        first_number: column(first.number),
        last_number: column(last.number),
        written_at: last.at.0,
        entries: to_json(entries)?,
    })
}

/// The entries of stored rows, in the order of the rows.
pub(in crate::storage) fn read_entries(event: Uuid, rows: &[(i64, String)]) -> Result<Vec<Entry>, StoreError> {
    let mut all = Vec::new();
    for (first_number, entries) in rows {
        let batch: Vec<Entry> = from_json(entries, "journal", "entries", event)?;
        let dense = batch.iter().zip(*first_number..).all(|(entry, number)| column(entry.number) == number);
        if batch.is_empty() || !dense {
            return Err(corrupt("journal", "entries", format_args!("{event}, {first_number}")));
        }
        all.extend(batch);
    }
    Ok(all)
}

/// The registrations whose ids, contact keys or requests the entries do not hold: new ones and amended ones.
pub(in crate::storage) fn attached_numbers(entries: &[Entry]) -> Vec<Number> {
    let mut numbers: Vec<Number> = entries
        .iter()
        .filter_map(|entry| match entry.change {
            Change::Registered { number, .. } | Change::Amended { number, .. } => Some(number),
            _ => None,
        })
        .collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers
}
