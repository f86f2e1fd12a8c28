//! The roster: the facts one decision rests on. Loaded from rows, or replayed from the journal; both must
//! give the same.

use super::attendance::Attendance;
use super::change::Entry;
use super::contacts::Holders;
use super::counts::{Counts, SeatCounts, Tally};
use super::line::{Lane, Line};
use crate::model::consent::Choices;
use crate::model::contact::ContactKeys;
use crate::model::event::{EventState, Pool, Terms};
use crate::model::id::{EventId, Number, PoolNo, RegistrationId};
use crate::model::registration::{State, StateKind};
use crate::model::time::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What the roster knows of one registration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    pub number: Number,
    /// Not in the journal: attached from the row.
    pub id: RegistrationId,
    pub size: u32,
    pub state: State,
    pub class: Option<Arc<str>>,
    /// Where it stands among its class: the accepted number, or a later one after a missed offer.
    pub place: Number,
    /// Pools that it accepts, in order of wish; empty: any.
    pub wishes: Arc<[PoolNo]>,
    /// How often it stood first, did not fit, and somebody else went.
    pub passed_over: u16,
    pub missed_offers: u16,
    /// It was confirmed at some time: whoever took part and left again has attendance all the same.
    pub seated: bool,
    pub twin_of: Option<Number>,
    pub drop_at: Option<Timestamp>,
    pub accepted_at: Timestamp,
    pub changed_at: Timestamp,
    /// The journal numbers of its changes, first to last.
    pub steps: Vec<u64>,
    /// Not in the journal: attached from the row.
    pub contact: ContactKeys,
    /// Whether personal data of the party were erased.
    pub erased: Option<Erased>,
    /// What few have said about theirs; `said` reads it.
    pub choices: Option<Box<Choices>>,
}

/// What became of a party's personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erased {
    /// Of the last erasure.
    pub at: Timestamp,
    /// Some must be kept for a while.
    pub kept: bool,
}

/// What was answered under a request id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The registration that it was about; 0 where it was about the event.
    pub number: Number,
    pub state: Option<StateKind>,
    /// Position in line at that time; 0 where it was not in line.
    pub position: u32,
    pub pool: Option<PoolNo>,
    pub expires_at: Option<Timestamp>,
    /// The journal number that the event had after it.
    pub journal_number: u64,
}

/// A request id that was used, with what was asked and answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Recorded {
    pub fingerprint: u64,
    pub outcome: Outcome,
}

/// What is held in one pool.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Held {
    pub confirmed: Tally,
    pub offered: Tally,
    pub released: bool,
}

impl Held {
    /// Seats held.
    pub fn total(&self) -> u32 {
        self.confirmed.persons + self.offered.persons
    }
}

/// The facts of one event.
#[derive(Clone, Debug)]
pub struct Roster {
    pub event: EventId,
    pub state: EventState,
    pub terms: Arc<Terms>,
    /// Changes by staff so far: the etag.
    pub version: u64,
    /// The number of the last change.
    pub journal_number: u64,
    /// The time of the last change; time never goes back.
    pub last_at: Timestamp,
    /// The next accepted number or place.
    pub next_number: Number,
    pub counts: Counts,
    /// Beside `terms.pools`, in the same order.
    pub(super) held: Vec<Held>,
    /// By accepted number; a gap where a number went to a place.
    pub(super) standings: Vec<Option<Box<Standing>>>,
    pub(super) line: Line,
    /// Deadlines: offers to expire, duplicates to drop.
    pub(super) deadlines: BTreeSet<(Timestamp, Number)>,
    /// Live registrations by contact key.
    pub(super) contacts: HashMap<u64, Holders>,
    /// Who came; none, and no memory, where nothing was written down.
    pub(super) attendance: Option<Box<Attendance>>,
    /// Live possible duplicates.
    pub(super) twins: u32,
    requests: HashMap<u128, Recorded>,
    no_wishes: Arc<[PoolNo]>,
}

impl Roster {
    /// A draft without anybody in it, as the journal's first entry leaves it.
    pub fn new(event: EventId, terms: Arc<Terms>, created_at: Timestamp) -> Self {
        let held = terms.pools.iter().map(|_| Held::default()).collect();
        Self {
            event,
            state: EventState::Draft,
            terms,
            version: 1,
            journal_number: 1,
            last_at: created_at,
            next_number: 1,
            counts: Counts::default(),
            held,
            standings: Vec::new(),
            line: Line::default(),
            deadlines: BTreeSet::new(),
            contacts: HashMap::new(),
            attendance: None,
            twins: 0,
            requests: HashMap::new(),
            no_wishes: Arc::from([]),
        }
    }

    /// Replays a whole journal. `None` where it does not begin with the creation, or has a gap.
    pub fn replay(event: EventId, entries: &[Entry]) -> Option<Self> {
        let (first, rest) = entries.split_first().filter(|(first, _)| first.number == 1)?;
        let super::change::Change::EventCreated { terms } = &first.change else { return None };
        let mut roster = Self::new(event, Arc::clone(terms), first.at);
        for entry in rest {
            if entry.number != roster.journal_number + 1 {
                return None;
            }
            roster.apply(entry);
        }
        Some(roster)
    }

