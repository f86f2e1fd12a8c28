//! Parties, read: personal data, which only these functions and the writes of `transact` ever touch.

use super::errors::failed;
use super::load::number_list;
use crate::model::access::Reach;
use crate::model::contact::ContactKeys;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::registration::StateKind;
use crate::storage::codec::{WithinColumns, corrupt, count, signed, to_json};
use crate::storage::{PartyRow, StoreError};
use sqlx::{SqliteConnection, SqlitePool};
use uuid::Uuid;

pub(super) async fn parties(
    readers: &SqlitePool,
    event: EventId,
    numbers: &[Number],
) -> Result<Vec<PartyRow>, StoreError> {
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "-- parties
        select p.number, p.document, p.search
        from json_each($2) as k
        cross join parties as p
        where p.event_id = $1
          and p.number = k.value",
    )
    .bind(event.0)
    .bind(number_list(numbers.iter().map(|n| u64::from(*n))))
    .fetch_all(readers)
    .await
    .map_err(failed)?;
    read_parties(event, rows)
}

/// Every party of an event, inside a snapshot.
pub(super) async fn whole(connection: &mut SqliteConnection, event: EventId) -> Result<Vec<PartyRow>, StoreError> {
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
    readers: &SqlitePool,
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
          and ($2 is null or (search, number) > ($2, $3))
        order by search, number
        limit $4",
    )
    .bind(event.0)
    .bind(after_search)
    .bind(after_number)
    .bind(i64::from(limit))
    .fetch_all(readers)
    .await
    .map_err(failed)?;
    read_parties(event, rows)
}

pub(super) async fn token_hash(
    readers: &SqlitePool,
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
    .fetch_optional(readers)
    .await
    .map_err(failed)?;
    let read = |hash: Vec<u8>| {
        hash.try_into().map_err(|_| corrupt("registrations", "token_hash", format_args!("{}, {number}", event.0)))
    };
    hash.map(read).transpose()
}

/// Seldom asked, so that no index by contact is kept for it: every row is looked at.
pub(super) async fn registrations_by_contact(
    readers: &SqlitePool,
    reach: &Reach,
    contact: ContactKeys,
) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
    let (centres, events) = WithinColumns::of(&reach.within()).texts();
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "-- registrations_by_contact
        select r.event_id, r.id
        from registrations as r
        join events as e on e.id = r.event_id
        where (r.email_key = $1 or r.phone_key = $2)
          and ($3 is null or e.centre_id in (select value from json_each($3)))
          and ($4 is null or e.id in (select unhex(value) from json_each($4)))",
    )
    .bind(contact.email.map(signed))
    .bind(contact.phone.map(signed))
    .bind(centres)
    .bind(events)
    .fetch_all(readers)
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|(event, id)| (EventId(event), RegistrationId(id))).collect())
}

/// As seldom asked, and without an index for the same reason.
pub(super) async fn registrations_moved_to(
    readers: &SqlitePool,
    reach: &Reach,
    targets: &[RegistrationId],
) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
    let (centres, events) = WithinColumns::of(&reach.within()).texts();
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "-- registrations_moved_to
        select r.event_id, r.id
        from registrations as r
        join events as e on e.id = r.event_id
        where r.state = $1
          and r.rare ->> '$.end.transferred.to.registration' in (select value from json_each($2))
          and ($3 is null or e.centre_id in (select value from json_each($3)))
          and ($4 is null or e.id in (select unhex(value) from json_each($4)))",
    )
    .bind(StateKind::Transferred as i64)
    .bind(to_json(&targets)?)
    .bind(centres)
    .bind(events)
    .fetch_all(readers)
    .await
    .map_err(failed)?;
    Ok(rows.into_iter().map(|(event, id)| (EventId(event), RegistrationId(id))).collect())
}

/// What staff wrote about a registration.
pub(super) async fn reasons(
    readers: &SqlitePool,
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
    .fetch_all(readers)
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
