//! What a party says about its data: that they be left alone, and what it consents to.

use super::keys::{Town, key, with};
use super::privacy::{CANARY, CANARY_EMAIL, TO_THE_END, canary, days};
use crate::heard::told;
use crate::house::{House, as_portal, no};
use crate::samples::*;
use eile::api::proto::ConsentPurpose::{News, Photos, Sharing};
use eile::api::proto::*;
use std::collections::BTreeSet;

fn restrict(name: &str, token: &str, reason: &str) -> RestrictRegistrationRequest {
    RestrictRegistrationRequest {
        name: name.into(),
        management_token: token.into(),
        reason: reason.into(),
        request_id: id(),
        ..Default::default()
    }
}

fn lift(name: &str, token: &str, reason: &str) -> LiftRegistrationRestrictionRequest {
    LiftRegistrationRestrictionRequest {
        name: name.into(),
        management_token: token.into(),
        reason: reason.into(),
        request_id: id(),
        ..Default::default()
    }
}

fn choice(purpose: ConsentPurpose, text_version: &str) -> ConsentChoice {
    let given = !text_version.is_empty();
    ConsentChoice { purpose: purpose.into(), given, text_version: text_version.into() }
}

fn consents(name: &str, choices: &[ConsentChoice]) -> SetRegistrationConsentsRequest {
    SetRegistrationConsentsRequest {
        name: name.into(),
        choices: choices.to_vec(),
        channel: Channel::InPerson.into(),
        request_id: id(),
        ..Default::default()
    }
}

/// Purposes with their texts, and whether they hold.
fn said(r: &Registration) -> Vec<(ConsentPurpose, String, bool)> {
    r.consents.iter().map(|c| (c.purpose(), c.text_version.clone(), c.withdraw_time.is_none())).collect()
}

/// What staff are told of the canary: in words, its years of birth, and whether the sheet says that it is restricted.
struct Told {
    words: String,
    years: BTreeSet<i32>,
    restricted: bool,
}

/// What the canary said of itself.
const OF_THE_CANARY: [&str; 3] = [CANARY, CANARY_EMAIL, "612 34567"];

impl Told {
    /// Every word of the canary's that is told.
    fn of_the_canary(&self) -> Vec<&'static str> {
        OF_THE_CANARY.into_iter().filter(|word| self.words.contains(word)).collect()
    }

    fn names_it(&self) -> bool {
        self.words.contains(CANARY)
    }
}

/// A town whose first event has the canary in it, and the keys of who works there.
struct Staff {
    town: Town,
    event: String,
    name: String,
    token: String,
    coordinator: String,
    leader: String,
    head: String,
}

impl Staff {
    async fn of(h: House) -> Self {
        let mut town = Town::of(h).await;
        let (centre, event) = (town.centres[0].clone(), town.events[0].clone());
        let coordinator = town.key(key(Role::Coordinator, &[&centre])).await.secret;
        let head = town.key(key(Role::Head, &[&centre])).await.secret;
        let of_event = AccessKey { events: vec![event.clone()], ..key(Role::Leader, &[&centre]) };
        let leader = town.key(of_event).await.secret;
        let ask = with(&coordinator, sign_up(&event, canary(1)));
        let made = town.h.registrations.create_registration(ask).await.unwrap().into_inner();
        let name = made.registration.unwrap().name;
        Self { town, event, name, token: made.management_token, coordinator, leader, head }
    }

