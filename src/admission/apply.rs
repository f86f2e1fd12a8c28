//! How a change moves the roster. Total: a journal that was written can always be replayed.

use super::attendance::SessionCounts;
use super::change::{Because, Change, Entering, Entry};
use super::roster::{Erased, Held, Roster, Standing};
use crate::model::attendance::Source;
use crate::model::contact::ContactKeys;
use crate::model::event::{EventState, Pool, Terms};
use crate::model::id::{Number, RegistrationId};
use crate::model::registration::{End, State};
use crate::model::time::Timestamp;
use std::sync::Arc;

impl Roster {
    /// Applies one entry of the journal. Entries come in order, each one number after the last.
    pub fn apply(&mut self, entry: &Entry) {
        self.journal_number = entry.number;
        self.last_at = self.last_at.max(entry.at);
        match &entry.change {
            // Sessions are moved by the terms of the entry before.
            Change::EventCreated { .. }
            | Change::SeatsFree { .. }
            | Change::SessionMoved { .. }
            | Change::SessionCancelled { .. } => {}
            Change::TermsChanged { terms } => {
                self.version += 1;
                self.replace_terms(Arc::clone(terms), entry.at);
            }
            Change::DetailsChanged => self.version += 1,
            Change::Published => self.enter(EventState::Published),
            Change::EventCancelled => self.enter(EventState::Cancelled),
            Change::EventCompleted => self.enter(EventState::Completed),
            Change::PoolReleased { pool } => {
                if let Some(held) = self.held_mut(*pool) {
                    held.released = true;
                }
            }
            Change::Registered { .. } => self.admit(entry),
            Change::AttendanceRecorded { session, source, happened_at, marks } => {
                self.mark(entry, *session, *source, *happened_at, marks);
            }
            Change::CheckedIn { session, happened_at, marks, .. } => {
                self.mark(entry, *session, Source::Door, *happened_at, marks);
            }
            Change::HeadsCounted { session, happened_at, heads, .. } => {
                self.count_heads(entry, *session, *happened_at, *heads);
            }
            other => self.apply_to_registration(entry, other),
        }
        for number in &entry.cleared {
            self.clear_mark(*number, entry.number);
        }
    }

    /// Takes away the mark of a possible duplicate. It is a step of the registration, and no change that its party is
    /// told of: the time of the last one stays.
    pub(super) fn clear_mark(&mut self, number: Number, step: u64) {
        let index = number.saturating_sub(1) as usize;
        let Some(mut s) = self.standings.get_mut(index).and_then(Option::take) else { return };
        self.delist(&s);
        (s.twin_of, s.drop_at) = (None, None);
        if s.steps.last() != Some(&step) {
            s.steps.push(step);
        }
        self.enlist(&s);
        self.standings[index] = Some(s);
    }

    fn enter(&mut self, state: EventState) {
        self.version += 1;
        self.state = state;
    }

    fn apply_to_registration(&mut self, entry: &Entry, change: &Change) {
        match change {
            Change::Approved { number } | Change::OfferWithdrawn { number } => {
                self.change(*number, entry, |s| s.state = State::Waitlisted);
            }
            Change::Confirmed { number, pool, passed_over, .. } => {
                self.count_passed_over(*passed_over, entry);
                self.change(*number, entry, |s| s.state = State::Confirmed { pool: *pool });
            }
            Change::Offered { number, pool, expires_at, passed_over, because } => {
                self.count_passed_over(*passed_over, entry);
                // An offer with an earlier deadline is the same offer.
                self.counts.offers_made += u32::from(*because != Because::StartMoved);
                let offered = State::Offered { pool: *pool, expires_at: *expires_at };
                self.change(*number, entry, |s| s.state = offered);
            }
            Change::OfferAccepted { number } => {
                self.counts.offers_accepted += 1;
                self.change(*number, entry, |s| {
                    if let State::Offered { pool, .. } = s.state {
                        s.state = State::Confirmed { pool };
                    }
                });
            }
            Change::OfferMissed { number, to_place } => self.miss_offer(*number, *to_place, entry),
            Change::Ended { number, end } => self.end(*number, end, entry),
            Change::ClassSet { number, class } => {
                let class = class.as_deref().map(Arc::from);
                self.change(*number, entry, |s| s.class = class);
            }
            Change::Resized { number, size, passed_over } => {
                self.count_passed_over(*passed_over, entry);
                self.change(*number, entry, |s| s.size = *size);
            }
            Change::Amended { number, twin_of, drop_at } => self.change(*number, entry, |s| {
                s.twin_of = twin_of.or(s.twin_of);
                s.drop_at = drop_at.or(s.drop_at);
            }),
            Change::Erased { number, kept } => self.change(*number, entry, |s| {
                s.erased = Some(Erased { at: entry.at, kept: *kept });
                s.contact = ContactKeys::default();
                s.forget_choices(*kept, entry.at);
            }),
            Change::Restricted { number, restricted } => {
                self.change(*number, entry, |s| s.restrict(restricted.then_some(entry.at)));
            }
            Change::ConsentsSet { number, consents } => self.change(*number, entry, |s| s.set_consents(consents)),
            _ => {}
        }
    }

