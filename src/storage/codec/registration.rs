//! A registration's row. What nearly everyone has is a column; what few have (a class, wishes, a twin, an
//! end with its reason) is one nullable JSON text, so that the row of an ordinary sign-up stays lean.

use super::{column, corrupt, count, from_json, signed, to_json, unsigned};
use crate::admission::{Erased, Outcome, Recorded, Standing};
use crate::model::consent::Choices;
use crate::model::contact::ContactKeys;
use crate::model::id::{Number, PoolNo, RegistrationId};
use crate::model::registration::{End, State, StateKind};
use crate::model::time::Timestamp;
use crate::storage::{ChangedRegistration, NewRegistration, StoreError};
use serde::{Deserialize, Serialize};
use std::fmt::Write;
use std::sync::Arc;
use uuid::Uuid;

/// What few registrations have.
#[derive(Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Rare {
    #[serde(skip_serializing_if = "Option::is_none")]
    class: Option<Arc<str>>,
    #[serde(skip_serializing_if = "is_empty")]
    wishes: Arc<[PoolNo]>,
    #[serde(skip_serializing_if = "is_zero")]
    passed_over: u16,
    #[serde(skip_serializing_if = "is_zero")]
    missed_offers: u16,
    /// Of one that ended: it was confirmed before. One that is confirmed says so by its state.
    #[serde(skip_serializing_if = "is_false")]
    seated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    twin_of: Option<Number>,
    #[serde(skip_serializing_if = "Option::is_none")]
    drop_at: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    end: Option<End>,
    #[serde(skip_serializing_if = "Option::is_none")]
    erased: Option<Erased>,
    #[serde(skip_serializing_if = "Choices::is_empty")]
    choices: Choices,
}

fn is_zero(n: &u16) -> bool {
    *n == 0
}

fn is_false(b: &bool) -> bool {
    !*b
}

fn is_empty(wishes: &Arc<[PoolNo]>) -> bool {
    wishes.is_empty()
}

impl Rare {
    fn column(standing: &Standing) -> Result<Option<String>, StoreError> {
        let end = match &standing.state {
            State::Ended(end) => Some(end.clone()),
            _ => None,
        };
        let rare = Self {
            class: standing.class.clone(),
            wishes: Arc::clone(&standing.wishes),
            passed_over: standing.passed_over,
            missed_offers: standing.missed_offers,
            seated: standing.seated && !standing.state.is_live(),
            twin_of: standing.twin_of,
            drop_at: standing.drop_at,
            end,
            erased: standing.erased,
            choices: standing.said().clone(),
        };
        if rare == Self::default() { Ok(None) } else { to_json(&rare).map(Some) }
    }
}

/// The columns of a registration that change after the sign-up.
pub(in crate::storage) struct ChangeRow {
    pub event: Uuid,
    pub number: i64,
    pub state: i16,
    pub pool: Option<i32>,
    pub size: i64,
    pub place: i64,
    pub expires_at: Option<i64>,
    pub changed_at: i64,
    pub steps: String,
    pub email_key: Option<i64>,
    pub phone_key: Option<i64>,
    pub contact_guard: Option<i64>,
    pub rare: Option<String>,
}

impl ChangeRow {
    pub fn of(event: Uuid, changed: &ChangedRegistration) -> Result<Self, StoreError> {
        Self::new(event, &changed.standing, changed.guard)
    }

    fn new(event: Uuid, standing: &Standing, guard: Option<u64>) -> Result<Self, StoreError> {
        let expires_at = match standing.state {
            State::Offered { expires_at, .. } => Some(expires_at.0),
            _ => None,
        };
        Ok(Self {
            event,
            number: i64::from(standing.number),
            state: i16::from(standing.state.kind() as u8),
            pool: standing.state.holds().map(i32::from),
            size: i64::from(standing.size),
            place: i64::from(standing.place),
            expires_at,
            changed_at: standing.changed_at.0,
            steps: write_steps(&standing.steps),
            email_key: standing.contact.email.map(signed),
            phone_key: standing.contact.phone.map(signed),
            contact_guard: guard.map(signed),
            rare: Rare::column(standing)?,
        })
    }
}

