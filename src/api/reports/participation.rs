//! GetParticipation.

use super::scope::Asked;
use super::{Shown, basis, int64, key, programme_name};
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::{
    self, AgeBand, AttendanceRow, CumulativeDay, GetParticipationRequest, GetParticipationResponse, ParticipationRow,
};
use crate::api::to_proto::names;
use crate::api::{Api, status};
use crate::model::party::Sex;
use crate::report::{self, Attendances, Band, Basis, Participation, People, Wanted};
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
    pub(super) async fn participation(
        &self,
        shown: Shown,
        r: GetParticipationRequest,
    ) -> Result<(GetParticipationResponse, Basis), Status> {
        let mut fields = Fields::default();
        let asked = fields.report_scope(r.scope);
        let bands = bands(&mut fields, r.age_bands);
        if r.target < 0 {
            fields.refuse(Path::Top("target"), "must not be negative");
        }
        fields.finish(()).map_err(status::fields)?;
        self.closed_for(shown, &asked)?;
        let people = self.reports.people().await.map_err(status::storage)?;
        let day = |at| asked.day(at);
        let weekday = |at| asked.weekday(at);
        let wanted = Wanted {
            from: asked.scope.from,
            before: asked.scope.before,
            people: &people,
            day: &day,
            weekday: &weekday,
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

fn bands(fields: &mut Fields, given: Vec<AgeBand>) -> Vec<Band> {
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
    let beginners = took_part.beginners(wanted);
    let days = took_part.days(wanted);
    let met = days.iter().find(|(_, persons)| target > 0 && *persons >= target);
    let without_form = if shown.is_exact() { without_form(&beginners, wanted.people, asked) } else { Vec::new() };
    let alone = |n: u64| (!shown.hides(&[n])).then(|| int64(shown.count(n)));
    let in_period = days.iter().filter(|(day, _)| wanted.from.is_none_or(|from| *day >= asked.day(from).0));
    let row = |((sex, band), persons): (&(u8, Option<Band>), &u64)| ParticipationRow {
        sex: sex_word(*sex).into(),
        age_band: band.map(age_band),
        persons: alone(*persons),
        suppressed: shown.hides(&[*persons]),
    };
    let began = took_part.began(wanted, bands);
    let singles: Vec<[u64; 1]> = began.values().map(|persons| [*persons]).collect();
    let all = beginners.len() as u64;
    let gives_away = shown.hides_total(singles.iter().map(|row| &row[..]), &[all]);
    GetParticipationResponse {
        unique_participants: alone(all).filter(|_| !gives_away),
        rows: began.iter().map(row).collect(),
        cumulative_participants: alone(took_part.cumulative(wanted)),
        target_met_date: met.filter(|_| shown.is_exact()).map(|(day, _)| day.clone()).unwrap_or_default(),
        days: in_period
            .filter(|_| shown.is_exact())
            .map(|(date, persons)| CumulativeDay { date: date.clone(), persons: int64(*persons) })
            .collect(),
        total: Some(total(took_part, shown)),
        attendance: took_part
            .by
            .iter()
            .filter(|((dimension, _), _)| shown.is_exact() || *dimension != "event")
            .map(|((dimension, value), counts)| attendance(Some((dimension, value)), counts, shown))
            .collect(),
        families: alone(took_part.families(wanted.people)),
        consultations: alone(took_part.consultations),
        heads_adults: int64(shown.count(took_part.heads_adults)),
        heads_children: int64(shown.count(took_part.heads_children)),
        heads_estimated: took_part.heads_estimated,
        more_without_form: without_form.len() > IDS_MAX,
        without_form: without_form.into_iter().take(IDS_MAX).collect(),
        basis: None,
    }
}

fn without_form(beginners: &[crate::model::person::PersonId], people: &People, asked: &Asked) -> Vec<String> {
    let forms = people.forms_of(&asked.scope.project);
    beginners.iter().filter(|person| !forms.contains(person)).map(|person| names::person(*person)).collect()
}

/// All sessions together, where that gives no row away.
fn total(took_part: &Participation, shown: Shown) -> AttendanceRow {
    let sums = took_part.total.counts();
    let gives_away = |wanted: &str| {
        let rows = took_part.by.iter().filter(|((dimension, _), _)| *dimension == wanted);
        let rows: Vec<_> = rows.map(|(_, counts)| counts.counts()).collect();
        shown.hides_total(rows.iter().map(|row| &row[..]), &sums)
    };
    if ["programme", "month", "municipality", "weekday", "eldership", "language", "channel"].into_iter().any(gives_away)
    {
        return AttendanceRow {
            suppressed: true,
            sessions: int64(took_part.total.sessions),
            ..AttendanceRow::default()
        };
    }
    attendance(None, &took_part.total, shown)
}

fn attendance(by: Option<(&str, &str)>, counts: &Attendances, shown: Shown) -> AttendanceRow {
    let suppressed = shown.hides(&counts.counts());
    let count = |n| (!suppressed).then(|| int64(shown.count(n)));
    let value = |dimension: &str, value: &str| match dimension {
        "event" => format!("events/{value}"),
        "programme" => programme_name(value),
        _ => value.to_owned(),
    };
    AttendanceRow {
        key: by.map(|(dimension, of)| key(dimension, &value(dimension, of))),
        participants: count(counts.participants),
        attendances: count(counts.attendances),
        minutes: count(counts.minutes),
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
