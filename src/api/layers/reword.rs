//! Rewords the errors that tonic itself answers before a handler is reached: a body that is too large or
//! cannot be read. They are told from ours by having no details.

use super::refuse;
use http::Response;
use tonic::Status;
use tonic::body::Body;

/// Whether the message of a call could not be read.
pub fn was_not_read(response: &Response<Body>) -> bool {
    own(response).is_some_and(refuse::is_of_message)
}

fn own(response: &Response<Body>) -> Option<&Status> {
    // Where an answer is a status alone, tonic leaves the status beside the headers.
    response.extensions().get::<Status>().filter(|status| status.details().is_empty())
}

pub fn reword(response: Response<Body>, message_bytes_max: usize) -> Response<Body> {
    match own(&response).and_then(|status| refuse::reworded(status, message_bytes_max)) {
        Some(status) => status.into_http(),
        None => response,
    }
}
