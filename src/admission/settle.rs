//! Who gets a free seat. One step at a time, until nobody who waits has a right to one.

use super::change::{Because, Change, Idle};
use super::cut::ask_until;
use super::line::{Lane, Waiting};
use super::roster::{Held, Roster, Standing, is_open_to};
use crate::model::event::{EventState, Pool};
use crate::model::id::{Number, PoolNo};
use crate::model::policy::{PartyFit, Policy, Promotion, QuietHours};
use crate::model::time::{Span, Timestamp};

/// Who is left out while one seat moves on: those who have just missed it.
#[derive(Clone, Debug, Default)]
pub(super) struct Resting {
    numbers: Vec<Number>,
    /// Of those who kept their place, the last in line: a missed seat goes down the line from there, and not
    /// back to somebody before who missed an offer too, or two who never answer would hand it to and fro.
    kept_place: Option<(u8, Number)>,
}

impl Resting {
    fn is_empty(&self) -> bool {
        self.numbers.is_empty()
    }
}

/// Which possible duplicates are looked past where they stand in line: they are given nothing while their twins live,
/// and must not keep from others what they would be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aside {
    /// None: where no seat goes to the line by itself, whoever stands in line stands in the way of newcomers.
    Nobody,
    /// Those whom the free seats are enough for. A larger one holds them, or is passed over, like everybody.
    Fitting,
    /// All.
    Everybody,
}

impl Aside {
    /// The size up to which they are looked past.
    fn up_to(self, free: u32) -> u32 {
        match self {
            Aside::Nobody => 0,
            Aside::Fitting => free,
            Aside::Everybody => u32::MAX,
        }
    }
}

/// Who has the right to the free seats of a pool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    /// This one takes seats; `passed_over` stood first and did not fit.
    Takes { who: Waiting, passed_over: Option<Number> },
    /// Nobody takes seats, for this reason.
    Stays(Idle),
}

impl Roster {
    /// Lets whoever has just missed an offer rest.
    pub(super) fn rest_after(&self, missed: &Change, resting: &mut Resting) {
        let Change::OfferMissed { number, to_place } = missed else { return };
        resting.numbers.push(*number);
        if let Some(s) = self.standing(*number).filter(|_| to_place.is_none()) {
            resting.kept_place = resting.kept_place.max(Some((self.rank(s), s.place)));
        }
    }

    fn rests(&self, resting: &Resting, number: Number) -> bool {
        resting.numbers.contains(&number)
            || resting.kept_place.is_some_and(|last| {
                self.standing(number).is_some_and(|s| s.missed_offers > 0 && (self.rank(s), s.place) <= last)
            })
    }

    /// The first in line for a pool, among those of at most `max_size`, without those who rest and without possible
    /// duplicates of at most `aside`. A party that is larger than the whole pool has no right to its seats, or it
    /// would keep them empty for ever.
    fn first_for(&self, pool: &Pool, released: bool, max_size: u32, aside: u32, resting: &Resting) -> Option<Waiting> {
        let max_size = max_size.min(pool.capacity.unwrap_or(u32::MAX));
        let may = |lane: &Lane| {
            lane.size <= max_size
                && (!lane.twin || lane.size > aside)
                && (lane.wishes.is_empty() || lane.wishes.contains(&pool.no))
                && is_open_to(pool, released, lane.class.as_deref())
        };
        self.line.first(may, |number| !resting.is_empty() && self.rests(resting, number))
    }

    /// The next change that a free seat leads to, or `None` where everything is settled.
    pub(super) fn settle(&self, now: Timestamp, resting: &Resting) -> Option<Change> {
        if self.state != EventState::Published || self.line.len() == 0 || !self.gives_by_itself(now) {
            return None;
        }
        let mut best: Option<Waiting> = None;
        for (pool, held) in self.pools() {
            let free = Self::free(pool, held);
            if free == 0 || self.terms.is_shut(pool, now) {
                continue;
            }
            if let Right::Takes { who, .. } = self.right_to(pool, held.released, free, Aside::Fitting, resting)
                && best.is_none_or(|b| who < b)
            {
                best = Some(who);
            }
        }
        let s = self.standing(best?.number)?;
        let (pool, passed_over) = self.preferred_pool(s, resting, now)?;
        Some(self.seat(s.number, pool, passed_over, now))
    }

    /// Whether free seats go to the line without staff at this time.
    fn gives_by_itself(&self, now: Timestamp) -> bool {
        self.stays_free(now).is_none()
    }

    /// Why no free seat of the event goes to the line by itself at this time, if that is so.
    fn stays_free(&self, now: Timestamp) -> Option<Idle> {
        let terms = &self.terms;
        match terms.policy.promotion {
            Promotion::Manual => Some(Idle::StaffChoose),
            _ if terms.all_called_off().is_some() => Some(Idle::CalledOff),
            _ if terms.last_entry().is_some_and(|at| at <= now) => Some(Idle::Begun),
            Promotion::Offer if self.offer_deadline(now).is_none() => Some(Idle::TooCloseToStart),
            _ => None,
        }
    }

