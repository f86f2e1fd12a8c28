//! What staff see.

use crate::house::{self, House, NAMES, TITLE};
use crate::support::service::Database;

on_both_databases! {
    events_are_listed_with_how_full_they_are_and_who_waits,
    a_party_signs_up_once_under_one_request_id,
}

async fn events_are_listed_with_how_full_they_are_and_who_waits(database: Database) {
    let house = House::open(database).await;
    let said = house.run(&["events"]).await.well().text();
    let row = said.lines().find(|line| line.contains(TITLE)).unwrap_or_else(|| panic!("{said}"));
    for words in ["2025-02-04 17:30", house.event.strip_prefix("events/").unwrap(), "elk", "PUBLISHED", "████████████"]
    {
        assert!(row.contains(words), "no {words} in {row}");
    }
    let all = house.run(&["events", "--format", "json"]).await.well().json();
    let event = &all.as_array().unwrap()[0];
    assert_eq!((&event["seats"], &event["free"], &event["waiting_parties"]), (&6.into(), &0.into(), &2.into()));
    assert_eq!(event["start"], "2025-02-04T17:30:00+02:00", "in the zone of the event");
    assert_eq!(event["event"], house.event.as_str());
    for (filter, count) in [
        (vec!["--centre", "elk", "--state", "published", "--kind", "course", "--municipality", "42"], 1),
        (vec!["--free"], 0),
        (vec!["--from", "2025-02-04T17:30", "--to", "2025-02-04T17:31"], 1),
        (vec!["--from", "2025-02-04T17:31"], 0),
        (vec!["--to", "2025-02-04T15:30:00Z"], 0),
        (vec!["--filter", "centre != \"centres/elk\""], 0),
    ] {
        let arguments: Vec<_> = ["events", "--format", "json"].into_iter().chain(filter.clone()).collect();
        let found = house.run(&arguments).await.well().json();
        assert_eq!(found.as_array().unwrap().len(), count, "{filter:?}");
    }
    house.service.finish().await;
}

async fn a_party_signs_up_once_under_one_request_id(database: Database) {
    let house = House::open(database).await;
    let id = "0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11";
    let arguments = |name: &'static str, more: &[&'static str]| {
        let event = house.event.clone();
        let mut all: Vec<String> =
            ["signup", &event, "--name", name, "--email", "zymante@example.org"].map(String::from).into();
        all.extend(["--member", "Žymantė:1988:parent", "--member", "Jonas:2019:child"].map(String::from));
        all.extend(["--format", "json"].map(String::from));
        all.extend(more.iter().map(|word| (*word).to_owned()));
        all
    };
    let run = async |arguments: Vec<String>| house.run(&arguments.iter().map(String::as_str).collect::<Vec<_>>()).await;
    let dry = run(arguments("Žymantė", &["--dry-run", "--request-id", id])).await.well().json();
    assert_eq!((&dry["state"], &dry["position"]), (&"WAITLISTED".into(), &3.into()));
    assert_eq!(house.desk.counts(&house.event).await.waiting_parties, 2, "a dry run changes nothing");
    let first = run(arguments("Žymantė", &["--request-id", id])).await.well();
    let again = run(arguments("Žymantė", &["--request-id", id])).await.well();
    assert_eq!(first.text(), again.text());
    assert_eq!(house.desk.counts(&house.event).await.waiting_persons, 4, "a party of two, once");
    run(arguments("Kita", &["--request-id", id])).await.ended(3, "[REQUEST_ID_REUSED]");
    run(arguments("Žymantė", &[])).await.ended(3, "[ALREADY_REGISTERED]");
    let registration = first.json()["registration"].as_str().unwrap().to_owned();
    let told = house.desk.get_in_full(&registration).await.unwrap();
    let members: Vec<_> =
        told.members.iter().map(|m| (m.display_name.as_str(), m.birth_year, m.role.as_str())).collect();
    assert_eq!(members, [("Žymantė", Some(1988), "parent"), ("Jonas", Some(2019), "child")]);
    house.service.finish().await;
}

