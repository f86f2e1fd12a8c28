//! Demand: who asked, who got a seat, who never did.

use super::digest::Digested;
use super::facts::Fact;
use crate::model::event::{EventKind, EventState};
use crate::model::party::Channel;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A number of parties, the persons in them, and the families among them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    pub parties: u64,
    pub persons: u64,
    pub families: u64,
}

impl Tally {
    fn add(&mut self, fact: &Fact) {
        self.parties += 1;
        self.persons += u64::from(fact.size);
        self.families += u64::from(!fact.group);
    }

    pub(super) fn join(&mut self, other: &Tally) {
        self.parties += other.parties;
        self.persons += other.persons;
        self.families += other.families;
    }
}

/// What became of those who asked: applicants = admitted + refused + withdrawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figures {
    pub applicants: Tally,
    pub admitted: Tally,
    pub refused: Tally,
    pub withdrawn: Tally,
    pub waiting: Tally,
    /// Refused persons who said that another municipality is fine.
    pub willing_elsewhere: u64,
}

impl Figures {
    fn add(&mut self, fact: &Fact) {
        self.applicants.add(fact);
        if fact.admitted {
            self.admitted.add(fact);
        } else if fact.refused {
            self.refused.add(fact);
            self.willing_elsewhere += if fact.willing_elsewhere { u64::from(fact.size) } else { 0 };
        } else {
            self.withdrawn.add(fact);
        }
        if fact.waiting && fact.refused {
            self.waiting.add(fact);
        }
    }

    pub(super) fn join(&mut self, other: &Figures) {
        self.applicants.join(&other.applicants);
        self.admitted.join(&other.admitted);
        self.refused.join(&other.refused);
        self.withdrawn.join(&other.withdrawn);
        self.waiting.join(&other.waiting);
        self.willing_elsewhere += other.willing_elsewhere;
    }

    /// Every count in it, for the protection of small ones.
    pub fn counts(&self) -> [u64; 15] {
        let of = |t: &Tally| [t.parties, t.persons, t.families];
        let all = [self.applicants, self.admitted, self.refused, self.withdrawn, self.waiting];
        let mut counts = [0; 15];
        for (to, from) in counts.iter_mut().zip(all.iter().flat_map(of)) {
            *to = from;
        }
        counts
    }
}

/// By what a breakdown is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Dimension {
    Channel,
    Language,
    HomeMunicipality,
    Eldership,
}

/// The demand of one event, or of several.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Demand {
    pub total: Figures,
    /// By dimension and value; a value that was not told is empty.
    pub by: BTreeMap<(Dimension, String), Figures>,
}

impl Demand {
    pub fn join(&mut self, other: &Demand) {
        self.total.join(&other.total);
        for (key, figures) in &other.by {
            self.by.entry(key.clone()).or_default().join(figures);
        }
    }
}

/// The word of a channel in breakdowns.
pub fn channel_word(channel: Channel) -> &'static str {
    match channel {
        Channel::Web => "web",
        Channel::Phone => "phone",
        Channel::Message => "message",
        Channel::InPerson => "in_person",
        Channel::Referral => "referral",
    }
}

/// The demand of one event.
pub(super) fn demand_of(facts: &[Fact]) -> Demand {
    let mut demand = Demand::default();
    for fact in facts.iter().filter(|fact| fact.valid) {
        demand.total.add(fact);
        let keys = [
            (Dimension::Channel, channel_word(fact.channel)),
            (Dimension::Language, fact.language.as_str()),
            (Dimension::HomeMunicipality, fact.municipality.as_str()),
            (Dimension::Eldership, fact.eldership.as_str()),
        ];
        for (dimension, value) in keys {
            demand.by.entry((dimension, value.to_owned())).or_default().add(fact);
        }
    }
    demand
}

/// One line: seats and figures of some events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub events: u64,
    pub seats: u64,
    pub unlimited: bool,
    pub figures: Figures,
}

impl Cell {
    fn add(&mut self, digested: &Digested) {
        self.events += 1;
        self.seats += u64::from(digested.head.seats);
        self.unlimited |= digested.head.unlimited;
        self.figures.join(&digested.demand.total);
    }

    /// Applicants' persons per hundred seats, rounded to the nearest; `None` where it says nothing.
    pub fn per_hundred_seats(&self) -> Option<u64> {
        let bounded = !self.unlimited && self.seats > 0;
        bounded.then(|| (self.figures.applicants.persons * 200 + self.seats) / (2 * self.seats))
    }
}

/// Lines by programme, municipality and month, in this order.
pub type Rows = BTreeMap<(String, String, String), Cell>;

/// Whether an event counts where seats are compared with those who ask: open events are counted by heads.
pub(super) fn counts(digested: &Digested) -> bool {
    digested.head.kind != EventKind::OpenEvent && digested.head.state != EventState::Draft
}

/// Demand over some events: by programme, municipality and the month that `month` gives, and all together.
pub fn demand(events: &[Digested], month: impl Fn(crate::model::time::Timestamp) -> String) -> (Rows, Cell, Demand) {
    let (mut rows, mut total, mut all) = (Rows::new(), Cell::default(), Demand::default());
    for digested in events.iter().filter(|d| counts(d)) {
        let programme = digested.head.programme.as_ref().map_or(String::new(), |p| p.0.clone());
        let key = (programme, digested.head.municipality.clone(), month(digested.head.begins_at));
        rows.entry(key).or_default().add(digested);
        total.add(digested);
        all.join(&digested.demand);
    }
    (rows, total, all)
}
