//! Access keys: who is let in, to what, and for how long.

use crate::house::{House, No, no};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::time::Span;
use tonic::{Code, Request};

/// The request with the secret of a key.
pub fn with<T>(secret: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {secret}").parse().unwrap());
    request
}

pub fn key(role: Role, centres: &[&str]) -> AccessKey {
    AccessKey {
        display_name: format!("{role:?}"),
        role: role.into(),
        centres: centres.iter().map(|name| (*name).to_owned()).collect(),
        ..AccessKey::default()
    }
}

/// Two centres with an event each, and then the administrator's key, with which the door is shut.
pub struct Town {
    pub h: House,
    pub administrator: String,
    pub centres: [String; 2],
    pub events: [String; 2],
}

impl Town {
    pub async fn of(mut h: House) -> Self {
        let mut centres = Vec::new();
        let mut events = Vec::new();
        for _ in 0..2 {
            let event = h.open_with(5, |_| ()).await;
            let found = h.events.get_event(GetEventRequest { name: event.clone() }).await.unwrap().into_inner();
            centres.push(found.event.unwrap().centre);
            events.push(event);
        }
        let ask = CreateAccessKeyRequest { request_id: id(), access_key: Some(key(Role::Administrator, &[])) };
        let made = h.admin.create_access_key(ask).await.unwrap().into_inner();
        Self { h, administrator: made.secret, centres: centres.try_into().unwrap(), events: events.try_into().unwrap() }
    }

    pub async fn key(&mut self, key: AccessKey) -> CreateAccessKeyResponse {
        let ask = CreateAccessKeyRequest { request_id: id(), access_key: Some(key) };
        self.h.admin.create_access_key(with(&self.administrator, ask)).await.unwrap().into_inner()
    }

    async fn event(&mut self, secret: &str, event: usize) -> Result<(), No> {
        let ask = GetEventRequest { name: self.events[event].clone() };
        match self.h.events.get_event(with(secret, ask)).await {
            Ok(_) => Ok(()),
            answer => Err(no(answer)),
        }
    }
}

pub async fn the_first_key_is_an_administrators_and_shuts_the_door(mut h: House) {
    let ask = |key| CreateAccessKeyRequest { request_id: id(), access_key: Some(key) };
    let event = h.open_with(5, |_| ()).await;
    let refused = no(h.admin.create_access_key(ask(key(Role::Portal, &["centres/elk"]))).await);
    assert_eq!((refused.reason.as_str(), refused.code), ("FIRST_KEY_ADMINISTRATOR", Code::FailedPrecondition));
    let made = h.admin.create_access_key(ask(key(Role::Administrator, &[]))).await.unwrap().into_inner();
    assert!(made.secret.starts_with("eile_") && made.secret.len() == 65);
    let get = || GetEventRequest { name: event.clone() };
    for secret in ["", "eile_0000000000000000_0000000000000000000000000000000000000000000"] {
        let request = if secret.is_empty() { Request::new(get()) } else { with(secret, get()) };
        let refused = no(h.events.get_event(request).await);
        assert_eq!((refused.reason.as_str(), refused.code), ("KEY_REQUIRED", Code::Unauthenticated));
    }
    let mut twice = with(&made.secret, ListAccessKeysRequest::default());
    twice.metadata_mut().append("authorization", format!("Bearer {}", made.secret).parse().unwrap());
    assert_eq!(no(h.admin.list_access_keys(twice).await).reason, "KEY_REQUIRED");
    let listed = h.admin.list_access_keys(with(&made.secret, ListAccessKeysRequest::default())).await.unwrap();
    let [listed] = listed.into_inner().access_keys.try_into().unwrap();
    assert_eq!(AccessKey { last_used_time: None, ..listed }, made.access_key.unwrap());
}

pub async fn a_role_may_do_what_its_row_says_and_hears_so_before_anything_else(h: House) {
    let mut town = Town::of(h).await;
    let administrator = town.administrator.clone();
    let refused = town.event(&administrator, 0).await.unwrap_err();
    assert_eq!((refused.reason.as_str(), refused.code), ("ROLE_NOT_ALLOWED", Code::PermissionDenied));
    assert_eq!(refused.metadata["method"], "GetEvent");
    let made = town.key(key(Role::Reporting, &[&town.centres[0].clone()])).await;
    let malformed = ListRegistrationsRequest { parent: "nonsense".into(), page_size: -1, ..Default::default() };
    let refused = no(town.h.registrations.list_registrations(with(&made.secret, malformed)).await);
    assert_eq!(refused.reason, "ROLE_NOT_ALLOWED");
}

