//! The reports of the year, as the service answers them: what was stored and what changed since, participation by
//! quarter, demand, and the imbalance between municipalities.

use super::super::player::Played;
use super::{number, table, title};
use crate::api::proto::report_figures::Figures;
use crate::api::proto::{
    GetDemandResponse, GetImbalanceResponse, GetParticipationResponse, ListCorrectionsResponse, Report, Sex, Tally,
};
use comfy_table::Cell;

/// What the office pulled.
#[derive(Default)]
pub struct Reports {
    pub pulled: Vec<Pulled>,
    pub imbalance: GetImbalanceResponse,
    pub demand: GetDemandResponse,
}

/// A stored report, and what changed since.
pub struct Pulled {
    pub report: Report,
    pub changed: ListCorrectionsResponse,
}

impl Pulled {
    /// What it said of participation, if it was about that.
    pub fn participation(&self) -> Option<&GetParticipationResponse> {
        match self.report.figures.as_ref()?.figures.as_ref()? {
            Figures::Participation(told) => Some(told),
            _ => None,
        }
    }
}

pub fn write(played: &Played, out: &mut String) {
    title(out, "DEMAND BY PROGRAMME AND MUNICIPALITY (persons; open events are counted by heads, and stay out)");
    out.push_str(&demand(played));
    title(out, "IMBALANCE: WHO WAS LEFT OUT HERE, AND WHICH SEATS STOOD EMPTY THERE (persons)");
    out.push_str(&imbalance(played));
    title(out, "KOPA BY QUARTER: UNIQUE PERSONS FROM FIRST PRESENCE, AS STORED ON THE DAY OF THE REPORT");
    out.push_str(&quarters(played));
    title(out, "STORED REPORTS, AND WHAT WAS ENTERED SINCE");
    out.push_str(&stored(played));
}

fn persons(tally: Option<Tally>) -> i64 {
    tally.unwrap_or_default().persons
}

fn place(played: &Played, code: &str) -> String {
    format!("{code} {}", played.stage.year.municipality(code))
}

fn demand(played: &Played) -> String {
    // The rows are by month too: here a year is one line.
    let mut lines: std::collections::BTreeMap<(String, String), [i64; 5]> = std::collections::BTreeMap::new();
    for row in &played.reports.demand.rows {
        let value = |at: usize| row.keys.get(at).map(|key| key.value.clone()).unwrap_or_default();
        let figures = row.figures.unwrap_or_default();
        let line = lines.entry((value(0), value(1))).or_default();
        let new = [
            row.seats,
            persons(figures.applicants),
            persons(figures.admitted),
            persons(figures.refused),
            persons(figures.withdrawn),
        ];
        line.iter_mut().zip(new).for_each(|(sum, n)| *sum += n);
    }
    let mut table =
        table(&["Programme", "Municipality", "Seats", "Asked", "Per seat", "Admitted", "Never got one", "Gave back"]);
    for ((programme, municipality), [seats, asked, admitted, refused, withdrawn]) in lines {
        let per_seat = if seats > 0 { format!("{:.1}", asked as f64 / seats as f64) } else { String::new() };
        let mut row = vec![Cell::new(word(&programme)), Cell::new(place(played, &municipality))];
        row.extend([
            number(seats),
            number(asked),
            number(per_seat),
            number(admitted),
            number(refused),
            number(withdrawn),
        ]);
        table.add_row(row);
    }
    table.to_string()
}

/// "p01" of "programmes/p01".
fn word(programme: &str) -> &str {
    programme.rsplit('/').next().unwrap_or_default()
}

/// Municipalities of the same programme beside each other, with a bar each way.
fn imbalance(played: &Played) -> String {
    let rows = &played.reports.imbalance.rows;
    let waits = |programme: &str| rows.iter().any(|r| r.programme == programme && persons(r.waiting) > 0);
    let empty = |programme: &str| rows.iter().any(|r| r.programme == programme && r.empty_seats.unwrap_or(0) > 0);
    let mut table =
        table(&["Programme", "Municipality", "Left out", "", "Empty seats", "", "Would go elsewhere", "Could"]);
    for row in rows.iter().filter(|r| !r.programme.is_empty() && waits(&r.programme) && empty(&r.programme)) {
        let (waiting, seats) = (persons(row.waiting), row.empty_seats.unwrap_or(0));
        let bar = |n: i64| "█".repeat(usize::try_from((n + 9) / 10).unwrap_or(0).min(40));
        table.add_row(vec![
            Cell::new(word(&row.programme)),
            Cell::new(place(played, &row.municipality_code)),
            number(waiting),
            Cell::new(bar(waiting)),
            number(seats),
            Cell::new(bar(seats)),
            number(row.willing_elsewhere_persons.unwrap_or(0)),
            number(row.could_move_persons.unwrap_or(0)),
        ]);
    }
    table.to_string()
}

fn quarters(played: &Played) -> String {
    let head = [
        "Report",
        "Began",
        "of them women",
        "Since January",
        "Attendances",
        "Person-hours",
        "Families",
        "Consultations",
        "Without a form",
    ];
    let mut table = table(&head);
    for pulled in &played.reports.pulled {
        let Some(told) = pulled.participation() else { continue };
        let women = told.rows.iter().filter(|r| r.sex() == Sex::Female).filter_map(|r| r.persons).sum::<i64>();
        let total = told.total.clone().unwrap_or_default();
        table.add_row(vec![
            Cell::new(&pulled.report.title),
            number(told.unique_participants.unwrap_or(0)),
            number(women),
            number(told.cumulative_participants.unwrap_or(0)),
            number(total.attendances.unwrap_or(0)),
            number(total.minutes.unwrap_or(0) / 60),
            number(told.families.unwrap_or(0)),
            number(told.consultations.unwrap_or(0)),
            number(told.without_form.len()),
        ]);
    }
    table.to_string()
}

fn stored(played: &Played) -> String {
    let mut table =
        table(&["Report", "Stored", "Figures that changed", "Entered since", "About persons", "For example"]);
    for Pulled { report, changed } in &played.reports.pulled {
        let at = report.create_time.as_ref().map(super::super::terms::unstamp);
        let example = changed.figures.first().map(|f| format!("{}: {} → {}", f.path, f.before, f.after));
        let more = if changed.more_changes { "more than " } else { "" };
        table.add_row(vec![
            Cell::new(&report.title),
            Cell::new(at.map(|at| super::wall(&played.stage.zone, at)).unwrap_or_default()),
            number(changed.figures.len()),
            number(format!("{more}{}", changed.changes.len())),
            number(changed.people.len()),
            Cell::new(super::shortened(&example.unwrap_or_default(), 60)),
        ]);
    }
    table.to_string()
}