    /// All that this key is told of the party.
    async fn told(&mut self, secret: &str) -> Told {
        let (name, parent, full) = (self.name.clone(), self.event.clone(), RegistrationView::Full as i32);
        let h = &mut self.town.h;
        let get = GetRegistrationRequest { name: name.clone(), view: full, ..Default::default() };
        let got = h.registrations.get_registration(with(secret, get)).await.unwrap().into_inner();
        let (mut words, mut shown) = (told(&got), Vec::from_iter(got.registration));
        for (filter, order_by) in [("", "line"), ("", "name"), ("search : zaliaplunksn", "time")] {
            let list = ListRegistrationsRequest {
                parent: parent.clone(),
                view: full,
                filter: filter.into(),
                order_by: order_by.into(),
                ..Default::default()
            };
            let listed = h.registrations.list_registrations(with(secret, list)).await.unwrap().into_inner();
            words += &told(&listed);
            shown.extend(listed.registrations);
        }
        let sheet = GetRosterRequest { parent: parent.clone(), session_id: "s1".into(), ..Default::default() };
        let sheet = h.attendance.get_roster(with(secret, sheet)).await.unwrap().into_inner();
        words += &told(&sheet);
        let completion = GetCompletionRequest { parent, ..Default::default() };
        words += &told(h.attendance.get_completion(with(secret, completion)).await.unwrap().get_ref());
        Told {
            words,
            years: shown.iter().flat_map(|r| &r.members).filter_map(|member| member.birth_year).collect(),
            restricted: sheet.entries.iter().any(|entry| entry.restricted),
        }
    }

    /// What only the office may ask for: words, and how many are found under the party's address.
    async fn told_in_the_office(&mut self, secret: &str) -> (String, usize) {
        let h = &mut self.town.h;
        let export = ExportRegistrationRequest { name: self.name.clone(), ..Default::default() };
        let find = FindRegistrationsRequest { email: CANARY_EMAIL.into(), ..Default::default() };
        let export = h.privacy.export_registration(with(secret, export)).await.unwrap();
        let found = h.privacy.find_registrations(with(secret, find)).await.unwrap();
        (told(export.get_ref()), found.get_ref().registrations.len())
    }

    async fn due(&mut self) -> usize {
        let ask = ListDueErasuresRequest::default();
        self.town.h.privacy.list_due_erasures(with(&self.head, ask)).await.unwrap().into_inner().due.len()
    }
}

pub async fn a_restricted_party_keeps_its_seat_and_its_words_are_for_itself_and_heads(h: House) {
    let mut s = Staff::of(h).await;
    let (coordinator, head, leader) = (s.coordinator.clone(), s.head.clone(), s.leader.clone());
    for secret in [&coordinator, &leader, &head] {
        let told = s.told(secret).await;
        assert_eq!((told.of_the_canary(), told.years), (OF_THE_CANARY.to_vec(), [1988].into()), "who reads is told");
        assert!(!told.restricted);
    }
    let (words, found) = s.told_in_the_office(&coordinator).await;
    assert!(words.contains(CANARY) && found == 1, "{words}");
    let unreasoned = with(&coordinator, restrict(&s.name, "", ""));
    assert_eq!(no(s.town.h.privacy.restrict_registration(unreasoned).await).fields, ["reason"]);
    let ask = restrict(&s.name, "", "Ginčija adresą");
    let tried = RestrictRegistrationRequest { validate_only: true, request_id: id(), ..ask.clone() };
    s.town.h.privacy.restrict_registration(with(&coordinator, tried)).await.unwrap();
    assert!(s.told(&leader).await.names_it(), "tried out only");
    let done = s.town.h.privacy.restrict_registration(with(&coordinator, ask.clone())).await.unwrap().into_inner();
    let done = done.registration.unwrap();
    assert!(done.restrict_time.is_some());
    assert_eq!(done.state(), RegistrationState::Confirmed, "it keeps its seat");
    s.town.h.clock.advance(days(1));
    for again in [ask, restrict(&s.name, "", "Dar kartą")] {
        let answer = s.town.h.privacy.restrict_registration(with(&coordinator, again)).await.unwrap().into_inner();
        assert_eq!(answer.registration.unwrap().restrict_time, done.restrict_time, "since when it was");
    }
    for secret in [&coordinator, &leader] {
        let told = s.told(secret).await;
        assert_eq!((told.of_the_canary(), told.years), (vec![], BTreeSet::new()), "{}", told.words);
        assert!(told.restricted, "the sheet says why there is no name");
    }
    let (words, found) = s.told_in_the_office(&coordinator).await;
    assert!(!words.contains(CANARY) && !words.contains("Ginčija") && found == 0, "{words}");
    assert!(s.told(&head).await.names_it());
    let (words, found) = s.told_in_the_office(&head).await;
    assert!(words.contains(CANARY) && words.contains("Ginčija") && found == 1, "{words}");
    let get = GetRegistrationRequest {
        name: s.name.clone(),
        management_token: s.token.clone(),
        view: RegistrationView::Full.into(),
    };
    let own = s.town.h.registrations.get_registration(get).await.unwrap().into_inner().registration.unwrap();
    assert_eq!(own.contact.unwrap().display_name, CANARY, "the party sees its own");
    let by_coordinator = with(&coordinator, lift(&s.name, "", "Užteks"));
    let refused = no(s.town.h.privacy.lift_registration_restriction(by_coordinator).await);
    assert_eq!(refused.reason, "ROLE_NOT_ALLOWED", "who may not see decides nothing about showing");
    let by_head = with(&head, lift(&s.name, "", "Adresas patikrintas"));
    let lifted = s.town.h.privacy.lift_registration_restriction(by_head).await.unwrap().into_inner();
    assert!(lifted.registration.unwrap().restrict_time.is_none());
    assert!(s.told(&leader).await.names_it() && s.told(&coordinator).await.names_it());
    let changes = with(&coordinator, ListChangesRequest { page_size: 500, ..Default::default() });
    let changes = s.town.h.changes.list_changes(changes).await.unwrap().into_inner().changes;
    let kinds: Vec<ChangeKind> = changes.iter().map(Change::kind).collect();
    assert_eq!(kinds.iter().filter(|kind| **kind == ChangeKind::RegistrationRestricted).count(), 1);
    assert!(kinds.ends_with(&[ChangeKind::RegistrationUnrestricted]));
    s.town.h.agrees(&s.event).await;
}

