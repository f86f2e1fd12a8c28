//! Where the issuer's keys come from: a file, an address, or where the issuer's own page says that they are. What is fetched
//! is bounded in bytes and time, and nobody is followed elsewhere.

use super::Fault;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, CONNECTION, HOST, USER_AGENT};
use hyper::{Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use serde::Deserialize;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::ServerName;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

/// The longest set of keys, and the longest page of an issuer.
const BYTES_MAX: usize = 256 << 10;
/// How long it may take until all is here.
const PATIENCE: Duration = Duration::from_secs(5);

/// Where the keys are.
#[derive(Clone, Debug)]
pub enum Source {
    File(PathBuf),
    Address(Address),
    /// The page of this issuer, `/.well-known/openid-configuration`, says it.
    Discovery(String, Address),
}

/// An `https://` address, or an `http://` one on loopback, where nobody listens in.
#[derive(Clone, Debug)]
pub struct Address(Uri);

impl Address {
    pub fn read(text: &str) -> Result<Self, String> {
        let uri: Uri =
            text.parse().map_err(|_| format!("{text} is not an address such as https://login.example.org"))?;
        let (Some(scheme), Some(authority)) = (uri.scheme_str(), uri.authority()) else {
            return Err(format!("{text} is not an address such as https://login.example.org"));
        };
        if authority.as_str().contains('@') || text.contains('#') {
            return Err("an address holds no name, no password and no #".to_owned());
        }
        match scheme {
            "https" => Ok(Self(uri)),
            "http" if is_loopback(bare(authority.host())) => Ok(Self(uri)),
            _ => Err(format!("{text} must begin with https://, since it is not on loopback")),
        }
    }

    /// The issuer's own page.
    pub fn of_issuer(issuer: &str) -> Result<Self, String> {
        Self::read(&format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/')))
    }

    fn is_plain(&self) -> bool {
        self.0.scheme_str() == Some("http")
    }

    fn host(&self) -> &str {
        bare(self.0.host().unwrap_or_default())
    }

    fn port(&self) -> u16 {
        self.0.port_u16().unwrap_or(if self.is_plain() { 80 } else { 443 })
    }
}

/// A host without the brackets of IPv6.
fn bare(host: &str) -> &str {
    host.trim_start_matches('[').trim_end_matches(']')
}

fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

pub struct Fetcher {
    source: Source,
    tls: Option<TlsConnector>,
}

/// What is read of an issuer's page.
#[derive(Deserialize)]
struct Page {
    issuer: String,
    jwks_uri: String,
}

impl Fetcher {
    pub fn new(source: Source) -> Result<Self, Fault> {
        let needs_tls = match &source {
            Source::File(_) => false,
            Source::Address(address) | Source::Discovery(_, address) => !address.is_plain(),
        };
        Ok(Self { source, tls: if needs_tls { Some(connector()?) } else { None } })
    }

    /// The set of keys as it is now.
    pub async fn keys(&self) -> Result<Vec<u8>, Fault> {
        let fetched = async {
            match &self.source {
                Source::File(path) => read(path).await,
                Source::Address(address) => self.get(address).await,
                Source::Discovery(issuer, address) => self.discover(issuer, address).await,
            }
        };
        tokio::time::timeout(PATIENCE, fetched).await.map_err(|_| Fault("no answer in time".into()))?
    }

    async fn discover(&self, issuer: &str, address: &Address) -> Result<Vec<u8>, Fault> {
        let page = self.get(address).await?;
        let page: Page =
            serde_json::from_slice(&page).map_err(|_| Fault(format!("{} is no page of an issuer", address.0)))?;
        if page.issuer != issuer {
            return Err(Fault(format!("{} is the page of another issuer", address.0)));
        }
        let keys = Address::read(&page.jwks_uri).map_err(|why| Fault(format!("jwks_uri: {why}")))?;
        if keys.is_plain() && !address.is_plain() {
            return Err(Fault("jwks_uri: the page came by https, and so must the keys".into()));
        }
        self.get(&keys).await
    }

    async fn get(&self, address: &Address) -> Result<Vec<u8>, Fault> {
        let fault = |why: String| Fault(format!("{}: {why}", address.0));
        let socket = TcpStream::connect((address.host(), address.port())).await.map_err(|e| fault(e.to_string()))?;
        if address.is_plain() {
            return exchange(socket, address).await.map_err(fault);
        }
        let connector = self.tls.as_ref().ok_or_else(|| fault("no certificates to trust".into()))?;
        let name = ServerName::try_from(address.host().to_owned()).map_err(|e| fault(e.to_string()))?;
        let socket = connector.connect(name, socket).await.map_err(|e| fault(e.to_string()))?;
        exchange(socket, address).await.map_err(fault)
    }
}

/// One question on a connection of its own.
async fn exchange(
    socket: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    address: &Address,
) -> Result<Vec<u8>, String> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(socket)).await.map_err(|e| e.to_string())?;
    // It ends with this function.
    let mut connections = JoinSet::new();
    connections.spawn(connection);
    let path = address.0.path_and_query().map_or("/", |path| path.as_str());
    let request = Request::get(path)
        .header(HOST, address.0.authority().map_or("", |authority| authority.as_str()))
        .header(ACCEPT, "application/json")
        .header(USER_AGENT, concat!("eile/", env!("CARGO_PKG_VERSION")))
        .header(CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|e| e.to_string())?;
    let answer = sender.send_request(request).await.map_err(|e| e.to_string())?;
    if answer.status() != StatusCode::OK {
        return Err(format!("it answered {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), BYTES_MAX).collect().await;
    Ok(body.map_err(|e| e.to_string())?.to_bytes().to_vec())
}

async fn read(path: &PathBuf) -> Result<Vec<u8>, Fault> {
    let fault = |e: std::io::Error| Fault(format!("{}: {e}", path.display()));
    let mut text = Vec::new();
    let mut file = tokio::fs::File::open(path).await.map_err(fault)?.take(BYTES_MAX as u64 + 1);
    file.read_to_end(&mut text).await.map_err(fault)?;
    if text.len() > BYTES_MAX { Err(Fault(format!("{} is too long", path.display()))) } else { Ok(text) }
}

/// TLS as the system trusts; `SSL_CERT_FILE` names other certificates.
fn connector() -> Result<TlsConnector, Fault> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if roots.is_empty() {
        return Err(Fault("this system has no certificates to trust, and SSL_CERT_FILE names none".into()));
    }
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| Fault(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(TlsConnector::from(Arc::new(config)))
}

#[cfg(test)]
mod tests {
    use super::Address;

    #[test]
    fn plain_http_is_for_loopback_alone() {
        for good in
            ["https://login.example.org/realms/x", "http://127.0.0.1:8080/keys", "http://[::1]:1/", "http://localhost/"]
        {
            assert!(Address::read(good).is_ok(), "{good}");
        }
        for bad in [
            "http://login.example.org/",
            "http://127.0.0.1.example.org/",
            "http://localhost.example.org/",
            "https://user:word@login.example.org/",
            "https://login.example.org/#keys",
            "ftp://127.0.0.1/",
            "/keys",
            "login.example.org",
            "",
        ] {
            assert!(Address::read(bad).is_err(), "{bad}");
        }
    }
}
