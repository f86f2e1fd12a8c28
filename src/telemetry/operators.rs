//! The port for operators, on loopback: `/metrics` for Prometheus, `/livez` (the process answers) and
//! `/readyz` (calls are served: it has started, and is not stopping).

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// Whether calls are served.
#[derive(Clone, Default)]
pub struct Health(Arc<AtomicBool>);

impl Health {
    pub fn set_ready(&self, ready: bool) {
        self.0.store(ready, Ordering::Relaxed);
    }
}

#[derive(Clone)]
struct Shown {
    registry: Arc<Registry>,
    health: Health,
}

/// The port, open until it is dropped.
pub struct Operators {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Operators {
    pub fn open(listener: TcpListener, registry: Arc<Registry>, health: Health) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let routes = Router::new()
            .route("/metrics", get(metrics))
            .route("/livez", get(|| async { "alive\n" }))
            .route("/readyz", get(ready))
            .with_state(Shown { registry, health });
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, routes).await {
                tracing::error!(%error, "the port for operators closed");
            }
        });
        Ok(Self { address, task })
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Operators {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn metrics(State(shown): State<Shown>) -> impl IntoResponse {
    let mut text = String::new();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    match encode(&mut text, &shown.registry) {
        Ok(()) => (StatusCode::OK, [(header::CONTENT_TYPE, kind)], text),
        Err(_) => (StatusCode::INTERNAL_SERVER_ERROR, [(header::CONTENT_TYPE, "text/plain")], String::new()),
    }
}

async fn ready(State(shown): State<Shown>) -> impl IntoResponse {
    match shown.health.0.load(Ordering::Relaxed) {
        true => (StatusCode::OK, "ready\n"),
        false => (StatusCode::SERVICE_UNAVAILABLE, "not ready\n"),
    }
}