pub async fn retention_waits_while_a_party_is_restricted_and_its_own_wish_does_not(h: House) {
    let mut s = Staff::of(h).await;
    let (head, name, token) = (s.head.clone(), s.name.clone(), s.token.clone());
    s.town.h.privacy.restrict_registration(as_portal(restrict(&name, &token, ""))).await.unwrap();
    s.town.h.pass(TO_THE_END).await;
    s.town.h.pass(days(5_000)).await;
    assert_eq!(s.due().await, 0);
    let apply = || EraseDueRequest { request_id: id(), ..Default::default() };
    let erased = s.town.h.privacy.erase_due(with(&head, apply())).await.unwrap().into_inner();
    assert!(erased.erased.is_empty());
    let export = ExportRegistrationRequest { name: name.clone(), ..Default::default() };
    let export = s.town.h.privacy.export_registration(with(&head, export)).await.unwrap().into_inner();
    assert!(export.contact_kept_until.is_none() && export.names_kept_until.is_none());
    assert!(export.text.contains("Przetwarzanie ograniczone od: 2031-01-10 10:00"), "{}", export.text);
    s.town.h.privacy.lift_registration_restriction(as_portal(lift(&name, &token, ""))).await.unwrap();
    assert_eq!(s.due().await, 1);
    s.town.h.privacy.restrict_registration(as_portal(restrict(&name, &token, ""))).await.unwrap();
    let ask = EraseRegistrationRequest {
        name: name.clone(),
        management_token: token,
        request_id: id(),
        ..Default::default()
    };
    let erasure = s.town.h.privacy.erase_registration(as_portal(ask)).await.unwrap().into_inner().erasure.unwrap();
    assert_eq!(erasure.extent(), ErasureExtent::Whole);
    let get = GetRegistrationRequest { name, ..Default::default() };
    let left = s.town.h.registrations.get_registration(with(&head, get)).await.unwrap().into_inner();
    assert!(left.registration.unwrap().restrict_time.is_none(), "there is nothing left to be left alone");
    s.town.h.agrees(&s.event).await;
}

