//! Events: made here, listed here; changed only by `transact`.

use super::errors::failed;
use super::held::Connections;
use super::transact::Writer;
use super::{requests, write};
use crate::admission::Entry;
use crate::model::event::Event;
use crate::model::id::{CentreId, EventId};
use crate::model::time::Timestamp;
use crate::storage::codec::{
    EventColumns, QueryColumns, count, counts_of_new, free_seats, header_of_new, journal_row, read_event, read_row,
    state_word, write_header,
};
use crate::storage::{EventQuery, EventRow, OpenRequest, StoreError, Stored};
use sqlx::PgConnection;
use uuid::Uuid;

pub(super) async fn create_event(
    writer: &Writer,
    event: &Event,
    entry: &Entry,
    request: &OpenRequest,
) -> Result<Stored, StoreError> {
    let mut transaction = writer.begin().await?;
    let work = writer.in_time(create(&mut transaction, event, entry, request)).await;
    writer.finish(transaction, work).await
}

async fn create(
    connection: &mut PgConnection,
    event: &Event,
    entry: &Entry,
    request: &OpenRequest,
) -> Result<Stored, StoreError> {
    if let Some(answer) = requests::answered(connection, request).await? {
        return Ok(answer);
    }
    if exists(connection, event.id).await? {
        return requests::meanwhile(connection, request, Stored::Taken).await;
    }
    requests::record(connection, request).await?;
    insert_event(connection, event, entry).await?;
    let first = journal_row(event.id.0, 0, std::slice::from_ref(entry), counts_of_new(&event.terms))?;
    write::insert_journal(connection, vec![first]).await?;
    Ok(Stored::Created)
}

async fn exists(connection: &mut PgConnection, event: EventId) -> Result<bool, StoreError> {
    sqlx::query_scalar(
        "-- event_exists
        select exists (select 1 from events where id = $1)",
    )
    .bind(event.0)
    .fetch_one(connection)
    .await
    .map_err(failed)
}

async fn insert_event(connection: &mut PgConnection, event: &Event, entry: &Entry) -> Result<(), StoreError> {
    let columns = EventColumns::of(event)?;
    let header = header_of_new(entry.at);
    sqlx::query(
        "-- insert_event
        insert into events (
          id, centre_id, programme_id, municipality, kind, state, starts_at, journal_number, next_due, free_seats,
          header
        )
        values ($1, $2, $3, $4, $5, $6, $7, 1, null, $8, $9)",
    )
    .bind(columns.id)
    .bind(columns.centre_id)
    .bind(columns.programme_id)
    .bind(columns.municipality)
    .bind(columns.kind)
    .bind(state_word(header.state))
    .bind(columns.starts_at)
    .bind(free_seats(&event.terms))
    .bind(write_header(&header)?)
    .execute(&mut *connection)
    .await
    .map_err(failed)?;
    sqlx::query(
        "-- insert_event_document
        insert into event_documents (event_id, document)
        values ($1, $2)",
    )
    .bind(columns.id)
    .bind(columns.document)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

pub(super) async fn journal_numbers(
    readers: &Connections,
    events: &[EventId],
) -> Result<Vec<(EventId, u64)>, StoreError> {
    let ids: Vec<Uuid> = events.iter().map(|event| event.0).collect();
    let mut connection = readers.hold().await?;
    let rows = sqlx::query_as(
        "-- journal_numbers
        select id, journal_number
        from events
        where id = any ($1)",
    )
    .bind(ids)
    .fetch_all(&mut *connection)
    .await;
    let rows: Vec<(Uuid, i64)> = connection.read(rows)?;
    rows.into_iter().map(|(id, n)| Ok((EventId(id), count(n, "events", "journal_number", id)?))).collect()
}

pub(super) async fn list_events(readers: &Connections, query: &EventQuery) -> Result<Vec<EventRow>, StoreError> {
    let wanted = QueryColumns::of(query);
    let rows: Vec<(Uuid, String, i64, String, String)> = sqlx::query_as(
        "-- list_events
        select e.id, e.state, e.journal_number, e.header, d.document
        from events as e
        join event_documents as d on d.event_id = e.id
        where ($1::text is null or e.centre_id = $1)
          and ($2::text is null or e.programme_id = $2)
          and ($3::text is null or e.municipality = $3)
          and ($4::text is null or e.kind = $4)
          and ($5::text is null or e.state = $5)
          and ($6::bigint is null or e.starts_at >= $6)
          and ($7::bigint is null or e.starts_at < $7)
          and (
            $8::boolean is null
            or (e.state in ('draft', 'published') and (e.free_seats is null or e.free_seats > 0)) = $8
          )
          and ($9::bigint is null or (e.starts_at, e.id) > ($9, $10::uuid))
          and ($12::text[] is null or e.centre_id = any ($12))
          and ($13::uuid[] is null or e.id = any ($13))
          and not ($14 and e.state = 'draft')
        order by e.starts_at, e.id
        limit $11",
    )
    .bind(wanted.centre)
    .bind(wanted.programme)
    .bind(wanted.municipality)
    .bind(wanted.kind)
    .bind(wanted.state)
    .bind(wanted.starts_from)
    .bind(wanted.starts_before)
    .bind(wanted.has_free_seats)
    .bind(wanted.after_start)
    .bind(wanted.after_id)
    .bind(wanted.limit)
    .bind(wanted.within.centres)
    .bind(wanted.within.events)
    .bind(wanted.no_drafts)
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    rows.iter().map(|(id, state, number, header, document)| read_row(*id, state, *number, header, document)).collect()
}

pub(super) async fn document(readers: &Connections, event: EventId) -> Result<Option<Event>, StoreError> {
    let document: Option<String> = sqlx::query_scalar(
        "-- event_document
        select document
        from event_documents
        where event_id = $1",
    )
    .bind(event.0)
    .fetch_optional(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    document.map(|text| read_event(event.0, &text)).transpose()
}

pub(super) async fn due_events(readers: &Connections, now: Timestamp, limit: u32) -> Result<Vec<EventId>, StoreError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "-- due_events
        select id
        from events
        where next_due <= $1
        order by next_due, id
        limit $2",
    )
    .bind(now.0)
    .bind(i64::from(limit))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    Ok(ids.into_iter().map(EventId).collect())
}

pub(super) async fn event_ids(
    readers: &Connections,
    centre: Option<&CentreId>,
    after: Option<EventId>,
    limit: u32,
) -> Result<Vec<EventId>, StoreError> {
    let ids: Vec<Uuid> = sqlx::query_scalar(
        "-- event_ids
        select id
        from events
        where ($1::uuid is null or id > $1)
          and ($3::text is null or centre_id = $3)
        order by id
        limit $2",
    )
    .bind(after.map(|event| event.0))
    .bind(i64::from(limit))
    .bind(centre.map(|centre| centre.0.clone()))
    .fetch_all(&mut *readers.hold().await?)
    .await
    .map_err(failed)?;
    Ok(ids.into_iter().map(EventId).collect())
}
