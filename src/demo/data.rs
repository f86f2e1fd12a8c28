//! The year of real centres' events as it stands in `assets/kopa_2025.json`: who offers what, when, and who
//! asks for it. Only what the demo plays is read; the people in it are invented.

mod office;

pub use office::{OtherRequest, PaperEntry, ReportRun, SecondEntry};

use crate::model::time::{Span, Timestamp, Zone, parse_local};
use anyhow::{Context, anyhow};
use serde::Deserialize;
use std::collections::BTreeMap;

const YEAR: &[u8] = include_bytes!("../../assets/kopa_2025.json");

#[derive(Deserialize)]
pub struct Year {
    pub meta: Meta,
    pub municipalities: Vec<Municipality>,
    pub centres: Vec<Centre>,
    pub projects: Vec<Project>,
    pub venues: Vec<Venue>,
    pub programmes: Vec<Programme>,
    pub priority_policies: Vec<PriorityPolicy>,
    pub offer_rules: Vec<OfferRule>,
    pub quiet_hours: QuietHours,
    pub events: Vec<Event>,
    pub specialists: Vec<Specialist>,
    pub households: Vec<Household>,
    pub other_requests: Vec<OtherRequest>,
    pub report_runs: Vec<ReportRun>,
    pub paper_entries: Vec<PaperEntry>,
}

#[derive(Deserialize)]
pub struct Meta {
    pub timezone: String,
}

#[derive(Deserialize)]
pub struct Municipality {
    pub code: String,
    pub short_lt: String,
    pub elderships: Vec<Eldership>,
}

#[derive(Deserialize)]
pub struct Eldership {
    pub id: String,
    pub name_lt: String,
}

#[derive(Deserialize)]
pub struct Centre {
    pub id: String,
    pub name_lt: String,
    pub municipality: String,
    pub languages: Vec<String>,
    pub contact_demo: CentreContact,
}

#[derive(Deserialize)]
pub struct CentreContact {
    pub email: String,
    pub phone: String,
}

#[derive(Deserialize)]
pub struct Project {
    pub id: String,
    pub code: Option<String>,
}

#[derive(Deserialize)]
pub struct Venue {
    pub id: String,
    pub name_lt: String,
    pub municipality: Option<String>,
}

#[derive(Deserialize)]
pub struct Programme {
    pub id: String,
    pub name_lt: String,
    pub name_en: String,
    pub kind: String,
    pub project: String,
    pub sessions: Option<i32>,
    pub hours_per_session: Option<i64>,
    pub group_size: Option<(i32, i32)>,
    pub certificate_min_attendance_pct: Option<i32>,
    #[serde(default)]
    pub makeup_sessions: i32,
}

#[derive(Deserialize)]
pub struct PriorityPolicy {
    pub id: String,
    pub order: Vec<String>,
    pub reserved: BTreeMap<String, i32>,
    pub release_reserved_before_start: Option<String>,
}

#[derive(Deserialize)]
pub struct OfferRule {
    pub time_to_start_from: String,
    pub answer_window: Option<String>,
}

#[derive(Deserialize)]
pub struct QuietHours {
    pub from: String,
    pub to: String,
}

#[derive(Deserialize)]
pub struct Event {
    pub id: String,
    pub centre: String,
    pub programme: String,
    pub project: String,
    pub kind: String,
    pub title: BTreeMap<String, String>,
    pub venue: String,
    pub mode: String,
    pub languages_of_event: Vec<String>,
    pub capacity: Capacity,
    pub registration: Registration,
    pub sessions: Vec<Session>,
    pub attendance_rule: AttendanceRule,
    pub services_offered: Services,
    pub counting: Counting,
    pub demand: Demand,
    pub scripted_actions: Vec<Scripted>,
}

#[derive(Deserialize)]
pub struct Capacity {
    pub value: Option<i32>,
    pub min_to_start: Option<i32>,
}

