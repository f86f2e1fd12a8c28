//! The change feed: the journals of all events, one batch after the other.
//!
//! Differs from sqlite because many write at once, and commit in another order than they wrote: a position that
//! a transaction takes while it works can become visible after a later one, and whoever had read that far would
//! never see it. So batches get their position when they are committed, from whoever reads next.

use super::errors::failed;
use super::held::Connections;
use super::load::{firsts, seconds};
use super::transact::Writer;
use crate::model::time::Timestamp;
use crate::storage::codec::{FeedColumns, FeedGathering, column, count};
use crate::storage::{FeedPage, FeedQuery, StoreError};
use sqlx::PgConnection;
use std::time::Instant;
use tokio::sync::Mutex;
use uuid::Uuid;

/// Lays the feed, for everybody of this instance who asks at the same moment: it never takes more than one
/// connection, and that from the readers, so that no sign-up waits for one.
pub(super) struct Layer {
    writer: Writer,
    last: Mutex<Option<(Instant, u64)>>,
}

impl Layer {
    pub fn new(readers: &Connections) -> Self {
        Self { writer: Writer::new(readers.clone()), last: Mutex::default() }
    }

    /// The last position, after everything that is committed got one.
    pub async fn end(&self) -> Result<u64, StoreError> {
        let asked = Instant::now();
        let mut last = self.last.lock().await;
        // Somebody began to look after this call came in, and saw all that was committed by then.
        if let Some((begun, end)) = *last
            && begun >= asked
        {
            return Ok(end);
        }
        let begun = Instant::now();
        let end = self.lay().await?;
        *last = Some((begun, end));
        Ok(end)
    }

    async fn lay(&self) -> Result<u64, StoreError> {
        let moved = self.writer.in_time(moved(self.writer.connections())).await?;
        if moved.is_empty() {
            return self.writer.in_time(last(self.writer.connections())).await;
        }
        let mut transaction = self.writer.begin().await?;
        let work = self.writer.in_time(append(&mut transaction, moved)).await;
        self.writer.finish(transaction, work).await
    }
}

/// The events whose journals go on behind what stands in the feed.
async fn moved(readers: &Connections) -> Result<Vec<Uuid>, StoreError> {
    sqlx::query_scalar(
        "-- feed_moved
        select e.id
        from events as e
        left join feed_heads as h on h.event_id = e.id
        where e.journal_number > coalesce(h.fed_number, 0)",
    )
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)
}

async fn last(readers: &Connections) -> Result<u64, StoreError> {
    let last: i64 = sqlx::query_scalar(
        "-- feed_end
        select position
        from feed_end",
    )
    .fetch_one(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    count(last, "feed_end", "position", last)
}

/// Gives the batches of these events their positions. The row of the end is locked first, in a statement of its
/// own, so that the next one sees what whoever held it before has fed.
async fn append(connection: &mut PgConnection, moved: Vec<Uuid>) -> Result<u64, StoreError> {
    let (last, moment): (i64, i64) = sqlx::query_as(
        "-- lock_feed_end
        select position, moment
        from feed_end
        for update",
    )
    .fetch_one(&mut *connection)
    .await
    .map_err(failed)?;
    let end: i64 = sqlx::query_scalar(
        "-- append_to_feed
        with moved as (
          select e.id, e.journal_number, coalesce(h.fed_number, 0) as fed_number
          from events as e
          left join feed_heads as h on h.event_id = e.id
          where e.id = any ($1)
            and e.journal_number > coalesce(h.fed_number, 0)
        ),
        batches as (
          select
            $2 + row_number() over at_last as position,
            j.event_id, j.first_number, j.last_number,
            greatest($3, max(j.written_at) over at_last) as moment
          from moved as m
          join journal as j
            on j.event_id = m.id
            and j.first_number > m.fed_number
            and j.first_number <= m.journal_number
          window at_last as (order by j.written_at, j.event_id, j.first_number rows unbounded preceding)
        ),
        fed as (
          insert into feed (position, event_id, first_number, last_number, moment)
          select position, event_id, first_number, last_number, moment
          from batches
        ),
        heads as (
          insert into feed_heads (event_id, fed_number)
          select id, journal_number
          from moved
          on conflict (event_id) do update
          set fed_number = excluded.fed_number
        ),
        moved_end as (
          update feed_end
          set position = b.position, moment = b.moment
          from (select max(position) as position, max(moment) as moment from batches) as b
          where b.position is not null
        )
        select coalesce(max(position), $2)
        from batches",
    )
    .bind(moved)
    .bind(last)
    .bind(moment)
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    count(end, "feed_end", "position", end)
}

/// The batches that are asked for. What was written once never changes, so that three statements see one feed.
pub(super) async fn feed(readers: &Connections, query: &FeedQuery) -> Result<FeedPage, StoreError> {
    let mut page = FeedGathering::new(query, batches(readers, query).await?)?;
    let wanted = page.wanted();
    if !wanted.is_empty() {
        page.entries(entries(readers, &wanted).await?)?;
    }
    let wanted = page.wanted_ids();
    let ids = if wanted.is_empty() { Vec::new() } else { ids(readers, &wanted).await? };
    page.page(ids)
}

async fn batches(readers: &Connections, query: &FeedQuery) -> Result<Vec<FeedColumns>, StoreError> {
    sqlx::query_as(
        "-- feed_batches
        select f.position, f.event_id, f.first_number, f.last_number, e.centre_id, e.programme_id
        from feed as f
        join events as e on e.id = f.event_id
        where f.position > $1
          and f.position <= $2
          and ($3::uuid is null or f.event_id = $3)
          and ($4::text is null or e.centre_id = $4)
          and ($5::text is null or e.programme_id = $5)
        order by f.position",
    )
    .bind(column(query.after))
    .bind(column(query.until))
    .bind(query.event.map(|event| event.0))
    .bind(query.centre.as_ref().map(|centre| centre.0.clone()))
    .bind(query.programme.as_ref().map(|programme| programme.0.clone()))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)
}

async fn entries(
    readers: &Connections,
    wanted: &[(Uuid, i64)],
) -> Result<Vec<(Uuid, i64, String, String)>, StoreError> {
    sqlx::query_as(
        "-- feed_entries
        select j.event_id, j.first_number, j.counts, j.entries
        from unnest($1::uuid[], $2::bigint[]) as k (event_id, first_number)
        join journal as j on j.event_id = k.event_id and j.first_number = k.first_number",
    )
    .bind(firsts(wanted))
    .bind(seconds(wanted))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)
}

async fn ids(readers: &Connections, wanted: &[(Uuid, u32)]) -> Result<Vec<(Uuid, i64, Uuid)>, StoreError> {
    sqlx::query_as(
        "-- feed_ids
        select r.event_id, r.number, r.id
        from unnest($1::uuid[], $2::bigint[]) as k (event_id, number)
        join registrations as r on r.event_id = k.event_id and r.number = k.number",
    )
    .bind(firsts(wanted))
    .bind(seconds(wanted))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)
}

/// The last position before everything that happened at `at` or later.
pub(super) async fn before(readers: &Connections, at: Timestamp, until: u64) -> Result<u64, StoreError> {
    let first: Option<i64> = sqlx::query_scalar(
        "-- feed_before
        select position
        from feed
        where moment >= $1
        order by moment, position
        limit 1",
    )
    .bind(at.0)
    .fetch_optional(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    let before = first.map(|first| count::<u64>(first - 1, "feed", "position", first)).transpose()?;
    Ok(before.unwrap_or(until).min(until))
}
