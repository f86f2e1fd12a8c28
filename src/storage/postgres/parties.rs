//! Parties, read: personal data, which only these functions and the writes of `transact` ever touch.

use super::errors::failed;
use super::held::Connections;
use crate::model::contact::ContactKeys;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::storage::codec::{corrupt, count, signed};
use crate::storage::{PartyRow, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) async fn parties(
    readers: &Connections,
    event: EventId,
    numbers: &[Number],
) -> Result<Vec<PartyRow>, StoreError> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "-- parties
        select number, document, search
        from parties
        where event_id = $1
          and number = any ($2)",
    )
    .bind(event.0)
    .bind(numbers.iter().map(|n| i64::from(*n)).collect::<Vec<i64>>())
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    read_parties(event, rows)
}

/// Every party of an event, inside a snapshot.
pub(super) async fn whole(connection: &mut PgConnection, event: EventId) -> Result<Vec<PartyRow>, StoreError> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "-- whole_parties
        select number, document, search
        from parties
        where event_id = $1
        order by number",
    )
    .bind(event.0)
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    read_parties(event, rows)
}

/// Sorted by the query: an index by name would cost every sign-up, and few people page through names.
pub(super) async fn parties_by_name(
    readers: &Connections,
    event: EventId,
    after: Option<(String, Number)>,
    limit: u32,
) -> Result<Vec<PartyRow>, StoreError> {
    let (after_search, after_number) = after.map_or((None, 0), |(search, number)| (Some(search), i64::from(number)));
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "-- parties_by_name
        select number, document, search
        from parties
        where event_id = $1
          and ($2::text is null or (search, number) > ($2, $3))
        order by search, number
        limit $4",
    )
    .bind(event.0)
    .bind(after_search)
    .bind(after_number)
    .bind(i64::from(limit))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    read_parties(event, rows)
}

pub(super) async fn token_hash(
    readers: &Connections,
    event: EventId,
    number: Number,
) -> Result<Option<[u8; 32]>, StoreError> {
    let hash: Option<Vec<u8>> = sqlx::query_scalar(
        "-- token_hash
        select token_hash
        from registrations
        where event_id = $1
          and number = $2",
    )
    .bind(event.0)
    .bind(i64::from(number))
    .fetch_optional(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    let read = |hash: Vec<u8>| {
        hash.try_into().map_err(|_| corrupt("registrations", "token_hash", format_args!("{}, {number}", event.0)))
    };
    hash.map(read).transpose()
}

/// Seldom asked, so that no index by contact is kept for it: every row is looked at.
pub(super) async fn registrations_by_contact(
    readers: &Connections,
    contact: ContactKeys,
) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "-- registrations_by_contact
        select event_id, id
        from registrations
        where email_key = $1
          or phone_key = $2",
    )
    .bind(contact.email.map(signed))
    .bind(contact.phone.map(signed))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|(event, id)| (EventId(event), RegistrationId(id))).collect())
}

/// What staff wrote about a registration.
pub(super) async fn reasons(
    readers: &Connections,
    event: EventId,
    number: Number,
) -> Result<Vec<(u64, String)>, StoreError> {
    let rows: Vec<(i64, String)> = sqlx::query_as(
        "-- reasons
        select journal_number, reason
        from reasons
        where event_id = $1
          and number = $2
        order by journal_number",
    )
    .bind(event.0)
    .bind(i64::from(number))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    rows.into_iter().map(|(step, text)| Ok((count(step, "reasons", "journal_number", event.0)?, text))).collect()
}

fn read_parties(event: EventId, rows: Vec<(i64, String, String)>) -> Result<Vec<PartyRow>, StoreError> {
    rows.into_iter()
        .map(|(number, document, search)| {
            Ok(PartyRow { number: count(number, "parties", "number", event.0)?, document, search })
        })
        .collect()
}