pub async fn what_a_key_does_not_reach_is_as_if_it_were_not_there(h: House) {
    let mut town = Town::of(h).await;
    let own = town.centres[0].clone();
    let made = town.key(key(Role::Coordinator, &[&own])).await;
    assert!(town.event(&made.secret, 0).await.is_ok());
    let others = town.event(&made.secret, 1).await.unwrap_err();
    let absent = std::mem::replace(&mut town.events[1], format!("events/{}", uuid::Uuid::new_v4()));
    let nobodys = town.event(&made.secret, 1).await.unwrap_err();
    let unnamed = |no: &No, name: &str| String::from_utf8_lossy(no.status.details()).replace(name, "");
    let plain = |no: &No, name: &str| no.status.message().replace(name, "");
    assert_eq!((others.code, others.reason.as_str()), (Code::NotFound, "EVENT_NOT_FOUND"));
    assert_eq!(plain(&others, &absent), plain(&nobodys, &town.events[1]));
    assert_eq!(unnamed(&others, &absent), unnamed(&nobodys, &town.events[1]));

    let listed =
        town.h.events.list_events(with(&made.secret, ListEventsRequest::default())).await.unwrap().into_inner();
    assert_eq!(listed.events.iter().map(|e| e.name.clone()).collect::<Vec<_>>(), [town.events[0].clone()]);
    let elsewhere = CreateEventRequest {
        request_id: id(),
        event: Some(Event { centre: town.centres[1].clone(), ..Event::default() }),
        ..Default::default()
    };
    let refused = no(town.h.events.create_event(with(&made.secret, elsewhere)).await);
    assert_eq!(refused.reason, "CENTRE_NOT_FOUND");
}

pub async fn figures_are_of_the_centres_of_the_key(h: House) {
    let mut town = Town::of(h).await;
    let [own, other] = town.centres.clone();
    let one = town.key(key(Role::Head, &[&own])).await.secret;
    let both = town.key(key(Role::Head, &[&own, &other])).await.secret;
    let of = |centre: &str| GetDemandRequest {
        scope: Some(ReportScope { centre: centre.to_owned(), ..ReportScope::default() }),
        ..GetDemandRequest::default()
    };
    let events = |answer: GetDemandResponse| answer.basis.unwrap().events;
    let reports = &mut town.h.reports;
    assert_eq!(events(reports.get_demand(with(&one, of(""))).await.unwrap().into_inner()), 1);
    assert_eq!(no(reports.get_demand(with(&one, of(&other))).await).reason, "CENTRE_NOT_FOUND");
    assert_eq!(no(reports.get_demand(with(&both, of(""))).await).reason, "CENTRE_REQUIRED");
    assert_eq!(events(reports.get_demand(with(&both, of(&other))).await.unwrap().into_inner()), 1);
    let query = ReportQuery { query: Some(report_query::Query::Demand(of(""))) };
    let report = Report { title: "Quarter".into(), query: Some(query), ..Report::default() };
    let ask = CreateReportRequest { request_id: id(), report: Some(report) };
    let stored = reports.create_report(with(&one, ask)).await.unwrap().into_inner().report.unwrap();
    let get = || GetReportRequest { name: stored.name.clone() };
    assert!(reports.get_report(with(&one, get())).await.is_ok());
    let elsewhere = town.key(key(Role::Head, &[&other])).await.secret;
    assert_eq!(no(town.h.reports.get_report(with(&elsewhere, get())).await).reason, "REPORT_NOT_FOUND");
    let listed = town.h.reports.list_reports(with(&elsewhere, ListReportsRequest::default())).await.unwrap();
    assert!(listed.into_inner().reports.is_empty());
}

pub async fn a_leader_reaches_its_events_alone(h: House) {
    let mut town = Town::of(h).await;
    let leads = AccessKey { events: vec![town.events[0].clone()], all_centres: true, ..key(Role::Leader, &[]) };
    let secret = town.key(leads).await.secret;
    assert!(town.event(&secret, 0).await.is_ok());
    assert_eq!(town.event(&secret, 1).await.unwrap_err().reason, "EVENT_NOT_FOUND");
}

