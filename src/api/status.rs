//! THE one place that names a gRPC code. Every no of the service becomes a status here: the reason of
//! `errors.proto` with its facts as metadata, and beside it the detail that fits.
//!
//! What nobody foresaw is INTERNAL with an incident id: logged here, once, and never shown.

mod access;
mod attendance;
mod refusal;
mod report;

pub use access::*;
pub use refusal::{About, Facts, desk, refused};
pub use report::*;

use super::from_proto::{Violation, Violations};
use super::proto::ErrorReason;
use crate::storage::StoreError;
use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, QuotaViolation, StatusExt};
use uuid::Uuid;

/// The domain of every ErrorInfo.
pub const DOMAIN: &str = "eile.v1";

/// Paths in the metadata of field violations.
const FIELDS_NAMED_MAX: usize = 20;

/// Bytes of field violations in one answer: details travel in a header, and clients take some 8 KiB of those.
const VIOLATION_BYTES_MAX: usize = 4 * 1024;

/// The code of a reason. Exhaustive: a new reason does not compile before it has one.
pub fn code_of(reason: ErrorReason) -> Code {
    use ErrorReason::*;
    match reason {
        Unspecified | Internal => Code::Internal,
        InvalidFields | PersonalCodeRefused | MalformedMessage | RequestIdReused | PageTokenInvalid | FilterInvalid
        | SameEvent | CursorInvalid | PeriodNotClosed => Code::InvalidArgument,
        EventNotFound | RegistrationNotFound | CentreNotFound | ProgrammeNotFound | PoolNotFound | SessionNotFound
        | MemberNotFound | ReportNotFound | PeopleEntryNotFound | AccessKeyNotFound => Code::NotFound,
        AlreadyExists | AlreadyRegistered => Code::AlreadyExists,
        EventNotPublished
        | EventCancelled
        | EventCompleted
        | RegistrationNotOpen
        | RegistrationClosed
        | PartyTooSmall
        | PartyTooLarge
        | PartyLargerThanPool
        | IllegalState
        | OfferExpired
        | NoLiveOffer
        | SeatsNotFree
        | WaitingPartyFirst
        | ReasonRequired
        | ClassUnknown
        | PoolInUse
        | SessionCancelled
        | SessionNotBegun
        | DoorShut
        | MarksRefused
        | MemberAttended
        | WalkInsNotTaken
        | SessionInUse
        | PersonsAlreadyOne
        | MergeUndone
        | MergeReported
        | EventNotOver
        | AccessKeyRevoked
        | FirstKeyAdministrator
        | SensitivityKept => Code::FailedPrecondition,
        WaitlistFull | MessageTooLarge | ReportTooLarge | AccessKeysFull | TooManyStreams | TooManyCalls => {
            Code::ResourceExhausted
        }
        TokenInvalid | StaffOnly | RoleNotAllowed | CentreRequired | PeopleNotShown => Code::PermissionDenied,
        KeyRequired => Code::Unauthenticated,
        EtagMismatch | WatchLagged | FeedLagged => Code::Aborted,
        CursorExpired => Code::OutOfRange,
        Overloaded | Draining | StorageUnavailable | OutcomeUnknown | IssuerUnavailable => Code::Unavailable,
        DeadlineExceeded => Code::DeadlineExceeded,
    }
}

/// The word of a code, as google.rpc.Code has it.
pub fn code_word(code: u8) -> &'static str {
    match Code::from_i32(i32::from(code)) {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

/// The reason as ErrorInfo has it: the name of the value without its prefix.
pub fn reason_word(reason: ErrorReason) -> &'static str {
    let name = reason.as_str_name();
    name.strip_prefix("ERROR_REASON_").unwrap_or(name)
}

/// A no in the making.
pub struct Problem {
    reason: ErrorReason,
    message: String,
    metadata: HashMap<String, String>,
    details: ErrorDetails,
}

impl Problem {
    pub fn new(reason: ErrorReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), metadata: HashMap::new(), details: ErrorDetails::new() }
    }

    /// A fact for programs.
    pub fn with(mut self, key: &str, value: impl Display) -> Self {
        self.metadata.insert(key.to_owned(), value.to_string());
        self
    }

    /// The state that stands in the way.
    fn precondition(mut self, subject: &str) -> Self {
        let violation = PreconditionViolation::new(reason_word(self.reason), subject, self.message.clone());
        self.details.set_precondition_failure(vec![violation]);
        self
    }

    /// The limit that was reached.
    fn quota(mut self, subject: &str) -> Self {
        self.details.set_quota_failure(vec![QuotaViolation::new(subject, self.message.clone())]);
        self
    }

    /// The thing that is not there, or is there already.
    fn resource(mut self, kind: &str, name: &str) -> Self {
        self.details.set_resource_info(kind, name, "", self.message.clone());
        self
    }

    /// Sending again helps, after this time.
    fn retry(mut self, after: Duration) -> Self {
        self.details.set_retry_info(Some(after));
        self
    }

    pub fn status(mut self) -> Status {
        self.details.set_error_info(reason_word(self.reason), DOMAIN, self.metadata);
        Status::with_error_details(code_of(self.reason), self.message, self.details)
    }
}

