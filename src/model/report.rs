//! A stored report: what was asked and answered, and what it rests on.

use super::id::{CentreId, EventId};
use super::time::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// A report as it was when it was made. It never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    pub id: Uuid,
    pub title: String,
    /// Whose figures it holds; nothing: of all centres.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub centre: Option<CentreId>,
    pub created_at: Timestamp,
    /// The question in the form of the API, in base64.
    pub query: String,
    /// The answer in the form of the API, in base64.
    pub figures: String,
    /// The events of its scope, with the journal numbers that they had.
    pub rests_on: Vec<(EventId, u64)>,
    /// The number of the last entry about persons then.
    pub people_number: u64,
}
