//! What stays of a party's words.

use super::Seen;
use crate::desk::{LeftBehind, PartyPapers};
use crate::keys::Keys;
use crate::model::id::RegistrationId;
use crate::model::party::{Contact, Member, Party, Services, Sex, Who};
use crate::model::person::PersonId;
use crate::storage::PartyRow;

/// The party without what goes; `None` where it cannot be read or written.
pub(super) fn without(row: &PartyRow, kept: bool, seen: &Seen, keys: &Keys) -> Option<PartyPapers> {
    let party: Party = serde_json::from_str(&row.document).ok()?;
    stays(party, kept, seen.facts.took_part, (seen.standing.id, keys))
}

/// What stays of a party that is transferred, where it was; `None` where it cannot be written.
pub fn left_behind(party: &Party, id: RegistrationId, keys: &Keys) -> Option<LeftBehind> {
    let part = stays(party.clone(), true, true, (id, keys))?;
    let nothing = stays(party.clone(), false, false, (id, keys))?;
    Some(LeftBehind { part, nothing })
}

fn stays(party: Party, kept: bool, took_part: bool, whose: (RegistrationId, &Keys)) -> Option<PartyPapers> {
    let party = Party { contact: nobody(), services: Services::default(), answers: Vec::new(), ..party };
    let party = if kept { party } else { Party { who: unnamed(party.who, took_part, whose), ..party } };
    let search = if kept { party.search_text() } else { String::new() };
    Some(PartyPapers { document: serde_json::to_string(&party).ok()?, search })
}

fn nobody() -> Contact {
    Contact { name: String::new(), email: String::new(), phone: String::new() }
}

/// As many as before, without names. Of those who took part stays what they are counted by: sex, year of birth, and an id
/// that leads to nobody. Of the others stays where they came from, for the demand that was not met.
fn unnamed(who: Who, counted: bool, (id, keys): (RegistrationId, &Keys)) -> Who {
    let Who::Members(members) = who else { return who };
    let person = |member: &Member, place| counted.then(|| keys.person(id, place, member));
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
