//! Sensitive events: who sees their people, cell by cell, and what is told of them outside.

use super::keys::{Town, key, with};
use crate::heard::{Heard, told};
use crate::house::{House, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::time::Timestamp;
use tonic::Code;

/// Words of people that stand nowhere else. Whatever is told of any of them holds one of these pieces.
const CANARY: &str = "Kanarėlė Žaliaplunksnė";
const EMAIL: &str = "kanarele.zaliaplunksne@example.org";
const PIECES: [&str; 8] = ["Kanarėl", "kanarele", "612 34567", "61234567", "globotin", "žalias", "first", "persons/"];

fn canary() -> Registration {
    let member = Member {
        display_name: CANARY.into(),
        birth_year: Some(1988),
        person_ref: "globotinis".into(),
        ..Default::default()
    };
    Registration {
        contact: Some(Contact { display_name: CANARY.into(), email: EMAIL.into(), phone: "+370 612 34567".into() }),
        members: vec![member],
        answers: vec![Answer { question_id: "spalva".into(), text: "žalias".into() }],
        ..Default::default()
    }
}

/// A sensitive event in a town, with the canary in it, and a key of every role that works in the centre.
struct Hidden {
    town: Town,
    event: String,
    seated: String,
    keys: Vec<(Role, String)>,
}

impl Hidden {
    async fn of(h: House, named_roles: &[Role]) -> Self {
        Self::with(h, named_roles, |_| {}).await
    }

    async fn with(mut h: House, named_roles: &[Role], change: impl FnOnce(&mut Event)) -> Self {
        let sensitivity = Sensitivity {
            named_roles: named_roles.iter().map(|role| (*role).into()).collect(),
            ..Sensitivity::default()
        };
        let question = Question { question_id: "spalva".into(), texts: lt("Spalva?"), required: false, max_length: 20 };
        let event = h
            .open_with(3, |e| {
                e.sensitivity = Some(sensitivity);
                e.questions = vec![question];
                e.waitlist_policy =
                    Some(WaitlistPolicy { class_order: vec!["first".into()], ..WaitlistPolicy::default() });
                change(e);
            })
            .await;
        let made = h.sign_up(&event, canary()).await;
        let seated = made.registration.unwrap().name;
        let class = SetRegistrationClassRequest {
            name: seated.clone(),
            class: "first".into(),
            reason: "augina globotinį".into(),
            request_id: id(),
            ..Default::default()
        };
        h.registrations.set_registration_class(class).await.unwrap();
        h.joins(&event, 1).await;
        let centre = h.get(&event).await.centre;
        let mut town = Town::of(h).await;
        let mut keys = Vec::new();
        for role in [Role::Leader, Role::Psychologist, Role::Coordinator, Role::Head] {
            let events = match role {
                Role::Leader | Role::Psychologist => vec![event.clone()],
                _ => Vec::new(),
            };
            let made = town.key(AccessKey { events, ..key(role, &[&centre]) }).await;
            keys.push((role, made.secret));
        }
        // Attendance is asked for while the session goes on.
        let door = "2031-02-20T15:40:00Z".parse::<jiff::Timestamp>().unwrap();
        town.h.clock.move_to(Timestamp(door.as_microsecond()));
        Self { town, event, seated, keys }
    }

    fn secret(&self, role: Role) -> String {
        self.keys.iter().find(|(of, _)| *of == role).unwrap().1.clone()
    }

    /// All that a key is answered by every rpc that could tell who is in the event, as bytes; and every reason for a no.
    async fn heard(&mut self, secret: &str) -> (String, Vec<String>) {
        let (event, seated) = (self.event.clone(), self.seated.clone());
        let h = &mut self.town.h;
        let mut heard = Heard::default();
        for view in [RegistrationView::Basic, RegistrationView::Full] {
            let get = GetRegistrationRequest { name: seated.clone(), view: view.into(), ..Default::default() };
            heard.take(h.registrations.get_registration(with(secret, get)).await);
            for order_by in ["", "name", "time"] {
                for filter in ["", "search : kanarele", "class = first", "language = lt", "channel = WEB"] {
                    let list = ListRegistrationsRequest {
                        parent: event.clone(),
                        filter: filter.into(),
                        order_by: order_by.into(),
                        view: view.into(),
                        ..Default::default()
                    };
                    heard.take(h.registrations.list_registrations(with(secret, list)).await);
                }
            }
        }
        let explain = ExplainRegistrationRequest { name: seated.clone(), ..Default::default() };
        heard.take(h.registrations.explain_registration(with(secret, explain)).await);
        let watch = WatchRegistrationRequest { name: seated.clone(), ..Default::default() };
        match h.registrations.watch_registration(with(secret, watch)).await {
            Ok(stream) => heard.take(stream.into_inner().message().await.map(|m| tonic::Response::new(m.unwrap()))),
            Err(no) => heard.refused(&no),
        }
        let roster = GetRosterRequest { parent: event.clone(), session_id: "s1".into(), ..Default::default() };
        heard.take(h.attendance.get_roster(with(secret, roster)).await);
        let completion = GetCompletionRequest { parent: event.clone(), ..Default::default() };
        heard.take(h.attendance.get_completion(with(secret, completion)).await);
        let marks = ListAttendanceRequest { parent: event.clone(), ..Default::default() };
        heard.take(h.attendance.list_attendance(with(secret, marks)).await);
        let summary = GetAttendanceSummaryRequest { event: event.clone() };
        heard.take(h.reports.get_attendance_summary(with(secret, summary)).await);
        let check_in = CheckInRequest {
            parent: event.clone(),
            registration: seated.clone(),
            members: vec![1],
            session_id: "s1".into(),
            request_id: id(),
            ..Default::default()
        };
        heard.take(h.attendance.check_in(with(secret, check_in)).await);
        let update = UpdateRegistrationRequest {
            registration: Some(Registration { name: seated.clone(), language: "pl".into(), ..Default::default() }),
            update_mask: mask(&["language"]),
            request_id: id(),
            ..Default::default()
        };
        heard.take(h.registrations.update_registration(with(secret, update)).await);
        let promote = PromoteRegistrationRequest {
            name: seated.clone(),
            request_id: id(),
            validate_only: true,
            ..Default::default()
        };
        heard.take(h.registrations.promote_registration(with(secret, promote)).await);
        let class = SetRegistrationClassRequest {
            name: seated.clone(),
            class: "first".into(),
            reason: "-".into(),
            request_id: id(),
            validate_only: true,
        };
        heard.take(h.registrations.set_registration_class(with(secret, class)).await);
        let export = ExportRegistrationRequest { name: seated.clone(), ..Default::default() };
        heard.take(h.privacy.export_registration(with(secret, export)).await);
        let find = FindRegistrationsRequest { email: EMAIL.into(), ..Default::default() };
        match h.privacy.find_registrations(with(secret, find)).await {
            Ok(found) if found.get_ref().registrations.is_empty() => {}
            Ok(_) => heard.text.push_str(EMAIL),
            Err(no) => heard.refused(&no),
        }
        (heard.text, heard.reasons)
    }
}

pub async fn names_are_shown_to_the_roles_that_the_event_names_and_to_no_other(h: House) {
    // By default, and by a list that names others.
    let default = [Role::Psychologist, Role::Head];
    let mut hidden = Hidden::of(h, &[]).await;
    for role in [Role::Leader, Role::Coordinator, Role::Psychologist, Role::Head] {
        let (heard, reasons) = hidden.heard(&hidden.secret(role)).await;
        let told: Vec<_> = PIECES.into_iter().filter(|piece| heard.contains(piece)).collect();
        if default.contains(&role) {
            assert!(told.contains(&"Kanarėl") && told.contains(&"žalias"), "{role:?} sees {told:?}");
            assert!(!reasons.iter().any(|reason| reason == "PEOPLE_NOT_SHOWN"), "{role:?}: {reasons:?}");
        } else {
            assert_eq!(told, Vec::<&str>::new(), "{role:?}");
            assert!(reasons.iter().any(|reason| reason == "PEOPLE_NOT_SHOWN"), "{role:?}: {reasons:?}");
        }
    }
}

pub async fn no_refusal_search_or_order_tells_who_is_in_it(h: House) {
    let mut hidden = Hidden::of(h, &[Role::Leader]).await;
    assert!(hidden.heard(&hidden.secret(Role::Leader)).await.0.contains("Kanarėl"), "this one names leaders");
    let secret = hidden.secret(Role::Coordinator);
    let list = |filter: &str, order_by: &str| ListRegistrationsRequest {
        parent: hidden.event.clone(),
        filter: filter.into(),
        order_by: order_by.into(),
        ..Default::default()
    };
    let asked = [
        ("search : kanarele", ""),
        ("search : nobody", ""),
        ("", "name"),
        ("class = first", ""),
        ("class != \"\"", ""),
        ("language != lt", ""),
        ("municipality = 42 AND state = WAITLISTED", "time"),
    ];
    for (filter, order_by) in asked.map(|(filter, order_by)| (filter.to_owned(), order_by.to_owned())) {
        let ask = list(&filter, &order_by);
        let refused = no(hidden.town.h.registrations.list_registrations(with(&secret, ask)).await);
        assert_eq!((refused.reason.as_str(), refused.code), ("PEOPLE_NOT_SHOWN", Code::PermissionDenied), "{filter}");
        assert_eq!(refused.metadata["method"], "ListRegistrations");
    }
    // Found under its contact by whoever sees it, and by nobody else; nor is it compared with other people.
    let find = FindRegistrationsRequest { email: EMAIL.into(), ..Default::default() };
    let found = hidden.town.h.privacy.find_registrations(with(&secret, find)).await.unwrap().into_inner();
    assert_eq!((found.registrations.len(), found.more), (0, false));
    for (asks, refusing) in [("transfer", true), ("walk in", true)] {
        let reason = if asks == "transfer" {
            let to = hidden.town.events[0].clone();
            let ask = TransferRegistrationRequest {
                name: hidden.seated.clone(),
                target_event: to,
                request_id: id(),
                ..Default::default()
            };
            no(hidden.town.h.registrations.transfer_registration(with(&secret, ask)).await).reason
        } else {
            let ask = AddWalkInRequest {
                parent: hidden.event.clone(),
                session_id: "s1".into(),
                registration: Some(canary()),
                request_id: id(),
                ..Default::default()
            };
            no(hidden.town.h.attendance.add_walk_in(with(&secret, ask)).await).reason
        };
        assert_eq!(reason == "PEOPLE_NOT_SHOWN" || reason == "EVENT_NOT_FOUND", refusing, "{asks}: {reason}");
    }
}

pub async fn seats_are_taken_by_number_for_whoever_is_not_named(h: House) {
    let mut hidden = Hidden::of(h, &[]).await;
    let secret = hidden.secret(Role::Leader);
    let h = &mut hidden.town.h;
    let list = ListRegistrationsRequest {
        parent: hidden.event.clone(),
        view: RegistrationView::Full.into(),
        ..Default::default()
    };
    let listed = h.registrations.list_registrations(with(&secret, list)).await.unwrap().into_inner().registrations;
    let taken: Vec<_> = listed.iter().map(|r| (r.state(), r.accepted_number, r.party_size, r.people_hidden)).collect();
    assert_eq!(taken, [(RegistrationState::Confirmed, 1, 1, true), (RegistrationState::Confirmed, 2, 1, true)]);
    assert!(listed.iter().all(|r| r.pool_id == "main" && r.contact.is_none() && r.class.is_empty()));
    let mut numbers = Vec::new();
    let mut page_token = String::new();
    loop {
        let roster = GetRosterRequest {
            parent: hidden.event.clone(),
            session_id: "s1".into(),
            page_size: 1,
            page_token: page_token.clone(),
        };
        let page = h.attendance.get_roster(with(&secret, roster)).await.unwrap().into_inner();
        assert!(page.people_hidden);
        for entry in &page.entries {
            assert_eq!((entry.display_name.as_str(), entry.members.len()), ("", 1));
            assert_eq!(entry.members[0].display_name, "");
            numbers.push(entry.registration.clone());
        }
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    assert_eq!(numbers, listed.iter().map(|r| r.name.clone()).collect::<Vec<_>>(), "in order of number");
    // Attendance is entered by number.
    let entry = MarkEntry {
        registration: hidden.seated.clone(),
        member: 1,
        mark: AttendanceMark::Present.into(),
        minutes: None,
    };
    let record = RecordAttendanceRequest {
        parent: hidden.event.clone(),
        session_id: "s1".into(),
        marks: vec![entry],
        request_id: id(),
        ..Default::default()
    };
    assert_eq!(h.attendance.record_attendance(with(&secret, record)).await.unwrap().into_inner().new_marks, 1);
    let head = hidden.secret(Role::Head);
    let roster = GetRosterRequest { parent: hidden.event.clone(), session_id: "s1".into(), ..Default::default() };
    let seen = hidden.town.h.attendance.get_roster(with(&head, roster)).await.unwrap().into_inner();
    assert!(!seen.people_hidden);
    assert!(seen.entries.iter().flat_map(|e| &e.members).any(|m| m.display_name == CANARY && m.minutes == 90));
}

pub async fn staff_who_are_not_named_learn_of_no_duplicate(h: House) {
    let mut hidden = Hidden::with(h, &[], |e| e.join_midway = true).await;
    let (coordinator, head) = (hidden.secret(Role::Coordinator), hidden.secret(Role::Head));
    let again = |validate_only| CreateRegistrationRequest { validate_only, ..sign_up(&hidden.event, canary()) };
    let (trying, meaning, by_head) = (again(true), again(false), again(false));
    let h = &mut hidden.town.h;
    let tried = h.registrations.create_registration(with(&coordinator, trying)).await.unwrap().into_inner();
    assert_eq!(tried.registration.unwrap().state(), RegistrationState::Confirmed, "as if nobody were there");
    let made = h.registrations.create_registration(with(&coordinator, meaning)).await.unwrap().into_inner();
    let made = made.registration.unwrap();
    assert!(!made.possible_duplicate);
    let refused = no(h.registrations.create_registration(with(&head, by_head)).await);
    assert_eq!(refused.reason, "ALREADY_REGISTERED");
    let look = GetRegistrationRequest { name: made.name, ..Default::default() };
    let seen = h.registrations.get_registration(with(&head, look.clone())).await.unwrap().into_inner();
    assert!(seen.registration.unwrap().possible_duplicate);
    let seen = h.registrations.get_registration(with(&coordinator, look)).await.unwrap().into_inner();
    assert!(!seen.registration.unwrap().possible_duplicate);
}

pub async fn consents_of_people_that_are_not_shown_are_not_streamed(h: House) {
    let mut hidden = Hidden::of(h, &[]).await;
    let secrets = [Role::Head, Role::Coordinator].map(|role| hidden.secret(role));
    let photos = ConsentChoice { purpose: ConsentPurpose::Photos.into(), given: true, text_version: "2031-1".into() };
    let ask = SetRegistrationConsentsRequest {
        name: hidden.seated.clone(),
        choices: vec![photos],
        channel: Channel::InPerson.into(),
        request_id: id(),
        ..Default::default()
    };
    let h = &mut hidden.town.h;
    h.privacy.set_registration_consents(with(&secrets[0], ask)).await.unwrap();
    for (secret, consents, people_hidden) in [(&secrets[0], 1, false), (&secrets[1], 0, true)] {
        let watch = WatchRegistrationRequest { name: hidden.seated.clone(), ..Default::default() };
        let mut stream = h.registrations.watch_registration(with(secret, watch)).await.unwrap().into_inner();
        let seen = stream.message().await.unwrap().unwrap().registration.unwrap();
        assert_eq!((seen.consents.len(), seen.people_hidden), (consents, people_hidden));
    }
}

pub async fn where_a_party_went_is_told_to_staff_that_sees_the_people_of_both_events(mut h: House) {
    let sensitive = h.open_with(3, |e| e.sensitivity = Some(Sensitivity::default())).await;
    let centre = h.get(&sensitive).await.centre;
    let plain = h.open_with(3, |e| e.centre = centre.clone()).await;
    let mut sources = Vec::new();
    for (n, from, to) in [(1, &plain, &sensitive), (2, &sensitive, &plain)] {
        let member = Member { display_name: format!("Perkeltoji {n}"), ..Default::default() };
        let contact = Contact {
            display_name: format!("Perkeltoji {n}"),
            email: format!("p{n}@example.org"),
            ..Default::default()
        };
        let party = Registration { contact: Some(contact), members: vec![member], ..Default::default() };
        let made = h.sign_up(from, party).await;
        let name = made.registration.unwrap().name;
        let ask = TransferRegistrationRequest {
            name: name.clone(),
            target_event: to.clone(),
            request_id: id(),
            ..Default::default()
        };
        h.registrations.transfer_registration(ask).await.unwrap();
        sources.push((name, made.management_token));
    }
    let mut town = Town::of(h).await;
    let head = town.key(key(Role::Head, &[&centre])).await.secret;
    let coordinator = town.key(key(Role::Coordinator, &[&centre])).await.secret;
    let h = &mut town.h;
    for (secret, told) in [(&head, 2), (&coordinator, 0)] {
        let mut heard = [0; 6];
        let mut hear = |at: usize, word: &str| heard[at] += usize::from(!word.is_empty());
        for (name, _) in &sources {
            let get = GetRegistrationRequest { name: name.clone(), ..Default::default() };
            let seen = h.registrations.get_registration(with(secret, get)).await.unwrap().into_inner();
            hear(0, &seen.registration.unwrap().transferred_to);
            let watch = WatchRegistrationRequest { name: name.clone(), ..Default::default() };
            let mut stream = h.registrations.watch_registration(with(secret, watch)).await.unwrap().into_inner();
            hear(1, &stream.message().await.unwrap().unwrap().registration.unwrap().transferred_to);
            let restrict = RestrictRegistrationRequest {
                name: name.clone(),
                reason: "-".into(),
                request_id: id(),
                validate_only: true,
                ..Default::default()
            };
            let tried = h.privacy.restrict_registration(with(secret, restrict)).await.unwrap().into_inner();
            hear(4, &tried.registration.unwrap().transferred_to);
            let taken_back = ConsentChoice { purpose: ConsentPurpose::Photos.into(), ..Default::default() };
            let consents = SetRegistrationConsentsRequest {
                name: name.clone(),
                choices: vec![taken_back],
                channel: Channel::Phone.into(),
                request_id: id(),
                validate_only: true,
                ..Default::default()
            };
            let tried = h.privacy.set_registration_consents(with(secret, consents)).await.unwrap().into_inner();
            hear(5, &tried.registration.unwrap().transferred_to);
        }
        for event in [&plain, &sensitive] {
            let list = ListRegistrationsRequest { parent: event.clone(), ..Default::default() };
            let list = h.registrations.list_registrations(with(secret, list)).await.unwrap().into_inner();
            list.registrations.iter().for_each(|r| hear(2, &r.transferred_to));
            let filter = Some(ChangeFilter { event: event.clone(), ..Default::default() });
            let changes = ListChangesRequest { filter, page_size: 100, ..Default::default() };
            let changes = h.changes.list_changes(with(secret, changes)).await.unwrap().into_inner();
            assert!(changes.changes.iter().any(|c| c.registration_state() == RegistrationState::Transferred));
            changes.changes.iter().for_each(|c| hear(3, &c.transferred_to));
        }
        assert_eq!(heard, [told; 6]);
    }
    // The party knows where it went.
    let (name, management_token) = sources.remove(0);
    let get = GetRegistrationRequest { name, management_token, ..Default::default() };
    let own = h.registrations.get_registration(get).await.unwrap().into_inner().registration.unwrap();
    assert!(own.transferred_to.starts_with(&sensitive));
}

pub async fn where_a_party_went_is_told_to_who_reaches_it(h: House) {
    let mut town = Town::of(h).await;
    let [here, there] = town.centres.clone();
    let of_both = town.key(key(Role::Coordinator, &[&here, &there])).await.secret;
    let of_one = town.key(key(Role::Head, &[&here])).await.secret;
    let ask = with(&of_both, sign_up(&town.events[0], party(1)));
    let name = town.h.registrations.create_registration(ask).await.unwrap().into_inner().registration.unwrap().name;
    let transfer = TransferRegistrationRequest {
        name: name.clone(),
        target_event: town.events[1].clone(),
        request_id: id(),
        ..Default::default()
    };
    town.h.registrations.transfer_registration(with(&of_both, transfer)).await.unwrap();
    for (secret, told) in [(&of_both, true), (&of_one, false)] {
        let get = GetRegistrationRequest { name: name.clone(), ..Default::default() };
        let seen = town.h.registrations.get_registration(with(secret, get)).await.unwrap().into_inner();
        assert_eq!(seen.registration.unwrap().transferred_to.starts_with(&town.events[1]), told);
    }
}

pub async fn what_was_promised_to_those_who_signed_up_is_kept(mut h: House) {
    let centre = h.centre().await;
    let named = |roles: &[Role]| {
        Some(Sensitivity { named_roles: roles.iter().map(|r| (*r).into()).collect(), ..Sensitivity::default() })
    };
    let draft = h.draft(Event { sensitivity: named(&[]), ..event(&centre, 3) }).await;
    assert_eq!(draft.sensitivity, named(&[Role::Psychologist, Role::Head]), "what it means is answered");
    let with_it = |sensitivity| Event { name: draft.name.clone(), sensitivity, ..Event::default() };
    assert_eq!(h.update(with_it(None), &["sensitivity"]).await.sensitivity, None, "a draft promised nobody anything");
    h.update(with_it(named(&[Role::Leader, Role::Head])), &["sensitivity"]).await;
    let publish = PublishEventRequest { name: draft.name.clone(), request_id: id(), ..Default::default() };
    h.events.publish_event(publish).await.unwrap();
    for more in [None, named(&[Role::Leader, Role::Head, Role::Coordinator]), named(&[Role::Coordinator]), named(&[])] {
        let update = UpdateEventRequest {
            event: Some(with_it(more)),
            update_mask: mask(&["sensitivity"]),
            request_id: id(),
            ..Default::default()
        };
        let refused = no(h.events.update_event(update).await);
        assert_eq!((refused.reason.as_str(), refused.code), ("SENSITIVITY_KEPT", Code::FailedPrecondition));
    }
    assert_eq!(h.update(with_it(named(&[Role::Head])), &["sensitivity"]).await.sensitivity, named(&[Role::Head]));
    // Neither does what was shown as something else come to light.
    let disguised = |titles: &str, unlisted| {
        let neutral_titles = if titles.is_empty() { Vec::new() } else { lt(titles) };
        Some(Sensitivity { neutral_titles, unlisted, ..named(&[Role::Head]).unwrap() })
    };
    let covered = h.open_with(3, |e| e.sensitivity = disguised("Susitikimas", true)).await;
    let with_it = |sensitivity| Event { name: covered.clone(), sensitivity, ..Event::default() };
    for less in [disguised("", true), disguised("Susitikimas", false)] {
        let update = UpdateEventRequest {
            event: Some(with_it(less)),
            update_mask: mask(&["sensitivity"]),
            request_id: id(),
            ..Default::default()
        };
        assert_eq!(no(h.events.update_event(update).await).reason, "SENSITIVITY_KEPT");
    }
    let other = disguised("Pokalbis", true);
    assert_eq!(h.update(with_it(other.clone()), &["sensitivity"]).await.sensitivity, other);
    // Other settings change as ever, and a copy is as sensitive.
    let wider = Event { name: draft.name.clone(), minimum_to_start: 2, ..Event::default() };
    assert_eq!(h.update(wider, &["minimum_to_start"]).await.sensitivity, named(&[Role::Head]));
    let copy = CopyEventRequest { name: draft.name.clone(), request_id: id(), ..Default::default() };
    let copied = h.events.copy_event(copy).await.unwrap().into_inner().event.unwrap();
    assert_eq!(copied.sensitivity, named(&[Role::Head]));
    // One that was published without may be made sensitive later.
    let open = h.open_with(3, |_| {}).await;
    let later = Event { name: open, sensitivity: named(&[Role::Head]), ..Event::default() };
    assert_eq!(h.update(later, &["sensitivity"]).await.sensitivity, named(&[Role::Head]));
    for wrong in [Role::Portal, Role::Administrator, Role::Reporting, Role::Unspecified] {
        let create = CreateEventRequest {
            event: Some(Event { sensitivity: named(&[Role::Head, wrong]), ..event(&centre, 3) }),
            request_id: id(),
            ..Default::default()
        };
        let refused = no(h.events.create_event(create).await);
        assert_eq!(refused.fields, ["event.sensitivity.named_roles[1]"], "{wrong:?}");
    }
}

pub async fn portals_see_neutral_titles_and_list_what_its_owner_wants(mut h: House) {
    let create = CreateProgrammeRequest {
        programme: Some(programme()),
        programme_id: "be-smurto".into(),
        request_id: id(),
        ..Default::default()
    };
    h.admin.create_programme(create).await.unwrap();
    let sensitive =
        |unlisted| Sensitivity { neutral_titles: lt("Susitikimas centre"), unlisted, ..Sensitivity::default() };
    let about = |e: &mut Event, unlisted| {
        e.sensitivity = Some(sensitive(unlisted));
        e.programme = "programmes/be-smurto".into();
        e.project_code = "SMURTAS-1".into();
        e.titles = lt("Smurtautojų grupė");
        e.descriptions = lt("Kaip nesmurtauti");
        e.sessions[0].note = "Smurto nebus".into();
    };
    let listed = h.open_with(3, |e| about(e, false)).await;
    let unlisted = h.open_with(3, |e| about(e, true)).await;
    let centres = [h.get(&listed).await.centre, h.get(&unlisted).await.centre];
    let mut town = Town::of(h).await;
    let portal = town.key(key(Role::Portal, &[&centres[0], &centres[1]])).await.secret;
    let office = town.key(key(Role::Coordinator, &[&centres[0], &centres[1]])).await.secret;
    for name in [&listed, &unlisted] {
        let seen = town.h.events.get_event(with(&portal, GetEventRequest { name: name.clone() })).await.unwrap();
        let seen = seen.into_inner().event.unwrap();
        assert_eq!((seen.titles.clone(), seen.sensitivity.clone()), (lt("Susitikimas centre"), None));
        let heard = told(&seen).to_lowercase();
        assert!(!heard.contains("smurt"), "{heard}");
        let seen = town.h.events.get_event(with(&office, GetEventRequest { name: name.clone() })).await.unwrap();
        let seen = seen.into_inner().event.unwrap();
        assert!(told(&seen).to_lowercase().contains("smurt"));
        assert_eq!(seen.titles, lt("Smurtautojų grupė"));
        let made = town.h.registrations.create_registration(with(&portal, sign_up(name, party(1)))).await;
        assert!(made.is_ok(), "whoever has its id signs up");
    }
    let programme = "programme = programmes/be-smurto";
    let not = "programme != programmes/be-smurto";
    for (secret, filter, expected) in [
        (&portal, "", vec![&listed]),
        (&office, "", vec![&listed, &unlisted]),
        (&portal, programme, vec![]),
        (&portal, not, vec![&listed]),
        (&office, programme, vec![&listed, &unlisted]),
        (&office, not, vec![]),
    ] {
        let list = ListEventsRequest { filter: filter.into(), ..Default::default() };
        let events = town.h.events.list_events(with(secret, list)).await.unwrap().into_inner().events;
        let mut names: Vec<_> = events.iter().map(|e| e.name.clone()).collect();
        names.sort();
        let mut expected: Vec<_> = expected.into_iter().cloned().collect();
        expected.sort();
        assert_eq!(names, expected, "{filter}");
        let counts = ListEventCountsRequest { filter: filter.into(), ..Default::default() };
        let counts = town.h.reports.list_event_counts(with(secret, counts)).await.unwrap().into_inner().counts;
        assert_eq!(counts.len(), expected.len(), "{filter}");
    }
}

pub async fn why_somebody_was_preferred_is_read_by_heads_alone(h: House) {
    let named = [Role::Leader, Role::Psychologist, Role::Coordinator, Role::Head];
    let mut hidden = Hidden::of(h, &named).await;
    for (role, reads) in [(Role::Coordinator, false), (Role::Head, true)] {
        let secret = hidden.secret(role);
        let export = ExportRegistrationRequest { name: hidden.seated.clone(), ..Default::default() };
        let told = hidden.town.h.privacy.export_registration(with(&secret, export)).await.unwrap().into_inner();
        assert_eq!(told.notes.iter().any(|note| note.text == "augina globotinį"), reads, "{role:?}");
        assert_eq!(told.registration.unwrap().class, "first", "the class itself is for the office");
        let (heard, _) = hidden.heard(&secret).await;
        assert_eq!(heard.contains("augina globotinį"), reads, "{role:?}");
    }
}

pub async fn no_class_goes_to_a_portal_or_a_family(h: House) {
    let mut hidden = Hidden::with(h, &[], |e| (e.sensitivity, e.join_midway) = (None, true)).await;
    let centre = {
        let secret = hidden.secret(Role::Head);
        let get = GetEventRequest { name: hidden.event.clone() };
        hidden.town.h.events.get_event(with(&secret, get)).await.unwrap().into_inner().event.unwrap().centre
    };
    let portal = hidden.town.key(AccessKey { vouching: true, ..key(Role::Portal, &[&centre]) }).await.secret;
    let coordinator = hidden.secret(Role::Coordinator);
    let event = hidden.event.clone();
    let h = &mut hidden.town.h;
    let sign_up_again = sign_up(&event, party(1));
    let made = h.registrations.create_registration(with(&portal, sign_up_again.clone())).await.unwrap().into_inner();
    let (name, token) = (made.registration.unwrap().name, made.management_token);
    let class = SetRegistrationClassRequest {
        name: name.clone(),
        class: "first".into(),
        reason: "augina globotinį".into(),
        request_id: id(),
        ..Default::default()
    };
    let classed = h.registrations.set_registration_class(with(&coordinator, class)).await.unwrap().into_inner();
    assert_eq!(classed.registration.unwrap().class, "first", "to the office it is told");
    let mut heard = Heard::default();
    heard.take(h.registrations.create_registration(with(&portal, sign_up_again)).await);
    let (n, t) = (|| name.clone(), || token.clone());
    for view in [RegistrationView::Basic, RegistrationView::Full] {
        let get = GetRegistrationRequest { name: n(), view: view.into(), management_token: t() };
        heard.take(h.registrations.get_registration(with(&portal, get.clone())).await);
        heard.take(h.registrations.get_registration(get).await);
    }
    let explain = ExplainRegistrationRequest { name: n(), management_token: t() };
    let explained = h.registrations.explain_registration(explain.clone()).await.unwrap().into_inner();
    assert_eq!(explained.class_rank, 0);
    assert!(explained.steps.iter().all(|step| step.kind() != StepKind::ClassChanged));
    heard.take(h.registrations.explain_registration(with(&portal, explain)).await);
    let watch = WatchRegistrationRequest { name: n(), management_token: t() };
    let mut stream = h.registrations.watch_registration(watch).await.unwrap().into_inner();
    heard.take(stream.message().await.map(|m| tonic::Response::new(m.unwrap())));
    let export = ExportRegistrationRequest { name: n(), management_token: t(), ..Default::default() };
    heard.take(h.privacy.export_registration(export).await);
    let update = UpdateRegistrationRequest {
        registration: Some(Registration { name: n(), language: "pl".into(), ..Default::default() }),
        update_mask: mask(&["language"]),
        request_id: id(),
        management_token: t(),
        ..Default::default()
    };
    heard.take(h.registrations.update_registration(with(&portal, update)).await);
    let cancel = CancelRegistrationRequest { name: n(), request_id: id(), management_token: t(), ..Default::default() };
    heard.take(h.registrations.cancel_registration(cancel).await);
    assert_eq!(heard.reasons, Vec::<String>::new());
    let told = heard.text.replace("first_in_line", "").replace("first_that_fits", "");
    assert!(!told.contains("first"), "{told}");
    assert!(!heard.text.contains("globotin"), "{}", heard.text);
}

pub async fn no_figure_names_whoever_is_known_from_it_alone(mut h: House) {
    // The canary is in both, and came to the sensitive one alone.
    let open = h.open_with(5, |_| ()).await;
    h.sign_up(&open, Registration { answers: Vec::new(), ..canary() }).await;
    let other = h.joins(&open, 1).await.name;
    let mut hidden = Hidden::of(h, &[]).await;
    let mut secrets = Vec::new();
    for role in [Role::Head, Role::Coordinator] {
        secrets.push(hidden.town.key(AccessKey { all_centres: true, ..key(role, &[]) }).await.secret);
    }
    let [head, coordinator] = [secrets[0].clone(), secrets[1].clone()];
    let event = hidden.event.clone();
    let h = &mut hidden.town.h;
    for (parent, registration) in [(&event, &hidden.seated), (&open, &other)] {
        let mark = AttendanceMark::Present.into();
        let marks = vec![MarkEntry { registration: registration.clone(), member: 1, mark, minutes: None }];
        let record = RecordAttendanceRequest {
            parent: parent.clone(),
            session_id: "s1".into(),
            marks,
            request_id: id(),
            ..Default::default()
        };
        h.attendance.record_attendance(with(&head, record)).await.unwrap();
    }
    let full = RegistrationView::Full.into();
    let look = GetRegistrationRequest { name: other, view: full, ..Default::default() };
    let found = h.registrations.get_registration(with(&head, look)).await.unwrap().into_inner().registration.unwrap();
    let other = vec![found.members[0].person.clone()];
    let ask = GetParticipationRequest::default();
    let all = h.reports.get_participation(with(&head, ask.clone())).await.unwrap().into_inner();
    assert_eq!((all.without_form.len(), all.people_hidden), (2, false));
    let told = h.reports.get_participation(with(&coordinator, ask.clone())).await.unwrap().into_inner();
    assert_eq!((&told.without_form, told.people_hidden, told.unique_participants), (&other, true, Some(2)));

    // A stored report is read by others than who asked for it.
    let query = ReportQuery { query: Some(report_query::Query::Participation(ask)) };
    let report = Report { title: "Dalyviai".into(), query: Some(query), ..Default::default() };
    let create = CreateReportRequest { report: Some(report), request_id: id() };
    let stored = h.reports.create_report(with(&head, create)).await.unwrap().into_inner().report.unwrap();
    let get = GetReportRequest { name: stored.name.clone() };
    let read = h.reports.get_report(with(&coordinator, get)).await.unwrap().into_inner().report.unwrap();
    let corrections = ListCorrectionsRequest { report: stored.name.clone() };
    let now = h.reports.list_corrections(with(&coordinator, corrections)).await.unwrap().into_inner();
    assert!(now.figures.is_empty(), "{:?}", now.figures);
    for figures in [stored.figures, read.figures, now.now] {
        let Some(report_figures::Figures::Participation(told)) = figures.unwrap().figures else { panic!("no figures") };
        assert_eq!((&told.without_form, told.people_hidden), (&other, true));
    }
}
