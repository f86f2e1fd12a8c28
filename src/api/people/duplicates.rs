//! ListPossibleDuplicates: members of a centre's registrations who may be one person, by contact, name and year of birth.

use crate::api::caller::{Acting, Caller};
use crate::api::from_proto::{Fields, Path};
use crate::api::privacy::Sight;
use crate::api::proto::{
    DuplicateSign, ListPossibleDuplicatesRequest, ListPossibleDuplicatesResponse, PersonSeen, PossibleDuplicate,
};
use crate::api::registrations::read_party;
use crate::api::to_proto::names;
use crate::api::{Api, status};
use crate::model::attendance::MemberNo;
use crate::model::contact::ContactKeys;
use crate::model::id::{EventId, RegistrationId};
use crate::model::party::Who;
use crate::model::person::PersonId;
use crate::model::text::fold;
use crate::model::time::Timestamp;
use crate::report::{People, Scope};
use crate::storage::Everything;
use std::collections::{BTreeMap, HashMap, HashSet};
use tonic::Status;

const METHOD: &str = "ListPossibleDuplicates";
/// Pairs that are answered.
const PAIRS_MAX: usize = 500;
/// Registrations that are looked at.
const REGISTRATIONS_MAX: usize = 200_000;
/// Members who share a year of birth or a contact are compared each with each only where they are no more than this.
const COMPARED_MAX: usize = 1_000;

/// A member of a party, as it is compared.
struct Seen {
    person: PersonId,
    event: EventId,
    registration: RegistrationId,
    member: MemberNo,
    name: String,
    /// The words of the name, folded and sorted, so that their order does not count.
    folded: String,
    birth_year: Option<u16>,
    contact: ContactKeys,
    at: Timestamp,
}

impl Api {
    pub(super) async fn possible_duplicates(
        &self,
        caller: Caller,
        r: ListPossibleDuplicatesRequest,
    ) -> Result<ListPossibleDuplicatesResponse, Status> {
        caller.staff_only(METHOD)?;
        let mut fields = Fields::default();
        let centre = fields.centre_name(Path::Top("centre"), &r.centre);
        let from = fields.instant(Path::Top("start_time"), r.start_time);
        fields.finish(()).map_err(status::fields)?;
        let sight = self.sight(caller, Acting::Staff)?;
        let scope = Scope { centre, from, ..Scope::default() };
        let (events, _) = self.reports.events(&scope).await.map_err(status::report)?;
        let people = self.reports.people().await.map_err(status::storage)?;
        let reach = self.reach(caller)?;
        let (mut seen, mut looked_at) = (Vec::new(), 0);
        for event in events {
            let everything = self.desk.store().everything(&reach, event.event).await.map_err(status::storage)?;
            let Some(everything) = everything else { continue };
            if !caller.sees_people_of(everything.whole.event.details.named_roles()) {
                continue;
            }
            looked_at += everything.whole.standings.len();
            if looked_at > REGISTRATIONS_MAX {
                return Err(status::report_too_large(REGISTRATIONS_MAX));
            }
            self.take_in(&everything, &people, (sight, &mut seen))?;
        }
        let pairs = tokio::task::spawn_blocking(move || pairs(&seen)).await.map_err(status::internal)?;
        let more = pairs.len() > PAIRS_MAX;
        Ok(ListPossibleDuplicatesResponse { pairs: pairs.into_iter().take(PAIRS_MAX).collect(), more })
    }

    fn take_in(
        &self,
        everything: &Everything,
        people: &People,
        (sight, seen): (Sight, &mut Vec<Seen>),
    ) -> Result<(), Status> {
        let standings: HashMap<_, _> = everything.whole.standings.iter().map(|s| (s.number, s)).collect();
        for row in &everything.parties {
            let (Some(s), party) = (standings.get(&row.number), read_party(row)?) else { continue };
            let Who::Members(members) = sight.of(s, party).who else { continue };
            for (place, member) in (1..).zip(members) {
                if member.name.trim().is_empty() {
                    continue;
                }
                seen.push(Seen {
                    person: people.one(self.desk.keys().person(s.id, place, &member)),
                    event: everything.whole.event.id,
                    registration: s.id,
                    member: place,
                    folded: folded(&member.name),
                    name: member.name,
                    birth_year: member.birth_year,
                    contact: s.contact,
                    at: s.accepted_at,
                });
            }
        }
        Ok(())
    }
}

fn folded(name: &str) -> String {
    let folded = fold(name);
    let mut words: Vec<&str> = folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.sort_unstable();
    words.join(" ")
}

