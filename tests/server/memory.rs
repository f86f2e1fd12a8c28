//! What callers can make the service keep in memory.

use crate::process::Served;
use crate::support::reason;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use eile::api::proto::{CreateRegistrationRequest, Member, Registration};
use tonic::transport::Channel;

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
