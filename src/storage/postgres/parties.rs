//! Parties, read: personal data, which only these functions and the writes of `transact` ever touch; behind the wall.

use super::errors::failed;
use super::held::Connections;
use super::wall::{Wall, let_go};
use crate::model::access::Reach;
use crate::model::contact::ContactKeys;
use crate::model::id::{EventId, Number, RegistrationId};
use crate::model::registration::StateKind;
use crate::storage::codec::{WithinColumns, corrupt, count, signed};
use crate::storage::{PartyRow, StoreError};
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) async fn parties(
    wall: Wall,
    reach: Reach,
    event: EventId,
    numbers: Vec<Number>,
) -> Result<Vec<PartyRow>, StoreError> {
    let mut transaction = wall.begin(&reach).await?;
    let rows: Vec<(i64, String, String)> = sqlx::query_as(
        "-- parties
        select number, document, search
        from parties
        where event_id = $1
          and number = any ($2)",
    )
    .bind(event.0)
    .bind(numbers.into_iter().map(i64::from).collect::<Vec<i64>>())
    .fetch_all(&mut *transaction)
    .await
    .map_err(failed)?;
    let_go(transaction);
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
    wall: Wall,
    reach: Reach,
    event: EventId,
    after: Option<(String, Number)>,
    limit: u32,
) -> Result<Vec<PartyRow>, StoreError> {
    let mut transaction = wall.begin(&reach).await?;
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
    .fetch_all(&mut *transaction)
    .await
    .map_err(failed)?;
    let_go(transaction);
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
///
/// Differs from sqlite because registrations themselves are read in the hot paths and stand before the wall: one is told
/// where its party may be seen.
pub(super) async fn registrations_by_contact(
    wall: Wall,
    reach: Reach,
    contact: ContactKeys,
) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
    let mut transaction = wall.begin(&reach).await?;
    let within = WithinColumns::of(&reach.within());
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "-- registrations_by_contact
        select r.event_id, r.id
        from registrations as r
        join parties as p on p.event_id = r.event_id and p.number = r.number
        join events as e on e.id = r.event_id
        where (r.email_key = $1 or r.phone_key = $2)
          and ($3::text[] is null or e.centre_id = any ($3))
          and ($4::uuid[] is null or e.id = any ($4))",
    )
    .bind(contact.email.map(signed))
    .bind(contact.phone.map(signed))
    .bind(within.centres)
    .bind(within.events)
    .fetch_all(&mut *transaction)
    .await
    .map_err(failed)?;
    let_go(transaction);
    Ok(rows.into_iter().map(|(event, id)| (EventId(event), RegistrationId(id))).collect())
}

/// As seldom asked, and without an index for the same reason.
pub(super) async fn registrations_moved_to(
    wall: Wall,
    reach: Reach,
    targets: Vec<RegistrationId>,
) -> Result<Vec<(EventId, RegistrationId)>, StoreError> {
    let mut transaction = wall.begin(&reach).await?;
    let within = WithinColumns::of(&reach.within());
    let rows: Vec<(Uuid, Uuid)> = sqlx::query_as(
        "-- registrations_moved_to
        select r.event_id, r.id
        from registrations as r
        join parties as p on p.event_id = r.event_id and p.number = r.number
        join events as e on e.id = r.event_id
        where r.state = $1
          and (r.rare::jsonb #>> '{end,transferred,to,registration}')::uuid = any ($2)
          and ($3::text[] is null or e.centre_id = any ($3))
          and ($4::uuid[] is null or e.id = any ($4))",
    )
    .bind(StateKind::Transferred as i16)
    .bind(targets.into_iter().map(|id| id.0).collect::<Vec<_>>())
    .bind(within.centres)
    .bind(within.events)
    .fetch_all(&mut *transaction)
    .await
    .map_err(failed)?;
    let_go(transaction);
    Ok(rows.into_iter().map(|(event, id)| (EventId(event), RegistrationId(id))).collect())
}

/// What staff wrote about a registration.
pub(super) async fn reasons(
    wall: Wall,
    reach: Reach,
    event: EventId,
    number: Number,
) -> Result<Vec<(u64, String)>, StoreError> {
    let mut transaction = wall.begin(&reach).await?;
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
    .fetch_all(&mut *transaction)
    .await
    .map_err(failed)?;
    let_go(transaction);
    rows.into_iter().map(|(step, text)| Ok((count(step, "reasons", "journal_number", event.0)?, text))).collect()
}

fn read_parties(event: EventId, rows: Vec<(i64, String, String)>) -> Result<Vec<PartyRow>, StoreError> {
    rows.into_iter()
        .map(|(number, document, search)| {
            Ok(PartyRow { number: count(number, "parties", "number", event.0)?, document, search })
        })
        .collect()
}
