//! What callers can make the service keep in memory.

use crate::check::play;
use crate::process::Served;
use crate::support::reason;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use eile::api::proto::{CreateRegistrationRequest, Member, Registration, WatchEventRequest};
use tonic::transport::Channel;

const CONNECTIONS: u64 = 100;
const STREAMS: u64 = 100;
/// For all of them, in MiB.
const AIM: u64 = 200;

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures and prints: cargo test --test server -- --ignored --nocapture ten_thousand"]
async fn ten_thousand_idle_watches_and_what_they_cost() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &["--set", "limits.calls_per_address_max=20000"]);
    let url = format!("http://{}", served.word_after("calls: "));
    let connect = async || Channel::from_shared(url.clone()).unwrap().connect().await.unwrap();
    let name = play(connect().await).await;
    let before = served.memory_kib("VmRSS");
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = RegistrationServiceClient::new(connect().await);
        for _ in 0..STREAMS {
            let mut stream = client.watch_event(WatchEventRequest { name: name.clone() }).await.unwrap().into_inner();
            stream.message().await.unwrap().unwrap();
            streams.push(stream);
        }
    }
    let cost = served.memory_kib("VmRSS").saturating_sub(before);
    let each = cost as f64 / streams.len() as f64;
    println!("{} idle watches: {:.1} MiB, {each:.1} KiB each, aim {AIM} MiB", streams.len(), cost as f64 / 1024.0);
    assert_eq!(streams.len() as u64, CONNECTIONS * STREAMS);
    let mut client = RegistrationServiceClient::new(connect().await);
    let status = client.watch_event(WatchEventRequest { name }).await.unwrap_err();
    assert_eq!(reason(&status).0, "TOO_MANY_STREAMS");
}

/// Three bytes each on the wire, and some hundred when they are read.
const EMPTY_MEMBERS: usize = 340_000;
/// In MiB, for the whole process.
const BOUND: u64 = 512;

#[tokio::test(flavor = "multi_thread")]
async fn messages_that_grow_when_they_are_read_stay_within_memory() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &[]);
    let url = format!("http://{}", served.word_after("calls: "));
    let before = served.memory_kib("VmHWM");
    let registration = Registration { members: vec![Member::default(); EMPTY_MEMBERS], ..Default::default() };
    let request = CreateRegistrationRequest { registration: Some(registration), ..Default::default() };
    let begun = std::time::Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let channel = Channel::from_shared(url.clone()).unwrap().connect().await.unwrap();
        let mut client = RegistrationServiceClient::new(channel);
        let request = request.clone();
        callers.spawn(async move { client.create_registration(request).await.unwrap_err() });
    }
    for status in callers.join_all().await {
        assert_eq!(reason(&status).0, "INVALID_FIELDS");
    }
    let most = served.memory_kib("VmHWM") / 1024;
    println!("{most} MiB at most, {} MiB before, {:?}", before / 1024, begun.elapsed());
    assert!(most < BOUND, "{most} MiB");
}
