//! The server around the services: limits, layers, health, reflection, gRPC-Web, its own way of accepting
//! connections (`door`), and a drain that ends. It knows nothing of events; whoever assembles it hands in
//! the services, so that tests and benches run theirs behind the very same layers.

mod door;

use super::layers::{Guard, Meters, Origins, Rules, cors};
use door::Door;
use prometheus_client::registry::Registry;
use prost::Message;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::transport::Server;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tonic_web::GrpcWebLayer;

/// The largest message that a service takes, in bytes; set on each of them.
pub const MESSAGE_BYTES_MAX: usize = 1 << 20;
/// How long connections may take to close when no call is in work on them any more, and to notice that they
/// were cut. A caller that hangs never closes by itself.
const GRACE: Duration = Duration::from_secs(1);

/// What the server is held to.
#[derive(Clone, Debug)]
pub struct ServerOptions {
    pub deadline_max: Duration,
    pub concurrency_max: usize,
    pub connections_max: usize,
    pub streams_per_connection_max: u32,
    /// Web sites whose scripts may call by gRPC-Web.
    pub cors_origins: Vec<String>,
}

/// A server that takes connections. It reports NOT_SERVING until it is told that it is `serving`.
pub struct Running {
    address: SocketAddr,
    serving: Serving,
    /// No more connections.
    stop: CancellationToken,
    /// Streams end.
    drain: CancellationToken,
    /// Connections are cut.
    cut: CancellationToken,
    /// Every call until its last word.
    in_work: TaskTracker,
    task: JoinHandle<Result<(), tonic::transport::Error>>,
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

/// Starts to take connections. `drain` is also what the services end their streams by.
pub async fn start(
    listener: TcpListener,
    routes: Routes,
    descriptors: &'static [u8],
    options: &ServerOptions,
    registry: &mut Registry,
    drain: CancellationToken,
) -> io::Result<Running> {
    let address = listener.local_addr()?;
    let (stop, cut) = (CancellationToken::new(), CancellationToken::new());
    let (reporter, health_service) = tonic_health::server::health_reporter();
    let serving = Serving { reporter, services: service_names(descriptors).into() };
    serving.tell(false).await;
    let routes = routes.add_service(health_service);
    let routes = with_reflection(routes, descriptors).map_err(io::Error::other)?;
    let door = Door::new(listener, options.connections_max, stop.clone(), cut.clone(), registry);
    let origins = Origins::new(&options.cors_origins);
    let cors = tower::util::option_layer(cors(&origins));
    let in_work = TaskTracker::new();
    in_work.close();
    let rules = Rules {
        deadline_max: options.deadline_max,
        message_bytes_max: MESSAGE_BYTES_MAX,
        origins,
        seats: Semaphore::new(options.concurrency_max.min(Semaphore::MAX_PERMITS)),
        drain: drain.clone(),
        in_work: in_work.clone(),
        meters: Meters::new(registry, descriptors),
    };
    let router =
        limited(options).layer(cors).layer(GrpcWebLayer::new()).layer(Guard(Arc::new(rules))).add_routes(routes);
    let stopped = stop.clone().cancelled_owned();
    let task = tokio::spawn(router.serve_with_incoming_shutdown(door.connections(), stopped));
    Ok(Running { address, serving, stop, drain, cut, in_work, task })
}

/// HTTP/2 within bounds: tonic's defaults switch two of hyper's limits off, and set no others.
fn limited(options: &ServerOptions) -> Server {
    Server::builder()
        .accept_http1(true)
        .max_concurrent_streams(options.streams_per_connection_max)
        .http2_max_local_error_reset_streams(Some(1_024))
        .http2_max_pending_accept_reset_streams(Some(20))
        .http2_max_header_list_size(16 << 10)
        .http2_keepalive_interval(Some(Duration::from_secs(60)))
        .http2_keepalive_timeout(Some(Duration::from_secs(20)))
        // Alone, without a grace: with one, calls would be cut instead of asked to finish.
        .max_connection_age(Duration::from_secs(1_800 + u64::from(std::process::id() % 300)))
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
    pub async fn drain(mut self, notice: Duration, bound: Duration) -> Drained {
        self.serving.tell(false).await;
        tokio::time::sleep(notice).await;
        self.stop.cancel();
        self.drain.cancel();
        let in_work = self.in_work.clone();
        let drained = tokio::select! {
            _ = &mut self.task => return Drained::Whole,
            () = all_answered(&in_work) => Drained::Whole,
            () = tokio::time::sleep(bound) => Drained::Cut,
        };
        self.cut.cancel();
        let _ = tokio::time::timeout(GRACE, &mut self.task).await;
        self.task.abort();
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
