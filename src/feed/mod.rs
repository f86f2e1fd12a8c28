//! The change feed: every change of every event, once, in the order in which it became known, for whoever
//! keeps a place in it.
//!
//! # How it works
//!
//! The journals are the truth; storage lays the batches of all events in one row and gives each a dense
//! position (how, differs by dialect: docs/decisions/0013). A follower's [`Place`] is a position and a number
//! of entries behind it. Whoever reads once (`page`) reads storage. For those who follow, one task per
//! instance (`teller`) reads what is new, keeps the last of it in memory (`ring`), and wakes them; a follower
//! that is further behind than the ring reads on from storage until it has caught up.
//!
//! # What holds whatever happens
//!
//! - A place that was given out stays good until its changes are older than `keep`.
//! - Nothing is told that is not committed, and nothing that is committed is left out.
//! - What followers hold of a change is shared: a thousand of them keep it once.

mod names;
mod place;
mod read;
mod ring;
mod teller;

pub use names::Ids;
pub use place::Place;
pub use read::{Batch, IsWanted, Page, Slice, Wanted};

use crate::admission::Entry;
use crate::desk::Desk;
use crate::model::id::EventId;
use crate::model::time::{Span, Timestamp};
use crate::storage::StoreError;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// How the feed is kept.
#[derive(Clone, Copy, Debug)]
pub struct FeedOptions {
    /// How long a place stays good.
    pub keep: Span,
    /// How often the database is asked for what other instances committed, while somebody follows.
    pub poll: Duration,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self { keep: Span::hours(400 * 24), poll: Duration::from_millis(100) }
    }
}

/// Why there is nothing to tell from a place.
#[derive(Debug, thiserror::Error)]
pub enum FeedError {
    /// The changes behind it are too old; `oldest` is the first place that is still good.
    #[error("the changes behind this place are not kept any more")]
    Expired { oldest: Place, since: Timestamp },
    /// The feed does not reach so far: no place of this feed.
    #[error("the feed has no such place")]
    NoSuchPlace,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The feed of one instance. A clone is the same feed.
#[derive(Clone)]
pub struct Feed {
    shared: Arc<Shared>,
}

struct Shared {
    desk: Desk,
    options: FeedOptions,
    names: names::Names,
    ring: ring::Ring,
    /// How many follow; the teller rests while nobody does.
    followers: watch::Sender<usize>,
    /// The position up to which the feed is known.
    end: watch::Sender<u64>,
    oldest: Mutex<Option<(Timestamp, u64)>>,
    teller: std::sync::Once,
    closing: CancellationToken,
}

/// How long what was found to be the oldest place is believed, by the service's clock.
const OLDEST_KEPT: Span = Span::seconds(60);

impl Feed {
    /// The feed of what this desk's database holds. It ends with `closing`.
    pub fn open(desk: Desk, options: FeedOptions, closing: CancellationToken) -> Self {
        let shared = Shared {
            desk,
            options,
            names: names::Names::default(),
            ring: ring::Ring::default(),
            followers: watch::Sender::new(0),
            end: watch::Sender::new(0),
            oldest: Mutex::default(),
            teller: std::sync::Once::new(),
            closing,
        };
        Self { shared: Arc::new(shared) }
    }

    /// Behind everything that is committed now.
    pub async fn now(&self) -> Result<Place, FeedError> {
        Ok(Place::at(self.shared.desk.store().feed_end().await?))
    }

    /// Before the oldest change that is kept.
    pub async fn beginning(&self) -> Result<Place, FeedError> {
        self.oldest().await.map(|(oldest, _)| oldest)
    }

    /// Before everything that happened at `at` or later.
    pub async fn before(&self, at: Timestamp) -> Result<Place, FeedError> {
        let end = self.shared.desk.store().feed_end().await?;
        let place = Place::at(self.shared.desk.store().feed_before(at, end).await?);
        let (oldest, since) = self.oldest().await?;
        if place < oldest || (at < since && oldest.position > 0) {
            return Err(FeedError::Expired { oldest, since });
        }
        Ok(place)
    }

    /// A place that somebody kept: it must be one of this feed, and not too old.
    pub async fn kept(&self, place: Place) -> Result<Place, FeedError> {
        let end = Place::at(self.shared.desk.store().feed_end().await?);
        if place > end {
            return Err(FeedError::NoSuchPlace);
        }
        let (oldest, since) = self.oldest().await?;
        if place < oldest {
            return Err(FeedError::Expired { oldest, since });
        }
        Ok(place)
    }

    /// The first place that is still good, and from when on its changes are.
    async fn oldest(&self) -> Result<(Place, Timestamp), FeedError> {
        let now = self.shared.desk.clock().now();
        let since = Timestamp(now.0.saturating_sub(self.shared.options.keep.0));
        let known = *self.shared.oldest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, oldest)) = known
            && now >= at
            && now.since(at) < OLDEST_KEPT
        {
            return Ok((Place::at(oldest), since));
        }
        let store = self.shared.desk.store();
        let oldest = store.feed_before(since, store.feed_end().await?).await?;
        *self.shared.oldest.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, oldest));
        Ok((Place::at(oldest), since))
    }

    /// At most `size` changes behind `place`.
    pub async fn page(&self, place: Place, wanted: &Wanted, size: usize) -> Result<Page, FeedError> {
        let end = self.shared.desk.store().feed_end().await?;
        read::page(&self.shared, place, wanted, size, end).await
    }

    /// The ids of the pools and sessions that these entries name.
    pub async fn ids(&self, event: EventId, entries: &[Entry]) -> Result<Arc<Ids>, StoreError> {
        self.shared.names.of(self.shared.desk.store().as_ref(), event, entries).await
    }

    /// Follows from `place` on.
    pub fn follow(&self, place: Place, wanted: Wanted) -> Follower {
        let shared = &self.shared;
        shared.followers.send_modify(|n| *n += 1);
        shared.teller.call_once(|| drop(tokio::spawn(teller::run(Arc::clone(shared)))));
        Follower { end: shared.end.subscribe(), shared: Arc::clone(shared), place, wanted: Arc::new(wanted) }
    }
}

/// Somebody who follows the feed.
pub struct Follower {
    shared: Arc<Shared>,
    end: watch::Receiver<u64>,
    place: Place,
    wanted: Arc<Wanted>,
}

impl Follower {
    /// Everything up to here was given out.
    pub fn place(&self) -> Place {
        self.place
    }

    /// What comes next, at most `size` changes of it: waits until there is something to look at, which may turn
    /// out to hold nothing that is wanted. Nothing is lost where this is dropped half-way.
    pub async fn next(&mut self, size: usize) -> Result<Slice, FeedError> {
        let place = self.place;
        let end = self.end.wait_for(|end| *end > place.position).await.map_or(place.position, |end| *end);
        let slice = read::slice(&self.shared, place, &self.wanted, size, end).await?;
        self.place = slice.place;
        Ok(slice)
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.followers.send_modify(|n| *n = n.saturating_sub(1));
    }
}
