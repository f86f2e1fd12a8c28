//! The journal, read: it is written by `transact` and when an event is made.

use super::errors::failed;
use super::held::Connections;
use crate::admission::{Entry, SeatCounts};
use crate::model::id::EventId;
use crate::storage::StoreError;
use crate::storage::codec::{column, read_batch_counts, read_entries};
use sqlx::PgConnection;

/// Entries from number `from` on. Numbers have no gaps, so no row beyond `from + limit` is read.
pub(super) async fn journal(
    readers: &Connections,
    event: EventId,
    from: u64,
    limit: u32,
) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "-- journal
        select first_number, entries
        from journal
        where event_id = $1
          and last_number >= $2
          and first_number >= coalesce(
            (
              select max(b.first_number)
              from journal as b
              where b.event_id = $1
                and b.first_number <= $2
            ),
            1
          )
          and first_number < $3
        order by first_number",
    )
    .bind(event.0)
    .bind(column(from))
    .bind(column(from.saturating_add(u64::from(limit))))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    let mut entries = read_entries(event.0, &rows)?;
    entries.retain(|entry| entry.number >= from);
    entries.truncate(limit as usize);
    Ok(entries)
}

/// The counts after each batch that begins among these numbers.
pub(super) async fn journal_counts(
    readers: &Connections,
    event: EventId,
    from: u64,
    limit: u32,
) -> Result<Vec<(u64, SeatCounts)>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "-- journal_counts
        select last_number, counts
        from journal
        where event_id = $1
          and first_number >= $2
          and first_number < $3
        order by first_number",
    )
    .bind(event.0)
    .bind(column(from))
    .bind(column(from.saturating_add(u64::from(limit))))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    read_batch_counts(event.0, &rows)
}

pub(super) async fn journal_entries(
    readers: &Connections,
    event: EventId,
    numbers: &[u64],
) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "-- journal_entries
        select first_number, entries
        from journal
        where event_id = $1
          and first_number in (
            select (
              select max(b.first_number)
              from journal as b
              where b.event_id = $1
                and b.first_number <= k.number
            )
            from unnest($2::bigint[]) as k (number)
          )
        order by first_number",
    )
    .bind(event.0)
    .bind(numbers.iter().map(|n| column(*n)).collect::<Vec<i64>>())
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    let mut entries = read_entries(event.0, &rows)?;
    let wanted: std::collections::HashSet<u64> = numbers.iter().copied().collect();
    entries.retain(|entry| wanted.contains(&entry.number));
    Ok(entries)
}

/// The whole journal of an event, inside a snapshot.
pub(super) async fn whole(connection: &mut PgConnection, event: EventId) -> Result<Vec<Entry>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "-- whole_journal
        select first_number, entries
        from journal
        where event_id = $1
        order by first_number",
    )
    .bind(event.0)
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    read_entries(event.0, &rows)
}
