//! Centres, programmes, access keys, stored reports and entries about persons: a document each, with a version that every update
//! must name. One way for all, told the table.

use super::errors::failed;
use super::requests;
use super::transact::Writer;
use crate::model::access::Reach;
use crate::model::report::Report;
use crate::storage::codec::{DocumentRow, WithinColumns, column, count, from_json};
use crate::storage::{OpenRequest, StoreError, Stored};
use serde::de::DeserializeOwned;
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

/// A table of documents. Statements are static text, so each table has its own.
pub(super) struct Table {
    name: &'static str,
    insert: &'static str,
    update: &'static str,
    version: &'static str,
    read: &'static str,
    list: &'static str,
}

macro_rules! table {
    ($kind:literal, $name:literal) => {
        Table {
            name: $name,
            insert: concat!(
                "-- insert_",
                $kind,
                "
                insert into ",
                $name,
                " (id, version, document)
                values ($1, $2, $3)",
            ),
            update: concat!(
                "-- update_",
                $kind,
                "
                update ",
                $name,
                "
                set version = $2, document = $3
                where id = $1
                  and version = $2 - 1",
            ),
            version: concat!(
                "-- ",
                $kind,
                "_version
                select version
                from ",
                $name,
                "
                where id = $1",
            ),
            read: concat!(
                "-- ",
                $kind,
                "
                select document
                from ",
                $name,
                "
                where id = $1",
            ),
            list: concat!(
                "-- list_",
                $name,
                "
                select id, document
                from ",
                $name,
                "
                where $1 is null or id > $1
                order by id
                limit $2",
            ),
        }
    };
}
pub(super) static CENTRES: Table = table!("centre", "centres");
pub(super) static PROGRAMMES: Table = table!("programme", "programmes");
pub(super) static REPORTS: Table = table!("report", "reports");
pub(super) static ACCESS_KEYS: Table = table!("access_key", "access_keys");
pub(super) static PEOPLE: Table = table!("people_entry", "people");

/// Writes a document: a new one as version 1, a later one over the version before it.
pub(super) async fn save(
    writer: &Writer,
    table: &Table,
    row: &DocumentRow,
    request: &OpenRequest,
) -> Result<Stored, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = write(&mut transaction, table, row, request).await;
    writer.finish(transaction, work).await
}

async fn write(
    connection: &mut SqliteConnection,
    table: &Table,
    row: &DocumentRow,
    request: &OpenRequest,
) -> Result<Stored, StoreError> {
    if let Some(answer) = requests::answered(connection, request).await? {
        return Ok(answer);
    }
    let sql = match (version(connection, table, &row.id).await?, row.version) {
        (None, 1) => table.insert,
        (Some(_), 1) => return Ok(Stored::Taken),
        (None, _) => return Ok(Stored::Missing),
        (Some(current), next) if current + 1 == next => table.update,
        (Some(current), _) => return Ok(Stored::VersionMismatch(current)),
    };
    requests::record(connection, request).await?;
    let query = sqlx::query(sql).bind(row.id.clone()).bind(column(row.version)).bind(row.document.clone());
    let done = query.execute(connection).await.map_err(failed)?;
    super::write::expect(done.rows_affected(), 1, table.name)?;
    Ok(Stored::Created)
}

async fn version(connection: &mut SqliteConnection, table: &Table, id: &str) -> Result<Option<u64>, StoreError> {
    let version: Option<i64> =
        sqlx::query_scalar(table.version).bind(id.to_owned()).fetch_optional(connection).await.map_err(failed)?;
    version.map(|version| count(version, table.name, "version", id)).transpose()
}

pub(super) async fn read<T: DeserializeOwned>(
    readers: &SqlitePool,
    table: &Table,
    id: &str,
) -> Result<Option<T>, StoreError> {
    let document: Option<String> =
        sqlx::query_scalar(table.read).bind(id.to_owned()).fetch_optional(readers).await.map_err(failed)?;
    document.map(|document| from_json(&document, table.name, "document", id)).transpose()
}

/// In id order, after `after`.
pub(super) async fn list<T: DeserializeOwned>(
    readers: &SqlitePool,
    table: &Table,
    after: Option<&str>,
    limit: u32,
) -> Result<Vec<T>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(table.list)
        .bind(after.map(str::to_owned))
        .bind(i64::from(limit))
        .fetch_all(readers)
        .await
        .map_err(failed)?;
    rows.iter().map(|(id, document)| from_json(document, table.name, "document", id)).collect()
}

/// A stored report of a centre that is reached.
pub(super) async fn report(readers: &SqlitePool, reach: &Reach, id: Uuid) -> Result<Option<Report>, StoreError> {
    let id = id.to_string();
    let (centres, _) = WithinColumns::of(&reach.within()).texts();
    let document: Option<String> = sqlx::query_scalar(
        "-- report
        select document
        from reports
        where id = $1
          and ($2 is null or document ->> '$.centre' in (select value from json_each($2)))",
    )
    .bind(id.clone())
    .bind(centres)
    .fetch_optional(readers)
    .await
    .map_err(failed)?;
    document.map(|document| from_json(&document, REPORTS.name, "document", &id)).transpose()
}

/// In id order, after `after`.
pub(super) async fn list_reports(
    readers: &SqlitePool,
    reach: &Reach,
    after: Option<Uuid>,
    limit: u32,
) -> Result<Vec<Report>, StoreError> {
    let (centres, _) = WithinColumns::of(&reach.within()).texts();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "-- list_reports
        select id, document
        from reports
        where ($1 is null or id > $1)
          and ($3 is null or document ->> '$.centre' in (select value from json_each($3)))
        order by id
        limit $2",
    )
    .bind(after.map(|id| id.to_string()))
    .bind(i64::from(limit))
    .bind(centres)
    .fetch_all(readers)
    .await
    .map_err(failed)?;
    rows.iter().map(|(id, document)| from_json(document, REPORTS.name, "document", id)).collect()
}
