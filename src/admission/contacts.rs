//! Who lives under a contact: those who count, and possible duplicates apart from them, so that a contact with
//! thousands of duplicates costs no more per command than one without.

use super::roster::{Roster, Standing};
use crate::model::contact::ContactKeys;
use crate::model::id::Number;
use std::collections::BTreeSet;

/// The live registrations of a contact key: mostly one.
#[derive(Clone, Debug)]
pub(super) enum Holders {
    One { number: Number, is_twin: bool },
    Many(Box<Crowd>),
}

/// Several under one key.
#[derive(Clone, Debug, Default)]
pub(super) struct Crowd {
    own: BTreeSet<Number>,
    twins: BTreeSet<Number>,
}

impl Crowd {
    fn of_kind(&mut self, is_twin: bool) -> &mut BTreeSet<Number> {
        if is_twin { &mut self.twins } else { &mut self.own }
    }

    fn only(&self) -> Option<Holders> {
        let mut all = self.own.iter().map(|n| (*n, false)).chain(self.twins.iter().map(|n| (*n, true)));
        match (all.next(), all.next()) {
            (Some((number, is_twin)), None) => Some(Holders::One { number, is_twin }),
            _ => None,
        }
    }
}

impl Holders {
    /// Those of one kind, by number.
    fn of_kind(&self, twins: bool) -> impl Iterator<Item = Number> {
        let (one, many) = match self {
            Holders::One { number, is_twin } => (Some(*number).filter(|_| *is_twin == twins), None),
            Holders::Many(crowd) => (None, Some(if twins { &crowd.twins } else { &crowd.own })),
        };
        one.into_iter().chain(many.into_iter().flatten().copied())
    }
}

impl Roster {
    /// The contact key that the database may hold unique for this registration: live, no duplicate, and
    /// nobody else lives under it.
    pub fn guard(&self, number: Number) -> Option<u64> {
        let s = self.standing(number)?;
        let one_each = self.terms.policy.registrations_per_contact == 1;
        if !s.state.is_live() || s.twin_of.is_some() || !one_each {
            return None;
        }
        let key = s.contact.iter().next()?;
        matches!(self.contacts.get(&key), Some(Holders::One { .. })).then_some(key)
    }

    /// The first of the live registrations that use up what one contact may have, if they do; `number` itself
    /// does not count, nor do possible duplicates.
    pub(super) fn contact_taken(&self, keys: ContactKeys, number: Number) -> Option<Number> {
        let limit = self.terms.policy.registrations_per_contact as usize;
        if limit == 0 {
            return None;
        }
        // So many of each key are enough: either they are all that there are, or they use the limit up.
        let holders = keys.iter().filter_map(|k| self.contacts.get(&k));
        let mut others: Vec<Number> =
            holders.flat_map(|h| h.of_kind(false).filter(|n| *n != number).take(limit)).collect();
        others.sort_unstable();
        others.dedup();
        others.first().copied().filter(|_| others.len() >= limit)
    }

    /// Live possible duplicates that share one of these contact keys.
    pub(super) fn held_back(&self, keys: ContactKeys) -> Vec<Number> {
        let holders = keys.iter().filter_map(|k| self.contacts.get(&k));
        holders.flat_map(|h| h.of_kind(true)).collect()
    }

    /// All live possible duplicates.
    pub(super) fn all_held_back(&self) -> Vec<Number> {
        if self.twins == 0 {
            return Vec::new();
        }
        let live = self.standings().filter(|s| s.twin_of.is_some() && s.state.is_live());
        live.map(|s| s.number).collect()
    }

    pub(super) fn remember_contact(&mut self, s: &Standing) {
        let (number, is_twin) = (s.number, s.twin_of.is_some());
        for key in s.contact.iter() {
            match self.contacts.get_mut(&key) {
                Some(Holders::Many(crowd)) => {
                    crowd.of_kind(is_twin).insert(number);
                }
                Some(Holders::One { number: other, is_twin: kind }) if *other != number => {
                    let mut crowd = Crowd::default();
                    crowd.of_kind(*kind).insert(*other);
                    crowd.of_kind(is_twin).insert(number);
                    self.contacts.insert(key, Holders::Many(Box::new(crowd)));
                }
                _ => {
                    self.contacts.insert(key, Holders::One { number, is_twin });
                }
            }
        }
    }

    /// The exact reverse of `remember_contact`.
    pub(super) fn forget_contact(&mut self, s: &Standing) {
        let (number, is_twin) = (s.number, s.twin_of.is_some());
        for key in s.contact.iter() {
            match self.contacts.get_mut(&key) {
                Some(Holders::One { number: one, .. }) if *one == number => {
                    self.contacts.remove(&key);
                }
                Some(Holders::Many(crowd)) => {
                    crowd.of_kind(is_twin).remove(&number);
                    if let Some(one) = crowd.only() {
                        self.contacts.insert(key, one);
                    }
                }
                _ => {}
            }
        }
    }
}
