//! Management tokens that take the place of others: where the contact of a registration became another one.

use super::write::{bind_columns, run};
use crate::storage::StoreError;
use crate::storage::codec::TokenColumns;
use sqlx::PgConnection;

pub(super) async fn rotate(connection: &mut PgConnection, rows: Vec<TokenColumns>) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let query = sqlx::query(
        "-- rotate_tokens
        update registrations
        set token_hash = b.token_hash
        from unnest($1::uuid[], $2::bigint[], $3::bytea[]) as b (event_id, number, token_hash)
        where registrations.event_id = b.event_id
          and registrations.number = b.number",
    );
    let query = bind_columns!(query, rows; event, number, token_hash);
    run(connection, query, count, "registrations").await
}
