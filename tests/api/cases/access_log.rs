//! The access log: who of the staff read and decided, and that nothing in it names anybody.

use crate::cases::keys::{Town, key, with};
use crate::heard;
use crate::house::{House, no};
use crate::raw::Raw;
use crate::samples::*;
use eile::api::FILE_DESCRIPTOR_SET;
use eile::api::proto::*;
use eile::model::access::Reach;
use eile::model::access_log::AccessQuery;
use eile::model::time::Span;
use prost::Message;
use prost_types::{DescriptorProto, FileDescriptorSet};
use std::time::Duration;
use tonic::Status;

/// The path of an rpc, and an empty message for it that asks for all that can be seen.
fn rpc(set: &FileDescriptorSet, name: &str) -> (String, Vec<u8>) {
    let files = || set.file.iter().filter(|file| file.package() == "eile.v1");
    let mut services = files().flat_map(|file| &file.service);
    let (service, method) =
        services.find_map(|s| s.method.iter().find(|m| m.name() == name).map(|m| (s.name(), m))).unwrap();
    let is_input = |m: &&DescriptorProto| method.input_type().ends_with(&format!(".{}", m.name()));
    let input = files().flat_map(|file| &file.message_type).find(is_input).unwrap();
    let view = input.field.iter().find(|field| field.name() == "view");
    let full = |field: &prost_types::FieldDescriptorProto| {
        vec![u8::try_from(field.number() << 3).unwrap(), RegistrationView::Full as u8]
    };
    (format!("/eile.v1.{service}/{name}"), view.map(full).unwrap_or_default())
}

impl Town {
    /// Calls whatever it is.
    async fn call(&self, (path, message): (String, Vec<u8>), secret: &str) -> Result<(), Status> {
        let mut client = tonic::client::Grpc::new(self.h.channel.clone());
        client.ready().await.unwrap();
        client.server_streaming(with(secret, message), path.parse().unwrap(), Raw).await.map(drop)
    }

    /// The rows of a query, by a head who reaches all, once there are as many as must come.
    async fn rows(&mut self, head: &str, ask: ListAccessEntriesRequest, expected: usize) -> Vec<AccessEntry> {
        let mut found = Vec::new();
        for _ in 0..100 {
            found = self.all_rows(head, &ask).await;
            if found.len() >= expected {
                break;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        assert_eq!(found.len(), expected, "{found:#?}");
        found
    }

    async fn all_rows(&mut self, head: &str, ask: &ListAccessEntriesRequest) -> Vec<AccessEntry> {
        let (mut all, mut page_token) = (Vec::new(), String::new());
        loop {
            let ask = ListAccessEntriesRequest { page_size: 500, page_token, ..ask.clone() };
            let page = self.h.admin.list_access_entries(with(head, ask)).await.unwrap().into_inner();
            all.extend(page.entries);
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return all;
            }
        }
    }

    async fn all_seeing(&mut self) -> String {
        self.key(AccessKey { all_centres: true, ..key(Role::Head, &[]) }).await.secret
    }
}

fn of_key(made: &CreateAccessKeyResponse) -> ListAccessEntriesRequest {
    let access_key = made.access_key.as_ref().unwrap().name.clone();
    ListAccessEntriesRequest { access_key, ..Default::default() }
}

pub async fn every_call_leaves_what_its_row_in_the_table_says(h: House) {
    let mut town = Town::of(h).await;
    let head = town.all_seeing().await;
    let set = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap();
    let mut seen = 0;
    for role in (1..).map_while(|n| Role::try_from(n).ok()) {
        let needs_event = matches!(role, Role::Leader | Role::Psychologist);
        let of_all = matches!(role, Role::National | Role::Administrator);
        let events = if needs_event { vec![town.events[0].clone()] } else { Vec::new() };
        let made = town.key(AccessKey { events, all_centres: !of_all, ..key(role, &[]) }).await;
        let mut expected = Vec::new();
        for (n, (method, roles, _, kind)) in eile::api::rights_table().enumerate() {
            // Refusals of a minute are counted.
            if n % 40 == 0 {
                town.h.clock.advance(Span::seconds(61));
            }
            let may = roles.iter().any(|may| format!("{may:?}") == format!("{role:?}"));
            let answer = town.call(rpc(&set, method), &made.secret).await;
            let refused = answer.err().is_some_and(|status| no_role(&status));
            assert_eq!(refused, !may, "{method} by {role:?}");
            if let Some(kind) = kind.filter(|_| refused || role != Role::Portal) {
                expected.push((method.to_owned(), format!("{kind:?}"), refused));
            }
        }
        let rows = town.rows(&head, of_key(&made), expected.len()).await;
        let mut found: Vec<_> = rows
            .iter()
            .map(|row| (row.method.clone(), format!("{:?}", row.kind()), row.outcome == "PERMISSION_DENIED"))
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "{role:?}");
        assert!(rows.iter().all(|row| row.role() == role && !row.outcome.is_empty()));
        seen += found.len();
    }
    assert!(seen > 200, "{seen}");
}

