//! Who is who when a party's list is given anew: a corrected name is the same person, a person who moves up in the list
//! stays itself, and somebody new is somebody new.

use crate::api::from_proto::{Fields, Path};
use crate::keys::Keys;
use crate::model::attendance::MemberNo;
use crate::model::id::RegistrationId;
use crate::model::party::{Member, Who};
use crate::model::person::PersonId;
use crate::model::text::fold;
use uuid::Uuid;

/// Gives each member of the new list its person; answers how many of the first members are who they were.
pub(super) fn keep(fields: &mut Fields, keys: &Keys, id: RegistrationId, before: &Who, now: &mut Who) -> MemberNo {
    let (old, new) = match (before, now) {
        (Who::Members(old), Who::Members(new)) => (old, new),
        (Who::Heads { .. }, Who::Heads { .. }) => return MemberNo::MAX,
        _ => return 0,
    };
    let old: Vec<(PersonId, String)> =
        old.iter().zip(1..).map(|(m, place)| (keys.person(id, place, m), fold(&m.name))).collect();
    let mut free: Vec<bool> = vec![true; old.len()];
    let mut persons: Vec<Option<PersonId>> = new.iter().map(|member| member.person).collect();
    for (i, person) in persons.iter().enumerate() {
        let Some(person) = person else { continue };
        match old.iter().position(|(known, _)| known == person).filter(|at| free[*at]) {
            Some(at) => free[at] = false,
            None => fields
                .refuse(Path::Top("registration.members").item(i).field("person"), "is no member, or is one twice"),
        }
    }
    let by_name = |i: usize, at: usize, new: &[Member]| fold(&new[i].name) == old[at].1;
    let by_place = |i: usize, at: usize, _: &[Member]| i == at;
    claim(&mut persons, &mut free, &old, new, by_name);
    claim(&mut persons, &mut free, &old, new, by_place);
    for (member, (person, place)) in new.iter_mut().zip(persons.into_iter().zip(1..)) {
        member.person = None;
        let derived = keys.person(id, place, member);
        let is_new_here = person.is_none() && old.iter().any(|(known, _)| *known == derived);
        member.person = match person {
            // Its portal says who it is.
            _ if !member.person_ref.trim().is_empty() => None,
            Some(person) if person != derived => Some(person),
            None if is_new_here => Some(PersonId(Uuid::new_v4())),
            _ => None,
        };
    }
    let same = |(member, place): (&Member, MemberNo)| {
        old.get(usize::from(place) - 1).is_some_and(|(known, _)| *known == keys.person(id, place, member))
    };
    let first = new.iter().zip(1..).take_while(|pair| same(*pair)).count();
    MemberNo::try_from(first).unwrap_or(MemberNo::MAX)
}

/// Members that go into another registration stay who they are.
pub(super) fn carry(keys: &Keys, id: RegistrationId, who: &mut Who) {
    if let Who::Members(members) = who {
        for (member, place) in members.iter_mut().zip(1..) {
            let person = keys.person(id, place, member);
            member.person = Some(person).filter(|_| member.person_ref.trim().is_empty());
        }
    }
}

/// Members without a person get that of a member of before who is nobody yet.
fn claim(
    persons: &mut [Option<PersonId>],
    free: &mut [bool],
    old: &[(PersonId, String)],
    new: &[Member],
    is_same: impl Fn(usize, usize, &[Member]) -> bool,
) {
    for (i, person) in persons.iter_mut().enumerate().filter(|(_, person)| person.is_none()) {
        if let Some(at) = (0..old.len()).find(|at| free[*at] && is_same(i, *at, new)) {
            free[at] = false;
            *person = Some(old[at].0);
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    /// The persons of a list before and after, and how many of the first stay.
    fn kept(before: &[&str], after: &[&str]) -> (Vec<PersonId>, Vec<PersonId>, MemberNo) {
        let (keys, id) = (Keys::new([7; 32]), RegistrationId::new(1, [3; 12]));
        let list = |names: &[&str]| Who::Members(names.iter().map(|n| Member::named(n)).collect());
        let persons = |who: &Who| match who {
            Who::Members(all) => all.iter().zip(1..).map(|(m, place)| keys.person(id, place, m)).collect(),
            Who::Heads { .. } => Vec::new(),
        };
        let (old, mut new) = (list(before), list(after));
        let same = keep(&mut Fields::default(), &keys, id, &old, &mut new);
        (persons(&old), persons(&new), same)
    }

    #[test]
    fn a_corrected_name_is_the_same_person() {
        let (old, new, same) = kept(&["Ona", "Jonas"], &["Ona Pavyzdė", "Jonas"]);
        assert_eq!((new, same), (old, 2));
    }

    #[test]
    fn who_moves_up_in_the_list_stays_who_it_is() {
        let (old, new, same) = kept(&["Ona", "Jonas", "Rūta"], &["Jonas", "Rūta"]);
        assert_eq!((new, same), (vec![old[1], old[2]], 0));
    }

    #[test]
    fn somebody_new_at_the_place_of_somebody_who_moved_is_nobody_of_before() {
        let (old, new, same) = kept(&["Ona"], &["Jonas", "Ona"]);
        assert_eq!((new[1], same), (old[0], 0));
        assert!(!old.contains(&new[0]));
        let (old, new, same) = kept(&["Ona"], &["Ona", "Jonas"]);
        assert_eq!((new[0], same), (old[0], 1));
    }
}
