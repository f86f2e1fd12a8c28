//! Whatever bytes come, no rpc panics and none answers INTERNAL or UNKNOWN: messages are made from the descriptors, sound in
//! part, damaged in part, and sent to a server in this process. The seed is fixed; `EILE_TEST_FUZZ_CASES` says
//! how many, `EILE_TEST_FUZZ_SEED` which.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod bytes;
mod decoders;
mod messages;

use bytes::Rng;
use eile::api::proto::*;
use eile::api::server::{self, Listening, Running, ServerOptions};
use eile::api::{Api, FILE_DESCRIPTOR_SET, WatchOptions};
use eile::clock::ManualClock;
use eile::desk::{Desk, DeskOptions};
use eile::keys::Keys;
use eile::model::time::Timestamp;
use eile::storage::Options;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use messages::Maker;
use prometheus_client::registry::Registry;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MethodDescriptor, Value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// 10 January 2031.
const START: Timestamp = Timestamp(1_925_798_400_000_000);
/// Tasks that send at once.
const SENDERS: u64 = 8;

/// What a caller is told, in numbers of gRPC.
const OK: u32 = 0;
const UNKNOWN: u32 = 2;
const INTERNAL: u32 = 13;

struct Place {
    server: Running,
    methods: Vec<MethodDescriptor>,
    names: Arc<messages::Names>,
    /// What was sent while it was furnished.
    sound: BTreeMap<String, Vec<Vec<u8>>>,
    /// Of a head of all centres, and of an administrator.
    secrets: [String; 2],
    desk: Desk,
    _folder: tempfile::TempDir,
}

