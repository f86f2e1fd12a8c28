//! `eile report demand`.

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
  eile report demand --period 2025                    a year, month by month
  eile report demand --period 2025-Q1 --programme p01
  eile report demand --period 2025 --returning --format xlsx --output demand.xlsx
  eile report demand --period 2025 --part demand --bare --format csv";

#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Count new and returning persons too, which takes longer.
    #[arg(long)]
    returning: bool,
    #[command(flatten)]
    scope: Scope,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    shown: Shown,
}

const NOTES: [&str; 7] = [
    notes::APPLICANTS,
    notes::ADMITTED,
    notes::REFUSED,
    notes::WITHDRAWN,
    notes::FAMILIES,
    notes::PERIOD,
    notes::HIDDEN,
];

pub async fn run(arguments: Arguments) -> Result<Verdict, Failure> {
    let wire = Wire::to(&arguments.reach)?.in_role_of(arguments.scope.protected);
    let ask = proto::GetDemandRequest { scope: Some(arguments.scope.wire()?), with_returning: arguments.returning };
    let answer = wire.get_demand(ask).await?;
    let titles = titles(&wire, &arguments.shown.show.language).await?;
    let mut report = Report::open(&arguments.shown, &NOTES, answer.basis.as_ref())?;

    let group = [
        Column::files("programme", "Programme"),
        Column::new("title", "Programme"),
        Column::new("municipality", "Municipality"),
        Column::new("month", "Month"),
    ];
    let largest = answer.rows.iter().map(|row| asked(row).max(row.seats)).max().unwrap_or(0);
    report.begin(Sheet::rows("demand", arguments.scope.heading("Demand")?, &[&group[..], FIGURES].concat()))?;
    for row in &answer.rows {
        let programme = key(row, "programme");
        let title = titles.get(&programme).map(String::as_str).unwrap_or_default();
        let names = [words::name(&programme), words::some(title)];
        let places = ["municipality", "month"].map(|dimension| words::some(&key(row, dimension)));
        report.row(names.into_iter().chain(places).chain(figures(row, largest)).collect())?;
    }
    report.begin(Sheet::rows("total", "All together", FIGURES))?;
    if let Some(total) = &answer.total {
        report.row(figures(total, asked(total).max(total.seats)))?;
    }
    breakdowns(&mut report, &answer.breakdowns)?;
    if arguments.returning {
        returning(&mut report, &answer.returning)?;
    }
    report.close()
}

fn asked(row: &proto::DemandRow) -> i64 {
    row.figures.and_then(|figures| figures.applicants).map_or(0, |tally| tally.persons)
}

fn key(row: &proto::DemandRow, dimension: &str) -> String {
    row.keys.iter().find(|key| key.dimension == dimension).map(|key| key.value.clone()).unwrap_or_default()
}

const FIGURES: &[Column] = &[
    Column::wide("events", "Events"),
    Column::new("seats", "Seats"),
    Column::files("unlimited", "Without limit"),
    Column::screen("picture", "█ admitted  ░ asked"),
    Column::new("applicants_persons", "Asked"),
    Column::files("applicants_parties", "Asked: parties"),
    Column::files("applicants_families", "Asked: families"),
    Column::new("applicants_per_seat", "per seat"),
    Column::new("admitted_persons", "Admitted"),
    Column::files("admitted_parties", "Admitted: parties"),
    Column::files("admitted_families", "Admitted: families"),
    Column::new("refused_persons", "Refused"),
    Column::files("refused_parties", "Refused: parties"),
    Column::wide("refused_families", "families"),
    Column::wide("withdrawn_persons", "Withdrawn"),
    Column::files("withdrawn_parties", "Withdrawn: parties"),
    Column::files("withdrawn_families", "Withdrawn: families"),
    Column::wide("waiting_persons", "Wait now"),
    Column::files("waiting_parties", "Wait now: parties"),
    Column::files("waiting_families", "Wait now: families"),
    Column::new("hidden", "Hidden"),
];

fn figures(row: &proto::DemandRow, largest: i64) -> Vec<Value> {
    let figures = row.figures.unwrap_or_default();
    let tally = |tally: Option<proto::Tally>| {
        let tally = tally.filter(|_| row.figures.is_some());
        let part = |of: fn(&proto::Tally) -> i64| Value::maybe(tally.as_ref().map(of));
        [part(|t| t.persons), part(|t| t.parties), part(|t| t.families)]
    };
    let [persons, parties, families] = tally(figures.applicants);
    let admitted = figures.admitted.map_or(0, |tally| tally.persons);
    let seats = [Value::Number(row.events), Value::Number(row.seats), Value::Flag(row.unlimited)];
    let per_seat = row.applicants_per_seat_hundredths.map_or(Value::Empty, Value::Hundredths);
    let rest = [figures.admitted, figures.refused, figures.withdrawn, figures.waiting];
    seats
        .into_iter()
        .chain([bars::shares(admitted, asked(row), largest, 20), persons, parties, families, per_seat])
        .chain(rest.into_iter().flat_map(tally))
        .chain([hidden(row.suppressed)])
        .collect()
}

fn breakdowns(report: &mut Report, rows: &[proto::DemandRow]) -> Result<(), Failure> {
    let group = [Column::new("dimension", "By"), Column::new("value", "")];
    let largest = rows.iter().map(asked).max().unwrap_or(0);
    report.begin(Sheet::rows("breakdowns", "Who asked", &[&group[..], FIGURES].concat()))?;
    for row in rows {
        let key = row.keys.first().cloned().unwrap_or_default();
        let group = [words::some(&key.dimension), words::some(&key.value)];
        report.row(group.into_iter().chain(figures(row, largest)).collect())?;
    }
    Ok(())
}

fn returning(report: &mut Report, rows: &[proto::ReturningRow]) -> Result<(), Failure> {
    let columns = [
        Column::new("event", "Event"),
        Column::new("new_persons", "New persons"),
        Column::new("returning_persons", "Returning persons"),
        Column::new("hidden", "Hidden"),
    ];
    report.begin(Sheet::rows("returning", "New and returning persons", &columns))?;
    rows.iter().try_for_each(|row| {
        report.row(vec![
            words::name(&row.event),
            Value::maybe(row.new_persons),
            Value::maybe(row.returning_persons),
            hidden(row.suppressed),
        ])
    })
}
