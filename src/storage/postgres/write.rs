//! Writes a batch: per table, over all events of the batch, and every write checks its row count.
//!
//! Differs from sqlite because a column of rows travels as an array, so that one plan serves any number of
//! rows. What every batch writes is one statement over four tables: `sign_ups`.

use super::errors::failed;
use super::sign_ups::write_sign_ups;
use super::tokens;
use crate::storage::StoreError;
use crate::storage::codec::{
    Batch, ChangeRow, EventColumns, JournalRow, MarkColumns, PartyColumns, ReasonColumns, RequestColumns,
};
use sqlx::PgConnection;
use sqlx::postgres::{PgArguments, Postgres};
use uuid::Uuid;

pub(super) type Query = sqlx::query::Query<'static, Postgres, PgArguments>;

/// Writes all rows of a batch.
pub(super) async fn write(connection: &mut PgConnection, batch: Batch) -> Result<(), StoreError> {
    release_guards(connection, batch.releases).await?;
    update_registrations(connection, batch.unguarded).await?;
    update_registrations(connection, batch.guarded).await?;
    tokens::rotate(connection, batch.tokens).await?;
    write_sign_ups(connection, batch.events, batch.journal, batch.sign_ups, batch.new_parties).await?;
    update_documents(connection, batch.documents).await?;
    update_parties(connection, batch.changed_parties).await?;
    insert_requests(connection, batch.requests).await?;
    insert_reasons(connection, batch.reasons).await?;
    forget_reasons(connection, batch.forgotten).await?;
    write_marks(connection, batch.marks).await
}

/// Runs a statement that must write every one of `rows` rows.
pub(super) async fn run(
    connection: &mut PgConnection,
    query: Query,
    rows: usize,
    table: &'static str,
) -> Result<(), StoreError> {
    let done = query.execute(connection).await.map_err(failed)?;
    expect(done.rows_affected(), rows, table)
}

/// Takes rows apart into one array per column, and binds them in the order of the names.
macro_rules! bind_columns {
    ($query:expr, $rows:expr; $($column:ident),+ $(,)?) => {{
        let rows = $rows;
        $(let mut $column = Vec::with_capacity(rows.len());)+
        for row in rows {
            $($column.push(row.$column);)+
        }
        $query$(.bind($column))+
    }};
}
pub(super) use bind_columns;

/// What staff changed: seldom, so one by one.
async fn update_documents(connection: &mut PgConnection, rows: Vec<EventColumns>) -> Result<(), StoreError> {
    for row in rows {
        let query = sqlx::query(
            "-- update_event_columns
            update events
            set centre_id = $2, programme_id = $3, municipality = $4, kind = $5, starts_at = $6
            where id = $1",
        )
        .bind(row.id)
        .bind(row.centre_id)
        .bind(row.programme_id)
        .bind(row.municipality)
        .bind(row.kind)
        .bind(row.starts_at);
        run(connection, query, 1, "events").await?;
        let query = sqlx::query(
            "-- update_documents
            update event_documents
            set document = $2
            where event_id = $1",
        )
        .bind(row.id)
        .bind(row.document);
        run(connection, query, 1, "event_documents").await?;
    }
    Ok(())
}

pub(super) async fn insert_journal(connection: &mut PgConnection, rows: Vec<JournalRow>) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let query = sqlx::query(
        "-- insert_journal
        insert into journal (event_id, first_number, last_number, written_at, counts, entries)
        select *
        from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::text[])",
    );
    let query = bind_columns!(query, rows; event, first_number, last_number, written_at, counts, entries);
    run(connection, query, count, "journal").await
}

/// A guard is unique at every moment, also between two rows of one batch.
async fn release_guards(connection: &mut PgConnection, rows: Vec<(Uuid, i64)>) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let (events, numbers): (Vec<Uuid>, Vec<i64>) = rows.into_iter().unzip();
    let query = sqlx::query(
        "-- release_guards
        update registrations
        set contact_guard = null
        from unnest($1::uuid[], $2::bigint[]) as b (event_id, number)
        where registrations.event_id = b.event_id
          and registrations.number = b.number",
    )
    .bind(events)
    .bind(numbers);
    run(connection, query, count, "registrations").await
}

