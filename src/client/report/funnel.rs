//! `eile report funnel`.

use super::scope::Scope;
use super::{Report, Shown, hidden, notes};
use crate::api::proto;
use crate::client::failure::{Failure, Verdict};
use crate::client::options::{Reach, event_name};
use crate::client::sheet::{Column, Sheet, Value};
use crate::client::wire::Wire;
use crate::client::words;

const EXAMPLES: &str = "\
Examples:
  eile report funnel --period 2025                    by channel and by centre
  eile report funnel --event EVENT                    one event, and its line with and without priority classes
  eile report funnel --period 2025 --format json";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Only this event; then the order with and without priority classes is shown too.
    #[arg(long, value_name = "EVENT", value_parser = event_name)]
    event: Option<String>,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    shown: Shown,
}

const NOTES: [&str; 5] = [notes::ADMITTED, notes::REFUSED, notes::LATE, notes::PERIOD, notes::HIDDEN];

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?.in_role_of(arguments.scope.protected);
    let event = arguments.event.clone().unwrap_or_default();
    let ask = proto::GetWaitlistFunnelRequest { scope: Some(arguments.scope.wire()?), event: event.clone() };
    let answer = wire.get_waitlist_funnel(ask).await?;
    let mut report = Report::open(&arguments.shown, &NOTES, answer.basis.as_ref())?;
    let heading = arguments.scope.heading("What became of the waiting lines")?;
    report.begin(Sheet::card("funnel", heading, &[OFFERS, LATE].concat()))?;
    let late = [answer.late_cancelled_seats, answer.late_filled_seats, answer.admitted_ahead_by_class];
    let total = answer.total.clone().unwrap_or_default();
    report.row(offers(&total).into_iter().chain(late.map(Value::maybe)).collect())?;
    let group = [Column::new("dimension", "By"), Column::new("value", "")];
    report.begin(Sheet::rows("offers", "By channel of the sign-up, and by centre", &[&group[..], OFFERS].concat()))?;
    for row in &answer.rows {
        let key = row.key.clone().unwrap_or_default();
        let group = [words::some(&key.dimension), words::name(&key.value)];
        report.row(group.into_iter().chain(offers(row)).collect())?;
    }
    if !event.is_empty() {
        order(&mut report, &answer.order)?;
    }
    report.close()
}

const OFFERS: &[Column] = &[
    Column::new("offers_made", "Offers"),
    Column::new("offers_accepted", "accepted"),
    Column::new("offers_declined", "declined"),
    Column::new("offers_expired", "missed"),
    Column::wide("offers_open", "open"),
    Column::wide("answers", "Answers"),
    Column::new("answer_median_hours", "after hours: median"),
    Column::wide("answer_p90_hours", "p90"),
    Column::files("waited", "Parties that waited for an offer or a seat"),
    Column::new("offer_median_days", "Days to an offer: median"),
    Column::wide("offer_p90_days", "p90"),
    Column::files("admitted", "Parties admitted"),
    Column::new("session_median_days", "Days to the first session: median"),
    Column::wide("session_p90_days", "p90"),
    Column::new("hidden", "Hidden"),
];

const LATE: &[Column] = &[
    Column::new("late_cancelled_seats", "Seats given back late"),
    Column::new("late_filled_seats", "of which somebody else got"),
    Column::new("admitted_ahead_by_class", "Parties admitted by class before earlier ones that were refused"),
];

fn offers(row: &proto::OfferRow) -> Vec<Value> {
    let counts = [row.made, row.accepted, row.declined, row.expired, row.open].map(Value::maybe);
    let answers = spread(row.answer_time.as_ref(), 3_600);
    let to_offer = spread(row.to_offer.as_ref(), 86_400);
    let to_session = spread(row.to_first_session.as_ref(), 86_400);
    let times = answers.into_iter().chain(to_offer).chain(to_session);
    counts.into_iter().chain(times).chain([hidden(row.suppressed)]).collect()
}

/// How many, the median and the tail, in units of so many seconds.
fn spread(spread: Option<&proto::Spread>, unit: i64) -> [Value; 3] {
    match spread {
        None => [Value::Empty, Value::Empty, Value::Empty],
        Some(s) if s.count == 0 => [Value::Number(0), Value::Empty, Value::Empty],
        Some(s) => [Value::Number(s.count), Value::ratio(s.median_seconds, unit), Value::ratio(s.p90_seconds, unit)],
    }
}

fn order(report: &mut Report, rows: &[proto::OrderRow]) -> Result<(), Failure> {
    let columns = [
        Column::new("position", "Position"),
        Column::new("accepted_number", "Number"),
        Column::new("position_without_classes", "Without classes"),
    ];
    report.begin(Sheet::rows("order", "Who waits, with and without priority classes", &columns))?;
    rows.iter().try_for_each(|row| {
        report.row(vec![
            Value::number(row.position),
            Value::Number(row.accepted_number),
            Value::number(row.position_without_classes),
        ])
    })
}
