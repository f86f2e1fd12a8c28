//! The way of each registration through its journal: when it had seats and offers, and what became of them.

use super::facts::{Offer, OfferEnd};
use crate::admission::{Because, Change, Entering, Entry};
use crate::model::event::Terms;
use crate::model::id::Number;
use crate::model::registration::End;
use crate::model::time::{Span, Timestamp};
use std::collections::HashMap;

/// Seats that are given back so shortly before the start are late.
const LATE: Span = Span(24 * 3_600 * 1_000_000);

/// What the journal of one event shows.
#[derive(Default)]
pub(super) struct Trace {
    pub ways: HashMap<Number, Way>,
    /// Persons who hold seats at the start, or now where that is to come: confirmed, or in a live offer.
    pub held: u32,
    /// Seats given back in the last day before the start.
    pub late_cancelled: u32,
    /// How many of them somebody else got.
    pub late_filled: u32,
    /// Those that nobody has got yet.
    late_open: u32,
}

/// One registration's way.
#[derive(Default)]
pub(super) struct Way {
    size: u32,
    registered_at: Option<Timestamp>,
    pub first_seat_at: Option<Timestamp>,
    seat_from: Option<Timestamp>,
    /// When it had confirmed seats and gave them back.
    seats: Vec<(Timestamp, Timestamp)>,
    pub offers: Vec<Offer>,
}

impl Way {
    /// It held a confirmed seat at the start, or came in later; without a start: it holds one.
    pub fn was_admitted(&self, starts_at: Option<Timestamp>) -> bool {
        let kept = |start| self.seats.iter().any(|(_, until)| *until > start);
        self.seat_from.is_some() || starts_at.is_some_and(kept)
    }

    /// It held a confirmed seat at that moment, or will, as far as is known.
    pub fn sat_at(&self, starts_at: Option<Timestamp>) -> bool {
        let Some(start) = starts_at else { return self.seat_from.is_some() };
        let over = |from: Timestamp| from <= start;
        self.seat_from.is_some_and(over) || self.seats.iter().any(|(from, until)| over(*from) && *until > start)
    }

    /// The first seat or offer, where it came later than the sign-up itself.
    pub fn first_chance_at(&self) -> Option<Timestamp> {
        let offered = self.offers.first().map(|offer| offer.at);
        let first = [offered, self.first_seat_at].into_iter().flatten().min()?;
        (Some(first) != self.registered_at).then_some(first)
    }

    fn sit(&mut self, at: Timestamp) {
        self.first_seat_at.get_or_insert(at);
        self.seat_from.get_or_insert(at);
    }

    /// Gives its seats back; how many they were.
    fn stand_up(&mut self, at: Timestamp) -> u32 {
        let Some(from) = self.seat_from.take() else { return 0 };
        self.seats.push((from, at));
        self.size
    }

    fn end_offer(&mut self, at: Timestamp, end: OfferEnd) {
        if let Some(offer) = self.offers.last_mut().filter(|offer| offer.end == OfferEnd::Open) {
            (offer.end, offer.ended_at) = (end, at);
        }
    }
}

/// Walks a journal from its beginning.
pub(super) fn trace(terms: &Terms, entries: &[Entry]) -> Trace {
    let mut trace = Trace::default();
    for entry in entries {
        trace.step(terms, entry);
    }
    trace
}

impl Trace {
    fn step(&mut self, terms: &Terms, entry: &Entry) {
        let Some(number) = entry.change.about() else { return };
        let at = entry.at;
        let way = self.ways.entry(number).or_default();
        let (mut freed, mut taken) = (0, 0);
        match &entry.change {
            Change::Registered { size, to, .. } => {
                (way.size, way.registered_at) = (*size, Some(at));
                if matches!(to, Entering::Seat { .. }) {
                    way.sit(at);
                    taken = *size;
                }
            }
            Change::Confirmed { .. } => {
                way.end_offer(at, OfferEnd::Accepted);
                way.sit(at);
                taken = way.size;
            }
            // The same offer with an earlier deadline.
            Change::Offered { because: Because::StartMoved, .. } => {}
            Change::Offered { .. } => way.offers.push(Offer { at, end: OfferEnd::Open, ended_at: at }),
            Change::OfferAccepted { .. } => {
                way.end_offer(at, OfferEnd::Accepted);
                way.sit(at);
                taken = way.size;
            }
            Change::OfferMissed { .. } => way.end_offer(at, OfferEnd::Expired),
            Change::Ended { end, .. } => {
                way.end_offer(at, offer_end(end));
                let seats = way.stand_up(at);
                if matches!(end, End::Cancelled { .. }) {
                    freed = seats;
                }
            }
            Change::Resized { size, .. } => {
                if way.seat_from.is_some() {
                    freed = way.size.saturating_sub(*size);
                    taken = size.saturating_sub(way.size);
                }
                way.size = *size;
            }
            _ => {}
        }
        self.late(terms, at, freed, taken);
    }

    /// Counts seats that are given back late, and who gets them until nobody comes in any more.
    fn late(&mut self, terms: &Terms, at: Timestamp, freed: u32, taken: u32) {
        let Some(start) = terms.starts_at else { return };
        if taken > 0 && terms.last_entry().is_none_or(|last| at <= last) {
            let filled = taken.min(self.late_open);
            self.late_open -= filled;
            self.late_filled += filled;
        }
        if freed > 0 && at < start && start.since(at) < LATE {
            self.late_cancelled += freed;
            self.late_open += freed;
        }
    }
}

fn offer_end(end: &End) -> OfferEnd {
    match end {
        End::Cancelled { .. } | End::Declined { .. } => OfferEnd::Declined,
        End::Expired => OfferEnd::Expired,
        End::DuplicateDropped | End::Rejected { .. } | End::EventCancelled | End::Transferred { .. } => {
            OfferEnd::Withdrawn
        }
    }
}
