//! Reads what a transaction must know of its events, with their rows locked; and a whole event for
//! `eile check`. One statement per table over all events, whatever their number.

use super::errors::failed;
use super::{journal, parties};
use crate::model::id::{EventId, Number};
use crate::storage::codec::{AttachmentRow, Gathering, MarkRow, RegistrationRow, RequestRow, WholeRow};
use crate::storage::kept::Everything;
use crate::storage::{Fresh, Lock, StoreError, Whole};
use futures_util::TryStreamExt;
use sqlx::{FromRow, Row, SqliteConnection, SqlitePool};
use std::fmt::Write;
use uuid::Uuid;

/// What is new about each event, in the order of the locks.
pub(super) async fn fresh(connection: &mut SqliteConnection, locks: &[Lock]) -> Result<Vec<Fresh>, StoreError> {
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

/// One event as one snapshot.
///
/// Differs from postgres because every transaction that only reads sees one snapshot here.
pub(super) async fn whole(readers: SqlitePool, event: EventId) -> Result<Option<Whole>, StoreError> {
    let mut transaction = readers.begin().await.map_err(failed)?;
    let work = read_whole(&mut transaction, event).await;
    let _ = transaction.rollback().await;
    work
}

async fn read_whole(connection: &mut SqliteConnection, event: EventId) -> Result<Option<Whole>, StoreError> {
    let mut gathering = Gathering::default();
    load_whole(connection, &[event.0], &mut gathering).await?;
    Ok(gathering.into_whole(event))
}

/// One event with its journal and its parties as one snapshot.
///
/// Differs from postgres as `whole` does.
pub(super) async fn everything(readers: SqlitePool, event: EventId) -> Result<Option<Everything>, StoreError> {
    let mut transaction = readers.begin().await.map_err(failed)?;
    let work = read_everything(&mut transaction, event).await;
    let _ = transaction.rollback().await;
    work
}

async fn read_everything(connection: &mut SqliteConnection, event: EventId) -> Result<Option<Everything>, StoreError> {
    let Some(whole) = read_whole(connection, event).await? else { return Ok(None) };
    let entries = journal::whole(connection, event).await?;
    let parties = parties::whole(connection, event).await?;
    Ok(Some(Everything { whole, entries, parties }))
}

/// Differs from postgres because the one writer has the whole file locked already.
async fn lock_events(connection: &mut SqliteConnection, ids: &[Uuid]) -> Result<Vec<(Uuid, i64)>, StoreError> {
    sqlx::query_as(
        "-- lock_events
        select e.id, e.journal_number
        from json_each($1) as k
        cross join events as e
        where e.id = unhex(k.value)",
    )
    .bind(id_list(ids))
    .fetch_all(connection)
    .await
    .map_err(failed)
}

async fn load_behind(
    connection: &mut SqliteConnection,
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
    connection: &mut SqliteConnection,
    behind: &[(Uuid, i64)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let rows: Vec<(Uuid, i64, String)> = sqlx::query_as(
        "-- load_behind_documents
        select d.event_id, k.value ->> 1, d.document
        from json_each($1) as k
        cross join event_documents as d
        where d.event_id = unhex(k.value ->> 0)",
    )
    .bind(pair_list(behind))
    .fetch_all(connection)
    .await
    .map_err(failed)?;
    rows.iter().try_for_each(|(id, known, document)| gathering.behind_event(*id, *known, document))
}

async fn load_missing_entries(
    connection: &mut SqliteConnection,
    behind: &[(Uuid, i64)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, (Uuid, i64, String)>(
        "-- load_missing_entries
        select j.event_id, j.first_number, j.entries
        from json_each($1) as k
        cross join journal as j
        where j.event_id = unhex(k.value ->> 0)
          and j.first_number >= (
            select max(b.first_number)
            from journal as b
            where b.event_id = unhex(k.value ->> 0)
              and b.first_number <= (k.value ->> 1) + 1
          )
        order by j.event_id, j.first_number",
    )
    .bind(pair_list(behind))
    .fetch(connection);
    while let Some((event, first_number, entries)) = rows.try_next().await.map_err(failed)? {
        gathering.entries(event, first_number, entries)?;
    }
    Ok(())
}

async fn load_attachments(
    connection: &mut SqliteConnection,
    wanted: &[(Uuid, Number)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, AttachmentRow>(
        "-- load_attachments
        select
          r.event_id, r.number, r.id, r.email_key, r.phone_key, r.request_key, r.request_fingerprint, r.outcome
        from json_each($1) as k
        cross join registrations as r
        where r.event_id = unhex(k.value ->> 0)
          and r.number = k.value ->> 1",
    )
    .bind(pair_list(wanted))
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        gathering.attachment(&row)?;
    }
    Ok(())
}

async fn load_missing_requests(
    connection: &mut SqliteConnection,
    behind: &[(Uuid, i64)],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, RequestRow>(
        "-- load_missing_requests
        select q.event_id, q.request_key, q.fingerprint, q.number, q.outcome
        from json_each($1) as k
        cross join requests as q
        where q.event_id = unhex(k.value ->> 0)
          and q.journal_number > k.value ->> 1",
    )
    .bind(pair_list(behind))
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        gathering.request(row)?;
    }
    Ok(())
}

async fn load_whole(
    connection: &mut SqliteConnection,
    ids: &[Uuid],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    load_whole_events(connection, ids, gathering).await?;
    load_whole_registrations(connection, ids, gathering).await?;
    load_whole_requests(connection, ids, gathering).await?;
    let attended = gathering.wanted_marks();
    if attended.is_empty() { Ok(()) } else { load_marks(connection, &attended, gathering).await }
}

async fn load_whole_events(
    connection: &mut SqliteConnection,
    ids: &[Uuid],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, WholeRow>(
        "-- load_whole_events
        select e.id, e.state, e.journal_number, e.next_due, e.free_seats, e.header, d.document
        from json_each($1) as k
        cross join events as e
        left join event_documents as d on d.event_id = e.id
        where e.id = unhex(k.value)",
    )
    .bind(id_list(ids))
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        gathering.whole_event(row)?;
    }
    Ok(())
}

async fn load_whole_registrations(
    connection: &mut SqliteConnection,
    ids: &[Uuid],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query(
        "-- load_whole_registrations
        select
          r.number, r.id, r.state, r.pool, r.size, r.place, r.expires_at, r.accepted_at, r.changed_at, r.steps,
          r.email_key, r.phone_key, r.request_key, r.request_fingerprint, r.outcome, r.rare, r.event_id
        from registrations as r
        where r.event_id in (select unhex(k.value) from json_each($1) as k)
        order by r.event_id, r.number",
    )
    .bind(id_list(ids))
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let event = row.try_get(16).map_err(failed)?;
        gathering.registration(event, RegistrationRow::from_row(&row).map_err(failed)?)?;
    }
    Ok(())
}

