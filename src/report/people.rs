//! What staff entered about persons, replayed: who is one person, who is one family, whose form was received.

use crate::model::person::{PeopleChange, PeopleEntry, PersonId};
use crate::storage::{Store, StoreError};
use std::collections::{BTreeMap, HashMap, HashSet};

/// Entries that are read at a time.
const ENTRIES_AT_ONCE: u32 = 1_000;

/// A merge, and whether it was taken back.
#[derive(Clone, Copy, Debug)]
struct Merge {
    person: PersonId,
    into: PersonId,
    undone: bool,
}

/// All entries about persons, as they stand.
#[derive(Clone, Debug, Default)]
pub struct People {
    number: u64,
    merges: BTreeMap<u64, Merge>,
    families: Vec<Vec<PersonId>>,
    forms: HashSet<(PersonId, String)>,
    /// Who is counted as somebody else, and as whom: directly, so perhaps over several steps.
    counted_as: HashMap<PersonId, PersonId>,
}

/// Why an entry cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotEntered {
    AlreadyOne,
    NoSuchMerge,
    Undone,
}

impl People {
    pub async fn read(store: &dyn Store) -> Result<Self, StoreError> {
        let mut people = Self::default();
        loop {
            let entries = store.people_entries(people.number, ENTRIES_AT_ONCE).await?;
            let last = entries.len() < ENTRIES_AT_ONCE as usize;
            entries.iter().for_each(|entry| people.apply(entry));
            if last {
                people.count_again();
                return Ok(people);
            }
        }
    }

    /// As replaying these entries leaves it.
    pub fn replay(entries: &[PeopleEntry]) -> Self {
        let mut people = Self::default();
        entries.iter().for_each(|entry| people.apply(entry));
        people.count_again();
        people
    }

    fn apply(&mut self, entry: &PeopleEntry) {
        self.number = entry.number;
        match &entry.change {
            PeopleChange::Merged { person, into } => {
                self.merges.insert(entry.number, Merge { person: *person, into: *into, undone: false });
            }
            PeopleChange::Parted { merge, .. } => {
                if let Some(merge) = self.merges.get_mut(merge) {
                    merge.undone = true;
                }
            }
            PeopleChange::FamilyLinked { persons } => self.families.push(persons.clone()),
            PeopleChange::Form { person, project, received } => {
                let form = (*person, project.clone());
                if *received {
                    self.forms.insert(form)
                } else {
                    self.forms.remove(&form)
                };
            }
        }
    }

    /// Works out who is counted as whom, from the merges that stand, in their order.
    fn count_again(&mut self) {
        self.counted_as.clear();
        for merge in self.merges.values().filter(|merge| !merge.undone) {
            let (from, to) = (self.counted_as_whom(merge.person), self.counted_as_whom(merge.into));
            if from != to {
                self.counted_as.insert(from, to);
            }
        }
    }

    fn counted_as_whom(&self, mut person: PersonId) -> PersonId {
        while let Some(next) = self.counted_as.get(&person) {
            person = *next;
        }
        person
    }

    /// The person that this one is counted as: itself, where nobody merged it.
    pub fn one(&self, person: PersonId) -> PersonId {
        if self.counted_as.is_empty() { person } else { self.counted_as_whom(person) }
    }

    /// The number of the last entry.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Families that staff linked.
    pub fn families(&self) -> &[Vec<PersonId>] {
        &self.families
    }

    /// Whether a form of this person, or of one that is counted as it, was received.
    pub fn forms_of(&self, project: &str) -> HashSet<PersonId> {
        self.forms.iter().filter(|(_, of)| of == project).map(|(person, _)| self.one(*person)).collect()
    }

    /// The change that makes two persons one.
    pub fn merge(&self, person: PersonId, into: PersonId) -> Result<PeopleChange, NotEntered> {
        if self.one(person) == self.one(into) {
            return Err(NotEntered::AlreadyOne);
        }
        Ok(PeopleChange::Merged { person, into })
    }

    /// The change that takes a merge back.
    pub fn part(&self, number: u64) -> Result<PeopleChange, NotEntered> {
        let merge = self.merges.get(&number).ok_or(NotEntered::NoSuchMerge)?;
        if merge.undone {
            return Err(NotEntered::Undone);
        }
        Ok(PeopleChange::Parted { merge: number, person: merge.person, into: merge.into })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use uuid::Uuid;

    fn person(n: u128) -> PersonId {
        PersonId(Uuid::from_u128(n))
    }

    #[test]
    fn merges_chain_and_parting_takes_back_one_of_them() {
        let (a, b, c) = (person(1), person(2), person(3));
        let mut entries = Vec::new();
        for change in [
            PeopleChange::Merged { person: a, into: b },
            PeopleChange::Merged { person: b, into: c },
            PeopleChange::Parted { merge: 1, person: a, into: b },
        ] {
            entries.push(PeopleEntry { number: entries.len() as u64 + 1, at: Timestamp(0), change });
        }
        let two = People::replay(&entries[..2]);
        assert_eq!((two.one(a), two.one(b), two.one(c)), (c, c, c));
        assert_eq!(two.merge(c, a), Err(NotEntered::AlreadyOne));
        let three = People::replay(&entries);
        assert_eq!((three.one(a), three.one(b)), (a, c));
        assert_eq!(three.part(1), Err(NotEntered::Undone));
        assert_eq!(three.part(3), Err(NotEntered::NoSuchMerge));
    }
}
