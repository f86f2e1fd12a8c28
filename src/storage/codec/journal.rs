//! The journal's rows: one per event and batch, its entries as one JSON array.

use super::{column, corrupt, count, from_json, to_json};
use crate::admission::{Change, Entry, SeatCounts, Tally};
use crate::model::id::Number;
use crate::storage::StoreError;
use uuid::Uuid;

/// One batch of one event.
pub(in crate::storage) struct JournalRow {
    pub event: Uuid,
    pub first_number: i64,
    pub last_number: i64,
    pub written_at: i64,
    pub counts: String,
    pub entries: String,
}

/// The row of a batch. Refuses a batch that is empty or does not follow `from` without a gap: such a row
/// could never be replayed.
pub(in crate::storage) fn journal_row(
    event: Uuid,
    from: u64,
    entries: &[Entry],
    counts: SeatCounts,
) -> Result<JournalRow, StoreError> {
    let dense = entries.iter().zip(from + 1..).all(|(entry, number)| entry.number == number);
    let (Some(first), Some(last), true) = (entries.first(), entries.last(), dense) else {
        return Err(StoreError::Failed(format!("the entries of event {event} do not follow number {from}")));
    };
    Ok(JournalRow {
        event,
        first_number: column(first.number),
        last_number: column(last.number),
        written_at: last.at.0,
        counts: write_counts(counts),
        entries: to_json(entries)?,
    })
}

/// Numbers alone: the row is written with every batch.
fn write_counts(SeatCounts { confirmed, offered, waiting, free }: SeatCounts) -> String {
    let free = free.map(|free| free.to_string()).unwrap_or_default();
    let [confirmed, offered, waiting] = [confirmed, offered, waiting].map(|t| format!("{},{}", t.parties, t.persons));
    format!("{confirmed},{offered},{waiting},{free}")
}

/// The counts of a stored row.
pub(in crate::storage) fn read_counts(event: Uuid, text: &str) -> Result<SeatCounts, StoreError> {
    let wrong = || corrupt("journal", "counts", event);
    let words: Vec<&str> = text.split(',').collect();
    let [confirmed, in_confirmed, offered, in_offered, waiting, in_waiting, free] = words.as_slice() else {
        return Err(wrong());
    };
    let number = |word: &str| word.parse::<u32>().map_err(|_| wrong());
    let tally = |parties, persons| Ok(Tally { parties: number(parties)?, persons: number(persons)? });
    Ok(SeatCounts {
        confirmed: tally(confirmed, in_confirmed)?,
        offered: tally(offered, in_offered)?,
        waiting: tally(waiting, in_waiting)?,
        free: Some(*free).filter(|word| !word.is_empty()).map(number).transpose()?,
    })
}

/// The counts of some rows, each under its last number.
pub(in crate::storage) fn read_batch_counts(
    event: Uuid,
    rows: &[(i64, String)],
) -> Result<Vec<(u64, SeatCounts)>, StoreError> {
    let read =
        |(last, text): &(i64, String)| Ok((count(*last, "journal", "last_number", event)?, read_counts(event, text)?));
    rows.iter().map(read).collect()
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
