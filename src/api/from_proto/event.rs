//! A whole event: what people read of it, and the terms under which seats are given.
//!
//! An update goes the same way as a creation: the stored event is rendered, the fields that the mask names
//! are laid over it, and the whole is read again. So a rule that holds at creation holds ever after.

use super::text::Alphabet;
use super::{Fields, Path, seats, slots};
use crate::api::access_keys::role_of;
use crate::api::proto;
use crate::api::rights::MAY_BE_NAMED;
use crate::model::access::Role;
use crate::model::event::{AttendanceRule, Details, EventKind, Question, Sensitivity, Terms};
use crate::model::id::ProgrammeId;
use crate::model::time::{Timestamp, Zone};

/// Fields of an event that can be replaced.
pub const EVENT_FIELDS: &[&str] = &[
    "programme",
    "project_code",
    "titles",
    "descriptions",
    "venue",
    "municipality_code",
    "time_zone",
    "sessions",
    "registration_window",
    "seat_pools",
    "waitlist_policy",
    "party_limits",
    "approval_required",
    "join_midway",
    "minimum_to_start",
    "services_offered",
    "questions",
    "languages",
    "attendance_rule",
    "sensitivity",
];

/// What stands for fields that are left out.
pub struct Defaults {
    pub zone: Zone,
    pub municipality_code: String,
    pub languages: Vec<String>,
    pub kind: Option<EventKind>,
    pub project_code: String,
    pub attendance_rule: Option<AttendanceRule>,
}

/// An event without what the service itself sets.
pub struct EventParts {
    pub programme: Option<ProgrammeId>,
    pub details: Details,
    pub terms: Terms,
}

const AT: Path<'static> = Path::Top("event");

impl Fields {
    /// A whole event. `old` are its terms where it exists already.
    pub fn event(&mut self, given: proto::Event, defaults: &Defaults, old: Option<&Terms>) -> EventParts {
        let zone = self.zone(AT.field("time_zone"), &given.time_zone, &defaults.zone);
        let programme = match given.programme.as_str() {
            "" => None,
            name => self.programme_name(AT.field("programme"), name),
        };
        let mut details = self.details(&given, defaults);
        details.titles = self.texts(AT.field("titles"), given.titles, 1, 200);
        details.descriptions = self.texts(AT.field("descriptions"), given.descriptions, 0, 5000);
        details.venue = given.venue.map(|v| self.venue(AT.field("venue"), v)).unwrap_or_default();
        details.sessions = self.sessions(AT.field("sessions"), given.sessions, &zone, old);
        details.sensitivity = given.sensitivity.map(|s| self.sensitivity(AT.field("sensitivity"), s));
        details.questions = self.questions(AT.field("questions"), given.questions);
        let (opens_at, closes_at) = self.window(AT.field("registration_window"), given.registration_window);
        let (party_min, party_max) = self.limits(AT.field("party_limits"), given.party_limits.unwrap_or_default());
        let pools = self.pools(AT.field("seat_pools"), given.seat_pools, &details.sessions, old);
        let sessions = slots::slots(&details.sessions, old);
        let (starts_at, ends_at) = slots::bounds(&sessions);
        let terms = Terms {
            opens_at,
            closes_at,
            starts_at,
            ends_at,
            last_retired_session: slots::last_retired(old, &sessions),
            sessions,
            last_retired: seats::last_retired(old, &pools),
            retired: seats::retired(old, &pools),
            pools,
            policy: self.policy(
                AT.field("waitlist_policy"),
                given.waitlist_policy,
                old.map_or(1, |t| t.policy.version),
            ),
            party_min,
            party_max,
            approval_required: given.approval_required,
            join_midway: given.join_midway,
            zone,
        };
        EventParts { programme, details, terms: with_next_policy_version(terms, old) }
    }

    /// The small fields; lists and messages are read by the caller.
    fn details(&mut self, given: &proto::Event, defaults: &Defaults) -> Details {
        let kind = self.event_kind(AT.field("kind"), given.kind).or(defaults.kind);
        if given.kind == 0 && kind.is_none() {
            self.refuse(AT.field("kind"), "is required without a programme");
        }
        let services = given.services_offered.unwrap_or_default();
        let at = AT.field("services_offered");
        let languages = self.languages(AT.field("languages"), given.languages.clone());
        let municipality =
            self.code(AT.field("municipality_code"), given.municipality_code.clone(), Alphabet::Mixed, 10);
        let project = self.code(AT.field("project_code"), given.project_code.clone(), Alphabet::Project, 40);
        let rule = self.attendance_rule(AT.field("attendance_rule"), given.attendance_rule);
        Details {
            project_code: if project.is_empty() { defaults.project_code.clone() } else { project },
            titles: Vec::new(),
            descriptions: Vec::new(),
            kind: kind.unwrap_or(EventKind::Course),
            venue: Default::default(),
            municipality_code: if municipality.is_empty() { defaults.municipality_code.clone() } else { municipality },
            languages: if languages.is_empty() { defaults.languages.clone() } else { languages },
            sessions: Vec::new(),
            minimum_to_start: self.number(AT.field("minimum_to_start"), given.minimum_to_start, 0, 1_000_000),
            childcare_places: self.number(at.field("childcare_places"), services.childcare_places, 0, 1000),
            rides: self.number(at.field("rides"), services.rides, 0, 1000),
            questions: Vec::new(),
            attendance_rule: rule.or(defaults.attendance_rule),
            sensitivity: None,
        }
    }

