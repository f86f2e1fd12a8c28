//! The access log, and when access keys were used last.

use super::errors::failed;
use super::script::{Bound, Many, Script};
use super::transact::Writer;
use crate::model::access_log::{AccessEntry, AccessQuery};
use crate::model::time::Timestamp;
use crate::storage::StoreError;
use crate::storage::codec::{AccessColumns, AccessQueryColumns};
use sqlx::{SqliteConnection, SqlitePool};
use std::sync::LazyLock;

pub(super) async fn add(writer: &Writer, entries: Vec<AccessEntry>) -> Result<(), StoreError> {
    let rows: Vec<AccessColumns> = entries.into_iter().map(AccessColumns::of).collect::<Result<_, _>>()?;
    let mut transaction = writer.begin().await?;
    let work = write(&mut transaction, rows).await;
    writer.finish(transaction, work).await
}

/// Differs from postgres because every statement checks its row count here: one that is there already is written once more.
async fn write(connection: &mut SqliteConnection, rows: Vec<AccessColumns>) -> Result<(), StoreError> {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            15,
            "-- add_access_entries
            insert into access_log (
              happened_at, id, key_id, role, person, method, kind, centre_id, event_id, registration_id, rows_max,
              request_id, reason, outcome, left_out
            )
            values ",
            "
            on conflict (happened_at, id) do update
            set outcome = excluded.outcome",
        )
    });
    let bind = |query: Bound, row: AccessColumns| {
        query
            .bind(row.happened_at)
            .bind(row.id)
            .bind(row.key_id)
            .bind(row.role)
            .bind(row.person)
            .bind(row.method)
            .bind(row.kind)
            .bind(row.centre_id)
            .bind(row.event_id)
            .bind(row.registration_id)
            .bind(row.rows_max)
            .bind(row.request_id)
            .bind(row.reason)
            .bind(row.outcome)
            .bind(row.left_out)
    };
    let mut script = Script::of_many();
    SQL.add(&mut script, rows, bind, "access_log");
    script.run(connection).await
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
              and ($1 is null or centre_id = $1)
              and ($2 is null or event_id = $2)
              and ($3 is null or registration_id = $3)
              and ($4 is null or key_id = $4)
              and happened_at >= $5
              and happened_at < $6
              and ($7 is null or (happened_at, id) < ($7, $8))
            order by happened_at desc, id desc
            limit $9"
        )
    };
}

pub(super) async fn list(readers: &SqlitePool, query: &AccessQuery) -> Result<Vec<AccessEntry>, StoreError> {
    let wanted = AccessQueryColumns::of(query);
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
        .fetch_all(readers)
        .await
        .map_err(failed)?;
    rows.into_iter().map(AccessColumns::read).collect()
}

pub(super) async fn drop_before(writer: &Writer, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = drop_some(&mut transaction, before, limit).await;
    writer.finish(transaction, work).await
}

async fn drop_some(connection: &mut SqliteConnection, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
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
    let work = write_uses(&mut transaction, uses).await;
    writer.finish(transaction, work).await
}

/// In the order of their ids, so that two instances never wait for each other.
async fn write_uses(connection: &mut SqliteConnection, uses: &[(String, Timestamp)]) -> Result<(), StoreError> {
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
    readers: &SqlitePool,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<(String, Timestamp)>, StoreError> {
    let rows: Vec<(String, i64)> = sqlx::query_as(
        "-- key_uses
        select key_id, last_used_at
        from access_key_uses
        where $1 is null or key_id > $1
        order by key_id
        limit $2",
    )
    .bind(after.map(str::to_owned))
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|(key, at)| (key, Timestamp(at))).collect())
}