/// Fields that are not as they should be: all of them.
pub fn fields(violations: Violations) -> Status {
    let reason = if violations.personal_code { ErrorReason::PersonalCodeRefused } else { ErrorReason::InvalidFields };
    let list = violations.list;
    let named: Vec<&str> = list.iter().take(FIELDS_NAMED_MAX).map(|v| v.field.as_str()).collect();
    let message = match list.first() {
        Some(Violation { field, why }) if list.len() == 1 => format!("{field} {why}"),
        Some(Violation { field, why }) => format!("{field} {why}; {} fields are violated in all", list.len()),
        None => "a field is violated".to_owned(),
    };
    let mut problem = Problem::new(reason, message).with("count", list.len()).with("fields", named.join(","));
    let mut bytes = 0;
    let shown = list.iter().take_while(|v| {
        bytes += v.field.len() + v.why.len() + 8;
        bytes <= VIOLATION_BYTES_MAX
    });
    let shown: Vec<_> = shown.map(|v| FieldViolation::new(v.field.clone(), v.why.clone())).collect();
    problem.details.set_bad_request(shown);
    problem.status()
}

/// A filter or order that does not follow its grammar.
pub fn filter(offset: usize, expected: &str) -> Status {
    Problem::new(ErrorReason::FilterInvalid, format!("expected {expected} at character {offset}"))
        .with("offset", offset)
        .with("expected", expected)
        .status()
}

/// A page token that this query did not get.
pub fn page_token() -> Status {
    Problem::new(ErrorReason::PageTokenInvalid, "the page token does not belong to this query").status()
}

pub fn event_not_found(name: &str) -> Status {
    not_found(ErrorReason::EventNotFound, "event", name)
}
pub fn registration_not_found(name: &str) -> Status {
    not_found(ErrorReason::RegistrationNotFound, "registration", name)
}
pub fn centre_not_found(name: &str) -> Status {
    not_found(ErrorReason::CentreNotFound, "centre", name)
}
pub fn programme_not_found(name: &str) -> Status {
    not_found(ErrorReason::ProgrammeNotFound, "programme", name)
}
pub fn pool_not_found(pool_id: &str) -> Status {
    Problem::new(ErrorReason::PoolNotFound, format!("the event has no seat pool {pool_id}"))
        .with("pool_id", pool_id)
        .resource("pool", pool_id)
        .status()
}

/// Whether something that was named is not there.
pub fn is_not_found(status: &Status) -> bool {
    status.code() == Code::NotFound
}

/// Whether it could not be found out, and may be asked again.
pub fn is_unavailable(status: &Status) -> bool {
    status.code() == Code::Unavailable
}

fn not_found(reason: ErrorReason, kind: &str, name: &str) -> Status {
    let word = kind.replace('_', " ");
    Problem::new(reason, format!("there is no {word} {name}")).with(kind, name).resource(kind, name).status()
}

/// The chosen id is taken.
pub fn already_exists(kind: &str, name: &str) -> Status {
    Problem::new(ErrorReason::AlreadyExists, format!("{name} exists already"))
        .with("name", name)
        .resource(kind, name)
        .status()
}

pub fn request_id_reused(request_id: Uuid) -> Status {
    Problem::new(ErrorReason::RequestIdReused, format!("request_id {request_id} was used for another request"))
        .with("request_id", request_id)
        .status()
}

/// It changed since it was read.
pub fn etag_mismatch(name: &str, current: u64) -> Status {
    Problem::new(ErrorReason::EtagMismatch, format!("{name} changed since it was read; its etag is \"{current}\""))
        .with("name", name)
        .with("etag", format!("\"{current}\""))
        .status()
}

/// The token is not the one of this registration.
pub fn token_invalid(registration: &str) -> Status {
    Problem::new(ErrorReason::TokenInvalid, format!("the management token is not the one of {registration}"))
        .with("registration", registration)
        .status()
}

/// Only staff may call this.
pub fn staff_only(method: &str) -> Status {
    Problem::new(ErrorReason::StaffOnly, format!("{method} is for staff")).with("method", method).status()
}

