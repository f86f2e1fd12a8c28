//! `eile access-log`: who of the staff read personal data and who decided.

use super::failure::{Failure, Verdict};
use super::keys::role_word;
use super::options::{Clock, Reach, Show, When, event_name};
use super::sheet::{Column, Output, Shape, Sheet, Tone, Value};
use super::wire::{PAGE, Wire};
use super::words;
use crate::api::proto;
use crate::model::time::Zone;

const EXAMPLES: &str = "\
Examples:
  eile access-log                                      the rows of your centre, newest first
  eile access-log --since 2026-11-01 --until 2026-12-01 --format csv --output november.csv
  eile access-log --event EVENT                        who looked at the people of one event
  eile access-log --registration EVENT/registrations/ID
  eile access-log --of-key 0f1e2d3c4b5a6978 --limit 100   what one key did last";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only rows of this centre: its id.
    #[arg(long, value_name = "ID")]
    centre: Option<String>,
    /// Only rows about this event: events/{uuid}, or the uuid.
    #[arg(long, value_name = "EVENT", value_parser = event_name)]
    event: Option<String>,
    /// Only rows about this registration: events/{uuid}/registrations/{uuid}.
    #[arg(long, value_name = "REGISTRATION")]
    registration: Option<String>,
    /// Only rows of this access key, or of this user who signed in: its name, or its id.
    #[arg(long, value_name = "KEY")]
    of_key: Option<String>,
    /// At or after this time.
    #[arg(long, value_name = "TIME")]
    since: Option<When>,
    /// Before this time.
    #[arg(long, value_name = "TIME")]
    until: Option<When>,
    /// End after so many rows.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    #[command(flatten)]
    clock: Clock,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

const COLUMNS: &[Column] = &[
    Column::new("time", "Time"),
    Column::new("access_key", "Key"),
    Column::new("role", "Role"),
    Column::wide("person", "Person"),
    Column::new("method", "Call"),
    Column::new("kind", "Kind"),
    Column::new("outcome", "Outcome"),
    Column::wide("centre", "Centre"),
    Column::wide("event", "Event"),
    Column::new("registration", "Registration"),
    Column::wide("rows_max", "Rows at most"),
    Column::files("request_id", "Request"),
    Column::files("reason", "Reason"),
    Column::files("left_out", "Left out before"),
];

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let mut output = Output::open(&arguments.show, Shape::One)?;
    output.begin(&Sheet::rows("access_log", arguments.clock.heading("Who read and who decided"), COLUMNS))?;
    let mut left = arguments.limit.unwrap_or(u64::MAX);
    let mut ask = Some(first(&arguments)?);
    while let Some(asked) = ask.take().filter(|_| left > 0) {
        let page = wire.list_access_entries(asked.clone()).await?;
        for entry in page.entries.iter().take(usize::try_from(left).unwrap_or(usize::MAX)) {
            output.row(row(entry, &arguments.clock.time_zone))?;
            left -= 1;
        }
        if !page.next_page_token.is_empty() {
            ask = Some(proto::ListAccessEntriesRequest { page_token: page.next_page_token, ..asked });
        }
    }
    output.close()?;
    Ok(Verdict::Done)
}

fn first(arguments: &Arguments) -> Result<proto::ListAccessEntriesRequest, Failure> {
    let at = |when: Option<When>| when.map(|when| when.wire(&arguments.clock.time_zone)).transpose();
    let named = |collection: &str, given: &Option<String>| match given {
        Some(given) if given.starts_with(collection) => given.clone(),
        Some(given) => format!("{collection}{given}"),
        None => String::new(),
    };
    Ok(proto::ListAccessEntriesRequest {
        centre: named("centres/", &arguments.centre),
        start_time: at(arguments.since)?,
        end_time: at(arguments.until)?,
        event: arguments.event.clone().unwrap_or_default(),
        registration: named("events/", &arguments.registration),
        access_key: named(if is_user(&arguments.of_key) { "users/" } else { "accessKeys/" }, &arguments.of_key),
        page_size: PAGE,
        page_token: String::new(),
    })
}

/// Ids of users begin with a letter that no key's has.
fn is_user(given: &Option<String>) -> bool {
    given.as_ref().is_some_and(|given| given.starts_with('u'))
}

fn row(entry: &proto::AccessEntry, zone: &Zone) -> Vec<Value> {
    let name = words::name;
    let count = |n: i32| Value::maybe(Some(n).filter(|n| *n > 0));
    let tone = if entry.outcome == "OK" { Tone::Plain } else { Tone::Heed };
    let role = if entry.role == 0 { String::new() } else { role_word(entry.role) };
    vec![
        words::time(entry.time.as_ref(), zone),
        name(&entry.access_key),
        words::some(&role),
        words::some(&entry.person),
        Value::Text(entry.method.clone()),
        words::some(&words::word(entry.kind().as_str_name(), "ACCESS_KIND_").to_lowercase()),
        Value::Word(entry.outcome.clone(), tone),
        name(&entry.centre),
        name(&entry.event),
        name(&entry.registration),
        count(entry.rows_max),
        words::some(&entry.request_id),
        words::some(&entry.reason),
        count(entry.left_out),
    ]
}