    /// Which possible duplicates a newcomer is let past at this time.
    pub(super) fn aside(&self, now: Timestamp) -> Aside {
        if self.gives_by_itself(now) { Aside::Fitting } else { Aside::Nobody }
    }

    /// Who has the right to `free` seats of a pool.
    fn right_to(&self, pool: &Pool, released: bool, free: u32, aside: Aside, resting: &Resting) -> Right {
        let up_to = aside.up_to(free);
        let Some(first) = self.first_for(pool, released, u32::MAX, up_to, resting) else {
            if resting.is_empty() {
                let duplicate = self.first_for(pool, released, u32::MAX, 0, resting);
                return Right::Stays(
                    duplicate.map_or(Idle::NobodyWaits, |w| Idle::OnlyDuplicates { number: w.number }),
                );
            }
            // Only those who just missed wait: they are the reason where one of them could take the seats.
            return match self.right_to(pool, released, free, aside, &Resting::default()) {
                Right::Takes { .. } => Right::Stays(Idle::JustMissed),
                stays => stays,
            };
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
        match self.first_for(pool, released, free, up_to, resting) {
            Some(who) => Right::Takes { who, passed_over: Some(first.number) },
            None => Right::Stays(Idle::NobodyFits),
        }
    }

    /// The pool that somebody likes best among those whose free seats they have the right to, and who is
    /// passed over there.
    fn preferred_pool(&self, s: &Standing, resting: &Resting, now: Timestamp) -> Option<(PoolNo, Option<Number>)> {
        self.pools_in_order(s.class.as_deref(), &s.wishes).into_iter().find_map(|no| {
            let (pool, held) = self.pool(no)?;
            let free = Self::free(pool, held);
            if free == 0 || self.terms.is_shut(pool, now) {
                return None;
            }
            match self.right_to(pool, held.released, free, Aside::Fitting, resting) {
                Right::Takes { who, passed_over } if who.number == s.number => Some((no, passed_over)),
                _ => None,
            }
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
            (Promotion::Offer, Some(expires_at)) => {
                let until = self.terms.pool(pool).and_then(|p| ask_until(&self.terms, p, now));
                let expires_at = until.map_or(expires_at, |at| at.min(expires_at));
                Change::Offered { number, pool, expires_at, because, passed_over }
            }
            _ => Change::Confirmed { number, pool, because, passed_over },
        }
    }

    /// The seat that somebody who comes into the line gets at once: one that nobody in line has the better
    /// right to; and who is passed over by that. For a newcomer `place` is the next number. `shut` are pools that
    /// take nobody new at this time.
    pub(super) fn seat_at_once(
        &self,
        (place, size): (Number, u32),
        class: Option<&str>,
        wishes: &[PoolNo],
        shut: impl Fn(&Pool) -> bool,
        aside: Aside,
    ) -> Option<(PoolNo, Option<Number>)> {
        let full = |no: &PoolNo| self.pool(*no).is_none_or(|(p, h)| Self::free(p, h) < size || shut(p));
        if self.terms.pools.iter().all(|p| full(&p.no)) {
            return None;
        }
        let mine = (self.terms.policy.rank(class), place);
        self.pools_in_order(class, wishes).into_iter().filter(|no| !full(no)).find_map(|no| {
            let (pool, held) = self.pool(no)?;
            self.goes_first(pool, held, mine, aside).map(|over| (no, over))
        })
    }

    /// Whether somebody at `mine` in line who fits the free seats may take them, and whom that passes over.
    fn goes_first(&self, pool: &Pool, held: &Held, mine: (u8, Number), aside: Aside) -> Option<Option<Number>> {
        let (free, resting) = (Self::free(pool, held), Resting::default());
        let first_of = |size| self.first_for(pool, held.released, size, aside.up_to(free), &resting);
        let before = |w: &Waiting| (w.rank, w.place) < mine;
        let Some(first) = first_of(u32::MAX).filter(before) else {
            return Some(None);
        };
        match self.terms.policy.party_fit {
            PartyFit::Skip { max_passed_over } if self.terms.policy.promotion != Promotion::Manual => {
                let holds = self.standing(first.number).is_some_and(|s| s.passed_over >= max_passed_over);
                let nobody_better = first_of(free).filter(before).is_none();
                (!holds && nobody_better).then_some(Some(first.number))
            }
            _ => None,
        }
    }

    /// Whom a party passes over that sits in `pool` already and takes more of its `free` seats; an error is who
    /// stands in its way. Where staff choose, everybody who waits does.
    pub(super) fn passed_over_by_growth(
        &self,
        pool: &Pool,
        released: bool,
        free: u32,
        aside: Aside,
    ) -> Result<Option<Number>, Number> {
        let resting = Resting::default();
        match self.right_to(pool, released, free, aside, &resting) {
            Right::Takes { who, .. } => Err(who.number),
            Right::Stays(Idle::FirstHolds { number }) => Err(number),
            Right::Stays(_) => match self.first_for(pool, released, u32::MAX, aside.up_to(free), &resting) {
                Some(first) if self.terms.policy.promotion == Promotion::Manual => Err(first.number),
                first => Ok(first.map(|first| first.number)),
            },
        }
    }

    /// Who stands in the way of somebody at the door who fits the free seats of one of these pools.
    pub(super) fn first_at_the_door(&self, pools: &[PoolNo], size: u32) -> Option<Number> {
        let fits = |(pool, held): &(&Pool, &Held)| Self::free(pool, held) >= size;
        let nobody = Resting::default();
        let first = |(pool, held): (&Pool, &Held)| self.first_for(pool, held.released, u32::MAX, u32::MAX, &nobody);
        pools.iter().filter_map(|no| self.pool(*no)).filter(fits).find_map(first).map(|w| w.number)
    }

    /// Whether staff who seat this party in this pool go by the order: it may sit there, and nobody who
    /// stands before it fits the free seats, possible duplicates aside.
    pub(super) fn is_in_order(&self, s: &Standing, pool: &Pool, held: &Held) -> bool {
        let mine = (self.rank(s), s.place);
        let free = Self::free(pool, held);
        let first = self.first_for(pool, held.released, free, free, &Resting::default());
        is_open_to(pool, held.released, s.class.as_deref())
            && (s.wishes.is_empty() || s.wishes.contains(&pool.no))
            && first.is_none_or(|w| mine <= (w.rank, w.place))
    }

    /// Why the free seats of a pool stay free; for the journal, after everything is settled.
    pub(super) fn idle_reason(&self, pool: PoolNo, now: Timestamp, resting: &Resting) -> Option<Idle> {
        let (pool, held) = self.pool(pool)?;
        let free = Self::free(pool, held);
        if free == 0 {
            return None;
        }
        let shut = match (self.terms.called_off(pool), self.terms.is_shut(pool, now)) {
            (Some(_), _) => Some(Idle::CalledOff),
            (None, is_shut) => is_shut.then_some(Idle::Begun),
        };
        match self.right_to(pool, held.released, free, self.aside(now), resting) {
            Right::Stays(Idle::NobodyWaits) => Some(Idle::NobodyWaits),
            _ if shut.is_some() => shut,
            Right::Stays(idle @ (Idle::FirstHolds { .. } | Idle::NobodyFits)) => Some(idle),
            Right::Stays(idle) => Some(self.stays_free(now).unwrap_or(idle)),
            Right::Takes { .. } => Some(self.stays_free(now).unwrap_or(Idle::NobodyFits)),
        }
    }

    /// Until when an offer made now would stand; `None` where the rules make none by themselves.
    pub fn offer_deadline(&self, now: Timestamp) -> Option<Timestamp> {
        let policy = &self.terms.policy;
        let left = self.terms.time_to_start(now).unwrap_or(Span(i64::MAX));
        if left.0 <= 0 && !self.terms.join_midway {
            return None;
        }
        let window = answer_window(policy, left)?;
        let deadline = match policy.quiet_hours {
            Some(quiet) => self.deadline_outside(quiet, now, window),
            None => now.plus(window),
        };
        let deadline = match self.terms.starts_at {
            Some(start) if start > now => deadline.min(start),
            _ => deadline,
        };
        // An offer that nobody could answer is none, and would be missed and made again for ever.
        Some(deadline).filter(|at| *at > now)
    }

    /// The instant at which `window` has run, with the clock standing still whenever the one on the wall shows
    /// quiet hours: also where a clock change skips their edge or shows it twice.
    fn deadline_outside(&self, quiet: QuietHours, now: Timestamp, window: Span) -> Timestamp {
        let zone = &self.terms.zone;
        let (mut at, mut left) = (now, window);
        let mut change = zone.next_change(at);
        // Bounded: each turn passes one edge of the quiet hours or one clock change, and a window is at most some weeks.
        for _ in 0..800 {
            let (is_quiet, until_edge) = quiet_at(quiet, zone.time_of_day(at));
            let mut edge = at.plus(until_edge);
            // Up to the next change the clock on the wall goes evenly.
            if let Some(changed) = change.filter(|changed| *changed <= edge) {
                edge = changed;
                change = zone.next_change(changed);
            }
            if !is_quiet {
                let run = edge.since(at);
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

/// Whether it is quiet at this time of day, and how long the clock on the wall takes to the next edge.
fn quiet_at(quiet: QuietHours, time_of_day: Span) -> (bool, Span) {
    let edge = |minute: u16| Span::seconds(i64::from(minute) * 60).0;
    let (from, to, day) = (edge(quiet.from_minute), edge(quiet.to_minute), Span::hours(24).0);
    let at = time_of_day.0;
    let is_quiet = if from <= to { (from..to).contains(&at) } else { at >= from || at < to };
    let until_edge = (if is_quiet { to } else { from } - at).rem_euclid(day);
    (is_quiet, Span(if until_edge == 0 { day } else { until_edge }))
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