/// A sign-up as it is inserted: what may change later, and what never does.
pub(in crate::storage) struct SignUpRow {
    pub now: ChangeRow,
    pub lasting: LastingColumns,
}

/// The columns of a sign-up that never change.
pub(in crate::storage) struct LastingColumns {
    pub id: Uuid,
    pub accepted_at: i64,
    pub request_key: Uuid,
    pub request_fingerprint: i64,
    pub outcome: String,
    pub token_hash: Vec<u8>,
}

impl SignUpRow {
    pub fn of(event: Uuid, new: &NewRegistration) -> Result<Self, StoreError> {
        Ok(Self {
            now: ChangeRow::new(event, &new.standing, new.guard)?,
            lasting: LastingColumns {
                id: new.standing.id.0,
                accepted_at: new.standing.accepted_at.0,
                request_key: Uuid::from_u128(new.request.key),
                request_fingerprint: signed(new.request.fingerprint),
                outcome: write_outcome(&new.outcome),
                token_hash: new.token_hash.to_vec(),
            },
        })
    }

    pub fn apart(self) -> (LastingColumns, ChangeRow) {
        (self.lasting, self.now)
    }
}

/// number, id, state, pool, size, place, expires_at, accepted_at, changed_at, steps, email_key, phone_key,
/// request_key, request_fingerprint, outcome, rare: in this order, in both dialects.
pub(in crate::storage) type RegistrationRow = (
    i64,
    Uuid,
    i16,
    Option<i32>,
    i64,
    i64,
    Option<i64>,
    i64,
    i64,
    String,
    Option<i64>,
    Option<i64>,
    Uuid,
    i64,
    String,
    Option<String>,
);

/// Reads many registrations. Equal wishes and classes share one allocation, or a million would cost dearly.
#[derive(Default)]
pub(in crate::storage) struct Reader {
    no_wishes: Arc<[PoolNo]>,
    classes: Vec<Arc<str>>,
}

impl Reader {
    /// A registration, and what was answered under its request id.
    pub fn read(&mut self, row: RegistrationRow) -> Result<(Standing, (u128, Recorded)), StoreError> {
        let id = row.1;
        let rare: Rare = match &row.15 {
            Some(text) => from_json(text, TABLE, "rare", id)?,
            None => Rare::default(),
        };
        let state = read_state(id, row.2, row.3, row.6, rare.end)?;
        let seated = rare.seated || matches!(state, State::Confirmed { .. });
        let mut standing = Standing {
            seated,
            number: count(row.0, TABLE, "number", id)?,
            id: RegistrationId(id),
            size: count(row.4, TABLE, "size", id)?,
            state,
            class: rare.class.map(|class| self.shared_class(class)),
            place: count(row.5, TABLE, "place", id)?,
            wishes: if rare.wishes.is_empty() { Arc::clone(&self.no_wishes) } else { rare.wishes },
            passed_over: rare.passed_over,
            missed_offers: rare.missed_offers,
            twin_of: rare.twin_of,
            drop_at: rare.drop_at,
            accepted_at: Timestamp(row.7),
            changed_at: Timestamp(row.8),
            steps: read_steps(&row.9).ok_or_else(|| corrupt(TABLE, "steps", id))?,
            contact: ContactKeys { email: row.10.map(unsigned), phone: row.11.map(unsigned) },
            erased: rare.erased,
            choices: None,
        };
        standing.set_choices(rare.choices);
        let recorded = read_recorded(TABLE, standing.number, row.12, row.13, &row.14)?;
        Ok((standing, recorded))
    }

    fn shared_class(&mut self, class: Arc<str>) -> Arc<str> {
        if let Some(known) = self.classes.iter().find(|c| **c == class) {
            return Arc::clone(known);
        }
        self.classes.push(Arc::clone(&class));
        class
    }
}

const TABLE: &str = "registrations";

