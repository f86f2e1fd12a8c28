//! The rules of an event's line: who is next, how a seat is given, how long an offer stands.

use super::time::Span;
use serde::{Deserialize, Serialize};

/// The waitlist policy of an event, versioned: the journal names the version a decision was made under.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    pub version: u32,
    pub promotion: Promotion,
    pub party_fit: PartyFit,
    pub offer_rules: Vec<OfferRule>,
    pub quiet_hours: Option<QuietHours>,
    pub missed_offer: MissedOffer,
    /// Classes from first to last. `any` stands for everybody else; without it they come last.
    pub class_order: Vec<String>,
    /// How many parties may wait; no bound where absent.
    pub waitlist_limit: Option<u32>,
    /// How many live registrations one contact may have in the event; 0: no bound.
    pub registrations_per_contact: u32,
    /// How long a possible duplicate from a caller that cannot vouch is kept.
    pub duplicate_hold: Span,
    /// Whether somebody on no list may be let in at the door where a seat is free.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub walk_ins: bool,
    /// The session, counted from 1, until whose start newcomers are taken and freed seats are given on.
    #[serde(default = "first", skip_serializing_if = "is_first")]
    pub entry_sessions: u16,
}

fn yes() -> bool {
    true
}

fn is_yes(b: &bool) -> bool {
    *b
}

fn first() -> u16 {
    1
}

fn is_first(n: &u16) -> bool {
    *n == 1
}

/// What happens when a seat becomes free and somebody waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promotion {
    /// The next is confirmed.
    Automatic,
    /// The seat is held for the next until a deadline.
    Offer,
    /// Staff choose.
    Manual,
}

/// What happens when the first in line needs more seats than are free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PartyFit {
    /// The first waits for enough seats, and so does everybody behind.
    Hold,
    /// The first that fits goes; the first in line is passed over at most this often, then holds.
    Skip { max_passed_over: u16 },
}

/// How long an offer stands, by the time that is left to the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferRule {
    /// The rule holds from this much time to the start, and more.
    pub min_time_to_start: Span,
    /// Time to answer; absent: no automatic offers, staff get a call list.
    pub answer_window: Option<Span>,
}

/// Local hours in which the clock of an offer stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// Minutes after local midnight, 0 to 1439.
    pub from_minute: u16,
    pub to_minute: u16,
}

/// What a missed offer does to the party's place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MissedOffer {
    KeepPlace,
    ToEnd,
    Leave,
}

/// The class word that stands for everybody without a class of their own.
pub const CLASS_ANY: &str = "any";

impl Policy {
    /// The rank of a class: 0 is first. A class that the order does not name ranks with everybody else.
    pub fn rank(&self, class: Option<&str>) -> u8 {
        let place = |word: &str| self.class_order.iter().position(|c| c == word);
        class.and_then(place).or_else(|| place(CLASS_ANY)).unwrap_or(self.class_order.len()) as u8
    }

    /// The usual rules (proto: the default of an absent policy): automatic, in strict order.
    pub fn usual() -> Self {
        Self {
            version: 1,
            promotion: Promotion::Automatic,
            party_fit: PartyFit::Hold,
            offer_rules: Self::usual_offer_rules(),
            quiet_hours: Some(QuietHours { from_minute: 21 * 60, to_minute: 8 * 60 }),
            missed_offer: MissedOffer::Leave,
            class_order: Vec::new(),
            waitlist_limit: None,
            registrations_per_contact: 1,
            duplicate_hold: Span::hours(24),
            walk_ins: true,
            entry_sessions: 1,
        }
    }

    /// More than 7 days: 48 h to answer; 2 to 7 days: 24 h; 12 h to 2 days: 3 h; later: staff telephone.
    pub fn usual_offer_rules() -> Vec<OfferRule> {
        let rule = |from: i64, answer: Option<i64>| OfferRule {
            min_time_to_start: Span::hours(from),
            answer_window: answer.map(Span::hours),
        };
        vec![rule(7 * 24, Some(48)), rule(48, Some(24)), rule(12, Some(3)), rule(0, None)]
    }
}
