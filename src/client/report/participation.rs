//! `eile report participation`.

use super::scope::Scope;
use super::{Report, Shown, hidden, hours, notes};
use crate::api::proto;
use crate::client::failure::{Failure, Verdict};
use crate::client::options::{Format, Reach};
use crate::client::sheet::{Column, Sheet, Value};
use crate::client::wire::Wire;
use crate::client::{bars, words};

const EXAMPLES: &str = "\
Examples:
  eile report participation --period 2025-Q1 --project ESF-0001
  eile report participation --period 2025-Q1 --project ESF-0001 --target 400 --ages 0-17,18-29,30-54,55+
  eile report participation --period 2025-Q1 --format xlsx --output q1.xlsx";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Age bands at first presence, in order [default: 0-17,18-29,30-54,55+].
    #[arg(long, value_name = "FROM-TO", value_delimiter = ',', value_parser = band)]
    ages: Vec<proto::AgeBand>,
    /// Persons that are aimed at by the end of the period.
    #[arg(long, value_name = "N", default_value_t = 0)]
    target: i64,
    /// On the screen too: the days on which somebody began, and who lacks a participant form. Files always have them.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    shown: Shown,
}

fn band(text: &str) -> Result<proto::AgeBand, String> {
    let wrong = || "give bands such as 0-17,18-29,55+".to_owned();
    let age = |text: &str| text.parse::<i32>().map_err(|_| wrong());
    if let Some(from) = text.strip_suffix('+') {
        return Ok(proto::AgeBand { from_age: age(from)?, to_age: None });
    }
    let (from, to) = text.split_once('-').ok_or_else(wrong)?;
    Ok(proto::AgeBand { from_age: age(from)?, to_age: Some(age(to)?) })
}

const NOTES: [&str; 9] = [
    notes::UNIQUE,
    notes::PARTICIPANTS,
    notes::ATTENDANCES,
    notes::PERSON_HOURS,
    notes::FAMILIES_OF_PERSONS,
    notes::SERVICES,
    notes::HEADS,
    notes::SESSIONS_PERIOD,
    notes::HIDDEN,
];

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?.in_role_of(arguments.scope.protected);
    let ask = proto::GetParticipationRequest {
        scope: Some(arguments.scope.wire()?),
        age_bands: arguments.ages.clone(),
        target: arguments.target,
    };
    let answer = wire.get_participation(ask).await?;
    let mut report = Report::open(&arguments.shown, &NOTES, answer.basis.as_ref())?;
    report.begin(Sheet::card("participation", arguments.scope.heading("Participation")?, TOTALS))?;
    report.row(totals(&answer))?;
    persons(&mut report, &answer.rows)?;
    report.begin(Sheet::rows("attendance", "Attendance", ATTENDANCE))?;
    for row in &answer.attendance {
        let key = row.key.clone().unwrap_or_default();
        let group = [words::some(&key.dimension), words::name(&key.value)];
        report.row(group.into_iter().chain(counts(row)).chain([hidden(row.suppressed)]).collect())?;
    }
    if arguments.all || arguments.shown.part.is_some() || arguments.shown.show.format != Format::Table {
        lists(&mut report, &answer)?;
    }
    report.close()
}

const TOTALS: &[Column] = &[
    Column::new("unique_participants", "Unique participants who began in the period"),
    Column::new("cumulative_participants", "Unique participants by its end"),
    Column::new("target_met", "Target met on"),
    Column::new("participants", "Participants"),
    Column::new("attendances", "Attendances"),
    Column::new("person_hours", "Person-hours"),
    Column::new("absences", "Absences"),
    Column::new("excused", "Excused"),
    Column::new("sessions", "Sessions held"),
    Column::new("families", "Families"),
    Column::new("consultations", "Consultations"),
    Column::new("heads_adults", "Heads at open events: adults"),
    Column::new("heads_children", "Heads at open events: children"),
    Column::new("heads_estimated", "Some of the heads are estimated"),
    Column::new("more_without_form", "More lack a participant form than are listed"),
    Column::new("people_hidden", "Participants of sensitive events are not listed"),
];

fn totals(answer: &proto::GetParticipationResponse) -> Vec<Value> {
    let total = answer.total.clone().unwrap_or_default();
    let first = [
        Value::maybe(answer.unique_participants),
        Value::maybe(answer.cumulative_participants),
        words::some(&answer.target_met_date),
    ];
    let last = [
        Value::maybe(answer.families),
        Value::maybe(answer.consultations),
        Value::maybe(answer.heads_adults),
        Value::maybe(answer.heads_children),
        Value::Flag(answer.heads_estimated),
        Value::Flag(answer.more_without_form),
        Value::Flag(answer.people_hidden),
    ];
    first.into_iter().chain(counts(&total)).chain(last).collect()
}

fn counts(row: &proto::AttendanceRow) -> [Value; 6] {
    [
        Value::maybe(row.participants),
        Value::maybe(row.attendances),
        hours(row.minutes),
        Value::maybe(row.absences),
        Value::maybe(row.excused),
        Value::Number(row.sessions),
    ]
}

fn persons(report: &mut Report, rows: &[proto::ParticipationRow]) -> Result<(), Failure> {
    let columns = [
        Column::new("sex", "Sex"),
        Column::new("age_from", "Age from"),
        Column::new("age_to", "to"),
        Column::screen("picture", "Unique participants"),
        Column::new("persons", "Persons"),
        Column::new("hidden", "Hidden"),
    ];
    report.begin(Sheet::rows("persons", "By sex and age at first presence", &columns))?;
    let largest = rows.iter().filter_map(|row| row.persons).max().unwrap_or(0);
    rows.iter().try_for_each(|row| {
        let persons = row.persons.unwrap_or(0);
        report.row(vec![
            words::some(&words::word(row.sex().as_str_name(), "SEX_")),
            Value::maybe(row.age_band.map(|band| band.from_age)),
            Value::maybe(row.age_band.and_then(|band| band.to_age)),
            bars::shares(persons, persons, largest, 30),
            Value::maybe(row.persons),
            hidden(row.suppressed),
        ])
    })
}

const ATTENDANCE: &[Column] = &[
    Column::new("dimension", "By"),
    Column::new("value", ""),
    Column::new("participants", "Participants"),
    Column::new("attendances", "Attendances"),
    Column::new("person_hours", "Person-hours"),
    Column::new("absences", "Absences"),
    Column::new("excused", "Excused"),
    Column::new("sessions", "Sessions"),
    Column::new("hidden", "Hidden"),
];

fn lists(report: &mut Report, answer: &proto::GetParticipationResponse) -> Result<(), Failure> {
    let columns = [Column::new("date", "Date"), Column::new("persons", "Unique participants by its end")];
    report.begin(Sheet::rows("days", "Days on which somebody began", &columns))?;
    for day in &answer.days {
        report.row(vec![words::some(&day.date), Value::Number(day.persons)])?;
    }
    let columns = [Column::new("person", "Person")];
    report.begin(Sheet::rows("without_form", "Whose participant form is not marked as received", &columns))?;
    answer.without_form.iter().try_for_each(|person| report.row(vec![words::name(person)]))
}
