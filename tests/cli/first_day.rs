//! From an empty database to a family with a seat, by the verbs that docs/operations.md names.

use crate::house::House;
use crate::support::service::Database;

on_both_databases! {
    a_new_installation_comes_from_its_first_key_to_a_public_sign_up,
}

async fn secret(house: &House, role: &str, more: &[&str]) -> String {
    let arguments = ["keys", "create", "--role", role, "--name", role];
    let made = house.run(&[&arguments[..], more].concat()).await.well().text();
    assert_eq!(made.lines().count(), 1, "the secret alone: {made}");
    made.trim().to_owned()
}

async fn a_new_installation_comes_from_its_first_key_to_a_public_sign_up(database: Database) {
    let mut house = House::open(database).await;
    let administrator = secret(&house, "administrator", &[]).await;
    house.key = Some(administrator.clone());
    let centre = ["centres", "create", "vievis", "--name", "Vievio šeimos centras", "--municipality", "42"];
    let more = ["--eldership", "4205=Vievis", "--language-spoken", "lt", "--language-spoken", "pl"];
    house.run(&[&centre[..], &["--dry-run"]].concat()).await.well();
    house
        .run(&["keys", "create", "--role", "portal", "--centre", "vievis", "--name", "x"])
        .await
        .ended(4, "CENTRE_NOT");
    let made = house.run(&[&centre[..], &more, &["--format", "json"]].concat()).await.well().json();
    assert_eq!((&made["centre"], &made["languages"]), (&"centres/vievis".into(), &"lt, pl".into()));
    house.run(&centre).await.ended(3, "[ALREADY_EXISTS]");
    let listed = house.run(&["centres", "list"]).await.well().text();
    assert!(listed.contains("elk") && listed.contains("Vievio šeimos centras"), "{listed}");
    let programme = ["programmes", "create", "tevyste", "--title", "Pozityvi tėvystė", "--kind", "course"];
    house.run(&[&programme[..], &["--sessions", "8", "--project", "KOPA-1"]].concat()).await.well();
    let listed = house.run(&["programmes", "list", "--format", "json"]).await.well().json();
    assert_eq!((&listed[0]["programme"], &listed[0]["kind"]), (&"programmes/tevyste".into(), &"COURSE".into()));

    let portal = secret(&house, "portal", &["--centre", "vievis"]).await;
    let staff = secret(&house, "coordinator", &["--centre", "vievis"]).await;
    let sessions = ["--session", "2025-02-04T17:30/19:30", "--session", "2025-02-11T17:30/19:30"];
    let event = ["event", "create", "--centre", "vievis", "--title", "Tėvų grupė", "--programme", "tevyste"];
    let event = [&event[..], &sessions, &["--seats", "1", "--opens", "2025-01-13T09:00", "--format", "json"]].concat();
    house.run(&event).await.ended(3, "[ROLE_NOT_ALLOWED]");
    house.key = Some(staff.clone());
    let draft = house.run(&event).await.well().json();
    let facts = &draft["event"];
    assert_eq!((&facts["state"], &facts["kind"], &facts["seats"]), (&"DRAFT".into(), &"COURSE".into(), &1.into()));
    assert_eq!(facts["sign_ups_open"], "2025-01-13T09:00:00+02:00", "in the zone of the centre");
    assert_eq!(draft["sessions"][1]["end"], "2025-02-11T19:30:00+02:00");
    let name = facts["event"].as_str().unwrap();
    let family = ["signup", name, "--name", "Ona Vardenė", "--email", "ona@example.org", "--format", "json"];
    house.key = Some(portal.clone());
    house.run(&family).await.ended(4, "[EVENT_NOT_FOUND]");
    house.run(&["event", "publish", name]).await.ended(3, "[ROLE_NOT_ALLOWED]");
    house.key = Some(staff);
    let published = house.run(&["event", "publish", name, "--format", "json"]).await.well().json();
    assert_eq!(published["event"]["state"], "PUBLISHED");
    house.key = Some(portal);
    let seat = house.run(&family).await.well().json();
    assert_eq!((&seat["state"], seat["management_token"].as_str().unwrap().len()), (&"CONFIRMED".into(), 43));
    house.service.finish().await;
}
