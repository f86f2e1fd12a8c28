//! No message prints words about people or a secret, whoever logs it: shown over the descriptor set, message by message. That
//! each text field is listed at all (proto/personal.txt) is shown here too.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::proto;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};
use std::collections::BTreeSet;

const LISTED: &str = include_str!("../../proto/personal.txt");
/// A word and a number that stand nowhere else.
const CANARY: &str = "kanarele";
const CANARY_NUMBER: i32 = 770_077;
/// Messages within messages, deeper than any here go.
const DEPTH_MAX: u32 = 6;

type Printed = fn(&[u8]) -> String;

/// Every message of the package, and how bytes of it print.
const PRINTED: &[(&str, Printed)] = include!(concat!(env!("OUT_DIR"), "/printed.rs"));

fn pool() -> DescriptorPool {
    DescriptorPool::decode(crate::api::FILE_DESCRIPTOR_SET).unwrap()
}

fn messages() -> Vec<MessageDescriptor> {
    let ours = |message: &MessageDescriptor| message.package_name() == "eile.v1" && !message.is_map_entry();
    pool().all_messages().filter(ours).collect()
}

fn listed(word: &str) -> BTreeSet<&'static str> {
    LISTED.lines().filter_map(|line| line.strip_prefix(word)?.strip_prefix(' ')).collect()
}

fn is_in(list: &BTreeSet<&str>, field: &FieldDescriptor) -> bool {
    let message = field.parent_message();
    list.contains(format!("{}.{}", message.name(), field.name()).as_str())
        || list.contains(format!("*.{}", field.name()).as_str())
}

/// A message in which every personal field holds a canary.
fn filled(of: &MessageDescriptor, personal: &BTreeSet<&str>, depth: u32) -> DynamicMessage {
    let mut message = DynamicMessage::new(of.clone());
    for field in of.fields() {
        let is_personal = is_in(personal, &field);
        let value = match field.kind() {
            Kind::String if is_personal => Value::String(CANARY.to_owned()),
            Kind::Bytes if is_personal => Value::Bytes(CANARY.as_bytes().to_vec().into()),
            Kind::Int32 if is_personal => Value::I32(CANARY_NUMBER),
            Kind::Enum(_) if is_personal => Value::EnumNumber(CANARY_NUMBER),
            Kind::Message(inner) if depth > 0 && !field.is_map() => Value::Message(filled(&inner, personal, depth - 1)),
            _ => continue,
        };
        let value = if field.is_list() { Value::List(vec![value]) } else { value };
        message.set_field(&field, value);
    }
    message
}

#[test]
fn no_message_prints_what_it_holds_of_people() {
    let personal = listed("personal");
    let mut silent = 0;
    for message in messages() {
        let (_, print) = PRINTED.iter().find(|(name, _)| *name == message.name()).unwrap();
        // Of a oneof its last member stands; all of them are messages, and looked at by themselves too.
        let bytes = filled(&message, &personal, DEPTH_MAX).encode_to_vec();
        let text = print(&bytes);
        for canary in [CANARY.to_owned(), CANARY_NUMBER.to_string()] {
            assert!(!text.contains(&canary), "{} prints what is personal: {text}", message.name());
        }
        silent += usize::from(text == format!("{} {{ .. }}", message.name()));
    }
    assert!(silent > 20 && silent < PRINTED.len(), "{silent} of {} print nothing", PRINTED.len());
}

#[test]
fn a_message_with_a_person_deep_in_it_prints_nothing_either() {
    let member = proto::Member { display_name: CANARY.into(), ..Default::default() };
    let registration = proto::Registration { members: vec![member], ..Default::default() };
    let answer = proto::ListRegistrationsResponse { registrations: vec![registration], ..Default::default() };
    assert_eq!(format!("{answer:?}"), "ListRegistrationsResponse { .. }");
    let event = proto::Event { name: "events/x".into(), ..Default::default() };
    assert!(format!("{event:?}").contains("events/x"), "what holds nobody prints as ever");
}

/// Names of fields, or what they end with, under which people and secrets stand: one of them is thought about message by message,
/// and no line of the list about every message makes it plain.
const SPEAKING: &[&str] = &[
    "display_name",
    "email",
    "phone",
    "text",
    "reason",
    "filter",
    "person_ref",
    "management_token",
    "secret",
    "check_in_code",
];
/// The same of numbers and choices.
const COUNTED: &[&str] = &["birth_year", "sex"];

fn ends_with(field: &FieldDescriptor, names: &[&str]) -> bool {
    let ends = |name: &&str| field.name() == *name || field.name().ends_with(&format!("_{name}"));
    names.iter().any(ends)
}

/// Whether the list says of this field what it is.
fn is_listed(personal: &BTreeSet<&str>, plain: &BTreeSet<&str>, field: &FieldDescriptor) -> bool {
    let own = format!("{}.{}", field.parent_message().name(), field.name());
    match field.kind() {
        Kind::String | Kind::Bytes if ends_with(field, SPEAKING) => {
            is_in(personal, field) || plain.contains(own.as_str())
        }
        Kind::String | Kind::Bytes => is_in(personal, field) || is_in(plain, field),
        _ if ends_with(field, COUNTED) => is_in(personal, field) || plain.contains(own.as_str()),
        _ => true,
    }
}

#[test]
fn every_text_field_is_listed_as_personal_or_plain_and_every_line_is_of_one() {
    let (personal, plain) = (listed("personal"), listed("plain"));
    let fields: Vec<FieldDescriptor> =
        messages().iter().flat_map(|message| message.fields().collect::<Vec<_>>()).collect();
    let own = |field: &FieldDescriptor| format!("{}.{}", field.parent_message().name(), field.name());
    let missing: Vec<_> = fields.iter().filter(|field| !is_listed(&personal, &plain, field)).map(own).collect();
    assert!(missing.is_empty(), "please list in proto/personal.txt: {missing:#?}");
    let known: BTreeSet<String> = fields.iter().flat_map(|f| [own(f), format!("*.{}", f.name())]).collect();
    for line in personal.union(&plain) {
        assert!(known.contains(*line), "proto/personal.txt lists {line}, which is no field");
    }
}

#[test]
fn nothing_personal_stands_where_the_list_does_not_reach() {
    for field in messages().iter().flat_map(|message| message.fields().collect::<Vec<_>>()) {
        let told = format!("{}.{}", field.parent_message().name(), field.name());
        assert!(!field.is_map(), "{told}: build.rs does not look into maps");
        // The choice between the members of a oneof is a type of its own, with a Debug of its own.
        let is_choice = field.containing_oneof().is_some_and(|of| !of.is_synthetic());
        assert!(!is_choice || matches!(field.kind(), Kind::Message(_)), "{told}: a oneof has messages for members");
    }
}
