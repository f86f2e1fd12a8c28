//! TLS on the port: who comes in, what a handshake may cost, and certificates that are renewed.

use crate::authority::{Authority, Pair, Written};
use crate::connections::{becomes, metric};
use crate::frames::{self, PREFACE};
use crate::support::{TestServer, get, options, start_over, watch};
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use eile::api::server::ServerOptions;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::{ClientConfig, HandshakeKind, RootCertStore};
use tonic::transport::{Channel, ClientTlsConfig, Error};

const MOMENT: Duration = Duration::from_millis(800);
/// Longer than the files may go without a look, and twice.
const LONG: Duration = Duration::from_secs(8);

async fn client(server: &TestServer, config: ClientTlsConfig) -> Result<RegistrationServiceClient<Channel>, Error> {
    let url = format!("https://{}", server.running.address());
    let channel = Channel::from_shared(url).unwrap().tls_config(config).unwrap().connect().await?;
    Ok(RegistrationServiceClient::new(channel))
}

/// Whether a call is answered. With TLS 1.3 a client hears only then that its certificate is not taken.
async fn is_answered(server: &TestServer, config: ClientTlsConfig) -> bool {
    match client(server, config).await {
        Ok(mut client) => client.get_registration(get("any")).await.is_ok(),
        Err(_) => false,
    }
}

/// A handshake by hand, and nothing after it.
async fn shake_hands(server: &TestServer, authority: &Authority) -> TlsStream<TcpStream> {
    agree(TcpStream::connect(server.running.address()).await.unwrap(), &trusting(authority)).await
}

#[tokio::test]
async fn calls_come_over_tls_and_never_in_plain_text() {
    let authority = Authority::new();
    let written = Written::new(&authority.server());
    let server = start_over(options(), Some(written.files())).await;
    assert!(is_answered(&server, authority.trusted(None)).await);
    assert!(!is_answered(&server, Authority::new().trusted(None)).await, "no other authority vouches for it");
    let mut plain = TcpStream::connect(server.running.address()).await.unwrap();
    plain.write_all(PREFACE).await.unwrap();
    assert!(frames::is_closed(&mut plain, LONG).await, "plain text is not heard");
    let url = format!("http://{}", server.running.address());
    let channel = Channel::from_shared(url).unwrap().connect().await;
    let heard = match channel {
        Ok(channel) => RegistrationServiceClient::new(channel).get_registration(get("any")).await.is_ok(),
        Err(_) => false,
    };
    assert!(!heard);
    assert!(metric(&server, "eile_tls_handshakes_failed_total") >= 2);
    // The year that the authority writes into its certificates.
    assert_eq!(metric(&server, "eile_tls_certificate_expires_seconds"), 4_102_444_800);
}

#[tokio::test]
async fn a_handshake_that_does_not_end_is_cut_with_the_greeting_and_gives_its_seat_back() {
    let authority = Authority::new();
    let written = Written::new(&authority.server());
    let few = ServerOptions { greeting: MOMENT, connections_per_address_max: 3, ..options() };
    let server = start_over(few, Some(written.files())).await;
    let begun = Instant::now();
    // The head of a message that never comes whole, and nothing at all.
    let mut open = Vec::new();
    for words in [[0x16, 3, 1, 2, 0, 1].as_slice(), &[]] {
        let mut half = TcpStream::connect(server.running.address()).await.unwrap();
        half.write_all(words).await.unwrap();
        open.push(half);
    }
    becomes(&server, "eile_connections", 2).await;
    let _third = shake_hands(&server, &authority).await;
    let mut fourth = TcpStream::connect(server.running.address()).await.unwrap();
    assert!(frames::is_closed(&mut fourth, MOMENT / 2).await, "each counts for its address");
    assert!(begun.elapsed() < MOMENT);
    for half in &mut open {
        assert!(frames::is_closed(half, LONG).await, "it holds its seat");
    }
    assert!(begun.elapsed() >= MOMENT && begun.elapsed() < 2 * MOMENT, "{:?}", begun.elapsed());
    becomes(&server, "eile_connections", 0).await;
}

#[tokio::test]
async fn the_handshake_counts_within_the_time_for_the_greeting() {
    let authority = Authority::new();
    let written = Written::new(&authority.server());
    let server = start_over(ServerOptions { greeting: MOMENT, ..options() }, Some(written.files())).await;
    let mut honest = shake_hands(&server, &authority).await;
    honest.write_all(PREFACE).await.unwrap();
    // A connection that nobody speaks on for most of the time, and then agrees on TLS and says no more.
    let tcp = TcpStream::connect(server.running.address()).await.unwrap();
    let begun = Instant::now();
    tokio::time::sleep(MOMENT * 3 / 4).await;
    let mut slow = agree(tcp, &trusting(&authority)).await;
    let mut rest = Vec::new();
    let closed = tokio::time::timeout(LONG, slow.read_to_end(&mut rest)).await;
    assert!(closed.is_ok() && begun.elapsed() < MOMENT * 3 / 2, "{:?}", begun.elapsed());
    let mut one = [0];
    let heard = tokio::time::timeout(MOMENT / 4, async { while honest.read(&mut one).await.unwrap() > 0 {} });
    assert!(heard.await.is_err(), "whoever has said it may take its time");
}