pub async fn a_family_restricts_and_lifts_by_its_token_and_what_it_said_goes_with_it_when_it_moves(mut h: House) {
    let (from, to) = (h.open_with(2, |_| {}).await, h.open_with(2, |_| {}).await);
    let ask = CreateRegistrationRequest { consents: vec![choice(Photos, "2031-1")], ..sign_up(&from, canary(1)) };
    let made = h.registrations.create_registration(as_portal(ask)).await.unwrap().into_inner();
    let (name, token) = (made.registration.unwrap().name, made.management_token);
    let other = h.sign_up(&from, party(1)).await.management_token;
    let strange = no(h.privacy.restrict_registration(as_portal(restrict(&name, &other, ""))).await);
    assert_eq!(strange.reason, "TOKEN_INVALID");
    let worded = no(h.privacy.restrict_registration(as_portal(restrict(&name, &token, "Nenoriu"))).await);
    assert_eq!(worded.fields, ["reason"], "its words would stand where staff write");
    let done = h.privacy.restrict_registration(as_portal(restrict(&name, &token, ""))).await.unwrap().into_inner();
    let restricted = done.registration.unwrap();
    assert!(restricted.restrict_time.is_some());
    let transfer = TransferRegistrationRequest {
        name: name.clone(),
        target_event: to.clone(),
        management_token: token,
        request_id: id(),
        ..Default::default()
    };
    let moved = h.registrations.transfer_registration(as_portal(transfer)).await.unwrap().into_inner();
    let (there, token) = (moved.registration.unwrap(), moved.management_token);
    assert!(there.restrict_time.is_some());
    assert_eq!(said(&there), [(Photos, "2031-1".into(), true)]);
    assert_eq!(there.consents, restricted.consents, "given when it was given");
    let done = h.privacy.lift_registration_restriction(as_portal(lift(&there.name, &token, ""))).await.unwrap();
    assert!(done.into_inner().registration.unwrap().restrict_time.is_none());
    for event in [from, to] {
        h.agrees(&event).await;
    }
}

pub async fn consents_are_given_with_the_sign_up_and_changed_later_and_no_seat_depends_on_them(mut h: House) {
    let event = h.open_with(2, |_| {}).await;
    let ask = CreateRegistrationRequest {
        consents: vec![choice(News, "2031-1"), choice(Photos, "2031-1"), choice(Sharing, "")],
        ..sign_up(&event, canary(1))
    };
    let made = h.registrations.create_registration(as_portal(ask.clone())).await.unwrap().into_inner();
    let first = made.registration.clone().unwrap();
    assert_eq!(said(&first), [(Photos, "2031-1".into(), true), (News, "2031-1".into(), true)]);
    assert_eq!((first.consents[0].channel(), first.state()), (Channel::Web, RegistrationState::Confirmed));
    let without = h.sign_up(&event, party(1)).await.registration.unwrap();
    assert_eq!((without.state(), said(&without)), (RegistrationState::Confirmed, vec![]), "none is needed");
    h.clock.advance(days(1));
    let (name, token) = (first.name.clone(), made.management_token.clone());
    let change = SetRegistrationConsentsRequest {
        management_token: token.clone(),
        ..consents(&name, &[choice(News, "2031-2"), choice(Photos, "")])
    };
    let changed = h.privacy.set_registration_consents(as_portal(change.clone())).await.unwrap().into_inner();
    let changed = changed.registration.unwrap();
    assert_eq!(said(&changed), [(Photos, "2031-1".into(), false), (News, "2031-2".into(), true)]);
    assert_eq!(changed.consents[1].channel(), Channel::InPerson);
    let seconds = |at: &Option<prost_types::Timestamp>| at.as_ref().map(|at| at.seconds);
    assert!(seconds(&changed.consents[0].withdraw_time) > seconds(&changed.consents[0].give_time));
    // Staff too; what says nothing new leaves no step.
    let same = consents(&name, &[choice(News, "2031-2"), choice(Sharing, "")]);
    let same = h.privacy.set_registration_consents(same).await.unwrap().into_inner().registration.unwrap();
    assert_eq!((said(&same), same.journal_number), (said(&changed), changed.journal_number));
    let sheet = GetRosterRequest { parent: event.clone(), session_id: "s1".into(), ..Default::default() };
    let sheet = h.attendance.get_roster(sheet).await.unwrap().into_inner();
    let entry = sheet.entries.iter().find(|e| e.registration == name).unwrap();
    assert_eq!(entry.consents().collect::<Vec<_>>(), [News], "on the day it is seen who may be photographed");
    let photographed = consents(&name, &[choice(Photos, "2031-2")]);
    let now = h.privacy.set_registration_consents(photographed).await.unwrap().into_inner().registration.unwrap();
    assert_eq!(said(&now), [(Photos, "2031-2".into(), true), (News, "2031-2".into(), true)]);
    let again = h.privacy.set_registration_consents(as_portal(change)).await.unwrap().into_inner();
    assert_eq!(said(&again.registration.unwrap()), said(&changed), "as first answered");
    let again = h.registrations.create_registration(as_portal(ask)).await.unwrap().into_inner();
    assert_eq!(again, made, "as first answered");
    let export = h.export(&name).await;
    let steps = export.steps.iter().filter(|s| s.kind() == StepKind::ConsentsChanged).count();
    assert_eq!((steps, said(export.registration.as_ref().unwrap())), (3, said(&now)));
    assert!(export.text.contains("Zgoda: zdjęcia i filmy (2031-2), 2031-01-11 10:00"), "{}", export.text);
    let restriction = restrict(&name, &token, "");
    h.privacy.restrict_registration(as_portal(restriction)).await.unwrap();
    let sheet = GetRosterRequest { parent: event.clone(), session_id: "s1".into(), ..Default::default() };
    let sheet = h.attendance.get_roster(sheet).await.unwrap().into_inner();
    let entry = sheet.entries.iter().find(|e| e.registration == name).unwrap();
    assert!(entry.restricted && entry.consents.is_empty(), "who is left alone is not photographed");
    h.agrees(&event).await;
}