    fn sensitivity(&mut self, at: Path<'_>, given: proto::Sensitivity) -> Sensitivity {
        let proto::Sensitivity { named_roles, neutral_titles, unlisted } = given;
        let mut roles = Vec::new();
        for (i, word) in self.list(at.field("named_roles"), named_roles, 0, 4).into_iter().enumerate() {
            let role = proto::Role::try_from(word).ok().and_then(role_of).filter(|role| MAY_BE_NAMED.has(*role));
            match role.filter(|role| !roles.contains(role)) {
                Some(role) => roles.push(role),
                None => {
                    let why = "must be ROLE_LEADER, ROLE_PSYCHOLOGIST, ROLE_COORDINATOR or ROLE_HEAD, each once";
                    self.refuse(at.field("named_roles").item(i), why);
                }
            }
        }
        if roles.is_empty() {
            roles = vec![Role::Psychologist, Role::Head];
        }
        let neutral_titles = self.texts(at.field("neutral_titles"), neutral_titles, 0, 200);
        Sensitivity { named_roles: roles, neutral_titles, unlisted }
    }

    fn window(
        &mut self,
        at: Path<'_>,
        given: Option<proto::RegistrationWindow>,
    ) -> (Option<Timestamp>, Option<Timestamp>) {
        let Some(given) = given else { return (None, None) };
        let opens_at = self.instant(at.field("open_time"), given.open_time);
        let closes_at = self.instant(at.field("close_time"), given.close_time);
        if opens_at.zip(closes_at).is_some_and(|(open, close)| close <= open) {
            self.refuse(at.field("close_time"), "must be later than open_time");
        }
        (opens_at, closes_at)
    }

    fn limits(&mut self, at: Path<'_>, given: proto::PartyLimits) -> (u32, u32) {
        let min = self.number_or(at.field("min_size"), given.min_size, 1, 1, 1000);
        let max = self.number_or(at.field("max_size"), given.max_size, 1000, min, 1000);
        (min, max)
    }

    fn questions(&mut self, at: Path<'_>, given: Vec<proto::Question>) -> Vec<Question> {
        let given = self.list(at, given, 0, 20);
        let mut questions = Vec::with_capacity(given.len());
        for (i, question) in given.into_iter().enumerate() {
            let at = at.item(i);
            let proto::Question { question_id, texts, required, max_length } = question;
            questions.push(Question {
                id: self.required_code(at.field("question_id"), question_id, Alphabet::Slug, 32),
                texts: self.texts(at.field("texts"), texts, 1, 300),
                required,
                max_length: self.number_or(at.field("max_length"), max_length, 500, 1, 1000),
            });
        }
        self.unique(at, "question_id", questions.iter().map(|q| q.id.as_str()));
        questions
    }
}

/// A policy that differs from the old one in anything is the next version of it.
fn with_next_policy_version(mut terms: Terms, old: Option<&Terms>) -> Terms {
    if old.is_some_and(|old| old.policy != terms.policy) {
        terms.policy.version = terms.policy.version.saturating_add(1);
    }
    terms
}

/// Replaces the named fields of an event by those of `new`.
pub fn overlay_event(stored: &mut proto::Event, new: &proto::Event, mask: &[&str]) {
    for field in mask {
        match *field {
            "programme" => stored.programme.clone_from(&new.programme),
            "project_code" => stored.project_code.clone_from(&new.project_code),
            "titles" => stored.titles.clone_from(&new.titles),
            "descriptions" => stored.descriptions.clone_from(&new.descriptions),
            "venue" => stored.venue.clone_from(&new.venue),
            "municipality_code" => stored.municipality_code.clone_from(&new.municipality_code),
            "time_zone" => stored.time_zone.clone_from(&new.time_zone),
            "sessions" => stored.sessions.clone_from(&new.sessions),
            "registration_window" => stored.registration_window = new.registration_window,
            "seat_pools" => stored.seat_pools.clone_from(&new.seat_pools),
            "waitlist_policy" => stored.waitlist_policy.clone_from(&new.waitlist_policy),
            "party_limits" => stored.party_limits = new.party_limits,
            "approval_required" => stored.approval_required = new.approval_required,
            "join_midway" => stored.join_midway = new.join_midway,
            "minimum_to_start" => stored.minimum_to_start = new.minimum_to_start,
            "services_offered" => stored.services_offered = new.services_offered,
            "questions" => stored.questions.clone_from(&new.questions),
            "languages" => stored.languages.clone_from(&new.languages),
            "attendance_rule" => stored.attendance_rule = new.attendance_rule,
            "sensitivity" => stored.sensitivity.clone_from(&new.sensitivity),
            _ => {}
        }
    }
}