async fn update_registrations(connection: &mut PgConnection, rows: Vec<ChangeRow>) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let query = sqlx::query(
        "-- update_registrations
        update registrations
        set
          state = b.state,
          pool = b.pool,
          size = b.size,
          place = b.place,
          expires_at = b.expires_at,
          changed_at = b.changed_at,
          steps = b.steps,
          email_key = b.email_key,
          phone_key = b.phone_key,
          contact_guard = b.contact_guard,
          rare = b.rare
        from unnest(
          $1::uuid[], $2::bigint[], $3::smallint[], $4::integer[], $5::bigint[], $6::bigint[], $7::bigint[],
          $8::bigint[], $9::text[], $10::bigint[], $11::bigint[], $12::bigint[], $13::text[]
        ) as b (
          event_id, number, state, pool, size, place, expires_at, changed_at, steps, email_key, phone_key,
          contact_guard, rare
        )
        where registrations.event_id = b.event_id
          and registrations.number = b.number",
    );
    let query = bind_columns!(
        query, rows;
        event, number, state, pool, size, place, expires_at, changed_at, steps, email_key, phone_key,
        contact_guard, rare,
    );
    run(connection, query, count, "registrations").await
}

async fn update_parties(connection: &mut PgConnection, rows: Vec<PartyColumns>) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let query = sqlx::query(
        "-- update_parties
        update parties
        set document = b.document, search = b.search
        from unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[]) as b (event_id, number, document, search)
        where parties.event_id = b.event_id
          and parties.number = b.number",
    );
    let query = bind_columns!(query, rows; event, number, document, search);
    run(connection, query, count, "parties").await
}

async fn insert_requests(connection: &mut PgConnection, rows: Vec<RequestColumns>) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let query = sqlx::query(
        "-- insert_requests
        insert into requests (event_id, request_key, fingerprint, number, outcome, journal_number, answer)
        select *
        from unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[], $5::text[], $6::bigint[], $7::bytea[])",
    );
    let query = bind_columns!(query, rows; event, key, fingerprint, number, outcome, journal_number, answer);
    run(connection, query, count, "requests").await
}

/// However many there are of a registration.
async fn forget_reasons(connection: &mut PgConnection, rows: Vec<(Uuid, i64)>) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let (events, numbers): (Vec<Uuid>, Vec<i64>) = rows.into_iter().unzip();
    sqlx::query(
        "-- forget_reasons
        delete from reasons
        using unnest($1::uuid[], $2::bigint[]) as b (event_id, number)
        where reasons.event_id = b.event_id
          and reasons.number = b.number",
    )
    .bind(events)
    .bind(numbers)
    .execute(connection)
    .await
    .map_err(failed)?;
    Ok(())
}

async fn insert_reasons(connection: &mut PgConnection, rows: Vec<ReasonColumns>) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let query = sqlx::query(
        "-- insert_reasons
        insert into reasons (event_id, journal_number, number, reason)
        select *
        from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::text[])",
    );
    let query = bind_columns!(query, rows; event, journal_number, number, reason);
    run(connection, query, count, "reasons").await
}

/// The last mark stands; what it was before stands in the journal.
async fn write_marks(connection: &mut PgConnection, rows: Vec<MarkColumns>) -> Result<(), StoreError> {
    let count = rows.len();
    if count == 0 {
        return Ok(());
    }
    let query = sqlx::query(
        "-- write_marks
        insert into attendance (
          event_id, session_no, number, member, mark, minutes, source, entered_by, happened_at, entered_at,
          journal_number
        )
        select *
        from unnest(
          $1::uuid[], $2::integer[], $3::bigint[], $4::integer[], $5::smallint[], $6::integer[], $7::smallint[],
          $8::smallint[], $9::bigint[], $10::bigint[], $11::bigint[]
        )
        on conflict (event_id, session_no, number, member) do update
        set
          mark = excluded.mark,
          minutes = excluded.minutes,
          source = excluded.source,
          entered_by = excluded.entered_by,
          happened_at = excluded.happened_at,
          entered_at = excluded.entered_at,
          journal_number = excluded.journal_number",
    );
    let query = bind_columns!(
        query, rows;
        event, session_no, number, member, mark, minutes, source, entered_by, happened_at, entered_at,
        journal_number,
    );
    run(connection, query, count, "attendance").await
}

/// A row that is not written was not what the cache believed.
pub(super) fn expect(written: u64, rows: usize, table: &'static str) -> Result<(), StoreError> {
    if written == rows as u64 {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("{written} of {rows} rows of {table} were there to be written")))
}
