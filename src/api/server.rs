//! The server around the services: limits, layers, health, reflection, gRPC-Web, its own way of accepting
//! connections (`door`), and a drain that ends. It knows nothing of events; whoever assembles it hands in
//! the services, so that tests and benches run theirs behind the very same layers.

mod connection;
mod connections;
mod door;

pub use door::Listening;

use super::layers::{Addresses, Answers, Arriving, Guard, Meters, Origins, Rules, Share, Streams, cors};
use connections::{Connections, Orders};
use door::Door;
use prometheus_client::registry::Registry;
use prost::Message;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_web::GrpcWebLayer;
use tower::Layer;

/// The largest message that a service takes, in bytes; set on each of them.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// How long connections may take to close when no call is in work on them any more, and to notice that they
/// were cut. A caller that hangs never closes by itself.
const GRACE: Duration = Duration::from_secs(1);

/// What the server is held to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    pub deadline_max: Duration,
    /// Calls in work; more are told to come again.
    pub concurrency_max: usize,
    /// More wait to be accepted.
    pub connections_max: usize,
    /// More are closed at once.
    pub connections_per_address_max: usize,
    pub streams_per_connection_max: u32,
    /// Open calls of one address, streams among them; more are told to come again.
    pub calls_per_address_max: usize,
    /// Answers that go on; more are refused.
    pub streams_max: usize,
    /// Calls of one address, 0 for any number; more are told to come again.
    pub calls_per_second: u32,
    /// Of all messages that have not come whole; the calls that bring more are told to come again.
    pub arriving_bytes_max: usize,
    /// Of all long answers that have not been taken; those beyond are told to come again.
    pub answers_bytes_max: usize,
    /// A connection that has no open call for so long is asked to go.
    pub idle: Duration,
    /// How long a connection may take to say in full what it speaks.
    pub greeting: Duration,
    /// How long a piece of an answer may wait to be taken.
    pub patience: Duration,
    /// Web sites whose scripts may call by gRPC-Web.
    pub cors_origins: Vec<String>,
}

impl Default for ServerOptions {
    fn default() -> Self {
        Self {
            deadline_max: Duration::from_secs(30),
            concurrency_max: 8_192,
            connections_max: 2_000,
            connections_per_address_max: 200,
            streams_per_connection_max: 256,
            calls_per_address_max: 4_000,
            streams_max: 10_000,
            calls_per_second: 0,
            arriving_bytes_max: 64 << 20,
            answers_bytes_max: 64 << 20,
            idle: Duration::from_secs(300),
            greeting: Duration::from_secs(5),
            patience: Duration::from_secs(120),
            cors_origins: Vec::new(),
        }
    }
}

/// A server that takes connections. It reports NOT_SERVING until it is told that it is `serving`.
pub struct Running {
    address: SocketAddr,
    serving: Serving,
    orders: Orders,
    /// Streams end.
    drain: CancellationToken,
    /// Every call until its last word.
    in_work: TaskTracker,
    /// Every connection, and the door.
    connections: TaskTracker,
}

/// What is answered to who asks for the health of the services.
#[derive(Clone)]
pub struct Serving {
    reporter: HealthReporter,
    services: Arc<[String]>,
}

impl Serving {
    /// SERVING or NOT_SERVING, of every service and of the whole.
    pub async fn tell(&self, serving: bool) {
        let status = if serving { ServingStatus::Serving } else { ServingStatus::NotServing };
        for service in &*self.services {
            self.reporter.set_service_status(service, status).await;
        }
    }
}

/// How the drain went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Drained {
    /// Every call ended by itself.
    Whole,
    /// The time was up and what was left was cut.
    Cut,
}

/// Starts to take connections, in plain text from a listener alone. `drain` is also what the services end their streams by.
pub async fn start(
    listening: impl Into<Listening>,
    routes: Routes,
    descriptors: &'static [u8],
    options: &ServerOptions,
    registry: &mut Registry,
    drain: CancellationToken,
) -> io::Result<Running> {
    let listening = listening.into();
    let address = listening.tcp.local_addr()?;
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let serving = Serving { reporter, services: service_names(descriptors).into() };
    serving.tell(false).await;
    let routes = routes.add_service(health_service);
    let routes = with_reflection(routes, descriptors).map_err(io::Error::other)?;
    let share = Share {
        connections: options.connections_per_address_max,
        calls: options.calls_per_address_max,
        calls_per_second: options.calls_per_second,
    };
    let door = Door::new(listening, options.connections_max, Addresses::new(share), registry);
    let origins = Origins::new(&options.cors_origins);
    let cors = tower::util::option_layer(cors(&origins));
    let in_work = TaskTracker::new();
    in_work.close();
    let rules = Rules {
        deadline_max: options.deadline_max,
        message_bytes_max: MESSAGE_BYTES_MAX,
        origins,
        seats: Semaphore::new(options.concurrency_max.min(Semaphore::MAX_PERMITS)),
        streams: Streams::new(options.streams_max, registry),
        arriving: Arriving::new(options.arriving_bytes_max),
        answers: Answers::new(options.answers_bytes_max),
        drain: drain.clone(),
        in_work: in_work.clone(),
        meters: Meters::new(registry, descriptors),
    };
    // From the inside out: browsers understand what the guard says.
    let service = Guard(Arc::new(rules)).layer(routes.prepare());
    let service = cors.layer(GrpcWebLayer::new().layer(service));
    let orders = Orders::default();
    let connections = Connections::new(service, options, orders.clone()).open(door);
    Ok(Running { address, serving, orders, drain, in_work, connections })
}

fn with_reflection(routes: Routes, descriptors: &'static [u8]) -> Result<Routes, tonic_reflection::server::Error> {
    let builder = || {
        tonic_reflection::server::Builder::configure()
            .register_encoded_file_descriptor_set(descriptors)
            .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
            // So that clients that know nothing else can read the details of a no.
            .register_encoded_file_descriptor_set(tonic_types::pb::FILE_DESCRIPTOR_SET)
    };
    Ok(routes.add_service(builder().build_v1()?).add_service(builder().build_v1alpha()?))
}

/// Every service whose health can be asked for: all of ours, and "" for the whole.
fn service_names(descriptors: &[u8]) -> Vec<String> {
    let files = prost_types::FileDescriptorSet::decode(descriptors).unwrap_or_default().file;
    let named = files
        .iter()
        .flat_map(|file| file.service.iter().map(|service| format!("{}.{}", file.package(), service.name())));
    std::iter::once(String::new()).chain(named).collect()
}

impl Running {
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What is answered about its health.
    pub fn serving(&self) -> &Serving {
        &self.serving
    }

    /// Leaves in order: says so, waits for `notice`, takes no more connections, ends streams, waits at most
    /// `bound` for the calls in work, and then cuts what is left.
    pub async fn drain(self, notice: Duration, bound: Duration) -> Drained {
        self.serving.tell(false).await;
        tokio::time::sleep(notice).await;
        self.orders.stop.cancel();
        self.drain.cancel();
        let drained = tokio::select! {
            () = self.connections.wait() => return Drained::Whole,
            () = all_answered(&self.in_work) => Drained::Whole,
            () = tokio::time::sleep(bound) => Drained::Cut,
        };
        self.orders.cut.cancel();
        let _ = tokio::time::timeout(GRACE, self.connections.wait()).await;
        drained
    }
}

/// Waits until no call has been in work for a while.
async fn all_answered(in_work: &TaskTracker) {
    loop {
        in_work.wait().await;
        tokio::time::sleep(GRACE).await;
        if in_work.is_empty() {
            return;
        }
    }
}
