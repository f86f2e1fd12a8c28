//! Writes a batch: per table, over all events of the batch, and every write checks its row count.
//!
//! Differs from postgres because SQLite has no arrays: a statement carries a fixed number of rows (256, 64,
//! 16, 4 or 1), and its text is built once from the names of columns alone. Each statement is handed to the
//! connection's thread and back, so that what a lone command writes goes there as one script.

use super::errors::failed;
use super::script::{Bound, Many, Script};
use super::{sign_ups, tokens};
use crate::storage::StoreError;
use crate::storage::codec::{
    Batch, ChangeRow, EventColumns, JournalRow, MarkColumns, PartyColumns, ReasonColumns, RequestColumns,
};
use sqlx::SqliteConnection;
use std::sync::LazyLock;
use uuid::Uuid;

/// Writes all rows of a batch in the transaction that is open.
pub(super) async fn write(connection: &mut SqliteConnection, mut batch: Batch) -> Result<(), StoreError> {
    update_documents(connection, std::mem::take(&mut batch.documents)).await?;
    let forgotten = std::mem::take(&mut batch.forgotten);
    let mut script = Script::of_many();
    fill(&mut script, batch);
    script.run(connection).await?;
    forget_reasons(connection, forgotten).await
}

/// Whether a batch is what a lone command writes: a row of each table at most.
pub(super) fn is_lone(batch: &Batch) -> bool {
    let rows = [
        batch.events.len(),
        batch.journal.len(),
        batch.sign_ups.len(),
        batch.new_parties.len(),
        batch.unguarded.len(),
        batch.guarded.len(),
        batch.releases.len(),
        batch.changed_parties.len(),
        batch.requests.len(),
        batch.reasons.len(),
        batch.tokens.len(),
        batch.marks.len(),
    ];
    batch.documents.is_empty() && batch.forgotten.is_empty() && rows.iter().all(|n| *n <= 1)
}

/// What a lone command writes, as one script that begins its transaction itself.
pub(super) fn lone(batch: Batch) -> Script {
    let mut script = Script::of_one();
    fill(&mut script, batch);
    script
}

fn fill(script: &mut Script, batch: Batch) {
    sign_ups::update_events(script, batch.events);
    add_journal(script, batch.journal);
    release_guards(script, batch.releases);
    update_registrations(script, batch.unguarded);
    update_registrations(script, batch.guarded);
    tokens::rotate(script, batch.tokens);
    sign_ups::insert_registrations(script, batch.sign_ups);
    sign_ups::insert_parties(script, batch.new_parties);
    update_parties(script, batch.changed_parties);
    insert_requests(script, batch.requests);
    insert_reasons(script, batch.reasons);
    write_marks(script, batch.marks);
}

/// What staff changed: seldom, so one by one.
pub(super) async fn update_documents(
    connection: &mut SqliteConnection,
    rows: Vec<EventColumns>,
) -> Result<(), StoreError> {
    for row in rows {
        let done = sqlx::query(
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
        .bind(row.starts_at)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
        expect(done.rows_affected(), 1, "events")?;
        let done = sqlx::query(
            "-- update_documents
            update event_documents
            set document = $2
            where event_id = $1",
        )
        .bind(row.id)
        .bind(row.document)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
        expect(done.rows_affected(), 1, "event_documents")?;
    }
    Ok(())
}

pub(super) async fn insert_journal(connection: &mut SqliteConnection, rows: Vec<JournalRow>) -> Result<(), StoreError> {
    let mut script = Script::of_many();
    add_journal(&mut script, rows);
    script.run(connection).await
}

fn add_journal(script: &mut Script, rows: Vec<JournalRow>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            6,
            "-- insert_journal
            insert into journal (event_id, first_number, last_number, written_at, counts, entries)
            values ",
            "",
        )
    });
    let bind = |query: Bound, row: JournalRow| {
        let query = query.bind(row.event).bind(row.first_number).bind(row.last_number);
        query.bind(row.written_at).bind(row.counts).bind(row.entries)
    };
    SQL.add(script, rows, bind, "journal");
}

/// A guard is unique at every moment, also between two rows of one batch.
fn release_guards(script: &mut Script, rows: Vec<(Uuid, i64)>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            2,
            "-- release_guards
            with b (event_id, number) as (values ",
            ")
            update registrations
            set contact_guard = null
            from b
            where registrations.event_id = b.event_id
              and registrations.number = b.number",
        )
    });
    let bind = |query: Bound, (event, number): (Uuid, i64)| query.bind(event).bind(number);
    SQL.add(script, rows, bind, "registrations");
}

