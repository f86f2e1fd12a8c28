//! A centre that offers events, and a programme: the training that several centres offer.

use super::event::{AttendanceRule, EventKind};
use super::id::{CentreId, ProgrammeId};
use super::text::LocalizedText;
use super::time::{Span, Timestamp, Zone};
use serde::{Deserialize, Serialize};

/// A centre or community family home.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Centre {
    pub id: CentreId,
    pub display_names: Vec<LocalizedText>,
    pub municipality_code: String,
    pub elderships: Vec<Eldership>,
    pub time_zone: Zone,
    pub languages: Vec<String>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// 1 when created, one more with each update.
    pub version: u64,
}

/// A part of a municipality.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Eldership {
    pub code: String,
    pub name: String,
}

/// A programme: titles, kind and the usual shape of its events.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Programme {
    pub id: ProgrammeId,
    pub titles: Vec<LocalizedText>,
    pub kind: EventKind,
    pub usual_session_count: u32,
    pub usual_session_duration: Option<Span>,
    pub group_size_min: u32,
    pub group_size_max: u32,
    pub attendance_rule: Option<AttendanceRule>,
    pub project_code: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub version: u64,
}
