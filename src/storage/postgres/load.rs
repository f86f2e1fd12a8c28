//! Reads what a transaction must know of its events, with their rows locked; and a whole event for
//! `eile check`. One statement per table over all events, whatever their number.

use super::errors::failed;
use super::wall::{Wall, let_go};
use super::{journal, parties};
use crate::model::access::Reach;
use crate::model::id::{EventId, Number};
use crate::storage::codec::{AttachmentRow, Gathering, MarkRow, RegistrationRow, RequestRow, WholeRow, column};
use crate::storage::kept::Everything;
use crate::storage::{Fresh, Lock, StoreError, Whole};
use futures_util::TryStreamExt;
use sqlx::{FromRow, PgConnection, Row};
use std::collections::HashMap;
use uuid::Uuid;

/// What is new about each event, in the order of the locks.
pub(super) async fn fresh(connection: &mut PgConnection, locks: &[Lock]) -> Result<Vec<Fresh>, StoreError> {
    let ids: Vec<Uuid> = locks.iter().map(|lock| lock.event.0).collect();
    let rows = lock_events(connection, &ids).await?;
    let (mut gathering, wanted) = Gathering::begin(locks, rows)?;
    if !wanted.behind.is_empty() {
        load_behind(connection, &wanted.behind, &mut gathering).await?;
    }
    if !wanted.whole.is_empty() {
        load_whole(connection, &wanted.whole, &mut gathering).await?;
    }
    gathering.finish(locks)
}

/// Locks events of which everything is believed to be known, and refuses where somebody else wrote one.
pub(super) async fn expect_current(connection: &mut PgConnection, locks: &[Lock]) -> Result<(), StoreError> {
    let ids: Vec<Uuid> = locks.iter().map(|lock| lock.event.0).collect();
    let rows: HashMap<Uuid, i64> = lock_events(connection, &ids).await?.into_iter().collect();
    let is_current = |lock: &Lock| rows.get(&lock.event.0).copied() == lock.known.map(column);
    if locks.iter().all(is_current) {
        return Ok(());
    }
    Err(StoreError::Conflict("somebody else wrote an event that was decided from memory".into()))
}

/// One event as one snapshot.
///
/// Differs from sqlite because a transaction sees one snapshot only where that is asked for.
pub(super) async fn whole(wall: Wall, event: EventId) -> Result<Option<Whole>, StoreError> {
    let mut transaction = wall.snapshot(&Reach::Service).await?;
    let work = read_whole(&mut transaction, event).await;
    let_go(transaction);
    work
}

async fn read_whole(connection: &mut PgConnection, event: EventId) -> Result<Option<Whole>, StoreError> {
    let mut gathering = Gathering::default();
    load_whole(connection, &[event.0], &mut gathering).await?;
    Ok(gathering.into_whole(event))
}

/// One event with its journal and its parties as one snapshot.
///
/// Differs from sqlite as `whole` does.
pub(super) async fn everything(wall: Wall, reach: Reach, event: EventId) -> Result<Option<Everything>, StoreError> {
    let mut transaction = wall.snapshot(&reach).await?;
    let work = read_everything(&mut transaction, event).await;
    let_go(transaction);
    work
}

async fn read_everything(connection: &mut PgConnection, event: EventId) -> Result<Option<Everything>, StoreError> {
    let Some(whole) = read_whole(connection, event).await? else { return Ok(None) };
    let entries = journal::whole(connection, event).await?;
    let parties = parties::whole(connection, event).await?;
    Ok(Some(Everything { whole, entries, parties }))
}