pub fn same_event(event: &str) -> Status {
    Problem::new(ErrorReason::SameEvent, format!("the registration is in {event} already"))
        .with("event", event)
        .status()
}

/// The reader of a stream was too slow.
pub fn watch_lagged(journal_number: u64) -> Status {
    let message = format!("the reader was too slow and was cut after change {journal_number}");
    Problem::new(ErrorReason::WatchLagged, message).with("journal_number", journal_number).status()
}

/// The reader of the change feed was too slow.
pub fn feed_lagged(cursor: &str) -> Status {
    let message = "the reader was too slow and was cut; it may go on from the cursor";
    Problem::new(ErrorReason::FeedLagged, message).with("cursor", cursor).status()
}

/// No cursor of this feed.
pub fn cursor_invalid() -> Status {
    Problem::new(ErrorReason::CursorInvalid, "the cursor is damaged, or no cursor of this feed").status()
}

/// What stands behind the cursor is not kept any more.
pub fn cursor_expired(oldest: &str, since: &str) -> Status {
    Problem::new(ErrorReason::CursorExpired, format!("changes from before {since} are not kept"))
        .with("oldest_cursor", oldest)
        .with("oldest_time", since)
        .status()
}

/// This instance is stopping.
pub fn draining() -> Status {
    again(ErrorReason::Draining, "this instance is stopping; send again", 1)
}

/// Too much waits already.
pub fn overloaded() -> Status {
    again(ErrorReason::Overloaded, "too much waits already; send again later", 1)
}

fn storage_unavailable() -> Status {
    again(ErrorReason::StorageUnavailable, "the database does not answer; nothing was done; send again", 2)
}

/// Nobody can tell whether a token is good.
pub fn issuer_unavailable() -> Status {
    let message = "who signs people in has not said for too long which keys are its own; nothing was done; send again";
    again(ErrorReason::IssuerUnavailable, message, 10)
}

fn outcome_unknown() -> Status {
    let message = "the outcome is not known yet; send again with the same request_id";
    again(ErrorReason::OutcomeUnknown, message, 1)
}

fn again(reason: ErrorReason, message: &str, seconds: u64) -> Status {
    Problem::new(reason, message).retry(Duration::from_secs(seconds)).status()
}

/// The deadline passed first.
pub fn deadline_exceeded() -> Status {
    let message = "the deadline passed; a change may still happen; send again with the same request_id";
    Problem::new(ErrorReason::DeadlineExceeded, message).status()
}

/// The message is larger than the service takes.
pub fn message_too_large(limit: usize) -> Status {
    Problem::new(ErrorReason::MessageTooLarge, format!("the message is larger than {limit} bytes"))
        .with("limit_bytes", limit)
        .quota("message")
        .status()
}

/// As many streams are open on this instance as it keeps.
pub fn too_many_streams(limit: usize) -> Status {
    let message = format!("{limit} streams are open on this instance, which is as many as it keeps");
    Problem::new(ErrorReason::TooManyStreams, message)
        .with("limit", limit)
        .quota("streams")
        .retry(Duration::from_secs(5))
        .status()
}

/// The address calls more often than it may.
pub fn too_many_calls(wait: Duration) -> Status {
    Problem::new(ErrorReason::TooManyCalls, "more calls come from this address than it may make")
        .quota("calls")
        .retry(wait)
        .status()
}

/// The body is no message of this API.
pub fn malformed_message() -> Status {
    Problem::new(ErrorReason::MalformedMessage, "the body is no message of this API").status()
}

/// Storage could not do as asked. Its own words go to the log alone.
pub fn storage(error: StoreError) -> Status {
    match error {
        StoreError::GaveWay(_) | StoreError::Unavailable(_) => {
            tracing::warn!(%error, "storage is unavailable");
            storage_unavailable()
        }
        StoreError::Unknown(_) => {
            tracing::warn!(%error, "the outcome of a commit is unknown");
            outcome_unknown()
        }
        StoreError::Conflict(_) | StoreError::Corrupt { .. } | StoreError::Failed(_) => internal(error),
    }
}

/// A fault of the service: logged under an incident id, which is all that the caller learns.
pub fn internal(error: impl Display) -> Status {
    let incident = Uuid::new_v4().simple().to_string();
    let incident = &incident[..8];
    tracing::error!(incident, %error, "internal error");
    logged(incident)
}

/// A fault of the service that is in the log under this incident already.
pub fn logged(incident: &str) -> Status {
    Problem::new(ErrorReason::Internal, format!("internal error; incident {incident}"))
        .with("incident", incident)
        .status()
}

#[cfg(test)]
mod tests;
