//! Request ids outside any event: each is looked up and recorded in the transaction of what it asks for.

use super::errors::failed;
use crate::storage::codec::{signed, unsigned};
use crate::storage::traits::{OpenRequest, StoreError, Stored};
use sqlx::PgConnection;
use uuid::Uuid;

/// What was answered under this request id, if it was used.
///
/// Differs from sqlite because the row is locked: that is written to the log, so that the commit waits until
/// a standby has it, and no replay is answered from a row that a failover would take away.
pub(super) async fn answered(
    connection: &mut PgConnection,
    kind: &'static str,
    request: OpenRequest,
) -> Result<Option<Stored>, StoreError> {
    let found: Option<(i64, String, String)> = sqlx::query_as(
        "-- find_open_request
        select fingerprint, kind, answer_id
        from open_requests
        where request_key = $1
        for update",
    )
    .bind(Uuid::from_u128(request.key))
    .fetch_optional(connection)
    .await
    .map_err(failed)?;
    Ok(found.map(|(fingerprint, of, answer)| {
        let same = unsigned(fingerprint) == request.fingerprint && of == kind;
        if same { Stored::Replayed(answer) } else { Stored::RequestIdReused }
    }))
}

/// What is in the way may be what the same request made a moment ago, on another instance: whoever sees that
/// sees the request id too.
///
/// Differs from sqlite because there nothing happens in between.
pub(super) async fn meanwhile(
    connection: &mut PgConnection,
    kind: &'static str,
    request: OpenRequest,
    otherwise: Stored,
) -> Result<Stored, StoreError> {
    Ok(answered(connection, kind, request).await?.unwrap_or(otherwise))
}

/// Records the request id with the id of what it made.
pub(super) async fn record(
    connection: &mut PgConnection,
    kind: &'static str,
    request: OpenRequest,
    answer: String,
) -> Result<(), StoreError> {
    sqlx::query(
        "-- insert_open_request
        insert into open_requests (request_key, fingerprint, kind, answer_id)
        values ($1, $2, $3, $4)",
    )
    .bind(Uuid::from_u128(request.key))
    .bind(signed(request.fingerprint))
    .bind(kind)
    .bind(answer)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}
