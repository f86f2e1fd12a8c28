//! Which events a report is about.

use crate::api::proto;
use crate::client::failure::Failure;
use crate::client::options::{When, short, zone};
use crate::client::words;
use crate::model::time::Zone;
use jiff::civil::{Date, DateTime, date};
use std::str::FromStr;

#[derive(clap::Args)]
#[command(next_help_heading = "Scope")]
pub struct Scope {
    /// A year, a quarter or a month: 2025, 2025-Q1, 2025-01.
    #[arg(long, value_name = "PERIOD", conflicts_with_all = ["from", "to"])]
    period: Option<Period>,
    /// Start of the period, included.
    #[arg(long, value_name = "TIME")]
    from: Option<When>,
    /// End of the period, not included.
    #[arg(long, value_name = "TIME")]
    to: Option<When>,
    /// Zone of the period, and of the days and months in the answer.
    #[arg(long, value_name = "ZONE", default_value = "Europe/Vilnius", value_parser = zone)]
    pub time_zone: Zone,
    /// Only events of this centre: its id.
    #[arg(long, value_name = "ID")]
    centre: Option<String>,
    /// Only events of this programme: its id.
    #[arg(long, value_name = "ID")]
    programme: Option<String>,
    /// Only events of this project: its code.
    #[arg(long, value_name = "CODE")]
    project: Option<String>,
    /// Only events in this municipality: its code.
    #[arg(long, value_name = "CODE")]
    municipality: Option<String>,
    /// As a reporting job sees it: rows with small counts hidden, the others rounded; whole months that are over.
    #[arg(long)]
    pub protected: bool,
}

impl Scope {
    pub fn wire(&self) -> Result<proto::ReportScope, Failure> {
        let (from, to) = match self.period {
            Some(period) => (Some(When::Local(period.from)), Some(When::Local(period.to))),
            None => (self.from, self.to),
        };
        let named = |id: &Option<String>, collection: &str| {
            id.as_ref().map(|id| format!("{collection}/{}", short(id, collection))).unwrap_or_default()
        };
        Ok(proto::ReportScope {
            start_time: from.map(|from| from.wire(&self.time_zone)).transpose()?,
            end_time: to.map(|to| to.wire(&self.time_zone)).transpose()?,
            centre: named(&self.centre, "centres"),
            programme: named(&self.programme, "programmes"),
            project_code: self.project.clone().unwrap_or_default(),
            municipality_code: self.municipality.clone().unwrap_or_default(),
            time_zone: self.time_zone.name().to_owned(),
        })
    }

    /// What stands above the sheet.
    pub fn heading(&self, what: &str) -> Result<String, Failure> {
        let scope = self.wire()?;
        let day = |at: &prost_types::Timestamp| {
            self.time_zone.local(words::instant(at)).strftime("%Y-%m-%d %H:%M").to_string()
        };
        let from = scope.start_time.as_ref().map(|at| format!(", from {}", day(at))).unwrap_or_default();
        let to = scope.end_time.as_ref().map(|at| format!(", before {}", day(at))).unwrap_or_default();
        let rest = [scope.centre, scope.programme, scope.project_code];
        let rest: Vec<_> = rest.into_iter().filter(|part| !part.is_empty()).map(|part| format!(", {part}")).collect();
        let place = self.municipality.as_ref().map(|code| format!(", municipality {code}")).unwrap_or_default();
        Ok(format!("{what}{from}{to}{}{place}", rest.concat()))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Period {
    from: DateTime,
    to: DateTime,
}

impl FromStr for Period {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "give a year, a quarter or a month: 2025, 2025-Q1, 2025-01".to_owned();
        let (year, rest) = text.split_once('-').map_or((text, None), |(year, rest)| (year, Some(rest)));
        let year: i16 = year.parse().ok().filter(|year| (1..=9998).contains(year)).ok_or_else(wrong)?;
        let (first, months) = match rest {
            None => (1, 12),
            Some(rest) => match rest.strip_prefix(['Q', 'q']) {
                Some(quarter) => (within(quarter, 4).ok_or_else(wrong)? * 3 - 2, 3),
                None => (within(rest, 12).ok_or_else(wrong)?, 1),
            },
        };
        let after = first + months;
        let end = if after > 12 { Date::new(year + 1, after - 12, 1) } else { Date::new(year, after, 1) };
        let end = end.map_err(|_| wrong())?;
        Ok(Self { from: date(year, first, 1).at(0, 0, 0, 0), to: end.at(0, 0, 0, 0) })
    }
}

fn within(text: &str, most: i8) -> Option<i8> {
    text.parse().ok().filter(|n| (1..=most).contains(n))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_a_year_a_quarter_or_a_month() {
        let days = |text: &str| text.parse::<Period>().map(|p| (p.from.date().to_string(), p.to.date().to_string()));
        let expected = |from: &str, to: &str| Ok((from.to_owned(), to.to_owned()));
        assert_eq!(days("2025"), expected("2025-01-01", "2026-01-01"));
        assert_eq!(days("2025-Q1"), expected("2025-01-01", "2025-04-01"));
        assert_eq!(days("2025-q4"), expected("2025-10-01", "2026-01-01"));
        assert_eq!(days("2025-12"), expected("2025-12-01", "2026-01-01"));
        for wrong in ["", "25-13", "2025-0", "2025-Q5", "2025-01-01", "-2025", "9999"] {
            assert!(days(wrong).is_err(), "{wrong}");
        }
    }
}