impl Place {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("eile.db").display());
        let store = eile::storage::open(&url, Options::default()).await.unwrap();
        let keys = Keys::new(store.secret().await.unwrap());
        let desk = Desk::open(store, Arc::new(ManualClock::at(START)), keys, DeskOptions::default());
        let drain = CancellationToken::new();
        let routes = Api::new(desk.clone(), WatchOptions::default(), drain.clone()).routes();
        let listening = Listening { tcp: TcpListener::bind("127.0.0.1:0").await.unwrap(), tls: None };
        let options = ServerOptions::default();
        let registry = &mut Registry::default();
        let server = server::start(listening, routes, FILE_DESCRIPTOR_SET, &options, registry, drain).await.unwrap();
        let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
        let own = pool.services().filter(|service| service.package_name() == "eile.v1");
        let methods: Vec<_> = own.flat_map(|service| service.methods().collect::<Vec<_>>()).collect();
        let mut place = Self {
            server,
            methods,
            names: Arc::default(),
            sound: BTreeMap::new(),
            secrets: Default::default(),
            desk,
            _folder: folder,
        };
        place.furnish().await;
        place
    }

    async fn done<A: Message + Default>(&mut self, name: &str, message: impl Message) -> A {
        let method = self.methods.iter().find(|method| method.name() == name).unwrap();
        self.sound.entry(name.to_owned()).or_default().push(message.encode_to_vec());
        let mut line = self.line().await;
        let (code, told) = call(&mut line, method, &self.secrets[1], message.encode_to_vec()).await;
        assert_eq!(code, OK, "{name}");
        A::decode(&told[5..]).unwrap()
    }

    /// Something that exists, so that calls go further than to what is not there.
    async fn furnish(&mut self) {
        let request_id = || Uuid::new_v4().to_string();
        let words = |text: &str| vec![LocalizedText { language: "lt".into(), text: text.into() }];
        let centre = Centre { display_names: words("Centras"), municipality_code: "42".into(), ..Default::default() };
        let ask = CreateCentreRequest { centre: Some(centre), request_id: request_id(), ..Default::default() };
        let centre = self.done::<CreateCentreResponse>("CreateCentre", ask).await.centre.unwrap().name;
        let programme = Programme { titles: words("Programa"), kind: EventKind::Course.into(), ..Default::default() };
        let ask = CreateProgrammeRequest { programme: Some(programme), request_id: request_id(), ..Default::default() };
        let programme = self.done::<CreateProgrammeResponse>("CreateProgramme", ask).await.programme.unwrap().name;
        let session = Session {
            start_local: "2031-02-20T17:30".into(),
            end_local: "2031-02-20T19:00".into(),
            ..Default::default()
        };
        let event = Event {
            centre: centre.clone(),
            titles: words("Mokymai"),
            kind: EventKind::Course.into(),
            sessions: vec![session],
            seat_pools: vec![SeatPool { pool_id: "main".into(), capacity: Some(3), ..Default::default() }],
            ..Default::default()
        };
        let ask = CreateEventRequest { event: Some(event), request_id: request_id(), ..Default::default() };
        let event = self.done::<CreateEventResponse>("CreateEvent", ask).await.event.unwrap();
        let ask = PublishEventRequest { name: event.name.clone(), request_id: request_id(), ..Default::default() };
        self.done::<PublishEventResponse>("PublishEvent", ask).await;
        let mut names = messages::Names {
            centre,
            programme,
            session: event.sessions[0].session_id.clone(),
            event: event.name,
            ..Default::default()
        };
        for n in 0..6 {
            let contact =
                Contact { display_name: "Vardenė".into(), email: format!("f{n}@example.org"), ..Default::default() };
            let party = Registration { contact: Some(contact), members: vec![Member::default()], ..Default::default() };
            let ask = CreateRegistrationRequest {
                parent: names.event.clone(),
                registration: Some(party),
                request_id: request_id(),
                ..Default::default()
            };
            let made: CreateRegistrationResponse = self.done("CreateRegistration", ask).await;
            let name = made.registration.unwrap().name;
            let ask = GetRegistrationRequest {
                name: name.clone(),
                view: RegistrationView::Full.into(),
                ..Default::default()
            };
            let seen: GetRegistrationResponse = self.done("GetRegistration", ask).await;
            names.persons.extend(seen.registration.unwrap().members.into_iter().map(|member| member.person));
            names.registrations.push((name, made.management_token));
        }
        let ask = |role: Role| {
            let all_centres = role != Role::Administrator;
            let key = AccessKey { display_name: "x".into(), role: role.into(), all_centres, ..Default::default() };
            CreateAccessKeyRequest { access_key: Some(key), request_id: request_id() }
        };
        let administrator: CreateAccessKeyResponse = self.done("CreateAccessKey", ask(Role::Administrator)).await;
        self.secrets[1] = administrator.secret;
        let head: CreateAccessKeyResponse = self.done("CreateAccessKey", ask(Role::Head)).await;
        self.secrets[0] = head.secret;
        let portal: CreateAccessKeyResponse = self.done("CreateAccessKey", ask(Role::Portal)).await;
        names.key = portal.access_key.unwrap().name;
        self.names = Arc::new(names);
    }

    /// A connection.
    async fn line(&self) -> SendRequest<Full<Bytes>> {
        let socket = TcpStream::connect(self.server.address()).await.unwrap();
        socket.set_nodelay(true).unwrap();
        let (line, connection) = handshake(TokioExecutor::new(), TokioIo::new(socket)).await.unwrap();
        tokio::spawn(connection);
        line
    }
}

/// The code that a call ends with, and the first piece of its answer. A stream is left after its beginning.
async fn call(
    line: &mut SendRequest<Full<Bytes>>,
    method: &MethodDescriptor,
    secret: &str,
    message: Vec<u8>,
) -> (u32, Vec<u8>) {
    let mut body = vec![0];
    body.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    body.extend(message);
    let path = format!("http://eile/{}/{}", method.parent_service().full_name(), method.name());
    let mut request = hyper::Request::post(path).header("content-type", "application/grpc").header("te", "trailers");
    if !secret.is_empty() {
        request = request.header("authorization", format!("Bearer {secret}"));
    }
    let request = request.body(Full::new(Bytes::from(body))).unwrap();
    line.ready().await.unwrap();
    let answer: hyper::Response<Incoming> = line.send_request(request).await.unwrap();
    let code = |headers: &hyper::HeaderMap| headers.get("grpc-status").map(|v| v.to_str().unwrap().parse().unwrap());
    if let Some(code) = code(answer.headers()) {
        return (code, Vec::new());
    }
    let mut body = answer.into_body();
    if method.is_server_streaming() {
        return (OK, Vec::new());
    }
    let (mut told, mut end) = (Vec::new(), None);
    while let Some(frame) = body.frame().await {
        match frame.unwrap().into_data() {
            Ok(data) => told.extend(data),
            Err(frame) => end = frame.trailers_ref().and_then(code),
        }
    }
    (end.expect("the call has no end"), told)
}

