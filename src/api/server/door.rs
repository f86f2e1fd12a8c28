//! How connections come in: at most so many at once (more wait in the kernel's queue), with a pause where
//! the machine has no file descriptors left, and none that says nothing.

use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_stream::Stream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::{Connected, TcpConnectInfo};

/// How long a connection may say nothing after it was accepted.
const FIRST_WORD: Duration = Duration::from_secs(10);
/// The pause after a connection could not be accepted: mostly there are no file descriptors left.
const PAUSE: Duration = Duration::from_millis(100);

pub struct Door {
    listener: TcpListener,
    seats: Arc<Semaphore>,
    stop: CancellationToken,
    cut: CancellationToken,
    open: Gauge,
}

impl Door {
    pub fn new(
        listener: TcpListener,
        connections_max: usize,
        stop: CancellationToken,
        cut: CancellationToken,
        registry: &mut Registry,
    ) -> Self {
        let open = Gauge::default();
        registry.register("eile_connections", "Connections that are open", open.clone());
        let seats = Arc::new(Semaphore::new(connections_max.min(Semaphore::MAX_PERMITS)));
        Self { listener, seats, stop, cut, open }
    }

    /// The connections, as they come. Dropping the stream closes the door.
    pub fn connections(self) -> impl Stream<Item = io::Result<Connection>> + Send {
        futures_util::stream::unfold(self, |door| async move { Some((Ok(door.next().await), door)) })
    }

    async fn next(&self) -> Connection {
        loop {
            // The semaphore is never closed.
            let Ok(seat) = Arc::clone(&self.seats).acquire_owned().await else {
                std::future::pending::<()>().await;
                continue;
            };
            match self.listener.accept().await {
                Ok((tcp, _)) => return self.admit(tcp, seat),
                Err(error) => {
                    tracing::warn!(%error, "a connection could not be accepted");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    fn admit(&self, tcp: TcpStream, seat: OwnedSemaphorePermit) -> Connection {
        // Where the option cannot be set, answers are only slower.
        let _ = tcp.set_nodelay(true);
        self.open.inc();
        Connection {
            tcp,
            silent: Some(Silent {
                stop: Box::pin(self.stop.clone().cancelled_owned()),
                patience: Box::pin(tokio::time::sleep(FIRST_WORD)),
            }),
            cut: Box::pin(self.cut.clone().cancelled_owned()),
            _seat: seat,
            open: self.open.clone(),
        }
    }
}

/// A connection that holds its seat until it is dropped.
pub struct Connection {
    tcp: TcpStream,
    /// Until its first word.
    silent: Option<Silent>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
    _seat: OwnedSemaphorePermit,
    open: Gauge,
}

/// A connection that has said nothing yet has nothing to lose: it goes when the door closes, and when it
/// takes too long. (hyper would wait for its first bytes for ever, also while draining.)
struct Silent {
    stop: Pin<Box<WaitForCancellationFutureOwned>>,
    patience: Pin<Box<tokio::time::Sleep>>,
}

impl Connection {
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Poll<io::Error> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(io::ErrorKind::ConnectionAborted.into());
        }
        if let Some(silent) = &mut self.silent {
            if silent.stop.as_mut().poll(cx).is_ready() {
                return Poll::Ready(io::ErrorKind::ConnectionAborted.into());
            }
            if silent.patience.as_mut().poll(cx).is_ready() {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
        }
        Poll::Pending
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        match Pin::new(&mut self.tcp).poll_read(cx, buf) {
            Poll::Ready(read) => {
                if buf.filled().len() > before {
                    self.silent = None;
                }
                Poll::Ready(read)
            }
            Poll::Pending => self.poll_end(cx).map(Err),
        }
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

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.tcp.connect_info()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.dec();
    }
}
