//! Browsers: which web sites may call. Off unless sites are named.
//!
//! A browser names the site whose script calls in `origin`. A site that was not named is refused here and
//! not by the browser alone, or any page could reach a service on the visitor's own machine by giving its
//! own name that address.

use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use std::time::Duration;
use tower_http::cors::CorsLayer;

/// The web sites whose scripts may call.
#[derive(Clone, Debug, Default)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    /// Texts that are no header values name no site.
    pub fn new(origins: &[String]) -> Self {
        Self(origins.iter().filter_map(|origin| HeaderValue::from_str(origin).ok()).collect())
    }

    /// Callers that are no browsers send no origin.
    pub fn allow(&self, headers: &HeaderMap) -> bool {
        headers.get(header::ORIGIN).is_none_or(|origin| self.0.contains(origin))
    }
}

/// What a browser is told; `None` where no site may call.
pub fn cors(origins: &Origins) -> Option<CorsLayer> {
    let named = |name: &'static str| HeaderName::from_static(name);
    let exposed = ["grpc-status", "grpc-message", "grpc-status-details-bin", "traceparent"];
    let sent = ["grpc-timeout", "x-grpc-web", "x-user-agent", "traceparent", "tracestate", "eile-vouches"];
    let allowed = [header::CONTENT_TYPE, header::AUTHORIZATION];
    (!origins.0.is_empty()).then(|| {
        CorsLayer::new()
            .allow_origin(origins.0.clone())
            .allow_methods([Method::POST])
            .allow_headers(allowed.into_iter().chain(sent.map(named)).collect::<Vec<_>>())
            .expose_headers(exposed.map(named))
            .max_age(Duration::from_secs(7_200))
    })
}
