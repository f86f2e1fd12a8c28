//! Who gets a free seat. One step at a time, until nobody who waits has a right to one.

use super::change::{Because, Change, Idle};
use super::line::Waiting;
use super::roster::{Roster, Standing, is_open_to};
use crate::model::event::{EventState, Pool};
use crate::model::id::{Number, PoolNo};
use crate::model::policy::{PartyFit, Policy, Promotion, QuietHours};
use crate::model::time::{Span, Timestamp};

/// Who has the right to the free seats of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    /// This one takes seats; `passed_over` stood first and did not fit.
    Takes { who: Waiting, passed_over: Option<Number> },
    /// Nobody takes seats, for this reason.
    Stays(Idle),
}

impl Roster {
    /// The next change that a free seat leads to, or `None` where everything is settled. `except` are those
    /// who missed or declined this very offer.
    pub(super) fn settle(&self, now: Timestamp, except: &[Number]) -> Option<Change> {
        if self.state != EventState::Published || self.line.len() == 0 || !self.gives_by_itself(now) {
            return None;
        }
        let mut best: Option<(Waiting, Option<Number>)> = None;
        for (pool, held) in self.pools() {
            let free = Self::free(pool, held);
            if free == 0 {
                continue;
            }
            if let Right::Takes { who, passed_over } = self.right_to(pool, held.released, free, except)
                && best.is_none_or(|(b, _)| who < b)
            {
                best = Some((who, passed_over));
            }
        }
        let (who, passed_over) = best?;
        let s = self.standing(who.number)?;
        let pool = self.preferred_pool(s, now, except)?;
        Some(self.seat(who.number, pool, passed_over, now))
    }

    /// Whether free seats go to the line without staff at this time.
    fn gives_by_itself(&self, now: Timestamp) -> bool {
        self.stays_free(now).is_none()
    }

    /// Why no free seat of the event goes to the line by itself at this time, if that is so.
    fn stays_free(&self, now: Timestamp) -> Option<Idle> {
        let begun = self.terms.starts_at.is_some_and(|start| start <= now);
        match self.terms.policy.promotion {
            Promotion::Manual => Some(Idle::StaffChoose),
            _ if begun && !self.terms.join_midway => Some(Idle::Begun),
            Promotion::Offer if self.offer_deadline(now).is_none() => Some(Idle::TooCloseToStart),
            _ => None,
        }
    }

    /// Who has the right to `free` seats of a pool.
    fn right_to(&self, pool: &Pool, released: bool, free: u32, except: &[Number]) -> Right {
        let Some(first) = self.first_for(pool, released, u32::MAX, except) else {
            let rested = !except.is_empty() && self.first_for(pool, released, u32::MAX, &[]).is_some();
            return Right::Stays(if rested { Idle::JustMissed } else { Idle::NobodyWaits });
        };
        if first.size <= free {
            return Right::Takes { who: first, passed_over: None };
        }
        let holds = match self.terms.policy.party_fit {
            PartyFit::Hold => true,
            PartyFit::Skip { max_passed_over } => {
                self.standing(first.number).is_some_and(|s| s.passed_over >= max_passed_over)
            }
        };
        if holds {
            return Right::Stays(Idle::FirstHolds { number: first.number });
        }
        match self.first_for(pool, released, free, except) {
            Some(who) => Right::Takes { who, passed_over: Some(first.number) },
            None => Right::Stays(Idle::NobodyFits),
        }
    }

    /// The pool that somebody likes best among those whose free seats they have the right to.
    fn preferred_pool(&self, s: &Standing, now: Timestamp, except: &[Number]) -> Option<PoolNo> {
        debug_assert!(self.gives_by_itself(now));
        self.pools_in_order(s.class.as_deref(), &s.wishes).into_iter().find(|no| {
            self.pool(*no).is_some_and(|(pool, held)| {
                let free = Self::free(pool, held);
                free > 0
                    && matches!(self.right_to(pool, held.released, free, except),
                        Right::Takes { who, .. } if who.number == s.number)
            })
        })
    }

    /// The pools that somebody may sit in, the best first: as wished, or else those kept for their class
    /// before those for everybody.
    pub(super) fn pools_in_order(&self, class: Option<&str>, wishes: &[PoolNo]) -> Vec<PoolNo> {
        let open = |no: &PoolNo| self.pool(*no).is_some_and(|(p, h)| is_open_to(p, h.released, class));
        if !wishes.is_empty() {
            return wishes.iter().copied().filter(open).collect();
        }
        let mut all: Vec<_> = self.terms.pools.iter().collect();
        all.sort_by_key(|p| !class.is_some_and(|class| p.classes.iter().any(|c| c == class)));
        all.into_iter().map(|p| p.no).filter(open).collect()
    }

    /// Gives a seat by the event's way of giving.
    fn seat(&self, number: Number, pool: PoolNo, passed_over: Option<Number>, now: Timestamp) -> Change {
        let because = if passed_over.is_some() { Because::FirstThatFits } else { Because::FirstInLine };
        match (self.terms.policy.promotion, self.offer_deadline(now)) {
            (Promotion::Offer, Some(expires_at)) => Change::Offered { number, pool, expires_at, because, passed_over },
            _ => Change::Confirmed { number, pool, because, passed_over },
        }
    }

