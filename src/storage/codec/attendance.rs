//! Marks as rows: a snapshot of what replaying the journal gives, as the rows of registrations are.

use super::{column, corrupt, count};
use crate::admission::{MarkKey, Marked};
use crate::model::attendance::{Mark, Source};
use crate::model::registration::ActorKind;
use crate::model::time::Timestamp;
use crate::storage::StoreError;
use uuid::Uuid;

const TABLE: &str = "attendance";

/// One member's mark at one session.
pub(in crate::storage) struct MarkColumns {
    pub event: Uuid,
    pub session_no: i32,
    pub number: i64,
    pub member: i32,
    pub mark: i16,
    pub minutes: i32,
    pub source: i16,
    pub entered_by: i16,
    pub happened_at: i64,
    pub entered_at: i64,
    pub journal_number: i64,
}

impl MarkColumns {
    pub fn of(event: Uuid, key: MarkKey, marked: &Marked) -> Self {
        Self {
            event,
            session_no: i32::from(key.session),
            number: i64::from(key.number),
            member: i32::from(key.member),
            mark: i16::from(marked.mark as u8),
            minutes: i32::from(marked.minutes),
            source: i16::from(marked.source as u8),
            entered_by: actor_code(marked.by),
            happened_at: marked.happened_at.0,
            entered_at: marked.entered_at.0,
            journal_number: column(marked.step),
        }
    }
}

/// session_no, number, member, mark, minutes, source, entered_by, happened_at, entered_at, journal_number: in this
/// order, in both dialects.
pub(in crate::storage) type MarkRow = (i32, i64, i32, i16, i32, i16, i16, i64, i64, i64);

pub(in crate::storage) fn read_mark(event: Uuid, row: MarkRow) -> Result<(MarkKey, Marked), StoreError> {
    let bad = |column| corrupt(TABLE, column, event);
    let key = MarkKey {
        session: count(i64::from(row.0), TABLE, "session_no", event)?,
        number: count(row.1, TABLE, "number", event)?,
        member: count(i64::from(row.2), TABLE, "member", event)?,
    };
    let code = |code: i16, column| u8::try_from(code).map_err(|_| bad(column));
    let marked = Marked {
        mark: Mark::from_code(code(row.3, "mark")?).ok_or_else(|| bad("mark"))?,
        minutes: count(i64::from(row.4), TABLE, "minutes", event)?,
        source: Source::from_code(code(row.5, "source")?).ok_or_else(|| bad("source"))?,
        by: ACTORS.into_iter().find(|a| actor_code(*a) == row.6).ok_or_else(|| bad("entered_by"))?,
        happened_at: Timestamp(row.7),
        entered_at: Timestamp(row.8),
        step: count(row.9, TABLE, "journal_number", event)?,
    };
    Ok((key, marked))
}

const ACTORS: [ActorKind; 4] = [ActorKind::Party, ActorKind::Staff, ActorKind::Portal, ActorKind::System];

fn actor_code(actor: ActorKind) -> i16 {
    match actor {
        ActorKind::Party => 1,
        ActorKind::Staff => 2,
        ActorKind::Portal => 3,
        ActorKind::System => 4,
    }
}
