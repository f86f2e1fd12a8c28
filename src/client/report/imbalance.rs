//! `eile report imbalance`.

use super::scope::Scope;
use super::{Report, Shown, hidden, notes, titles};
use crate::api::proto;
use crate::client::failure::{Failure, Verdict};
use crate::client::options::Reach;
use crate::client::sheet::{Column, Sheet, Value};
use crate::client::wire::Wire;
use crate::client::{bars, words};

const EXAMPLES: &str = "\
Examples:
  eile report imbalance --period 2025                 empty seats to the left, those who wait to the right
  eile report imbalance --period 2025 --programme p01
  eile report imbalance --period 2025 --protected --bare --format csv --output imbalance.csv";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    shown: Shown,
}

const NOTES: [&str; 6] =
    [notes::EMPTY_SEATS, notes::WAITING, notes::REFUSED, notes::COULD_MOVE, notes::PERIOD, notes::HIDDEN];

const COLUMNS: &[Column] = &[
    Column::files("programme", "Programme"),
    Column::new("title", "Programme"),
    Column::new("municipality", "Municipality"),
    Column::wide("events", "Events"),
    Column::new("seats", "Seats"),
    Column::new("empty_seats", "Empty"),
    Column::screen("picture", "░ empty seats │ persons waiting █"),
    Column::new("waiting_persons", "Waiting"),
    Column::files("waiting_parties", "Waiting: parties"),
    Column::wide("waiting_families", "families"),
    Column::new("willing_elsewhere_persons", "Elsewhere is fine"),
    Column::wide("could_move_persons", "Could move"),
    Column::new("hidden", "Hidden"),
];

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?.in_role_of(arguments.scope.protected);
    let answer = wire.get_imbalance(proto::GetImbalanceRequest { scope: Some(arguments.scope.wire()?) }).await?;
    let titles = titles(&wire, &arguments.shown.show.language).await?;
    let mut report = Report::open(&arguments.shown, &NOTES, answer.basis.as_ref())?;
    report.begin(Sheet::rows("imbalance", arguments.scope.heading("Imbalance between municipalities")?, COLUMNS))?;
    let largest = answer.rows.iter().map(|row| empty(row).max(waiting(row))).max().unwrap_or(0);
    for row in &answer.rows {
        report.row(vec![
            words::name(&row.programme),
            words::some(titles.get(&row.programme).map(String::as_str).unwrap_or_default()),
            words::some(&row.municipality_code),
            Value::Number(row.events),
            Value::Number(row.seats),
            Value::maybe(row.empty_seats),
            bars::balance(empty(row), waiting(row), largest, 20),
            Value::maybe(row.waiting.map(|tally| tally.persons)),
            Value::maybe(row.waiting.map(|tally| tally.parties)),
            Value::maybe(row.waiting.map(|tally| tally.families)),
            Value::maybe(row.willing_elsewhere_persons),
            Value::maybe(row.could_move_persons),
            hidden(row.suppressed),
        ])?;
    }
    report.close()
}

fn empty(row: &proto::ImbalanceRow) -> i64 {
    row.empty_seats.unwrap_or(0)
}

fn waiting(row: &proto::ImbalanceRow) -> i64 {
    row.waiting.map_or(0, |tally| tally.persons)
}
