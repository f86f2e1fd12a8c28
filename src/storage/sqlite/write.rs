//! Writes a batch: per table, over all events of the batch, and every write checks its row count.
//!
//! Differs from postgres because SQLite has no arrays: a statement carries a fixed number of rows (256, 64,
//! 16, 4 or 1), and its text is built once from the names of columns alone.

use super::errors::failed;
use crate::storage::codec::{
    Batch, ChangeRow, EventColumns, EventUpdate, JournalRow, MarkColumns, PartyColumns, ReasonColumns, RequestColumns,
    SignUpRow,
};
use crate::storage::traits::StoreError;
use sqlx::SqliteConnection;
use sqlx::sqlite::{Sqlite, SqliteArguments};
use std::sync::LazyLock;
use uuid::Uuid;

type Query = sqlx::query::Query<'static, Sqlite, SqliteArguments>;

/// Writes all rows of a batch.
pub(super) async fn write(connection: &mut SqliteConnection, batch: Batch) -> Result<(), StoreError> {
    update_events(connection, batch.events).await?;
    update_documents(connection, batch.documents).await?;
    insert_journal(connection, batch.journal).await?;
    release_guards(connection, batch.releases).await?;
    update_registrations(connection, batch.unguarded).await?;
    update_registrations(connection, batch.guarded).await?;
    insert_registrations(connection, batch.sign_ups).await?;
    insert_parties(connection, batch.new_parties).await?;
    update_parties(connection, batch.changed_parties).await?;
    insert_requests(connection, batch.requests).await?;
    insert_reasons(connection, batch.reasons).await?;
    write_marks(connection, batch.marks).await
}

/// Only a row that still has the number from which the batch was decided is written.
async fn update_events(connection: &mut SqliteConnection, rows: Vec<EventUpdate>) -> Result<(), StoreError> {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            7,
            "-- update_events
            with b (id, from_number, journal_number, next_due, free_seats, state, header) as (values ",
            ")
            update events
            set
              journal_number = b.journal_number,
              next_due = b.next_due,
              free_seats = b.free_seats,
              state = b.state,
              header = b.header
            from b
            where events.id = b.id
              and events.journal_number = b.from_number",
        )
    });
    let bind = |query: Query, row: EventUpdate| {
        query
            .bind(row.id)
            .bind(row.from)
            .bind(row.journal_number)
            .bind(row.next_due)
            .bind(row.free_seats)
            .bind(row.state)
            .bind(row.header)
    };
    SQL.run(connection, rows, bind, "events").await
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
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            5,
            "-- insert_journal
            insert into journal (event_id, first_number, last_number, written_at, entries)
            values ",
            "",
        )
    });
    let bind = |query: Query, row: JournalRow| {
        query.bind(row.event).bind(row.first_number).bind(row.last_number).bind(row.written_at).bind(row.entries)
    };
    SQL.run(connection, rows, bind, "journal").await
}

/// A guard is unique at every moment, also between two rows of one batch.
async fn release_guards(connection: &mut SqliteConnection, rows: Vec<(Uuid, i64)>) -> Result<(), StoreError> {
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
    let bind = |query: Query, (event, number): (Uuid, i64)| query.bind(event).bind(number);
    SQL.run(connection, rows, bind, "registrations").await
}

async fn update_registrations(connection: &mut SqliteConnection, rows: Vec<ChangeRow>) -> Result<(), StoreError> {
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
    SQL.run(connection, rows, bind_change, "registrations").await
}

fn bind_change(query: Query, row: ChangeRow) -> Query {
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

async fn insert_registrations(connection: &mut SqliteConnection, rows: Vec<SignUpRow>) -> Result<(), StoreError> {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            19,
            "-- insert_registrations
            insert into registrations (
              event_id, number, state, pool, size, place, expires_at, changed_at, steps, email_key, phone_key,
              contact_guard, rare, id, accepted_at, request_key, request_fingerprint, outcome, token_hash
            )
            values ",
            "",
        )
    });
    let bind = |query: Query, row: SignUpRow| {
        bind_change(query, row.now)
            .bind(row.lasting.id)
            .bind(row.lasting.accepted_at)
            .bind(row.lasting.request_key)
            .bind(row.lasting.request_fingerprint)
            .bind(row.lasting.outcome)
            .bind(row.lasting.token_hash)
    };
    SQL.run(connection, rows, bind, "registrations").await
}

