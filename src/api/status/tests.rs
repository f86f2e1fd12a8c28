//! Every reason has its documented code, and is reached by some answer.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;
use crate::admission::{MarkFault, MarkWhy, Refusal};
use crate::api::from_proto::Fields;
use crate::desk::DeskError;
use crate::model::event::EventState;
use crate::model::id::{EventId, RegistrationId};
use crate::model::registration::StateKind;
use crate::model::time::Timestamp;
use std::collections::BTreeSet;

const ERRORS: &str = include_str!("../../../proto/eile/v1/errors.proto");

fn reasons() -> Vec<ErrorReason> {
    (0..1000).filter_map(|n| ErrorReason::try_from(n).ok()).collect()
}

/// The code that the comment of a value names first: "// NOT_FOUND: there is no such event."
fn documented(reason: ErrorReason) -> String {
    let lines: Vec<&str> = ERRORS.lines().map(str::trim).collect();
    let value = format!("{} = ", reason.as_str_name());
    let at = lines.iter().position(|line| line.starts_with(&value)).unwrap();
    let comment = lines[..at].iter().rev().take_while(|line| line.starts_with("//")).last().unwrap();
    comment.trim_start_matches("// ").split(':').next().unwrap().to_owned()
}

/// A code's name as the documents write it.
fn name_of(status_code: i32) -> &'static str {
    match status_code {
        3 => "INVALID_ARGUMENT",
        4 => "DEADLINE_EXCEEDED",
        5 => "NOT_FOUND",
        6 => "ALREADY_EXISTS",
        7 => "PERMISSION_DENIED",
        8 => "RESOURCE_EXHAUSTED",
        9 => "FAILED_PRECONDITION",
        10 => "ABORTED",
        11 => "OUT_OF_RANGE",
        13 => "INTERNAL",
        14 => "UNAVAILABLE",
        16 => "UNAUTHENTICATED",
        _ => "?",
    }
}

#[test]
fn every_reason_has_the_code_that_its_comment_names() {
    for reason in reasons().into_iter().filter(|r| *r != ErrorReason::Unspecified) {
        assert_eq!(name_of(code_of(reason) as i32), documented(reason), "{reason:?}");
    }
}

fn violated(personal_code: bool) -> Status {
    let mut all = Fields::default();
    all.refuse(crate::api::from_proto::Path::Top("name"), "is required");
    if personal_code {
        all.refuse_personal_code(crate::api::from_proto::Path::Top("note"));
    }
    fields(all.finish(()).unwrap_err())
}

fn refusals() -> Vec<Refusal> {
    let at = Timestamp(1_736_751_600_000_000);
    let state = StateKind::Cancelled;
    vec![
        Refusal::RequestIdReused,
        Refusal::EventNotPublished,
        Refusal::EventCancelled,
        Refusal::EventCompleted,
        Refusal::RegistrationNotOpen { opens_at: at },
        Refusal::RegistrationClosed { closed_at: at },
        Refusal::PartyTooSmall { size: 1, min: 2 },
        Refusal::PartyTooLarge { size: 7, max: 5 },
        Refusal::PartyLargerThanPool { size: 5, largest: 4 },
        Refusal::PoolNotFound { pool: 0 },
        Refusal::AlreadyRegistered { number: 1 },
        Refusal::WaitlistFull { limit: 40 },
        Refusal::RegistrationNotFound,
        Refusal::IllegalState { state },
        Refusal::IllegalEventState { state: EventState::Published },
        Refusal::OfferExpired,
        Refusal::NoLiveOffer { state },
        Refusal::SeatsNotFree { asked: 4, free: 1 },
        Refusal::WaitingPartyFirst { number: 1 },
        Refusal::ReasonRequired,
        Refusal::ClassUnknown { class: "vip".to_owned() },
        Refusal::PossibleDuplicate { twin_of: 1 },
        Refusal::EtagMismatch { current: 7 },
        Refusal::PoolInUse { pool: 1 },
        Refusal::SameEvent,
        Refusal::EventNotOver { ends_at: at },
        Refusal::SessionNotFound,
        Refusal::SessionCancelled,
        Refusal::SeatsCalledOff { session: 1 },
        Refusal::SessionNotBegun { starts_at: at },
        Refusal::DoorShut { starts_at: at },
        Refusal::MarksRefused { faults: vec![MarkFault { index: 3, why: MarkWhy::RegistrationNotFound }] },
        Refusal::MemberNotFound { member: 4, size: 3 },
        Refusal::MemberAttended { member: 3 },
        Refusal::WalkInsNotTaken,
        Refusal::SessionInUse { session: 1 },
    ]
}

