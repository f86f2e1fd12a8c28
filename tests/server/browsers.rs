//! gRPC-Web over plain HTTP/1, as a browser sends it.

use crate::support::{options, start};
use eile::api::server::ServerOptions;
use prost::Message;
use std::net::SocketAddr;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const PATH: &str = "/eile.v1.RegistrationService/GetRegistration";
pub const OURS: &str = "https://sign-up.example.org";

/// Sends a request and reads all of the answer, in lower case where it is text.
pub async fn http(address: SocketAddr, head: &str, body: &[u8]) -> String {
    let mut tcp = TcpStream::connect(address).await.unwrap();
    let length = body.len();
    let head = format!("{head}Host: eile\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n");
    tcp.write_all(head.as_bytes()).await.unwrap();
    tcp.write_all(body).await.unwrap();
    let mut answer = Vec::new();
    tcp.read_to_end(&mut answer).await.unwrap();
    String::from_utf8_lossy(&answer).to_lowercase()
}

pub fn message(name: &str) -> Vec<u8> {
    let request = eile::api::proto::GetRegistrationRequest { name: name.to_owned(), ..Default::default() };
    let bytes = request.encode_to_vec();
    let mut framed = vec![0];
    framed.extend((bytes.len() as u32).to_be_bytes());
    framed.extend(bytes);
    framed
}

pub fn post(origin: &str) -> String {
    format!("POST {PATH} HTTP/1.1\r\nContent-Type: application/grpc-web+proto\r\nX-Grpc-Web: 1\r\nOrigin: {origin}\r\n")
}

fn preflight(origin: &str) -> String {
    format!(
        "OPTIONS {PATH} HTTP/1.1\r\nOrigin: {origin}\r\nAccess-Control-Request-Method: POST\r\n\
         Access-Control-Request-Headers: content-type,x-grpc-web,grpc-timeout,eile-vouches\r\n"
    )
}

#[tokio::test]
async fn a_browser_of_a_site_that_is_named_may_call() {
    let server = start(options()).await;
    let address = server.running.address();
    let answer = http(address, &preflight(OURS), &[]).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("access-control-allow-origin: {OURS}")), "{answer}");
    assert!(answer.contains("access-control-max-age: 7200"), "{answer}");
    for header in ["content-type", "x-grpc-web", "grpc-timeout", "eile-vouches"] {
        let allowed = answer.lines().find(|l| l.starts_with("access-control-allow-headers")).unwrap();
        assert!(allowed.contains(header), "{allowed}");
    }

    let answer = http(address, &post(OURS), &message("any")).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    let exposed = answer.lines().find(|l| l.starts_with("access-control-expose-headers")).unwrap();
    for header in ["grpc-status", "grpc-message", "grpc-status-details-bin"] {
        assert!(exposed.contains(header), "{exposed}");
    }
    assert!(answer.contains("content-type: application/grpc-web+proto"), "{answer}");
    assert!(answer.contains("grpc-status:0"), "{answer}");
}

#[tokio::test]
async fn a_no_of_the_server_itself_reaches_a_browser_as_grpc_web() {
    let server = start(ServerOptions { deadline_max: std::time::Duration::from_millis(100), ..options() }).await;
    let answer = http(server.running.address(), &post(OURS), &message("slow")).await;
    assert!(answer.starts_with("http/1.1 200"), "{answer}");
    assert!(answer.contains(&format!("access-control-allow-origin: {OURS}")), "{answer}");
    assert!(answer.contains("content-type: application/grpc-web+proto"), "{answer}");
    assert!(answer.contains("grpc-status: 4") || answer.contains("grpc-status:4"), "{answer}");
    assert!(answer.contains("grpc-status-details-bin"), "{answer}");
}

#[tokio::test]
async fn a_browser_of_any_other_site_may_not_even_without_asking_first() {
    let closed = start(ServerOptions { cors_origins: Vec::new(), ..options() }).await;
    let open = start(options()).await;
    for (server, origin) in [(&closed, OURS), (&open, "https://elsewhere.example"), (&open, "null")] {
        let answer = http(server.running.address(), &preflight(origin), &[]).await;
        assert!(!answer.contains("access-control-allow-origin"), "{answer}");
        let answer = http(server.running.address(), &post(origin), &message("panic")).await;
        assert!(answer.starts_with("http/1.1 403"), "{answer}");
    }
}

#[tokio::test]
async fn plain_http_is_no_call() {
    let server = start(options()).await;
    let answer = http(server.running.address(), "GET / HTTP/1.1\r\n", &[]).await;
    assert!(answer.starts_with("http/1.1 400"), "{answer}");
}