async fn load_whole_requests(
    connection: &mut SqliteConnection,
    ids: &[Uuid],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query_as::<_, RequestRow>(
        "-- load_whole_requests
        select q.event_id, q.request_key, q.fingerprint, q.number, q.outcome
        from requests as q
        where q.event_id in (select unhex(k.value) from json_each($1) as k)",
    )
    .bind(id_list(ids))
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        gathering.request(row)?;
    }
    Ok(())
}

async fn load_marks(
    connection: &mut SqliteConnection,
    ids: &[Uuid],
    gathering: &mut Gathering,
) -> Result<(), StoreError> {
    let mut rows = sqlx::query(
        "-- load_marks
        select
          a.session_no, a.number, a.member, a.mark, a.minutes, a.source, a.entered_by, a.happened_at, a.entered_at,
          a.journal_number, a.event_id
        from attendance as a
        where a.event_id in (select unhex(k.value) from json_each($1) as k)",
    )
    .bind(id_list(ids))
    .fetch(connection);
    while let Some(row) = rows.try_next().await.map_err(failed)? {
        let event = row.try_get(10).map_err(failed)?;
        gathering.mark(event, MarkRow::from_row(&row).map_err(failed)?)?;
    }
    Ok(())
}

/// Ids as one JSON array of hexadecimal words.
///
/// Differs from postgres because SQLite has no arrays; `json_each` makes rows of a JSON array.
pub(super) fn id_list(ids: &[Uuid]) -> String {
    let mut text = String::with_capacity(35 * ids.len() + 2);
    list(&mut text, ids, |text, id| {
        let _ = write!(text, "\"{}\"", id.simple());
    });
    text
}

/// Ids with a number each, as one JSON array of arrays.
pub(super) fn pair_list(pairs: &[(Uuid, impl std::fmt::Display)]) -> String {
    let mut text = String::with_capacity(48 * pairs.len() + 2);
    list(&mut text, pairs, |text, (id, number)| {
        let _ = write!(text, "[\"{}\",{number}]", id.simple());
    });
    text
}

/// Numbers as one JSON array.
pub(super) fn number_list(numbers: impl IntoIterator<Item = u64>) -> String {
    let numbers: Vec<u64> = numbers.into_iter().collect();
    let mut text = String::with_capacity(8 * numbers.len() + 2);
    list(&mut text, &numbers, |text, number| {
        let _ = write!(text, "{number}");
    });
    text
}

fn list<T>(text: &mut String, items: &[T], mut push: impl FnMut(&mut String, &T)) {
    text.push('[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        push(text, item);
    }
    text.push(']');
}
