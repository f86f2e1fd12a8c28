//! GetImbalance.

use super::{Shown, basis, int64, programme_name, tally};
use crate::api::from_proto::Fields;
use crate::api::proto::{GetImbalanceRequest, GetImbalanceResponse, ImbalanceRow};
use crate::api::{Api, status};
use crate::report::{self, Basis, Side};
use tonic::Status;

impl Api {
    pub(super) async fn imbalance(
        &self,
        shown: Shown,
        r: GetImbalanceRequest,
    ) -> Result<(GetImbalanceResponse, Basis), Status> {
        let mut fields = Fields::default();
        let asked = fields.report_scope(r.scope, shown);
        fields.finish(()).map_err(status::fields)?;
        self.closed_for(shown, &asked)?;
        let (events, rests_on) = self.reports.events(&asked.scope).await.map_err(status::report)?;
        let sides = report::imbalance(&events);
        let rows = sides.iter().map(|((programme, municipality), side)| row(programme, municipality, side, shown));
        Ok((GetImbalanceResponse { rows: rows.collect(), basis: Some(basis(&rests_on, shown)) }, rests_on))
    }
}

fn row(programme: &str, municipality: &str, side: &Side, shown: Shown) -> ImbalanceRow {
    let refused = &side.figures.refused;
    // All seats are told, so those that nobody holds tell how many somebody does.
    let held = side.seats.saturating_sub(side.empty_seats);
    let waiting = [refused.parties, refused.persons, refused.families];
    let suppressed = shown.hides(&waiting) || shown.hides(&[side.figures.willing_elsewhere, side.could_move, held]);
    let count = |n| (!suppressed).then(|| int64(shown.count(n)));
    ImbalanceRow {
        programme: programme_name(programme),
        municipality_code: municipality.to_owned(),
        events: int64(side.events),
        seats: int64(side.seats),
        empty_seats: count(side.empty_seats),
        waiting: (!suppressed).then(|| tally(refused, shown)),
        willing_elsewhere_persons: count(side.figures.willing_elsewhere),
        could_move_persons: count(side.could_move),
        suppressed,
    }
}
