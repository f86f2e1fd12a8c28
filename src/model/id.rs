//! Typed ids. An event's id is random; a registration's id carries its accepted number, so that it is
//! found without an index of its own, and ninety unguessable bits beside it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// The id of an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub Uuid);

/// The id of a centre: chosen by whoever creates it, or made; `[a-z0-9-]{1,40}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CentreId(pub String);

/// The id of a programme: chosen by whoever creates it, or made; `[a-z0-9-]{1,40}`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ProgrammeId(pub String);

/// The place in an event's numbering that a registration got when it was accepted: 1, 2, 3 ...
/// Numbers are never given twice, and may have gaps (a place at the end of the line takes one too).
pub type Number = u32;

/// A pool's number inside its event. Given once, never reused.
pub type PoolNo = u16;

/// The id of a registration: 32 bits of accepted number, then 90 unguessable bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RegistrationId(pub Uuid);

impl RegistrationId {
    /// Joins the number that the desk gave with the secret part that the caller's request made.
    pub fn new(number: Number, secret: [u8; 12]) -> Self {
        let mut bytes = [0u8; 16];
        bytes[..4].copy_from_slice(&number.to_be_bytes());
        bytes[4..].copy_from_slice(&secret);
        // The version and variant bits of RFC 9562: version 8 is "the application's own layout".
        bytes[6] = (bytes[6] & 0x0f) | 0x80;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        Self(Uuid::from_bytes(bytes))
    }

    /// The accepted number inside.
    pub fn number(&self) -> Number {
        let b = self.0.as_bytes();
        u32::from_be_bytes([b[0], b[1], b[2], b[3]])
    }
}

/// Whether `text` may be the id of a centre or a programme.
pub fn is_slug(text: &str) -> bool {
    (1..=40).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}
