//! `eile line`: who waits, in the order in which they will be served.

use super::failure::{Failure, Verdict};
use super::options::{Reach, Show, event_name};
use super::sheet::{Column, Output, Shape, Sheet, Value};
use super::wire::{PAGE, Wire};
use super::{minutes, words};
use crate::api::proto;
use crate::model::time::Zone;
use proto::RegistrationView as View;

const EXAMPLES: &str = "\
Examples:
  eile line EVENT                                     who waits, the next one first
  eile line EVENT --all --format csv --output all.csv everybody who ever signed up, for Excel
  eile line EVENT --state offered                     who has an offer to answer
  eile line EVENT --without-names                     numbers and places only
  eile line EVENT --by-minute                         how sign-ups came after the opening, as a picture";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    pub event: String,
    /// Those in this state instead: in_review, waitlisted, offered, confirmed, cancelled ...
    #[arg(long, value_name = "STATE", default_value = "waitlisted")]
    state: String,
    /// Those in every state, ended ones too.
    #[arg(long, conflicts_with = "state")]
    all: bool,
    /// Any other terms, as ListRegistrations takes them.
    #[arg(long, value_name = "TERMS")]
    filter: Option<String>,
    /// Without names, telephone numbers and addresses.
    #[arg(long)]
    without_names: bool,
    /// How many signed up in each minute after the opening, and how many of them got a seat.
    #[arg(long, conflicts_with_all = ["state", "all", "filter", "without_names"])]
    by_minute: bool,
    /// How many minutes --by-minute shows.
    #[arg(long, value_name = "N", default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=10_080))]
    pub minutes: u32,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    pub show: Show,
}

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let event = wire.event(&arguments.event).await?;
    if arguments.by_minute {
        return minutes::run(&arguments, &wire, &event).await;
    }
    let zone = words::zone_of(&event);
    let mut output = Output::open(&arguments.show, Shape::One)?;
    let title = words::text(&event.titles, &arguments.show.language);
    output.begin(&Sheet::rows("line", title, &columns(arguments.without_names)))?;
    let view = if arguments.without_names { View::Basic } else { View::Full };
    let mut pages = Pages::of(&arguments.event, filter(&arguments), view);
    while let Some(page) = pages.next(&wire).await? {
        for registration in &page {
            output.row(row(registration, &zone, arguments.without_names))?;
        }
    }
    output.close()?;
    Ok(Verdict::Done)
}

fn filter(arguments: &Arguments) -> String {
    let state = (!arguments.all).then(|| format!("state = {}", arguments.state.to_uppercase()));
    state.into_iter().chain(arguments.filter.clone()).collect::<Vec<_>>().join(" AND ")
}

/// The registrations of an event in line order, a page at a time.
pub struct Pages {
    ask: Option<proto::ListRegistrationsRequest>,
}

impl Pages {
    pub fn of(event: &str, filter: String, view: View) -> Self {
        Self {
            ask: Some(proto::ListRegistrationsRequest {
                parent: event.to_owned(),
                page_size: PAGE,
                filter,
                view: view.into(),
                ..Default::default()
            }),
        }
    }

    pub async fn next(&mut self, wire: &Wire) -> Result<Option<Vec<proto::Registration>>, Failure> {
        let Some(ask) = self.ask.take() else { return Ok(None) };
        let page = wire.list_registrations(ask.clone()).await?;
        if !page.next_page_token.is_empty() {
            self.ask = Some(proto::ListRegistrationsRequest { page_token: page.next_page_token, ..ask });
        }
        Ok(Some(page.registrations))
    }
}

const PLACES: &[Column] = &[
    Column::new("position", "Position"),
    Column::new("accepted_number", "Number"),
    Column::new("registration", "Registration"),
    Column::wide("state", "State"),
    Column::new("persons", "Persons"),
    Column::wide("class", "Class"),
    Column::files("pool", "Pool"),
    Column::files("offer_until", "Offer until"),
    Column::files("end_reason", "Why it ended"),
    Column::wide("possible_duplicate", "Double?"),
];

const PEOPLE: &[Column] = &[
    Column::wide("signed_up", "Signed up"),
    Column::new("name", "Name"),
    Column::new("phone", "Telephone"),
    Column::wide("email", "E-mail"),
    Column::files("members", "Members"),
    Column::files("language", "Language"),
    Column::files("channel", "Channel"),
    Column::files("municipality", "Municipality"),
    Column::files("eldership", "Eldership"),
    Column::files("willing_elsewhere", "Elsewhere too"),
];

fn columns(without_names: bool) -> Vec<Column> {
    let people = if without_names { &[] } else { PEOPLE };
    PLACES.iter().chain(people).cloned().collect()
}

fn row(registration: &proto::Registration, zone: &Zone, without_names: bool) -> Vec<Value> {
    let mut row = vec![
        Value::maybe(Some(registration.position).filter(|position| *position > 0)),
        Value::Number(registration.accepted_number),
        words::name(&registration.name),
        words::registration_state(registration.state()),
        Value::number(registration.party_size),
        words::some(&registration.class),
        words::some(&registration.pool_id),
        words::time(registration.offer_expire_time.as_ref(), zone),
        words::some(&registration.end_reason),
        if registration.possible_duplicate { Value::Flag(true) } else { Value::Empty },
    ];
    if without_names {
        return row;
    }
    let contact = registration.contact.clone().unwrap_or_default();
    let members: Vec<_> = registration.members.iter().map(|member| member.display_name.as_str()).collect();
    row.extend([
        words::time(registration.create_time.as_ref(), zone),
        words::some(&contact.display_name),
        words::some(&contact.phone),
        words::some(&contact.email),
        words::some(&members.join("; ")),
        words::some(&registration.language),
        words::some(&words::word(registration.channel().as_str_name(), "CHANNEL_")),
        words::some(&registration.municipality_code),
        words::some(&registration.eldership_code),
        Value::Flag(registration.willing_elsewhere),
    ]);
    row
}
