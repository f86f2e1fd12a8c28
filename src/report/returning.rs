//! New and returning persons.

use super::digest::Digested;
use super::facts::Fact;
use super::people::People;
use crate::model::id::EventId;
use crate::model::person::PersonId;
use crate::model::time::Timestamp;
use std::collections::{HashMap, HashSet};

/// Persons who asked for a place at an event: some are new, some came before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Returned {
    pub event: EventId,
    pub new: u64,
    pub returning: u64,
}

/// First presences and who asked, while events are taken in.
#[derive(Default)]
pub struct Returning {
    first: HashMap<PersonId, Timestamp>,
    asked: Vec<(EventId, Timestamp, HashSet<PersonId>)>,
}

impl Returning {
    /// Takes an event in; `wanted`: the answer is to tell of it.
    pub fn add(&mut self, people: &People, digested: &Digested, facts: &[Fact], wanted: bool) {
        let starts: HashMap<u16, Timestamp> = digested.head.sessions.iter().map(|s| (s.no, s.starts_at)).collect();
        let mut asked = HashSet::new();
        for fact in facts {
            for member in &fact.members {
                let person = people.one(member.person);
                if fact.valid {
                    asked.insert(person);
                }
                for at in member.present().filter_map(|(session, _)| starts.get(&session)) {
                    let first = self.first.entry(person).or_insert(*at);
                    *first = (*first).min(*at);
                }
            }
        }
        if wanted {
            self.asked.push((digested.event, digested.head.begins_at, asked));
        }
    }

    /// Of each event that was wanted, in the order in which they came.
    pub fn told(&self) -> Vec<Returned> {
        let tell = |(event, begins, asked): &(EventId, Timestamp, HashSet<PersonId>)| {
            let before = |p: &&PersonId| self.first.get(p).is_some_and(|first| first < begins);
            let returning = asked.iter().filter(before).count() as u64;
            Returned { event: *event, new: asked.len() as u64 - returning, returning }
        };
        self.asked.iter().map(tell).collect()
    }
}
