//! `eile backup`: copies beside a service that goes on.

use crate::check::{another_party, play};
use crate::process::{Served, run, text};
use eile::api::proto::admin_service_client::AdminServiceClient;
use eile::api::proto::event_service_client::EventServiceClient;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use eile::api::proto::{AccessKey, CreateAccessKeyRequest, ListEventsRequest, RevokeAccessKeyRequest, Role};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use tonic::transport::Channel;

/// How many registrations a copy holds, without the service.
async fn registrations(file: &Path) -> i64 {
    let pool = sqlx::SqlitePool::connect(&format!("sqlite:{}", file.display())).await.unwrap();
    let count = sqlx::query_scalar("select count(*) from registrations").fetch_one(&pool).await.unwrap();
    pool.close().await;
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn copies_made_while_people_sign_up_are_whole_and_hold_all_that_was_acknowledged() {
    let folder = tempfile::tempdir().unwrap();
    let served = Served::start(folder.path(), &[]);
    let url = format!("http://{}", served.word_after("calls: "));
    let channel = Channel::from_shared(url).unwrap().connect().await.unwrap();
    let event = play(channel.clone()).await;
    let acknowledged = Arc::new(AtomicI64::new(0));
    let counted = Arc::clone(&acknowledged);
    let busy = tokio::spawn(async move {
        let mut desk = RegistrationServiceClient::new(channel);
        for n in 1000.. {
            desk.create_registration(another_party(&event, n)).await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let mut last = 0;
    for n in 0..4 {
        let before = acknowledged.load(Ordering::SeqCst);
        let (name, file) = (format!("copy-{n}.db"), folder.path().join(format!("copy-{n}.db")));
        let made = run(folder.path(), &["backup", &name]);
        assert!(made.status.success(), "{}", text(&made.stderr));
        let checked = run(folder.path(), &["check", "--database", &name]);
        assert_eq!(checked.status.code(), Some(0), "{}{}", text(&checked.stdout), text(&checked.stderr));
        let found = registrations(&file).await;
        assert!(found >= before && found > last, "{found} of {before}");
        last = found;
    }
    assert!(acknowledged.load(Ordering::SeqCst) > 4, "nobody signed up meanwhile");
    busy.abort();
    // What was copied can be served again.
    let restored = Served::start(folder.path(), &["--database", "copy-3.db"]);
    assert!(restored.says("an existing database of 1 event"));
}

#[test]
fn a_copy_is_for_its_owner_alone_and_never_takes_the_place_of_another_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let none = run(folder.path(), &["backup", "copy.db"]);
    assert_eq!(none.status.code(), Some(1));
    assert!(!folder.path().join("copy.db").exists() && !folder.path().join("eile-data").exists());
    let _served = Served::start(folder.path(), &[]);
    let made = run(folder.path(), &["backup", "copy.db"]);
    assert!(made.status.success(), "{}", text(&made.stderr));
    let copy = folder.path().join("copy.db");
    assert_eq!(copy.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let before = std::fs::read(&copy).unwrap();
    let again = run(folder.path(), &["backup", "copy.db"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(text(&again.stderr).contains("copy.db is there already"), "{}", text(&again.stderr));
    assert_eq!(std::fs::read(&copy).unwrap(), before);
    assert!(!folder.path().join("copy.db.partial").exists());
    let postgres = run(folder.path(), &["backup", "other.db", "--database", "postgres://ona:s3cret@db/eile"]);
    assert!(text(&postgres.stderr).contains("pg_dump") && !text(&postgres.stderr).contains("s3cret"));
}

/// The request under this key.
fn by<T>(secret: &str, message: T) -> tonic::Request<T> {
    let mut request = tonic::Request::new(message);
    request.metadata_mut().insert("authorization", format!("Bearer {secret}").parse().unwrap());
    request
}

async fn channel(served: &Served) -> Channel {
    let url = format!("http://{}", served.word_after("calls: "));
    Channel::from_shared(url).unwrap().connect().await.unwrap()
}

/// Whether a key lets in.
async fn lets_in(served: &Served, secret: &str) -> bool {
    let mut events = EventServiceClient::new(channel(served).await);
    match events.list_events(by(secret, ListEventsRequest::default())).await {
        Ok(_) => true,
        Err(no) => {
            assert_eq!(no.code(), tonic::Code::Unauthenticated, "{no}");
            false
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_revoked_since_the_copy_was_made_stays_revoked() {
    let folder = tempfile::tempdir().unwrap();
    let noting = ["--set", "privacy.ledger_file=ledger.jsonl"];
    let mut served = Served::start(folder.path(), &noting);
    let mut admin = AdminServiceClient::new(channel(&served).await);
    let ask = |role: Role| {
        let key = AccessKey {
            role: role.into(),
            all_centres: role == Role::Portal,
            display_name: "x".into(),
            ..Default::default()
        };
        CreateAccessKeyRequest { request_id: uuid::Uuid::new_v4().to_string(), access_key: Some(key) }
    };
    let first = admin.create_access_key(ask(Role::Administrator)).await.unwrap().into_inner().secret;
    let mut keys = Vec::new();
    for _ in 0..2 {
        keys.push(admin.create_access_key(by(&first, ask(Role::Portal))).await.unwrap().into_inner());
    }
    assert!(run(folder.path(), &["backup", "copy.db"]).status.success());
    let name = keys[0].access_key.clone().unwrap().name;
    let revoke = RevokeAccessKeyRequest { name: name.clone(), request_id: uuid::Uuid::new_v4().to_string() };
    for _ in 0..2 {
        admin.revoke_access_key(by(&first, revoke.clone())).await.unwrap();
    }
    let noted = std::fs::read_to_string(folder.path().join("ledger.jsonl")).unwrap();
    assert_eq!(noted.lines().count(), 1, "{noted}");
    assert!(noted.contains(name.strip_prefix("accessKeys/").unwrap()) && !noted.contains("eile_"), "{noted}");
    served.stop();
    // Without the ledger it lets in again: the copy is from before.
    std::fs::copy(folder.path().join("copy.db"), folder.path().join("unaware.db")).unwrap();
    let unaware = Served::start(folder.path(), &["--database", "unaware.db"]);
    assert!(lets_in(&unaware, &keys[0].secret).await);
    let mut restored = Served::start(folder.path(), &[&noting[..], &["--database", "copy.db"]].concat());
    assert!(!lets_in(&restored, &keys[0].secret).await && lets_in(&restored, &keys[1].secret).await);
    assert!(restored.says("access keys that let in: 2"), "counted after the ledger was read");
    restored.stop();
}
