//! Who came, on the wire.

use super::{int32, int64, names, time, words};
use crate::admission::{Change, Entry, MarkKey, Marked, SessionCounts};
use crate::api::proto;
use crate::model::attendance::{Heads, Mark, Source};
use crate::model::id::{EventId, RegistrationId};
use crate::model::registration::ActorKind;
use crate::model::time::Timestamp;

pub fn mark_word(mark: Mark) -> proto::AttendanceMark {
    match mark {
        Mark::Present => proto::AttendanceMark::Present,
        Mark::Absent => proto::AttendanceMark::Absent,
        Mark::Excused => proto::AttendanceMark::Excused,
        Mark::MadeUp => proto::AttendanceMark::MadeUp,
    }
}

fn source_word(source: Source) -> proto::AttendanceSource {
    match source {
        Source::PaperList => proto::AttendanceSource::PaperList,
        Source::Door => proto::AttendanceSource::Door,
        Source::Online => proto::AttendanceSource::Online,
    }
}

/// A mark as it stands, without what it was before.
pub fn mark(
    event: EventId,
    registration: RegistrationId,
    key: MarkKey,
    session_id: &str,
    marked: &Marked,
) -> proto::Attendance {
    let Marked { mark, minutes, source, by, happened_at, entered_at, step } = *marked;
    proto::Attendance {
        session_id: session_id.to_owned(),
        registration: names::registration(event, registration),
        member: i32::from(key.member),
        mark: mark_word(mark).into(),
        minutes: i32::from(minutes),
        source: source_word(source).into(),
        actor_kind: words::actor(by).into(),
        happen_time: Some(time::instant(happened_at)),
        enter_time: Some(time::instant(entered_at)),
        journal_number: int64(step),
        corrections: Vec::new(),
    }
}

/// A mark that was corrected, from the entry that had set it.
pub fn before(entry: &Entry, key: MarkKey) -> Option<proto::MarkBefore> {
    let (source, happened_at, marks) = match &entry.change {
        Change::AttendanceRecorded { source, happened_at, marks, .. } => (*source, happened_at, marks),
        Change::CheckedIn { happened_at, marks, .. } => (Source::Door, happened_at, marks),
        _ => return None,
    };
    let set = marks.iter().find(|m| m.number == key.number && m.member == key.member)?;
    Some(proto::MarkBefore {
        mark: mark_word(set.mark).into(),
        minutes: i32::from(set.minutes),
        source: source_word(source).into(),
        actor_kind: words::actor(entry.actor).into(),
        happen_time: Some(time::instant(*happened_at)),
        enter_time: Some(time::instant(entry.at)),
        journal_number: int64(entry.number),
    })
}

pub fn heads(
    heads: Heads,
    happened_at: Timestamp,
    by: ActorKind,
    entered_at: Timestamp,
    step: u64,
) -> proto::HeadsAtSession {
    let Heads { adults, children, estimated } = heads;
    proto::HeadsAtSession {
        adults: int32(adults),
        children: int32(children),
        estimated,
        actor_kind: words::actor(by).into(),
        happen_time: Some(time::instant(happened_at)),
        enter_time: Some(time::instant(entered_at)),
        journal_number: int64(step),
    }
}

/// The heads that an entry counted.
pub fn heads_of(entry: &Entry) -> Option<proto::HeadsAtSession> {
    match &entry.change {
        Change::HeadsCounted { heads: counted, happened_at, .. } => {
            Some(heads(*counted, *happened_at, entry.actor, entry.at, entry.number))
        }
        _ => None,
    }
}

pub fn counts(session_id: &str, counts: &SessionCounts) -> proto::SessionAttendance {
    let SessionCounts { session: _, present, absent, excused, made_up, minutes, heads: counted } = *counts;
    proto::SessionAttendance {
        session_id: session_id.to_owned(),
        present: int32(present),
        absent: int32(absent),
        excused: int32(excused),
        made_up: int32(made_up),
        person_minutes: i64::from(minutes),
        heads: counted.map(|c| heads(c.heads, c.happened_at, c.by, c.entered_at, c.step)),
    }
}
