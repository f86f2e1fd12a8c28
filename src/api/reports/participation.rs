//! GetParticipation.

use super::scope::Asked;
use super::{Shown, basis, int64, key, programme_name};
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{
    self, AgeBand, AttendanceRow, CumulativeDay, GetParticipationRequest, GetParticipationResponse, ParticipationRow,
};
use crate::api::to_proto::names;
use crate::api::{Api, status};
use crate::model::access::Role;
use crate::model::party::Sex;
use crate::report::{self, Attendances, Band, Basis, Participation, Wanted};
use tonic::Status;

/// Ids that are answered.
const IDS_MAX: usize = 10_000;
/// The age bands of ESF+.
const ESF_PLUS: [Band; 4] = [
    Band { from: 0, to: Some(17) },
    Band { from: 18, to: Some(29) },
    Band { from: 30, to: Some(54) },
    Band { from: 55, to: None },
];

impl Api {
    /// For nobody in particular, where there is no reader: then who is in a sensitive event is not named at all.
    pub(super) async fn participation(
        &self,
        reader: Option<Caller>,
        shown: Shown,
        r: GetParticipationRequest,
    ) -> Result<(GetParticipationResponse, Basis), Status> {
        let mut fields = Fields::default();
        let asked = fields.report_scope(r.scope, shown);
        let bands = bands(&mut fields, r.age_bands, shown);
        if r.target < 0 {
            fields.refuse(Path::Top("target"), "must not be negative");
        }
        fields.finish(()).map_err(status::fields)?;
        self.closed_for(shown, &asked)?;
        let people = self.reports.people().await.map_err(status::storage)?;
        let day = |at| asked.day(at);
        let weekday = |at| asked.weekday(at);
        let shows = |named: Option<&[Role]>| reader.map_or(named.is_none(), |caller| caller.sees_people_of(named));
        let wanted = Wanted {
            from: asked.scope.from,
            before: asked.scope.before,
            people: &people,
            day: &day,
            weekday: &weekday,
            shows: &shows,
        };
        let (events, mut rests_on) = self.reports.events_until(&asked.scope).await.map_err(status::report)?;
        rests_on.people_number = people.number();
        let mut took_part = Participation::default();
        let take = |digested: &report::Digested, facts: Vec<report::Fact>| took_part.add(&wanted, digested, &facts);
        self.reports.each_fact(&events, take).await.map_err(status::report)?;
        let target = u64::try_from(r.target).unwrap_or(0);
        let answer = render(&mut took_part, &wanted, &asked, (&bands, target), shown);
        Ok((GetParticipationResponse { basis: Some(basis(&rests_on, shown)), ..answer }, rests_on))
    }
}

/// The bands that are asked for. Narrow ones tell the age of each of a few, so whoever sees protected figures has but one set.
fn bands(fields: &mut Fields, given: Vec<AgeBand>, shown: Shown) -> Vec<Band> {
    let asked = asked_bands(fields, given);
    if !shown.is_exact() && fields.is_sound() && asked != ESF_PLUS {
        fields.refuse(Path::Top("age_bands"), "must be left out where small counts are not shown");
    }
    asked
}

fn asked_bands(fields: &mut Fields, given: Vec<AgeBand>) -> Vec<Band> {
    if given.is_empty() {
        return ESF_PLUS.to_vec();
    }
    let at = Path::Top("age_bands");
    let mut bands: Vec<Band> = Vec::new();
    for (i, band) in fields.list(at, given, 0, 20).into_iter().enumerate() {
        let item = at.item(i);
        let from = fields.number(item.field("from_age"), band.from_age, 0, 150);
        let to = band.to_age.map(|to| fields.number(item.field("to_age"), to, from, 200));
        let follows = bands.last().is_none_or(|last| last.to.is_some_and(|to| u32::from(to) < from));
        if !follows {
            fields.refuse(item.field("from_age"), "must be above the band before it");
        }
        let short = |n: u32| u16::try_from(n).unwrap_or(u16::MAX);
        bands.push(Band { from: short(from), to: to.map(short) });
    }
    bands
}

