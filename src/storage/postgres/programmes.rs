//! Programmes: a document each, with a version that every update must name.

use super::errors::failed;
use super::requests;
use super::transact::Writer;
use crate::model::centre::Programme;
use crate::model::id::ProgrammeId;
use crate::storage::codec::{column, count, from_json, to_json};
use crate::storage::traits::{OpenRequest, StoreError, Stored};
use sqlx::{PgConnection, PgPool};

const KIND: &str = "programme";

pub(super) async fn create_programme(
    writer: &Writer,
    programme: &Programme,
    request: OpenRequest,
) -> Result<Stored, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = create(&mut transaction, programme, request).await;
    writer.finish(transaction, work).await
}

async fn create(
    connection: &mut PgConnection,
    programme: &Programme,
    request: OpenRequest,
) -> Result<Stored, StoreError> {
    if let Some(answer) = requests::answered(connection, KIND, request).await? {
        return Ok(answer);
    }
    if version(connection, &programme.id).await?.is_some() {
        return requests::meanwhile(connection, KIND, request, Stored::Taken).await;
    }
    requests::record(connection, KIND, request, programme.id.0.clone()).await?;
    sqlx::query(
        "-- insert_programme
        insert into programmes (id, version, document)
        values ($1, $2, $3)",
    )
    .bind(programme.id.0.clone())
    .bind(column(programme.version))
    .bind(to_json(programme)?)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(Stored::Created)
}

pub(super) async fn update_programme(
    writer: &Writer,
    programme: &Programme,
    request: OpenRequest,
) -> Result<Stored, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = update(&mut transaction, programme, request).await;
    writer.finish(transaction, work).await
}

async fn update(
    connection: &mut PgConnection,
    programme: &Programme,
    request: OpenRequest,
) -> Result<Stored, StoreError> {
    if let Some(answer) = requests::answered(connection, KIND, request).await? {
        return Ok(answer);
    }
    match version(connection, &programme.id).await? {
        None => return Ok(Stored::Missing),
        Some(current) if current + 1 != programme.version => {
            return requests::meanwhile(connection, KIND, request, Stored::VersionMismatch(current)).await;
        }
        Some(_) => {}
    }
    requests::record(connection, KIND, request, programme.id.0.clone()).await?;
    let done = sqlx::query(
        "-- update_programme
        update programmes
        set version = $2, document = $3
        where id = $1
          and version = $2 - 1",
    )
    .bind(programme.id.0.clone())
    .bind(column(programme.version))
    .bind(to_json(programme)?)
    .execute(connection)
    .await
    .map_err(failed)?;
    super::write::expect(done.rows_affected(), 1, "programmes")?;
    Ok(Stored::Created)
}

async fn version(connection: &mut PgConnection, id: &ProgrammeId) -> Result<Option<u64>, StoreError> {
    let version: Option<i64> = sqlx::query_scalar(
        "-- programme_version
        select version
        from programmes
        where id = $1",
    )
    .bind(id.0.clone())
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    version.map(|version| count(version, "programmes", "version", &id.0)).transpose()
}

pub(super) async fn programme(readers: &PgPool, id: &ProgrammeId) -> Result<Option<Programme>, StoreError> {
    let document: Option<String> = sqlx::query_scalar(
        "-- programme
        select document
        from programmes
        where id = $1",
    )
    .bind(id.0.clone())
    .fetch_optional(readers)
    .await
    .map_err(failed)?;
    document.map(|document| from_json(&document, "programmes", "document", &id.0)).transpose()
}

pub(super) async fn list_programmes(
    readers: &PgPool,
    after: Option<&ProgrammeId>,
    limit: u32,
) -> Result<Vec<Programme>, StoreError> {
    let rows: Vec<(String, String)> = sqlx::query_as(
        "-- list_programmes
        select id, document
        from programmes
        where $1::text is null or id > $1
        order by id
        limit $2",
    )
    .bind(after.map(|id| id.0.clone()))
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await
    .map_err(failed)?;
    rows.iter().map(|(id, document)| from_json(document, "programmes", "document", id)).collect()
}
