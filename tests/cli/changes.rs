//! The change feed on the command line: from a cursor, over restarts, nothing left out.

use crate::house::{House, command, run};
use crate::support::client::Client;
use crate::support::service::{self, Database};
use crate::support::words::*;
use eile::api::proto as pb;
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader, Lines};
use tokio::process::{Child, ChildStdout};

fn numbers(changes: &serde_json::Value) -> Vec<i64> {
    changes.as_array().unwrap().iter().map(|change| change["journal_number"].as_i64().unwrap()).collect()
}

#[test]
fn a_cursor_file_goes_on_where_it_was() {
    service::run(async {
        let house = House::open(Database::Sqlite).await;
        let last = house.desk.event(&house.event).await.journal_number;
        let job = ["changes", "--format", "json", "--cursor-file", "feed.cursor"];
        let all = house.run(&job).await.well().json();
        assert_eq!(numbers(&all), (1..=last).collect::<Vec<_>>());
        assert_eq!(all[1]["kind"], "EVENT_PUBLISHED");
        let registered = all.as_array().unwrap().iter().find(|change| change["kind"] == "REGISTERED").unwrap();
        assert_eq!(registered["time"], "2025-01-13T09:00:00+02:00", "in the zone of the event");
        assert_eq!(registered["registration"], house.people[0].name.as_str());
        assert_eq!(house.run(&job).await.well().json(), serde_json::json!([]));
        house.desk.cancel(&house.people[0].name, &staff()).await.unwrap();
        let more = house.run(&job).await.well().json();
        assert_eq!(numbers(&more)[0], last + 1);

        // A cursor on the command line, a number of changes, a kind, a time.
        let first = house.run(&["changes", "--limit", "3", "--format", "json"]).await.well();
        assert_eq!(numbers(&first.json()), [1, 2, 3]);
        let cursor = first.error.trim().strip_prefix("eile: cursor ").unwrap().to_owned();
        let rest = house.run(&["changes", "--cursor", &cursor, "--format", "json"]).await.well().json();
        assert_eq!(numbers(&rest)[0], 4);
        let kinds = ["changes", "--kind", "registered", "--event", &house.event, "--centre", "elk", "--format", "json"];
        let registered = house.run(&kinds).await.well().json();
        assert_eq!(registered.as_array().unwrap().len(), house.people.len());
        let none = house.run(&["changes", "--now", "--format", "json"]).await.well().json();
        assert_eq!(none, serde_json::json!([]));
        std::fs::write(house.file("feed.cursor"), "two words").unwrap();
        house.run(&job).await.ended(2, "holds no cursor");
        house.service.finish().await;
    });
}

/// `eile serve` on that port.
async fn serve(folder: &std::path::Path, listen: &str) -> (Child, String) {
    let mut serve = command(folder, &["serve", "--listen", listen, "--set", "limits.drain_timeout_seconds=2"]);
    let mut child = serve.stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut address = String::new();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some(rest) = line.strip_prefix("calls: ") {
            address = rest.split(' ').next().unwrap().to_owned();
        }
        if line == "ready" {
            break;
        }
    }
    tokio::spawn(async move { while lines.next_line().await.is_ok_and(|line| line.is_some()) {} });
    (child, address)
}

async fn next(lines: &mut Lines<BufReader<ChildStdout>>) -> serde_json::Value {
    let line = tokio::time::timeout(Duration::from_secs(30), lines.next_line()).await.expect("nothing comes");
    serde_json::from_str(&line.unwrap().expect("it ended")).unwrap()
}

async fn follower(folder: &std::path::Path, server: &str) -> (Child, Lines<BufReader<ChildStdout>>) {
    let arguments = ["changes", "--follow", "--format", "json", "--cursor-file", "feed.cursor", "--server", server];
    let mut child = command(folder, &arguments).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    (child, lines)
}

async fn publish(address: &str) -> (Client, String) {
    let desk = Client::connect(address.parse().unwrap()).await;
    desk.open_centre("elk", "Elektrėnai", "42").await.unwrap();
    let event = pb::Event { seat_pools: vec![pool("main", 2)], ..course("Mokymai", &["2031-02-04T17:30"]) };
    let event = desk.publish(event).await.name;
    (desk, event)
}

fn send(child: &Child, signal: &str) {
    let pid = child.id().unwrap().to_string();
    assert!(std::process::Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

#[test]
fn a_follower_survives_a_restart_of_the_service_and_its_own() {
    service::run(async {
        let folder = tempfile::tempdir().unwrap();
        let (mut served, address) = serve(folder.path(), "127.0.0.1:0").await;
        let (desk, event) = publish(&address).await;
        let server = format!("http://{address}");
        let (mut follower_1, mut lines) = follower(folder.path(), &server).await;
        assert_eq!(next(&mut lines).await["journal_number"], 1);
        assert_eq!(next(&mut lines).await["kind"], "EVENT_PUBLISHED");
        desk.sign_up(&event, party("Ona", 1)).await.unwrap();
        assert_eq!(next(&mut lines).await["kind"], "REGISTERED");

        send(&served, "-KILL");
        served.wait().await.unwrap();
        let (mut served, _) = serve(folder.path(), &address).await;
        let desk = Client::connect(address.parse().unwrap()).await;
        desk.sign_up(&event, party("Jonas", 1)).await.unwrap();
        assert_eq!(next(&mut lines).await["journal_number"], 4, "the next, and nothing twice");

        // The job is told to stop, things happen, and the job is started again.
        send(&follower_1, "-TERM");
        assert_eq!(follower_1.wait().await.unwrap().code(), Some(0));
        desk.sign_up(&event, party("Petras", 1)).await.unwrap();
        let (mut follower_2, mut lines) = follower(folder.path(), &server).await;
        assert_eq!(next(&mut lines).await["journal_number"], 5);
        send(&follower_2, "-INT");
        assert_eq!(follower_2.wait().await.unwrap().code(), Some(0));
        send(&served, "-TERM");
        served.wait().await.unwrap();
    });
}

#[tokio::test]
async fn a_follower_that_never_reached_a_service_says_so() {
    let folder = tempfile::tempdir().unwrap();
    for start in [&["--now"][..], &[]] {
        let arguments = ["changes", "--follow", "--server", "http://127.0.0.1:1", "--patience", "0"];
        run(command(folder.path(), &[&arguments[..], start].concat())).await.ended(5, "cannot be reached");
    }
}