fn every_answer() -> Vec<Status> {
    let pools = ["balcony".to_owned()];
    let about = About { pools: &pools, ..About::event("UpdateRegistration", EventId::default()) };
    let facts = Facts { other: Some(RegistrationId::new(42, [0; 12])), ..Facts::default() };
    let mut answers: Vec<Status> = refusals().iter().map(|r| refused(r, &about, None, &facts)).collect();
    let desk_errors = [
        DeskError::EventNotFound,
        DeskError::Overloaded,
        DeskError::Draining,
        DeskError::Unavailable,
        DeskError::OutcomeUnknown,
        DeskError::Stale,
        DeskError::Internal,
    ];
    answers.extend(desk_errors.into_iter().map(|error| desk(error, &about)));
    answers.extend([
        violated(false),
        violated(true),
        malformed_message(),
        page_token(),
        filter(17, "value"),
        centre_not_found("centres/elk"),
        programme_not_found("programmes/p01"),
        already_exists("centre", "centres/elk"),
        message_too_large(1024),
        too_many_streams(10_000),
        too_many_calls(Duration::from_millis(40)),
        token_invalid("events/1/registrations/2"),
        staff_only("ApproveRegistration"),
        key_required(),
        issuer_unavailable(),
        role_not_allowed("ApproveRegistration"),
        centre_required("GetDemand"),
        people_not_shown("AddWalkIn", EventId::default()),
        sensitivity_kept(EventId::default()),
        access_key_not_found("accessKeys/0f1e2d3c4b5a6978"),
        access_key_revoked("accessKeys/0f1e2d3c4b5a6978"),
        first_key_administrator(),
        access_keys_full(1_000),
        report_too_large(100_000),
        period_not_closed("Europe/Vilnius"),
        report_not_found("reports/1"),
        people_entry_not_found(7),
        persons_already_one("persons/1", "persons/2"),
        merge_undone(7),
        merge_reported(7, "reports/1"),
        watch_lagged(412),
        feed_lagged("AZ2f"),
        cursor_invalid(),
        cursor_expired("AZ2f", "2025-01-13T07:00:00Z"),
        deadline_exceeded(),
    ]);
    answers
}

#[test]
fn every_reason_is_reached_by_some_answer_that_tells_its_facts() {
    let mut reached = BTreeSet::new();
    for answer in every_answer() {
        let info = answer.get_details_error_info().unwrap();
        assert_eq!(info.domain, DOMAIN);
        assert!(!answer.message().is_empty(), "{}", info.reason);
        // The example in the proto names the metadata; an answer has the same keys.
        let documented = example_keys(&info.reason);
        let told: BTreeSet<String> = info.metadata.keys().cloned().collect();
        assert_eq!(told, documented, "{}", info.reason);
        reached.insert(info.reason);
    }
    let all: BTreeSet<String> =
        reasons().into_iter().filter(|r| *r != ErrorReason::Unspecified).map(|r| reason_word(r).to_owned()).collect();
    assert_eq!(reached, all);
}

/// The keys of the metadata in the example of a reason.
fn example_keys(reason: &str) -> BTreeSet<String> {
    let text: String = ERRORS.lines().map(|l| l.trim().trim_start_matches("// ").trim_start()).collect();
    let start = text.find(&format!("\"reason\": \"{reason}\"")).unwrap();
    let example = &text[start..];
    // An example ends before its value, or where the next begins.
    let end = example.find("ERROR_REASON_").unwrap();
    let Some((_, metadata)) = example[..end].split_once("\"metadata\":") else { return BTreeSet::new() };
    metadata
        .trim_start_matches([' ', '{'])
        .split("\": ")
        .filter_map(|part| part.rsplit_once('"').map(|(_, key)| key.to_owned()))
        .filter(|key| key.chars().all(|c| c.is_ascii_lowercase() || c == '_') && !key.is_empty())
        .collect()
}

#[test]
fn what_helps_stands_beside_the_reason() {
    let retry = |s: &Status| s.get_details_retry_info().is_some();
    assert!(retry(&overloaded()) && retry(&draining()) && retry(&too_many_streams(1)));
    assert_eq!(
        too_many_calls(Duration::from_millis(40)).get_details_retry_info().unwrap().retry_delay,
        Some(Duration::from_millis(40))
    );
    assert!(!retry(&deadline_exceeded()));
    let no = refused(
        &Refusal::WaitlistFull { limit: 40 },
        &About::event("CreateRegistration", EventId::default()),
        None,
        &Facts::default(),
    );
    assert_eq!(no.get_details_quota_failure().unwrap().violations.len(), 1);
    assert_eq!(centre_not_found("centres/x").get_details_resource_info().unwrap().resource_name, "centres/x");
    assert_eq!(violated(true).get_details_bad_request().unwrap().field_violations.len(), 2);
}

#[test]
fn violations_are_all_counted_and_as_many_told_as_a_header_takes() {
    let mut all = Fields::default();
    let top = crate::api::from_proto::Path::Top("registration.members");
    for i in 0..500 {
        all.refuse(top.item(i), "is not a member of anything that anybody has heard of");
    }
    let status = fields(all.finish(()).unwrap_err());
    let info = status.get_details_error_info().unwrap();
    assert_eq!(info.metadata["count"], "500");
    assert_eq!(info.metadata["fields"].split(',').count(), 20);
    assert!(status.details().len() < 8 * 1024);
    assert!(status.get_details_bad_request().unwrap().field_violations.len() > 20);
}

#[test]
fn the_words_of_a_driver_never_reach_a_caller() {
    let secret = "password=hunter2 at 10.0.0.1:5432";
    for error in [
        StoreError::GaveWay(secret.to_owned()),
        StoreError::Unknown(secret.to_owned()),
        StoreError::Unavailable(secret.to_owned()),
        StoreError::Conflict(secret.to_owned()),
        StoreError::Corrupt { table: "hunter2", column: "hunter2", id: secret.to_owned() },
        StoreError::Failed(secret.to_owned()),
    ] {
        let status = storage(error);
        let told = format!("{status:?}{}", String::from_utf8_lossy(status.details()));
        assert!(!told.contains("hunter2"), "{told}");
    }
}
