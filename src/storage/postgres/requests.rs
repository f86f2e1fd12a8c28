//! Request ids outside any event: each is looked up and recorded in the transaction of what it asks for.

use super::errors::failed;
use super::held::Connections;
use super::transact::Writer;
use crate::model::id::EventId;
use crate::storage::codec::{signed, unsigned};
use crate::storage::{OpenRequest, StoreError, Stored};
use sqlx::PgConnection;
use uuid::Uuid;

/// What was answered under this request id, if it was used.
///
/// Differs from sqlite because the row is locked: that is written to the log, so that the commit waits until
/// a standby has it, and no replay is answered from a row that a failover would take away.
pub(super) async fn answered(
    connection: &mut PgConnection,
    request: &OpenRequest,
) -> Result<Option<Stored>, StoreError> {
    let found: Option<(i64, Vec<u8>)> = sqlx::query_as(
        "-- find_open_request
        select fingerprint, answer
        from open_requests
        where request_key = $1
        for update",
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

/// What is in the way may be what the same request made a moment ago, on another instance: whoever sees that
/// sees the request id too.
///
/// Differs from sqlite because there nothing happens in between.
pub(super) async fn meanwhile(
    connection: &mut PgConnection,
    request: &OpenRequest,
    otherwise: Stored,
) -> Result<Stored, StoreError> {
    Ok(answered(connection, request).await?.unwrap_or(otherwise))
}

/// Records the request id with what is answered.
pub(super) async fn record(connection: &mut PgConnection, request: &OpenRequest) -> Result<(), StoreError> {
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
    let work = writer.in_time(answered(&mut transaction, request)).await;
    Ok(match writer.finish(transaction, work).await? {
        Some(Stored::Replayed(answer)) => Some(answer),
        _ => None,
    })
}

/// What was answered to a request about the event itself.
pub(super) async fn event_answer(
    readers: &Connections,
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
    .fetch_optional(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    Ok(answer.flatten())
}
