//! `eile event`: one event, made, published, or shown with its seats and its meetings.

use super::failure::{Failure, Verdict};
use super::options::{Reach, Show, event_name};
use super::sheet::{Column, Output, Place, Sheet, Value};
use super::wire::Wire;
use super::{bars, events, new_event, words};
use crate::api::proto;
use crate::model::time::Zone;
use clap::Subcommand;

#[derive(Subcommand)]
pub enum Verb {
    /// Shows one event: its facts, its seats, its sessions.
    Show(Arguments),
    /// Creates an event as a draft that nobody can sign up for yet.
    Create(Box<new_event::Create>),
    /// Publishes a draft: from then on it takes sign-ups.
    Publish(new_event::Publish),
}

const EXAMPLES: &str = "\
Examples:
  eile event show 0198c2f4-6d1e-7c3a-9f00-2b6f5d1c7e11
  eile event show events/0198c2f4-6d1e-7c3a-9f00-2b6f5d1c7e11 --format json
  eile event show EVENT --part sessions --format csv";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The event: events/{uuid}, or the uuid.
    #[arg(value_name = "EVENT", value_parser = event_name)]
    event: String,
    /// Only one of its tables: event, pools or sessions.
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    show: Show,
}

pub async fn run(verb: Verb) -> Result<Verdict, Failure> {
    match verb {
        Verb::Show(arguments) => show(arguments).await,
        Verb::Create(arguments) => new_event::create(*arguments).await,
        Verb::Publish(arguments) => new_event::publish(arguments).await,
    }
}

async fn show(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?;
    let event = wire.event(&arguments.event).await?;
    tell(&event, &arguments.show, arguments.part.as_deref())
}

/// An event with its tables, or one of them.
pub(super) fn tell(event: &proto::Event, show: &Show, part: Option<&str>) -> Result<Verdict, Failure> {
    let zone = words::zone_of(event);
    let mut output = Output::open_part(show, part)?;
    let title = words::text(&event.titles, &show.language);
    let columns: Vec<Column> = events::COLUMNS.iter().chain(MORE).map(everywhere).collect();
    output.begin(&Sheet::card("event", title, &columns))?;
    let mut facts = events::row(event, &show.language);
    facts.extend(more(event, &show.language));
    output.row(facts)?;
    output.begin(&Sheet::rows("pools", "Seats", POOLS))?;
    for pool in &event.seat_pools {
        output.row(pool_row(pool, &zone))?;
    }
    output.begin(&Sheet::rows("sessions", "Sessions", SESSIONS))?;
    for session in &event.sessions {
        output.row(session_row(session, event, &zone))?;
    }
    output.close()?;
    Ok(Verdict::Done)
}

/// A card has room for everything.
fn everywhere(column: &Column) -> Column {
    match column.place {
        Place::Files | Place::Wide => Column { place: Place::Everywhere, ..column.clone() },
        _ => column.clone(),
    }
}

const MORE: &[Column] = &[
    Column::new("venue", "Venue"),
    Column::new("promotion", "Freed seats"),
    Column::new("party_fit", "Party that does not fit"),
    Column::new("approval_required", "Approval required"),
    Column::new("offers_made", "Offers made"),
    Column::new("offers_accepted", "Offers accepted"),
    Column::new("offers_declined", "Offers declined"),
    Column::new("offers_missed", "Offers missed"),
    Column::new("cancelled_parties", "Parties that cancelled"),
    Column::new("over_capacity", "Persons too many"),
    Column::new("named_roles", "People shown to"),
    Column::new("neutral_title", "Title outside"),
    Column::new("cancel_reason", "Why it was cancelled"),
    Column::new("journal_number", "Last change"),
];

/// Of a sensitive event; empty: everybody of the staff sees who comes.
fn named_roles(sensitivity: Option<&proto::Sensitivity>) -> String {
    let roles = sensitivity.map(|s| s.named_roles().map(|role| words::word(role.as_str_name(), "ROLE_")));
    roles.map(|roles| roles.collect::<Vec<_>>().join(", ")).unwrap_or_default()
}

fn more(event: &proto::Event, language: &str) -> Vec<Value> {
    let counts = event.counts.unwrap_or_default();
    let policy = event.waitlist_policy.clone().unwrap_or_default();
    let neutral = event.sensitivity.as_ref().map_or(&[][..], |sensitivity| &sensitivity.neutral_titles);
    vec![
        words::some(&place(event.venue.as_ref())),
        words::some(&words::word(policy.promotion().as_str_name(), "PROMOTION_")),
        words::some(&words::word(policy.party_fit().as_str_name(), "PARTY_FIT_")),
        Value::Flag(event.approval_required),
        Value::number(counts.offers_made),
        Value::number(counts.offers_accepted),
        Value::number(counts.offers_declined),
        Value::number(counts.offers_missed),
        Value::number(counts.cancelled_parties),
        Value::number(counts.over_capacity),
        words::some(&named_roles(event.sensitivity.as_ref())),
        words::some(&words::text(neutral, language)),
        words::some(&event.cancel_reason),
        Value::Number(event.journal_number),
    ]
}

const POOLS: &[Column] = &[
    Column::new("pool", "Pool"),
    Column::new("seats", "Seats"),
    Column::screen("fill", "Full"),
    Column::new("confirmed_persons", "Confirmed"),
    Column::new("offered_persons", "Offered"),
    Column::new("free", "Free"),
    Column::new("classes", "Kept for"),
    Column::new("release", "until"),
    Column::new("session", "Session"),
];

fn pool_row(pool: &proto::SeatPool, zone: &Zone) -> Vec<Value> {
    let counts = pool.counts.clone().unwrap_or_default();
    vec![
        words::some(&pool.pool_id),
        Value::maybe(pool.capacity),
        bars::fill(pool.capacity, counts.confirmed_persons, counts.offered_persons, 0, 20),
        Value::number(counts.confirmed_persons),
        Value::number(counts.offered_persons),
        Value::maybe(counts.free),
        words::some(&pool.classes.join(", ")),
        words::time(pool.release_time.as_ref(), zone),
        words::some(&pool.session_id),
    ]
}

const SESSIONS: &[Column] = &[
    Column::new("session", "Session"),
    Column::new("start", "Start"),
    Column::new("end", "End"),
    Column::new("venue", "Venue"),
    Column::new("note", "Note"),
    Column::new("called_off", "Called off"),
];

fn session_row(session: &proto::Session, event: &proto::Event, zone: &Zone) -> Vec<Value> {
    vec![
        words::some(&session.session_id),
        words::time(session.start_time.as_ref(), zone),
        words::time(session.end_time.as_ref(), zone),
        words::some(&place(session.venue.as_ref().or(event.venue.as_ref()))),
        words::some(&session.note),
        Value::Flag(session.cancelled),
    ]
}

fn place(venue: Option<&proto::Venue>) -> String {
    let Some(venue) = venue else { return String::new() };
    let parts = [&venue.display_name, &venue.address, &venue.link];
    parts.into_iter().filter(|part| !part.is_empty()).cloned().collect::<Vec<_>>().join(", ")
}