pub async fn a_key_lets_in_until_it_expires_is_rotated_or_revoked(h: House) {
    let mut town = Town::of(h).await;
    let own = town.centres[0].clone();
    let seconds = town.h.desk.clock().now().0 / 1_000_000 + 3600;
    let expires = AccessKey {
        expire_time: Some(prost_types::Timestamp { seconds, nanos: 0 }),
        ..key(Role::Coordinator, &[&own])
    };
    let made = town.key(expires).await;
    let name = made.access_key.unwrap().name;
    let rotate = RotateAccessKeyRequest {
        request_id: id(),
        name: name.clone(),
        old_secret_ttl: Some(prost_types::Duration { seconds: 600, nanos: 0 }),
    };
    let administrator = town.administrator.clone();
    let rotated = town.h.admin.rotate_access_key(with(&administrator, rotate.clone())).await.unwrap().into_inner();
    assert_ne!(rotated.secret, made.secret);
    let again = town.h.admin.rotate_access_key(with(&administrator, rotate)).await.unwrap().into_inner();
    assert_eq!(again, rotated, "a repetition gets the same secret");
    assert!(town.event(&made.secret, 0).await.is_ok() && town.event(&rotated.secret, 0).await.is_ok());
    town.h.clock.advance(Span::seconds(600));
    assert_eq!(town.event(&made.secret, 0).await.unwrap_err().reason, "KEY_REQUIRED");
    assert!(town.event(&rotated.secret, 0).await.is_ok());
    town.h.clock.advance(Span::seconds(3000));
    assert_eq!(town.event(&rotated.secret, 0).await.unwrap_err().reason, "KEY_REQUIRED");

    let made = town.key(key(Role::Coordinator, &[&own])).await;
    let watch = WatchEventRequest { name: town.events[0].clone() };
    let stream = town.h.registrations.watch_event(with(&made.secret, watch)).await.unwrap();
    let name = made.access_key.unwrap().name;
    let revoke = RevokeAccessKeyRequest { request_id: id(), name: name.clone() };
    let revoked = town.h.admin.revoke_access_key(with(&administrator, revoke)).await.unwrap().into_inner();
    assert!(revoked.access_key.unwrap().revoke_time.is_some());
    assert_eq!(town.event(&made.secret, 0).await.unwrap_err().reason, "KEY_REQUIRED");
    let mut stream = stream.into_inner();
    let end = crate::house::end_of(&mut stream, |_| {});
    let end = tokio::time::timeout(std::time::Duration::from_secs(5), end).await.expect("the stream goes on");
    assert_eq!(end.reason, "KEY_REQUIRED");
    let rotate = RotateAccessKeyRequest { request_id: id(), name, old_secret_ttl: None };
    assert_eq!(no(town.h.admin.rotate_access_key(with(&administrator, rotate)).await).reason, "ACCESS_KEY_REVOKED");
}

pub async fn a_family_needs_no_key_but_its_token(h: House) {
    let mut town = Town::of(h).await;
    let portal = town.key(key(Role::Portal, &[&town.centres[0].clone()])).await.secret;
    let signed = sign_up(&town.events[0], party(1));
    let made = town.h.registrations.create_registration(with(&portal, signed)).await.unwrap().into_inner();
    let name = made.registration.unwrap().name;
    let get = |token: &str| GetRegistrationRequest {
        name: name.clone(),
        management_token: token.to_owned(),
        ..Default::default()
    };
    let registrations = &mut town.h.registrations;
    assert!(registrations.get_registration(get(&made.management_token)).await.is_ok());
    assert_eq!(no(registrations.get_registration(get("")).await).reason, "KEY_REQUIRED");
    assert_eq!(no(registrations.get_registration(with(&portal, get(""))).await).reason, "TOKEN_INVALID");
    for wrong in ["x", &made.management_token[1..]] {
        assert_eq!(no(registrations.get_registration(get(wrong)).await).reason, "TOKEN_INVALID");
        assert_eq!(no(registrations.get_registration(with(&portal, get(wrong))).await).reason, "TOKEN_INVALID");
        let absent = GetRegistrationRequest {
            name: format!("{}/registrations/0000002a-0000-8000-8000-000000000000", town.events[0]),
            ..get(wrong)
        };
        assert_eq!(no(registrations.get_registration(absent).await).reason, "TOKEN_INVALID");
    }
    let cancel = CancelRegistrationRequest {
        name: name.clone(),
        request_id: id(),
        management_token: made.management_token.clone(),
        ..Default::default()
    };
    assert!(registrations.cancel_registration(cancel).await.is_ok());
    let get_event = GetEventRequest { name: town.events[0].clone() };
    assert_eq!(no(town.h.events.get_event(get_event).await).reason, "KEY_REQUIRED");
}

