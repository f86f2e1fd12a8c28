//! `eile attendance`: what is written down of who came, one mark or a whole list.

mod file;
mod import;
mod mark;

pub use import::run as import;
pub use mark::run as mark;

use super::sheet::{Column, Value};
use crate::api::proto;
use clap::{Subcommand, ValueEnum};

#[derive(Subcommand)]
pub enum Verb {
    /// Writes down whether somebody came, or corrects it.
    Mark(mark::Arguments),
    /// Writes down a whole list from a CSV file: all of it or nothing.
    Import(import::Arguments),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Mark {
    Present,
    Absent,
    Excused,
    MadeUp,
}

impl Mark {
    pub fn wire(self) -> proto::AttendanceMark {
        match self {
            Self::Present => proto::AttendanceMark::Present,
            Self::Absent => proto::AttendanceMark::Absent,
            Self::Excused => proto::AttendanceMark::Excused,
            Self::MadeUp => proto::AttendanceMark::MadeUp,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Source {
    PaperList,
    Door,
    Online,
}

impl Source {
    pub fn wire(self) -> proto::AttendanceSource {
        match self {
            Self::PaperList => proto::AttendanceSource::PaperList,
            Self::Door => proto::AttendanceSource::Door,
            Self::Online => proto::AttendanceSource::Online,
        }
    }
}

/// What came of it.
const COLUMNS: &[Column] = &[
    Column::new("new_marks", "New marks"),
    Column::new("corrected_marks", "Corrected marks"),
    Column::new("unchanged_marks", "Unchanged marks"),
    Column::new("journal_number", "Change"),
];

fn row(answer: &proto::RecordAttendanceResponse) -> Vec<Value> {
    vec![
        Value::number(answer.new_marks),
        Value::number(answer.corrected_marks),
        Value::number(answer.unchanged_marks),
        Value::Number(answer.journal_number),
    ]
}
