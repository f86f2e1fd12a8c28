//! `eile report summary`: the sheet that goes into the folder, with a line for the signature.

use super::{Report, Shown, hours, notes};
use crate::api::proto;
use crate::client::failure::{Failure, Verdict};
use crate::client::options::{Reach, event_name};
use crate::client::sheet::{Column, Place, Sheet, Tone, Value};
use crate::client::wire::Wire;
use crate::client::words;

const EXAMPLES: &str = "\
Examples:
  eile report summary EVENT
  eile report summary EVENT --format xlsx --output group.xlsx     A4 across the page, to print and sign
  eile report summary EVENT --part summary --bare --format csv";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    event: String,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    shown: Shown,
}

const SIGNATURE: &str = "Group leader: ____________________   Signature: ____________________   Date: ____________";

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let event = wire.event(&arguments.event).await?;
    let answer = wire.get_attendance_summary(proto::GetAttendanceSummaryRequest { event: event.name.clone() }).await?;
    let title = words::text(&answer.titles, &arguments.shown.show.language);
    let project = if answer.project_code.is_empty() { String::new() } else { format!(", {}", answer.project_code) };
    let heading = format!("{title}{project}");
    let state = format!("State of the event's change no. {}.", answer.journal_number);
    let notes = [heading.as_str(), notes::ATTENDANCES, notes::PERSON_HOURS, notes::MARKS, &state, SIGNATURE];
    let mut report = Report::open(&arguments.shown, &notes, None)?;
    report.begin(Sheet::rows("summary", "", &columns(&answer.sessions)))?;
    for person in &answer.persons {
        report.row(line(person, &answer.sessions))?;
    }
    sessions(&mut report, &answer, &event)?;
    report.close()
}

fn columns(sessions: &[proto::SummarySession]) -> Vec<Column> {
    let column = |session: &proto::SummarySession| Column {
        key: session.session_id.clone().into(),
        title: format!("{} {}", session.session_id, day(&session.start_local)).into(),
        place: Place::Everywhere,
    };
    let mut columns = vec![
        Column::new("name", "Name"),
        Column::files("registration", "Registration"),
        Column::files("member", "Member"),
        Column::files("person", "Person"),
    ];
    columns.extend(sessions.iter().map(column));
    columns.extend([
        Column::new("sessions_present", "Sessions"),
        Column::new("hours", "Hours"),
        Column::new("percent", "Percent"),
    ]);
    columns
}

/// `02-04` of `2025-02-04T17:30`.
fn day(local: &str) -> &str {
    local.get(5..10).unwrap_or(local)
}

fn line(person: &proto::SummaryPerson, sessions: &[proto::SummarySession]) -> Vec<Value> {
    let marks = person.marks.iter().zip(&person.minutes).zip(sessions);
    let marks = marks.map(|((mark, minutes), session)| mark_of(mark, *minutes, session.minutes));
    let who = [
        words::some(&person.display_name),
        words::name(&person.registration),
        Value::number(person.member),
        words::name(&person.person),
    ];
    let sums =
        [Value::number(person.sessions_present), hours(Some(person.total_minutes)), Value::number(person.percent)];
    who.into_iter().chain(marks).chain(sums).collect()
}

/// Letters: a plus or a minus would begin like a formula.
fn mark_of(mark: &str, minutes: i32, all: i32) -> Value {
    match mark {
        "+" if minutes < all => Value::Word(format!("P {minutes}"), Tone::Heed),
        "+" => Value::Word("P".to_owned(), Tone::Good),
        "-" => Value::Word("A".to_owned(), Tone::Bad),
        "e" => Value::Word("E".to_owned(), Tone::Heed),
        "m" => Value::Word("M".to_owned(), Tone::Good),
        _ => Value::Empty,
    }
}

fn sessions(
    report: &mut Report,
    answer: &proto::GetAttendanceSummaryResponse,
    event: &proto::Event,
) -> Result<(), Failure> {
    let columns = [
        Column::new("session", "Session"),
        Column::new("start", "Start"),
        Column::new("minutes", "Minutes"),
        Column::new("present", "Present"),
        Column::new("person_hours", "Person-hours"),
        Column::new("called_off", "Called off"),
    ];
    let zone = words::zone_of(event);
    report.begin(Sheet::rows("sessions", "Sessions", &columns))?;
    for session in &answer.sessions {
        report.row(vec![
            words::some(&session.session_id),
            words::time(session.start_time.as_ref(), &zone),
            Value::number(session.minutes),
            Value::number(session.present),
            hours(Some(session.present_minutes)),
            Value::Flag(session.cancelled),
        ])?;
    }
    let columns = [Column::new("attendances", "Attendances"), Column::new("person_hours", "Person-hours")];
    report.begin(Sheet::card("total", "All together", &columns))?;
    report.row(vec![Value::Number(answer.attendances), hours(Some(answer.total_minutes))])
}
