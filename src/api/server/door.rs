//! How connections come in: at most so many at once (more wait in the kernel's queue) and so many from one
//! address, with a pause where the machine has no file descriptors left.

use super::connection::{Connection, Seat, Wire};
use crate::api::layers::{Addresses, Link};
use crate::tls::Tls;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// The pause after a connection could not be accepted: mostly there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Where connections come from: in plain text, or over TLS alone.
pub struct Listening {
    pub tcp: TcpListener,
    pub tls: Option<Tls>,
}

impl From<TcpListener> for Listening {
    fn from(tcp: TcpListener) -> Self {
        Self { tcp, tls: None }
    }
}

/// Dropping it closes the door.
pub struct Door {
    listener: Listening,
    seats: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    open: Gauge,
    refused: Counter,
}

impl Door {
    pub fn new(
        listener: Listening,
        connections_max: usize,
        addresses: Arc<Addresses>,
        registry: &mut Registry,
    ) -> Self {
        let (open, refused) = (Gauge::default(), Counter::default());
        registry.register("eile_connections", "Connections that are open", open.clone());
        let help = "Connections that were closed at once: their address has as many as it may";
        registry.register("eile_connections_refused", help, refused.clone());
        let seats = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
        Self { listener, seats, addresses, open, refused }
    }

    /// The next connection that may come in.
    pub async fn next(&self) -> Arrived {
        loop {
            // The semaphore is never closed.
            let Ok(seat) = Arc::clone(&self.seats).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.tcp.accept().await {
                Ok((tcp, from)) => match self.admit(tcp, from, seat) {
                    Some(arrived) => return arrived,
                    // Nobody is there yet who could be told why.
                    None => self.refuse(from),
                },
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, tcp: TcpStream, from: SocketAddr, seat: OwnedSemaphorePermit) -> Option<Arrived> {
        let link = Link::new(self.addresses.enter(from.ip())?);
        // Where the option cannot be set, answers are only slower.
        let _ = tcp.set_nodelay(true);
        let seat = Seat::taken(seat, self.open.clone());
        Some(Arrived { tcp, link, seat, tls: self.listener.tls.clone() })
    }

    fn refuse(&self, from: SocketAddr) {
        self.refused.inc();
        tracing::debug!(address = %from.ip(), "a connection was closed: its address has as many as it may");
    }
}

/// Somebody at the door, who has said nothing yet and holds a seat already.
pub struct Arrived {
    tcp: TcpStream,
    link: Arc<Link>,
    seat: Seat,
    tls: Option<Tls>,
}

impl Arrived {
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    pub fn info(&self) -> TcpConnectInfo {
        self.tcp.connect_info()
    }

    /// The connection as it is spoken on: at once where nothing has to be agreed on before.
    pub async fn agree(self, until: Instant) -> io::Result<Connection> {
        let Some(tls) = self.tls else { return Ok(Connection::new(Wire::Plain(self.tcp), self.link, self.seat)) };
        let agreed = timeout_at(until, tls.accept(self.tcp)).await;
        match agreed.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())) {
            Ok(stream) => {
                let certificate = tls.shown_on(&stream);
                let mut connection = Connection::new(Wire::Tls(Box::new(stream)), self.link, self.seat);
                connection.certificate = certificate;
                Ok(connection)
            }
            Err(error) => {
                tls.has_failed();
                Err(error)
            }
        }
    }
}