fn no_role(status: &Status) -> bool {
    crate::house::no_of(status.clone()).reason == "ROLE_NOT_ALLOWED"
}

const NAME: &str = "Kanarėlė Nematytoji";
const SLUG: &str = "kanarele-nematytoji";
const WORDS: [&str; 4] = ["kanar", "Kanar", "nematyt", "Nematyt"];

pub async fn a_row_says_who_and_what_and_holds_nobodys_name(h: House) {
    let mut town = Town::of(h).await;
    let head = town.all_seeing().await;
    let [centre, _] = town.centres.clone();
    let made = town.key(key(Role::Coordinator, &[&centre])).await;
    let (secret, event) = (made.secret.clone(), town.events[0].clone());
    let contact = Contact { display_name: NAME.into(), email: format!("{SLUG}@example.org"), ..contact() };
    let asked = sign_up(&event, Registration { contact: Some(contact), ..party(1) });
    let registration = town.h.registrations.create_registration(with(&secret, asked.clone())).await.unwrap();
    let name = registration.into_inner().registration.unwrap().name;
    let person = uuid::Uuid::new_v4().to_string();
    let get = GetRegistrationRequest { name: name.clone(), view: RegistrationView::Full.into(), ..Default::default() };
    let by = |value: &str| {
        let mut request = with(&secret, get.clone());
        request.metadata_mut().insert("eile-person", value.parse().unwrap());
        request
    };
    let people = &mut town.h.registrations;
    let heard = heard::told(people.get_registration(by(&person)).await.unwrap().get_ref());
    assert!(WORDS.iter().all(|word| heard.contains(word)), "who reads is told: {heard}");
    assert_eq!(no(people.get_registration(by(SLUG)).await).fields, ["eile-person"]);
    let list = ListRegistrationsRequest {
        parent: event.clone(),
        page_size: 7,
        filter: format!("name = \"{NAME}\""),
        ..Default::default()
    };
    let _ = people.list_registrations(with(&secret, list)).await;
    let class = SetRegistrationClassRequest {
        name: name.clone(),
        request_id: id(),
        class: String::new(),
        reason: NAME.into(),
        ..Default::default()
    };
    people.set_registration_class(with(&secret, class)).await.unwrap();
    let cancel = CancelRegistrationRequest {
        name: name.clone(),
        request_id: id(),
        reason: CancelReason::FoundElsewhere.into(),
        ..Default::default()
    };
    people.cancel_registration(with(&secret, cancel.clone())).await.unwrap();
    let strange = GetRegistrationRequest { name: format!("{event}/registrations/{SLUG}"), ..get.clone() };
    assert!(people.get_registration(with(&secret, strange)).await.is_err());

    let rows = town.rows(&head, of_key(&made), 6).await;
    let row = |method: &str| rows.iter().rev().find(|row| row.method == method).unwrap();
    let read = row("GetRegistration");
    assert_eq!((read.kind(), read.role(), read.outcome.as_str()), (AccessKind::Read, Role::Coordinator, "OK"));
    assert_eq!((&read.person, &read.registration, &read.event, &read.centre), (&person, &name, &event, &centre));
    assert_eq!((read.access_key.clone(), read.time), (of_key(&made).access_key, Some(now(&town))));
    let cancelled = row("CancelRegistration");
    assert_eq!((cancelled.kind(), cancelled.reason.as_str()), (AccessKind::Decision, "CANCEL_REASON_FOUND_ELSEWHERE"));
    assert_eq!(cancelled.request_id, cancel.request_id);
    assert_eq!(row("ListRegistrations").rows_max, 7);
    assert_eq!(row("CreateRegistration").request_id, asked.request_id);

    // What is made up to be about somebody stands nowhere either.
    let update = UpdateCentreRequest {
        centre: Some(Centre { name: format!("centres/{SLUG}"), ..crate::samples::centre() }),
        update_mask: mask(&["languages"]),
        request_id: SLUG.into(),
        ..Default::default()
    };
    assert!(town.h.admin.update_centre(with(&head, update)).await.is_err());
    for _ in 0..50 {
        let stored = town
            .h
            .desk
            .store()
            .access_entries(&Reach::Service, &AccessQuery { limit: 999, ..Default::default() })
            .await
            .unwrap();
        let told = heard::told_in_all(&town.all_rows(&head, &Default::default()).await);
        assert!(told.contains("GetRegistration"), "{told}");
        let stored = format!("{stored:?}");
        for text in [&stored, &told] {
            assert!(!WORDS.iter().any(|word| text.contains(word)), "{text}");
        }
        if stored.contains("UpdateCentre") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("the row of UpdateCentre does not come");
}

fn now(town: &Town) -> prost_types::Timestamp {
    let now = town.h.desk.clock().now().0;
    prost_types::Timestamp { seconds: now / 1_000_000, nanos: 0 }
}

pub async fn a_head_sees_the_rows_of_its_own_centres(h: House) {
    let mut town = Town::of(h).await;
    let all = town.all_seeing().await;
    let [own, other] = town.centres.clone();
    let coordinator = town.key(AccessKey { all_centres: true, ..key(Role::Coordinator, &[]) }).await;
    for event in town.events.clone() {
        let list = ListRegistrationsRequest { parent: event, ..Default::default() };
        town.h.registrations.list_registrations(with(&coordinator.secret, list)).await.unwrap();
    }
    assert_eq!(town.rows(&all, of_key(&coordinator), 2).await.len(), 2);
    let head = town.key(key(Role::Head, &[&own])).await.secret;
    let seen = town.all_rows(&head, &ListAccessEntriesRequest::default()).await;
    assert!(!seen.is_empty() && seen.iter().all(|row| row.centre == own), "{seen:#?}");
    let of_event = |event: &str| ListAccessEntriesRequest { event: event.into(), ..Default::default() };
    let [mine, theirs] = town.events.clone();
    let by_coordinator = |event: &str| ListAccessEntriesRequest { event: event.into(), ..of_key(&coordinator) };
    assert_eq!(town.all_rows(&head, &by_coordinator(&mine)).await.len(), 1);

    let both = town.key(key(Role::Head, &[&own, &other])).await.secret;
    let admin = &mut town.h.admin;
    let of_centre = |centre: &str| ListAccessEntriesRequest { centre: centre.into(), ..Default::default() };
    let foreign = format!("{theirs}/registrations/0000002a-0000-8000-8000-000000000000");
    let of_registration = ListAccessEntriesRequest { registration: foreign, ..Default::default() };
    let hidden = ListAccessEntriesRequest { event: mine.clone(), ..of_registration.clone() };
    for (secret, ask, reason) in [
        (&head, of_centre(&other), "CENTRE_NOT_FOUND"),
        (&head, of_event(&theirs), "EVENT_NOT_FOUND"),
        (&head, of_registration, "EVENT_NOT_FOUND"),
        (&head, hidden, "EVENT_NOT_FOUND"),
        (&both, ListAccessEntriesRequest::default(), "CENTRE_REQUIRED"),
        (&coordinator.secret, ListAccessEntriesRequest::default(), "ROLE_NOT_ALLOWED"),
    ] {
        assert_eq!(no(admin.list_access_entries(with(secret, ask)).await).reason, reason);
    }
    let malformed = ListAccessEntriesRequest { event: "x".into(), access_key: "y".into(), ..Default::default() };
    assert_eq!(no(admin.list_access_entries(with(&head, malformed)).await).fields, ["access_key", "event"]);
    assert_eq!(town.all_rows(&both, &by_coordinator(&theirs)).await.len(), 1);
    // Whoever tried what it does not reach is seen by those whose it is.
    let strangers = town.key(key(Role::Leader, &[&own]).of_event(&mine)).await;
    let list = ListRegistrationsRequest { parent: theirs.clone(), ..Default::default() };
    assert!(town.h.registrations.list_registrations(with(&strangers.secret, list)).await.is_err());
    let of_theirs = ListAccessEntriesRequest { event: theirs, ..of_key(&strangers) };
    let [tried] = town.rows(&both, of_theirs, 1).await.try_into().unwrap();
    assert_eq!((tried.outcome.as_str(), tried.centre), ("NOT_FOUND", other));
}

trait OfEvent {
    fn of_event(self, event: &str) -> AccessKey;
}

impl OfEvent for AccessKey {
    fn of_event(self, event: &str) -> AccessKey {
        AccessKey { events: vec![event.to_owned()], ..self }
    }
}

pub async fn a_party_and_a_portal_leave_no_row_unless_they_are_refused(h: House) {
    let mut town = Town::of(h).await;
    let head = town.all_seeing().await;
    let portal = town.key(key(Role::Portal, &[&town.centres[0].clone()])).await;
    let [event, other] = town.events.clone();
    let people = &mut town.h.registrations;
    let made = people.create_registration(with(&portal.secret, sign_up(&event, party(1)))).await.unwrap().into_inner();
    let name = made.registration.unwrap().name;
    let get = GetRegistrationRequest {
        name: name.clone(),
        view: RegistrationView::Full.into(),
        management_token: made.management_token.clone(),
    };
    assert!(people.get_registration(get.clone()).await.is_ok());
    assert!(people.get_registration(with(&portal.secret, get)).await.is_ok());
    let cancel = CancelRegistrationRequest {
        name,
        request_id: id(),
        management_token: made.management_token,
        ..Default::default()
    };
    assert!(people.cancel_registration(cancel).await.is_ok());
    let list = || ListRegistrationsRequest { parent: other.clone(), ..Default::default() };
    for _ in 0..70 {
        assert_eq!(no(people.list_registrations(with(&portal.secret, list())).await).reason, "ROLE_NOT_ALLOWED");
    }
    let rows = town.rows(&head, of_key(&portal), 60).await;
    assert!(rows.iter().all(|row| row.method == "ListRegistrations" && row.left_out == 0));
    let theirs = ListAccessEntriesRequest { event: event.clone(), ..Default::default() };
    let rows = town.all_rows(&head, &theirs).await;
    assert!(rows.iter().all(|row| row.registration.is_empty()), "a party's own call leaves a row: {rows:#?}");
    town.h.clock.advance(Span::seconds(60));
    assert!(town.h.registrations.list_registrations(with(&portal.secret, list())).await.is_err());
    let rows = town.rows(&head, of_key(&portal), 61).await;
    assert_eq!((rows[0].left_out, rows[0].centre.clone()), (10, town.centres[1].clone()));
}

pub async fn a_call_that_breaks_off_leaves_a_row(h: House) {
    let mut town = Town::of(h).await;
    let head = town.all_seeing().await;
    let made = town.key(AccessKey { all_centres: true, ..key(Role::Coordinator, &[]) }).await;
    let registration = town.h.joins_by(&made.secret, &town.events[0].clone()).await;
    let held = town.h.hold().await;
    let cancel = || CancelRegistrationRequest { name: registration.clone(), request_id: id(), ..Default::default() };
    let mut late = with(&made.secret, cancel());
    late.set_timeout(Duration::from_millis(300));
    let mut people = town.h.registrations.clone();
    assert!(people.cancel_registration(late).await.is_err());
    let gone = people.cancel_registration(with(&made.secret, cancel()));
    assert!(tokio::time::timeout(Duration::from_millis(300), gone).await.is_err());
    held.let_go().await;
    let rows = town.rows(&head, of_key(&made), 3).await;
    let outcomes: Vec<_> = rows.iter().map(|row| (row.method.as_str(), row.outcome.as_str())).collect();
    let cancelled = "CancelRegistration";
    assert_eq!(outcomes[0], (cancelled, "CANCELLED"));
    // The client may give up a moment before the service does.
    assert!([(cancelled, "DEADLINE_EXCEEDED"), (cancelled, "CANCELLED")].contains(&outcomes[1]), "{outcomes:?}");
}

pub async fn a_registration_that_was_named_under_another_event_is_not_told(h: House) {
    let mut town = Town::of(h).await;
    let head = town.all_seeing().await;
    let made = town.key(AccessKey { all_centres: true, ..key(Role::Coordinator, &[]) }).await;
    let registration = town.h.joins_by(&made.secret, &town.events[1].clone()).await;
    let (_, id) = registration.rsplit_once('/').unwrap();
    let mixed = format!("{}/registrations/{id}", town.events[0]);
    for (name, told) in [(registration.clone(), registration.clone()), (mixed, String::new())] {
        let view = RegistrationView::Full.into();
        let ask = GetRegistrationRequest { name: name.clone(), view, ..Default::default() };
        let _ = town.h.registrations.clone().get_registration(with(&made.secret, ask)).await;
        let (event, _) = name.split_once("/registrations/").unwrap();
        let ask = ListAccessEntriesRequest { event: event.into(), ..of_key(&made) };
        let expected = if told.is_empty() { 1 } else { 2 };
        let rows = town.rows(&head, ask, expected).await;
        assert_eq!((rows[0].method.as_str(), rows[0].registration.as_str()), ("GetRegistration", told.as_str()));
    }
}

pub async fn where_rows_cannot_be_written_nobody_is_let_in_who_would_leave_one(h: House) {
    let mut town = Town::of(h).await;
    let head = town.all_seeing().await;
    let made = town.key(AccessKey { all_centres: true, ..key(Role::Coordinator, &[]) }).await;
    let list = || with(&made.secret, ListRegistrationsRequest { parent: town.events[0].clone(), ..Default::default() });
    let mut people = town.h.registrations.clone();
    town.h.meddle("alter table access_log rename to access_log_away").await;
    let mut let_in = 0;
    let refused = loop {
        match people.list_registrations(list()).await {
            Ok(_) => let_in += 1,
            answer => break no(answer),
        }
        assert!(let_in < 200, "calls go on unseen");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(refused.reason, "STORAGE_UNAVAILABLE");
    // What leaves no row goes on.
    let get = GetEventRequest { name: town.events[0].clone() };
    assert!(town.h.events.clone().get_event(with(&made.secret, get)).await.is_ok());
    town.h.meddle("alter table access_log_away rename to access_log").await;
    let mut tries = 0;
    while people.list_registrations(list()).await.is_err() {
        tries += 1;
        assert!(tries < 100, "it does not come back");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    town.rows(&head, of_key(&made), let_in + 1).await;
}

pub async fn rows_go_page_by_page_newest_first(h: House) {
    let mut town = Town::of(h).await;
    let head = town.all_seeing().await;
    let made = town.key(AccessKey { all_centres: true, ..key(Role::Coordinator, &[]) }).await;
    for size in 1..=5 {
        let list = ListRegistrationsRequest { parent: town.events[0].clone(), page_size: size, ..Default::default() };
        town.h.registrations.list_registrations(with(&made.secret, list)).await.unwrap();
        town.h.clock.advance(Span::seconds(60));
    }
    let sizes = |rows: &[AccessEntry]| rows.iter().map(|row| row.rows_max).collect::<Vec<_>>();
    let all = town.rows(&head, of_key(&made), 5).await;
    assert_eq!(sizes(&all), [5, 4, 3, 2, 1]);
    let page = |page_token: String| ListAccessEntriesRequest { page_size: 2, page_token, ..of_key(&made) };
    let admin = &mut town.h.admin;
    let first = admin.list_access_entries(with(&head, page(String::new()))).await.unwrap().into_inner();
    let second =
        admin.list_access_entries(with(&head, page(first.next_page_token.clone()))).await.unwrap().into_inner();
    assert_eq!((sizes(&first.entries), sizes(&second.entries)), (vec![5, 4], vec![3, 2]));
    let elsewhere = ListAccessEntriesRequest { access_key: String::new(), ..page(first.next_page_token) };
    assert_eq!(no(admin.list_access_entries(with(&head, elsewhere)).await).reason, "PAGE_TOKEN_INVALID");
    let between = ListAccessEntriesRequest { start_time: all[3].time, end_time: all[1].time, ..of_key(&made) };
    assert_eq!(sizes(&town.all_rows(&head, &between).await), [3, 2]);
}

pub async fn when_a_key_was_used_last_is_told_to_the_minute(h: House) {
    let mut town = Town::of(h).await;
    let made = town.key(AccessKey { all_centres: true, ..key(Role::Coordinator, &[]) }).await;
    let name = made.access_key.unwrap().name;
    let administrator = town.administrator.clone();
    let used = async |town: &mut Town| {
        let listed = town.h.admin.list_access_keys(with(&administrator, ListAccessKeysRequest::default())).await;
        let found = listed.unwrap().into_inner().access_keys.into_iter().find(|key| key.name == name);
        found.unwrap().last_used_time
    };
    let wait = async |town: &mut Town, expected: Option<prost_types::Timestamp>| {
        for _ in 0..100 {
            if used(town).await == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{:?} is not {expected:?}", used(town).await);
    };
    assert_eq!(used(&mut town).await, None);
    let get = GetEventRequest { name: town.events[0].clone() };
    let call = async |town: &mut Town| town.h.events.get_event(with(&made.secret, get.clone())).await.unwrap();
    call(&mut town).await;
    let first = now(&town);
    wait(&mut town, Some(first)).await;
    town.h.clock.advance(Span::seconds(59));
    call(&mut town).await;
    tokio::time::sleep(Duration::from_millis(600)).await;
    assert_eq!(used(&mut town).await, Some(first), "written more than once a minute");
    town.h.clock.advance(Span::seconds(1));
    call(&mut town).await;
    let later = now(&town);
    wait(&mut town, Some(later)).await;
}

pub async fn what_names_no_centre_stands_in_those_that_it_touched(h: House) {
    let mut town = Town::of(h).await;
    let all = town.all_seeing().await;
    let coordinator = town.key(AccessKey { all_centres: true, ..key(Role::Coordinator, &[]) }).await;
    let shared = contact();
    for event in town.events.clone() {
        let asked = sign_up(&event, Registration { contact: Some(shared.clone()), ..party(1) });
        town.h.registrations.create_registration(with(&coordinator.secret, asked)).await.unwrap();
    }
    let find = |email: &str| FindRegistrationsRequest { email: email.into(), ..Default::default() };
    let privacy = &mut town.h.privacy;
    let found = privacy.find_registrations(with(&coordinator.secret, find(&shared.email))).await.unwrap();
    assert_eq!(found.into_inner().registrations.len(), 2);
    privacy.find_registrations(with(&coordinator.secret, find("nobody@example.org"))).await.unwrap();
    let rows = town.rows(&all, of_key(&coordinator), 5).await;
    let rows = rows.iter().filter(|row| row.method == "FindRegistrations" && row.outcome == "OK");
    let mut centres: Vec<_> = rows.map(|row| row.centre.clone()).collect();
    centres.sort();
    let mut expected = vec![String::new(), town.centres[0].clone(), town.centres[1].clone()];
    expected.sort();
    assert_eq!(centres, expected);

    // Of whoever reaches one centre it is that one, named or not; and its head sees it.
    let [own, other] = town.centres.clone();
    let head = town.key(key(Role::Head, &[&own])).await;
    let seeing = town.key(AccessKey { all_centres: true, ..key(Role::Head, &[]) }).await;
    let due = |centre: &str| ListDueErasuresRequest { centre: centre.into(), ..Default::default() };
    let erase = |centre: &str| EraseDueRequest { centre: centre.into(), request_id: id() };
    let privacy = &mut town.h.privacy;
    privacy.list_due_erasures(with(&head.secret, due(""))).await.unwrap();
    privacy.erase_due(with(&head.secret, erase(""))).await.unwrap();
    privacy.find_registrations(with(&head.secret, find("nobody@example.org"))).await.unwrap();
    privacy.erase_due(with(&seeing.secret, erase(&own))).await.unwrap();
    privacy.list_due_erasures(with(&seeing.secret, due(&own))).await.unwrap();
    privacy.erase_due(with(&seeing.secret, erase(&other))).await.unwrap();
    for (made, expected) in [(&head, 3), (&seeing, 2)] {
        let ask = ListAccessEntriesRequest { centre: own.clone(), ..of_key(made) };
        let rows = town.rows(&all, ask, expected).await;
        assert!(rows.iter().all(|row| row.centre == own && row.outcome == "OK"), "{rows:#?}");
    }
    assert_eq!(town.all_rows(&head.secret, &of_key(&seeing)).await.len(), 2);
}

pub async fn the_registration_that_was_made_or_found_stands_in_the_row(h: House) {
    let mut town = Town::of(h).await;
    let all = town.all_seeing().await;
    let made = town.key(key(Role::Coordinator, &[&town.centres[0].clone()])).await;
    let event = town.events[0].clone();
    let asked = with(&made.secret, sign_up(&event, party(1)));
    let first = town.h.registrations.create_registration(asked).await.unwrap().into_inner();
    let name = first.registration.unwrap().name;
    let door = "2031-02-20T15:40:00Z".parse::<jiff::Timestamp>().unwrap();
    town.h.clock.move_to(eile::model::time::Timestamp(door.as_microsecond()));
    let scan = |code: &str| CheckInRequest {
        parent: event.clone(),
        check_in_code: code.into(),
        request_id: id(),
        ..Default::default()
    };
    town.h.attendance.check_in(with(&made.secret, scan(&first.check_in_code))).await.unwrap();
    let nobodys = town.h.attendance.check_in(with(&made.secret, scan("0000000000"))).await.unwrap().into_inner();
    assert_eq!(nobodys.registration, "");
    let rows = town.rows(&all, of_key(&made), 3).await;
    let told: Vec<_> = rows.iter().map(|row| (row.method.as_str(), row.registration.as_str())).collect();
    assert_eq!(told, [("CheckIn", ""), ("CheckIn", name.as_str()), ("CreateRegistration", name.as_str())]);
}
