//! Rewords the errors that tonic itself answers before a handler is reached: a body that is too large or
//! cannot be read. They are told from ours by having no details.

use super::refuse;
use http::Response;
use tonic::body::Body;
use tonic::{Code, Status};

pub fn reword(response: Response<Body>, message_bytes_max: usize) -> Response<Body> {
    // Where an answer is a status alone, tonic leaves the status beside the headers.
    let own = response.extensions().get::<Status>().filter(|status| status.details().is_empty());
    match own.and_then(|status| refuse::reworded(status, message_bytes_max)) {
        Some(status) => status.into_http(),
        None => response,
    }
}

/// The code of an answer that is a status alone; `None` where messages or trailers follow.
pub fn status_of(response: &Response<Body>) -> Option<Code> {
    let header = response.headers().get("grpc-status")?;
    Some(Code::from_bytes(header.as_bytes()))
}
