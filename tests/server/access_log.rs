//! The access log over the end of a process: a stop in order keeps every row, `kill -9` takes those of a moment.

use crate::check::play;
use crate::process::Served;
use eile::api::proto::ListRegistrationsRequest;
use eile::api::proto::registration_service_client::RegistrationServiceClient;
use sqlx::{Connection, SqliteConnection};
use std::path::Path;
use std::time::{Duration, Instant};
use tonic::transport::Channel;

async fn channel(served: &Served) -> Channel {
    let url = format!("http://{}", served.word_after("calls: "));
    Channel::from_shared(url).unwrap().connect().await.unwrap()
}

/// Reads the list of an event until `enough` says so; when each call was answered.
async fn read(channel: Channel, event: &str, enough: impl Fn(usize, Duration) -> bool) -> Vec<Instant> {
    let mut client = RegistrationServiceClient::new(channel);
    let (begun, mut answered) = (Instant::now(), Vec::new());
    while !enough(answered.len(), begun.elapsed()) {
        let ask = ListRegistrationsRequest { parent: event.to_owned(), ..Default::default() };
        client.list_registrations(ask).await.unwrap();
        answered.push(Instant::now());
    }
    answered
}

/// How many rows are stored of such calls.
async fn rows(folder: &Path) -> usize {
    let url = format!("sqlite:{}", folder.join("eile-data/eile.db").display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let sql = "select count(*) from access_log where method = 'ListRegistrations' and outcome = 0";
    let rows: i64 = sqlx::query_scalar(sql).fetch_one(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    usize::try_from(rows).unwrap()
}

#[tokio::test]
async fn a_stop_in_order_loses_no_row() {
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &[]);
    let channel = channel(&served).await;
    let event = play(channel.clone()).await;
    let answered = read(channel, &event, |calls, _| calls == 50).await;
    served.stop();
    assert_eq!(rows(folder.path()).await, answered.len());
}

#[tokio::test]
async fn a_kill_takes_the_rows_of_the_last_moment_at_most() {
    /// A quarter of a second until they are written, and what a busy disk needs for it.
    const MOMENT: Duration = Duration::from_secs(1);
    let folder = tempfile::tempdir().unwrap();
    let mut served = Served::start(folder.path(), &[]);
    let channel = channel(&served).await;
    let event = play(channel.clone()).await;
    let answered = read(channel, &event, |_, time| time > MOMENT * 2).await;
    let killed = Instant::now();
    served.kill();
    let due = answered.iter().filter(|at| killed.duration_since(**at) > MOMENT).count();
    let kept = rows(folder.path()).await;
    assert!(due > 10, "only {due} calls were answered in time to be written");
    assert!((due..=answered.len()).contains(&kept), "{kept} of {} rows, and {due} were due", answered.len());
}
