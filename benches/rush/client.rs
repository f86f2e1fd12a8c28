//! The load: sign-ups and reads over a few connections, in closed loop (so many in flight) and in open loop
//! (so many a second, latency counted from the moment a call was due, so that a stall is not hidden).

use eile::api::proto;
use hdrhistogram::Histogram;
use proto::event_service_client::EventServiceClient;
use proto::registration_service_client::RegistrationServiceClient;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tonic::Request;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::transport::{Channel, Endpoint};
use uuid::Uuid;

/// Connections per load. One HTTP/2 connection is served by one task, so several are needed.
const CONNECTIONS: usize = 8;

#[derive(Clone)]
pub struct Client {
    channels: Arc<Vec<Channel>>,
    /// What says who calls; nothing before the first key is made.
    shown: Option<MetadataValue<Ascii>>,
}

/// Calls in flight while a database is filled.
const FILLING: usize = 1024;

/// Numbers of calls: never the same twice in one process, so that no two sign-ups share a contact.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// What a run showed.
pub struct Run {
    pub per_second: f64,
    pub latency: Histogram<u64>,
    pub failed: u64,
}

impl Run {
    /// A percentile of the latency.
    pub fn at(&self, quantile: f64) -> Duration {
        Duration::from_micros(self.latency.value_at_quantile(quantile))
    }
}

/// What to call.
#[derive(Clone)]
pub enum Call {
    /// Sign-ups, spread over these events in turn.
    SignUp(Arc<Vec<String>>),
    /// `GetRegistration` without personal data: state and position.
    Position(Arc<Vec<String>>),
    /// `GetEvent` with its counts.
    Event(String),
}

impl Client {
    pub async fn connect(address: &str) -> Self {
        let mut channels = Vec::new();
        for _ in 0..CONNECTIONS {
            let endpoint = Endpoint::from_shared(format!("http://{address}")).unwrap();
            channels.push(endpoint.connect().await.unwrap());
        }
        Self { channels: Arc::new(channels), shown: None }
    }

    /// Makes the first key, with which the door is shut, and a coordinator's: from then on this client shows that one.
    pub async fn with_key(self) -> Self {
        let administrator = self.key("", proto::Role::Administrator, &[]).await;
        let secret = self.key(&administrator, proto::Role::Coordinator, &["centres/elk"]).await;
        Self { shown: Some(bearer(&secret)), ..self }
    }

    async fn key(&self, by: &str, role: proto::Role, centres: &[&str]) -> String {
        let access_key = proto::AccessKey {
            display_name: "rush".into(),
            role: role.into(),
            centres: centres.iter().map(|name| (*name).to_owned()).collect(),
            ..Default::default()
        };
        let ask =
            proto::CreateAccessKeyRequest { request_id: Uuid::new_v4().to_string(), access_key: Some(access_key) };
        let shown = (!by.is_empty()).then(|| bearer(by));
        let mut admin = proto::admin_service_client::AdminServiceClient::new(self.channel());
        admin.create_access_key(showing(&shown, ask)).await.unwrap().into_inner().secret
    }

    pub fn channel(&self) -> Channel {
        let n = NEXT.fetch_add(1, Ordering::Relaxed) as usize;
        self.channels[n % CONNECTIONS].clone()
    }

    /// `in_flight` callers, each calling again as soon as it is answered.
    pub async fn closed(&self, call: Call, in_flight: usize, lasts: Duration) -> Run {
        let stop = Arc::new(AtomicBool::new(false));
        let started = Instant::now();
        let mut callers = Vec::new();
        for _ in 0..in_flight {
            let (channel, call, stop) = (self.channel(), call.clone(), Arc::clone(&stop));
            let shown = self.shown.clone();
            callers.push(tokio::spawn(async move {
                let mut one = Caller::new(channel, call, shown);
                while !stop.load(Ordering::Relaxed) {
                    let sent = Instant::now();
                    one.call(sent).await;
                }
                one
            }));
        }
        tokio::time::sleep(lasts).await;
        stop.store(true, Ordering::Relaxed);
        let measured = started.elapsed();
        gather(callers, measured).await
    }

    /// `rate` calls a second at even distances, whatever the answers take.
    pub async fn open(&self, call: Call, rate: f64, lasts: Duration) -> Run {
        let lanes = 256usize;
        let started = Instant::now() + Duration::from_millis(50);
        let mut callers = Vec::new();
        for lane in 0..lanes {
            let (channel, call, shown) = (self.channel(), call.clone(), self.shown.clone());
            callers.push(tokio::spawn(async move {
                let mut one = Caller::new(channel, call, shown);
                let step = Duration::from_secs_f64(lanes as f64 / rate);
                let mut due = started + step.mul_f64(lane as f64 / lanes as f64);
                while due < started + lasts {
                    tokio::time::sleep_until(due.into()).await;
                    one.call(due).await;
                    due += step;
                }
                one
            }));
        }
        gather(callers, lasts).await
    }
}

async fn gather(callers: Vec<tokio::task::JoinHandle<Caller>>, measured: Duration) -> Run {
    let mut latency = Histogram::new(3).unwrap();
    let (mut done, mut failed) = (0u64, 0u64);
    for caller in callers {
        let one = caller.await.unwrap();
        latency.add(&one.latency).unwrap();
        done += one.latency.len();
        failed += one.failed;
    }
    Run { per_second: done as f64 / measured.as_secs_f64(), latency, failed }
}

struct Caller {
    registrations: RegistrationServiceClient<Channel>,
    events: EventServiceClient<Channel>,
    call: Call,
    shown: Option<MetadataValue<Ascii>>,
    latency: Histogram<u64>,
    failed: u64,
}