/// In id order, so that two batches never wait for each other in a circle; and apart from all that reads, so
/// that what is read is what the holder before has left.
async fn lock_events(connection: &mut PgConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StoreError> {
    sqlx::query_as(
        "-- lock_events
        select id, journal_number
        from events
        where id = any ($1)
        order by id
        for update",
    )
    .bind(ids)
    .fetch_all(connection)
    .await
    .map_err(failed)
}

async fn load_behind(
    connection: &mut PgConnection,
    behind: &[(Uuid, i64)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    load_behind_documents(connection, behind, gathering).await?;
    load_missing_entries(connection, behind, gathering).await?;
    let attachments = gathering.wanted_attachments();
    if !attachments.is_empty() {
        load_attachments(connection, &attachments, gathering).await?;
    }
    load_missing_requests(connection, behind, gathering).await
}

async fn load_behind_documents(
    connection: &mut PgConnection,
    behind: &[(Uuid, i64)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let rows: Vec<(Uuid, i64, String)> = sqlx::query_as(
        "-- load_behind_documents
        select d.event_id, k.known, d.document
        from unnest($1::uuid[], $2::bigint[]) as k (event_id, known)
        join event_documents as d on d.event_id = k.event_id",
    )
    .bind(firsts(behind))
    .bind(seconds(behind))
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    rows.iter().try_for_each(|(id, known, document)| gathering.behind_event(*id, *known, document))
}

async fn load_missing_entries(
    connection: &mut PgConnection,
    behind: &[(Uuid, i64)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, (Uuid, i64, String)>(
        "-- load_missing_entries
        select j.event_id, j.first_number, j.entries
        from unnest($1::uuid[], $2::bigint[]) as k (event_id, known)
        cross join lateral (
          select b.first_number
          from journal as b
          where b.event_id = k.event_id
            and b.first_number <= k.known + 1
          order by b.first_number desc
          limit 1
        ) as s
        join journal as j on j.event_id = k.event_id and j.first_number >= s.first_number
        order by j.event_id, j.first_number",
    )
    .bind(firsts(behind))
    .bind(seconds(behind))
    .fetch(connection);
    while let Some((event, first_number, entries)) = rows.try_next().await.map_err(failed)? {
        gathering.entries(event, first_number, entries)?;
    }
    Ok(())
}

async fn load_attachments(
    connection: &mut PgConnection,
    wanted: &[(Uuid, Number)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, AttachmentRow>(
        "-- load_attachments
        select
          r.event_id, r.number, r.id, r.email_key, r.phone_key, r.request_key, r.request_fingerprint, r.outcome
        from unnest($1::uuid[], $2::bigint[]) as k (event_id, number)
        join registrations as r on r.event_id = k.event_id and r.number = k.number",
    )
    .bind(firsts(wanted))
    .bind(seconds(wanted))
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        gathering.attachment(&row)?;
    }
    Ok(())
}

async fn load_missing_requests(
    connection: &mut PgConnection,
    behind: &[(Uuid, i64)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, RequestRow>(
        "-- load_missing_requests
        select q.event_id, q.request_key, q.fingerprint, q.number, q.outcome
        from unnest($1::uuid[], $2::bigint[]) as k (event_id, known)
        join requests as q on q.event_id = k.event_id and q.journal_number > k.known",
    )
    .bind(firsts(behind))
    .bind(seconds(behind))
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        gathering.request(row)?;
    }
    Ok(())
}

async fn load_whole(connection: &mut PgConnection, ids: &[Uuid], gathering: &mut Gathering) -> Result<(), StoreError> {
    load_whole_events(connection, ids, gathering).await?;
    load_whole_registrations(connection, ids, gathering).await?;
    load_whole_requests(connection, ids, gathering).await?;
    let attended = gathering.wanted_marks();
    if attended.is_empty() { Ok(()) } else { load_marks(connection, &attended, gathering).await }
}

async fn load_whole_events(
    connection: &mut PgConnection,
    ids: &[Uuid],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, WholeRow>(
        "-- load_whole_events
        select e.id, e.state, e.journal_number, e.next_due, e.free_seats, e.header, d.document
        from events as e
        left join event_documents as d on d.event_id = e.id
        where e.id = any ($1)",
    )
    .bind(ids)
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        gathering.whole_event(row)?;
    }
    Ok(())
}

async fn load_whole_registrations(
    connection: &mut PgConnection,
    ids: &[Uuid],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query(
        "-- load_whole_registrations
        select
          r.number, r.id, r.state, r.pool, r.size, r.place, r.expires_at, r.accepted_at, r.changed_at, r.steps,
          r.email_key, r.phone_key, r.request_key, r.request_fingerprint, r.outcome, r.rare, r.event_id
        from registrations as r
        where r.event_id = any ($1)
        order by r.event_id, r.number",
    )
    .bind(ids)
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let event = row.try_get(16).map_err(failed)?;
        gathering.registration(event, RegistrationRow::from_row(&row).map_err(failed)?)?;
    }
    Ok(())
}

async fn load_whole_requests(
    connection: &mut PgConnection,
    ids: &[Uuid],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, RequestRow>(
        "-- load_whole_requests
        select q.event_id, q.request_key, q.fingerprint, q.number, q.outcome
        from requests as q
        where q.event_id = any ($1)",
    )
    .bind(ids)
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        gathering.request(row)?;
    }
    Ok(())
}

async fn load_marks(connection: &mut PgConnection, ids: &[Uuid], gathering: &mut Gathering) -> Result<(), StoreError> {
    let mut rows = sqlx::query(
        "-- load_marks
        select
          a.session_no, a.number, a.member, a.mark, a.minutes, a.source, a.entered_by, a.happened_at, a.entered_at,
          a.journal_number, a.event_id
        from attendance as a
        where a.event_id = any ($1)",
    )
    .bind(ids)
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let event = row.try_get(10).map_err(failed)?;
        gathering.mark(event, MarkRow::from_row(&row).map_err(failed)?)?;
    }
    Ok(())
}

/// Differs from sqlite because a list travels as an array.
pub(super) fn firsts<T>(pairs: &[(Uuid, T)]) -> Vec<Uuid> {
    pairs.iter().map(|(id, _)| *id).collect()
}

pub(super) fn seconds<T: Copy + Into<i64>>(pairs: &[(Uuid, T)]) -> Vec<i64> {
    pairs.iter().map(|(_, number)| (*number).into()).collect()
}
