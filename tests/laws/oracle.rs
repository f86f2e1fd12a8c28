//! Who has the right to a seat, found by looking at everybody: the rules of the house written down a second
//! time, as plainly as possible and without any of the core's indexes.

use eile::admission::{Roster, Standing};
use eile::model::event::{EventState, Pool};
use eile::model::id::{Number, PoolNo};
use eile::model::policy::{PartyFit, Promotion};
use eile::model::registration::State;
use eile::model::time::Timestamp;
use std::collections::BTreeSet;

pub struct Oracle<'a>(pub &'a Roster);

/// Which possible duplicates in line are looked past.
#[derive(Clone, Copy)]
pub enum Past {
    Nobody,
    /// Those who would get the free seats if they were not marked.
    Fitting,
    Everybody,
}

impl Oracle<'_> {
    pub fn pool(&self, no: PoolNo) -> Option<&Pool> {
        self.0.terms.pools.iter().find(|p| p.no == no)
    }

    pub fn held(&self, no: PoolNo) -> u32 {
        self.0.standings().filter(|s| s.state.holds() == Some(no)).map(|s| s.size).sum()
    }

    pub fn free(&self, pool: &Pool) -> u32 {
        pool.capacity.map_or(u32::MAX, |c| c.saturating_sub(self.held(pool.no)))
    }

    pub fn released(&self, no: PoolNo) -> bool {
        self.0.pools().any(|(p, h)| p.no == no && h.released)
    }

    pub fn rank(&self, class: Option<&str>) -> usize {
        let order = &self.0.terms.policy.class_order;
        let find = |word: &str| order.iter().position(|c| c == word);
        class.and_then(find).or_else(|| find("any")).unwrap_or(order.len())
    }

    pub fn key(&self, s: &Standing) -> (usize, Number) {
        (self.rank(s.class.as_deref()), s.place)
    }

    /// Everybody who waits, in order.
    pub fn line(&self) -> Vec<&Standing> {
        let mut line: Vec<_> = self.0.standings().filter(|s| s.state == State::Waitlisted).collect();
        line.sort_by_key(|s| self.key(s));
        line
    }

    /// May sit in the pool at all.
    pub fn may_sit(&self, s: &Standing, pool: &Pool) -> bool {
        let class_fits = pool.classes.is_empty()
            || self.released(pool.no)
            || s.class.as_deref().is_some_and(|c| pool.classes.iter().any(|p| p == c));
        let wished = s.wishes.is_empty() || s.wishes.contains(&pool.no);
        class_fits && wished && pool.capacity.is_none_or(|c| s.size <= c)
    }

    /// Who waits for the pool, in order, without those who rest and those who are looked past.
    pub fn waits_for(&self, pool: &Pool, resting: &BTreeSet<Number>, past: Past) -> Vec<&Standing> {
        let mut line = self.line();
        let looked_past = |s: &Standing| match past {
            Past::Nobody => false,
            Past::Fitting => s.twin_of.is_some() && s.size <= self.free(pool),
            Past::Everybody => s.twin_of.is_some(),
        };
        line.retain(|s| self.may_sit(s, pool) && !resting.contains(&s.number) && !looked_past(s));
        line
    }

    /// Whom a newcomer is let past: where seats do not go by themselves, nobody.
    pub fn past(&self, now: Timestamp) -> Past {
        if self.moves(now) { Past::Fitting } else { Past::Nobody }
    }

    /// Whoever should get the pool's free seats now, if they go by the order.
    pub fn right(&self, pool: &Pool, resting: &BTreeSet<Number>, past: Past) -> Option<Number> {
        let free = self.free(pool);
        let line = self.waits_for(pool, resting, past);
        let first = line.first().filter(|_| free > 0)?;
        if first.size <= free {
            return Some(first.number);
        }
        match self.0.terms.policy.party_fit {
            PartyFit::Skip { max_passed_over } if first.passed_over < max_passed_over => {
                line.iter().find(|s| s.size <= free).map(|s| s.number)
            }
            _ => None,
        }
    }

    /// Whether freed seats go to the line without staff at this time.
    pub fn moves(&self, now: Timestamp) -> bool {
        let terms = &self.0.terms;
        let last = if terms.join_midway { terms.ends_at } else { terms.starts_at };
        self.0.state == EventState::Published
            && last.is_none_or(|at| now < at)
            && match terms.policy.promotion {
                Promotion::Automatic => true,
                Promotion::Offer => self.0.offer_deadline(now).is_some(),
                Promotion::Manual => false,
            }
    }
}
