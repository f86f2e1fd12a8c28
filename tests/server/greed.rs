//! Calls that want more than their share: bodies that never end, streams without number, answers that nobody
//! takes, more calls than an address may make, more than can be in work.

use crate::frames;
use crate::support::{TestServer, get, options, reason, start, watch};
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use eile::api::server::ServerOptions;
use h2::client::SendRequest;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::codegen::{Bytes, http};
use tonic::{Code, Status};
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;
use tonic_types::StatusExt;

const MOMENT: Duration = Duration::from_millis(400);
const LONG: Duration = Duration::from_secs(4);
const GET: &str = "GetRegistration";

/// A client of HTTP/2 that can do what those of gRPC would not.
async fn bare(server: &TestServer, window: u32) -> SendRequest<Bytes> {
    let socket = TcpStream::connect(server.running.address()).await.unwrap();
    let (client, connection) = h2::client::Builder::new().initial_window_size(window).handshake(socket).await.unwrap();
    tokio::spawn(connection);
    client
}

fn post(method: &str) -> http::Request<()> {
    let uri = format!("http://here/eile.v1.RegistrationService/{method}");
    let request = http::Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
    request.body(()).unwrap()
}

fn again_after(status: &Status) -> Duration {
    status.get_error_details().retry_info().and_then(|info| info.retry_delay).expect("it should say when")
}

