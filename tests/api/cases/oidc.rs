//! People who sign in: what comes of a token is a caller like any, until the token ends or its signer is a key no more.

use crate::house::{House, end_of, no};
use crate::issuer::{Issuer, Signer};
use crate::samples::*;
use eile::api::proto::*;
use eile::model::access::Role as Of;
use eile::model::id::CentreId;
use eile::model::time::Span;
use eile::oidc::{Address, Algorithm, Mapping, Options, Pace, Source, Users};
use serde_json::{Value, json};
use std::sync::Arc;
use std::time::Duration;
use tonic::{Code, Request};

const PAUSE: Duration = Duration::from_millis(300);
const REFRESH: Duration = Duration::from_millis(900);
const KEEP: Duration = Duration::from_secs(5);

/// Two centres with an event each, and an issuer whose people work in the first of them.
struct Town {
    h: House,
    issuer: Issuer,
    signer: Signer,
    events: Vec<String>,
}

fn with<T>(secret: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {secret}").parse().unwrap());
    request
}

fn options(url: &str, centre: &str, source: Source) -> Options {
    let roles = [("desk", Of::Coordinator), ("eyes", Of::Reporting), ("boss", Of::Head)];
    Options {
        issuer: url.to_owned(),
        audience: "eile".into(),
        source,
        algorithms: vec![Algorithm::ES256],
        skew: Span::seconds(0),
        pace: Pace { refresh: REFRESH, keep: KEEP, pause: PAUSE },
        mapping: Mapping {
            role_claim: "roles".into(),
            roles: roles.map(|(value, role)| (value.to_owned(), role)).to_vec(),
            centre_claim: "centres".into(),
            centres: vec![("here".into(), Some(CentreId(centre.trim_start_matches("centres/").into())))],
            event_claim: "events".into(),
        },
    }
}

fn discovered(issuer: &Issuer) -> Source {
    Source::Discovery(issuer.url.clone(), Address::of_issuer(&issuer.url).unwrap())
}

impl Town {
    /// The service of this town asks who calls from now on.
    async fn of(mut h: House) -> Self {
        let (mut centres, mut events) = (Vec::new(), Vec::new());
        for _ in 0..2 {
            let event = h.open_with(5, |_| ()).await;
            let found = h.events.get_event(GetEventRequest { name: event.clone() }).await.unwrap().into_inner();
            centres.push(found.event.unwrap().centre);
            events.push(event);
        }
        let signer = Signer::new("first");
        let issuer = Issuer::open(&[&signer]).await;
        let source = discovered(&issuer);
        let users = Users::open(options(&issuer.url, &centres[0], source), h.desk.keys().clone()).await.unwrap();
        h.let_sign_in(Arc::new(users)).await;
        Self { h, issuer, signer, events }
    }

    fn claims(&self, role: &str) -> Value {
        let seconds = self.h.desk.clock().now().0 / 1_000_000;
        json!({
            "iss": self.issuer.url, "aud": "eile", "sub": "5f0c", "iat": seconds, "exp": seconds + 3_600,
            "roles": [role], "centres": ["here", "there"],
        })
    }

    async fn event(&mut self, token: &str, event: usize) -> String {
        let ask = GetEventRequest { name: self.events[event].clone() };
        match self.h.events.get_event(with(token, ask)).await {
            Ok(_) => "OK".to_owned(),
            answer => no(answer).reason,
        }
    }
}

pub async fn who_signs_in_reaches_what_the_mapping_says(h: House) {
    let mut town = Town::of(h).await;
    let token = town.signer.token(&town.claims("desk"));
    assert_eq!(town.event(&token, 0).await, "OK");
    assert_eq!(town.event(&token, 0).await, "OK", "also where it is known already");
    assert_eq!(town.event(&token, 1).await, "EVENT_NOT_FOUND");
    let listed = town.h.events.list_events(with(&token, ListEventsRequest::default())).await.unwrap().into_inner();
    assert_eq!(listed.events.iter().map(|e| e.name.clone()).collect::<Vec<_>>(), [town.events[0].clone()]);
    let demand = GetDemandRequest::default();
    let figures = town.h.reports.get_demand(with(&token, demand)).await.unwrap().into_inner();
    assert_eq!(figures.basis.unwrap().events, 1, "the one centre that it reaches");

    let asked = sign_up(&town.events[0], party(1));
    let registrations = &mut town.h.registrations;
    let made = registrations.create_registration(with(&token, asked.clone())).await.unwrap().into_inner();
    assert_eq!(registrations.create_registration(with(&token, asked.clone())).await.unwrap().into_inner(), made);
    let twice = CreateRegistrationRequest { request_id: id(), ..asked };
    let refused = no(registrations.create_registration(with(&token, twice)).await);
    assert_eq!(refused.reason, "ALREADY_REGISTERED", "staff vouches");
    let get = GetRegistrationRequest {
        name: made.registration.unwrap().name,
        management_token: made.management_token,
        ..Default::default()
    };
    assert!(registrations.get_registration(get).await.is_ok(), "a family needs nothing but its own token");

    let eyes = town.signer.token(&town.claims("eyes"));
    assert_eq!(town.event(&eyes, 0).await, "ROLE_NOT_ALLOWED");
    for nobody in [town.signer.token(&town.claims("king")), "a.b.c".to_owned(), "..".to_owned(), "x".to_owned()] {
        let ask = GetEventRequest { name: town.events[0].clone() };
        let refused = no(town.h.events.get_event(with(&nobody, ask)).await);
        assert_eq!((refused.reason.as_str(), refused.code), ("KEY_REQUIRED", Code::Unauthenticated));
    }
}

