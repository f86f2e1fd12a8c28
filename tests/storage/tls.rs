//! The wire to a PostgreSQL on another machine.

use crate::postgres::Cluster;
use eile::storage::Options;
use rcgen::{CertificateParams, KeyPair};
use std::time::{Duration, Instant};

/// A certificate of its own for a name, and its key, as PEM.
fn certificate(name: &str) -> (String, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec![name.to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.pem(), key.serialize_pem())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_connection_speaks_tls_with_the_server_that_the_url_means() {
    let cluster = Cluster::start();
    let url = cluster.database().replace("127.0.0.1", "localhost");
    let folder = tempfile::tempdir().unwrap();
    let ((ours, key), (others, _)) = (certificate("localhost"), certificate("localhost"));
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ours_file, others_file) = (file("ours.pem", &ours), file("others.pem", &others));
    let with = |url: &str, mode: &str, root: &str| format!("{url}?sslmode={mode}&sslrootcert={root}");
    let opened = async |url: String| eile::storage::open(&url, Options::default()).await;
    let full = with(&url, "verify-full", &ours_file);
    assert!(opened(full.clone()).await.is_err(), "a server that speaks none");
    cluster.speak_tls(&ours, &key);
    let begun = Instant::now();
    let store = loop {
        match opened(full.clone()).await {
            Ok(store) => break store,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(10), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    store.ping().await.unwrap();
    let seen = "select count(*) filter (where ssl), count(*) filter (where not ssl)
        from pg_stat_ssl join pg_stat_activity using (pid)
        where application_name = 'eile'";
    let (spoken, plain) =
        cluster.query("postgres", seen).split_once('|').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    assert!(spoken != "0" && plain == "0", "{spoken} with TLS, {plain} without");
    store.close().await;
    for (url, why) in [
        (with(&url, "verify-full", &others_file), "a certificate that nobody signed whom the URL names"),
        (with(&url.replace("localhost", "127.0.0.1"), "verify-full", &ours_file), "one for another name"),
    ] {
        assert!(opened(url).await.is_err(), "{why}");
    }
}

#[tokio::test]
async fn no_name_goes_to_another_machine_in_plain_text_unless_the_url_says_so() {
    // Nobody is there: what is refused is refused before that is asked.
    for mode in ["", "?sslmode=prefer", "?sslmode=allow"] {
        let url = format!("postgres://eile:hunter2@192.0.2.1:1/eile{mode}");
        let begun = Instant::now();
        let told = eile::storage::open(&url, Options::default()).await.err().unwrap().to_string();
        assert!(told.contains("sslmode=verify-full") && !told.contains("hunter2"), "{told}");
        assert!(begun.elapsed() < Duration::from_secs(2));
    }
}
