//! The journal, replayed entry by entry, with what must hold at each of them: dense numbers, time that does
//! not go back, seats as they were written down, and no seat given that a pool did not have.

use super::{About, Difference};
use crate::admission::{Change, Entering, Entry, Roster, SeatCounts};
use crate::model::id::{EventId, PoolNo};
use std::collections::BTreeMap;

/// A journal as far as it was read.
pub struct Replay {
    event: EventId,
    roster: Option<Roster>,
    entries: u64,
    /// The most registrations per contact that any policy allowed; `None` where one had no bound.
    per_contact: Option<u32>,
    /// What batches say that they left, by their last number, as far as the replay is not there yet.
    counts: BTreeMap<u64, SeatCounts>,
    found: Vec<Difference>,
}

/// Differences in one journal are kept up to this many: one missing entry may put thousands out of step.
const FOUND_MAX: usize = 1_000;

impl Replay {
    pub fn new(event: EventId) -> Self {
        Self { event, roster: None, entries: 0, per_contact: Some(1), counts: BTreeMap::new(), found: Vec::new() }
    }

    /// What was written with batches that come next, to be held against the replay.
    pub fn expect(&mut self, counts: impl IntoIterator<Item = (u64, SeatCounts)>) {
        self.counts.extend(counts);
    }

    /// Reads on.
    pub fn take(&mut self, entries: &[Entry]) {
        for entry in entries {
            self.entries += 1;
            self.note_policy(entry);
            match self.roster.take() {
                None => self.begin(entry),
                Some(roster) => self.go_on(roster, entry),
            }
            self.compare_counts(entry.number);
        }
    }

    /// How many entries were read.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// The roster that the journal leads to, and what was wrong on the way.
    pub(super) fn finish(self) -> Replayed {
        let Self { roster, per_contact, found, .. } = self;
        Replayed { roster, per_contact, found }
    }

    fn find(&mut self, about: About, text: String) {
        if self.found.len() < FOUND_MAX {
            self.found.push(Difference { about, text });
        }
    }

    fn compare_counts(&mut self, number: u64) {
        let Some(said) = self.counts.remove(&number) else { return };
        let Some(counts) = self.roster.as_ref().map(Roster::seat_counts) else { return };
        if said != counts {
            self.find(
                About::Counts,
                format!("with entry {number} the feed tells {said:?}, the journal gives {counts:?}"),
            );
        }
    }

    fn begin(&mut self, entry: &Entry) {
        let Change::EventCreated { terms } = &entry.change else {
            return self.find(About::Journal, format!("entry {} does not create the event", entry.number));
        };
        if entry.number != 1 {
            self.find(About::Journal, format!("begins with number {}", entry.number));
        }
        self.roster = Some(Roster::new(self.event, terms.clone(), entry.at));
    }

    fn go_on(&mut self, mut roster: Roster, entry: &Entry) {
        let n = entry.number;
        if n != roster.journal_number + 1 {
            self.find(About::Journal, format!("entry {n} follows {}", roster.journal_number));
        }
        if entry.at < roster.last_at {
            self.find(About::Journal, format!("entry {n} is earlier than the one before"));
        }
        if entry.policy != roster.terms.policy.version {
            let ruling = roster.terms.policy.version;
            self.find(About::Journal, format!("entry {n} names policy {}, and {ruling} was in force", entry.policy));
        }
        let before = i64::from(roster.counts.held());
        roster.apply(entry);
        let moved = i64::from(roster.counts.held()) - before;
        if entry.seats != moved {
            self.find(About::Journal, format!("entry {n} says {} seats moved, and {moved} did", entry.seats));
        }
        self.seat_given(&roster, entry);
        self.roster = Some(roster);
    }

    /// After a cut a pool may hold more than it has. But nobody may be given a seat in it then.
    fn seat_given(&mut self, roster: &Roster, entry: &Entry) {
        if entry.seats <= 0 {
            return;
        }
        let Some(no) = pool_of(roster, &entry.change) else { return };
        let Some((pool, held)) = roster.pools().find(|(pool, _)| pool.no == no) else {
            return self.find(About::Capacity, format!("entry {} gives a seat in no pool", entry.number));
        };
        if let Some(capacity) = pool.capacity.filter(|capacity| held.total() > *capacity) {
            let text = format!(
                "entry {} gives a seat in pool {}, which then holds {} of {capacity}",
                entry.number,
                pool.id,
                held.total()
            );
            self.find(About::Capacity, text);
        }
    }

    fn note_policy(&mut self, entry: &Entry) {
        let (Change::EventCreated { terms } | Change::TermsChanged { terms }) = &entry.change else { return };
        self.per_contact = match (self.per_contact, terms.policy.registrations_per_contact) {
            (None, _) | (_, 0) => None,
            (Some(most), now) => Some(most.max(now)),
        };
    }
}

/// What the journal leads to.
pub(super) struct Replayed {
    pub roster: Option<Roster>,
    pub per_contact: Option<u32>,
    pub found: Vec<Difference>,
}

/// The pool in which a change gave seats.
fn pool_of(roster: &Roster, change: &Change) -> Option<PoolNo> {
    match change {
        Change::Registered { to: Entering::Seat { pool, .. }, .. } => Some(*pool),
        Change::Confirmed { pool, .. } | Change::Offered { pool, .. } => Some(*pool),
        Change::Resized { number, .. } => roster.standing(*number)?.state.holds(),
        _ => None,
    }
}
