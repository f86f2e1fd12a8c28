//! `eile events`: one row per event.

use super::failure::{Failure, Verdict};
use super::options::{Reach, Show, When, short, zone};
use super::sheet::{self, Column, Sheet, Value};
use super::wire::{PAGE, Wire};
use super::{bars, words};
use crate::api::proto;
use crate::model::time::Zone;

const EXAMPLES: &str = "\
Examples:
  eile events                                       every event, with how full it is
  eile events --centre elk --state published        those of one centre that take sign-ups
  eile events --from 2025-02-01 --to 2025-03-01 --free
  eile events --filter 'programme = \"programmes/p01\" AND municipality != 42'
  eile events --format xlsx --output events.xlsx";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only those of this centre: its id.
    #[arg(long, value_name = "ID")]
    centre: Option<String>,
    /// Only those of this programme: its id.
    #[arg(long, value_name = "ID")]
    programme: Option<String>,
    /// Only those in this municipality: its code.
    #[arg(long, value_name = "CODE")]
    municipality: Option<String>,
    /// Only this kind: course, open_group, open_event, single_session, appointments, contest.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,
    /// Only in this state: draft, published, cancelled, completed.
    #[arg(long, value_name = "STATE")]
    state: Option<String>,
    /// Only those whose first session starts then or later.
    #[arg(long, value_name = "TIME")]
    from: Option<When>,
    /// Only those whose first session starts before.
    #[arg(long, value_name = "TIME")]
    to: Option<When>,
    /// Zone of --from and --to where they name none.
    #[arg(long, value_name = "ZONE", default_value = "Europe/Vilnius", value_parser = zone)]
    time_zone: Zone,
    /// Only those with free seats.
    #[arg(long)]
    free: bool,
    /// Any other terms, as ListEvents takes them.
    #[arg(long, value_name = "TERMS")]
    filter: Option<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let filter = filter(&arguments)?;
    let show = &arguments.show;
    let page = async |page_token| {
        let ask = proto::ListEventsRequest { page_size: PAGE, page_token, filter: filter.clone() };
        let page = wire.list_events(ask).await?;
        Ok((page.events.iter().map(|event| row(event, &show.language)).collect(), page.next_page_token))
    };
    sheet::list(show, &Sheet::rows("events", "", COLUMNS), page).await
}

/// The flags as one filter of ListEvents.
fn filter(arguments: &Arguments) -> Result<String, Failure> {
    let mut terms = Vec::new();
    let named = |collection: &str, id: &str| quoted(&format!("{collection}/{}", short(id, collection)));
    terms.extend(arguments.centre.as_ref().map(|id| format!("centre = {}", named("centres", id))));
    terms.extend(arguments.programme.as_ref().map(|id| format!("programme = {}", named("programmes", id))));
    terms.extend(arguments.municipality.as_ref().map(|code| format!("municipality = {}", quoted(code))));
    terms.extend(arguments.kind.as_ref().map(|kind| format!("kind = {}", quoted(&kind.to_uppercase()))));
    terms.extend(arguments.state.as_ref().map(|state| format!("state = {}", quoted(&state.to_uppercase()))));
    for (operator, when) in [(">=", arguments.from), ("<", arguments.to)] {
        if let Some(when) = when {
            terms.push(format!(
                "start_time {operator} {}",
                quoted(&when.instant(&arguments.time_zone)?.to_jiff().to_string())
            ));
        }
    }
    terms.extend(arguments.free.then(|| "has_free_seats = true".to_owned()));
    terms.extend(arguments.filter.clone());
    Ok(terms.join(" AND "))
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

pub const COLUMNS: &[Column] = &[
    Column::new("start", "Start"),
    Column::new("event", "Event"),
    Column::new("title", "Title"),
    Column::wide("centre", "Centre"),
    Column::files("programme", "Programme"),
    Column::files("municipality", "Municipality"),
    Column::files("kind", "Kind"),
    Column::wide("state", "State"),
    Column::new("seats", "Seats"),
    Column::screen("fill", "Full"),
    Column::files("confirmed_persons", "Confirmed persons"),
    Column::files("confirmed_parties", "Confirmed parties"),
    Column::files("offered_persons", "Offered persons"),
    Column::files("offered_parties", "Offered parties"),
    Column::new("free", "Free"),
    Column::new("waiting_parties", "Waiting"),
    Column::wide("waiting_persons", "persons"),
    Column::files("in_review_parties", "In review"),
    Column::files("applied_parties", "Parties that asked"),
    Column::files("applied_persons", "Persons that asked"),
    Column::files("sign_ups_open", "Sign-ups open"),
    Column::files("sign_ups_close", "Sign-ups close"),
    Column::files("end", "End"),
    Column::files("sessions", "Sessions"),
    Column::files("time_zone", "Time zone"),
];

/// An event in those columns.
pub fn row(event: &proto::Event, language: &str) -> Vec<Value> {
    let zone = words::zone_of(event);
    let counts = event.counts.unwrap_or_default();
    let held = event.sessions.iter().filter(|session| !session.cancelled);
    let (first, last) = (held.clone().next(), held.clone().next_back());
    let window = event.registration_window.unwrap_or_default();
    vec![
        words::time(first.and_then(|session| session.start_time.as_ref()), &zone),
        words::name(&event.name),
        words::some(&words::text(&event.titles, language)),
        words::name(&event.centre),
        words::name(&event.programme),
        words::some(&event.municipality_code),
        words::some(&words::word(event.kind().as_str_name(), "EVENT_KIND_")),
        words::event_state(event.state()),
        Value::maybe(counts.capacity),
        bars::fill(counts.capacity, counts.confirmed_persons, counts.offered_persons, counts.waiting_parties, 12),
        Value::number(counts.confirmed_persons),
        Value::number(counts.confirmed_parties),
        Value::number(counts.offered_persons),
        Value::number(counts.offered_parties),
        Value::maybe(counts.free),
        Value::number(counts.waiting_parties),
        Value::number(counts.waiting_persons),
        Value::number(counts.in_review_parties),
        Value::number(counts.applied_parties),
        Value::number(counts.applied_persons),
        words::time(window.open_time.as_ref(), &zone),
        words::time(window.close_time.as_ref(), &zone),
        words::time(last.and_then(|session| session.end_time.as_ref()), &zone),
        Value::number(i64::try_from(event.sessions.len()).unwrap_or(i64::MAX)),
        words::some(&event.time_zone),
    ]
}
