//! TLS on the port: a certificate and its key from files, and perhaps who vouches for certificates of clients. The files
//! are looked at every few seconds, so that a renewed certificate needs no restart (docs/decisions/0019).

mod files;
mod renew;
mod x509;

pub use files::{Files, TlsError};
pub use x509::fingerprint_of_pem;

use crate::clock::Clock;
use crate::model::time::Timestamp;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::registry::Registry;
use renew::{Keeper, Meters};
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

/// TLS as the port speaks it now.
#[derive(Clone)]
pub struct Tls {
    current: watch::Receiver<Arc<ServerConfig>>,
    clock: Arc<dyn Clock>,
    failed: Counter,
    expires: Timestamp,
    asks_clients: bool,
}

/// The certificate that a client has shown, and holds the key of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientCertificate {
    pub sha256: [u8; 32],
    /// When it expires, and with it the connection that shows it.
    pub until: Instant,
}

impl Tls {
    /// Reads the files, and goes on looking at them for as long as somebody has what is given back.
    pub fn open(files: Files, clock: Arc<dyn Clock>, registry: &mut Registry) -> Result<Self, TlsError> {
        let contents = files.read()?;
        let loaded = files.load(&contents)?;
        let (expires, asks_clients) = (loaded.expires, files.client_ca.is_some());
        let failed = Counter::default();
        let help = "Connections that ended before they had agreed on TLS";
        registry.register("eile_tls_handshakes_failed", help, failed.clone());
        let meters = Meters::new(registry);
        let (sender, current) = watch::channel(loaded.config);
        let keeper = Keeper::new(files, contents, expires, Arc::clone(&clock), meters);
        tokio::spawn(keeper.keep(sender));
        Ok(Self { current, clock, failed, expires, asks_clients })
    }

    /// When the certificate that was there at the start expires.
    pub fn expires(&self) -> Timestamp {
        self.expires
    }

    /// Whether clients may show certificates of their own.
    pub fn asks_clients(&self) -> bool {
        self.asks_clients
    }

    /// Agrees with whoever is at the other end; how long that may take is up to the caller.
    pub async fn accept(&self, tcp: TcpStream) -> io::Result<TlsStream<TcpStream>> {
        let config = Arc::clone(&self.current.borrow());
        TlsAcceptor::from(config).accept(tcp).await
    }

    /// Whose certificate this connection shows, if any. It was verified with the handshake.
    pub fn shown_on(&self, stream: &TlsStream<TcpStream>) -> Option<ClientCertificate> {
        let certificate = stream.get_ref().1.peer_certificates()?.first()?;
        let left = x509::expires(certificate)?.since(self.clock.now()).0;
        let until = Instant::now().checked_add(Duration::from_micros(u64::try_from(left).unwrap_or_default()))?;
        Some(ClientCertificate { sha256: x509::fingerprint(certificate), until })
    }

    /// Somebody did not come so far.
    pub fn has_failed(&self) {
        self.failed.inc();
    }
}