/// The pairs, those with most signs first, then in the order in which they were first seen.
fn pairs(seen: &[Seen]) -> Vec<PossibleDuplicate> {
    let mut groups: HashMap<(u8, String), Vec<usize>> = HashMap::new();
    for (i, s) in seen.iter().enumerate() {
        groups.entry((0, s.folded.clone())).or_default().push(i);
        for key in s.contact.iter() {
            groups.entry((1, key.to_string())).or_default().push(i);
        }
        if let Some(year) = s.birth_year {
            // Names that differ by a letter or two mostly begin alike.
            let first: String = s.folded.chars().take(1).collect();
            groups.entry((2, format!("{year} {first}"))).or_default().push(i);
        }
    }
    let mut found: BTreeMap<(usize, usize), Vec<DuplicateSign>> = BTreeMap::new();
    for members in groups.into_values().filter(|g| g.len() <= COMPARED_MAX) {
        for (at, a) in members.iter().enumerate() {
            for b in &members[at + 1..] {
                if let Some(signs) = signs(&seen[*a], &seen[*b]) {
                    found.insert((*a.min(b), *a.max(b)), signs);
                }
            }
        }
    }
    let mut told: HashSet<(PersonId, PersonId)> = HashSet::new();
    let mut pairs: Vec<_> = found.into_iter().collect();
    pairs.sort_by_key(|((a, b), signs)| (std::cmp::Reverse(signs.len()), seen[*a].at, seen[*b].at, *a, *b));
    let mut answer = Vec::new();
    for ((a, b), signs) in pairs {
        let (mut first, mut second) = (&seen[a], &seen[b]);
        if (second.at, second.person) < (first.at, first.person) {
            std::mem::swap(&mut first, &mut second);
        }
        let key = (first.person.min(second.person), first.person.max(second.person));
        if told.insert(key) {
            let signs = signs.into_iter().map(Into::into).collect();
            answer.push(PossibleDuplicate {
                first: Some(person_seen(first)),
                second: Some(person_seen(second)),
                signs,
            });
        }
    }
    answer
}

fn person_seen(seen: &Seen) -> PersonSeen {
    PersonSeen {
        person: names::person(seen.person),
        registration: names::registration(seen.event, seen.registration),
        member: i32::from(seen.member),
        display_name: seen.name.clone(),
        birth_year: seen.birth_year.map(i32::from),
    }
}

/// What speaks for two members being one person; `None` where too little does. A family shares a telephone, so that a
/// contact alone says nothing; and two of one party are two.
fn signs(a: &Seen, b: &Seen) -> Option<Vec<DuplicateSign>> {
    let contradict = a.birth_year.zip(b.birth_year).is_some_and(|(a, b)| a != b);
    if a.person == b.person || contradict || (a.event, a.registration) == (b.event, b.registration) {
        return None;
    }
    let same_name = a.folded == b.folded;
    if !same_name && !similar(&a.folded, &b.folded) {
        return None;
    }
    let same = |a: Option<u64>, b: Option<u64>| a.is_some() && a == b;
    let mut signs = Vec::new();
    if same(a.contact.phone, b.contact.phone) {
        signs.push(DuplicateSign::SamePhone);
    }
    if same(a.contact.email, b.contact.email) {
        signs.push(DuplicateSign::SameEmail);
    }
    signs.push(if same_name { DuplicateSign::SameName } else { DuplicateSign::SimilarName });
    if a.birth_year.is_some() && a.birth_year == b.birth_year {
        signs.push(DuplicateSign::SameBirthYear);
    }
    (same_name || signs.len() > 1).then_some(signs)
}

/// Whether two names differ by one letter, or by two where they are long.
fn similar(a: &str, b: &str) -> bool {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let allowed = if a.len().min(b.len()) >= 10 { 2 } else { 1 };
    a.len().abs_diff(b.len()) <= allowed && distance(&a, &b) <= allowed
}

/// Letters that must be put in, taken out or changed to make one of the other.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = before + usize::from(x != y);
            before = row[j + 1];
            row[j + 1] = changed.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_diacritics_and_order() {
        assert_eq!(folded("Įrašauskaitė  Rūta"), folded("Ruta Irasauskaite"));
        assert!(similar(&folded("Rasa Eilienė"), &folded("Rasa Eiliene")));
        assert!(similar(&folded("Rasa Pavyzdienė"), &folded("Raza Pavyzdiene")));
        assert!(!similar("rasa", "asta"));
        assert_eq!(distance(&['a', 'b'], &[]), 2);
    }
}
