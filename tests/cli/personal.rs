//! `eile personal`, and times that belong to no event.

use crate::house::House;
use crate::support::service::Database;

on_both_databases! {
    what_is_found_is_exported_and_times_are_those_of_the_place,
}

async fn what_is_found_is_exported_and_times_are_those_of_the_place(database: Database) {
    let house = House::open(database).await;
    let name = house.people[0].name.as_str();
    let found = house.run(&["personal", "find", "--email", "p0@example.org"]).await.well().text();
    let typed = found.lines().find(|line| line.contains("registrations/")).unwrap_or_else(|| panic!("{found}")).trim();
    assert_eq!(typed, name, "the next verb takes what this one shows");
    let text = house.run(&["personal", "export", typed, "--text-language", "lt"]).await.well().text();
    assert!(text.contains("2025-01-13 09:00 gauta") && text.contains("interneto svetainėje"), "{text}");
    let restrict = ["personal", "restrict", name, "--reason", "Ginčijama"];
    let shown = house.run(&restrict).await.well().text();
    assert!(shown.starts_with("Restriction\n") && shown.contains("2025-01-13 09:02"), "{shown}");
    let lift = ["personal", "lift", name, "--reason", "Išspręsta"];
    assert!(house.run(&lift).await.well().text().starts_with("Restriction\n"));
    let consent = ["personal", "consent", name, "--given", "photos=2025-1"];
    assert!(house.run(&consent).await.well().text().starts_with("Consents\n"));
    let erased = house.run(&["personal", "erase", name, "--format", "json"]).await.well().json();
    assert_eq!(erased["time"], "2025-01-13T09:02:00+02:00", "in the zone of the event");

    let key = house.run(&["keys", "create", "--role", "administrator", "--name", "Office"]).await.well().text();
    let as_administrator = ["keys", "list", "--key", key.trim()];
    let listed = house.run(&as_administrator).await.well().text();
    assert!(listed.starts_with("Access keys (times of Europe/Vilnius)\n"), "{listed}");
    let made = |zone: &'static str| [&as_administrator[..], &["--format", "json", "--time-zone", zone]].concat();
    let local = house.run(&made("Europe/Vilnius")).await.well().json();
    assert_eq!(local[0]["created"], "2025-01-13T09:02:00+02:00");
    let utc = house.run(&made("UTC")).await.well().json();
    assert!(utc[0]["created"].as_str().unwrap().starts_with("2025-01-13T07:02:00"), "{utc}");
    house.run(&["keys", "revoke", "0000000000000000", "--key", key.trim()]).await.ended(4, "there is no access key");
    house.service.finish().await;
}
