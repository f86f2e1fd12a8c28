//! Lists, scans and heads.

use super::party::ANSWERS;
use super::text::Alphabet;
use super::{Fields, Path};
use crate::admission::{GivenMark, WhichRegistration};
use crate::api::proto;
use crate::model::attendance::{Heads, Mark, MemberNo, Source};
use crate::model::event::Question;
use crate::model::id::{EventId, RegistrationId};
use crate::model::party::{Answer, Party};
use crate::model::time::{Span, Timestamp};
use std::collections::HashSet;

/// How far a device's clock may be ahead of the service's.
const AHEAD_MAX: Span = Span::seconds(300);
/// Longest check-in code that is looked at, with everything that people may put around it.
const CODE_MAX: usize = 40;

impl Fields {
    /// A session_id that must be there.
    pub fn session_id(&mut self, at: Path<'_>, given: String) -> String {
        self.required_code(at, given, Alphabet::Slug, 32)
    }

    /// A session_id, or empty.
    pub fn session_id_or_none(&mut self, at: Path<'_>, given: String) -> String {
        self.code(at, given, Alphabet::Slug, 32)
    }

    /// An instant that has come; a device's clock may be a little ahead.
    pub fn past(&mut self, at: Path<'_>, given: Option<prost_types::Timestamp>, now: Timestamp) -> Option<Timestamp> {
        let instant = self.instant(at, given)?;
        if instant > now.plus(AHEAD_MAX) {
            self.refuse(at, "must not be in the future");
        }
        Some(instant)
    }

    pub fn source(&mut self, at: Path<'_>, given: i32) -> Source {
        use proto::AttendanceSource as P;
        match self.word(at, given) {
            None | Some(P::Unspecified | P::PaperList) => Source::PaperList,
            Some(P::Door) => Source::Door,
            Some(P::Online) => Source::Online,
        }
    }

    /// 1 to 500 lines of one event, each member once.
    pub fn marks(&mut self, at: Path<'_>, given: Vec<proto::MarkEntry>, event: EventId) -> Vec<GivenMark> {
        let given = self.list(at, given, 1, 500);
        let mut seen = HashSet::with_capacity(given.len());
        let mut marks = Vec::with_capacity(given.len());
        for (i, line) in given.into_iter().enumerate() {
            let at = at.item(i);
            let Some(mark) = self.mark(at, &line, event) else { continue };
            if !seen.insert((mark.who.id, mark.member)) {
                self.refuse(at, "names a member who stands in the list already");
            }
            marks.push(mark);
        }
        marks
    }

    fn mark(&mut self, at: Path<'_>, line: &proto::MarkEntry, event: EventId) -> Option<GivenMark> {
        use proto::AttendanceMark as P;
        let id = self.registration_of(at.field("registration"), &line.registration, event);
        let member = self.member_number(at.field("member"), line.member);
        let mark = match self.word(at.field("mark"), line.mark) {
            Some(P::Present) => Some(Mark::Present),
            Some(P::Absent) => Some(Mark::Absent),
            Some(P::Excused) => Some(Mark::Excused),
            Some(P::MadeUp) => Some(Mark::MadeUp),
            None | Some(P::Unspecified) => None,
        };
        if mark.is_none() && line.mark == 0 {
            self.refuse(at.field("mark"), "is required");
        }
        if line.minutes.is_some() && mark.is_some_and(|m| m != Mark::Present) {
            self.refuse(at.field("minutes"), "is only for somebody PRESENT");
        }
        let minutes = line.minutes.map(|n| self.number(at.field("minutes"), n, 0, 24 * 60));
        let id = id?;
        Some(GivenMark {
            who: WhichRegistration { number: id.number(), id: Some(id) },
            member,
            mark: mark?,
            minutes: minutes.and_then(|n| u16::try_from(n).ok()),
        })
    }

    /// A registration of this event.
    pub fn registration_of(&mut self, at: Path<'_>, given: &str, event: EventId) -> Option<RegistrationId> {
        let name = self.registration_name(at, given)?;
        if name.event != event {
            self.refuse(at, "is not one of this event");
        }
        Some(name.id)
    }

    fn member_number(&mut self, at: Path<'_>, given: i32) -> MemberNo {
        self.number(at, given, 1, 1000).try_into().unwrap_or(1)
    }

    /// At most 50 members, each once.
    pub fn member_numbers(&mut self, at: Path<'_>, given: Vec<i32>) -> Vec<MemberNo> {
        let given = self.list(at, given, 0, 50);
        let mut members = Vec::with_capacity(given.len());
        for (i, member) in given.iter().enumerate() {
            if given[..i].contains(member) {
                self.refuse(at.item(i), "stands twice in the list");
            }
            members.push(self.member_number(at.item(i), *member));
        }
        members
    }

    /// Who is at the door: a registration of this event, or `None` where a code says it.
    pub fn who_is_there(&mut self, event: EventId, code: &str, name: &str) -> Option<RegistrationId> {
        let at = Path::Top("check_in_code");
        match (code.is_empty(), name.is_empty()) {
            (true, true) => self.refuse(at, "is required where there is no registration"),
            (false, false) => self.refuse(at, "and registration exclude each other"),
            (false, true) if code.len() > CODE_MAX => self.refuse(at, format!("is longer than {CODE_MAX} bytes")),
            (false, true) => {}
            (true, false) => return self.registration_of(Path::Top("registration"), name, event),
        }
        None
    }

    pub fn heads_at_session(&mut self, adults: i32, children: i32, estimated: bool) -> Heads {
        Heads {
            adults: self.number(Path::Top("adults"), adults, 0, 1_000_000),
            children: self.number(Path::Top("children"), children, 0, 1_000_000),
            estimated,
        }
    }

    /// A party at the door. Who stands there need not be reached by mail or telephone.
    pub fn walk_in_party(&mut self, given: proto::Registration, this_year: i16) -> (Party, Vec<String>) {
        self.party_reached(given, this_year, false)
    }

    /// The answers that were given, against the event's questions; none is required.
    pub fn given_answers_fit(&mut self, answers: &[Answer], questions: &[Question]) {
        let optional: Vec<Question> = questions.iter().map(|q| Question { required: false, ..q.clone() }).collect();
        self.answers_fit(ANSWERS, answers, &optional);
    }
}
