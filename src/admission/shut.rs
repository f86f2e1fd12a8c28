//! Seats that nobody new gets: those at a session that is called off, or has begun.

use super::refusal::Refusal;
use super::roster::Roster;
use crate::model::event::Pool;
use crate::model::id::PoolNo;
use crate::model::time::Timestamp;

impl Roster {
    /// Not all seats that would do are at sessions that are called off or have begun.
    pub(super) fn some_pool_takes(&self, wishes: &[PoolNo], now: Timestamp) -> Result<(), Refusal> {
        let terms = &self.terms;
        let mut acceptable = terms.pools.iter().filter(|p| wishes.is_empty() || wishes.contains(&p.no)).peekable();
        if acceptable.peek().is_none() || acceptable.clone().any(|p| !terms.is_shut(p, now)) {
            return Ok(());
        }
        let begun = acceptable.clone().filter(|p| terms.called_off(p).is_none()).filter_map(|p| terms.slot_of(p));
        match begun.map(|slot| slot.starts_at).max() {
            Some(closed_at) => Err(Refusal::RegistrationClosed { closed_at }),
            None => Err(self.seats_called_off(acceptable.next())),
        }
    }

    /// The no to whoever would sit in a pool that is called off.
    pub(super) fn seats_called_off(&self, pool: Option<&Pool>) -> Refusal {
        let slot = pool.and_then(|p| self.terms.called_off(p));
        Refusal::SeatsCalledOff { session: slot.map_or(0, |slot| slot.no) }
    }
}