pub async fn a_portal_that_vouches_is_told_of_a_duplicate_and_no_other_is(h: House) {
    let mut town = Town::of(h).await;
    let own = town.centres[0].clone();
    let public = town.key(key(Role::Portal, &[&own])).await.secret;
    let vouching = town.key(AccessKey { vouching: true, ..key(Role::Portal, &[&own]) }).await.secret;
    let signed = |like: &CreateRegistrationRequest| CreateRegistrationRequest { request_id: id(), ..like.clone() };
    let first = sign_up(&town.events[0], party(1));
    let registrations = &mut town.h.registrations;
    assert!(registrations.create_registration(with(&public, signed(&first))).await.is_ok());
    assert!(registrations.create_registration(with(&public, signed(&first))).await.is_ok());
    let refused = no(registrations.create_registration(with(&vouching, signed(&first))).await);
    assert_eq!(refused.reason, "ALREADY_REGISTERED");
    // It may always say that it does not vouch this time.
    let mut lowered = with(&vouching, signed(&first));
    lowered.metadata_mut().insert("eile-vouches", "no".parse().unwrap());
    assert!(registrations.create_registration(lowered).await.is_ok());
}

pub async fn a_vouching_portal_moves_nobody_to_where_it_is_already(h: House) {
    let mut town = Town::of(h).await;
    let centres = town.centres.clone();
    let vouching = AccessKey { vouching: true, ..key(Role::Portal, &[&centres[0], &centres[1]]) };
    let vouching = town.key(vouching).await.secret;
    let asks = town.events.clone().map(|event| sign_up(&event, party(1)));
    let registrations = &mut town.h.registrations;
    let there = Registration { contact: asks[0].registration.clone().unwrap().contact, ..party(1) };
    let there = sign_up(&town.events[1], there);
    registrations.create_registration(with(&vouching, there)).await.unwrap();
    let made = registrations.create_registration(with(&vouching, asks[0].clone())).await.unwrap().into_inner();
    let transfer = TransferRegistrationRequest {
        name: made.registration.unwrap().name,
        management_token: made.management_token,
        target_event: town.events[1].clone(),
        request_id: id(),
        ..Default::default()
    };
    let refused = no(registrations.transfer_registration(with(&vouching, transfer)).await);
    assert_eq!(refused.reason, "ALREADY_REGISTERED", "it would lose its place");
}

pub async fn a_key_beside_a_token_takes_nothing_away(h: House) {
    let mut town = Town::of(h).await;
    let [here, there] = town.centres.clone();
    let portal = town.key(key(Role::Portal, &[&here])).await.secret;
    let elsewhere = town.key(key(Role::Coordinator, &[&there])).await.secret;
    let reporting = town.key(key(Role::Reporting, &[&here])).await.secret;
    let ask = sign_up(&town.events[0], party(1));
    let made = town.h.registrations.create_registration(with(&portal, ask)).await.unwrap().into_inner();
    let name = made.registration.unwrap().name;
    let heard = [
        (&portal, ["TOKEN_INVALID", "ROLE_NOT_ALLOWED"]),
        (&elsewhere, ["EVENT_NOT_FOUND", "EVENT_NOT_FOUND"]),
        (&reporting, ["ROLE_NOT_ALLOWED", "ROLE_NOT_ALLOWED"]),
    ];
    for (secret, alone) in &heard {
        for (management_token, allowed) in [(made.management_token.clone(), true), ("x".repeat(43), false)] {
            let get = GetRegistrationRequest {
                name: name.clone(),
                management_token: management_token.clone(),
                view: RegistrationView::Full.into(),
            };
            let seen = town.h.registrations.get_registration(with(secret, get)).await;
            let export = ExportRegistrationRequest { name: name.clone(), management_token, ..Default::default() };
            let exported = town.h.privacy.export_registration(with(secret, export)).await;
            assert_eq!((seen.is_ok(), exported.is_ok()), (allowed, allowed), "{seen:?} {exported:?}");
            if !allowed {
                // A token that is not the party's changes nothing of what the key hears, nor that it is written down.
                assert_eq!([no(seen).reason, no(exported).reason], *alone);
            }
        }
        let without = ExportRegistrationRequest { name: name.clone(), ..Default::default() };
        assert!(town.h.privacy.export_registration(with(secret, without)).await.is_err());
    }
}

