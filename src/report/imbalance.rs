//! Imbalance: people who wait beside chairs that stand empty.

use super::demand::{Figures, counts};
use super::digest::Digested;
use std::collections::BTreeMap;

/// One municipality's side of a programme.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Side {
    pub events: u64,
    pub seats: u64,
    pub empty_seats: u64,
    pub figures: Figures,
    /// Refused persons who could have gone to an empty seat of the programme elsewhere.
    pub could_move: u64,
}

/// By programme, then municipality.
pub fn imbalance(events: &[Digested]) -> BTreeMap<(String, String), Side> {
    let mut sides: BTreeMap<(String, String), Side> = BTreeMap::new();
    for digested in events.iter().filter(|d| counts(d)) {
        let programme = digested.head.programme.as_ref().map_or(String::new(), |p| p.0.clone());
        let side = sides.entry((programme, digested.head.municipality.clone())).or_default();
        side.events += 1;
        side.seats += u64::from(digested.head.seats);
        side.empty_seats += u64::from(digested.head.seats.saturating_sub(digested.head.held));
        side.figures.join(&digested.demand.total);
    }
    let mut empty: BTreeMap<String, u64> = BTreeMap::new();
    for ((programme, _), side) in &sides {
        *empty.entry(programme.clone()).or_default() += side.empty_seats;
    }
    for ((programme, _), side) in &mut sides {
        // Events without a programme have nothing in common.
        let all = if programme.is_empty() { 0 } else { empty.get(programme).copied().unwrap_or(0) };
        let elsewhere = all.saturating_sub(side.empty_seats);
        side.could_move = side.figures.willing_elsewhere.min(elsewhere);
    }
    sides
}
