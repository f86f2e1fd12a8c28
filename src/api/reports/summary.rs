//! GetAttendanceSummary: persons x sessions of one event, from one snapshot.

use crate::admission::{MarkKey, Marked, Standing};
use crate::api::caller::{Acting, Caller};
use crate::api::from_proto::{Fields, Path};
use crate::api::privacy::Sight;
use crate::api::proto::{GetAttendanceSummaryRequest, GetAttendanceSummaryResponse, SummaryPerson, SummarySession};
use crate::api::registrations::read_party;
use crate::api::to_proto::{self, int64, names, time};
use crate::api::{Api, status};
use crate::model::attendance::{Mark, MemberNo, Slot};
use crate::model::event::Event;
use crate::model::id::Number;
use crate::model::party::{Member, Party, Who};
use crate::model::text::fold;
use crate::model::time::format_local;
use crate::storage::Everything;
use std::collections::HashMap;
use tonic::Status;

/// Lines of a sheet.
const PERSONS_MAX: usize = 2_000;

type Marks<'a> = HashMap<(u16, Number, MemberNo), &'a Marked>;

impl Api {
    pub(super) async fn attendance_summary(
        &self,
        caller: Caller,
        r: GetAttendanceSummaryRequest,
    ) -> Result<GetAttendanceSummaryResponse, Status> {
        let mut fields = Fields::default();
        let event = fields.event_name(Path::Top("event"), &r.event).unwrap_or_default();
        fields.finish(()).map_err(status::fields)?;
        let everything = self.desk.store().everything(&self.reach(caller)?, event).await.map_err(status::storage)?;
        let everything = everything.ok_or_else(|| status::event_not_found(&r.event))?;
        let shown = caller.sees_people_of(everything.whole.event.details.named_roles());
        self.sheet(&everything, shown, self.sight(caller, Acting::Staff)?)
    }

    fn sheet(
        &self,
        everything: &Everything,
        shown: bool,
        sight: Sight,
    ) -> Result<GetAttendanceSummaryResponse, Status> {
        let (whole, event) = (&everything.whole, &everything.whole.event);
        let marks: Marks<'_> = whole
            .marks
            .iter()
            .map(|(MarkKey { session, number, member }, m)| ((*session, *number, *member), m))
            .collect();
        let parties: HashMap<Number, _> = everything.parties.iter().map(|row| (row.number, row)).collect();
        let mut lines = Vec::new();
        for standing in &whole.standings {
            let was_marked = whole.marks.iter().any(|(key, _)| key.number == standing.number);
            let takes_part = was_marked || (standing.seated && standing.state.is_live());
            let Some(row) = parties.get(&standing.number).filter(|_| takes_part) else { continue };
            let before = lines.len();
            self.lines(event, standing, read_party(row)?, &marks, &mut lines);
            if !shown || sight.hides(standing) {
                lines[before..].iter_mut().for_each(keep_name);
            }
            if lines.len() > PERSONS_MAX {
                return Err(status::report_too_large(PERSONS_MAX));
            }
        }
        // Where no name is told, it is the order of numbers, by which registrations are named.
        lines.sort_by_key(|line| (fold(&line.display_name), line.registration.clone(), line.member));
        let sessions: Vec<SummarySession> =
            (0..).zip(&event.terms.sessions).map(|(i, s)| column(event, s, i, &lines)).collect();
        Ok(GetAttendanceSummaryResponse {
            titles: to_proto::texts(&event.details.titles),
            project_code: event.details.project_code.clone(),
            attendances: lines.iter().map(|line| i64::from(line.sessions_present)).sum(),
            total_minutes: lines.iter().map(|line| line.total_minutes).sum(),
            sessions,
            persons: lines,
            people_hidden: !shown,
            journal_number: int64(whole.header.journal_number),
        })
    }

    fn lines(&self, event: &Event, s: &Standing, party: Party, marks: &Marks<'_>, lines: &mut Vec<SummaryPerson>) {
        let members: Vec<Option<Member>> = match party.who {
            Who::Members(members) => members.into_iter().map(Some).collect(),
            Who::Heads { adults, children } => vec![None; (adults + children) as usize],
        };
        for (place, member) in (1..).zip(members) {
            let person = member.as_ref().map(|m| names::person(self.desk.keys().person(s.id, place, m)));
            let line = SummaryPerson {
                person: person.unwrap_or_default(),
                registration: names::registration(event.id, s.id),
                member: i32::from(place),
                display_name: member.map(|m| m.name).unwrap_or_default(),
                ..SummaryPerson::default()
            };
            lines.push(marked(event, line, |slot| marks.get(&(slot.no, s.number, place)).copied()));
        }
    }
}

/// A line with its marks and sums.
fn marked<'a>(event: &Event, mut line: SummaryPerson, mark: impl Fn(&Slot) -> Option<&'a Marked>) -> SummaryPerson {
    for slot in &event.terms.sessions {
        let marked = mark(slot);
        line.marks.push(marked.map_or("", |m| sign(m.mark)).to_owned());
        let present = marked.filter(|m| m.mark == Mark::Present);
        let minutes = present.map_or(0, |m| i32::from(m.minutes));
        line.minutes.push(minutes);
        line.sessions_present += i32::from(present.is_some());
        line.total_minutes += i64::from(minutes);
    }
    let held: i64 =
        event.terms.sessions.iter().filter(|slot| !slot.cancelled).map(|slot| i64::from(slot.minutes())).sum();
    line.percent = i32::try_from(line.total_minutes * 100 / held.max(1)).unwrap_or(100).min(100);
    line
}

/// Leaves nothing of who it is.
fn keep_name(line: &mut SummaryPerson) {
    line.person.clear();
    line.display_name.clear();
}

fn sign(mark: Mark) -> &'static str {
    match mark {
        Mark::Present => "+",
        Mark::Absent => "-",
        Mark::Excused => "e",
        Mark::MadeUp => "m",
    }
}

fn column(event: &Event, slot: &Slot, at: usize, lines: &[SummaryPerson]) -> SummarySession {
    let minutes = lines.iter().filter_map(|line| line.minutes.get(at)).map(|min| i64::from(*min)).sum();
    let present = lines.iter().filter(|line| line.marks.get(at).is_some_and(|mark| mark == "+")).count();
    SummarySession {
        session_id: slot.id.clone(),
        start_local: format_local(event.terms.zone.local(slot.starts_at)),
        start_time: Some(time::instant(slot.starts_at)),
        minutes: i32::from(slot.minutes()),
        cancelled: slot.cancelled,
        present: i32::try_from(present).unwrap_or(i32::MAX),
        present_minutes: minutes,
    }
}