pub async fn what_is_asked_of_a_key_is_told_at_once(h: House) {
    let mut town = Town::of(h).await;
    let administrator = town.administrator.clone();
    let refused = |key: AccessKey| {
        let (mut admin, administrator) = (town.h.admin.clone(), administrator.clone());
        async move {
            let ask = CreateAccessKeyRequest { request_id: id(), access_key: Some(key) };
            no(admin.create_access_key(with(&administrator, ask)).await)
        }
    };
    let bad = AccessKey { vouching: true, centres: vec!["elk".into()], ..key(Role::Leader, &[]) };
    let bad = AccessKey { display_name: String::new(), ..bad };
    let fields = refused(bad).await.fields;
    let expected = ["display_name", "centres[0]", "events", "vouching"].map(|f| format!("access_key.{f}"));
    assert!(expected.iter().all(|field| fields.contains(field)), "{fields:?}");
    assert_eq!(refused(key(Role::Portal, &["centres/nowhere"])).await.reason, "CENTRE_NOT_FOUND");
    assert_eq!(refused(key(Role::Unspecified, &["centres/elk"])).await.fields, ["access_key.role"]);
    let absent = RevokeAccessKeyRequest { request_id: id(), name: "accessKeys/0000000000000000".into() };
    let answer = town.h.admin.revoke_access_key(with(&administrator, absent)).await;
    assert_eq!(no(answer).reason, "ACCESS_KEY_NOT_FOUND");
}

impl House {
    /// Signs a party up by a key; the registration's name.
    pub async fn joins_by(&mut self, secret: &str, event: &str) -> String {
        let made = self.registrations.create_registration(with(secret, sign_up(event, party(1)))).await.unwrap();
        made.into_inner().registration.unwrap().name
    }
}

/// Any message as the bytes of its first field, which need not be text.
#[derive(Clone, PartialEq, prost::Message)]
struct Raw {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
}

pub async fn whoever_would_not_be_let_in_hears_nothing_of_a_message_that_cannot_be_read(h: House) {
    let mut town = Town::of(h).await;
    let centre = town.centres[0].clone();
    let mut keys = vec![String::new(), "nonsense".into(), town.administrator.clone()];
    for role in [Role::Portal, Role::Reporting, Role::Coordinator] {
        keys.push(town.key(key(role, &[&centre])).await.secret);
    }
    let mut grpc = tonic::client::Grpc::new(town.h.channel.clone());
    let mut heard = Vec::new();
    for (path, size) in [
        ("EventService/CancelEvent", 3),
        ("EventService/CancelEvent", 2 << 20),
        ("RegistrationService/GetRegistration", 3),
    ] {
        for secret in &keys {
            let message = Raw { name: vec![0xff; size] };
            let request = if secret.is_empty() { Request::new(message) } else { with(secret, message) };
            let path = http::uri::PathAndQuery::try_from(format!("/eile.v1.{path}")).unwrap();
            grpc.ready().await.unwrap();
            let codec = tonic_prost::ProstCodec::<Raw, Raw>::default();
            heard.push(crate::house::no_of(grpc.unary(request, path, codec).await.unwrap_err()).reason);
        }
    }
    let (nobody, other) = ("KEY_REQUIRED", "ROLE_NOT_ALLOWED");
    let to_office = [nobody, nobody, other, other, other];
    let expected = [&to_office[..], &["MALFORMED_MESSAGE"], &to_office, &["MESSAGE_TOO_LARGE"]].concat();
    // A family's token would stand in the message.
    let to_many = [nobody, nobody, other, "MALFORMED_MESSAGE", other, "MALFORMED_MESSAGE"];
    assert_eq!(heard, [&expected[..], &to_many].concat());
}
