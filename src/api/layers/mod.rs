//! What every call passes on its way to a handler, and on its way back: one function, [`answer`], that reads
//! in the order of what it does. All of it stands inside gRPC-Web, so that browsers understand its answers
//! too, and none of it uses tonic's own limits, whose answers no layer would see.

mod address;
mod answers;
mod arriving;
mod body;
mod deadline;
mod link;
mod meters;
mod reader;
mod refuse;
mod reword;
mod streams;
mod trace;
mod web;

pub use address::{Addresses, Share, Visit};
pub use answers::{Answers, Turn};
pub use arriving::Arriving;
pub use deadline::Deadline;
pub use link::{Link, Manners, Step};
pub use meters::Meters;
pub use reader::with_patience;
pub(super) use reword::was_not_read;
pub use streams::Streams;
pub use trace::TraceContext;
pub(super) use web::{Origins, cors};

use crate::access_log::Slot;
use body::{CallBody, Holds};
use futures_util::FutureExt;
use http::{Request, Response, StatusCode};
use meters::Seen;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use streams::StreamSeat;
use tokio::sync::Semaphore;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::Status;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument;

/// What calls are held to.
pub struct Rules {
    /// The longest that a call may take.
    pub deadline_max: Duration,
    /// The size of the largest message, for the answer to larger ones.
    pub message_bytes_max: usize,
    /// Web sites whose scripts may call.
    pub origins: Origins,
    /// Calls in work at once.
    pub seats: Semaphore,
    /// Streams at once.
    pub streams: Streams,
    /// Requests that are not whole yet.
    pub arriving: Arc<Arriving>,
    /// Long answers that are worked out, or wait to be taken.
    pub answers: Arc<Answers>,
    /// Ends streams that have nothing more to say.
    pub drain: CancellationToken,
    /// Every call until its last word.
    pub in_work: TaskTracker,
    pub meters: Meters,
}

/// The layer around all services.
#[derive(Clone)]
pub struct Guard(pub Arc<Rules>);

impl<S> Layer<S> for Guard {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { rules: Arc::clone(&self.0), inner }
    }
}

#[derive(Clone)]
pub struct Guarded<S> {
    rules: Arc<Rules>,
    inner: S,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The one that is ready goes; its clone stays for the next call.
        let next = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, next);
        let rules = Arc::clone(&self.rules);
        let deadline = Deadline::of(request.headers(), rules.deadline_max);
        Box::pin(answer(rules, inner, request, deadline).map(Ok))
    }
}

async fn answer<S>(rules: Arc<Rules>, inner: S, mut request: Request<Body>, deadline: Deadline) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send,
    S::Future: Send,
{
    if !rules.origins.allow(request.headers()) {
        return forbidden();
    }
    let link = request.extensions_mut().remove::<Arc<Link>>();
    let mut holds = Holds::new(rules.in_work.token(), link.as_ref().map(Link::open));
    let trace = TraceContext::of(request.headers());
    let seen = rules.meters.begin(request.uri().path(), trace);
    request.extensions_mut().insert(trace);
    request.extensions_mut().insert(deadline);
    let slot = Slot::default();
    request.extensions_mut().insert(slot.clone());
    let span = tracing::info_span!("call", method = request.uri().path(), trace_id = %trace.trace_id());
    let mut response = match taken(&rules, request.uri().path(), &seen, link.as_deref()) {
        Err(no) => no.into_http(),
        Ok(stream) => {
            holds.stream = stream;
            let answered =
                admitted(&rules, inner, request, deadline, trace, Asked { seen: &seen, link: link.as_ref() });
            answered.instrument(span).await
        }
    };
    response.headers_mut().insert(trace::TRACEPARENT, trace.to_header());
    slot.ended(refuse::number_of(refuse::ending(response.headers())));
    finish(&rules, response, seen, deadline, holds)
}

/// Whether the call is taken at all: within the share of its address, and with a seat if its answer is a stream.
fn taken(rules: &Rules, path: &str, seen: &Seen, link: Option<&Link>) -> Result<Option<StreamSeat>, Status> {
    if let Some(link) = link.filter(|_| !is_health(path)) {
        link.visit().may_call(Instant::now()).map_err(refuse::too_many_calls)?;
    }
    rules.streams.seat(path, seen)
}

/// What is known of a call beside itself.
struct Asked<'a> {
    seen: &'a Seen,
    link: Option<&'a Arc<Link>>,
}

/// The call itself, where there is room for it, in its time, and whatever it does.
async fn admitted<S>(
    rules: &Rules,
    mut inner: S,
    request: Request<Body>,
    deadline: Deadline,
    trace: TraceContext,
    asked: Asked<'_>,
) -> Response<Body>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send,
    S::Future: Send,
{
    // Whoever asks whether the service is well must hear so also while it is busy.
    let seat = if is_health(request.uri().path()) { None } else { Some(rules.seats.try_acquire()) };
    if let Some(Err(_)) = seat {
        return refuse::overloaded().into_http();
    }
    let is_reflection = is_reflection(request.uri().path());
    let mut request = request.map(|body| match is_reflection {
        true => rules.arriving.count_small(body),
        false => rules.arriving.count(body),
    });
    let turn = rules.answers.turn();
    request.extensions_mut().insert(turn.clone());
    let call = AssertUnwindSafe(async {
        let Ok(response) = inner.call(request).await;
        if asked.seen.only_reads() { rules.answers.keep(response, asked.link).await } else { Ok(response) }
    });
    let ended = tokio::time::timeout_at(deadline.at, call.catch_unwind()).await;
    drop(turn);
    let response = match ended {
        Ok(Ok(Ok(response))) => response,
        Ok(Ok(Err(no))) => return no.into_http(),
        Ok(Err(panic)) => return panicked(&*panic, trace).into_http(),
        Err(_) => return refuse::deadline_exceeded().into_http(),
    };
    reword::reword(response, rules.message_bytes_max)
}

fn is_health(path: &str) -> bool {
    path.starts_with("/grpc.health.v1.")
}

/// The one service whose callers send more than one message.
fn is_reflection(path: &str) -> bool {
    path.starts_with("/grpc.reflection.")
}

/// A panic is a fault of ours: logged under an incident, and told without a word of it.
fn panicked(panic: &(dyn std::any::Any + Send), trace: TraceContext) -> Status {
    let said = panic.downcast_ref::<&str>().copied();
    let said = said.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("");
    let incident = trace.incident();
    tracing::error!(incident, panic = said, "a call panicked");
    refuse::internal(&incident)
}

/// Counts the call when it is over: now, or when its stream is.
fn finish(rules: &Rules, response: Response<Body>, seen: Seen, deadline: Deadline, holds: Holds) -> Response<Body> {
    if let Some(ending) = refuse::ending(response.headers()) {
        seen.finish(ending);
        return response;
    }
    let drain = rules.drain.clone();
    response.map(|body| Body::new(CallBody::new(body, seen, deadline, drain, holds)))
}

fn forbidden() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FORBIDDEN;
    response
}
