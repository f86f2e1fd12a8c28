//! `eile report`: the service's figures as sheets, under the definitions that they follow. Nothing is worked out here
//! but hours from minutes and days from seconds.

mod demand;
mod funnel;
mod imbalance;
mod notes;
mod participation;
mod scope;
mod summary;

use super::failure::{Failure, Verdict};
use super::options::Show;
use super::sheet::{Output, Sheet, Value};
use super::wire::Wire;
use super::words;
use crate::api::proto;
use clap::Subcommand;
use std::collections::HashMap;

#[derive(Subcommand)]
pub enum Verb {
    /// Who asked, who got a seat, who was refused: by programme, municipality and month.
    Demand(demand::Arguments),
    /// Where persons wait beside empty seats elsewhere, by programme and municipality.
    Imbalance(imbalance::Arguments),
    /// Who took part in a project: unique persons, attendances, person-hours.
    Participation(participation::Arguments),
    /// What became of the waiting lines: offers, answers, times, late cancellations.
    Funnel(funnel::Arguments),
    /// One group's sheet for print and signature: persons and sessions with totals.
    Summary(summary::Arguments),
}

pub async fn run(verb: Verb) -> Result<Verdict, Failure> {
    match verb {
        Verb::Demand(arguments) => demand::run(arguments).await,
        Verb::Imbalance(arguments) => imbalance::run(arguments).await,
        Verb::Participation(arguments) => participation::run(arguments).await,
        Verb::Funnel(arguments) => funnel::run(arguments).await,
        Verb::Summary(arguments) => summary::run(arguments).await,
    }
}

/// What every report is told.
#[derive(clap::Args)]
#[command(next_help_heading = "Output")]
struct Shown {
    /// Only one of its tables, such as the first one for a job that reads CSV.
    #[arg(long, value_name = "NAME")]
    part: Option<String>,
    /// Without the definitions at the head.
    #[arg(long)]
    bare: bool,
    #[command(flatten)]
    show: Show,
}

/// Several sheets; what their words mean stands above the first that is written.
struct Report {
    output: Output,
    part: Option<String>,
    notes: Vec<String>,
}

impl Report {
    fn open(shown: &Shown, notes: &[&str], basis: Option<&proto::Basis>) -> Result<Self, Failure> {
        let mut all: Vec<String> = notes.iter().map(|note| (*note).to_owned()).collect();
        all.extend(basis.map(|basis| {
            format!(
                "Rests on {} events, journal numbers {} in sum, and entry {} about persons.",
                basis.events, basis.journal_sum, basis.people_number
            )
        }));
        let notes = if shown.bare { Vec::new() } else { all };
        Ok(Self { output: Output::open_part(&shown.show, shown.part.as_deref())?, part: shown.part.clone(), notes })
    }

    fn begin(&mut self, mut sheet: Sheet) -> Result<(), Failure> {
        if self.part.as_deref().is_none_or(|part| part == sheet.name) {
            sheet.notes = std::mem::take(&mut self.notes);
        }
        self.output.begin(&sheet)
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        self.output.row(row)
    }

    fn close(self) -> Result<Verdict, Failure> {
        self.output.close()?;
        Ok(Verdict::Done)
    }
}

/// The titles of the programmes.
async fn titles(wire: &Wire, language: &str) -> Result<HashMap<String, String>, Failure> {
    let mut titles = HashMap::new();
    let mut page_token = String::new();
    loop {
        let ask = proto::ListProgrammesRequest { page_size: super::wire::PAGE, page_token };
        let page = wire.list_programmes(ask).await?;
        titles.extend(page.programmes.into_iter().map(|p| (p.name, words::text(&p.titles, language))));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(titles);
        }
    }
}

fn hours(minutes: Option<i64>) -> Value {
    minutes.map_or(Value::Empty, |minutes| Value::ratio(minutes, 60))
}

/// What was hidden says so; nothing else is said of it.
fn hidden(suppressed: bool) -> Value {
    if suppressed { Value::Flag(true) } else { Value::Empty }
}