    /// The seat that a newcomer gets at once: one that nobody in line has the better right to.
    pub(super) fn seat_for_newcomer(&self, size: u32, wishes: &[PoolNo]) -> Option<(PoolNo, Option<Number>)> {
        let full = |no: &PoolNo| self.pool(*no).is_none_or(|(p, h)| Self::free(p, h) < size);
        if self.terms.pools.iter().all(|p| full(&p.no)) {
            return None;
        }
        self.pools_in_order(None, wishes).into_iter().filter(|no| !full(no)).find_map(|no| {
            let (pool, held) = self.pool(no)?;
            self.newcomer_goes_first(pool, held.released, Self::free(pool, held), size).map(|over| (no, over))
        })
    }

    /// Whether a newcomer may take `size` of `free` seats, and whom that passes over.
    fn newcomer_goes_first(&self, pool: &Pool, released: bool, free: u32, size: u32) -> Option<Option<Number>> {
        let rank = self.terms.policy.rank(None);
        let Some(first) = self.first_for(pool, released, u32::MAX, &[]) else { return Some(None) };
        if rank < first.rank {
            return Some(None);
        }
        match self.terms.policy.party_fit {
            PartyFit::Skip { max_passed_over } if self.terms.policy.promotion != Promotion::Manual => {
                let holds = self.standing(first.number).is_some_and(|s| s.passed_over >= max_passed_over);
                let fits = self.first_for(pool, released, free, &[]);
                let nobody_better = fits.is_none_or(|w| rank < w.rank);
                (!holds && nobody_better && size <= free).then_some(Some(first.number))
            }
            _ => None,
        }
    }

    /// Who stands in the way of a party that already sits in `pool` and wants `extra` more seats.
    pub(super) fn better_right(&self, pool: &Pool, released: bool, free: u32) -> Option<Number> {
        match self.right_to(pool, released, free, &[]) {
            Right::Takes { who, .. } => Some(who.number),
            Right::Stays(Idle::FirstHolds { number }) => Some(number),
            Right::Stays(_) => None,
        }
    }

    /// Why the free seats of a pool stay free; for the journal, after everything is settled.
    pub(super) fn idle_reason(&self, pool: PoolNo, now: Timestamp, except: &[Number]) -> Option<Idle> {
        let (pool, held) = self.pool(pool)?;
        let free = Self::free(pool, held);
        if free == 0 {
            return None;
        }
        match self.right_to(pool, held.released, free, except) {
            Right::Stays(idle @ (Idle::NobodyWaits | Idle::FirstHolds { .. } | Idle::NobodyFits)) => Some(idle),
            Right::Stays(idle) => Some(self.stays_free(now).unwrap_or(idle)),
            Right::Takes { .. } => Some(self.stays_free(now).unwrap_or(Idle::NobodyFits)),
        }
    }

    /// Until when an offer made now would stand; `None` where the rules make none by themselves.
    pub fn offer_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let policy = &self.terms.policy;
        let left = self.terms.time_to_start(now).unwrap_or(Span(i64::MAX));
        let window = answer_window(policy, left)?;
        let deadline = match policy.quiet_hours {
            Some(quiet) => self.deadline_outside(quiet, now, window),
            None => now.plus(window),
        };
        Some(match self.terms.starts_at {
            Some(start) if start > now => deadline.min(start),
            _ => deadline,
        })
    }

    /// The instant at which `window` has run, with the clock standing still in the quiet hours.
    fn deadline_outside(&self, quiet: QuietHours, now: Timestamp, window: Span) -> Timestamp {
        let zone = &self.terms.zone;
        let mut at = now;
        let mut left = window;
        // Bounded: each turn passes one edge of the quiet hours, and a window is at most some weeks.
        for _ in 0..400 {
            let local = zone.local(at);
            let minute = i64::from(local.hour()) * 60 + i64::from(local.minute());
            let (from, to) = (i64::from(quiet.from_minute), i64::from(quiet.to_minute));
            let is_quiet = if from <= to { (from..to).contains(&minute) } else { minute >= from || minute < to };
            let edge_minute = if is_quiet { to } else { from };
            let days = i64::from(edge_minute <= minute);
            let midnight = local.date().to_datetime(jiff::civil::Time::midnight());
            let edge_local = midnight
                .checked_add(jiff::Span::new().days(days).minutes(edge_minute))
                .unwrap_or(local);
            let edge = zone.instant_lenient(edge_local);
            let run = edge.since(at);
            if run.0 <= 0 {
                return at.plus(left);
            }
            if !is_quiet {
                if left <= run {
                    return at.plus(left);
                }
                left = Span(left.0 - run.0);
            }
            at = edge;
        }
        at.plus(left)
    }
}

/// The answer window for this much time to the start: of the rules that hold, the one that begins latest.
fn answer_window(policy: &Policy, left: Span) -> Option<Span> {
    policy
        .offer_rules
        .iter()
        .filter(|rule| left >= rule.min_time_to_start)
        .max_by_key(|rule| rule.min_time_to_start)
        .and_then(|rule| rule.answer_window)
}
