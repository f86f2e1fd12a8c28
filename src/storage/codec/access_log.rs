//! Rows of the access log.

use super::{corrupt, count, from_json, to_json};
use crate::model::access_log::{AccessEntry, AccessKind, AccessQuery};
use crate::model::id::{CentreId, EventId, RegistrationId};
use crate::model::time::Timestamp;
use crate::storage::StoreError;
use sqlx::FromRow;
use uuid::Uuid;

const TABLE: &str = "access_log";

/// A row, column by column.
#[derive(FromRow)]
pub struct AccessColumns {
    pub happened_at: i64,
    pub id: Uuid,
    pub key_id: String,
    pub role: Option<String>,
    pub person: Option<Uuid>,
    pub method: String,
    pub kind: String,
    pub centre_id: Option<String>,
    pub event_id: Option<Uuid>,
    pub registration_id: Option<Uuid>,
    pub rows_max: Option<i64>,
    pub request_id: Option<Uuid>,
    pub reason: String,
    pub outcome: i16,
    pub left_out: i64,
}

impl AccessColumns {
    pub fn of(entry: AccessEntry) -> Result<Self, StoreError> {
        let role = entry.role.map(|role| to_json(&role)).transpose()?;
        Ok(Self {
            happened_at: entry.at.0,
            id: entry.id,
            key_id: entry.key,
            role: role.map(|word| word.trim_matches('"').to_owned()),
            person: entry.person,
            method: entry.method,
            kind: kind_word(entry.kind).to_owned(),
            centre_id: entry.centre.map(|centre| centre.0),
            event_id: entry.event.map(|event| event.0),
            registration_id: entry.registration.map(|registration| registration.0),
            rows_max: entry.rows_max.map(i64::from),
            request_id: entry.request_id,
            reason: entry.reason,
            outcome: i16::from(entry.outcome),
            left_out: i64::from(entry.left_out),
        })
    }

    pub fn read(self) -> Result<AccessEntry, StoreError> {
        let id = self.id;
        let role = self.role.map(|word| from_json(&format!("\"{word}\""), TABLE, "role", id)).transpose()?;
        Ok(AccessEntry {
            id,
            at: Timestamp(self.happened_at),
            key: self.key_id,
            role,
            person: self.person,
            method: self.method,
            kind: kind_of(&self.kind).ok_or_else(|| corrupt(TABLE, "kind", id))?,
            centre: self.centre_id.map(CentreId),
            event: self.event_id.map(EventId),
            registration: self.registration_id.map(RegistrationId),
            rows_max: self.rows_max.map(|n| count(n, TABLE, "rows_max", id)).transpose()?,
            request_id: self.request_id,
            reason: self.reason,
            outcome: count(i64::from(self.outcome), TABLE, "outcome", id)?,
            left_out: count(self.left_out, TABLE, "left_out", id)?,
        })
    }
}

fn kind_word(kind: AccessKind) -> &'static str {
    match kind {
        AccessKind::Read => "read",
        AccessKind::Decision => "decision",
    }
}

fn kind_of(word: &str) -> Option<AccessKind> {
    [AccessKind::Read, AccessKind::Decision].into_iter().find(|kind| kind_word(*kind) == word)
}

/// The columns that a query filters by; what it does not name is `None`.
pub struct AccessQueryColumns {
    pub centre: Option<String>,
    pub event: Option<Uuid>,
    pub registration: Option<Uuid>,
    pub key: Option<String>,
    pub from: i64,
    pub before: i64,
    pub after_at: Option<i64>,
    pub after_id: Option<Uuid>,
    pub limit: i64,
}

impl AccessQueryColumns {
    pub fn of(query: &AccessQuery) -> Self {
        Self {
            centre: query.centre.as_ref().map(|centre| centre.0.clone()),
            event: query.event.map(|event| event.0),
            registration: query.registration.map(|registration| registration.0),
            key: query.key.clone(),
            from: query.from.map_or(i64::MIN, |at| at.0),
            before: query.before.map_or(i64::MAX, |at| at.0),
            after_at: query.after.map(|(at, _)| at.0),
            after_id: query.after.map(|(_, id)| id),
            limit: i64::from(query.limit),
        }
    }
}
