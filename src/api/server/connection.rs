//! One connection as HTTP is spoken on it, in plain text or over TLS. It holds its seats until it is dropped.

use crate::api::layers::Link;
use crate::tls::ClientCertificate;
use prometheus_client::metrics::gauge::Gauge;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::server::TlsStream;

/// Bytes that are read in one go before other connections have their turn. The smallest frames are of nine bytes, and
/// whoever sends nothing else must not keep a processor.
const TURN: usize = 32 << 10;
/// What a connection of HTTP/2 begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// A seat among connections, shown as taken until it is dropped.
pub struct Seat {
    _permit: OwnedSemaphorePermit,
    open: Gauge,
}

impl Seat {
    pub fn taken(permit: OwnedSemaphorePermit, open: Gauge) -> Self {
        open.inc();
        Self { _permit: permit, open }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.open.dec();
    }
}

/// What the bytes go over.
pub enum Wire {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

pub struct Connection {
    wire: Wire,
    link: Arc<Link>,
    /// What is still to come of it, while everything before was right.
    preface: &'static [u8],
    /// Bytes that were read since others had their turn.
    read: usize,
    /// What the other end has shown, if anything.
    pub certificate: Option<ClientCertificate>,
    _seat: Seat,
}

impl Connection {
    pub fn new(wire: Wire, link: Arc<Link>, seat: Seat) -> Self {
        Self { wire, link, preface: PREFACE, read: 0, certificate: None, _seat: seat }
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

/// The same of whatever the bytes go over.
macro_rules! on_wire {
    ($connection:expr, $wire:ident => $done:expr) => {
        match &mut $connection.wire {
            Wire::Plain($wire) => $done,
            Wire::Tls($wire) => $done,
        }
    };
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if self.read >= TURN {
            self.read = 0;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = buf.filled().len();
        let read = on_wire!(self, wire => Pin::new(wire).poll_read(cx, buf));
        self.read += buf.filled().len() - before;
        if !self.preface.is_empty() {
            self.hear(&buf.filled()[before..]);
        }
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        on_wire!(self, wire => Pin::new(wire).poll_write(cx, buf))
    }
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        on_wire!(self, wire => Pin::new(wire).poll_write_vectored(cx, bufs))
    }
    fn is_write_vectored(&self) -> bool {
        match &self.wire {
            Wire::Plain(wire) => wire.is_write_vectored(),
            Wire::Tls(wire) => wire.is_write_vectored(),
        }
    }
    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_wire!(self, wire => Pin::new(wire).poll_flush(cx))
    }
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        on_wire!(self, wire => Pin::new(wire).poll_shutdown(cx))
    }
}
