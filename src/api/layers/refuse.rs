//! The noes of the layers; `status` chooses their codes and writes their details.

pub use crate::api::status::{
    deadline_exceeded, draining, logged as internal, malformed_message as malformed, message_too_large, overloaded,
    too_many_calls, too_many_streams,
};

use http::HeaderMap;
use tonic::{Code, Status};

/// How a call ended. The other layers pass it on and count it, and choose none.
pub type Ending = Code;

/// The ending of a call whose caller went away.
pub const GONE: Ending = Code::Cancelled;

/// The ending that headers or trailers tell of, if they do.
pub fn ending(headers: &HeaderMap) -> Option<Ending> {
    headers.get("grpc-status").map(|value| Code::from_bytes(value.as_bytes()))
}

/// An ending as a number; none yet: it goes on, so it was let in.
pub fn number_of(ending: Option<Ending>) -> u8 {
    ending.unwrap_or(Code::Ok) as u8
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

/// Whether tonic's own words are about a message that it could not read.
pub fn is_of_message(own: &Status) -> bool {
    matches!(own.code(), Code::OutOfRange | Code::Internal)
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