    /// Takes a new party in.
    fn admit(&mut self, entry: &Entry) {
        let Change::Registered { number, size, wishes, to, twin_of, drop_at } = &entry.change else { return };
        let state = match to {
            Entering::InReview => State::InReview,
            Entering::Line => State::Waitlisted,
            Entering::Seat { pool, passed_over } => {
                self.count_passed_over(*passed_over, entry);
                State::Confirmed { pool: *pool }
            }
        };
        let standing = Standing {
            number: *number,
            id: RegistrationId::new(*number, [0; 12]),
            size: *size,
            state,
            class: None,
            place: *number,
            wishes: self.wishes(wishes),
            passed_over: 0,
            missed_offers: 0,
            seated: matches!(to, Entering::Seat { .. }),
            twin_of: *twin_of,
            drop_at: *drop_at,
            accepted_at: entry.at,
            changed_at: entry.at,
            steps: vec![entry.number],
            contact: ContactKeys::default(),
            erased: None,
            choices: None,
        };
        self.place(standing);
    }

    /// Puts a registration where it belongs: from the journal, or from a row.
    pub(super) fn place(&mut self, standing: Standing) {
        let number = standing.number;
        let index = number.saturating_sub(1) as usize;
        if self.standings.len() <= index {
            self.standings.resize_with(index + 1, || None);
        }
        self.next_number = self.next_number.max(number + 1).max(standing.place + 1);
        self.enlist(&standing);
        self.standings[index] = Some(Box::new(standing));
    }

    /// Changes one registration: out of all indexes, changed, and in again.
    fn change(&mut self, number: Number, entry: &Entry, f: impl FnOnce(&mut Standing)) {
        let index = number.saturating_sub(1) as usize;
        let Some(mut s) = self.standings.get_mut(index).and_then(Option::take) else { return };
        self.delist(&s);
        f(&mut s);
        s.seated |= matches!(s.state, State::Confirmed { .. });
        s.changed_at = entry.at;
        s.steps.push(entry.number);
        self.enlist(&s);
        self.standings[index] = Some(s);
    }

    /// Enters a registration into counts, pools, line, deadlines and contacts.
    fn enlist(&mut self, s: &Standing) {
        self.counts.tally(&s.state).add(s.size);
        match s.state {
            State::Waitlisted => {
                let lane = self.lane(s);
                self.line.insert(lane, s.place, s.number);
            }
            State::Offered { pool, expires_at } => {
                self.hold(pool, |h| h.offered.add(s.size));
                self.deadlines.insert((expires_at, s.number));
            }
            State::Confirmed { pool } => self.hold(pool, |h| h.confirmed.add(s.size)),
            _ => {}
        }
        if let (Some(at), true) = (s.drop_at, s.state.is_live()) {
            self.deadlines.insert((at, s.number));
        }
        if s.state.is_live() {
            self.remember_contact(s);
            self.twins += u32::from(s.twin_of.is_some());
        }
    }

    /// The exact reverse of `enlist`.
    fn delist(&mut self, s: &Standing) {
        self.counts.tally(&s.state).take(s.size);
        match s.state {
            State::Waitlisted => {
                let lane = self.lane(s);
                self.line.remove(&lane, s.place);
            }
            State::Offered { pool, expires_at } => {
                self.hold(pool, |h| h.offered.take(s.size));
                self.deadlines.remove(&(expires_at, s.number));
            }
            State::Confirmed { pool } => self.hold(pool, |h| h.confirmed.take(s.size)),
            _ => {}
        }
        if let Some(at) = s.drop_at {
            self.deadlines.remove(&(at, s.number));
        }
        if s.state.is_live() {
            self.forget_contact(s);
            self.twins -= u32::from(s.twin_of.is_some());
        }
    }

    fn hold(&mut self, pool: u16, f: impl FnOnce(&mut Held)) {
        if let Some(held) = self.held_mut(pool) {
            f(held);
        }
    }

