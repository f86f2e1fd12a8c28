//! How a verb ends, and what is said of a no: the service's own words, its reason, and every line of detail.

use std::fmt::Write;
use std::io;
use std::process::ExitCode;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

pub const ANYTHING_ELSE: u8 = 1;
pub const USAGE: u8 = 2;
pub const REFUSED: u8 = 3;
pub const NOT_FOUND: u8 = 4;
pub const UNAVAILABLE: u8 = 5;

/// How a verb ends that ends well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Done,
    /// It was answered in full, and the answer is a no: such as a party that may not be let in.
    SaidNo,
}

/// How a verb ends that does not.
#[derive(Debug)]
pub enum Failure {
    /// The words on the command line do not go together.
    Usage(String),
    /// The service's no.
    Service(Box<Refused>),
    /// A list of which some lines are bad; nothing was stored.
    Lines(String),
    /// Writing failed.
    Output(io::Error),
    Other(String),
}

/// A no of the service, or of the way there.
#[derive(Debug)]
pub struct Refused {
    pub status: Status,
    /// Under which id the change may be asked for again, where its outcome is not known.
    pub request_id: Option<String>,
}

impl Refused {
    pub fn details(&self) -> ErrorDetails {
        self.status.get_error_details()
    }

    fn code(&self) -> u8 {
        match self.status.code() {
            _ if lost(&self.status) => UNAVAILABLE,
            Code::Unavailable | Code::DeadlineExceeded => UNAVAILABLE,
            Code::NotFound => NOT_FOUND,
            Code::InvalidArgument
            | Code::FailedPrecondition
            | Code::AlreadyExists
            | Code::ResourceExhausted
            | Code::PermissionDenied
            | Code::Unauthenticated
            | Code::Aborted
            | Code::OutOfRange => REFUSED,
            _ => ANYTHING_ELSE,
        }
    }

    fn text(&self) -> String {
        let details = self.details();
        let mut text = if lost(&self.status) {
            format!("the service cannot be reached: {}", root_cause(&self.status))
        } else {
            self.status.message().to_owned()
        };
        if let Some(info) = details.error_info() {
            let _ = write!(text, " [{}]", info.reason);
        }
        let fields = details.bad_request().map(|d| d.field_violations.as_slice()).unwrap_or_default();
        for field in fields {
            let _ = write!(text, "\n  {}: {}", field.field, field.description);
        }
        let states = details.precondition_failure().map(|d| d.violations.as_slice()).unwrap_or_default();
        for state in states.iter().filter(|state| state.description != self.status.message()) {
            let _ = write!(text, "\n  {}: {} [{}]", state.subject, state.description, state.r#type);
        }
        if let Some(id) = self.request_id.as_ref().filter(|_| self.code() == UNAVAILABLE) {
            let _ = write!(text, "\nIt may have been done all the same. Ask again, safely, with --request-id {id}");
        }
        text
    }
}

/// Whether no service was heard: what it says itself always carries its reason.
pub fn lost(status: &Status) -> bool {
    let torn = matches!(status.code(), Code::Unavailable | Code::Unknown | Code::Cancelled | Code::Internal);
    torn && status.get_error_details().error_info().is_none() && std::error::Error::source(status).is_some()
}

/// The innermost cause: "connection refused" says more than "transport error".
fn root_cause(status: &Status) -> String {
    let mut cause: &dyn std::error::Error = status;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

impl Failure {
    pub fn usage(why: impl Into<String>) -> Self {
        Self::Usage(why.into())
    }

    /// A no to a change, with the id under which it may be asked for again.
    pub fn under(self, request_id: &str) -> Self {
        match self {
            Self::Service(mut refused) => {
                refused.request_id = Some(request_id.to_owned());
                Self::Service(refused)
            }
            other => other,
        }
    }

    pub fn code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Usage(_) => USAGE,
            Self::Service(refused) => refused.code(),
            Self::Lines(_) => REFUSED,
            // Who closed the pipe has read enough.
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => 0,
            Self::Output(_) | Self::Other(_) => ANYTHING_ELSE,
        })
    }

    pub fn tell(&self) {
        match self {
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Self::Output(error) => eprintln!("eile: cannot write: {error}"),
            Self::Service(refused) => eprintln!("eile: {}", printable(&refused.text())),
            Self::Usage(text) | Self::Lines(text) | Self::Other(text) => eprintln!("eile: {}", printable(text)),
        }
    }
}

impl From<Status> for Failure {
    fn from(status: Status) -> Self {
        Self::Service(Box::new(Refused { status, request_id: None }))
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

/// Text that cannot move a terminal's cursor.
pub fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' { '\u{fffd}' } else { c }).collect()
}
