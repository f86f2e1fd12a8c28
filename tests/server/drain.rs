//! Leaving in order: health, streams, calls in work, connections that say nothing, and the bound.

use crate::support::{TestServer, get, options, reason, start, watch};
use eile::api::server::Drained;
use std::time::{Duration, Instant};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tonic::Code;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

const LONG: Duration = Duration::from_secs(30);

fn ask(service: &str) -> HealthCheckRequest {
    HealthCheckRequest { service: service.to_owned() }
}

fn status(answer: &HealthCheckResponse) -> ServingStatus {
    ServingStatus::try_from(answer.status).unwrap()
}

const SERVICES: [&str; 4] = ["", "eile.v1.AdminService", "eile.v1.EventService", "eile.v1.RegistrationService"];

async fn health_of_all(server: &TestServer) -> Vec<ServingStatus> {
    let mut client = HealthClient::new(server.channel().await);
    let mut all = Vec::new();
    for service in SERVICES {
        all.push(status(client.check(ask(service)).await.unwrap().get_ref()));
    }
    all
}

#[tokio::test]
async fn every_service_is_not_serving_until_ready_and_again_while_leaving() {
    let server = start(options()).await;
    assert_eq!(health_of_all(&server).await, [ServingStatus::NotServing; 4]);
    server.running.serving().tell(true).await;
    assert_eq!(health_of_all(&server).await, [ServingStatus::Serving; 4]);

    let mut client = HealthClient::new(server.channel().await);
    let unknown = client.check(ask("eile.v1.NoService")).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    let mut told = client.watch(ask("eile.v1.EventService")).await.unwrap().into_inner();
    assert_eq!(status(&told.message().await.unwrap().unwrap()), ServingStatus::Serving);
    // While it gives notice, it says so and still serves.
    let mut calls = server.client().await;
    let leaving = tokio::spawn(server.running.drain(Duration::from_millis(400), LONG));
    assert_eq!(status(&told.message().await.unwrap().unwrap()), ServingStatus::NotServing);
    calls.get_registration(get("any")).await.unwrap();
    // Then even the one who only watches health is sent away.
    let end = told.message().await.unwrap_err();
    assert_eq!(reason(&end).0, "DRAINING");
    assert_eq!(leaving.await.unwrap(), Drained::Whole);
}

#[tokio::test]
async fn watches_end_and_calls_in_work_are_answered_before_it_leaves() {
    let server = start(options()).await;
    let mut client = server.client().await;
    let mut stream = client.watch_event(watch()).await.unwrap().into_inner();
    stream.message().await.unwrap().unwrap();
    let mut other = client.clone();
    let held = tokio::spawn(async move { other.get_registration(get("held")).await });
    server.canned.arrived.notified().await;

    let begun = Instant::now();
    let canned = server.canned.clone();
    let leaving = tokio::spawn(server.running.drain(Duration::ZERO, LONG));
    let end = stream.message().await.unwrap_err();
    assert_eq!((end.code(), reason(&end).0.as_str()), (Code::Unavailable, "DRAINING"));
    assert!(!leaving.is_finished());
    canned.let_go.notify_one();
    held.await.unwrap().unwrap();
    assert_eq!(leaving.await.unwrap(), Drained::Whole);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[tokio::test]
async fn a_connection_that_says_nothing_does_not_hold_the_door_open() {
    let server = start(options()).await;
    let mut silent = TcpStream::connect(server.running.address()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let address = server.running.address();
    let begun = Instant::now();
    assert_eq!(server.running.drain(Duration::ZERO, LONG).await, Drained::Whole);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(matches!(silent.read(&mut [0; 8]).await, Ok(0) | Err(_)));
    assert!(TcpStream::connect(address).await.is_err(), "the door should be shut");
}

#[tokio::test]
async fn a_caller_that_hangs_without_a_call_in_work_does_not_hold_the_door_open() {
    let server = start(options()).await;
    // Half a preface: hyper would wait for the rest for ever.
    let mut half = TcpStream::connect(server.running.address()).await.unwrap();
    tokio::io::AsyncWriteExt::write_all(&mut half, b"PRI * HTTP/2.0\r\n").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    let begun = Instant::now();
    assert_eq!(server.running.drain(Duration::ZERO, LONG).await, Drained::Whole);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    assert!(matches!(half.read(&mut [0; 64]).await, Ok(0) | Err(_)));
}

#[tokio::test]
async fn what_does_not_end_is_cut_when_the_time_is_up() {
    let server = start(options()).await;
    let mut client = server.client().await;
    let held = tokio::spawn(async move { client.get_registration(get("held")).await });
    server.canned.arrived.notified().await;
    let begun = Instant::now();
    assert_eq!(server.running.drain(Duration::ZERO, Duration::from_millis(300)).await, Drained::Cut);
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    assert!(held.await.unwrap().is_err());
}