    /// Being passed over is a step too: it is told to whoever asks why they still wait.
    fn count_passed_over(&mut self, number: Option<Number>, entry: &Entry) {
        if let Some(s) = number.and_then(|n| self.standing_mut(n)) {
            s.passed_over = s.passed_over.saturating_add(1);
            s.steps.push(entry.number);
        }
    }

    fn miss_offer(&mut self, number: Number, to_place: Option<Number>, entry: &Entry) {
        self.counts.offers_missed += 1;
        if let Some(place) = to_place {
            self.next_number = self.next_number.max(place + 1);
        }
        self.change(number, entry, |s| {
            s.state = State::Waitlisted;
            s.missed_offers = s.missed_offers.saturating_add(1);
            s.place = to_place.unwrap_or(s.place);
        });
    }

    fn end(&mut self, number: Number, end: &End, entry: &Entry) {
        match end {
            End::Declined { .. } => self.counts.offers_declined += 1,
            End::Expired => self.counts.offers_missed += 1,
            _ => {}
        }
        self.change(number, entry, |s| {
            s.missed_offers += u16::from(*end == End::Expired);
            s.state = State::Ended(end.clone());
            if matches!(end, End::Transferred { .. }) {
                s.leave_words(entry.at);
            }
        });
    }

    /// New terms: pools keep what is held in them, and everybody is ranked anew. A pool that was released stays so,
    /// unless the terms keep it for longer: until a time that is still to come, or for good.
    fn replace_terms(&mut self, terms: Arc<Terms>, now: Timestamp) {
        let kept = |pool: &Pool| {
            let held = self.pool(pool.no).map(|(_, h)| *h).unwrap_or_default();
            let released = held.released && pool.release_at.is_some_and(|at| at <= now);
            Held { released, ..held }
        };
        let held = terms.pools.iter().map(kept).collect();
        let reranked = self.terms.policy.class_order != terms.policy.class_order;
        if reranked {
            self.with_line_emptied(|roster| {
                roster.terms = terms;
                roster.held = held;
            });
        } else {
            self.terms = terms;
            self.held = held;
        }
    }

    fn with_line_emptied(&mut self, f: impl FnOnce(&mut Self)) {
        self.line = super::line::Line::default();
        f(self);
        let waiting: Vec<_> = self
            .standings()
            .filter(|s| s.state == State::Waitlisted)
            .map(|s| (self.lane(s), s.place, s.number))
            .collect();
        for (lane, place, number) in waiting {
            self.line.insert(lane, place, number);
        }
    }
}

/// What the event row keeps of a roster beside its terms; the registrations come after it, one by one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    pub state: EventState,
    pub version: u64,
    pub journal_number: u64,
    pub last_at: Timestamp,
    pub next_number: Number,
    pub counts: super::counts::Counts,
    /// Pools that were released.
    pub released: Vec<u16>,
    /// Of each session of which something was written down.
    pub attendance: Vec<SessionCounts>,
}

impl Roster {
    /// What the event row keeps.
    pub fn header(&self) -> Header {
        Header {
            state: self.state,
            version: self.version,
            journal_number: self.journal_number,
            last_at: self.last_at,
            next_number: self.next_number,
            counts: self.counts,
            released: self.pools().filter(|(_, h)| h.released).map(|(p, _)| p.no).collect(),
            attendance: self.session_counts().collect(),
        }
    }

    /// Builds a roster from rows: the event's, and one per registration in any order. The four counts of
    /// offers are taken from the row, and so are heads; everything else is counted anew. Marks come after it, one by one
    /// (`place_mark`).
    pub fn from_rows(
        event: crate::model::id::EventId,
        terms: Arc<Terms>,
        header: &Header,
        standings: impl IntoIterator<Item = Standing>,
    ) -> Self {
        let mut roster = Self::new(event, terms, header.last_at);
        roster.state = header.state;
        roster.version = header.version;
        roster.journal_number = header.journal_number;
        roster.counts.offers_made = header.counts.offers_made;
        roster.counts.offers_accepted = header.counts.offers_accepted;
        roster.counts.offers_declined = header.counts.offers_declined;
        roster.counts.offers_missed = header.counts.offers_missed;
        for no in &header.released {
            if let Some(held) = roster.held_mut(*no) {
                held.released = true;
            }
        }
        for standing in standings {
            roster.place(standing);
        }
        roster.heads_from(header);
        roster.next_number = roster.next_number.max(header.next_number);
        roster
    }
}
