//! The noes of the layers, each with its reason from errors.proto.

use http::HeaderMap;
use std::collections::HashMap;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// The domain of every ErrorInfo.
const DOMAIN: &str = "eile.v1";
/// When to come again after being told that too much waits.
const COME_AGAIN: Duration = Duration::from_millis(200);

fn status(code: Code, message: &str, reason: &str, facts: &[(&str, String)]) -> Status {
    Status::with_error_details(code, message, details(reason, facts))
}

fn details(reason: &str, facts: &[(&str, String)]) -> ErrorDetails {
    let metadata: HashMap<String, String> =
        facts.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    ErrorDetails::with_error_info(reason, DOMAIN, metadata)
}

/// Too much is in work already.
pub fn overloaded() -> Status {
    let mut details = details("OVERLOADED", &[]);
    details.set_retry_info(Some(COME_AGAIN));
    Status::with_error_details(Code::Unavailable, "too much waits already; send again", details)
}

/// This instance is stopping.
pub fn draining() -> Status {
    let mut details = details("DRAINING", &[]);
    details.set_retry_info(Some(COME_AGAIN));
    Status::with_error_details(Code::Unavailable, "this instance is stopping; send again", details)
}

pub fn deadline_exceeded() -> Status {
    let message = "the deadline passed first; a change may still happen";
    status(Code::DeadlineExceeded, message, "DEADLINE_EXCEEDED", &[])
}

pub fn message_too_large(limit: usize) -> Status {
    let message = format!("the message is larger than {limit} bytes");
    status(Code::ResourceExhausted, &message, "MESSAGE_TOO_LARGE", &[("limit_bytes", limit.to_string())])
}

pub fn malformed() -> Status {
    let message = "the body is no message of this API";
    status(Code::InvalidArgument, message, "MALFORMED_MESSAGE", &[])
}

/// A fault of the service; the incident finds it in the log.
pub fn internal(incident: &str) -> Status {
    let facts = [("incident", incident.to_owned())];
    status(Code::Internal, "internal error", "INTERNAL", &facts)
}

/// How a call ended. The other layers pass it on and count it, and choose none.
pub type Ending = Code;

/// The ending of a call whose caller went away.
pub const GONE: Ending = Code::Cancelled;

/// The ending that headers or trailers tell of, if they do.
pub fn ending(headers: &HeaderMap) -> Option<Ending> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// The ending that trailers tell of; without a word of it, nobody knows.
pub fn ending_of_trailers(trailers: &HeaderMap) -> Ending {
    ending(trailers).unwrap_or(Code::Unknown)
}

/// The name of a code in metrics, as other servers write it.
pub fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "Canceled",
        Code::Unknown => "Unknown",
        Code::InvalidArgument => "InvalidArgument",
        Code::DeadlineExceeded => "DeadlineExceeded",
        Code::NotFound => "NotFound",
        Code::AlreadyExists => "AlreadyExists",
        Code::PermissionDenied => "PermissionDenied",
        Code::ResourceExhausted => "ResourceExhausted",
        Code::FailedPrecondition => "FailedPrecondition",
        Code::Aborted => "Aborted",
        Code::OutOfRange => "OutOfRange",
        Code::Unimplemented => "Unimplemented",
        Code::Internal => "Internal",
        Code::Unavailable => "Unavailable",
        Code::DataLoss => "DataLoss",
        Code::Unauthenticated => "Unauthenticated",
    }
}

/// What tonic's own words for a body that it could not read mean, where they mean one.
pub fn reworded(own: &Status, message_bytes_max: usize) -> Option<Status> {
    match own.code() {
        Code::OutOfRange => Some(message_too_large(message_bytes_max)),
        // Handlers never answer INTERNAL without details: this is the decoder, or a body that ended early.
        Code::Internal => Some(malformed()),
        _ => None,
    }
}