/// The metadata of this secret.
fn bearer(secret: &str) -> MetadataValue<Ascii> {
    format!("Bearer {secret}").parse().unwrap()
}

fn showing<T>(shown: &Option<MetadataValue<Ascii>>, ask: T) -> Request<T> {
    let mut request = Request::new(ask);
    if let Some(shown) = shown {
        request.metadata_mut().insert("authorization", shown.clone());
    }
    request
}

impl Caller {
    fn new(channel: Channel, call: Call, shown: Option<MetadataValue<Ascii>>) -> Self {
        Self {
            registrations: RegistrationServiceClient::new(channel.clone()),
            events: EventServiceClient::new(channel),
            call,
            shown,
            latency: Histogram::new_with_bounds(1, 600_000_000, 3).unwrap(),
            failed: 0,
        }
    }

    /// Calls once; the latency counts from `since`.
    async fn call(&mut self, since: Instant) {
        let n = NEXT.fetch_add(1, Ordering::Relaxed);
        let failed = match &self.call {
            Call::SignUp(events) => {
                let request = sign_up(&events[n as usize % events.len()], n);
                self.registrations.create_registration(showing(&self.shown, request)).await.err()
            }
            Call::Position(names) => {
                let name = names[(n.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 16) as usize % names.len()].clone();
                let request = proto::GetRegistrationRequest { name, ..Default::default() };
                self.registrations.get_registration(showing(&self.shown, request)).await.err()
            }
            Call::Event(name) => {
                let request = proto::GetEventRequest { name: name.clone() };
                self.events.get_event(showing(&self.shown, request)).await.err()
            }
        };
        if let Some(status) = failed {
            if self.failed == 0 {
                eprintln!("a call failed: {status:?}");
            }
            self.failed += 1;
        } else {
            self.latency.record(since.elapsed().as_micros().max(1) as u64).unwrap();
        }
    }
}

/// An ordinary sign-up: a parent, in every third case with somebody else, reachable in two ways.
pub fn sign_up(event: &str, n: u64) -> proto::CreateRegistrationRequest {
    let member = |i: u64| proto::Member {
        display_name: format!("Pavyzdė Eilaitė {}", n + i),
        birth_year: Some(1985),
        municipality_code: "42".into(),
        ..Default::default()
    };
    let members = (0..1 + u64::from(n.is_multiple_of(3))).map(member).collect();
    proto::CreateRegistrationRequest {
        parent: event.to_owned(),
        registration: Some(proto::Registration {
            contact: Some(proto::Contact {
                display_name: format!("Pavyzdė Eilaitė {n}"),
                email: format!("pavyzde.{n}@example.org"),
                phone: format!("+3706{:07}", n % 10_000_000),
            }),
            language: "lt".into(),
            channel: proto::Channel::Web as i32,
            on_behalf_of: proto::OnBehalfOf::Self_ as i32,
            members,
            willing_elsewhere: true,
            municipality_code: "42".into(),
            ..Default::default()
        }),
        request_id: uuid::Uuid::new_v4().to_string(),
        validate_only: false,
        consents: Vec::new(),
    }
}

/// A published course of 12 seats with the usual rules.
pub async fn make_event(client: &Client) -> String {
    use proto::admin_service_client::AdminServiceClient;
    use proto::event_service_client::EventServiceClient;
    let id = || Uuid::new_v4().to_string();
    let texts = |text: &str| vec![proto::LocalizedText { language: "lt".into(), text: text.into() }];
    let centre = proto::Centre {
        display_names: texts("Pavyzdžio centras"),
        municipality_code: "42".into(),
        time_zone: "Europe/Vilnius".into(),
        languages: vec!["lt".into()],
        ..Default::default()
    };
    // There already, after the first event: its request id makes it one effect.
    let request = proto::CreateCentreRequest {
        centre: Some(centre),
        centre_id: "elk".into(),
        request_id: "0193b3a0-0000-4000-8000-000000000001".into(),
        ..Default::default()
    };
    AdminServiceClient::new(client.channel()).create_centre(request).await.unwrap();
    let event = proto::Event {
        centre: "centres/elk".into(),
        titles: texts("Sėkmingos tėvystės mokymai"),
        kind: proto::EventKind::Course as i32,
        sessions: vec![proto::Session {
            start_local: "2099-02-03T17:30".into(),
            end_local: "2099-02-03T19:30".into(),
            ..Default::default()
        }],
        seat_pools: vec![proto::SeatPool { pool_id: "main".into(), capacity: Some(12), ..Default::default() }],
        ..Default::default()
    };
    let mut events = EventServiceClient::new(client.channel());
    let request = proto::CreateEventRequest { event: Some(event), request_id: id(), ..Default::default() };
    let name = events.create_event(request).await.unwrap().into_inner().event.unwrap().name;
    let publish = proto::PublishEventRequest { name: name.clone(), request_id: id(), ..Default::default() };
    events.publish_event(publish).await.unwrap();
    name
}

/// Signs up so many parties, at full rate, spread over these events.
pub async fn fill(client: &Client, events: &[String], number: u64) {
    let call = Call::SignUp(Arc::new(events.to_vec()));
    let began = Instant::now();
    let mut done = 0.0;
    while done < number as f64 {
        let lasts = if number > 100_000 { Duration::from_secs(5) } else { Duration::from_millis(200) };
        let run = client.closed(call.clone(), FILLING, lasts).await;
        done += run.per_second * lasts.as_secs_f64();
    }
    println!("  filled {done:.0} in {:.0} s", began.elapsed().as_secs_f64());
}
