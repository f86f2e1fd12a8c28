//! What every batch of sign-ups writes: one statement over four tables, in a transaction with the rest of its batch or as one
//! of its own (docs/decisions/0029).
//!
//! Differs from sqlite because each statement is a round trip, with the events locked.

use super::errors::{failed, failed_at_once};
use super::held::Held;
use super::write::{Query, bind_columns, expect};
use crate::storage::StoreError;
use crate::storage::codec::{Batch, EventUpdate, JournalRow, PartyColumns, SignUpRow};
use sqlx::{PgConnection, Row};

/// Whether `at_once` writes all of it.
pub(super) fn is_one_statement(batch: &Batch) -> bool {
    let Batch {
        events,
        documents,
        journal: _,
        sign_ups: _,
        releases,
        unguarded,
        guarded,
        new_parties: _,
        changed_parties,
        requests,
        reasons,
        forgotten,
        tokens,
        marks,
    } = batch;
    !events.is_empty()
        && documents.is_empty()
        && releases.is_empty()
        && unguarded.is_empty()
        && guarded.is_empty()
        && changed_parties.is_empty()
        && requests.is_empty()
        && reasons.is_empty()
        && forgotten.is_empty()
        && tokens.is_empty()
        && marks.is_empty()
}

/// Writes a batch of sign-ups in a transaction that is one statement. It fails, and nothing is written, where an event is not
/// at the number from which the batch was decided: then fewer rows are updated than there are, and its journal has the
/// number already.
///
/// What reaches the server only after `deadline` (its own time, in microseconds since 1970) does nothing either: until it was
/// heard it holds no lock behind which anybody could learn what became of it.
pub(super) async fn at_once(connection: Held, batch: Batch, deadline: i64) -> Result<(), StoreError> {
    let query = bind(AT_ONCE, batch.events, batch.journal, batch.sign_ups, batch.new_parties).bind(deadline);
    connection.at_once(query).await.map(drop).map_err(failed_at_once)
}

/// What every batch writes: the events (only rows that still have the number from which the batch was
/// decided), the journal, and the sign-ups with their parties, where there are any. Ends in what `$end` makes of it.
macro_rules! write_sign_ups {
    ($name:literal, $in_time:literal, $end:literal) => {
        concat!(
            "-- ",
            $name,
            "
        with written_events as (
          update events
          set
            journal_number = b.journal_number,
            next_due = b.next_due,
            free_seats = b.free_seats,
            state = b.state,
            header = b.header
          from unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[])
            as b (id, from_number, journal_number, next_due, free_seats, state, header)
          where events.id = b.id
            and events.journal_number = b.from_number",
            $in_time,
            "
          returning 1
        ),
        written_journal as (
          insert into journal (event_id, first_number, last_number, written_at, counts, entries)
          select *
          from unnest($8::uuid[], $9::bigint[], $10::bigint[], $11::bigint[], $12::text[], $13::text[])
          returning 1
        ),
        written_registrations as (
          insert into registrations (
            id, accepted_at, request_key, request_fingerprint, outcome, token_hash,
            event_id, number, state, pool, size, place, expires_at, changed_at, steps, email_key, phone_key,
            contact_guard, rare
          )
          select *
          from unnest(
            $14::uuid[], $15::bigint[], $16::uuid[], $17::bigint[], $18::text[], $19::bytea[],
            $20::uuid[], $21::bigint[], $22::smallint[], $23::integer[], $24::bigint[], $25::bigint[],
            $26::bigint[], $27::bigint[], $28::text[], $29::bigint[], $30::bigint[], $31::bigint[], $32::text[]
          )
          returning 1
        ),
        written_parties as (
          insert into parties (event_id, number, document, search)
          select *
          from unnest($33::uuid[], $34::bigint[], $35::text[], $36::text[])
          returning 1
        ),
        written as (
          select
            (select count(*) from written_events) as events,
            (select count(*) from written_journal) as journal,
            (select count(*) from written_registrations) as registrations,
            (select count(*) from written_parties) as parties
        )
        ",
            $end
        )
    };
}

/// In a transaction: how many rows of each table.
const WRITE_SIGN_UPS: &str = write_sign_ups!(
    "write_sign_ups",
    "",
    "select events, journal, registrations, parties
        from written"
);

/// As a transaction: whether it is all of them, and an error where it is not.
const AT_ONCE: &str = write_sign_ups!(
    "write_at_once",
    "
            and (extract(epoch from statement_timestamp()) * 1000000)::bigint < $37::bigint",
    "select 1 / (
          events = cardinality($1::uuid[])
          and journal = cardinality($8::uuid[])
          and registrations = cardinality($14::uuid[])
          and parties = cardinality($33::uuid[])
        )::integer
        from written"
);

pub(super) async fn write_sign_ups(
    connection: &mut PgConnection,
    events: Vec<EventUpdate>,
    journal: Vec<JournalRow>,
    sign_ups: Vec<SignUpRow>,
    parties: Vec<PartyColumns>,
) -> Result<(), StoreError> {
    let rows = [events.len(), journal.len(), sign_ups.len(), parties.len()];
    let query = bind(WRITE_SIGN_UPS, events, journal, sign_ups, parties);
    let row = query.fetch_one(connection).await.map_err(failed)?;
    for (i, table) in ["events", "journal", "registrations", "parties"].into_iter().enumerate() {
        let written: i64 = row.try_get(i).map_err(failed)?;
        expect(written.unsigned_abs(), rows[i], table)?;
    }
    Ok(())
}

fn bind(
    statement: &'static str,
    events: Vec<EventUpdate>,
    journal: Vec<JournalRow>,
    sign_ups: Vec<SignUpRow>,
    parties: Vec<PartyColumns>,
) -> Query {
    let query = sqlx::query(statement);
    let query = bind_columns!(query, events; id, from, journal_number, next_due, free_seats, state, header);
    let query = bind_columns!(query, journal; event, first_number, last_number, written_at, counts, entries);
    let query = bind_sign_ups(query, sign_ups);
    bind_columns!(query, parties; event, number, document, search)
}

fn bind_sign_ups(query: Query, rows: Vec<SignUpRow>) -> Query {
    let (lasting, now): (Vec<_>, Vec<_>) = rows.into_iter().map(SignUpRow::apart).unzip();
    let query = bind_columns!(
        query, lasting;
        id, accepted_at, request_key, request_fingerprint, outcome, token_hash,
    );
    bind_columns!(
        query, now;
        event, number, state, pool, size, place, expires_at, changed_at, steps, email_key, phone_key,
        contact_guard, rare,
    )
}
