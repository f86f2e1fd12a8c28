//! Connections that are open: each is served in a task of its own until it ends, is asked to go, or is cut. tonic
//! would drive them by itself, but has no way to ask a single one to go, and hyper no bound for one that does
//! nothing.

use super::ServerOptions;
use super::connection::Connection;
use super::door::{Arrived, Door};
use crate::api::layers::{Link, Manners, Step, with_patience};
use crate::tls::ClientCertificate;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::transport::server::TcpConnectInfo;
use tower::{Service, ServiceExt};

/// On HTTP/1, how long the head of a request after the first may take, the wait for it included.
const HEAD: Duration = Duration::from_secs(30);
/// How long a connection has to go once it was asked to and no call is open on it.
const FAREWELL: Duration = Duration::from_secs(10);

/// What every connection is served with.
pub struct Connections<S> {
    service: S,
    http: auto::Builder<Patient>,
    patience: Duration,
    manners: Manners,
    orders: Orders,
    tracker: TaskTracker,
}

/// What all connections are told.
#[derive(Clone, Default)]
pub struct Orders {
    /// No more connections; those that are here are asked to go.
    pub stop: CancellationToken,
    /// Those that are here are cut.
    pub cut: CancellationToken,
}

impl Orders {
    /// The same for one connection: thousands that look at one token would be in each other's way.
    fn for_one(&self) -> Self {
        Self { stop: self.stop.child_token(), cut: self.cut.child_token() }
    }
}

impl<S> Connections<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + Sync + 'static,
    S::Future: Send + 'static,
{
    pub fn new(service: S, options: &ServerOptions, orders: Orders) -> Self {
        // Spread, so that instances which started together do not send everybody away together.
        let age = Duration::from_secs(1_800 + u64::from(std::process::id() % 300));
        let manners = Manners { greeting: options.greeting, idle: options.idle, age, farewell: FAREWELL };
        let patience = options.patience;
        Self { service, http: http(options), patience, manners, orders, tracker: TaskTracker::new() }
    }

    /// Takes connections until the order to stop. What is given back is done when the last of them has gone.
    pub fn open(self, door: Door) -> TaskTracker {
        let tracker = self.tracker.clone();
        tracker.spawn(Arc::new(self).take(door));
        tracker.close();
        tracker
    }

    async fn take(self: Arc<Self>, door: Door) {
        loop {
            let arrived = tokio::select! {
                () = self.orders.stop.cancelled() => return,
                arrived = door.next() => arrived,
            };
            self.tracker.spawn(Arc::clone(&self).welcome(arrived));
        }
    }

    /// Agrees on how it is spoken, within the time for the greeting; nothing has been promised to anybody before.
    async fn welcome(self: Arc<Self>, arrived: Arrived) {
        // From now on: a machine that is too busy to listen must not hold it against the caller.
        let since = Instant::now();
        let orders = self.orders.for_one();
        let (link, info) = (Arc::clone(arrived.link()), arrived.info());
        let connection = tokio::select! {
            agreed = arrived.agree(since + self.manners.greeting) => agreed,
            () = orders.stop.cancelled() => return,
        };
        match connection {
            Ok(connection) => {
                let certificate = connection.certificate;
                let arriving = arriving(link.clone(), info, certificate);
                tokio::select! {
                    () = self.serve(connection, &link, arriving, &orders, since) => {}
                    () = expired(certificate) => tracing::debug!("a connection ended with the certificate shown on it"),
                }
            }
            Err(error) => tracing::debug!(%error, "a connection ended before it had agreed on TLS"),
        }
    }

    async fn serve(
        &self,
        connection: Connection,
        link: &Link,
        arriving: impl FnMut(Request<Incoming>) -> Request<Body> + Clone + Send + 'static,
        orders: &Orders,
        since: Instant,
    ) {
        let service = self.service.clone().map_request(arriving);
        let served = self.http.serve_connection(TokioIo::new(connection), TowerToHyperService::new(service));
        // A call over HTTP/1 is driven by its connection.
        with_patience(self.patience, async {
            let mut served = pin!(served);
            let mut look = pin!(sleep_until(since));
            let mut asked = None;
            loop {
                tokio::select! {
                    // What has arrived is heard before anybody looks at the clock.
                    biased;
                    ended = served.as_mut() => return said(ended),
                    () = orders.cut.cancelled() => return,
                    () = orders.stop.cancelled(), if asked.is_none() => {}
                    () = look.as_mut() => match link.step(Instant::now(), &self.manners, since, asked) {
                        Step::LookAgain(at) => {
                            look.as_mut().reset(at);
                            continue;
                        }
                        Step::Cut => return,
                        Step::AskToGo => {}
                    },
                }
                asked = Some(Instant::now());
                served.as_mut().graceful_shutdown();
                look.as_mut().reset(Instant::now());
            }
        })
        .await;
    }
}

/// Waits until what was shown on a connection counts no more.
async fn expired(certificate: Option<ClientCertificate>) {
    match certificate {
        Some(certificate) => sleep_until(certificate.until).await,
        None => std::future::pending().await,
    }
}

fn said(ended: Result<(), Box<dyn std::error::Error + Send + Sync>>) {
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection failed");
    }
}

/// What a call brings with it of its connection.
fn arriving(
    link: Arc<Link>,
    info: TcpConnectInfo,
    certificate: Option<ClientCertificate>,
) -> impl FnMut(Request<Incoming>) -> Request<Body> + Clone {
    move |request| {
        link.greet();
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(info.clone());
        request.extensions_mut().insert(Arc::clone(&link));
        if let Some(certificate) = certificate {
            request.extensions_mut().insert(certificate);
        }
        request
    }
}

/// HTTP within bounds: hyper has none for some of these, and other defaults than an open port needs.
fn http(options: &ServerOptions) -> auto::Builder<Patient> {
    let mut http = auto::Builder::new(Patient(options.patience));
    http.http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(options.streams_per_connection_max)
        .max_local_error_reset_streams(1_024)
        .max_pending_accept_reset_streams(20)
        .max_header_list_size(16 << 10)
        .max_send_buf_size(64 << 10)
        .keep_alive_interval(Duration::from_secs(60))
        .keep_alive_timeout(Duration::from_secs(20));
    http.http1().timer(TokioTimer::new()).header_read_timeout(HEAD).max_buf_size(64 << 10);
    http
}

/// Drives the calls of HTTP/2, each in a task of its own. One whose answer is not taken is reset, and no other.
#[derive(Clone)]
struct Patient(Duration);

impl<F> Executor<F> for Patient
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, call: F) {
        tokio::spawn(with_patience(self.0, call));
    }
}