#[tokio::test]
async fn a_renewed_certificate_is_spoken_with_from_the_next_connection_on_and_streams_stay_open() {
    let (old, new) = (Authority::new(), Authority::new());
    let written = Written::new(&old.server());
    let server = start_over(options(), Some(written.files())).await;
    let mut stream = client(&server, old.trusted(None)).await.unwrap();
    let mut stream = stream.watch_event(watch()).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    let pair = new.server();
    written.write(&pair.certificate, &pair.key);
    until(async || is_answered(&server, new.trusted(None)).await).await;
    assert!(!is_answered(&server, old.trusted(None)).await, "the old one is not spoken with any more");
    let more = tokio::time::timeout(MOMENT, stream.message()).await;
    assert!(more.is_err(), "the stream goes on: {more:?}");
}

#[tokio::test]
async fn a_pair_that_does_not_serve_is_told_and_what_was_there_before_goes_on() {
    let authority = Authority::new();
    let good = authority.server();
    let written = Written::new(&good);
    let server = start_over(options(), Some(written.files())).await;
    let other = Authority::new();
    let expired = other.certificate(rcgen::ExtendedKeyUsagePurpose::ServerAuth, 2020);
    let another = other.server();
    let wrong = [
        Pair { certificate: another.certificate.clone(), key: good.key.clone() },
        Pair { certificate: "no certificate".to_owned(), key: another.key.clone() },
        expired,
    ];
    for pair in wrong {
        written.write(&pair.certificate, &pair.key);
        until(async || metric(&server, "eile_tls_files_broken") == 1).await;
        assert!(is_answered(&server, authority.trusted(None)).await);
        written.write(&good.certificate, &good.key);
        until(async || metric(&server, "eile_tls_files_broken") == 0).await;
    }
    std::fs::remove_file(written.path("key.pem")).unwrap();
    until(async || metric(&server, "eile_tls_files_broken") == 1).await;
    assert!(is_answered(&server, authority.trusted(None)).await);
}

#[tokio::test]
async fn clients_show_a_certificate_that_counts_or_none() {
    let (authority, clients) = (Authority::new(), Authority::new());
    let written = Written::new(&authority.server());
    let server = start_over(options(), Some(written.files_with(&clients))).await;
    assert!(is_answered(&server, authority.trusted(None)).await, "nobody has to show one");
    assert!(is_answered(&server, authority.trusted(Some(&clients.client(2100)))).await);
    assert!(!is_answered(&server, authority.trusted(Some(&clients.client(2020)))).await, "it has expired");
    let stranger = Authority::new().client(2100);
    assert!(!is_answered(&server, authority.trusted(Some(&stranger))).await, "its authority is not known");
    let server_only = clients.server();
    assert!(!is_answered(&server, authority.trusted(Some(&server_only))).await, "it is not for clients");
}

#[tokio::test]
async fn no_session_is_taken_up_again_without_a_look_at_who_comes() {
    let authority = Authority::new();
    let written = Written::new(&authority.server());
    let server = start_over(options(), Some(written.files())).await;
    let config = trusting(&authority);
    for _ in 0..3 {
        let tcp = TcpStream::connect(server.running.address()).await.unwrap();
        let mut stream = agree(tcp, &config).await;
        // Tickets come after the handshake.
        let mut bytes = [0; 64];
        let _ = tokio::time::timeout(MOMENT / 4, stream.read(&mut bytes)).await;
        assert_eq!(stream.get_ref().1.handshake_kind(), Some(HandshakeKind::Full));
    }
}

fn trusting(authority: &Authority) -> Arc<ClientConfig> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(authority.pem.as_bytes()).unwrap()).unwrap();
    let provider = Arc::new(tokio_rustls::rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    Arc::new(config.with_root_certificates(roots).with_no_client_auth())
}

/// The handshake over a connection that is open already.
async fn agree(tcp: TcpStream, config: &Arc<ClientConfig>) -> TlsStream<TcpStream> {
    let connector = TlsConnector::from(Arc::clone(config));
    connector.connect("127.0.0.1".try_into().unwrap(), tcp).await.unwrap()
}

async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let patience = Instant::now() + LONG;
    while !is_so().await {
        assert!(Instant::now() < patience, "it did not come about");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
