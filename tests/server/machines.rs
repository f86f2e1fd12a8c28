//! Machines that show a certificate in place of a secret, and the command line over TLS: all of it through the binary.

use crate::authority::{Authority, Pair, Written};
use crate::process::{Served, eile, text};
use crate::support::reason;
use eile::api::proto::admin_service_client::AdminServiceClient;
use eile::api::proto::change_service_client::ChangeServiceClient;
use eile::api::proto::{ListCentresRequest, WatchChangesRequest};
use eile::clock::{Clock, SystemClock};
use rcgen::ExtendedKeyUsagePurpose;
use std::process::Output;
use std::time::{Duration, Instant};
use tonic::transport::Channel;

/// So long a key that is revoked may still let in.
const HELD_WITHIN: Duration = Duration::from_secs(5);

/// A service over TLS with an administrator's key.
struct House {
    served: Served,
    written: Written,
    authority: Authority,
    clients: Authority,
    secret: String,
}

impl House {
    fn open() -> Self {
        let (authority, clients) = (Authority::new(), Authority::new());
        let written = Written::new(&authority.server());
        std::fs::write(written.path("ca.pem"), &authority.pem).unwrap();
        std::fs::write(written.path("clients.pem"), &clients.pem).unwrap();
        let files = ["--tls-certificate", "certificate.pem", "--tls-key", "key.pem", "--tls-client-ca", "clients.pem"];
        let served = Served::start(written.folder.path(), &files);
        assert!(served.says("TLS: the certificate expires at 2100-01-01T00:00:00Z; clients may show certificates"));
        let mut house = Self { served, written, authority, clients, secret: String::new() };
        house.secret = house.make("administrator", "the first key", &[]);
        house
    }

    fn url(&self) -> String {
        format!("https://{}", self.served.word_after("calls: "))
    }

    /// `eile keys ...` over TLS.
    fn keys(&self, words: &[&str]) -> Output {
        let mut command = eile(self.written.folder.path(), &["keys"]);
        command.args(words).args(["--server", &self.url(), "--ca", "ca.pem"]).output().unwrap()
    }

    /// Makes a key as the administrator, and answers its secret.
    fn make(&self, role: &str, name: &str, more: &[&str]) -> String {
        let mut words = vec!["create", "--role", role, "--name", name];
        words.extend(more);
        if !self.secret.is_empty() {
            words.extend(["--key", &self.secret]);
        }
        let made = self.keys(&words);
        assert!(made.status.success(), "{}", text(&made.stderr));
        text(&made.stdout).trim().to_owned()
    }

    /// A certificate of the clients' authority, in files of this name.
    fn pair(&self, name: &str) -> Pair {
        let pair = self.clients.client(2100);
        std::fs::write(self.written.path(&format!("{name}.pem")), &pair.certificate).unwrap();
        std::fs::write(self.written.path(&format!("{name}.key")), &pair.key).unwrap();
        pair
    }

    /// `eile keys list` with a certificate, and perhaps a secret.
    fn list_with(&self, name: &str, more: &[&str]) -> Output {
        let (certificate, key) = (format!("{name}.pem"), format!("{name}.key"));
        let mut words = vec!["list", "--client-certificate", &certificate, "--client-key", &key];
        words.extend(more);
        self.keys(&words)
    }

    async fn channel(&self, pair: &Pair) -> Channel {
        let endpoint = Channel::from_shared(self.url()).unwrap();
        endpoint.tls_config(self.authority.trusted(Some(pair))).unwrap().connect().await.unwrap()
    }
}

/// The id in the secret of a key.
fn id(secret: &str) -> &str {
    &secret[5..21]
}

fn is_refused(said: &Output) -> bool {
    let refused = said.status.code() == Some(3);
    assert!(!refused || text(&said.stderr).contains("[KEY_REQUIRED]"), "{}", text(&said.stderr));
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_is_the_key_that_names_it_until_that_is_revoked() {
    let house = House::open();
    let pair = house.pair("job");
    let secret = house.make("administrator", "job", &["--certificate", "job.pem"]);
    let listed = house.list_with("job", &["--format", "json"]);
    assert!(listed.status.success(), "{}", text(&listed.stderr));
    assert!(text(&listed.stdout).contains(id(&secret)), "{}", text(&listed.stdout));
    assert!(house.list_with("job", &["--key", &secret]).status.success(), "both may be shown");
    let again = ["create", "--role", "administrator", "--name", "again", "--certificate", "job.pem", "--key"];
    let taken = house.keys(&[again.as_slice(), &[&house.secret]].concat());
    assert_eq!(taken.status.code(), Some(3), "{}", text(&taken.stderr));
    assert!(text(&taken.stderr).contains("access_key.certificate_sha256"), "{}", text(&taken.stderr));

    let mut connected = AdminServiceClient::new(house.channel(&pair).await);
    connected.list_centres(ListCentresRequest::default()).await.unwrap();
    let revoked = house.keys(&["revoke", id(&secret), "--key", &house.secret]);
    assert!(revoked.status.success(), "{}", text(&revoked.stderr));
    let begun = Instant::now();
    while connected.list_centres(ListCentresRequest::default()).await.is_ok() {
        assert!(begun.elapsed() < HELD_WITHIN);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let no = connected.list_centres(ListCentresRequest::default()).await.unwrap_err();
    assert_eq!(reason(&no).0, "KEY_REQUIRED");
    assert!(is_refused(&house.list_with("job", &[])));
    // Another key may name it now.
    house.make("administrator", "job, again", &["--certificate", "job.pem"]);
    assert!(house.list_with("job", &[]).status.success());
}

#[test]
fn a_certificate_that_no_key_names_is_nobody() {
    let house = House::open();
    house.pair("stranger");
    assert!(is_refused(&house.list_with("stranger", &[])));
    // It says nothing for or against whoever shows a secret.
    assert!(house.list_with("stranger", &["--key", &house.secret]).status.success());
    assert!(is_refused(&house.keys(&["list"])), "nor is anybody let in who shows nothing");
}

#[test]
fn a_certificate_and_the_secret_of_another_key_let_nobody_in() {
    let house = House::open();
    house.pair("job");
    house.make("administrator", "job", &["--certificate", "job.pem"]);
    let other = house.make("administrator", "other", &[]);
    assert!(house.keys(&["list", "--key", &other]).status.success());
    assert!(is_refused(&house.list_with("job", &["--key", &other])));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_ends_with_the_certificate_that_was_shown_on_it() {
    let house = House::open();
    let seconds = SystemClock.now().0 / 1_000_000 + 4;
    let pair = house.clients.until(ExtendedKeyUsagePurpose::ClientAuth, seconds);
    std::fs::write(house.written.path("short.pem"), &pair.certificate).unwrap();
    let all = ["--certificate", "short.pem", "--all-centres"];
    house.make("coordinator", "short", &all);
    let mut connected = ChangeServiceClient::new(house.channel(&pair).await);
    let mut stream = connected.watch_changes(WatchChangesRequest::default()).await.unwrap().into_inner();
    let ended =
        tokio::time::timeout(Duration::from_secs(10), async { while let Ok(Some(_)) = stream.message().await {} });
    assert!(ended.await.is_ok(), "the stream goes on");
    assert!(SystemClock.now().0 / 1_000_000 >= seconds, "not before its time");
    assert!(connected.watch_changes(WatchChangesRequest::default()).await.is_err());
}
