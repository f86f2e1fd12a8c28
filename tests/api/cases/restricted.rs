//! A party that is left alone, as staff meet it elsewhere than in lists: in reports, refusals and answers to changes.

use super::keys::{Town, key, with};
use super::privacy::{CANARY, canary};
use crate::heard::told;
use crate::house::{House, no};
use crate::samples::*;
use eile::api::proto::*;
use tonic::Response;

/// A centre with two events, in the first of which there is a party that is left alone, and who works there.
struct Centre {
    town: Town,
    events: [String; 2],
    party: Registration,
    coordinator: String,
    head: String,
}

impl Centre {
    async fn of(mut h: House) -> Self {
        let first = h.open_with(3, |_| {}).await;
        let centre = h.get(&first).await.centre;
        let second = h.open_with(3, |event| event.centre = centre.clone()).await;
        let party = h.sign_up(&first, canary(1)).await.registration.unwrap();
        let ask = RestrictRegistrationRequest {
            name: party.name.clone(),
            reason: "Ginčija adresą".into(),
            request_id: id(),
            ..Default::default()
        };
        h.privacy.restrict_registration(ask).await.unwrap();
        let mut town = Town::of(h).await;
        let coordinator = town.key(key(Role::Coordinator, &[&centre])).await.secret;
        let head = town.key(key(Role::Head, &[&centre])).await.secret;
        Self { town, events: [first, second], party, coordinator, head }
    }

    /// The party with another address.
    fn correction(&self, email: &str) -> UpdateRegistrationRequest {
        let contact = Contact { email: email.into(), ..canary(1).contact.unwrap() };
        UpdateRegistrationRequest {
            registration: Some(Registration {
                name: self.party.name.clone(),
                contact: Some(contact),
                ..Default::default()
            }),
            update_mask: mask(&["contact"]),
            request_id: id(),
            ..Default::default()
        }
    }

    fn transfer(&self) -> TransferRegistrationRequest {
        TransferRegistrationRequest {
            name: self.party.name.clone(),
            target_event: self.events[1].clone(),
            request_id: id(),
            ..Default::default()
        }
    }
}

pub async fn the_sheet_of_attendance_has_its_line_and_not_its_name(h: House) {
    let mut c = Centre::of(h).await;
    let ask = GetAttendanceSummaryRequest { event: c.events[0].clone() };
    let reports = &mut c.town.h.reports;
    let seen = reports.get_attendance_summary(with(&c.coordinator, ask.clone())).await.unwrap().into_inner();
    assert_eq!((seen.persons.len(), seen.persons[0].registration.as_str()), (1, c.party.name.as_str()));
    assert!(!told(&seen).contains(CANARY) && seen.persons[0].person.is_empty(), "{}", told(&seen));
    let seen = reports.get_attendance_summary(with(&c.head, ask)).await.unwrap().into_inner();
    assert!(told(&seen).contains(CANARY) && !seen.persons[0].person.is_empty());
}

pub async fn no_refusal_says_which_one_has_a_contact(h: House) {
    let mut c = Centre::of(h).await;
    let again = || sign_up(&c.events[0], canary(1));
    let registrations = &mut c.town.h.registrations;
    let refused = no(registrations.create_registration(with(&c.coordinator, again())).await);
    assert_eq!((refused.reason.as_str(), refused.metadata.len()), ("ALREADY_REGISTERED", 0));
    let details = String::from_utf8_lossy(refused.status.details()).into_owned();
    for told in [refused.status.message(), &details] {
        assert!(!told.contains(&c.party.name), "{told}");
    }
    // Neither is another named there, or the one that is not would be known by that; elsewhere it is.
    for (event, named) in [(&c.events[0], false), (&c.events[1], true)] {
        let other = sign_up(event, party(1));
        registrations.create_registration(with(&c.coordinator, other.clone())).await.unwrap();
        let refused = CreateRegistrationRequest { request_id: id(), ..other };
        let refused = no(registrations.create_registration(with(&c.coordinator, refused)).await);
        assert_eq!(refused.metadata.contains_key("registration"), named, "{refused:?}");
    }
}

pub async fn who_may_not_see_it_is_given_no_token_of_it(h: House) {
    let mut c = Centre::of(h).await;
    let (coordinator, head) = (c.coordinator.clone(), c.head.clone());
    let (by_coordinator, by_head) = (c.correction("nauja@example.org"), c.correction("kita@example.org"));
    let token = |answer: Response<UpdateRegistrationResponse>| answer.into_inner().management_token;
    let transfer = c.transfer();
    let registrations = &mut c.town.h.registrations;
    for _ in 0..2 {
        let answer = registrations.update_registration(with(&coordinator, by_coordinator.clone())).await.unwrap();
        assert_eq!(token(answer), "", "whoever holds it is shown the words");
        let answer = registrations.update_registration(with(&head, by_head.clone())).await.unwrap();
        assert_eq!(token(answer).len(), 43);
    }
    for _ in 0..2 {
        let answer = registrations.transfer_registration(with(&coordinator, transfer.clone())).await.unwrap();
        let answer = answer.into_inner();
        assert_eq!(answer.management_token, "");
        assert!(answer.registration.unwrap().restrict_time.is_some(), "the mark goes along");
    }
    let answer = registrations.transfer_registration(with(&head, transfer)).await.unwrap().into_inner();
    assert_eq!(answer.management_token.len(), 43, "a head is told");
}
