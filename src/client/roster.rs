//! `eile roster`: a session's sheet. In CSV it is also the form that `eile attendance import` takes back.

use super::choices;
use super::failure::{Failure, Verdict};
use super::options::{Reach, Show, event_name};
use super::sheet::{Column, Output, Shape, Sheet, Value};
use super::wire::{PAGE, Wire};
use super::words;
use crate::api::proto;

const EXAMPLES: &str = "\
Examples:
  eile roster EVENT --session s1
  eile roster EVENT --session s1 --format csv --output list.csv
                          fill in the column mark, and hand the file to eile attendance import";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    event: String,
    /// The session, such as s1.
    #[arg(long, value_name = "SESSION")]
    session: String,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let event = wire.event(&arguments.event).await?;
    let mut ask = proto::GetRosterRequest {
        parent: arguments.event.clone(),
        session_id: arguments.session.clone(),
        page_size: PAGE,
        page_token: String::new(),
    };
    let mut page = wire.get_roster(ask.clone()).await?;
    let mut output = Output::open(&arguments.show, Shape::One)?;
    let heading = heading(&event, &arguments, page.session.as_ref());
    output.begin(&Sheet::rows("roster", heading, &columns()))?;
    loop {
        for entry in &page.entries {
            rows(entry).into_iter().try_for_each(|row| output.row(row))?;
        }
        ask.page_token = std::mem::take(&mut page.next_page_token);
        if ask.page_token.is_empty() {
            output.close()?;
            return Ok(Verdict::Done);
        }
        page = wire.get_roster(ask.clone()).await?;
    }
}

fn heading(event: &proto::Event, arguments: &Arguments, counts: Option<&proto::SessionAttendance>) -> String {
    let title = words::text(&event.titles, &arguments.show.language);
    let session = event.sessions.iter().find(|session| session.session_id == arguments.session);
    let times = session.map(|s| format!("{} to {}", s.start_local.replace('T', " "), after_t(&s.end_local)));
    let counts = counts.cloned().unwrap_or_default();
    format!(
        "{title}\n{}, {}: {} present, {} absent, {} excused, {} made up",
        arguments.session,
        times.unwrap_or_default(),
        counts.present,
        counts.absent,
        counts.excused,
        counts.made_up
    )
}

fn after_t(local: &str) -> &str {
    local.split_once('T').map_or(local, |(_, time)| time)
}

/// The columns of the form that an import takes; those that it reads come first.
pub const KEYS: [&str; 12] = [
    "registration",
    "member",
    "mark",
    "minutes",
    "name",
    "age",
    "persons",
    "present",
    "childcare",
    "rides",
    "consents",
    "restricted",
];

fn columns() -> Vec<Column> {
    let [registration, member, mark, minutes, name, age, persons, present, childcare, rides, consents, restricted] =
        KEYS;
    vec![
        Column::new(registration, "Registration"),
        Column::new(member, "Member"),
        Column::new(mark, "Mark"),
        Column::new(minutes, "Minutes"),
        Column::new(name, "Name"),
        Column::wide(age, "Age"),
        Column::wide(persons, "Persons"),
        Column::wide(present, "Present"),
        Column::wide(childcare, "Childcare"),
        Column::wide(rides, "Rides"),
        Column::wide(consents, "Consents to"),
        Column::wide(restricted, "Restricted"),
    ]
}

/// A row per member; a party without names is one row without a member.
fn rows(entry: &proto::RosterEntry) -> Vec<Vec<Value>> {
    let wishes = entry.services.unwrap_or_default();
    // On the day somebody asks who may be photographed: every row says it.
    let consents: Vec<String> = entry.consents().map(choices::purpose).collect();
    let consents = consents.join(" ");
    let shared = |persons: Value, present: Value| {
        let wish = |n: i32| if n == 0 { Value::Empty } else { Value::number(n) };
        let restricted = words::some(if entry.restricted { "restricted" } else { "" });
        let (childcare, rides) = (wish(wishes.childcare_children), wish(wishes.rides));
        [persons, present, childcare, rides, words::some(&consents), restricted]
    };
    if entry.members.is_empty() {
        let heads = entry.head_count.unwrap_or_default();
        let row = [words::name(&entry.registration), Value::Empty, Value::Empty, Value::Empty];
        let row = row.into_iter().chain([words::some(&entry.display_name), Value::Empty]);
        return vec![
            row.chain(shared(Value::number(heads.adults + heads.children), Value::number(entry.present))).collect(),
        ];
    }
    let members = entry.members.iter();
    members
        .map(|member| member_row(entry, member).into_iter().chain(shared(Value::Empty, Value::Empty)).collect())
        .collect()
}

fn member_row(entry: &proto::RosterEntry, member: &proto::RosterMember) -> [Value; 6] {
    use proto::AttendanceMark as M;
    let present = member.mark() == M::Present;
    [
        words::name(&entry.registration),
        Value::number(member.member),
        words::mark(member.mark()),
        if present { Value::number(member.minutes) } else { Value::Empty },
        words::some(&member.display_name),
        words::some(&words::word(member.age_group().as_str_name(), "AGE_GROUP_")),
    ]
}
