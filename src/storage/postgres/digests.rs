//! What is kept of events for reports: worked out elsewhere, kept under the journal number that it belongs to.

use super::errors::failed;
use super::held::Connections;
use super::transact::Writer;
use crate::model::id::EventId;
use crate::storage::codec::{DigestRowColumns, column, count, read_digest_row};
use crate::storage::kept::{Digest, DigestQuery, DigestRow};
use crate::storage::{NO_START, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) async fn digests(readers: &Connections, query: &DigestQuery) -> Result<Vec<DigestRow>, StoreError> {
    let rows: Vec<DigestRowColumns> = sqlx::query_as(
        "-- digests
        select e.id, e.journal_number, d.journal_number, d.summary
        from events as e
        left join digests as d on d.event_id = e.id
        where e.state <> 'draft'
          and ($1::text is null or e.centre_id = $1)
          and ($2::text is null or e.programme_id = $2)
          and ($3::text is null or e.municipality = $3)
          and ($4::bigint is null or e.starts_at >= $4)
          and ($5::bigint is null or e.starts_at < $5 or e.starts_at = $6)
          and ($8::uuid is null or e.id = $8)
        order by e.id
        limit $7",
    )
    .bind(query.centre.as_ref().map(|c| c.0.clone()))
    .bind(query.programme.as_ref().map(|p| p.0.clone()))
    .bind(query.municipality.clone())
    .bind(query.starts_from.map(|t| t.0))
    .bind(query.starts_before.map(|t| t.0))
    .bind(NO_START.0)
    .bind(i64::from(query.limit))
    .bind(query.event.map(|event| event.0))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    rows.into_iter().map(read_digest_row).collect()
}

pub(super) async fn facts(
    readers: &Connections,
    events: &[EventId],
) -> Result<Vec<(EventId, u64, Vec<u8>)>, StoreError> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.0).collect();
    let rows: Vec<(Uuid, i64, Vec<u8>)> = sqlx::query_as(
        "-- digest_facts
        select event_id, journal_number, facts
        from digests
        where event_id = any ($1)",
    )
    .bind(ids)
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    rows.into_iter()
        .map(|(id, number, facts)| Ok((EventId(id), count(number, "digests", "journal_number", id)?, facts)))
        .collect()
}

/// In the order of event ids, which is about the order in which they were made.
pub(super) async fn stale(readers: &Connections, limit: u32) -> Result<Vec<(EventId, u64)>, StoreError> {
    let rows: Vec<(Uuid, i64)> = sqlx::query_as(
        "-- stale_digests
        select e.id, e.journal_number
        from events as e
        left join digests as d on d.event_id = e.id
        where e.state <> 'draft'
          and (d.journal_number is null or d.journal_number <> e.journal_number)
        order by e.id
        limit $1",
    )
    .bind(i64::from(limit))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    rows.into_iter().map(|(id, number)| Ok((EventId(id), count(number, "events", "journal_number", id)?))).collect()
}

pub(super) async fn keep(writer: &Writer, digests: &[Digest]) -> Result<(), StoreError> {
    let mut transaction = writer.begin().await?;
    let work = writer.in_time(write(&mut transaction, digests)).await;
    writer.finish(transaction, work).await
}

async fn write(connection: &mut PgConnection, digests: &[Digest]) -> Result<(), StoreError> {
    for digest in digests {
        sqlx::query(
            "-- keep_digest
            insert into digests (event_id, journal_number, summary, facts)
            values ($1, $2, $3, $4)
            on conflict (event_id) do update
            set journal_number = excluded.journal_number, summary = excluded.summary, facts = excluded.facts
            where excluded.journal_number >= digests.journal_number",
        )
        .bind(digest.event.0)
        .bind(column(digest.journal_number))
        .bind(digest.summary.clone())
        .bind(digest.facts.clone())
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    }
    Ok(())
}