fn read_state(
    id: Uuid,
    code: i16,
    pool: Option<i32>,
    expires_at: Option<i64>,
    end: Option<End>,
) -> Result<State, StoreError> {
    let bad = |column| corrupt(TABLE, column, id);
    let kind = u8::try_from(code).ok().and_then(StateKind::from_code).ok_or_else(|| bad("state"))?;
    let seat = || pool.and_then(|no| PoolNo::try_from(no).ok()).ok_or_else(|| bad("pool"));
    let state = match kind {
        StateKind::InReview => State::InReview,
        StateKind::Waitlisted => State::Waitlisted,
        StateKind::Offered => {
            State::Offered { pool: seat()?, expires_at: Timestamp(expires_at.ok_or_else(|| bad("expires_at"))?) }
        }
        StateKind::Confirmed => State::Confirmed { pool: seat()? },
        _ => State::Ended(end.ok_or_else(|| bad("rare"))?),
    };
    if state.kind() == kind { Ok(state) } else { Err(bad("state")) }
}

/// event_id, number, id, email_key, phone_key, request_key, request_fingerprint, outcome.
pub(in crate::storage) type AttachmentRow = (Uuid, i64, Uuid, Option<i64>, Option<i64>, Uuid, i64, String);

/// What an entry does not hold of a registration.
pub(in crate::storage) type Attachment = ((Number, RegistrationId, ContactKeys), (u128, Recorded));

pub(in crate::storage) fn read_attachment(row: &AttachmentRow) -> Result<Attachment, StoreError> {
    let number = count(row.1, TABLE, "number", row.2)?;
    let contact = ContactKeys { email: row.3.map(unsigned), phone: row.4.map(unsigned) };
    let recorded = read_recorded(TABLE, number, row.5, row.6, &row.7)?;
    Ok(((number, RegistrationId(row.2), contact), recorded))
}

/// A request id with what was answered under it. `number` is the registration that it is about.
pub(in crate::storage) fn read_recorded(
    table: &'static str,
    number: Number,
    key: Uuid,
    fingerprint: i64,
    outcome: &str,
) -> Result<(u128, Recorded), StoreError> {
    let outcome = read_outcome(number, outcome).ok_or_else(|| corrupt(table, "outcome", key))?;
    Ok((key.as_u128(), Recorded { fingerprint: unsigned(fingerprint), outcome }))
}

/// `state,position,pool,expires_at,journal_number`; an absent value is an empty word.
pub(in crate::storage) fn write_outcome(outcome: &Outcome) -> String {
    let mut text = String::with_capacity(24);
    if let Some(state) = outcome.state {
        push(&mut text, state as u8);
    }
    text.push(',');
    push(&mut text, outcome.position);
    text.push(',');
    if let Some(pool) = outcome.pool {
        push(&mut text, pool);
    }
    text.push(',');
    if let Some(at) = outcome.expires_at {
        push(&mut text, at.0);
    }
    text.push(',');
    push(&mut text, outcome.journal_number);
    text
}

fn read_outcome(number: Number, text: &str) -> Option<Outcome> {
    let mut words = text.split(',');
    let mut next = || words.next();
    let outcome = Outcome {
        number,
        state: optional(next()?, |w| StateKind::from_code(w.parse().ok()?))?,
        position: next()?.parse().ok()?,
        pool: optional(next()?, |w| w.parse().ok())?,
        expires_at: optional(next()?, |w| w.parse().ok().map(Timestamp))?,
        journal_number: next()?.parse().ok()?,
    };
    next().is_none().then_some(outcome)
}

/// `Some(None)` for an empty word, `None` for one that cannot be read.
fn optional<T>(word: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<Option<T>> {
    if word.is_empty() { Some(None) } else { read(word).map(Some) }
}

fn write_steps(steps: &[u64]) -> String {
    let mut text = String::with_capacity(8 * steps.len());
    for (i, step) in steps.iter().enumerate() {
        if i > 0 {
            text.push(',');
        }
        push(&mut text, column(*step));
    }
    text
}

fn read_steps(text: &str) -> Option<Vec<u64>> {
    text.split(',').filter(|word| !word.is_empty()).map(|word| word.parse().ok()).collect()
}

fn push(text: &mut String, value: impl std::fmt::Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "{value}");
}
