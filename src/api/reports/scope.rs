//! What all reports are asked by.

use super::Shown;
use crate::api::caller::Caller;
use crate::api::from_proto::{Fields, Path};
use crate::api::proto::ReportScope;
use crate::api::{Api, status};
use crate::model::time::{Timestamp, Zone};
use crate::report::Scope;
use jiff::civil::DateTime;
use tonic::Status;

/// A scope as it was asked for, with the zone of its days and months.
pub struct Asked {
    pub scope: Scope,
    pub zone: Zone,
}

impl Asked {
    /// "YYYY-MM".
    pub fn month(&self, at: Timestamp) -> String {
        self.zone.local(at).strftime("%Y-%m").to_string()
    }

    /// "mon" to "sun".
    pub fn weekday(&self, at: Timestamp) -> &'static str {
        let words = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
        let day = self.zone.local(at).weekday().to_monday_zero_offset();
        usize::try_from(day).ok().and_then(|day| words.get(day)).copied().unwrap_or("")
    }

    /// "YYYY-MM-DD", and the year.
    pub fn day(&self, at: Timestamp) -> (String, i16) {
        let local = self.zone.local(at);
        (local.strftime("%Y-%m-%d").to_string(), local.year())
    }
}

impl Fields {
    /// Whoever sees protected figures has the days and months that everybody has: months of two zones overlap, and could be
    /// taken from each other.
    pub fn report_scope(&mut self, given: Option<ReportScope>, shown: Shown) -> Asked {
        let given = given.unwrap_or_default();
        let at = Path::Top("scope");
        let vilnius = Zone::named("Europe/Vilnius").unwrap_or_else(Zone::utc);
        let scope = Scope {
            event: None,
            from: self.instant(at.field("start_time"), given.start_time),
            before: self.instant(at.field("end_time"), given.end_time),
            centre: optional(&given.centre, |name| self.centre_name(at.field("centre"), name)),
            programme: optional(&given.programme, |name| self.programme_name(at.field("programme"), name)),
            project: self.line(at.field("project_code"), given.project_code, 64),
            municipality: Some(given.municipality_code).filter(|code| !code.is_empty()),
        };
        if scope.from.zip(scope.before).is_some_and(|(from, before)| before < from) {
            self.refuse(at.field("end_time"), "must not be before start_time");
        }
        if scope.municipality.as_ref().is_some_and(|code| code.len() > 10) {
            self.refuse(at.field("municipality_code"), "is longer than 10 characters");
        }
        let zone = self.zone(at.field("time_zone"), &given.time_zone, &vilnius);
        if !shown.is_exact() && zone.name() != vilnius.name() {
            self.refuse(at.field("time_zone"), "must be Europe/Vilnius where small counts are not shown");
        }
        Asked { scope, zone }
    }
}

fn optional<T>(given: &str, read: impl FnOnce(&str) -> Option<T>) -> Option<T> {
    if given.is_empty() { None } else { read(given) }
}

impl Api {
    /// How this caller sees figures, which are narrowed to what it reaches; not where an event is named, which it reaches.
    pub(super) fn figures_for(
        &self,
        caller: Caller,
        method: &str,
        scope: &mut Option<ReportScope>,
        of_event: bool,
    ) -> Result<Shown, Status> {
        caller.staff_only(method)?;
        if !of_event {
            let mut centre = scope.as_ref().map(|scope| scope.centre.clone()).unwrap_or_default();
            self.narrow(caller, method, &mut centre)?;
            if !centre.is_empty() {
                scope.get_or_insert_default().centre = centre;
            }
        }
        Ok(caller.shown(self.small_cell))
    }

    /// Reporting jobs get closed periods: whole months that are over.
    pub(super) fn closed_for(&self, shown: Shown, asked: &Asked) -> Result<(), Status> {
        if shown.is_exact() {
            return Ok(());
        }
        let now = self.desk.clock().now();
        let begins_month = |at: Timestamp| {
            let local = asked.zone.local(at);
            local == DateTime::from(local.date().first_of_month()) && Ok(at) == asked.zone.instant(local)
        };
        let (from, before) = (asked.scope.from, asked.scope.before);
        let closed = from.is_some_and(begins_month) && before.is_some_and(|at| begins_month(at) && at <= now);
        if closed { Ok(()) } else { Err(status::period_not_closed(asked.zone.name())) }
    }
}