async fn insert_parties(connection: &mut SqliteConnection, rows: Vec<PartyColumns>) -> Result<(), StoreError> {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            4,
            "-- insert_parties
            insert into parties (event_id, number, document, search)
            values ",
            "",
        )
    });
    SQL.run(connection, rows, bind_party, "parties").await
}

async fn update_parties(connection: &mut SqliteConnection, rows: Vec<PartyColumns>) -> Result<(), StoreError> {
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
    SQL.run(connection, rows, bind_party, "parties").await
}

fn bind_party(query: Query, row: PartyColumns) -> Query {
    query.bind(row.event).bind(row.number).bind(row.document).bind(row.search)
}

async fn insert_requests(connection: &mut SqliteConnection, rows: Vec<RequestColumns>) -> Result<(), StoreError> {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            7,
            "-- insert_requests
            insert into requests (event_id, request_key, fingerprint, number, outcome, journal_number, answer)
            values ",
            "",
        )
    });
    let bind = |query: Query, row: RequestColumns| {
        query
            .bind(row.event)
            .bind(row.key)
            .bind(row.fingerprint)
            .bind(row.number)
            .bind(row.outcome)
            .bind(row.journal_number)
            .bind(row.answer)
    };
    SQL.run(connection, rows, bind, "requests").await
}

async fn insert_reasons(connection: &mut SqliteConnection, rows: Vec<ReasonColumns>) -> Result<(), StoreError> {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            4,
            "-- insert_reasons
            insert into reasons (event_id, journal_number, number, reason)
            values ",
            "",
        )
    });
    let bind = |query: Query, row: ReasonColumns| {
        query.bind(row.event).bind(row.journal_number).bind(row.number).bind(row.reason)
    };
    SQL.run(connection, rows, bind, "reasons").await
}

/// The last mark stands; what it was before stands in the journal.
async fn write_marks(connection: &mut SqliteConnection, rows: Vec<MarkColumns>) -> Result<(), StoreError> {
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
    let bind = |query: Query, row: MarkColumns| {
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
    SQL.run(connection, rows, bind, "attendance").await
}

/// A statement over many rows, in five sizes.
struct Many {
    sizes: [(usize, String); 5],
}

impl Many {
    /// The rows stand between `head` and `tail`.
    fn new(columns: usize, head: &str, tail: &str) -> Self {
        let row = format!("({})", vec!["?"; columns].join(","));
        let sizes = [256, 64, 16, 4, 1];
        Self { sizes: sizes.map(|n| (n, format!("{head}{}{tail}", vec![row.as_str(); n].join(",")))) }
    }

    /// Runs it over all rows. A row that is not written was not what the cache believed.
    async fn run<T>(
        &'static self,
        connection: &mut SqliteConnection,
        rows: Vec<T>,
        bind: impl Fn(Query, T) -> Query,
        table: &'static str,
    ) -> Result<(), StoreError> {
        let mut rows = rows.into_iter();
        for (size, sql) in &self.sizes {
            while rows.len() >= *size {
                let query = rows.by_ref().take(*size).fold(sqlx::query(sql.as_str()), &bind);
                let done = query.execute(&mut *connection).await.map_err(failed)?;
                expect(done.rows_affected(), *size, table)?;
            }
        }
        Ok(())
    }
}

pub(super) fn expect(written: u64, rows: usize, table: &'static str) -> Result<(), StoreError> {
    if written == rows as u64 {
        return Ok(());
    }
    Err(StoreError::Conflict(format!("{written} of {rows} rows of {table} were there to be written")))
}
