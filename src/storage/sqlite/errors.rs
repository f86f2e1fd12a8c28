//! What a failure of the database means to the rooms above. Before a commit is sent nothing can have been
//! written; an error of the commit itself leaves it open, except where the database says that it gave way.

use crate::storage::StoreError;

/// SQLite's result codes; the low byte is the kind, the rest the particular case.
const BUSY: i32 = 5;
const LOCKED: i32 = 6;
const INTERRUPTED: i32 = 9;
const IO_ERROR: i32 = 10;
const CANNOT_OPEN: i32 = 14;
const CONSTRAINT_PRIMARY_KEY: i32 = 1555;
const CONSTRAINT_UNIQUE: i32 = 2067;

/// An error of anything but a commit.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let text = error.to_string();
    match &error {
        sqlx::Error::Database(_) => match code(&error) {
            CONSTRAINT_UNIQUE | CONSTRAINT_PRIMARY_KEY => StoreError::Conflict(text),
            code => match code & 0xff {
                BUSY | LOCKED => StoreError::GaveWay(text),
                IO_ERROR | INTERRUPTED | CANNOT_OPEN => StoreError::Unavailable(text),
                _ => StoreError::Failed(text),
            },
        },
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => StoreError::Unavailable(text),
        _ => StoreError::Failed(text),
    }
}

/// An error of a commit.
pub(super) fn failed_to_commit(error: sqlx::Error) -> StoreError {
    match code(&error) & 0xff {
        BUSY => StoreError::GaveWay(error.to_string()),
        _ => StoreError::Unknown(error.to_string()),
    }
}

fn code(error: &sqlx::Error) -> i32 {
    let code = error.as_database_error().and_then(|e| e.code());
    code.and_then(|code| code.parse().ok()).unwrap_or(0)
}
