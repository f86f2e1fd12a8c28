//! What an answer tells in words. Searched in its bytes on the wire, never in its `Debug`: what a message prints of itself may
//! be less than what it tells.
#![allow(dead_code, reason = "each test binary uses its own part of it")]

use prost::Message;
use tonic::{Response, Status};
use tonic_types::StatusExt;

/// All text in a message, and between it bytes that may look like a letter: search for whole words. Numbers and flags are no
/// text: look at their fields.
pub fn told(message: &impl Message) -> String {
    String::from_utf8_lossy(&message.encode_to_vec()).into_owned()
}

/// All text in some messages.
pub fn told_in_all<'m, M: Message + 'm>(messages: impl IntoIterator<Item = &'m M>) -> String {
    messages.into_iter().map(told).collect()
}

/// All text in a no.
pub fn told_by(status: &Status) -> String {
    format!("{}{}", status.message(), String::from_utf8_lossy(status.details()))
}

/// All that somebody is answered: the words, and the reason of every no.
#[derive(Default)]
pub struct Heard {
    pub text: String,
    pub reasons: Vec<String>,
}

impl Heard {
    pub fn take<M: Message>(&mut self, answer: Result<Response<M>, Status>) {
        match answer {
            Ok(answer) => self.text.push_str(&told(answer.get_ref())),
            Err(no) => self.refused(&no),
        }
    }

    pub fn refused(&mut self, status: &Status) {
        self.text.push_str(&told_by(status));
        self.reasons.push(status.get_details_error_info().unwrap_or_else(|| panic!("no ErrorInfo: {status}")).reason);
    }
}
