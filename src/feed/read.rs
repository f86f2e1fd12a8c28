//! Reading on from a place: from the ring where it reaches back so far, else from storage.

use super::names::Ids;
use super::{FeedError, Place, Shared};
use crate::admission::{Change, Entry};
use crate::model::attendance::SessionNo;
use crate::model::id::{CentreId, EventId, PoolNo, ProgrammeId, RegistrationId};
use crate::storage::{FeedQuery, FeedRow};
use std::sync::Arc;

/// Positions that are looked at with one query.
const POSITIONS_MAX: u64 = 2_000;
/// Entries after which a query reads no more batches.
const ENTRIES_MAX: u64 = 1_000;
/// Entries that one page looks at, more or less.
const LOOKED_AT_MAX: usize = 10_000;
/// Queries that one page makes.
const QUERIES_MAX: usize = 20;

/// Whether a change is wanted.
pub type IsWanted = Arc<dyn Fn(&Change) -> bool + Send + Sync>;

/// Which changes somebody wants; by default all.
#[derive(Clone, Default)]
pub struct Wanted {
    pub event: Option<EventId>,
    pub centre: Option<CentreId>,
    pub programme: Option<ProgrammeId>,
    /// Of the changes of such events, those of which this is true; `None`: all.
    pub change: Option<IsWanted>,
}

impl Wanted {
    /// Whether anything of the batch may be wanted.
    fn row(&self, row: &FeedRow) -> bool {
        self.event.is_none_or(|event| event == row.event)
            && self.centre.as_ref().is_none_or(|centre| *centre == row.centre)
            && (self.programme.is_none() || self.programme == row.programme)
    }

    fn entry(&self, entry: &Entry) -> bool {
        self.change.as_ref().is_none_or(|wants| wants(&entry.change))
    }
}

/// A batch with the words that its numbers stand for.
pub struct Batch {
    pub row: FeedRow,
    pub ids: Arc<Ids>,
}

impl Batch {
    /// The id of a pool of the event.
    pub fn pool_id(&self, no: PoolNo) -> Option<&str> {
        self.ids.pool(no)
    }

    /// The id of a session of the event.
    pub fn session_id(&self, no: SessionNo) -> Option<&str> {
        self.ids.session(no)
    }

    /// The id of the registration that the entry is about.
    pub fn registration(&self, entry: &Entry) -> Option<RegistrationId> {
        let number = entry.change.about()?;
        let found = self.row.ids.binary_search_by_key(&number, |(number, _)| *number).ok()?;
        self.row.ids.get(found).map(|(_, id)| *id)
    }
}

/// Some changes in a row, and the place behind them. It holds them together with everybody else who is told of them.
pub struct Slice {
    batches: Vec<Arc<Batch>>,
    /// Entries of the first batch that were told before.
    from: usize,
    /// Entries of the last batch that belong to it.
    to: usize,
    wanted: Arc<Wanted>,
    pub place: Place,
}

impl Slice {
    /// The changes that are wanted.
    pub fn changes(&self) -> impl Iterator<Item = (&Batch, &Entry)> {
        let last = self.batches.len().saturating_sub(1);
        self.batches.iter().enumerate().flat_map(move |(i, batch)| {
            let from = if i == 0 { self.from } else { 0 };
            let to = if i == last { self.to } else { batch.row.entries.len() };
            let entries = batch.row.entries.get(from..to).unwrap_or_default();
            entries.iter().filter(|entry| self.wanted.entry(entry)).map(move |entry| (&**batch, entry))
        })
    }
}

/// What `page` found.
pub struct Page {
    pub slices: Vec<Slice>,
    pub place: Place,
    /// There is more behind it.
    pub more: bool,
}

/// At most `size` changes, from a bounded number of batches.
pub(super) async fn page(
    shared: &Shared,
    mut place: Place,
    wanted: &Wanted,
    size: usize,
    end: u64,
) -> Result<Page, FeedError> {
    let wanted = Arc::new(wanted.clone());
    let (mut slices, mut left, mut looked_at) = (Vec::new(), size, 0);
    for _ in 0..QUERIES_MAX {
        if place.position >= end || left == 0 || looked_at >= LOOKED_AT_MAX {
            break;
        }
        let slice = slice(shared, place, &wanted, left, end).await?;
        place = slice.place;
        left -= slice.changes().count();
        looked_at += slice.batches.iter().map(|b| b.row.entries.len()).sum::<usize>();
        slices.push(slice);
    }
    Ok(Page { slices, place, more: place.position < end })
}

/// At most `size` changes, from one look.
pub(super) async fn slice(
    shared: &Shared,
    place: Place,
    wanted: &Arc<Wanted>,
    size: usize,
    end: u64,
) -> Result<Slice, FeedError> {
    let (batches, reached) = match shared.ring.behind(place.position, size) {
        Some(batches) => {
            let reached = batches.last().map_or(place.position, |batch| batch.row.position);
            (batches.into_iter().filter(|batch| wanted.row(&batch.row)).collect(), reached)
        }
        None => stored(shared, place.position, wanted, end).await?,
    };
    Ok(cut(batches, reached, place, wanted, size))
}

/// What storage holds behind a position.
pub(super) async fn stored(
    shared: &Shared,
    after: u64,
    wanted: &Wanted,
    end: u64,
) -> Result<(Vec<Arc<Batch>>, u64), FeedError> {
    let query = FeedQuery {
        after,
        until: end.min(after.saturating_add(POSITIONS_MAX)),
        event: wanted.event,
        centre: wanted.centre.clone(),
        programme: wanted.programme.clone(),
        entries_max: ENTRIES_MAX,
    };
    let store = shared.desk.store();
    let page = store.feed(&query).await?;
    let mut batches = Vec::with_capacity(page.rows.len());
    for row in page.rows {
        let ids = shared.names.of(store.as_ref(), row.event, &row.entries).await?;
        batches.push(Arc::new(Batch { row, ids }));
    }
    Ok((batches, page.reached))
}

/// The first `size` changes that are wanted, of those behind `place`.
fn cut(mut batches: Vec<Arc<Batch>>, reached: u64, place: Place, wanted: &Arc<Wanted>, size: usize) -> Slice {
    let begun = batches.first().is_some_and(|batch| batch.row.position == place.position + 1);
    let from = if begun { place.inside as usize } else { 0 };
    let mut left = size.max(1);
    for i in 0..batches.len() {
        let entries = &batches[i].row.entries;
        let skip = if i == 0 { from } else { 0 };
        for (k, entry) in entries.iter().enumerate().skip(skip) {
            left -= usize::from(wanted.entry(entry));
            if left > 0 {
                continue;
            }
            let position = batches[i].row.position;
            let is_whole = k + 1 == entries.len();
            let inside = u32::try_from(k + 1).unwrap_or(u32::MAX);
            let place = if is_whole { Place::at(position) } else { Place { position: position - 1, inside } };
            batches.truncate(i + 1);
            return Slice { batches, from, to: k + 1, wanted: Arc::clone(wanted), place };
        }
    }
    let to = batches.last().map_or(0, |batch| batch.row.entries.len());
    Slice { batches, from, to, wanted: Arc::clone(wanted), place: Place::at(reached) }
}
