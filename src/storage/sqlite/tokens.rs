//! Management tokens that take the place of others: where the contact of a registration became another one.

use super::script::{Bound, Many, Script};
use crate::storage::codec::TokenColumns;
use std::sync::LazyLock;

pub(super) fn rotate(script: &mut Script, rows: Vec<TokenColumns>) {
    static SQL: LazyLock<Many> = LazyLock::new(|| {
        Many::new(
            3,
            "-- rotate_tokens
            with b (event_id, number, token_hash) as (values ",
            ")
            update registrations
            set token_hash = b.token_hash
            from b
            where registrations.event_id = b.event_id
              and registrations.number = b.number",
        )
    });
    let bind = |query: Bound, row: TokenColumns| query.bind(row.event).bind(row.number).bind(row.token_hash);
    SQL.add(script, rows, bind, "registrations");
}
