//! What every batch of sign-ups writes, beside its rows of the journal.
//!
//! Differs from postgres because statements go to the connection's thread as one script, however many they are.

use super::script::{Bound, Many, Script};
use super::write::{bind_change, bind_party};
use crate::storage::codec::{EventUpdate, PartyColumns, SignUpRow};
use std::sync::LazyLock;

/// Only a row that still has the number from which the batch was decided is written.
pub(super) fn update_events(script: &mut Script, rows: Vec<EventUpdate>) {
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
    let bind = |query: Bound, row: EventUpdate| {
        query
            .bind(row.id)
            .bind(row.from)
            .bind(row.journal_number)
            .bind(row.next_due)
            .bind(row.free_seats)
            .bind(row.state)
            .bind(row.header)
    };
    SQL.add(script, rows, bind, "events");
}

pub(super) fn insert_registrations(script: &mut Script, rows: Vec<SignUpRow>) {
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
    let bind = |query: Bound, row: SignUpRow| {
        bind_change(query, row.now)
            .bind(row.lasting.id)
            .bind(row.lasting.accepted_at)
            .bind(row.lasting.request_key)
            .bind(row.lasting.request_fingerprint)
            .bind(row.lasting.outcome)
            .bind(row.lasting.token_hash)
    };
    SQL.add(script, rows, bind, "registrations");
}

pub(super) fn insert_parties(script: &mut Script, rows: Vec<PartyColumns>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            4,
            "-- insert_parties
            insert into parties (event_id, number, document, search)
            values ",
            "",
        )
    });
    SQL.add(script, rows, bind_party, "parties");
}
