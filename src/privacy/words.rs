//! What stays of a party's words.

use super::Seen;
use crate::desk::PartyPapers;
use crate::keys::Keys;
use crate::model::party::{Contact, Member, Party, Services, Sex, Who};
use crate::model::person::PersonId;
use crate::storage::PartyRow;

/// The party without what goes; `None` where it cannot be read or written.
pub(super) fn without(row: &PartyRow, kept: bool, seen: &Seen, keys: &Keys) -> Option<PartyPapers> {
    let party: Party = serde_json::from_str(&row.document).ok()?;
    let party = Party { contact: nobody(), services: Services::default(), answers: Vec::new(), ..party };
    let party = if kept { party } else { Party { who: unnamed(party.who, seen, keys), ..party } };
    let search = if kept { party.search_text() } else { String::new() };
    Some(PartyPapers { document: serde_json::to_string(&party).ok()?, search })
}

fn nobody() -> Contact {
    Contact { name: String::new(), email: String::new(), phone: String::new() }
}

/// As many as before, without names. Of those who took part stays what they are counted by: sex, year of birth, and an id
/// that leads to nobody. Of the others stays where they came from, for the demand that was not met.
fn unnamed(who: Who, seen: &Seen, keys: &Keys) -> Who {
    let Who::Members(members) = who else { return who };
    let counted = seen.facts.took_part;
    let person = |member: &Member, place| counted.then(|| keys.person(seen.standing.id, place, member));
    let blank = |(member, place): (Member, u16)| Member {
        name: String::new(),
        role: String::new(),
        person_ref: String::new(),
        birth_year: member.birth_year.filter(|_| counted),
        sex: if counted { member.sex } else { Sex::NotGiven },
        person: person(&member, place) as Option<PersonId>,
        ..member
    };
    Who::Members(members.into_iter().zip(1..).map(blank).collect())
}