#[derive(Deserialize)]
pub struct Registration {
    pub opens: Moment,
    pub closes: Moment,
    pub policy: String,
    pub approval: String,
    pub invite_only: bool,
    pub join_midway: bool,
}

#[derive(Deserialize)]
pub struct Session {
    pub n: u32,
    pub starts: Moment,
    pub ends: Moment,
}

/// A wall-clock time, and the instant that the file says it is.
#[derive(Deserialize)]
pub struct Moment {
    pub local: String,
    pub utc: String,
}

#[derive(Deserialize)]
pub struct AttendanceRule {
    pub min_pct: Option<i32>,
    pub makeup_sessions: i32,
}

#[derive(Deserialize)]
pub struct Services {
    pub childcare_places: i32,
    pub transport_places: i32,
}

/// Whether people are counted by name, or by their heads alone.
#[derive(Deserialize)]
pub struct Counting {
    pub named_participants: bool,
}

#[derive(Deserialize)]
pub struct Demand {
    pub parties: usize,
    pub persons: i32,
    pub party_size_counts: BTreeMap<String, usize>,
    pub group_parties: Vec<Group>,
    pub arrivals_after_opening: BTreeMap<String, usize>,
    pub channel_counts: BTreeMap<String, usize>,
    pub language_counts: BTreeMap<String, usize>,
    pub home_municipality_counts: BTreeMap<String, usize>,
    pub priority_class_counts: BTreeMap<String, usize>,
    pub double_submissions: usize,
    pub incomplete_or_ineligible: usize,
    pub changes_before_start: Changes,
    pub cancelled_confirmed_persons: BTreeMap<String, i32>,
    pub left_waitlist_persons: i32,
    pub offer_answers_pct: Answers,
    /// Of the confirmed persons, session by session.
    pub attendance_by_session_pct: Vec<i32>,
    pub walk_ins_persons: i32,
    pub childcare_children_requested: i32,
    pub transport_persons_requested: i32,
    pub accessibility_requests: usize,
}

#[derive(Deserialize)]
pub struct Group {
    pub label_lt: String,
    pub by_org: Option<String>,
    pub adults: i32,
    pub children: i32,
}

#[derive(Deserialize)]
pub struct Changes {
    pub party_smaller_by_one: usize,
    pub party_larger_by_one: usize,
    pub contact_changed: usize,
}

/// What comes of offers, in percent; the rest gets no answer.
#[derive(Clone, Copy, Deserialize)]
pub struct Answers {
    pub accept: usize,
    pub decline: usize,
}

#[derive(Clone, Deserialize)]
pub struct Scripted {
    pub at_local: String,
    pub action: String,
    pub persons: Option<i32>,
    pub invited_persons: Option<i32>,
    pub accepted_persons: Option<i32>,
    pub from: Option<i32>,
    pub to: Option<i32>,
    pub group: Option<usize>,
    pub session: Option<u32>,
    pub to_local: Option<String>,
    pub source_event: Option<String>,
    pub to_event: Option<String>,
    pub reason_lt: Option<String>,
}

#[derive(Deserialize)]
pub struct Specialist {
    pub id: String,
    pub first: String,
    pub last: String,
    pub sex: String,
    pub municipality: String,
    pub organisation_demo: String,
    pub email: String,
}

#[derive(Deserialize)]
pub struct Household {
    pub id: String,
    pub municipality: String,
    pub eldership: Option<String>,
    pub language: String,
    pub kind: String,
    pub tags: Vec<String>,
    pub contact: HouseholdContact,
    pub needs: Vec<String>,
    pub members: Vec<Person>,
}

#[derive(Deserialize)]
pub struct HouseholdContact {
    pub person: String,
    pub email: Option<String>,
    pub phone: Option<String>,
}

#[derive(Deserialize)]
pub struct Person {
    pub id: String,
    pub first: String,
    pub last: String,
    pub sex: String,
    pub birth_year: i32,
    pub relation: String,
}