pub async fn what_a_user_reads_stands_in_the_access_log_under_a_name_that_is_nobodys(h: House) {
    let mut town = Town::of(h).await;
    let token = town.signer.token(&town.claims("boss"));
    let read = ListRegistrationsRequest { parent: town.events[0].clone(), ..Default::default() };
    assert!(town.h.registrations.list_registrations(with(&token, read)).await.is_ok());
    let listed = |access_key: &str| {
        let ask = ListAccessEntriesRequest { access_key: access_key.to_owned(), ..Default::default() };
        let (mut admin, token) = (town.h.admin.clone(), token.clone());
        async move { admin.list_access_entries(with(&token, ask)).await }
    };
    let row = loop {
        let found = listed("").await.unwrap().into_inner().entries;
        if let Some(row) = found.into_iter().find(|row| row.method == "ListRegistrations") {
            break row;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(row.access_key.starts_with("users/u") && row.access_key.len() == 22, "{}", row.access_key);
    assert_eq!((row.role(), row.outcome.as_str()), (Role::Head, "OK"));
    let own = listed(&row.access_key).await.unwrap().into_inner().entries;
    assert!(own.contains(&row) && own.iter().all(|other| other.access_key == row.access_key));
    assert!(listed("users/u00000000000000a").await.unwrap().into_inner().entries.is_empty());
    assert_eq!(no(listed("users/5f0c").await).fields, ["access_key"]);
}

pub async fn where_people_sign_in_nobody_is_trusted_who_shows_nothing(h: House) {
    let mut town = Town::of(h).await;
    let ask = GetEventRequest { name: town.events[0].clone() };
    assert_eq!(no(town.h.events.get_event(ask).await).reason, "KEY_REQUIRED");
    let first = AccessKey { display_name: "x".into(), role: Role::Administrator.into(), ..AccessKey::default() };
    let ask = CreateAccessKeyRequest { request_id: id(), access_key: Some(first) };
    assert_eq!(no(town.h.admin.create_access_key(ask.clone()).await).reason, "KEY_REQUIRED");
    let token = town.signer.token(&town.claims("desk"));
    assert_eq!(no(town.h.admin.create_access_key(with(&token, ask)).await).reason, "ROLE_NOT_ALLOWED");
}

pub async fn a_stream_ends_with_the_token_that_it_was_opened_by(h: House) {
    let mut town = Town::of(h).await;
    let token = town.signer.token(&town.claims("desk"));
    let watch = WatchEventRequest { name: town.events[0].clone() };
    let mut stream = town.h.registrations.watch_event(with(&token, watch)).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().is_some());
    let most = Duration::from_secs(5);
    assert!(tokio::time::timeout(most, end_of(&mut stream, |_| {})).await.is_err(), "it ended too early");
    town.h.clock.advance(Span::seconds(3_600));
    let end = tokio::time::timeout(most, end_of(&mut stream, |_| {})).await.expect("it goes on");
    assert_eq!((end.reason.as_str(), end.code), ("KEY_REQUIRED", Code::Unauthenticated));
    assert_eq!(town.event(&token, 0).await, "KEY_REQUIRED");
}

pub async fn keys_are_rotated_while_the_service_runs(h: House) {
    let mut town = Town::of(h).await;
    let claims = town.claims("desk");
    let (old, second) = (town.signer.token(&claims), Signer::new("second"));
    let new = second.token(&claims);
    assert_eq!((town.event(&old, 0).await, town.event(&new, 0).await), ("OK".into(), "KEY_REQUIRED".into()));
    let watch = WatchEventRequest { name: town.events[0].clone() };
    let mut stream = town.h.registrations.watch_event(with(&old, watch)).await.unwrap().into_inner();
    town.issuer.has(&[&town.signer, &second]);
    tokio::time::sleep(PAUSE).await;
    assert_eq!(town.event(&new, 0).await, "OK", "a key that shows up is asked for at once");
    assert_eq!(town.event(&old, 0).await, "OK");
    town.issuer.has(&[&second]);
    tokio::time::sleep(REFRESH).await;
    assert_eq!(town.event(&old, 0).await, "KEY_REQUIRED", "a key that has left the set lets nobody in");
    assert_eq!(town.event(&new, 0).await, "OK");
    let ended = tokio::time::timeout(Duration::from_secs(5), end_of(&mut stream, |_| {})).await;
    assert_eq!(ended.expect("a stream goes on by a key that was withdrawn").reason, "KEY_REQUIRED");
}

pub async fn kids_that_nobody_knows_do_not_hammer_the_issuer(h: House) {
    let mut town = Town::of(h).await;
    let claims = town.claims("desk");
    let good = town.signer.token(&claims);
    assert_eq!(town.event(&good, 0).await, "OK");
    let (before, begun) = (town.issuer.asked(), std::time::Instant::now());
    for kid in 0..60 {
        let forged = Signer::new(&format!("kid {kid}")).token(&claims);
        assert_eq!(town.event(&forged, 0).await, "KEY_REQUIRED");
    }
    let pauses = begun.elapsed().as_millis() / PAUSE.as_millis() + 1;
    let asked = town.issuer.asked() - before;
    assert!(asked as u128 <= pauses, "asked {asked} times in {pauses} pauses");
    assert_eq!(town.event(&good, 0).await, "OK");
}

pub async fn an_issuer_that_is_down_is_no_fault_of_the_callers(h: House) {
    let mut town = Town::of(h).await;
    let token = town.signer.token(&town.claims("desk"));
    assert_eq!(town.event(&token, 0).await, "OK");
    let sound = town.issuer.asked();
    for nonsense in [
        Vec::new(),
        b"HTTP/1.1 500 Sorry\r\ncontent-length: 0\r\n\r\n".to_vec(),
        b"HTTP/1.1 302 Found\r\nlocation: /keys\r\ncontent-length: 11\r\n\r\n{\"keys\":[]}".to_vec(),
        b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nkeys".to_vec(),
        [b"HTTP/1.1 200 OK\r\n\r\n{\"keys\":[".to_vec(), vec![b' '; 300 << 10], b"]}".to_vec()].concat(),
    ] {
        town.issuer.answers_keys(nonsense);
        tokio::time::sleep(PAUSE).await;
        assert_eq!(town.event(&token, 0).await, "OK", "what was known goes on for a while");
    }
    tokio::time::sleep(KEEP).await;
    let ask = GetEventRequest { name: town.events[0].clone() };
    let refused = no(town.h.events.get_event(with(&token, ask)).await);
    assert_eq!((refused.reason.as_str(), refused.code), ("ISSUER_UNAVAILABLE", Code::Unavailable));
    assert!(town.issuer.asked() > sound);
    assert_eq!(town.event("a.b.c", 0).await, "KEY_REQUIRED");
    assert_eq!(town.event("eile_0000000000000000_x", 0).await, "KEY_REQUIRED", "keys are another matter");
    town.issuer.has(&[&town.signer]);
    tokio::time::sleep(PAUSE).await;
    assert_eq!(town.event(&token, 0).await, "OK", "it is back");
}

pub async fn the_page_of_another_issuer_is_not_believed(h: House) {
    let (signer, keys) = (Signer::new("first"), h.desk.keys().clone());
    let issuer = Issuer::open(&[&signer]).await;
    let now = h.desk.clock().now();
    let shown = async || {
        let users = Users::open(options(&issuer.url, "centres/x", discovered(&issuer)), keys.clone()).await.unwrap();
        let seconds = now.0 / 1_000_000;
        let claims = json!({
            "iss": issuer.url, "aud": "eile", "sub": "5f0c", "exp": seconds + 60, "roles": "desk", "centres": "here",
        });
        users.shown(&signer.token(&claims), now).await.is_ok()
    };
    assert!(shown().await);
    let of = |name: &str, at: &str| json!({"issuer": name, "jwks_uri": at});
    let at = format!("{}/keys", issuer.url);
    for page in [
        of("https://login.example.org", &at),
        of(&format!("{}/", issuer.url), &at),
        of(&issuer.url, "http://192.0.2.1/keys"),
        of(&issuer.url, "/keys"),
        json!({"issuer": issuer.url}),
    ] {
        issuer.has_page(&page);
        assert!(!shown().await, "{page}");
    }
}
