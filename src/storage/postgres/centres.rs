//! Centres: a document each, with a version that every update must name.

use super::errors::failed;
use super::requests;
use super::transact::Writer;
use crate::model::centre::Centre;
use crate::model::id::CentreId;
use crate::storage::codec::{column, count, from_json, to_json};
use crate::storage::traits::{OpenRequest, StoreError, Stored};
use sqlx::{PgConnection, PgPool};

const KIND: &str = "centre";

pub(super) async fn create_centre(
    writer: &Writer,
    centre: &Centre,
    request: OpenRequest,
) -> Result<Stored, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = create(&mut transaction, centre, request).await;
    writer.finish(transaction, work).await
}

async fn create(connection: &mut PgConnection, centre: &Centre, request: OpenRequest) -> Result<Stored, StoreError> {
    if let Some(answer) = requests::answered(connection, KIND, request).await? {
        return Ok(answer);
    }
    if version(connection, &centre.id).await?.is_some() {
        return requests::meanwhile(connection, KIND, request, Stored::Taken).await;
    }
    requests::record(connection, KIND, request, centre.id.0.clone()).await?;
    sqlx::query(
        "-- insert_centre
        insert into centres (id, version, document)
        values ($1, $2, $3)",
    )
    .bind(centre.id.0.clone())
    .bind(column(centre.version))
    .bind(to_json(centre)?)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(Stored::Created)
}

pub(super) async fn update_centre(
    writer: &Writer,
    centre: &Centre,
    request: OpenRequest,
) -> Result<Stored, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = update(&mut transaction, centre, request).await;
    writer.finish(transaction, work).await
}

async fn update(connection: &mut PgConnection, centre: &Centre, request: OpenRequest) -> Result<Stored, StoreError> {
    if let Some(answer) = requests::answered(connection, KIND, request).await? {
        return Ok(answer);
    }
    match version(connection, &centre.id).await? {
        None => return Ok(Stored::Missing),
        Some(current) if current + 1 != centre.version => {
            return requests::meanwhile(connection, KIND, request, Stored::VersionMismatch(current)).await;
        }
        Some(_) => {}
    }
    requests::record(connection, KIND, request, centre.id.0.clone()).await?;
    let done = sqlx::query(
        "-- update_centre
        update centres
        set version = $2, document = $3
        where id = $1
          and version = $2 - 1",
    )
    .bind(centre.id.0.clone())
    .bind(column(centre.version))
    .bind(to_json(centre)?)
    .execute(connection)
    .await
    .map_err(failed)?;
    super::write::expect(done.rows_affected(), 1, "centres")?;
    Ok(Stored::Created)
}

async fn version(connection: &mut PgConnection, id: &CentreId) -> Result<Option<u64>, StoreError> {
    let version: Option<i64> = sqlx::query_scalar(
        "-- centre_version
        select version
        from centres
        where id = $1",
    )
    .bind(id.0.clone())
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    version.map(|version| count(version, "centres", "version", &id.0)).transpose()
}

pub(super) async fn centre(readers: &PgPool, id: &CentreId) -> Result<Option<Centre>, StoreError> {
    let document: Option<String> = sqlx::query_scalar(
        "-- centre
        select document
        from centres
        where id = $1",
    )
    .bind(id.0.clone())
    .fetch_optional(readers)
    .await
    .map_err(failed)?;
    document.map(|document| from_json(&document, "centres", "document", &id.0)).transpose()
}

pub(super) async fn list_centres(
    readers: &PgPool,
    after: Option<&CentreId>,
    limit: u32,
) -> Result<Vec<Centre>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "-- list_centres
        select id, document
        from centres
        where $1::text is null or id > $1
        order by id
        limit $2",
    )
    .bind(after.map(|id| id.0.clone()))
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await
    .map_err(failed)?;
    rows.iter().map(|(id, document)| from_json(document, "centres", "document", id)).collect()
}
