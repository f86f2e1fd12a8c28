//! Who read personal data and who decided: a row for each, without a name of anybody that it was about.

use super::access::Role;
use super::id::{CentreId, EventId, RegistrationId};
use super::time::Timestamp;
use uuid::Uuid;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccessKind {
    /// Personal data were answered, or would have been.
    Read,
    /// Something was changed, or would have been.
    Decision,
}

/// A call that somebody may have to answer for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessEntry {
    /// Made by the instance that answered; orders what happened in the same microsecond.
    pub id: Uuid,
    /// When the call ended; of a stream, when it began.
    pub at: Timestamp,
    /// The id of the access key; empty where none is asked for.
    pub key: String,
    pub role: Option<Role>,
    /// Who sat before the tool, by an id that only the tool can resolve.
    pub person: Option<Uuid>,
    pub method: String,
    pub kind: AccessKind,
    pub centre: Option<CentreId>,
    pub event: Option<EventId>,
    /// Where it was about one.
    pub registration: Option<RegistrationId>,
    /// The most registrations that a list can have shown.
    pub rows_max: Option<u32>,
    pub request_id: Option<Uuid>,
    /// The code of the reason that was given, never its words; empty where there is none.
    pub reason: String,
    /// The number of the status code of gRPC.
    pub outcome: u8,
    /// How many refusals of the same key before this one have no row, because there were too many.
    pub left_out: u32,
}

/// Which rows to read, newest first.
#[derive(Clone, Debug, Default)]
pub struct AccessQuery {
    pub centre: Option<CentreId>,
    pub event: Option<EventId>,
    pub registration: Option<RegistrationId>,
    pub key: Option<String>,
    /// At or after.
    pub from: Option<Timestamp>,
    /// Before.
    pub before: Option<Timestamp>,
    /// Only older than this one.
    pub after: Option<(Timestamp, Uuid)>,
    pub limit: u32,
}
