//! `eile access-log`, and when keys were used last.

use crate::house::{House, NAMES, Said};
use crate::support::service::Database;

on_both_databases! {
    who_read_and_who_decided_is_shown_in_every_format_and_nobody_is_named,
}

/// What is shown once the row of the call before it is there.
async fn shown(house: &House, arguments: &[&str], row: &str) -> Said {
    for _ in 0..100 {
        let said = house.run(&[&["access-log", "--format", "json"], arguments].concat()).await.well();
        if said.text().contains(row) {
            return said;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("the row of {row} does not come");
}

async fn who_read_and_who_decided_is_shown_in_every_format_and_nobody_is_named(database: Database) {
    let mut house = House::open(database).await;
    let made = house.run(&["keys", "create", "--role", "administrator", "--name", "Office"]).await.well();
    let administrator = made.text().trim().to_owned();
    let as_administrator = |mut arguments: Vec<&'static str>| {
        arguments.extend(["--key", Box::leak(administrator.clone().into_boxed_str())]);
        arguments
    };
    let head = ["keys", "create", "--role", "head", "--all-centres", "--name", "Head"];
    let made = house.run(&as_administrator(head.to_vec())).await.well();
    house.key = Some(made.text().trim().to_owned());
    let event = house.event.clone();
    house.run(&["line", &event]).await.well();
    let rows = shown(&house, &["--event", &event], "ListRegistrations").await.json();
    let row = rows.as_array().unwrap().iter().find(|row| row["method"] == "ListRegistrations").unwrap();
    let one = house.run(&["access-log", "--limit", "1", "--format", "json"]).await.well().json();
    assert_eq!(one.as_array().unwrap().len(), 1);
    assert_eq!(
        (&row["method"], &row["kind"], &row["outcome"]),
        (&"ListRegistrations".into(), &"read".into(), &"OK".into())
    );
    assert_eq!((&row["role"], &row["rows_max"], &row["event"]), (&"head".into(), &500.into(), &event.clone().into()));
    let key = row["access_key"].as_str().unwrap();
    let of_key =
        shown(&house, &["--of-key", key, "--since", "2025-01-01", "--until", "2026-01-01"], "ListAccessEntries").await;
    for name in NAMES {
        assert!(!of_key.text().contains(name));
    }
    assert!(house.run(&["access-log", "--until", "2025-01-01", "--format", "json"]).await.well().json()[0].is_null());
    let table = house.run(&["access-log", "--event", &event]).await.well().text();
    assert!(table.contains("ListRegistrations") && table.contains("head"), "{table}");
    let csv = house.run(&["access-log", "--event", &event, "--format", "csv"]).await.well().text();
    assert!(csv.starts_with("\u{feff}time,access_key,role,person,method,kind,outcome,"), "{csv}");
    house.run(&["access-log", "--centre", "nowhere"]).await.well();
    house.run(&as_administrator(vec!["access-log"])).await.ended(3, "ROLE_NOT_ALLOWED");

    let mut listed = serde_json::Value::Null;
    for _ in 0..50 {
        listed = house.run(&as_administrator(vec!["keys", "list", "--format", "json"])).await.well().json();
        if listed.as_array().unwrap().iter().all(|key| !key["last_used"].is_null()) {
            house.service.finish().await;
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    panic!("nobody knows when keys were used: {listed}");
}
