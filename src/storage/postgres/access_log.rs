//! The access log, and when access keys were used last.

use super::errors::failed;
use super::held::Connections;
use super::transact::Writer;
use super::wall::{Wall, let_go};
use crate::model::access::Reach;
use crate::model::access_log::{AccessEntry, AccessQuery};
use crate::model::time::Timestamp;
use crate::storage::StoreError;
use crate::storage::codec::{AccessColumns, AccessQueryColumns};
use sqlx::PgConnection;

pub(super) async fn add(writer: &Writer, entries: Vec<AccessEntry>) -> Result<(), StoreError> {
    let rows: Vec<AccessColumns> = entries.into_iter().map(AccessColumns::of).collect::<Result<_, _>>()?;
    let mut transaction = writer.begin().await?;
    let work = writer.in_time(write(&mut transaction, rows)).await;
    writer.finish(transaction, work).await
}

/// One that is there already was written before, by a commit whose word was lost.
async fn write(connection: &mut PgConnection, rows: Vec<AccessColumns>) -> Result<(), StoreError> {
    let query = sqlx::query(
        "-- add_access_entries
        insert into access_log (
          happened_at, id, key_id, role, person, method, kind, centre_id, event_id, registration_id, rows_max,
          request_id, reason, outcome, left_out
        )
        select *
        from unnest(
          $1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[],
          $9::uuid[], $10::uuid[], $11::bigint[], $12::uuid[], $13::text[], $14::smallint[], $15::bigint[]
        )
        on conflict (happened_at, id) do nothing",
    );
    let query = super::write::bind_columns!(query, rows;
        happened_at, id, key_id, role, person, method, kind, centre_id, event_id, registration_id, rows_max,
        request_id, reason, outcome, left_out,
    );
    query.execute(connection).await.map_err(failed)?;
    Ok(())
}

/// Statements are static text, so each index that a query can go by has its own.
macro_rules! entries {
    ($name:literal, $by:literal) => {
        concat!(
            "-- ",
            $name,
            "
            select
              happened_at, id, key_id, role, person, method, kind, centre_id, event_id, registration_id, rows_max,
              request_id, reason, outcome, left_out
            from access_log
            where ",
            $by,
            "
              and ($1::text is null or centre_id = $1)
              and ($2::uuid is null or event_id = $2)
              and ($3::uuid is null or registration_id = $3)
              and ($4::text is null or key_id = $4)
              and happened_at >= $5
              and happened_at < $6
              and ($7::bigint is null or (happened_at, id) < ($7, $8))
            order by happened_at desc, id desc
            limit $9"
        )
    };
}

pub(super) async fn list(wall: Wall, reach: Reach, query: AccessQuery) -> Result<Vec<AccessEntry>, StoreError> {
    let mut transaction = wall.begin(&reach).await?;
    let wanted = AccessQueryColumns::of(&query);
    let sql = match wanted {
        AccessQueryColumns { event: Some(_), .. } => entries!("access_entries_of_event", "event_id = $2"),
        AccessQueryColumns { key: Some(_), .. } => entries!("access_entries_of_key", "key_id = $4"),
        AccessQueryColumns { centre: Some(_), .. } => entries!("access_entries_of_centre", "centre_id = $1"),
        _ => entries!("access_entries", "true"),
    };
    let rows: Vec<AccessColumns> = sqlx::query_as(sql)
        .bind(wanted.centre)
        .bind(wanted.event)
        .bind(wanted.registration)
        .bind(wanted.key)
        .bind(wanted.from)
        .bind(wanted.before)
        .bind(wanted.after_at)
        .bind(wanted.after_id)
        .bind(wanted.limit)
        .fetch_all(&mut *transaction)
        .await
        .map_err(failed)?;
    let_go(transaction);
    rows.into_iter().map(AccessColumns::read).collect()
}

pub(super) async fn drop_before(writer: &Writer, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = writer.in_time(drop_some(&mut transaction, before, limit)).await;
    writer.finish(transaction, work).await
}

async fn drop_some(connection: &mut PgConnection, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let done = sqlx::query(
        "-- drop_access_entries
        delete from access_log
        where (happened_at, id) in (
          select happened_at, id
          from access_log
          where happened_at < $1
          order by happened_at, id
          limit $2
        )",
    )
    .bind(before.0)
    .bind(i64::from(limit))
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(done.rows_affected())
}

pub(super) async fn note_uses(writer: &Writer, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
    let mut transaction = writer.begin().await?;
    let work = writer.in_time(write_uses(&mut transaction, uses)).await;
    writer.finish(transaction, work).await
}

/// In the order of their ids, so that two instances never wait for each other.
async fn write_uses(connection: &mut PgConnection, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
    for (key, at) in uses {
        sqlx::query(
            "-- note_key_use
            insert into access_key_uses (key_id, last_used_at)
            values ($1, $2)
            on conflict (key_id) do update
            set last_used_at = excluded.last_used_at
            where excluded.last_used_at > access_key_uses.last_used_at",
        )
        .bind(key.clone())
        .bind(at.0)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

pub(super) async fn uses(
    readers: &Connections,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "-- key_uses
        select key_id, last_used_at
        from access_key_uses
        where $1::text is null or key_id > $1
        order by key_id
        limit $2",
    )
    .bind(after.map(str::to_owned))
    .bind(i64::from(limit))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|(key, at)| (key, Timestamp(at))).collect())
}