impl Year {
    pub fn read() -> anyhow::Result<Self> {
        serde_json::from_slice(YEAR).context("the demo's year is not readable")
    }

    pub fn zone(&self) -> anyhow::Result<Zone> {
        let name = &self.meta.timezone;
        Zone::named(name).ok_or_else(|| anyhow!("no such time zone: {name}"))
    }

    pub fn policy(&self, id: &str) -> anyhow::Result<&PriorityPolicy> {
        self.priority_policies.iter().find(|p| p.id == id).ok_or_else(|| anyhow!("no such policy: {id}"))
    }

    pub fn centre(&self, id: &str) -> anyhow::Result<&Centre> {
        self.centres.iter().find(|c| c.id == id).ok_or_else(|| anyhow!("no such centre: {id}"))
    }

    /// The short name of a municipality.
    pub fn municipality(&self, code: &str) -> &str {
        let found = self.municipalities.iter().find(|m| m.code == code);
        found.map_or("", |m| m.short_lt.as_str())
    }

    /// The code that events of a project are reported under.
    pub fn project_code(&self, id: &str) -> String {
        let project = self.projects.iter().find(|p| p.id == id);
        project.and_then(|p| p.code.clone()).unwrap_or_else(|| id.to_owned())
    }
}

/// A wall-clock time as an instant.
pub fn instant(zone: &Zone, local: &str) -> anyhow::Result<Timestamp> {
    let civil = parse_local(local).ok_or_else(|| anyhow!("not a local time: {local}"))?;
    zone.instant(civil).map_err(|_| anyhow!("the clock change leaves out {local}"))
}

/// An instant as the file writes it, `2025-02-04T15:30Z`.
pub fn utc(text: &str) -> anyhow::Result<Timestamp> {
    let with_seconds = text.replace('Z', ":00Z");
    let at: jiff::Timestamp = with_seconds.parse().with_context(|| format!("not an instant: {text}"))?;
    Ok(Timestamp(at.as_microsecond()))
}

/// A length of time of one unit, such as `P7D`, `PT48H`, `PT1M` or `PT0S`; a day has 24 hours.
pub fn span(text: &str) -> anyhow::Result<Span> {
    let bad = || anyhow!("not a length of time: {text}");
    let rest = text.strip_prefix('P').ok_or_else(bad)?;
    let rest = rest.strip_prefix('T').unwrap_or(rest);
    let unit = rest.chars().last().ok_or_else(bad)?;
    let number: i64 = rest.trim_end_matches(unit).parse().map_err(|_| bad())?;
    let seconds = match unit {
        'D' => 86_400,
        'H' => 3_600,
        'M' => 60,
        'S' => 1,
        _ => return Err(bad()),
    };
    Ok(Span::seconds(number * seconds))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn the_year_is_whole_and_its_sums_are_right() {
        let year = Year::read().unwrap();
        assert_eq!(year.centres.len(), 6);
        assert_eq!(year.programmes.len(), 19);
        assert_eq!(year.events.len(), 69);
        assert_eq!(year.events.iter().map(|e| e.sessions.len()).sum::<usize>(), 427);
        assert_eq!(year.events.iter().map(|e| e.demand.parties).sum::<usize>(), 1888);
        assert_eq!(year.events.iter().map(|e| e.demand.persons).sum::<i32>(), 2883);
    }

    #[test]
    fn local_times_are_the_instants_that_the_file_says_across_both_clock_changes() {
        let year = Year::read().unwrap();
        let zone = year.zone().unwrap();
        for moment in year.events.iter().flat_map(|e| &e.sessions).flat_map(|s| [&s.starts, &s.ends]) {
            assert_eq!(instant(&zone, &moment.local).unwrap(), utc(&moment.utc).unwrap(), "{}", moment.local);
        }
    }
}
