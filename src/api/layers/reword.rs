//! Rewords the errors that tonic itself answers before a handler is reached: a body that is too large or
//! cannot be read. They are told from ours by having no details.

use super::refuse;
use http::Response;
use tonic::Status;
use tonic::body::Body;

pub fn reword(response: Response<Body>, message_bytes_max: usize) -> Response<Body> {
    // Where an answer is a status alone, tonic leaves the status beside the headers.
    let own = response.extensions().get::<Status>().filter(|status| status.details().is_empty());
    match own.and_then(|status| refuse::reworded(status, message_bytes_max)) {
        Some(status) => status.into_http(),
        None => response,
    }
}
