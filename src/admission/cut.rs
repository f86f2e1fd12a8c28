//! Offers that stand while staff change the times: nobody is asked whether to come to what has begun.

use super::change::{Because, Change};
use super::roster::{Roster, Standing};
use crate::model::event::{Pool, Terms};
use crate::model::registration::State;
use crate::model::time::Timestamp;

/// Until when anybody may be asked whether to take seats of a pool; `None`: no bound.
pub(super) fn ask_until(terms: &Terms, pool: &Pool, now: Timestamp) -> Option<Timestamp> {
    let start = terms.starts_at.filter(|at| *at > now).or(terms.last_entry());
    let own = terms.slot_of(pool).map(|slot| slot.starts_at);
    [start, own].into_iter().flatten().min()
}

impl Roster {
    /// What new terms mean to live offers: one that would outlive the start is to be answered before it, and one of
    /// seats at what has begun or is called off is taken back; its party waits where it waited, and missed nothing.
    pub(super) fn offers_cut(&self, terms: &Terms, now: Timestamp) -> Vec<Change> {
        if self.counts.offered.parties == 0 && self.twins == 0 {
            return Vec::new();
        }
        self.standings().filter_map(|s| offer_cut(s, terms, now)).collect()
    }
}

fn offer_cut(s: &Standing, terms: &Terms, now: Timestamp) -> Option<Change> {
    let State::Offered { pool: no, expires_at } = s.state else { return None };
    let pool = terms.pool(no)?;
    let until = ask_until(terms, pool, now);
    if terms.called_off(pool).is_some() || until.is_some_and(|at| at <= now) {
        return Some(Change::OfferWithdrawn { number: s.number });
    }
    let expires_at = until.filter(|at| *at < expires_at)?;
    let because = Because::StartMoved;
    Some(Change::Offered { number: s.number, pool: no, expires_at, because, passed_over: None })
}
