//! The change feed: the journals of all events, one batch after the other.
//!
//! Differs from postgres because there is one writer: the position that a batch gets when it is written is
//! the order of the commits, and the journal is the feed.

use super::errors::failed;
use super::load::pair_list;
use crate::model::time::Timestamp;
use crate::storage::codec::{FeedColumns, FeedGathering, column, count};
use crate::storage::{FeedPage, FeedQuery, StoreError};
use sqlx::SqlitePool;
use uuid::Uuid;

/// The last moment in the journal.
pub(super) async fn latest(readers: &SqlitePool) -> Result<i64, StoreError> {
    let latest: Option<i64> = sqlx::query_scalar(
        "-- feed_latest
        select written_at
        from journal
        order by position desc
        limit 1",
    )
    .fetch_optional(readers)
    .await
    .map_err(failed)?;
    Ok(latest.unwrap_or(i64::MIN))
}

/// The last position.
pub(super) async fn end(readers: &SqlitePool) -> Result<u64, StoreError> {
    let last: i64 = sqlx::query_scalar(
        "-- feed_end
        select coalesce(max(position), 0)
        from journal",
    )
    .fetch_one(readers)
    .await
    .map_err(failed)?;
    count(last, "journal", "position", last)
}

/// The batches that are asked for. What was written once never changes, so that three statements see one feed.
pub(super) async fn feed(readers: &SqlitePool, query: &FeedQuery) -> Result<FeedPage, StoreError> {
    let mut page = FeedGathering::new(query, batches(readers, query).await?)?;
    let wanted = page.wanted();
    if !wanted.is_empty() {
        page.entries(entries(readers, &wanted).await?)?;
    }
    let wanted = page.wanted_ids();
    let ids = if wanted.is_empty() { Vec::new() } else { ids(readers, &wanted).await? };
    page.page(ids)
}

async fn batches(readers: &SqlitePool, query: &FeedQuery) -> Result<Vec<FeedColumns>, StoreError> {
    sqlx::query_as(
        "-- feed_batches
        select j.position, j.event_id, j.first_number, j.last_number, e.centre_id, e.programme_id
        from journal as j
        cross join events as e
        where j.position > $1
          and j.position <= $2
          and e.id = j.event_id
          and ($3 is null or j.event_id = $3)
          and ($4 is null or e.centre_id = $4)
          and ($5 is null or e.programme_id = $5)
        order by j.position",
    )
    .bind(column(query.after))
    .bind(column(query.until))
    .bind(query.event.map(|event| event.0))
    .bind(query.centre.as_ref().map(|centre| centre.0.clone()))
    .bind(query.programme.as_ref().map(|programme| programme.0.clone()))
    .fetch_all(readers)
    .await
    .map_err(failed)
}

async fn entries(readers: &SqlitePool, wanted: &[(Uuid, i64)]) -> Result<Vec<(Uuid, i64, String, String)>, StoreError> {
    sqlx::query_as(
        "-- feed_entries
        select j.event_id, j.first_number, j.counts, j.entries
        from json_each($1) as k
        cross join journal as j
        where j.event_id = unhex(k.value ->> 0)
          and j.first_number = k.value ->> 1",
    )
    .bind(pair_list(wanted))
    .fetch_all(readers)
    .await
    .map_err(failed)
}

async fn ids(readers: &SqlitePool, wanted: &[(Uuid, u32)]) -> Result<Vec<(Uuid, i64, Uuid)>, StoreError> {
    sqlx::query_as(
        "-- feed_ids
        select r.event_id, r.number, r.id
        from json_each($1) as k
        cross join registrations as r
        where r.event_id = unhex(k.value ->> 0)
          and r.number = k.value ->> 1",
    )
    .bind(pair_list(wanted))
    .fetch_all(readers)
    .await
    .map_err(failed)
}

/// The last position before everything that happened at `at` or later.
///
/// Differs from postgres because there is no index by moment, which every batch would have to write: moments
/// never go back, so that the place is found by halving.
pub(super) async fn before(readers: &SqlitePool, at: Timestamp, until: u64) -> Result<u64, StoreError> {
    let (mut before, mut after) = (0, until.saturating_add(1));
    while after - before > 1 {
        let middle = before + (after - before) / 2;
        match moment(readers, middle).await? {
            Some(moment) if moment < at.0 => before = middle,
            _ => after = middle,
        }
    }
    Ok(before)
}

async fn moment(readers: &SqlitePool, position: u64) -> Result<Option<i64>, StoreError> {
    sqlx::query_scalar(
        "-- feed_moment
        select written_at
        from journal
        where position >= $1
        order by position
        limit 1",
    )
    .bind(column(position))
    .fetch_optional(readers)
    .await
    .map_err(failed)
}