/// Cases of one sender: what was told how often, and what never may be.
#[derive(Default)]
struct Told {
    codes: BTreeMap<u32, u64>,
    answered: BTreeMap<String, u64>,
    wrong: Vec<String>,
}

async fn send(place: Arc<Place>, seed: u64, cases: u64) -> Told {
    let mut told = Told::default();
    let mut maker = Maker::new(Rng::new(seed), Arc::clone(&place.names));
    let mut line = place.line().await;
    for case in 0..cases {
        let method = maker.rng.pick(&place.methods).clone();
        let mut message = maker.message(&method.input(), 0);
        if let Some(sound) = place.sound.get(method.name()).filter(|_| !maker.rng.one_in(3)) {
            let sound = maker.rng.pick(sound).clone();
            let made = std::mem::replace(&mut message, DynamicMessage::decode(method.input(), &*sound).unwrap());
            maker.mix(&mut message, &made);
        }
        let mut body = message.encode_to_vec();
        if maker.rng.one_in(3) {
            bytes::damage(&mut maker.rng, &mut body);
        }
        let sent = body.clone();
        let is_for_administrators = method.name().ends_with("AccessKey") || method.name().starts_with("Create");
        let secret = match maker.rng.below(10) {
            0 => "",
            1 => &place.secrets[usize::from(!is_for_administrators)],
            _ => &place.secrets[usize::from(is_for_administrators && method.parent_service().name() == "AdminService")],
        };
        let (code, _) = call(&mut line, &method, secret, body).await;
        *told.codes.entry(code).or_default() += 1;
        if code == OK {
            *told.answered.entry(method.name().to_owned()).or_default() += 1;
        }
        if code == UNKNOWN || code == INTERNAL {
            told.wrong.push(format!("seed {seed}, case {case}: {} told {code} to {sent:02x?}", method.name()));
        }
    }
    told
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_rpc_panics_or_answers_internal_whatever_bytes_come() {
    let (seed, cases) = (number("EILE_TEST_FUZZ_SEED", 20_310_110), number("EILE_TEST_FUZZ_CASES", 6_000));
    let place = Arc::new(Place::open().await);
    let senders = (0..SENDERS).map(|n| tokio::spawn(send(Arc::clone(&place), seed + n, cases / SENDERS)));
    let (mut codes, mut answered, mut wrong) =
        (BTreeMap::<u32, u64>::new(), BTreeMap::<String, u64>::new(), Vec::new());
    for sender in senders.collect::<Vec<_>>() {
        let told = sender.await.expect("a call panicked");
        told.codes.into_iter().for_each(|(code, n)| *codes.entry(code).or_default() += n);
        told.answered.into_iter().for_each(|(name, n)| *answered.entry(name).or_default() += n);
        wrong.extend(told.wrong);
    }
    let place = Arc::into_inner(place).unwrap();
    place.server.drain(Duration::ZERO, Duration::from_secs(1)).await;
    place.desk.drain().await;
    println!("codes: {codes:?}\nanswered: {answered:?}");
    assert!(wrong.is_empty(), "{} of {cases}:\n{}", wrong.len(), wrong[..wrong.len().min(5)].join("\n"));
    // That all are refused alike would show nothing.
    assert!(codes.len() >= 5 && codes[&OK] * 20 >= cases, "{codes:?}");
    assert!(answered.len() * 3 >= place.methods.len(), "only these were ever answered: {answered:?}");
}

/// So that a finding can be read: what the bytes say.
#[test]
fn a_message_that_was_made_is_read_back() {
    let pool = DescriptorPool::decode(FILE_DESCRIPTOR_SET).unwrap();
    let input = pool.get_message_by_name("eile.v1.CreateRegistrationRequest").unwrap();
    let mut maker = Maker::new(Rng::new(1), Arc::default());
    for _ in 0..200 {
        let made = maker.message(&input, 0);
        let read = DynamicMessage::decode(input.clone(), made.encode_to_vec().as_slice()).unwrap();
        let parent = |message: &DynamicMessage| message.get_field_by_name("parent").map(|v| Value::clone(&v));
        assert_eq!(parent(&made), parent(&read));
    }
}
