//! A piece of the change feed, put together from the rows of several tables.

use super::{count, read_counts, read_entries};
use crate::admission::Entry;
use crate::model::id::{CentreId, EventId, Number, ProgrammeId, RegistrationId};
use crate::storage::{FeedPage, FeedQuery, FeedRow, StoreError};
use std::collections::HashMap;
use uuid::Uuid;

/// A batch of the feed, without what it holds: position, event, first and last number, centre, programme.
pub(in crate::storage) type FeedColumns = (i64, Uuid, i64, i64, String, Option<String>);

/// A page in the making.
pub(in crate::storage) struct FeedGathering {
    batches: Vec<FeedColumns>,
    reached: u64,
    rows: Vec<FeedRow>,
}

impl FeedGathering {
    /// Of the batches that were found, as many as the query wants to hold.
    pub fn new(query: &FeedQuery, mut batches: Vec<FeedColumns>) -> Result<Self, StoreError> {
        let mut entries = 0u64;
        let fitting = batches.iter().take_while(|(_, _, first, last, ..)| {
            let room = entries < query.entries_max.max(1);
            entries = entries.saturating_add(last.abs_diff(*first) + 1);
            room
        });
        let kept = fitting.count();
        let reached = match batches.get(kept) {
            // What comes next was not looked at, and neither was anything before it that does not match.
            Some((next, ..)) => count::<u64>(*next, "feed", "position", *next)?.saturating_sub(1),
            None => query.until,
        };
        batches.truncate(kept);
        Ok(Self { batches, reached, rows: Vec::with_capacity(kept) })
    }

    /// The batches whose entries are wanted: event and first number.
    pub fn wanted(&self) -> Vec<(Uuid, i64)> {
        self.batches.iter().map(|(_, event, first, ..)| (*event, *first)).collect()
    }

    /// The counts and the entries of those batches.
    pub fn entries(&mut self, found: Vec<(Uuid, i64, String, String)>) -> Result<(), StoreError> {
        let found = found.into_iter().map(|(event, first, counts, entries)| ((event, first), (counts, entries)));
        let mut found: HashMap<(Uuid, i64), (String, String)> = found.collect();
        for (position, event, first, _, centre, programme) in std::mem::take(&mut self.batches) {
            let Some((counts, text)) = found.remove(&(event, first)) else {
                return Err(super::corrupt("journal", "entries", format_args!("{event}, {first}")));
            };
            self.rows.push(FeedRow {
                position: count(position, "feed", "position", position)?,
                event: EventId(event),
                centre: CentreId(centre),
                programme: programme.map(ProgrammeId),
                entries: read_entries(event, &[(first, text)])?,
                counts: read_counts(event, &counts)?,
                ids: Vec::new(),
            });
        }
        Ok(())
    }

    /// The registrations whose ids are wanted.
    pub fn wanted_ids(&self) -> Vec<(Uuid, Number)> {
        let mut wanted: Vec<(Uuid, Number)> =
            self.rows.iter().flat_map(|row| numbers(&row.entries).map(|number| (row.event.0, number))).collect();
        wanted.sort_unstable();
        wanted.dedup();
        wanted
    }

    /// The page, with the ids of those registrations.
    pub fn page(mut self, found: Vec<(Uuid, i64, Uuid)>) -> Result<FeedPage, StoreError> {
        let mut ids = HashMap::with_capacity(found.len());
        for (event, number, id) in found {
            let number: Number = count(number, "registrations", "number", id)?;
            ids.insert((event, number), RegistrationId(id));
        }
        for row in &mut self.rows {
            let mut named: Vec<(Number, RegistrationId)> =
                numbers(&row.entries).filter_map(|n| Some((n, *ids.get(&(row.event.0, n))?))).collect();
            named.sort_unstable_by_key(|(number, _)| *number);
            named.dedup();
            row.ids = named;
        }
        Ok(FeedPage { rows: self.rows, reached: self.reached })
    }
}

fn numbers(entries: &[Entry]) -> impl Iterator<Item = Number> {
    entries.iter().filter_map(|entry| entry.change.about())
}