pub async fn an_erasure_takes_consents_back_and_leaves_what_was_agreed_to_when(mut h: House) {
    let event = h.open_with(2, |_| {}).await;
    let ask = CreateRegistrationRequest { consents: vec![choice(Photos, "2031-1")], ..sign_up(&event, canary(1)) };
    let made = h.registrations.create_registration(ask).await.unwrap().into_inner().registration.unwrap();
    let erased = h.erase(&made.name).await;
    let left = h.look(&made.name, RegistrationView::Basic).await;
    assert_eq!(said(&left), [(Photos, "2031-1".into(), false)]);
    assert_eq!(left.consents[0].withdraw_time, erased.erase_time);
    let given = no(h.privacy.set_registration_consents(consents(&made.name, &[choice(News, "1")])).await);
    assert_eq!(given.reason, "ILLEGAL_STATE");
    h.privacy.set_registration_consents(consents(&made.name, &[choice(News, "")])).await.unwrap();
    h.agrees(&event).await;
}

pub async fn bad_choices_are_told_all_at_once(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let name = h.joins(&event, 1).await.name;
    let bad = [
        choice(Photos, "2031 1"),
        choice(Photos, ""),
        ConsentChoice { purpose: News.into(), given: true, text_version: String::new() },
        ConsentChoice { purpose: 0, given: false, text_version: "1".into() },
    ];
    let refused = no(h.privacy.set_registration_consents(consents(&name, &bad)).await);
    let fields = [
        "choices[0].text_version",
        "choices[1].purpose",
        "choices[2].text_version",
        "choices[3].purpose",
        "choices[3].text_version",
    ];
    assert_eq!(refused.fields.iter().map(String::as_str).collect::<std::collections::BTreeSet<_>>(), fields.into());
    let none = no(h.privacy.set_registration_consents(consents(&name, &[])).await);
    assert_eq!(none.fields, ["choices"]);
    let ask = CreateRegistrationRequest { consents: bad[..1].to_vec(), ..sign_up(&event, party(1)) };
    assert_eq!(no(h.registrations.create_registration(ask).await).fields, ["consents[0].text_version"]);
}