/// Tries until it is let in: what an ended stream held is given back a moment later.
async fn is_let_in(client: &mut RegistrationServiceClient<tonic::transport::Channel>) {
    let begun = Instant::now();
    while let Err(status) = client.watch_event(watch()).await {
        assert_eq!(reason(&status).0, "TOO_MANY_STREAMS");
        assert!(begun.elapsed() < LONG, "the seat is not given back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test]
async fn a_body_that_does_not_arrive_ends_its_call_at_the_deadline_and_gives_its_seat_back() {
    let server = start(ServerOptions { deadline_max: MOMENT, concurrency_max: 1, ..options() }).await;
    let bare = bare(&server, 65_535).await;
    let mut honest = server.client().await;
    // Nothing; a beginning; and byte after byte.
    for (first, drips) in [(&[][..], false), (&[0, 0, 0, 0, 100, 1][..], false), (&[0, 0, 0, 0, 100][..], true)] {
        let begun = Instant::now();
        let (answer, mut body) = bare.clone().ready().await.unwrap().send_request(post(GET), false).unwrap();
        body.send_data(Bytes::copy_from_slice(first), false).unwrap();
        let drip = tokio::spawn(async move {
            while drips && body.send_data(Bytes::from_static(b"x"), false).is_ok() {
                tokio::time::sleep(MOMENT / 20).await;
            }
            std::future::pending::<()>().await;
        });
        tokio::time::sleep(MOMENT / 4).await;
        let status = honest.get_registration(get("any")).await.unwrap_err();
        assert_eq!(reason(&status).0, "OVERLOADED", "the one seat is taken");
        let answer = tokio::time::timeout(LONG, answer).await.expect("it should be answered").unwrap();
        assert_eq!(answer.headers()["grpc-status"], "4");
        assert!(begun.elapsed() >= MOMENT, "{:?}", begun.elapsed());
        honest.get_registration(get("any")).await.unwrap();
        drip.abort();
    }
}

#[tokio::test]
async fn a_body_over_http_1_that_does_not_arrive_ends_its_call_too() {
    let server = start(ServerOptions { deadline_max: MOMENT, concurrency_max: 1, ..options() }).await;
    let mut socket = TcpStream::connect(server.running.address()).await.unwrap();
    let head = format!("{}host: here\r\ncontent-length: 100\r\n\r\n\0", crate::browsers::post(crate::browsers::OURS));
    socket.write_all(head.as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    tokio::time::timeout(LONG, async {
        while !String::from_utf8_lossy(&answer).contains("grpc-status: 4") {
            let mut bytes = [0; 1024];
            let n = socket.read(&mut bytes).await.unwrap();
            assert_ne!(n, 0, "{}", String::from_utf8_lossy(&answer));
            answer.extend(&bytes[..n]);
        }
    })
    .await
    .expect("it should be answered");
    server.client().await.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn messages_that_do_not_come_whole_have_so_much_memory_together() {
    let server = start(ServerOptions { arriving_bytes_max: 64 << 10, ..options() }).await;
    let mut bare = bare(&server, 65_535).await.ready().await.unwrap();
    let mut honest = server.client().await;
    // Each says that its message is of 48 KiB, and sends most of it.
    let beginning = || Bytes::from([&[0, 0, 0, 0xc0, 0][..], &[1; 40 << 10]].concat());
    let (first, mut first_body) = bare.send_request(post(GET), false).unwrap();
    first_body.send_data(beginning(), false).unwrap();
    let mut bare = bare.ready().await.unwrap();
    tokio::time::sleep(MOMENT).await;
    honest.get_registration(get("any")).await.unwrap();
    let (second, mut second_body) = bare.send_request(post(GET), false).unwrap();
    second_body.send_data(beginning(), false).unwrap();
    let answer = tokio::time::timeout(LONG, second).await.expect("it should be told to come again").unwrap();
    assert_eq!(answer.headers()["grpc-status"], "14");
    assert!(answer.headers().contains_key("grpc-status-details-bin"), "{answer:?}");
    // What the first holds comes back when it gives up.
    first_body.send_reset(h2::Reason::CANCEL);
    drop(first);
    tokio::time::sleep(MOMENT).await;
    honest.get_registration(get(&"x".repeat(60 << 10))).await.unwrap();
}

/// A question to reflection with a name of so many bytes.
fn asks_for(symbol: usize) -> Bytes {
    let length = u32::try_from(symbol + 3).unwrap().to_be_bytes();
    // Field 4, file_containing_symbol.
    let size = [(symbol & 0x7f) as u8 | 0x80, (symbol >> 7) as u8];
    Bytes::from([&[0][..], &length, &[0x22], &size, &vec![b'x'; symbol]].concat())
}

#[tokio::test]
async fn a_stream_of_reflection_whose_answers_nobody_takes_keeps_nobody_from_reading() {
    let server = start(options()).await;
    let bare = bare(&server, 0).await;
    let mut open = Vec::new();
    // As many as can be read at once, and more.
    for symbol in [5 << 10, 3 << 10].repeat(16) {
        let uri = "http://here/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
        let ask = http::Request::post(uri).header("content-type", "application/grpc").header("te", "trailers");
        let (answer, mut body) =
            bare.clone().ready().await.unwrap().send_request(ask.body(()).unwrap(), false).unwrap();
        for _ in 0..4 {
            let _ = body.send_data(asks_for(symbol), false);
        }
        open.push((answer, body));
    }
    tokio::time::sleep(MOMENT).await;
    let mut honest = server.client().await;
    for _ in 0..3 {
        let answer = tokio::time::timeout(LONG, honest.get_registration(get(&"x".repeat(20 << 10)))).await;
        answer.expect("it waits for somebody who takes nothing").unwrap();
    }
}

#[tokio::test]
async fn streams_beyond_the_limit_are_refused_with_their_reason_and_a_seat_comes_back_however_a_stream_ends() {
    let server = start(ServerOptions { streams_max: 2, ..options() }).await;
    let mut client = server.client().await;
    let mut here = Vec::new();
    for _ in 0..2 {
        let mut stream = client.watch_event(watch()).await.unwrap().into_inner();
        stream.message().await.unwrap();
        here.push(stream);
    }
    assert!(server.metrics().contains("eile_streams 2"), "{}", server.metrics());
    for _ in 0..3 {
        let status = client.watch_event(watch()).await.unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted);
        let (reason, facts) = reason(&status);
        assert_eq!((reason.as_str(), facts["limit"].as_str()), ("TOO_MANY_STREAMS", "2"));
        assert!(again_after(&status) > Duration::ZERO);
    }
    // Single answers and the health of the service are told all the same.
    client.get_registration(get("any")).await.unwrap();
    let mut health = HealthClient::new(server.channel().await);
    let mut told = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    told.message().await.unwrap();

    // Its reader lets go.
    here.pop();
    is_let_in(&mut client).await;
    // Its deadline passes.
    let mut bounded = watch();
    bounded.metadata_mut().insert("grpc-timeout", "200m".parse().unwrap());
    let mut ends = client.watch_event(bounded).await.unwrap().into_inner();
    ends.message().await.unwrap();
    assert_eq!(reason(&ends.message().await.unwrap_err()).0, "DEADLINE_EXCEEDED");
    is_let_in(&mut client).await;
    // Its connection is gone.
    let mut other = server.client().await;
    let gone = other.watch_event(watch()).await.unwrap();
    assert_eq!(reason(&client.watch_event(watch()).await.unwrap_err()).0, "TOO_MANY_STREAMS");
    drop((gone, other));
    is_let_in(&mut client).await;
}

#[tokio::test]
async fn an_answer_that_nobody_takes_is_given_up_and_the_others_on_its_connection_go_on() {
    let server = start(ServerOptions { patience: MOMENT, streams_max: 1, ..options() }).await;
    let mut bare = bare(&server, 0).await.ready().await.unwrap();
    let (answer, mut body) = bare.send_request(post("WatchEvent"), false).unwrap();
    body.send_data(Bytes::from_static(&[0; 5]), true).unwrap();
    let mut answer = answer.await.unwrap().into_body();
    assert!(server.metrics().contains("eile_streams 1"), "{}", server.metrics());
    let end = tokio::time::timeout(LONG, answer.data()).await.expect("it should be given up").unwrap().unwrap_err();
    assert!(end.is_reset(), "{end:?}");
    is_let_in(&mut server.client().await).await;
    // An answer without a body needs no window.
    let mut bare = bare.ready().await.unwrap();
    let (answer, mut body) = bare.send_request(post("Nothing"), false).unwrap();
    body.send_data(Bytes::from_static(&[0; 5]), true).unwrap();
    assert_eq!(answer.await.unwrap().headers()["grpc-status"], "12");
}

#[tokio::test]
async fn an_address_makes_so_many_calls_a_second_and_is_told_when_to_make_the_next() {
    let server = start(ServerOptions { calls_per_second: 5, ..options() }).await;
    let mut client = server.client().await;
    let mut another_connection = server.client().await;
    let mut refused = None;
    for _ in 0..8 {
        refused = client.get_registration(get("any")).await.err();
    }
    let status = refused.expect("eight at once are too many");
    assert_eq!((status.code(), reason(&status).0.as_str()), (Code::ResourceExhausted, "TOO_MANY_CALLS"));
    let status = another_connection.get_registration(get("any")).await.unwrap_err();
    assert_eq!(reason(&status).0, "TOO_MANY_CALLS");
    let mut health = HealthClient::new(server.channel().await);
    health.check(HealthCheckRequest::default()).await.unwrap();
    // Another address is not held to it.
    assert_eq!(answer_elsewhere(&server).await, None);
    let wait = again_after(&status);
    assert!(wait <= Duration::from_millis(200), "{wait:?}");
    tokio::time::sleep(wait).await;
    client.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn an_address_has_so_many_open_calls_and_others_find_seats() {
    let server = start(ServerOptions { calls_per_address_max: 2, ..options() }).await;
    let mut client = server.client().await;
    let mut another_connection = server.client().await;
    let first = client.watch_event(watch()).await.unwrap();
    let _second = another_connection.watch_event(watch()).await.unwrap();
    for client in [&mut client, &mut another_connection] {
        for status in
            [client.watch_event(watch()).await.unwrap_err(), client.get_registration(get("any")).await.unwrap_err()]
        {
            assert_eq!((status.code(), reason(&status).0.as_str()), (Code::ResourceExhausted, "TOO_MANY_CALLS"));
            assert!(again_after(&status) > Duration::ZERO);
        }
    }
    assert_eq!(answer_elsewhere(&server).await, None);
    drop(first);
    let begun = Instant::now();
    while let Err(status) = client.get_registration(get("any")).await {
        assert!(begun.elapsed() < LONG, "{status:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What a call from another address is refused with, if it is.
async fn answer_elsewhere(server: &TestServer) -> Option<String> {
    let socket = frames::from([127, 0, 0, 2], server.running.address()).await;
    let (client, connection) = h2::client::handshake(socket).await.unwrap();
    tokio::spawn(connection);
    let (answer, mut body) = client.ready().await.unwrap().send_request(post(GET), false).unwrap();
    body.send_data(Bytes::from_static(&[0; 5]), true).unwrap();
    answer.await.unwrap().headers().get("grpc-status").map(|status| status.to_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_connection_has_so_many_open_calls_and_those_beyond_are_not_heard() {
    let server = start(ServerOptions { streams_per_connection_max: 3, ..options() }).await;
    let mut socket = TcpStream::connect(server.running.address()).await.unwrap();
    // The limit is told before anything else.
    socket.write_all(frames::PREFACE).await.unwrap();
    socket.write_all(frames::SETTINGS).await.unwrap();
    let settings = frames::next(&mut socket).await.unwrap().payload;
    assert!(settings.chunks(6).any(|setting| setting == [0, 3, 0, 0, 0, 3]), "{settings:?}");
    let mut client = server.client().await;
    let mut open = Vec::new();
    for _ in 0..3 {
        open.push(client.watch_event(watch()).await.unwrap());
    }
    let waits = tokio::time::timeout(MOMENT, client.get_registration(get("any"))).await;
    assert!(waits.is_err(), "{waits:?}");
    open.pop();
    client.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn a_connection_that_resets_its_calls_before_they_are_heard_is_sent_away() {
    let server = start(options()).await;
    let mut socket = TcpStream::connect(server.running.address()).await.unwrap();
    let calls = (0..60).flat_map(|n| frames::begun_and_reset(2 * n + 1));
    let words: Vec<u8> = [frames::PREFACE, frames::SETTINGS].concat().into_iter().chain(calls).collect();
    socket.write_all(&words).await.unwrap();
    let heard = tokio::time::timeout(LONG, frames::until_closed(&mut socket)).await.expect("it should be sent away");
    let last = heard.iter().rev().find(|frame| frame.kind == frames::GOAWAY).expect("it should be told");
    // ENHANCE_YOUR_CALM.
    assert_eq!(last.payload[4..8], [0, 0, 0, 11], "{heard:?}");
    server.client().await.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn headers_over_the_limit_are_refused_and_the_connection_goes_on() {
    let server = start(options()).await;
    let mut client = server.client().await;
    let mut request = get("any");
    request.metadata_mut().insert("x-much", "x".repeat(64 << 10).parse().unwrap());
    client.get_registration(request).await.unwrap_err();
    client.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn calls_beyond_those_in_work_are_answered_at_once_and_never_wait_for_them() {
    let server = start(ServerOptions { concurrency_max: 1, ..options() }).await;
    let client = server.client().await;
    let mut other = client.clone();
    let held = tokio::spawn(async move { other.get_registration(get("held")).await });
    server.canned.arrived.notified().await;
    let begun = Instant::now();
    let calls: Vec<_> = (0..300)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { client.get_registration(get("any")).await.unwrap_err() })
        })
        .collect();
    for call in calls {
        let status = call.await.unwrap();
        assert_eq!((status.code(), reason(&status).0.as_str()), (Code::Unavailable, "OVERLOADED"));
    }
    assert!(begun.elapsed() < LONG && !held.is_finished(), "{:?}", begun.elapsed());
    server.canned.let_go.notify_one();
    held.await.unwrap().unwrap();
}
