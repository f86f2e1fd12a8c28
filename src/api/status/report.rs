//! Every no of reports and of entries about persons.

use super::{Problem, internal, not_found, storage};
use crate::api::proto::ErrorReason;
use crate::report::{EVENTS_MAX, ReportError};
use std::fmt::Display;
use tonic::Status;

/// There is no report.
pub fn report(error: ReportError) -> Status {
    match error {
        ReportError::TooLarge => report_too_large(EVENTS_MAX),
        ReportError::Store(error) => storage(error),
    }
}

pub fn report_too_large(limit: impl Display) -> Status {
    Problem::new(ErrorReason::ReportTooLarge, format!("it is more than one report looks at: {limit}"))
        .with("limit", &limit)
        .quota("report")
        .status()
}

/// A reporting job asked for something else than whole months that are over.
pub fn period_not_closed(zone: &str) -> Status {
    let message = format!("a reporting job gets whole calendar months of {zone} that are over");
    Problem::new(ErrorReason::PeriodNotClosed, message).with("time_zone", zone).status()
}

pub fn report_not_found(name: &str) -> Status {
    not_found(ErrorReason::ReportNotFound, "report", name)
}

pub fn people_entry_not_found(number: i64) -> Status {
    Problem::new(ErrorReason::PeopleEntryNotFound, format!("entry {number} is no merge"))
        .with("number", number)
        .resource("people entry", &number.to_string())
        .status()
}

pub fn persons_already_one(person: &str, into: &str) -> Status {
    Problem::new(ErrorReason::PersonsAlreadyOne, format!("{person} and {into} are one person already"))
        .with("person", person)
        .with("into", into)
        .precondition(person)
        .status()
}

pub fn merge_undone(number: i64) -> Status {
    Problem::new(ErrorReason::MergeUndone, format!("merge {number} was taken back before"))
        .with("number", number)
        .precondition("merge")
        .status()
}

pub fn merge_reported(number: i64, report: &str) -> Status {
    Problem::new(ErrorReason::MergeReported, format!("{report} was stored since merge {number}, and rests on it"))
        .with("number", number)
        .with("report", report)
        .precondition("merge")
        .status()
}

/// A stored report that cannot be read.
pub fn report_corrupt(error: impl Display) -> Status {
    internal(format!("a stored report cannot be read: {error}"))
}
