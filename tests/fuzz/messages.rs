//! Messages out of their descriptors, with values that are what a field of that name may be, or nearly.

use crate::bytes::Rng;
use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value};
use std::sync::Arc;

/// Names of what exists.
#[derive(Default)]
pub struct Names {
    pub centre: String,
    pub programme: String,
    pub event: String,
    pub session: String,
    /// With their management tokens.
    pub registrations: Vec<(String, String)>,
    pub persons: Vec<String>,
    pub key: String,
}

pub struct Maker {
    pub rng: Rng,
    names: Arc<Names>,
}

/// Texts that may stand anywhere, and have broken something somewhere.
const TEXTS: [&str; 30] = [
    "",
    " ",
    "x",
    "lt",
    "main",
    "42",
    "Europe/Vilnius",
    "2031-02-20",
    "2031-02-20T17:30",
    "2031-03-30T03:30",
    "9999-12-31T23:59",
    "-9999-01-01T00:00",
    "00:00",
    "24:00",
    "p1@example.org",
    "+37061234567",
    "38703181745",
    "Vardenė Pavardenė",
    "\u{0}",
    "\u{feff}\u{202e}ą̈",
    "\u{10ffff}",
    "events/",
    "events/-/registrations/-",
    "centres/ELK",
    "\"1\"",
    "state = PUBLISHED AND start_time > \"2031-01-01T00:00:00Z\"",
    "((((((((((",
    "starts_at desc, name",
    "'; drop table events; --",
    "a.b.c",
];
const SECONDS: [i64; 10] =
    [0, 1, -1, 3_600, 86_400 * 400, 1_925_798_400, 1_928_000_000, i64::MAX, i64::MIN, 253_402_300_800];
const NUMBERS: [i64; 12] = [0, 1, 2, 3, 5, 12, 500, 1_000_000, -1, i32::MAX as i64, i32::MIN as i64, i64::MAX];
/// Deeper, and messages are left empty.
const DEPTH_MAX: usize = 5;

impl Maker {
    pub fn new(rng: Rng, names: Arc<Names>) -> Self {
        Self { rng, names }
    }

    pub fn message(&mut self, of: &MessageDescriptor, depth: usize) -> DynamicMessage {
        let mut message = DynamicMessage::new(of.clone());
        for field in of.fields() {
            // Of those that exclude each other, the last that is set counts.
            let wanted = if is_needed(field.name()) { !self.rng.one_in(25) } else { self.rng.one_in(2) };
            if !wanted || depth > DEPTH_MAX || field.is_map() {
                continue;
            }
            let value = if field.is_list() {
                Value::List((0..self.rng.below(4)).map(|_| self.value(&field, of, depth)).collect())
            } else {
                self.value(&field, of, depth)
            };
            message.set_field(&field, value);
        }
        message
    }

    /// Gives a message the request id of another, and perhaps one more of its fields.
    pub fn mix(&mut self, message: &mut DynamicMessage, other: &DynamicMessage) {
        let fields: Vec<_> = message.descriptor().fields().collect();
        let one = if self.rng.one_in(2) { self.rng.below(fields.len()) } else { fields.len() };
        for (n, field) in fields.iter().enumerate() {
            if field.name() == "request_id" || n == one {
                message.set_field(field, other.get_field(field).into_owned());
            }
        }
    }

    fn value(&mut self, field: &FieldDescriptor, of: &MessageDescriptor, depth: usize) -> Value {
        match field.kind() {
            Kind::Message(inner) => Value::Message(self.message(&inner, depth + 1)),
            Kind::Enum(inner) => {
                let values: Vec<i32> = inner.values().map(|value| value.number()).collect();
                Value::EnumNumber(if self.rng.one_in(30) { -7 } else { *self.rng.pick(&values) })
            }
            Kind::String => Value::String(self.text(field.name(), of.name())),
            Kind::Bytes => Value::Bytes(self.rng.next().to_be_bytes().to_vec().into()),
            Kind::Bool => Value::Bool(self.rng.one_in(2)),
            Kind::Double => Value::F64(*self.rng.pick(&[0.0, 0.5, 1.0, -1.0, f64::NAN, f64::INFINITY])),
            Kind::Float => Value::F32(*self.rng.pick(&[0.0, 0.5, 1.0, f32::NAN])),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(*self.rng.pick(&SECONDS)),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(*self.rng.pick(&NUMBERS) as u64),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(*self.rng.pick(&NUMBERS) as u32),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(*self.rng.pick(&NUMBERS) as i32),
        }
    }

    /// Mostly what such a field holds, sometimes anything.
    fn text(&mut self, field: &str, of: &str) -> String {
        if self.rng.one_in(12) {
            return match self.rng.below(8) {
                0 => "x".repeat(self.rng.below(5_000)),
                _ => (*self.rng.pick(&TEXTS)).to_owned(),
            };
        }
        let names = Arc::clone(&self.names);
        let registration = names.registrations.get(self.rng.below(names.registrations.len().max(1)));
        let of_registration = of.contains("Registration") || of.contains("Offer");
        match field {
            "request_id" => self.uuid(),
            "name" | "registration" if of_registration && !of.starts_with("Create") => {
                registration.map(|(name, _)| name.clone()).unwrap_or_default()
            }
            "registration" => registration.map(|(name, _)| name.clone()).unwrap_or_default(),
            "management_token" => match registration {
                Some((_, token)) if self.rng.one_in(2) => token.clone(),
                _ => String::new(),
            },
            "name" | "access_key" if of.contains("AccessKey") => names.key.clone(),
            "name" if of.contains("Centre") => names.centre.clone(),
            "name" if of.contains("Programme") => names.programme.clone(),
            "name" | "parent" | "event" | "target_event" => names.event.clone(),
            "centre" => names.centre.clone(),
            "programme" => names.programme.clone(),
            "person" | "persons" | "merged" | "into" => self.one_of(&names.persons),
            "session_id" => names.session.clone(),
            "pool_id" => "main".to_owned(),
            "language" => (*self.rng.pick(&["lt", "en", "ru", "xx"])).to_owned(),
            "municipality_code" => "42".to_owned(),
            "start_local" | "end_local" | "day" => (*self.rng.pick(&TEXTS[7..14])).to_owned(),
            "email" => format!("p{}@example.org", self.rng.below(50)),
            "phone" => format!("+3706{:07}", self.rng.below(50)),
            "page_token" | "etag" | "order_by" | "filter" if !self.rng.one_in(4) => String::new(),
            "paths" => (*self.rng.pick(&["display_name", "titles", "contact", "members", "*", "sessions"])).to_owned(),
            "text" | "title" | "display_name" => format!("Žodis {}", self.rng.below(1_000)),
            _ => (*self.rng.pick(&TEXTS)).to_owned(),
        }
    }

    fn one_of(&mut self, of: &[String]) -> String {
        if of.is_empty() { String::new() } else { self.rng.pick(of).clone() }
    }

    fn uuid(&mut self) -> String {
        uuid::Builder::from_random_bytes(
            (u128::from(self.rng.next()) << 64 | u128::from(self.rng.next())).to_be_bytes(),
        )
        .into_uuid()
        .to_string()
    }
}

/// Without these, hardly anything goes further than its first look.
fn is_needed(field: &str) -> bool {
    let needed = ["request_id", "name", "parent", "event", "registration", "centre", "programme", "text", "language"];
    needed.contains(&field)
}
