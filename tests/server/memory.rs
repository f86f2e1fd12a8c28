//! What streams cost that nobody writes to: measured and printed, when asked for.

use crate::check::play;
use crate::process::Served;
use crate::support::reason;
use eile::api::proto::WatchEventRequest;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
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
    let before = served.resident_kib();
    let mut streams = Vec::new();
    for _ in 0..CONNECTIONS {
        let mut client = RegistrationServiceClient::new(connect().await);
        for _ in 0..STREAMS {
            let mut stream = client.watch_event(WatchEventRequest { name: name.clone() }).await.unwrap().into_inner();
            stream.message().await.unwrap().unwrap();
            streams.push(stream);
        }
    }
    let cost = served.resident_kib().saturating_sub(before);
    let each = cost as f64 / streams.len() as f64;
    println!("{} idle watches: {:.1} MiB, {each:.1} KiB each, aim {AIM} MiB", streams.len(), cost as f64 / 1024.0);
    assert_eq!(streams.len() as u64, CONNECTIONS * STREAMS);
    let mut client = RegistrationServiceClient::new(connect().await);
    let status = client.watch_event(WatchEventRequest { name }).await.unwrap_err();
    assert_eq!(reason(&status).0, "TOO_MANY_STREAMS");
}