#[test]
fn one_event_is_shown_with_its_seats_and_sessions() {
    crate::support::service::run(async {
        let house = House::open(Database::Sqlite).await;
        let id = house.event.strip_prefix("events/").unwrap();
        let said = house.run(&["event", "show", id]).await.well().text();
        for words in [TITLE, &house.event, "main", "2025-02-11 17:30", "2025-02-11 19:30", "2025-01-13 09:00"] {
            assert!(said.contains(words), "no {words} in:\n{said}");
        }
        let told = house.run(&["event", "show", id, "--format", "json"]).await.well().json();
        assert_eq!(told["event"]["event"], house.event.as_str());
        assert_eq!((&told["pools"][0]["seats"], &told["pools"][0]["free"]), (&6.into(), &0.into()));
        assert_eq!(told["sessions"][1]["start"], "2025-02-11T17:30:00+02:00");
        house.service.finish().await;
    });
}

#[test]
fn the_line_is_shown_in_its_order_and_by_the_minute_in_which_people_came() {
    crate::support::service::run(async {
        let house = House::open(Database::Sqlite).await;
        let said = house.run(&["line", &house.event]).await.well().text();
        let rows: Vec<_> = said.lines().filter(|line| line.contains("@example.org")).collect();
        assert_eq!(rows.len(), 2, "{said}");
        assert!(rows[0].contains(NAMES[6]) && rows[1].contains(NAMES[7]), "{said}");
        assert!(rows[0].contains("2025-01-13 09:02") && rows[0].contains("+370 000 00006"), "{said}");
        let said = house.run(&["line", &house.event, "--without-names", "--all"]).await.well().text();
        assert!(!NAMES.iter().any(|name| said.contains(name)) && !said.contains("@example.org"), "{said}");
        assert_eq!(said.lines().filter(|line| line.contains("CONFIRMED")).count(), 6);

        let minutes = house.run(&["line", &house.event, "--by-minute", "--format", "json"]).await.well().json();
        let counts =
            |key: &str| minutes.as_array().unwrap().iter().map(|m| m[key].as_i64().unwrap()).collect::<Vec<_>>();
        assert_eq!(counts("minute"), [0, 1, 2]);
        assert_eq!(counts("parties"), [3, 3, 2]);
        assert_eq!(counts("seated_parties"), [3, 3, 0]);
        assert_eq!(counts("parties_so_far"), [3, 6, 8]);
        let picture = house.run(&["line", &house.event, "--by-minute"]).await.well().text();
        let bar = |cell: &str| cell.repeat(40);
        assert!(
            picture.contains(&bar("█")) && picture.contains(&"░".repeat(27)) && picture.contains("2025-01-13 09:00:00")
        );
        house.service.finish().await;
    });
}

#[test]
fn what_somebody_typed_into_a_form_does_not_move_a_terminals_cursor() {
    let said = eile::client::printable("Ona\u{1b}[2J\u{7}\r\u{9b}31m");
    assert!(!said.chars().any(char::is_control), "{said:?}");
}

#[tokio::test]
async fn shells_are_told_every_verb_and_help_shows_examples() {
    let folder = tempfile::tempdir().unwrap();
    let run = async |arguments: &[&str]| house::run(house::command(folder.path(), arguments)).await.well().text();
    for shell in ["bash", "zsh", "fish"] {
        let script = run(&["completions", shell]).await;
        for verb in ["events", "signup", "line", "roster", "attendance", "checkin", "changes", "report", "serve"] {
            assert!(script.contains(verb), "{shell} does not know {verb}");
        }
    }
    let verbs: [&[&str]; 15] = [
        &["events"],
        &["event", "show"],
        &["signup"],
        &["line"],
        &["roster"],
        &["attendance", "mark"],
        &["attendance", "import"],
        &["checkin"],
        &["changes"],
        &["completions"],
        &["report", "demand"],
        &["report", "imbalance"],
        &["report", "participation"],
        &["report", "funnel"],
        &["report", "summary"],
    ];
    for verb in verbs {
        let help = run(&[verb, &["--help"]].concat()).await;
        assert!(help.contains("Examples:") && help.contains(&format!("eile {}", verb.join(" "))), "{help}");
    }
    let help = run(&["--help"]).await;
    for code in ["0  ", "1  ", "2  ", "3  ", "4  ", "5  "] {
        assert!(help.contains(&format!("\n  {code}")), "{help}");
    }
}
