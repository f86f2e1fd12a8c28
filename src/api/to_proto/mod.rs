//! From the model to the wire. Total and boring: every match names every case, every message every field,
//! so that a new one does not compile before somebody has thought of it.

pub mod admin;
pub mod attendance;
pub mod change;
pub mod event;
pub mod explain;
mod policy;
pub mod registration;
mod sentences;
pub mod words;

use super::proto;
use crate::model::text::LocalizedText;

/// A count on the wire; what does not fit is the largest number that does.
pub fn int32(n: u32) -> i32 {
    i32::try_from(n).unwrap_or(i32::MAX)
}

/// A number of the journal on the wire.
pub fn int64(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub fn texts(texts: &[LocalizedText]) -> Vec<proto::LocalizedText> {
    let text = |t: &LocalizedText| proto::LocalizedText { language: t.language.clone(), text: t.text.clone() };
    texts.iter().map(text).collect()
}

/// An etag: the version in the quotes of RFC 7232.
pub fn etag(version: u64) -> String {
    format!("\"{version}\"")
}

/// Resource names.
pub mod names {
    /// "persons/{uuid}".
    pub fn person(id: crate::model::person::PersonId) -> String {
        format!("persons/{}", id.0)
    }

    /// "reports/{uuid}".
    pub fn report(id: uuid::Uuid) -> String {
        format!("reports/{id}")
    }

    use crate::model::id::{CentreId, EventId, ProgrammeId, RegistrationId};

    pub fn event(id: EventId) -> String {
        format!("events/{}", id.0.as_hyphenated())
    }
    pub fn registration(event: EventId, id: RegistrationId) -> String {
        format!("events/{}/registrations/{}", event.0.as_hyphenated(), id.0.as_hyphenated())
    }
    pub fn centre(id: &CentreId) -> String {
        format!("centres/{}", id.0)
    }
    pub fn programme(id: &ProgrammeId) -> String {
        format!("programmes/{}", id.0)
    }
}

/// Instants and spans.
pub mod time {
    use crate::model::time::{Span, Timestamp};

    pub fn instant(at: Timestamp) -> prost_types::Timestamp {
        let nanos = at.0.rem_euclid(1_000_000) * 1000;
        prost_types::Timestamp { seconds: at.0.div_euclid(1_000_000), nanos: i32::try_from(nanos).unwrap_or_default() }
    }

    pub fn span(span: Span) -> prost_types::Duration {
        let nanos = span.0 % 1_000_000 * 1000;
        prost_types::Duration { seconds: span.0 / 1_000_000, nanos: i32::try_from(nanos).unwrap_or_default() }
    }

    /// RFC 3339, for messages and metadata.
    pub fn text(at: Timestamp) -> String {
        at.to_jiff().to_string()
    }
}
