//! Centres and programmes.

use super::text::Alphabet;
use super::{Fields, Path};
use crate::api::proto;
use crate::model::centre::{Centre, Eldership, Programme};
use crate::model::event::{AttendanceRule, EventKind};
use crate::model::id::{CentreId, ProgrammeId};
use crate::model::time::{Span, Timestamp, Zone};

/// Fields of a centre that can be replaced.
pub const CENTRE_FIELDS: &[&str] = &["display_names", "municipality_code", "elderships", "time_zone", "languages"];

/// Fields of a programme that can be replaced.
pub const PROGRAMME_FIELDS: &[&str] = &[
    "titles",
    "kind",
    "usual_session_count",
    "usual_session_duration",
    "group_size_min",
    "group_size_max",
    "attendance_rule",
    "project_code",
];

/// The zone of those who name none.
pub fn home_zone() -> Zone {
    Zone::named("Europe/Vilnius").unwrap_or_else(Zone::utc)
}

impl Fields {
    /// A whole centre. Name, times and version are the caller's business.
    pub fn centre(&mut self, given: proto::Centre, id: CentreId) -> Centre {
        let at = Path::Top("centre");
        let proto::Centre { name: _, display_names, municipality_code, elderships, time_zone, languages, .. } = given;
        let mut languages = self.languages(at.field("languages"), languages);
        if languages.is_empty() {
            languages.push("lt".to_owned());
        }
        Centre {
            id,
            display_names: self.texts(at.field("display_names"), display_names, 1, 200),
            municipality_code: self.required_code(
                at.field("municipality_code"),
                municipality_code,
                Alphabet::Mixed,
                10,
            ),
            elderships: self.elderships(at.field("elderships"), elderships),
            time_zone: self.zone(at.field("time_zone"), &time_zone, &home_zone()),
            languages,
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        }
    }

    fn elderships(&mut self, at: Path<'_>, given: Vec<proto::Eldership>) -> Vec<Eldership> {
        let given = self.list(at, given, 0, 100);
        let mut elderships = Vec::with_capacity(given.len());
        for (i, proto::Eldership { code, display_name }) in given.into_iter().enumerate() {
            let at = at.item(i);
            elderships.push(Eldership {
                code: self.required_code(at.field("code"), code, Alphabet::Mixed, 16),
                name: self.required_line(at.field("display_name"), display_name, 200),
            });
        }
        self.unique(at, "code", elderships.iter().map(|e| e.code.as_str()));
        elderships
    }

    /// A whole programme. Name, times and version are the caller's business.
    pub fn programme(&mut self, given: proto::Programme, id: ProgrammeId) -> Programme {
        let at = Path::Top("programme");
        let day = Span::hours(24);
        let kind = self.event_kind(at.field("kind"), given.kind);
        if given.kind == 0 {
            self.refuse(at.field("kind"), "is required");
        }
        let group_size_min = self.number(at.field("group_size_min"), given.group_size_min, 0, 1_000_000);
        Programme {
            id,
            titles: self.texts(at.field("titles"), given.titles, 1, 200),
            kind: kind.unwrap_or(EventKind::Course),
            usual_session_count: self.number(at.field("usual_session_count"), given.usual_session_count, 0, 200),
            usual_session_duration: self.span(
                at.field("usual_session_duration"),
                given.usual_session_duration,
                Span(1),
                day,
            ),
            group_size_min,
            group_size_max: self.number_or(
                at.field("group_size_max"),
                given.group_size_max,
                0,
                group_size_min,
                1_000_000,
            ),
            attendance_rule: self.attendance_rule(at.field("attendance_rule"), given.attendance_rule),
            project_code: self.code(at.field("project_code"), given.project_code, Alphabet::Project, 40),
            created_at: Timestamp::default(),
            updated_at: Timestamp::default(),
            version: 1,
        }
    }

    pub fn attendance_rule(&mut self, at: Path<'_>, given: Option<proto::AttendanceRule>) -> Option<AttendanceRule> {
        let proto::AttendanceRule { min_percent, makeup_sessions } = given?;
        Some(AttendanceRule {
            min_percent: self.number(at.field("min_percent"), min_percent, 0, 100),
            makeup_sessions: self.number(at.field("makeup_sessions"), makeup_sessions, 0, 50),
        })
    }

    pub fn event_kind(&mut self, at: Path<'_>, given: i32) -> Option<EventKind> {
        self.word::<proto::EventKind>(at, given).and_then(event_kind)
    }
}

/// The model's word; `None` for the zero word.
pub fn event_kind(word: proto::EventKind) -> Option<EventKind> {
    Some(match word {
        proto::EventKind::Unspecified => return None,
        proto::EventKind::Course => EventKind::Course,
        proto::EventKind::OpenGroup => EventKind::OpenGroup,
        proto::EventKind::OpenEvent => EventKind::OpenEvent,
        proto::EventKind::SingleSession => EventKind::SingleSession,
        proto::EventKind::Appointments => EventKind::Appointments,
        proto::EventKind::Contest => EventKind::Contest,
    })
}

/// Replaces the named fields of a centre by those of `new`.
pub fn overlay_centre(stored: &mut proto::Centre, new: proto::Centre, mask: &[&str]) {
    for field in mask {
        match *field {
            "display_names" => stored.display_names = new.display_names.clone(),
            "municipality_code" => stored.municipality_code = new.municipality_code.clone(),
            "elderships" => stored.elderships = new.elderships.clone(),
            "time_zone" => stored.time_zone = new.time_zone.clone(),
            "languages" => stored.languages = new.languages.clone(),
            _ => {}
        }
    }
}

/// Replaces the named fields of a programme by those of `new`.
pub fn overlay_programme(stored: &mut proto::Programme, new: proto::Programme, mask: &[&str]) {
    for field in mask {
        match *field {
            "titles" => stored.titles = new.titles.clone(),
            "kind" => stored.kind = new.kind,
            "usual_session_count" => stored.usual_session_count = new.usual_session_count,
            "usual_session_duration" => stored.usual_session_duration = new.usual_session_duration,
            "group_size_min" => stored.group_size_min = new.group_size_min,
            "group_size_max" => stored.group_size_max = new.group_size_max,
            "attendance_rule" => stored.attendance_rule = new.attendance_rule,
            "project_code" => stored.project_code = new.project_code.clone(),
            _ => {}
        }
    }
}
