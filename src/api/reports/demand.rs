//! GetDemand.

use super::scope::Asked;
use super::{Shown, Told, basis, int64, key, programme_name, tally};
use crate::api::from_proto::Fields;
use crate::api::proto::{DemandFigures, DemandRow, GetDemandRequest, GetDemandResponse, Key, ReturningRow};
use crate::api::to_proto::names;
use crate::api::{Api, status};
use crate::model::id::EventId;
use crate::report::{self, Basis, Cell, Demand, Dimension, Figures, Returned, Returning, Rows, Scope};
use std::collections::HashSet;
use tonic::Status;

impl Api {
    pub(super) async fn demand(&self, shown: Shown, r: GetDemandRequest) -> Result<(GetDemandResponse, Basis), Status> {
        let mut fields = Fields::default();
        let asked = fields.report_scope(r.scope, shown);
        fields.finish(()).map_err(status::fields)?;
        self.closed_for(shown, &asked)?;
        let (events, mut rests_on) = self.reports.events(&asked.scope).await.map_err(status::report)?;
        let (rows, total, all) = report::demand(&events, |at| asked.month(at));
        let together = told_together(&rows, &total, &all, shown);
        let told = |table: usize, row| match together.tables.get(table) {
            Some(true) => row,
            _ => untold(row),
        };
        let row = |((programme, municipality, month), cell): (&(String, String, String), &Cell)| {
            let keys = [("programme", programme_name(programme)), ("municipality", municipality.clone())];
            let mut keys: Vec<Key> = keys.iter().map(|(dimension, value)| key(dimension, value)).collect();
            keys.push(key("month", month));
            told(0, cell_row(keys, cell, shown))
        };
        let line = |((dimension, value), counted): (&(Dimension, String), &Figures)| {
            let table = BREAKDOWNS.iter().position(|wanted| wanted == dimension).map_or(0, |at| at + 1);
            told(table, breakdown(*dimension, value, counted, shown))
        };
        let sum = cell_row(Vec::new(), &total, shown);
        // A line stands only where somebody is: of a few, lines alone would tell who they are.
        let few = shown.hides(&[total.figures.applicants.persons]);
        let mut answer = GetDemandResponse {
            rows: rows.iter().map(row).collect(),
            total: Some(if together.total { sum } else { untold(sum) }),
            breakdowns: all.by.iter().filter(|_| !few).map(line).collect(),
            returning: Vec::new(),
            basis: None,
        };
        if r.with_returning {
            let wanted = events.iter().map(|d| d.event).collect();
            let (returned, people_number) = self.returned(&asked, &wanted).await?;
            answer.returning = returned.iter().map(|r| returning_row(r, shown)).collect();
            rests_on.people_number = people_number;
        }
        answer.basis = Some(basis(&rests_on, shown));
        Ok((answer, rests_on))
    }

    /// New and returning persons of the wanted events; first presences are looked for in every event before.
    async fn returned(&self, asked: &Asked, wanted: &HashSet<EventId>) -> Result<(Vec<Returned>, u64), Status> {
        let people = self.reports.people().await.map_err(status::storage)?;
        let everywhere = Scope { before: asked.scope.before, ..Scope::default() };
        let (events, _) = self.reports.events_until(&everywhere).await.map_err(status::report)?;
        let mut returning = Returning::default();
        let take = |digested: &report::Digested, facts: Vec<report::Fact>| {
            returning.add(&people, digested, &facts, wanted.contains(&digested.event));
        };
        self.reports.each_fact(&events, take).await.map_err(status::report)?;
        Ok((returning.told(), people.number()))
    }
}

/// What the breakdowns are by.
const BREAKDOWNS: [Dimension; 4] =
    [Dimension::Channel, Dimension::Language, Dimension::HomeMunicipality, Dimension::Eldership];

/// What gives no line of another table away: of all lines together, the rows, and each breakdown.
fn told_together(rows: &Rows, total: &Cell, all: &Demand, shown: Shown) -> Told {
    let mut tables: Vec<Vec<Vec<u64>>> = vec![rows.values().map(|cell| cell.figures.counts().to_vec()).collect()];
    for wanted in BREAKDOWNS {
        let lines = all.by.iter().filter(|((dimension, _), _)| *dimension == wanted);
        tables.push(lines.map(|(_, figures)| figures.counts().to_vec()).collect());
    }
    shown.told_together(&tables, &total.figures.counts())
}

/// The line without its figures.
fn untold(row: DemandRow) -> DemandRow {
    DemandRow { figures: None, applicants_per_seat_hundredths: None, suppressed: true, ..row }
}

fn cell_row(keys: Vec<Key>, cell: &Cell, shown: Shown) -> DemandRow {
    let suppressed = shown.hides(&cell.figures.counts());
    let per_seat = cell.per_hundred_seats().map(|exact| match shown {
        Shown::Exact => exact,
        Shown::Protected { .. } => shown.count(cell.figures.applicants.persons) * 100 / cell.seats.max(1),
    });
    DemandRow {
        keys,
        events: int64(cell.events),
        seats: int64(cell.seats),
        unlimited: cell.unlimited,
        figures: (!suppressed).then(|| figures(&cell.figures, shown)),
        applicants_per_seat_hundredths: per_seat.filter(|_| !suppressed).map(int64),
        suppressed,
    }
}

fn breakdown(dimension: Dimension, value: &str, counted: &Figures, shown: Shown) -> DemandRow {
    let dimension = match dimension {
        Dimension::Channel => "channel",
        Dimension::Language => "language",
        Dimension::HomeMunicipality => "home_municipality",
        Dimension::Eldership => "eldership",
    };
    let suppressed = shown.hides(&counted.counts());
    DemandRow {
        keys: vec![key(dimension, value)],
        events: 0,
        seats: 0,
        unlimited: false,
        figures: (!suppressed).then(|| figures(counted, shown)),
        applicants_per_seat_hundredths: None,
        suppressed,
    }
}

fn figures(counted: &Figures, shown: Shown) -> DemandFigures {
    DemandFigures {
        applicants: Some(tally(&counted.applicants, shown)),
        admitted: Some(tally(&counted.admitted, shown)),
        refused: Some(tally(&counted.refused, shown)),
        withdrawn: Some(tally(&counted.withdrawn, shown)),
        waiting: Some(tally(&counted.waiting, shown)),
    }
}

fn returning_row(returned: &Returned, shown: Shown) -> ReturningRow {
    let suppressed = shown.hides(&[returned.new, returned.returning]);
    let count = |n| (!suppressed).then(|| int64(shown.count(n)));
    ReturningRow {
        event: names::event(returned.event),
        new_persons: count(returned.new),
        returning_persons: count(returned.returning),
        suppressed,
    }
}
