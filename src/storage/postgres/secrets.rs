//! The installation's secret: made once, the same for every instance ever after.

use super::errors::failed;
use super::transact::Writer;
use crate::storage::StoreError;
use crate::storage::codec::corrupt;
use sqlx::PgConnection;

const NAME: &str = "installation";

pub(super) async fn secret(writer: &Writer) -> Result<[u8; 32], StoreError> {
    let mut transaction = writer.begin().await?;
    let work = writer.in_time(make_or_read(&mut transaction)).await;
    writer.finish(transaction, work).await
}

/// Whoever comes first makes it; everybody reads what is stored.
///
/// Differs from sqlite because the row is locked: an insert that finds it taken writes nothing to the log, and
/// its commit would not wait until a standby has what another instance stored a moment ago.
async fn make_or_read(connection: &mut PgConnection) -> Result<[u8; 32], StoreError> {
    sqlx::query(
        "-- insert_secret
        insert into secrets (name, value)
        values ($1, $2)
        on conflict (name) do nothing",
    )
    .bind(NAME)
    .bind(crate::storage::codec::new_secret().to_vec())
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    let value: Vec<u8> = sqlx::query_scalar(
        "-- read_secret
        select value
        from secrets
        where name = $1
        for update",
    )
    .bind(NAME)
    .fetch_one(connection)
    .await
    .map_err(failed)?;
    value.try_into().map_err(|_| corrupt("secrets", "value", NAME))
}
