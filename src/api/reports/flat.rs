//! Figures as a list of paths and values, so that two reports can be compared whatever they are about. A row is named by
//! what it is of, not by where it stands.

use crate::api::proto::ReportFigures;
use crate::api::{FILE_DESCRIPTOR_SET, status};
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, ReflectMessage, Value};
use std::sync::LazyLock;
use tonic::Status;

/// Fields that say what a row is of.
const NAMING: [&str; 10] = [
    "keys",
    "key",
    "programme",
    "municipality_code",
    "sex",
    "age_band",
    "event",
    "date",
    "accepted_number",
    "dimension",
];
/// What figures rest on moves with everything, and is no figure.
const NO_FIGURE: &str = "basis";

static POOL: LazyLock<Option<DescriptorPool>> = LazyLock::new(|| DescriptorPool::decode(FILE_DESCRIPTOR_SET).ok());

/// The figures, in the order of the message.
pub(super) fn flat(figures: &ReportFigures) -> Result<Vec<(String, String)>, Status> {
    let unknown = || status::internal("the messages of reports are not described");
    let pool = POOL.as_ref().ok_or_else(unknown)?;
    let descriptor = pool.get_message_by_name("eile.v1.ReportFigures").ok_or_else(unknown)?;
    let message =
        DynamicMessage::decode(descriptor, figures.encode_to_vec().as_slice()).map_err(status::report_corrupt)?;
    let mut out = Vec::new();
    walk("", &message, &mut out);
    Ok(out)
}

fn walk(path: &str, message: &DynamicMessage, out: &mut Vec<(String, String)>) {
    for (field, value) in message.fields() {
        if field.name() == NO_FIGURE || (!path.is_empty() && NAMING.contains(&field.name())) {
            continue;
        }
        let path = if path.is_empty() { field.name().to_owned() } else { format!("{path}.{}", field.name()) };
        match value {
            Value::Message(inner) => walk(&path, inner, out),
            Value::List(items) => list(&path, items, &field, out),
            value => out.push((path, text(value, &field))),
        }
    }
}

fn list(path: &str, items: &[Value], field: &FieldDescriptor, out: &mut Vec<(String, String)>) {
    for (i, item) in items.iter().enumerate() {
        match item {
            Value::Message(row) => {
                let name = name(row);
                let name = if name.is_empty() { i.to_string() } else { name };
                let before = out.len();
                walk(&format!("{path}[{name}]"), row, out);
                if out.len() == before {
                    out.push((format!("{path}[{name}]"), "0".to_owned()));
                }
            }
            // Ids: each is there or not.
            value => out.push((format!("{path}[{}]", text(value, field)), "1".to_owned())),
        }
    }
}

/// What a row is of: "programme=programmes/p01,month=2025-02".
fn name(row: &DynamicMessage) -> String {
    let mut parts = Vec::new();
    for (field, value) in row.fields().filter(|(field, _)| NAMING.contains(&field.name())) {
        match value {
            Value::List(keys) => parts.extend(keys.iter().filter_map(pair)),
            Value::Message(_) => {
                parts.extend(pair(value).or_else(|| Some(format!("{}={}", field.name(), whole(value)))))
            }
            value => parts.push(format!("{}={}", field.name(), text(value, &field))),
        }
    }
    parts.join(",")
}

/// A key as "dimension=value".
fn pair(value: &Value) -> Option<String> {
    let key = value.as_message().filter(|m| m.descriptor().name() == "Key")?;
    let part = |name: &str| key.get_field_by_name(name).and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default();
    Some(format!("{}={}", part("dimension"), part("value")))
}

/// A small message in one word: "18-29".
fn whole(value: &Value) -> String {
    let Some(message) = value.as_message() else { return String::new() };
    message.fields().map(|(field, value)| text(value, &field)).collect::<Vec<_>>().join("-")
}

fn text(value: &Value, field: &FieldDescriptor) -> String {
    match value {
        Value::Bool(b) => b.to_string(),
        Value::I32(n) => n.to_string(),
        Value::I64(n) => n.to_string(),
        Value::U32(n) => n.to_string(),
        Value::U64(n) => n.to_string(),
        Value::String(text) => text.clone(),
        Value::EnumNumber(n) => {
            let word = field.kind().as_enum().and_then(|e| e.get_value(*n).map(|v| v.name().to_owned()));
            word.unwrap_or_else(|| n.to_string())
        }
        _ => String::new(),
    }
}
