//! `eile line --by-minute`: how sign-ups came after the opening.

use super::failure::{Failure, Verdict};
use super::line::{Arguments, Pages};
use super::sheet::{Column, Output, Shape, Sheet, Value};
use super::wire::Wire;
use super::{bars, words};
use crate::api::proto;
use crate::model::time::{Span, Timestamp};
use proto::RegistrationState as State;

/// What came within one minute.
#[derive(Clone, Copy, Debug, Default)]
struct Minute {
    parties: u64,
    persons: i64,
    /// Parties that have a seat now.
    seated: u64,
}

pub async fn run(arguments: &Arguments, wire: &Wire, event: &proto::Event) -> Result<Verdict, Failure> {
    let opened = event.registration_window.and_then(|window| window.open_time).map(|at| words::instant(&at));
    let mut came = Vec::new();
    let mut pages = Pages::of(&arguments.event, String::new(), proto::RegistrationView::Full);
    while let Some(page) = pages.next(wire).await? {
        came.extend(page.iter().filter_map(arrival));
    }
    came.sort_unstable_by_key(|arrival| arrival.at);
    let from = opened.or(came.first().map(|arrival| arrival.at));
    let minutes = count(&came, from, arguments.minutes);
    show(arguments, event, from, &minutes, came.len())?;
    Ok(Verdict::Done)
}

struct Arrival {
    at: Timestamp,
    persons: i32,
    seated: bool,
}

fn arrival(registration: &proto::Registration) -> Option<Arrival> {
    let at = words::instant(registration.create_time.as_ref()?);
    Some(Arrival { at, persons: registration.party_size, seated: registration.state() == State::Confirmed })
}

/// The minutes up to the last in which somebody came, at most so many. Who came before the opening (staff entered
/// them) is in none.
fn count(came: &[Arrival], from: Option<Timestamp>, most: u32) -> Vec<Minute> {
    let mut minutes: Vec<Minute> = Vec::new();
    let Some(from) = from else { return minutes };
    for arrival in came.iter().filter(|arrival| arrival.at >= from) {
        let Ok(n) = usize::try_from(arrival.at.since(from).0 / Span::seconds(60).0) else { continue };
        if n >= most as usize {
            break;
        }
        minutes.resize(minutes.len().max(n + 1), Minute::default());
        if let Some(minute) = minutes.get_mut(n) {
            minute.parties += 1;
            minute.persons += i64::from(arrival.persons);
            minute.seated += u64::from(arrival.seated);
        }
    }
    minutes
}

const COLUMNS: &[Column] = &[
    Column::new("minute", "Minute"),
    Column::files("from", "From"),
    Column::screen("picture", "█ has a seat now  ░ has none"),
    Column::new("parties", "Parties"),
    Column::new("persons", "Persons"),
    Column::new("seated_parties", "Have a seat"),
    Column::new("parties_so_far", "So far"),
];

fn show(
    arguments: &Arguments,
    event: &proto::Event,
    from: Option<Timestamp>,
    minutes: &[Minute],
    all: usize,
) -> Result<(), Failure> {
    let zone = words::zone_of(event);
    let title = words::text(&event.titles, &arguments.show.language);
    let opened = from.map(|at| zone.local(at).strftime("%Y-%m-%d %H:%M:%S").to_string()).unwrap_or_default();
    let mut output = Output::open(&arguments.show, Shape::One)?;
    let heading = format!("{title}\nSign-ups by minute from {opened} on; {all} parties in all");
    output.begin(&Sheet::rows("minutes", heading, COLUMNS))?;
    let largest = minutes.iter().map(|minute| minute.parties).max().unwrap_or(0);
    let mut so_far = 0;
    for (minute, n) in minutes.iter().zip(0_i64..) {
        so_far += minute.parties;
        let start = from.map(|from| words::wire_time(from.plus(Span::seconds(60 * n))));
        output.row(vec![
            Value::Number(n),
            words::time(start.as_ref(), &zone),
            bars::two(minute.seated, minute.parties - minute.seated, largest, 40),
            Value::Number(minute.parties.cast_signed()),
            Value::Number(minute.persons),
            Value::Number(minute.seated.cast_signed()),
            Value::Number(so_far.cast_signed()),
        ])?;
    }
    output.close()
}
