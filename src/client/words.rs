//! The service's values in the words of the screen.

use super::sheet::{Moment, Tone, Value};
use crate::api::proto;
use crate::model::time::{Timestamp, Zone};
use proto::RegistrationState as State;

pub fn wire_time(at: Timestamp) -> prost_types::Timestamp {
    let nanos = at.0.rem_euclid(1_000_000) * 1_000;
    prost_types::Timestamp { seconds: at.0.div_euclid(1_000_000), nanos: i32::try_from(nanos).unwrap_or(0) }
}

pub fn instant(at: &prost_types::Timestamp) -> Timestamp {
    Timestamp(at.seconds.saturating_mul(1_000_000).saturating_add(i64::from(at.nanos) / 1_000))
}

/// A time on the wall of that zone.
pub fn time(at: Option<&prost_types::Timestamp>, zone: &Zone) -> Value {
    at.map_or(Value::Empty, |at| Value::Time(Moment { at: instant(at), zone: zone.clone() }))
}

/// The zone of an event; universal time for a name that this build does not know.
pub fn zone_of(event: &proto::Event) -> Zone {
    Zone::named(&event.time_zone).unwrap_or_else(Zone::utc)
}

/// A text that is there in Lithuanian.
pub fn lithuanian(text: &str) -> Vec<proto::LocalizedText> {
    vec![proto::LocalizedText { language: "lt".to_owned(), text: text.to_owned() }]
}

/// The text in this language, else in Lithuanian, else in any.
pub fn text(texts: &[proto::LocalizedText], language: &str) -> String {
    let find = |wanted: &str| texts.iter().find(|t| t.language == wanted);
    find(language).or_else(|| find("lt")).or(texts.first()).map(|t| t.text.clone()).unwrap_or_default()
}

/// The name of an enum's value without its prefix; empty where it says nothing.
pub fn word(name: &str, prefix: &str) -> String {
    let word = name.strip_prefix(prefix).unwrap_or(name);
    if word == "UNSPECIFIED" { String::new() } else { word.to_owned() }
}

pub fn registration_state(state: State) -> Value {
    let tone = match state {
        State::Confirmed => Tone::Good,
        State::Offered | State::InReview => Tone::Heed,
        State::Waitlisted => Tone::Plain,
        _ => Tone::Faint,
    };
    Value::Word(word(state.as_str_name(), "REGISTRATION_STATE_"), tone)
}

pub fn event_state(state: proto::EventState) -> Value {
    use proto::EventState as S;
    let tone = match state {
        S::Published => Tone::Good,
        S::Draft => Tone::Heed,
        S::Cancelled => Tone::Bad,
        _ => Tone::Faint,
    };
    Value::Word(word(state.as_str_name(), "EVENT_STATE_"), tone)
}

pub fn mark(mark: proto::AttendanceMark) -> Value {
    use proto::AttendanceMark as M;
    let tone = match mark {
        M::Present | M::MadeUp => Tone::Good,
        M::Absent => Tone::Bad,
        M::Excused => Tone::Heed,
        M::Unspecified => return Value::Empty,
    };
    Value::Word(word(mark.as_str_name(), "ATTENDANCE_MARK_"), tone)
}

/// Text, or nothing where there is none.
pub fn some(text: &str) -> Value {
    if text.is_empty() { Value::Empty } else { Value::Text(text.to_owned()) }
}

/// A name that the screen shows by its last part.
pub fn name(name: &str) -> Value {
    if name.is_empty() { Value::Empty } else { Value::Name(name.to_owned()) }
}
