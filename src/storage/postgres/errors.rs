//! What a failure of the database means to the rooms above. Before a commit is sent nothing can have been
//! written; an error of the commit itself leaves it open, except where the database says that it gave way.

use crate::storage::StoreError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

/// Serialization failure, deadlock, lock not available: somebody else went first.
const GAVE_WAY: [&str; 3] = ["40001", "40P01", "55P03"];
const UNIQUE_VIOLATION: &str = "23505";
/// Cancelled by the statement timeout, idle in a transaction for too long, too many connections, and a
/// standby that was not promoted yet.
const UNAVAILABLE: [&str; 4] = ["57014", "25P03", "53300", "25006"];
/// Lost connections and servers that stop, transactions of which the end is not known, errors of the system, of the server itself.
const OPEN_CLASSES: [&str; 5] = ["08", "57P", "40", "58", "XX"];
/// Division by zero: how a statement fails by itself where it wrote other rows than it should (`sign_ups::at_once`).
const NOT_AS_EXPECTED: &str = "22012";
/// What a connection is told when its server stops or has crashed.
const LOST_CLASSES: [&str; 2] = ["08", "57P"];

/// An error of anything but a commit. A connection that went away, as all do when the server starts anew, says
/// nothing about the next one: the same again goes over another. Where there is no other, the pool waits for
/// one and gives up by itself.
pub(super) fn failed(error: sqlx::Error) -> StoreError {
    let text = error.to_string();
    match &error {
        sqlx::Error::Database(_) => match code(&error).as_str() {
            UNIQUE_VIOLATION => StoreError::Conflict(text),
            code if GAVE_WAY.contains(&code) => StoreError::GaveWay(text),
            code if UNAVAILABLE.contains(&code) => StoreError::Unavailable(text),
            code if LOST_CLASSES.iter().any(|class| code.starts_with(class)) => StoreError::GaveWay(text),
            _ => StoreError::Failed(text),
        },
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) | sqlx::Error::BeginFailed => StoreError::GaveWay(text),
        sqlx::Error::Tls(_) | sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
            StoreError::Unavailable(text)
        }
        _ => StoreError::Failed(text),
    }
}

/// An error of a statement that commits itself. What the server refuses for a reason of the statement's own was rolled back;
/// anything else may have come after the commit.
pub(super) fn failed_at_once(error: sqlx::Error) -> StoreError {
    if code(&error) == NOT_AS_EXPECTED {
        return StoreError::Conflict(error.to_string());
    }
    if is_refusal(&error) { failed(error) } else { StoreError::Unknown(error.to_string()) }
}

/// Whether the server says that it did not do what it was asked. One that stops, crashes or panics says nothing of what was
/// done before; nor does anything between us and it.
pub(super) fn is_refusal(error: &sqlx::Error) -> bool {
    let severity =
        error.as_database_error().and_then(|e| e.try_downcast_ref::<PgDatabaseError>()).map(|e| e.severity());
    let code = code(error);
    let is_rolled_back = GAVE_WAY.contains(&code.as_str()) || !OPEN_CLASSES.iter().any(|open| code.starts_with(open));
    severity == Some(PgSeverity::Error) && is_rolled_back
}

/// An error of a commit.
pub(super) fn failed_to_commit(error: sqlx::Error) -> StoreError {
    match code(&error).as_str() {
        "40001" | "40P01" => StoreError::GaveWay(error.to_string()),
        _ => StoreError::Unknown(error.to_string()),
    }
}

fn code(error: &sqlx::Error) -> String {
    let code = error.as_database_error().and_then(|e| e.code());
    code.map(|code| code.into_owned()).unwrap_or_default()
}