    pub fn standing(&self, number: Number) -> Option<&Standing> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.standings.get(index)?.as_deref()
    }

    pub(super) fn standing_mut(&mut self, number: Number) -> Option<&mut Standing> {
        let index = usize::try_from(number).ok()?.checked_sub(1)?;
        self.standings.get_mut(index)?.as_deref_mut()
    }

    /// Every registration, by accepted number.
    pub fn standings(&self) -> impl Iterator<Item = &Standing> {
        self.standings.iter().flatten().map(|s| &**s)
    }

    /// How many registrations it holds in memory.
    pub fn len(&self) -> usize {
        self.standings.len()
    }

    pub fn is_empty(&self) -> bool {
        self.standings.is_empty()
    }

    /// What it takes in memory, in registrations: four marks are about as large as one.
    pub fn weight(&self) -> usize {
        self.len() + self.attendance.as_ref().map_or(0, |a| a.len() / 4)
    }

    /// The position in line: 1 is next. 0 where it does not wait. Possible duplicates stand in line like everybody.
    pub fn position(&self, number: Number) -> u32 {
        match self.standing(number) {
            Some(s) if s.state == State::Waitlisted => self.line.position(self.rank(s), s.place),
            _ => 0,
        }
    }

    /// The accepted number of whoever stands at this position.
    pub fn at_position(&self, position: u32) -> Option<Number> {
        self.line.at(position)
    }

    /// How many wait in line.
    pub fn line_len(&self) -> u32 {
        self.line.len()
    }

    pub fn rank(&self, s: &Standing) -> u8 {
        self.terms.policy.rank(s.class.as_deref())
    }

    /// Pools with what is held in them.
    pub fn pools(&self) -> impl Iterator<Item = (&Pool, &Held)> {
        self.terms.pools.iter().zip(&self.held)
    }

    pub(super) fn pool(&self, no: PoolNo) -> Option<(&Pool, &Held)> {
        self.pools().find(|(p, _)| p.no == no)
    }

    pub(super) fn held_mut(&mut self, no: PoolNo) -> Option<&mut Held> {
        let index = self.terms.pools.iter().position(|p| p.no == no)?;
        self.held.get_mut(index)
    }

    /// Free seats of a pool, never below 0; `u32::MAX` where it has no bound.
    pub fn free(pool: &Pool, held: &Held) -> u32 {
        pool.capacity.map_or(u32::MAX, |c| c.saturating_sub(held.total()))
    }

    /// Free seats over all pools; `None` where one has no bound.
    pub fn free_in_all(&self) -> Option<u32> {
        self.pools()
            .try_fold(0u32, |sum, (pool, held)| pool.capacity.map(|_| sum.saturating_add(Self::free(pool, held))))
    }

    /// What the change feed tells with each change.
    pub fn seat_counts(&self) -> SeatCounts {
        SeatCounts::of(&self.counts, self.free_in_all())
    }

    /// What was recorded under a request id.
    pub fn recorded(&self, key: u128) -> Option<&Recorded> {
        self.requests.get(&key)
    }

    pub fn record(&mut self, key: u128, recorded: Recorded) {
        self.requests.insert(key, recorded);
    }

    /// Attaches what the journal does not hold: the id and the contact keys of a registration.
    pub fn attach(&mut self, number: Number, id: RegistrationId, contact: ContactKeys) {
        let index = number.saturating_sub(1) as usize;
        let Some(mut s) = self.standings.get_mut(index).and_then(Option::take) else { return };
        let is_live = s.state.is_live();
        if is_live {
            self.forget_contact(&s);
        }
        s.id = id;
        s.contact = contact;
        if is_live {
            self.remember_contact(&s);
        }
        self.standings[index] = Some(s);
    }

    /// The same list for the same wishes, so that a million equal wishes cost nothing.
    pub(super) fn wishes(&self, wishes: &[PoolNo]) -> Arc<[PoolNo]> {
        if wishes.is_empty() { Arc::clone(&self.no_wishes) } else { Arc::from(wishes) }
    }

    /// Which seats somebody wishes for makes the lane; in which order they wish does not.
    pub(super) fn lane(&self, s: &Standing) -> Lane {
        let mut wishes = Arc::clone(&s.wishes);
        if !wishes.is_sorted() {
            let mut sorted = wishes.to_vec();
            sorted.sort_unstable();
            wishes = Arc::from(sorted);
        }
        Lane { rank: self.rank(s), size: s.size, wishes, class: s.class.clone(), twin: s.twin_of.is_some() }
    }

    /// The earliest instant at which something is due, if anything is.
    pub fn next_due(&self) -> Option<Timestamp> {
        if self.state != EventState::Published {
            return None;
        }
        let release =
            self.pools().filter(|(p, h)| !h.released && !p.classes.is_empty()).filter_map(|(p, _)| p.release_at).min();
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        [release, deadline].into_iter().flatten().min()
    }
}

/// Whether somebody of this class may sit in the pool.
pub(super) fn is_open_to(pool: &Pool, released: bool, class: Option<&str>) -> bool {
    pool.classes.is_empty() || released || class.is_some_and(|class| pool.classes.iter().any(|c| c == class))
}
