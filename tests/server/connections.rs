//! Connections that want something for nothing: that never say what they want, do nothing, or come in crowds.

use crate::frames::{self, GOAWAY, PREFACE, SETTINGS};
use crate::support::{TestServer, get, options, start, watch};
use eile::api::server::ServerOptions;
use std::time::{Duration, Instant};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

const MOMENT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(4);

pub fn metric(server: &TestServer, name: &str) -> u64 {
    let metrics = server.metrics();
    let line = metrics.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with(' ')));
    line.unwrap_or_else(|| panic!("no {name} in:\n{metrics}")).rsplit(' ').next().unwrap().parse().unwrap()
}

/// Waits until the metric has this value.
pub async fn becomes(server: &TestServer, name: &str, value: u64) {
    let begun = Instant::now();
    while metric(server, name) != value {
        assert!(begun.elapsed() < LONG, "{name} is {} and not {value}", metric(server, name));
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_connection_that_does_not_say_in_time_what_it_speaks_is_cut_however_many_bytes_it_sends() {
    let server = start(ServerOptions { greeting: MOMENT, ..options() }).await;
    let address = server.running.address();
    let mut honest = TcpStream::connect(address).await.unwrap();
    honest.write_all(PREFACE).await.unwrap();
    honest.write_all(SETTINGS).await.unwrap();
    let head = b"POST /eile.v1.RegistrationService/GetRegistration HTTP/1.1\r\nhost: here\r\n".as_slice();
    for words in [b"".as_slice(), PREFACE, head] {
        let begun = Instant::now();
        let (mut reads, mut writes) = TcpStream::connect(address).await.unwrap().into_split();
        // Some bytes at a time, and never the last one.
        let drip = tokio::spawn(async move {
            for byte in words.iter().take(words.len().saturating_sub(1)) {
                let _ = writes.write_all(&[*byte]).await;
                tokio::time::sleep(MOMENT / 10).await;
            }
            std::future::pending::<()>().await;
        });
        let mut rest = Vec::new();
        let closed = tokio::time::timeout(LONG, tokio::io::AsyncReadExt::read_to_end(&mut reads, &mut rest)).await;
        drip.abort();
        assert!(closed.is_ok(), "{:?} holds its seat", String::from_utf8_lossy(words));
        assert!(begun.elapsed() >= MOMENT, "{:?}", begun.elapsed());
    }
    // Whoever has said it may take its time.
    assert!(!frames::is_closed(&mut honest, MOMENT).await);
    assert_eq!(metric(&server, "eile_connections"), 1);
}

#[tokio::test]
async fn a_connection_without_an_open_call_is_asked_to_go_after_a_while() {
    let server = start(ServerOptions { idle: MOMENT, ..options() }).await;
    let mut idle = TcpStream::connect(server.running.address()).await.unwrap();
    let begun = Instant::now();
    idle.write_all(PREFACE).await.unwrap();
    idle.write_all(SETTINGS).await.unwrap();
    let heard = tokio::time::timeout(LONG, frames::until_closed(&mut idle)).await.expect("it should be sent away");
    assert!(begun.elapsed() >= MOMENT, "{:?}", begun.elapsed());
    // In order: the last stream that was heard, and no error.
    let last = heard.iter().rev().find(|frame| frame.kind == GOAWAY).expect("it should be told");
    assert_eq!(last.payload[..8], [0; 8], "{heard:?}");
    becomes(&server, "eile_connections", 0).await;
}

#[tokio::test]
async fn a_connection_with_an_open_watch_is_not_idle_until_the_watch_ends() {
    let server = start(ServerOptions { idle: MOMENT, ..options() }).await;
    let mut client = server.client().await;
    let mut stream = client.watch_event(watch()).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    let more = tokio::time::timeout(3 * MOMENT, stream.message()).await;
    assert!(more.is_err(), "the watch should go on: {more:?}");
    // Nobody asked it to go: the next call comes on the same connection.
    client.get_registration(get("any")).await.unwrap();
    assert_eq!(metric(&server, "eile_connections"), 1);
    drop(stream);
    becomes(&server, "eile_connections", 0).await;
    // Its client comes again without having noticed.
    client.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn an_address_has_so_many_connections_and_the_next_is_closed_at_once() {
    let server = start(ServerOptions { connections_per_address_max: 2, ..options() }).await;
    let address = server.running.address();
    let mut here = Vec::new();
    for _ in 0..2 {
        here.push(frames::from([127, 0, 0, 2], address).await);
    }
    becomes(&server, "eile_connections", 2).await;
    assert!(frames::is_closed(&mut frames::from([127, 0, 0, 2], address).await, LONG).await);
    assert_eq!(metric(&server, "eile_connections_refused_total"), 1);
    for socket in &mut here {
        assert!(!frames::is_closed(socket, MOMENT / 4).await, "who was there first stays");
    }
    // Others have their own.
    server.client().await.get_registration(get("any")).await.unwrap();
    here.pop();
    becomes(&server, "eile_connections", 1).await;
    let mut next = frames::from([127, 0, 0, 2], address).await;
    next.write_all(PREFACE).await.unwrap();
    next.write_all(SETTINGS).await.unwrap();
    assert!(frames::next(&mut next).await.is_some());
}
