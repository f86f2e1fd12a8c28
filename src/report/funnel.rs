//! The waiting lines: offers and what became of them, and how long everything took.

use super::demand::channel_word;
use super::digest::Digested;
use super::facts::{Fact, OfferEnd};
use super::lengths::Lengths;
use std::collections::BTreeMap;

/// Offers, and lengths of time, of one channel or centre, or of all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OfferCounts {
    pub made: u64,
    pub accepted: u64,
    pub declined: u64,
    pub expired: u64,
    pub open: u64,
    /// From offer to answer.
    pub answer: Lengths,
    /// From sign-up to the first offer or seat, of those that had to wait.
    pub to_offer: Lengths,
    /// From sign-up to the first session, of those that were admitted.
    pub to_first_session: Lengths,
}

/// What became of the lines of some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Funnel {
    pub total: OfferCounts,
    pub by_channel: BTreeMap<String, OfferCounts>,
    pub by_centre: BTreeMap<String, OfferCounts>,
    pub late_cancelled: u64,
    pub late_filled: u64,
    pub ahead_by_class: u64,
}

impl OfferCounts {
    fn add(&mut self, digested: &Digested, fact: &Fact) {
        for offer in &fact.offers {
            self.made += 1;
            match offer.end {
                OfferEnd::Open => self.open += 1,
                OfferEnd::Accepted => self.accepted += 1,
                OfferEnd::Declined => self.declined += 1,
                OfferEnd::Expired => self.expired += 1,
                OfferEnd::Withdrawn => {}
            }
            if matches!(offer.end, OfferEnd::Accepted | OfferEnd::Declined) {
                self.answer.add(offer.at, offer.ended_at);
            }
        }
        if let Some(at) = fact.first_chance_at {
            self.to_offer.add(fact.accepted_at, at);
        }
        if let Some(start) = digested.head.starts_at.filter(|_| fact.admitted) {
            self.to_first_session.add(fact.accepted_at, start);
        }
    }

    /// Every count in it, for the protection of small ones.
    pub fn counts(&self) -> [u64; 5] {
        [self.made, self.accepted, self.declined, self.expired, self.open]
    }
}

impl Funnel {
    /// Takes an event in.
    pub fn add(&mut self, digested: &Digested, facts: &[Fact]) {
        self.late_cancelled += u64::from(digested.head.late_cancelled);
        self.late_filled += u64::from(digested.head.late_filled);
        self.ahead_by_class += u64::from(digested.head.ahead_by_class);
        for fact in facts.iter().filter(|fact| fact.valid) {
            self.total.add(digested, fact);
            self.by_channel.entry(channel_word(fact.channel).to_owned()).or_default().add(digested, fact);
            self.by_centre.entry(digested.head.centre.0.clone()).or_default().add(digested, fact);
        }
    }
}
