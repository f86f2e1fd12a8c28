//! Request ids outside any event: each is looked up and recorded in the transaction of what it asks for.

use super::errors::failed;
use super::transact::Writer;
use crate::model::id::EventId;
use crate::storage::codec::{signed, unsigned};
use crate::storage::{OpenRequest, StoreError, Stored};
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

/// What was answered under this request id, if it was used.
///
/// Differs from postgres because nobody else writes now, and the WAL was written back at the start: what is
/// read here is on disk. Postgres locks the row.
pub(super) async fn answered(
    connection: &mut SqliteConnection,
    request: &OpenRequest,
) -> Result<Option<Stored>, StoreError> {
    let found: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "-- find_open_request
        select fingerprint, answer
        from open_requests
        where request_key = $1",
    )
    .bind(Uuid::from_u128(request.key))
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    Ok(found.map(|(fingerprint, answer)| {
        let same = unsigned(fingerprint) == request.fingerprint;
        if same { Stored::Replayed(answer) } else { Stored::RequestIdReused }
    }))
}

/// Records the request id with what is answered.
pub(super) async fn record(connection: &mut SqliteConnection, request: &OpenRequest) -> Result<(), StoreError> {
    sqlx::query(
        "-- insert_open_request
        insert into open_requests (request_key, fingerprint, answer)
        values ($1, $2, $3)",
    )
    .bind(Uuid::from_u128(request.key))
    .bind(signed(request.fingerprint))
    .bind(request.answer.clone())
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

/// What was answered under this request id, if the same was asked: in a transaction, as if it were asked again.
pub(super) async fn open_answer(writer: &Writer, request: &OpenRequest) -> Result<Option<Vec<u8>>, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = answered(&mut transaction, request).await;
    Ok(match writer.finish(transaction, work).await? {
        Some(Stored::Replayed(answer)) => Some(answer),
        _ => None,
    })
}

/// What was answered to a request about the event itself.
pub(super) async fn event_answer(
    readers: &SqlitePool,
    event: EventId,
    key: u128,
) -> Result<Option<Vec<u8>>, StoreError> {
    let answer: Option<Option<Vec<u8>>> = sqlx::query_scalar(
        "-- event_answer
        select answer
        from requests
        where event_id = $1
          and request_key = $2",
    )
    .bind(event.0)
    .bind(Uuid::from_u128(key))
    .fetch_optional(readers)
    .await
    .map_err(failed)?;
    Ok(answer.flatten())
}
