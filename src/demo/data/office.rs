//! What the office does beside the events: late paper, reports, requests of families.

use serde::Deserialize;

/// What was kept on paper and is typed in days later.
#[derive(Clone, Deserialize)]
pub struct PaperEntry {
    pub event: String,
    pub session: u32,
    pub entered_local: String,
    pub by_role: String,
    pub adults: Option<i32>,
    pub children: Option<i32>,
}

/// A report that a job pulls.
#[derive(Clone, Deserialize)]
pub struct ReportRun {
    pub run_local: String,
    /// "2025" or "2025-Q1".
    pub period: String,
    #[serde(rename = "for")]
    pub of: String,
}

#[derive(Deserialize)]
pub struct OtherRequest {
    pub at_local: String,
    pub kind: String,
    pub event: Option<String>,
    pub household: Option<String>,
    pub second_entry: Option<SecondEntry>,
}

/// Somebody who was typed in once more, by telephone.
#[derive(Deserialize)]
pub struct SecondEntry {
    pub first: String,
    pub last: String,
    pub phone: String,
}
