//! How connections come in: at most so many at once (more wait in the kernel's queue) and so many from one
//! address, with a pause where the machine has no file descriptors left.

use crate::api::layers::{Addresses, Link};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// What a connection of HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The pause after a connection could not be accepted: mostly there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

/// Dropping it closes the door.
pub struct Door {
    listener: TcpListener,
    seats: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    open: Gauge,
    refused: Counter,
}

impl Door {
    pub fn new(
        listener: TcpListener,
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
    pub async fn next(&self) -> Connection {
        loop {
            // The semaphore is never closed.
            let Ok(seat) = Arc::clone(&self.seats).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.accept().await {
                Ok((tcp, from)) => match self.admit(tcp, from, seat) {
                    Some(connection) => return connection,
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

    fn admit(&self, tcp: TcpStream, from: SocketAddr, seat: OwnedSemaphorePermit) -> Option<Connection> {
        let link = Link::new(self.addresses.enter(from.ip())?);
        // Where the option cannot be set, answers are only slower.
        let _ = tcp.set_nodelay(true);
        self.open.inc();
        Some(Connection { tcp, link, preface: PREFACE, _seat: seat, open: self.open.clone() })
    }

    fn refuse(&self, from: SocketAddr) {
        self.refused.inc();
        tracing::debug!(address = %from.ip(), "a connection was closed: its address has as many as it may");
    }
}

/// A connection that holds its seats until it is dropped.
pub struct Connection {
    tcp: TcpStream,
    link: Arc<Link>,
    /// What is still to come of it, while everything before was right.
    preface: &'static [u8],
    _seat: OwnedSemaphorePermit,
    open: Gauge,
}

impl Connection {
    pub fn link(&self) -> &Arc<Link> {
        &self.link
    }

    pub fn info(&self) -> TcpConnectInfo {
        self.tcp.connect_info()
    }

    /// Hears whether it speaks HTTP/2. Whoever speaks anything else is greeted at its first call.
    fn hear(&mut self, bytes: &[u8]) {
        let some = bytes.len().min(self.preface.len());
        match self.preface.strip_prefix(&bytes[..some]) {
            Some([]) => {
                self.preface = &[];
                self.link.greet();
            }
            Some(rest) => self.preface = rest,
            None => self.preface = &[],
        }
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buf);
        if !self.preface.is_empty() {
            self.hear(&buf.filled()[before..]);
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, buf)
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, bufs)
    }
    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.dec();
    }
}
