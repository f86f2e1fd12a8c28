//! Deadlines, load shed, messages that are too large or cannot be read, panics, methods that do not exist.

use crate::browsers::{OURS, http, message, post};
use crate::heard::told_by;
use crate::support::{get, options, reason, start, watch};
use eile::api::server::ServerOptions;
use std::time::{Duration, Instant};
use tonic::Code;
use tonic::codegen::http;
use tonic_types::StatusExt;

#[tokio::test]
async fn a_call_that_takes_longer_than_its_caller_gives_it_is_answered_at_the_deadline() {
    let server = start(options()).await;
    // Not through tonic's client, which would give up by itself at the same time.
    let head = format!("{}grpc-timeout: 200m\r\n", post(OURS));
    for _ in 0..5 {
        let begun = Instant::now();
        let answer = http(server.running.address(), &head, &message("slow")).await;
        assert!(answer.contains("grpc-status: 4"), "{answer}");
        assert!(answer.contains("grpc-status-details-bin"), "{answer}");
        assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn nobody_may_ask_for_longer_than_the_maximum() {
    let server = start(ServerOptions { deadline_max: Duration::from_millis(200), ..options() }).await;
    let mut client = server.client().await;
    for timeout in [None, Some("1H"), Some("nonsense")] {
        let mut request = get("slow");
        if let Some(text) = timeout {
            request.metadata_mut().insert("grpc-timeout", text.parse().unwrap());
        }
        let status = client.get_registration(request).await.unwrap_err();
        assert_eq!((status.code(), reason(&status).0.as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
    }
}

#[tokio::test]
async fn a_watch_outlives_the_maximum_and_ends_at_the_deadline_that_its_caller_gave() {
    let server = start(ServerOptions { deadline_max: Duration::from_millis(300), ..options() }).await;
    let mut client = server.client().await;
    let mut unbounded = client.watch_event(watch()).await.unwrap().into_inner();
    unbounded.message().await.unwrap().unwrap();
    let more = tokio::time::timeout(Duration::from_millis(700), unbounded.message()).await;
    assert!(more.is_err(), "the watch should go on: {more:?}");

    let mut request = watch();
    request.metadata_mut().insert("grpc-timeout", "200m".parse().unwrap());
    let mut bounded = client.watch_event(request).await.unwrap().into_inner();
    bounded.message().await.unwrap().unwrap();
    let status = bounded.message().await.unwrap_err();
    assert_eq!((status.code(), reason(&status).0.as_str()), (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"));
}

#[tokio::test]
async fn calls_beyond_the_limit_are_told_to_come_again_and_health_is_still_told() {
    let server = start(ServerOptions { concurrency_max: 1, ..options() }).await;
    let mut client = server.client().await;
    let mut other = client.clone();
    let held = tokio::spawn(async move { other.get_registration(get("held")).await });
    server.canned.arrived.notified().await;

    let status = client.get_registration(get("any")).await.unwrap_err();
    assert_eq!((status.code(), reason(&status).0.as_str()), (Code::Unavailable, "OVERLOADED"));
    let again = status.get_error_details().retry_info().unwrap().retry_delay.unwrap();
    assert!(again > Duration::ZERO);
    let mut health = tonic_health::pb::health_client::HealthClient::new(server.channel().await);
    health.check(tonic_health::pb::HealthCheckRequest::default()).await.unwrap();

    server.canned.let_go.notify_one();
    held.await.unwrap().unwrap();
    client.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn an_open_watch_takes_no_place_among_the_calls_in_work() {
    let server = start(ServerOptions { concurrency_max: 1, ..options() }).await;
    let mut client = server.client().await;
    let mut stream = client.watch_event(watch()).await.unwrap().into_inner();
    stream.message().await.unwrap();
    client.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn a_message_over_the_limit_is_refused_as_too_large() {
    let server = start(options()).await;
    let mut client = server.client().await;
    let status = client.get_registration(get(&"x".repeat(2 << 20))).await.unwrap_err();
    assert_eq!(status.code(), Code::ResourceExhausted);
    let (reason, facts) = reason(&status);
    assert_eq!((reason.as_str(), facts["limit_bytes"].as_str()), ("MESSAGE_TOO_LARGE", "1048576"));
}

/// Sends these bytes as the one message of a call.
async fn call_raw(server: &crate::support::TestServer, path: &'static str, body: Vec<u8>) -> tonic::Status {
    let mut grpc = tonic::client::Grpc::new(server.channel().await);
    grpc.ready().await.unwrap();
    let path = http::uri::PathAndQuery::from_static(path);
    // A message with one field of bytes that stands where the name should: bytes need not be UTF-8.
    let codec = tonic_prost::ProstCodec::<Raw, Raw>::default();
    grpc.unary(tonic::Request::new(Raw { name: body }), path, codec).await.unwrap_err()
}

#[derive(Clone, PartialEq, prost::Message)]
struct Raw {
    #[prost(bytes = "vec", tag = "1")]
    name: Vec<u8>,
}

const GET: &str = "/eile.v1.RegistrationService/GetRegistration";

#[tokio::test]
async fn text_that_is_not_utf_8_is_a_malformed_message() {
    let server = start(options()).await;
    let status = call_raw(&server, GET, vec![0xff, 0xfe, 0x80]).await;
    assert_eq!((status.code(), reason(&status).0.as_str()), (Code::InvalidArgument, "MALFORMED_MESSAGE"));
    assert!(!status.message().to_lowercase().contains("prost"), "{}", status.message());
}

#[tokio::test]
async fn a_method_that_does_not_exist_stays_unimplemented() {
    let server = start(options()).await;
    for path in ["/eile.v1.RegistrationService/Nothing", "/eile.v1.NoService/Nothing", "/x"] {
        assert_eq!(call_raw(&server, path, vec![]).await.code(), Code::Unimplemented, "{path}");
    }
}

#[tokio::test]
async fn a_panic_is_internal_with_an_incident_and_tells_nothing_of_itself() {
    let server = start(options()).await;
    let mut client = server.client().await;
    let status = client.get_registration(get("panic")).await.unwrap_err();
    assert_eq!(status.code(), Code::Internal);
    let (reason, facts) = reason(&status);
    assert_eq!(reason, "INTERNAL");
    assert_eq!(facts["incident"].len(), 8);
    let told = told_by(&status);
    assert!(told.contains("INTERNAL") && !told.contains("secret"), "{told}");
    client.get_registration(get("any")).await.unwrap();
}

#[tokio::test]
async fn connections_beyond_the_limit_wait_until_one_goes() {
    let server = start(ServerOptions { connections_max: 1, ..options() }).await;
    let first = server.client().await;
    let address = server.running.address();
    let second = tokio::spawn(async move {
        let channel = tonic::transport::Channel::from_shared(format!("http://{address}")).unwrap();
        let channel = channel.connect().await.unwrap();
        let mut client = eile::api::proto::registration_service_client::RegistrationServiceClient::new(channel);
        client.get_registration(get("any")).await
    });
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!second.is_finished());
    drop(first);
    second.await.unwrap().unwrap();
}