fn update_registrations(script: &mut Script, rows: Vec<ChangeRow>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            13,
            "-- update_registrations
            with b (
              event_id, number, state, pool, size, place, expires_at, changed_at, steps, email_key, phone_key,
              contact_guard, rare
            ) as (values ",
            ")
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
            from b
            where registrations.event_id = b.event_id
              and registrations.number = b.number",
        )
    });
    SQL.add(script, rows, bind_change, "registrations");
}

pub(super) fn bind_change(query: Bound, row: ChangeRow) -> Bound {
    query
        .bind(row.event)
        .bind(row.number)
        .bind(row.state)
        .bind(row.pool)
        .bind(row.size)
        .bind(row.place)
        .bind(row.expires_at)
        .bind(row.changed_at)
        .bind(row.steps)
        .bind(row.email_key)
        .bind(row.phone_key)
        .bind(row.contact_guard)
        .bind(row.rare)
}

fn update_parties(script: &mut Script, rows: Vec<PartyColumns>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            4,
            "-- update_parties
            with b (event_id, number, document, search) as (values ",
            ")
            update parties
            set document = b.document, search = b.search
            from b
            where parties.event_id = b.event_id
              and parties.number = b.number",
        )
    });
    SQL.add(script, rows, bind_party, "parties");
}

pub(super) fn bind_party(query: Bound, row: PartyColumns) -> Bound {
    query.bind(row.event).bind(row.number).bind(row.document).bind(row.search)
}

fn insert_requests(script: &mut Script, rows: Vec<RequestColumns>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            7,
            "-- insert_requests
            insert into requests (event_id, request_key, fingerprint, number, outcome, journal_number, answer)
            values ",
            "",
        )
    });
    let bind = |query: Bound, row: RequestColumns| {
        query
            .bind(row.event)
            .bind(row.key)
            .bind(row.fingerprint)
            .bind(row.number)
            .bind(row.outcome)
            .bind(row.journal_number)
            .bind(row.answer)
    };
    SQL.add(script, rows, bind, "requests");
}

fn insert_reasons(script: &mut Script, rows: Vec<ReasonColumns>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            4,
            "-- insert_reasons
            insert into reasons (event_id, journal_number, number, reason)
            values ",
            "",
        )
    });
    let bind = |query: Bound, row: ReasonColumns| {
        query.bind(row.event).bind(row.journal_number).bind(row.number).bind(row.reason)
    };
    SQL.add(script, rows, bind, "reasons");
}

/// However many there are of a registration.
async fn forget_reasons(connection: &mut SqliteConnection, rows: Vec<(Uuid, i64)>) -> Result<(), StoreError> {
    for (event, number) in rows {
        sqlx::query(
            "-- forget_reasons
            delete from reasons
            where event_id = $1
              and number = $2",
        )
        .bind(event)
        .bind(number)
        .execute(&mut *connection)
        .await
        .map_err(failed)?;
    }
    Ok(())
}

/// The last mark stands; what it was before stands in the journal.
fn write_marks(script: &mut Script, rows: Vec<MarkColumns>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            11,
            "-- write_marks
            insert into attendance (
              event_id, session_no, number, member, mark, minutes, source, entered_by, happened_at, entered_at,
              journal_number
            )
            values ",
            "
            on conflict (event_id, session_no, number, member) do update
            set
              mark = excluded.mark,
              minutes = excluded.minutes,
              source = excluded.source,
              entered_by = excluded.entered_by,
              happened_at = excluded.happened_at,
              entered_at = excluded.entered_at,
              journal_number = excluded.journal_number",
        )
    });
    let bind = |query: Bound, row: MarkColumns| {
        query
            .bind(row.event)
            .bind(row.session_no)
            .bind(row.number)
            .bind(row.member)
            .bind(row.mark)
            .bind(row.minutes)
            .bind(row.source)
            .bind(row.entered_by)
            .bind(row.happened_at)
            .bind(row.entered_at)
            .bind(row.journal_number)
    };
    SQL.add(script, rows, bind, "attendance");
}

pub(super) fn expect(written: u64, rows: usize, table: &'static str) -> Result<(), StoreError> {
    if written == rows as u64 {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("{written} of {rows} rows of {table} were there to be written")))
}
