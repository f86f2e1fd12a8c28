//! Before a message is read nobody knows what it is about, so that calls are let in when it has been (`admit`). One that
//! cannot be read never gets there: whoever would not have been let in hears that here, and nothing of the message.

use super::admit::secret_of;
use super::identity::{Identities, Shown as Who};
use super::layers::was_not_read;
use super::rights::roles_of;
use super::status;
use crate::tls::ClientCertificate;
use http::{HeaderValue, Request, Response, header::AUTHORIZATION};
use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// A service behind the gate.
#[derive(Clone)]
pub(super) struct Gate<S> {
    inner: S,
    identities: Arc<Identities>,
}

impl<S> Gate<S> {
    pub fn new(inner: S, identities: Arc<Identities>) -> Self {
        Self { inner, identities }
    }
}

impl<S: NamedService> NamedService for Gate<S> {
    const NAME: &'static str = S::NAME;
}

/// What a call shows of who makes it, beside its message.
struct Asked {
    path: http::uri::PathAndQuery,
    shown: Vec<HeaderValue>,
    certificate: Option<ClientCertificate>,
}

impl Asked {
    fn of(request: &Request<Body>) -> Option<Self> {
        Some(Self {
            path: request.uri().path_and_query()?.clone(),
            shown: request.headers().get_all(AUTHORIZATION).iter().cloned().collect(),
            certificate: request.extensions().get().copied(),
        })
    }

    /// The no that this call hears whatever its message says; none where it depends on that.
    async fn barred(&self, identities: &Identities) -> Option<Status> {
        let method = self.path.path().rsplit('/').next()?;
        let (method, roles) = roles_of(method)?;
        let who = match secret_of(self.shown.iter().map(HeaderValue::as_bytes)) {
            Ok(secret) => identities.shown_with(secret, self.certificate).await,
            Err(no) => Err(no),
        };
        match who {
            Err(no) => Some(no),
            // A token would stand in the message, which shows none.
            Ok(Who::Nobody) => Some(status::key_required()),
            Ok(Who::Key(key, _)) if !roles.has(key.role) => Some(status::role_not_allowed(method)),
            Ok(Who::Open | Who::Key(..)) => None,
        }
    }
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let asked = Asked::of(&request);
        let answer = self.inner.call(request);
        let identities = Arc::clone(&self.identities);
        Box::pin(async move {
            let response = answer.await?;
            let Some(asked) = asked.filter(|_| was_not_read(&response)) else { return Ok(response) };
            Ok(asked.barred(&identities).await.map_or(response, Status::into_http))
        })
    }
}
