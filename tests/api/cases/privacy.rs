//! PrivacyService: what is kept, what is erased, and what has run out.

use super::keys::{Town, key, with};
use crate::heard::told;
use crate::house::{House, as_portal, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::access::Reach;
use eile::model::id::EventId;
use eile::model::time::Span;
use tonic::Code;

/// A name that stands nowhere else.
pub const CANARY: &str = "Kanarėlė Žaliaplunksnė";
pub const CANARY_EMAIL: &str = "kanarele.zaliaplunksne@example.org";

/// To the end of the first session of these tests: 20 February 2031, 19:00 in Vilnius.
pub const TO_THE_END: Span = Span::seconds(41 * 24 * 3600 + 9 * 3600);

pub fn canary(size: usize) -> Registration {
    let member = Member { display_name: CANARY.into(), birth_year: Some(1988), ..Default::default() };
    let contact = Contact { display_name: CANARY.into(), email: CANARY_EMAIL.into(), phone: "+370 612 34567".into() };
    let mut members = vec![Member::default(); size];
    members[0] = member;
    Registration { contact: Some(contact), members, language: "pl".into(), ..Default::default() }
}

pub fn days(n: i64) -> Span {
    Span::hours(24 * n)
}

impl House {
    pub async fn erase(&mut self, registration: &str) -> Erasure {
        let ask = EraseRegistrationRequest { name: registration.into(), request_id: id(), ..Default::default() };
        self.privacy.erase_registration(ask).await.unwrap().into_inner().erasure.unwrap()
    }

    pub async fn export(&mut self, registration: &str) -> ExportRegistrationResponse {
        let ask = ExportRegistrationRequest { name: registration.into(), ..Default::default() };
        self.privacy.export_registration(ask).await.unwrap().into_inner()
    }

    async fn marked(&mut self, event: &str, registration: &str, mark: AttendanceMark) {
        let entry = MarkEntry { registration: registration.into(), member: 1, mark: mark.into(), minutes: None };
        let ask = RecordAttendanceRequest {
            parent: event.into(),
            session_id: "s1".into(),
            marks: vec![entry],
            request_id: id(),
            ..Default::default()
        };
        self.attendance.record_attendance(ask).await.unwrap();
    }

    /// Every stored row of the event that may hold words of people, as one text.
    async fn stored(&self, event: &str) -> String {
        let event = EventId(event.strip_prefix("events/").unwrap().parse().unwrap());
        let everything = self.desk.store().everything(&Reach::Service, event).await.unwrap().unwrap();
        let parties = everything.parties.iter().map(|row| format!("{}\n{}\n", row.document, row.search));
        let mut text: String = parties.collect();
        for s in &everything.whole.standings {
            for (_, reason) in self.desk.store().reasons(&Reach::Service, event, s.number).await.unwrap() {
                text.push_str(&reason);
            }
        }
        text
    }

    pub async fn agrees(&self, event: &str) {
        let event = EventId(event.strip_prefix("events/").unwrap().parse().unwrap());
        let store = self.desk.store();
        let (whole, entries) =
            (store.whole(event).await.unwrap().unwrap(), store.journal(event, 1, 10_000).await.unwrap());
        let mut replay = eile::audit::Replay::new(event);
        replay.take(&entries);
        let found = eile::audit::compare(whole, replay);
        assert!(found.is_empty(), "{found:?}");
    }
}

pub async fn who_never_took_part_is_erased_at_once_and_the_line_closes_up(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let made = h.sign_up(&event, canary(1)).await;
    let (seated, token) = (made.registration.unwrap().name, made.management_token);
    let (next, last) = (h.joins(&event, 1).await, h.joins(&event, 1).await);
    let class = SetRegistrationClassRequest {
        name: seated.clone(),
        reason: format!("{CANARY} augina globotinį"),
        request_id: id(),
        ..Default::default()
    };
    h.registrations.set_registration_class(class).await.unwrap();
    assert!(h.stored(&event).await.contains("globotinį"));
    let ask = EraseRegistrationRequest {
        name: seated.clone(),
        management_token: token.clone(),
        request_id: id(),
        validate_only: true,
    };
    let tried = h.privacy.erase_registration(as_portal(ask.clone())).await.unwrap().into_inner().erasure.unwrap();
    assert_eq!((tried.extent(), tried.journal_number), (ErasureExtent::Whole, 0));
    assert!(h.stored(&event).await.contains(CANARY), "tried out only");
    let ask = EraseRegistrationRequest { validate_only: false, ..ask };
    let erased = h.privacy.erase_registration(as_portal(ask.clone())).await.unwrap().into_inner().erasure.unwrap();
    assert_eq!((erased.extent(), erased.kept_because()), (ErasureExtent::Whole, KeptBecause::Unspecified));
    assert!(erased.journal_number > 0 && erased.kept_until.is_none());
    assert_eq!(h.state(&next).await, RegistrationState::Confirmed, "its seat went on");
    assert_eq!(h.look(&last.name, RegistrationView::Basic).await.position, 1, "the line closed up");
    let stored = h.stored(&event).await;
    for gone in [CANARY, "kanarele", "Kanarėlė", "zaliaplunksne", "61234567", "612 34567", "globotinį", "1988"] {
        assert!(!stored.contains(gone), "{gone} in {stored}");
    }
    let left = h.look(&seated, RegistrationView::Full).await;
    assert_eq!((left.state(), left.end_reason.as_str()), (RegistrationState::Cancelled, "ERASED"));
    assert_eq!((left.contact.unwrap(), left.party_size, left.members.len()), (Contact::default(), 1, 1));
    assert_eq!(left.erase_time, erased.erase_time);
    // The same request, another one, and staff: all hear of the one erasure.
    assert_eq!(h.privacy.erase_registration(ask).await.unwrap().into_inner().erasure.unwrap(), erased);
    assert_eq!(h.erase(&seated).await, erased);
    let counts = h.get(&event).await.counts.unwrap();
    assert_eq!((counts.applied_parties, counts.confirmed_parties, counts.waiting_parties), (3, 1, 1), "counts stay");
    let found = FindRegistrationsRequest { email: CANARY_EMAIL.into(), ..Default::default() };
    assert!(h.privacy.find_registrations(found).await.unwrap().into_inner().registrations.is_empty());
    let again = h.sign_up(&event, canary(1)).await.registration.unwrap();
    assert_eq!(
        again.state(),
        RegistrationState::Waitlisted,
        "whoever was erased may come again, at the end of the line"
    );
    h.agrees(&event).await;
}

pub async fn names_of_those_who_took_part_stay_as_evidence_until_their_day(mut h: House) {
    let event = h.open_with(5, |event| event.project_code = "KOPA-1".into()).await;
    let (came, stayed_away) = (h.sign_up(&event, canary(2)).await.registration.unwrap(), h.joins(&event, 1).await);
    h.pass(TO_THE_END).await;
    h.marked(&event, &came.name, AttendanceMark::Present).await;
    h.marked(&event, &stayed_away.name, AttendanceMark::Absent).await;
    let part = h.erase(&came.name).await;
    assert_eq!((part.extent(), part.kept_because()), (ErasureExtent::Part, KeptBecause::ProjectEvidence));
    assert_eq!(part.kept_until, at("2041-02-17T17:00:00Z"));
    let left = h.look(&came.name, RegistrationView::Full).await;
    assert_eq!((left.contact.clone().unwrap(), left.members[0].display_name.as_str()), (Contact::default(), CANARY));
    assert_eq!(left.state(), RegistrationState::Confirmed, "the event is over: states stay");
    let whole = h.erase(&stayed_away.name).await;
    assert_eq!((whole.extent(), whole.kept_until), (ErasureExtent::Whole, None));
    assert!(!h.stored(&event).await.contains(CANARY_EMAIL));
    let edit = UpdateRegistrationRequest {
        registration: Some(Registration { name: came.name.clone(), contact: Some(contact()), ..Default::default() }),
        update_mask: mask(&["contact"]),
        request_id: id(),
        ..Default::default()
    };
    let refused = no(h.registrations.update_registration(edit).await);
    assert_eq!(refused.reason, "ILLEGAL_STATE", "what was erased is not filled in again");
    let before = h.get(&event).await.counts;
    h.pass(days(3_650)).await;
    let rest = h.erase(&came.name).await;
    assert_eq!((rest.extent(), rest.kept_until), (ErasureExtent::Whole, None));
    assert!(rest.journal_number > part.journal_number);
    assert!(!h.stored(&event).await.contains(CANARY));
    let left = h.look(&came.name, RegistrationView::Full).await;
    assert_eq!(
        (left.members[0].display_name.as_str(), left.members[0].birth_year),
        ("", Some(1988)),
        "to be counted by"
    );
    assert_eq!(h.get(&event).await.counts, before);
    h.agrees(&event).await;
}

pub async fn what_has_run_out_is_listed_and_erased_by_kind_and_day(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let centre = h.get(&event).await.centre;
    let came = h.sign_up(&event, canary(1)).await.registration.unwrap();
    let waited = h.joins(&event, 1).await;
    h.pass(TO_THE_END).await;
    h.marked(&event, &came.name, AttendanceMark::Present).await;
    let ask = || ListDueErasuresRequest { centre: centre.clone(), ..Default::default() };
    h.pass(days(182)).await;
    assert_eq!(h.privacy.list_due_erasures(ask()).await.unwrap().into_inner(), ListDueErasuresResponse::default());
    h.pass(days(1)).await;
    let due = h.privacy.list_due_erasures(ask()).await.unwrap().into_inner().due;
    let expected =
        DueErasures { event: event.clone(), whole: vec![waited.name.clone()], part: vec![came.name.clone()] };
    assert_eq!(due, [expected]);
    let other = h.centre().await;
    let elsewhere = EraseDueRequest { centre: other, request_id: id() };
    assert_eq!(h.privacy.erase_due(elsewhere).await.unwrap().into_inner(), EraseDueResponse::default());
    let apply = || EraseDueRequest { centre: centre.clone(), request_id: id() };
    let erased = h.privacy.erase_due(apply()).await.unwrap().into_inner();
    assert_eq!((erased.erased, erased.more), (due, false));
    assert_eq!(h.privacy.erase_due(apply()).await.unwrap().into_inner(), EraseDueResponse::default(), "once");
    let left = h.look(&came.name, RegistrationView::Full).await;
    assert_eq!((left.contact.clone().unwrap(), left.members[0].display_name.as_str()), (Contact::default(), CANARY));
    h.pass(days(1_095 - 183)).await;
    let rest = h.privacy.erase_due(apply()).await.unwrap().into_inner().erased;
    assert_eq!(rest, [DueErasures { event: event.clone(), whole: vec![came.name], part: Vec::new() }]);
    assert!(!h.stored(&event).await.contains(CANARY));
    h.agrees(&event).await;
}

pub async fn an_export_holds_everything_of_one_party_and_nothing_of_others(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let other = h.joins(&event, 1).await;
    let mut party = Registration {
        channel: Channel::Phone.into(),
        on_behalf_of: OnBehalfOf::Child.into(),
        acceptable_pools: vec!["main".into()],
        services: Some(ServiceWishes { childcare_children: 2, rides: 0 }),
        eldership_code: "4205".into(),
        ..canary(1)
    };
    party.members[0].sex = Sex::Female.into();
    party.members[0].person_ref = "portal-77".into();
    let made = h.sign_up(&event, party).await;
    let name = made.registration.unwrap().name;
    let promote = SetRegistrationClassRequest {
        name: name.clone(),
        reason: "Tėvystės kursų lankytoja".into(),
        request_id: id(),
        ..Default::default()
    };
    h.registrations.set_registration_class(promote).await.unwrap();
    h.cancel(&other).await;
    let by_staff = h.export(&name).await;
    assert_eq!(by_staff.notes.len(), 1);
    assert_eq!(by_staff.registration.as_ref().unwrap().contact.as_ref().unwrap().display_name, CANARY);
    let kinds: Vec<StepKind> = by_staff.steps.iter().map(Step::kind).collect();
    assert!(kinds.ends_with(&[StepKind::Confirmed]) && kinds.starts_with(&[StepKind::Received]), "{kinds:?}");
    assert_eq!(by_staff.contact_kept_until, at("2031-08-22T17:00:00Z"));
    let ask =
        ExportRegistrationRequest { name: name.clone(), management_token: made.management_token, ..Default::default() };
    let own = h.privacy.export_registration(as_portal(ask.clone())).await.unwrap().into_inner();
    assert!(own.notes.is_empty(), "what staff wrote is handed out by staff");
    assert_eq!(own.language, "pl");
    for word in [CANARY, CANARY_EMAIL, "Osoba kontaktowa", "miejsce przyznane", "2031-01-10 10:00"] {
        assert!(own.text.contains(word), "{word} in {}", own.text);
    }
    let others = h.look(&other.name, RegistrationView::Full).await.contact.unwrap();
    assert!(told(&h.export(&other.name).await).contains(&others.email), "its own export holds it");
    assert!(!told(&own).contains(&others.email) && !told(&by_staff).contains(&others.email));
    let in_english = ExportRegistrationRequest { language: "en".into(), ..ask.clone() };
    let text = h.privacy.export_registration(as_portal(in_english)).await.unwrap().into_inner().text;
    assert!(text.contains("What is kept of this registration"));
    for line in [
        "How the sign-up came: by telephone",
        "Who is signed up: the contact's child",
        "Seats that suit: main",
        "Children to look after: 2",
        "Eldership: 4205",
        "sex: female",
        "reference in the portal's records: portal-77",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    let nobody = ExportRegistrationRequest { management_token: "x".repeat(43), ..ask };
    assert_eq!(no(h.privacy.export_registration(as_portal(nobody)).await).reason, "TOKEN_INVALID");
    let erased = h.erase(&name).await;
    let after = h.export(&name).await;
    assert_eq!((after.erasure, after.notes.len()), (Some(erased), 0));
    assert!(!after.text.contains(CANARY) && after.text.contains("dane osobowe usunięto"), "{}", after.text);
}

pub async fn an_erasure_reaches_what_a_transfer_left_behind(mut h: House) {
    let (from, to) = (h.open_with(2, |_| {}).await, h.open_with(2, |_| {}).await);
    let source = h.sign_up(&from, canary(1)).await.registration.unwrap().name;
    let transfer = TransferRegistrationRequest {
        name: source.clone(),
        target_event: to.clone(),
        request_id: id(),
        ..Default::default()
    };
    let moved = h.registrations.transfer_registration(transfer).await.unwrap().into_inner();
    let target = moved.registration.unwrap().name;
    let find = FindRegistrationsRequest { phone: "8 612 34567".into(), ..Default::default() };
    let mut both = vec![source.clone(), target.clone()];
    both.sort();
    assert_eq!(h.privacy.find_registrations(find).await.unwrap().into_inner().registrations, both);
    h.erase(&target).await;
    assert!(!h.stored(&from).await.contains(CANARY) && !h.stored(&to).await.contains(CANARY));
    assert_eq!(h.look(&source, RegistrationView::Basic).await.state(), RegistrationState::Transferred);
    h.agrees(&from).await;
    h.agrees(&to).await;
}

pub async fn a_transfer_takes_the_words_along_and_what_it_left_is_found_by_its_link(mut h: House) {
    let (from, to) = (h.open_with(2, |_| {}).await, h.open_with(2, |_| {}).await);
    let source = h.sign_up(&from, canary(1)).await.registration.unwrap().name;
    let class = SetRegistrationClassRequest {
        name: source.clone(),
        reason: "Augina globotinį".into(),
        request_id: id(),
        ..Default::default()
    };
    h.registrations.set_registration_class(class).await.unwrap();
    let transfer = moving(&source, &to);
    let moved = h.registrations.transfer_registration(transfer.clone()).await.unwrap().into_inner();
    let target = moved.registration.clone().unwrap().name;
    let left = h.stored(&from).await;
    for gone in [CANARY, "kanarele", "zaliaplunksne", "612 34567", "1988"] {
        assert!(!left.contains(gone), "{gone} in {left}");
    }
    assert!(left.contains("globotinį"), "why staff decided as they did stays there");
    assert!(h.stored(&to).await.contains(CANARY_EMAIL));
    assert_eq!(h.registrations.transfer_registration(transfer).await.unwrap().into_inner(), moved, "and once more");
    let history = h.export(&source).await;
    assert_eq!((history.registration.unwrap().party_size, history.notes.len()), (1, 1));
    // Under another contact what is left is still the party's.
    let correct = UpdateRegistrationRequest {
        registration: Some(Registration {
            name: target.clone(),
            contact: Some(Contact { email: "kitas@example.org".into(), ..contact() }),
            ..Default::default()
        }),
        update_mask: mask(&["contact"]),
        request_id: id(),
        ..Default::default()
    };
    h.registrations.update_registration(correct).await.unwrap();
    let find = |email: &str| FindRegistrationsRequest { email: email.into(), ..Default::default() };
    let mut both = vec![source.clone(), target.clone()];
    both.sort();
    let found = h.privacy.find_registrations(find("kitas@example.org")).await.unwrap().into_inner();
    assert_eq!(found.registrations, both);
    assert!(h.privacy.find_registrations(find(CANARY_EMAIL)).await.unwrap().into_inner().registrations.is_empty());
    h.erase(&target).await;
    assert!(!h.stored(&from).await.contains("globotinį") && !h.stored(&to).await.contains(CANARY));
    assert!(h.look(&source, RegistrationView::Basic).await.erase_time.is_some());
    h.agrees(&from).await;
    h.agrees(&to).await;
}

pub async fn a_contact_that_is_not_shown_finds_nothing_that_led_there(mut h: House) {
    let sensitive = h.open_with(3, |e| e.sensitivity = Some(Sensitivity::default())).await;
    let centre = h.get(&sensitive).await.centre;
    let plain = h.open_with(3, |e| e.centre = centre.clone()).await;
    let source = h.sign_up(&plain, canary(1)).await.registration.unwrap().name;
    h.registrations.transfer_registration(moving(&source, &sensitive)).await.unwrap();
    let mut town = Town::of(h).await;
    let coordinator = town.key(key(Role::Coordinator, &[&centre])).await.secret;
    let head = town.key(key(Role::Head, &[&centre])).await.secret;
    for (secret, found) in [(&coordinator, 0), (&head, 2)] {
        let find = FindRegistrationsRequest { email: CANARY_EMAIL.into(), ..Default::default() };
        let heard = town.h.privacy.find_registrations(with(secret, find)).await.unwrap().into_inner();
        assert_eq!(heard.registrations.len(), found);
    }
}

pub async fn a_repeated_lift_takes_nothing_back_that_was_asked_since(mut h: House) {
    let from = h.open_with(2, |e| e.sessions.push(session("2031-03-20T17:30", "2031-03-20T19:00"))).await;
    let to = h.open_with(2, |e| e.sessions = vec![session("2031-04-20T17:30", "2031-04-20T19:00")]).await;
    let source = h.sign_up(&from, canary(1)).await.registration.unwrap().name;
    h.pass(TO_THE_END).await;
    h.marked(&from, &source, AttendanceMark::Present).await;
    let moved = h.registrations.transfer_registration(moving(&source, &to)).await.unwrap().into_inner();
    let (name, management_token) = (moved.registration.unwrap().name, moved.management_token);
    let lift = LiftRegistrationRestrictionRequest {
        name: name.clone(),
        management_token: management_token.clone(),
        request_id: id(),
        ..Default::default()
    };
    for restricts in [true, false, true, false] {
        // The last is the lift again, whose answer was lost.
        if restricts {
            let restrict = RestrictRegistrationRequest {
                name: name.clone(),
                management_token: management_token.clone(),
                request_id: id(),
                ..Default::default()
            };
            h.privacy.restrict_registration(as_portal(restrict)).await.unwrap();
        } else {
            h.privacy.lift_registration_restriction(as_portal(lift.clone())).await.unwrap();
        }
    }
    for name in [&source, &name] {
        assert!(h.look(name, RegistrationView::Basic).await.restrict_time.is_some(), "{name}");
    }
}

fn moving(name: &str, to: &str) -> TransferRegistrationRequest {
    TransferRegistrationRequest { name: name.into(), target_event: to.into(), request_id: id(), ..Default::default() }
}

pub async fn names_that_stay_where_somebody_took_part_are_left_alone_with_the_rest(mut h: House) {
    let from = h.open_with(2, |e| e.sessions.push(session("2031-03-20T17:30", "2031-03-20T19:00"))).await;
    let to = h.open_with(2, |e| e.sessions = vec![session("2031-04-20T17:30", "2031-04-20T19:00")]).await;
    let photos = ConsentChoice { purpose: ConsentPurpose::Photos.into(), given: true, text_version: "2031-1".into() };
    let ask = CreateRegistrationRequest { consents: vec![photos], ..sign_up(&from, canary(1)) };
    let source = h.registrations.create_registration(ask).await.unwrap().into_inner().registration.unwrap().name;
    h.pass(TO_THE_END).await;
    h.marked(&from, &source, AttendanceMark::Present).await;
    let moved = h.registrations.transfer_registration(moving(&source, &to)).await.unwrap().into_inner();
    let target = moved.registration.unwrap();
    assert_eq!(target.consents.iter().filter(|c| c.withdraw_time.is_none()).count(), 1);
    let left = h.look(&source, RegistrationView::Full).await;
    assert_eq!((left.members[0].display_name.as_str(), left.contact), (CANARY, Some(Contact::default())));
    assert!(left.consents.iter().all(|c| c.withdraw_time.is_some()), "nothing to take back there");
    let restrict = RestrictRegistrationRequest {
        name: target.name.clone(),
        request_id: id(),
        reason: "Ginčija".into(),
        ..Default::default()
    };
    h.privacy.restrict_registration(restrict).await.unwrap();
    assert!(h.look(&source, RegistrationView::Basic).await.restrict_time.is_some());
    h.erase(&target.name).await;
    assert!(h.look(&source, RegistrationView::Basic).await.erase_time.is_some());
    assert!(h.stored(&from).await.contains(CANARY), "evidence until its day");
    h.agrees(&from).await;
    h.agrees(&to).await;
}

pub async fn bad_wishes_for_erasure_are_told(mut h: House) {
    let event = h.open_with(1, |_| {}).await;
    let registration = h.joins(&event, 1).await.name;
    let nothing = no(h.privacy.find_registrations(FindRegistrationsRequest::default()).await);
    assert_eq!((nothing.reason.as_str(), nothing.fields), ("INVALID_FIELDS", vec!["email".to_owned()]));
    let (events, _) = registration.rsplit_once('/').unwrap();
    let absent = format!("{events}/00000009-0000-8000-8000-000000000000");
    let ask = |name: &str, request_id: String| EraseRegistrationRequest {
        name: name.into(),
        request_id,
        ..Default::default()
    };
    let lost = no(h.privacy.erase_registration(ask(&absent, id())).await);
    assert_eq!((lost.reason.as_str(), lost.code), ("REGISTRATION_NOT_FOUND", Code::NotFound));
    let bad = no(h.privacy.erase_registration(ask(&registration, String::new())).await);
    assert_eq!((bad.reason.as_str(), bad.fields), ("INVALID_FIELDS", vec!["request_id".to_owned()]));
    let once = id();
    h.privacy.erase_registration(ask(&registration, once.clone())).await.unwrap();
    let next = h.joins(&event, 1).await.name;
    let reused = no(h.privacy.erase_registration(ask(&next, once)).await);
    assert_eq!(reused.reason, "REQUEST_ID_REUSED");
    let by_hand = CancelRegistrationRequest {
        name: next,
        reason: CancelReason::Erased.into(),
        request_id: id(),
        ..Default::default()
    };
    assert_eq!(no(h.registrations.cancel_registration(by_hand).await).fields, ["reason"]);
}