fn render(
    took_part: &mut Participation,
    wanted: &Wanted<'_>,
    asked: &Asked,
    (bands, target): (&[Band], u64),
    shown: Shown,
) -> GetParticipationResponse {
    let days = took_part.days(wanted);
    let met = days.iter().find(|(_, persons)| target > 0 && *persons >= target);
    let without_form = if shown.is_exact() { without_form(took_part, wanted, asked) } else { Vec::new() };
    let alone = |n: u64| (!shown.hides(&[n])).then(|| int64(shown.count(n)));
    let in_period = days.iter().filter(|(day, _)| wanted.from.is_none_or(|from| *day >= asked.day(from).0));
    let row = |((sex, band), persons): (&(u8, Option<Band>), &u64)| ParticipationRow {
        sex: sex_word(*sex).into(),
        age_band: band.map(age_band),
        persons: alone(*persons),
        suppressed: shown.hides(&[*persons]),
    };
    let began = took_part.began(wanted, bands);
    let singles: Vec<Vec<u64>> = began.values().map(|persons| vec![*persons]).collect();
    let all = took_part.beginners(wanted);
    let (total, attendance) = sessions(took_part, shown);
    let gives_away = !shown.told_together(&[singles], &[all]).total;
    GetParticipationResponse {
        unique_participants: alone(all).filter(|_| !gives_away),
        // A line stands only where somebody is: of a few, lines alone would tell who they are.
        rows: began.iter().filter(|_| !shown.hides(&[all])).map(row).collect(),
        cumulative_participants: alone(took_part.cumulative(wanted)),
        target_met_date: met.filter(|_| shown.is_exact()).map(|(day, _)| day.clone()).unwrap_or_default(),
        days: in_period
            .filter(|_| shown.is_exact())
            .map(|(date, persons)| CumulativeDay { date: date.clone(), persons: int64(*persons) })
            .collect(),
        total: Some(total),
        attendance,
        families: alone(took_part.families(wanted.people)),
        consultations: alone(took_part.consultations),
        heads_adults: alone(took_part.heads_adults),
        heads_children: alone(took_part.heads_children),
        heads_estimated: took_part.heads_estimated,
        more_without_form: without_form.len() > IDS_MAX,
        without_form: without_form.into_iter().take(IDS_MAX).collect(),
        basis: None,
        people_hidden: took_part.people_hidden && shown.is_exact(),
    }
}

/// Who lacks a form, of those whom the reader may know.
fn without_form(took_part: &Participation, wanted: &Wanted<'_>, asked: &Asked) -> Vec<String> {
    let forms = wanted.people.forms_of(&asked.scope.project);
    let beginners = took_part.shown_beginners(wanted).into_iter();
    beginners.filter(|person| !forms.contains(person)).map(names::person).collect()
}

/// The dimensions of the sessions' lines. Those of one event are for whoever sees figures as they are.
const DIMENSIONS: [&str; 7] = ["channel", "eldership", "language", "month", "municipality", "programme", "weekday"];

/// All sessions together, and their lines by each dimension: what gives no other line away.
fn sessions(took_part: &Participation, shown: Shown) -> (AttendanceRow, Vec<AttendanceRow>) {
    let all = &took_part.total;
    let table = |wanted: &&str| -> Vec<Vec<u64>> {
        let of = took_part.by.iter().filter(|((dimension, _), _)| dimension == wanted);
        of.map(|(_, counts)| counts.counts().to_vec()).collect()
    };
    let tables: Vec<_> = DIMENSIONS.iter().map(table).collect();
    let told = shown.told_together(&tables, &all.counts());
    let is_told = |wanted: &str| {
        let at = DIMENSIONS.iter().position(|dimension| *dimension == wanted);
        shown.is_exact() || at.and_then(|at| told.tables.get(at)).copied().unwrap_or(false)
    };
    let lines = took_part.by.iter().filter(|((dimension, _), _)| shown.is_exact() || *dimension != "event");
    // A line stands only where somebody is: of a few, lines alone would tell who they are.
    let lines = lines.filter(|_| !shown.hides(&[all.participants]));
    let line = |((dimension, value), counts): (&(&'static str, String), &Attendances)| {
        attendance(Some((*dimension, value.as_str())), counts, all, (shown, is_told(dimension)))
    };
    (attendance(None, all, all, (shown, told.total)), lines.map(line).collect())
}

fn attendance(
    by: Option<(&str, &str)>,
    counts: &Attendances,
    all: &Attendances,
    (shown, told): (Shown, bool),
) -> AttendanceRow {
    let suppressed = !told || shown.hides(&counts.counts());
    let count = |n| (!suppressed).then(|| int64(shown.count(n)));
    let value = |dimension: &str, value: &str| match dimension {
        "event" => format!("events/{value}"),
        "programme" => programme_name(value),
        _ => value.to_owned(),
    };
    // Lines by who came have no sessions of their own.
    let held = if counts.sessions == 0 { all } else { counts };
    let minutes = shown.minutes(counts.minutes, counts.attendances, held.planned_minutes, held.sessions);
    AttendanceRow {
        key: by.map(|(dimension, of)| key(dimension, &value(dimension, of))),
        participants: count(counts.participants),
        attendances: count(counts.attendances),
        minutes: (!suppressed).then(|| int64(minutes)),
        absences: count(counts.absences),
        excused: count(counts.excused),
        sessions: int64(counts.sessions),
        suppressed,
    }
}

fn age_band(band: Band) -> AgeBand {
    AgeBand { from_age: i32::from(band.from), to_age: band.to.map(i32::from) }
}

fn sex_word(code: u8) -> proto::Sex {
    let all = [
        (Sex::NotGiven, proto::Sex::Unspecified),
        (Sex::Female, proto::Sex::Female),
        (Sex::Male, proto::Sex::Male),
        (Sex::Other, proto::Sex::Other),
    ];
    all.into_iter().find(|(sex, _)| *sex as u8 == code).map_or(proto::Sex::Unspecified, |(_, word)| word)
}
