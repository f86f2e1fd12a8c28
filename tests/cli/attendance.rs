//! Lists of who came: marked one by one, imported whole, scanned at the door.

use crate::house::House;
use crate::support::service::{Database, run};
use eile::api::proto as pb;

on_both_databases! {
    a_list_is_stored_whole_or_not_at_all_and_every_bad_line_is_told,
}

/// A session's evening.
async fn evening(database: Database) -> House {
    let house = House::open(database).await;
    house.service.move_to("2025-02-04T20:00").await;
    house
}

fn import<'a>(house: &'a House, more: &[&'a str]) -> Vec<&'a str> {
    [&["attendance", "import", &house.event, "--session", "s1", "list.csv"][..], more].concat()
}

async fn a_list_is_stored_whole_or_not_at_all_and_every_bad_line_is_told(database: Database) {
    let house = evening(database).await;
    let p = |n: usize| house.id(n).to_owned();
    let good = format!("registration,member,mark,minutes\r\n{},1,PRESENT,60\r\n{},1,ABSENT,\r\n", p(0), p(1));
    let nobody = "00000001-0000-4000-8000-000000000000";
    let bad = format!(
        "{good}{},1,sleeping,\r\n{nobody},1,PRESENT,\r\n{},2,PRESENT,\r\n{},1,PRESENT,121\r\n{},1,PRESENT,\r\n{},1,PRESENT,\r\n{},x,EXCUSED,\r\n",
        p(2),
        p(3),
        p(4),
        p(0),
        p(6),
        p(5)
    );
    std::fs::write(house.file("list.csv"), &bad).unwrap();
    let journal = house.desk.event(&house.event).await.journal_number;
    for arguments in [import(&house, &[]), import(&house, &["--dry-run"])] {
        let said = house.run(&arguments).await.ended(3, "7 lines are bad, and nothing was stored:");
        for words in [
            "line 4: mark is \"sleeping\"",
            "line 5: the event has no such registration [REGISTRATION_NOT_FOUND]",
            "line 6: the party has 1 member [MEMBER_NOT_FOUND]",
            "line 7: the session has 120 minutes [LONGER_THAN_SESSION]",
            "line 8: is about the same member as line 2",
            "line 9: it never had a seat",
            "line 10: member is \"x\"",
        ] {
            assert!(said.error.contains(words), "no `{words}` in {}", said.error);
        }
    }
    // What the tool itself refuses keeps the good lines back too: the service would have taken them.
    std::fs::write(house.file("list.csv"), format!("{good}{},1,sleeping,\r\n", p(2))).unwrap();
    house.run(&import(&house, &[])).await.ended(3, "line 4: mark is \"sleeping\"");
    assert!(house.desk.attendance(&house.event).await.attendances.is_empty(), "not even the good lines");
    assert_eq!(house.desk.event(&house.event).await.journal_number, journal);

    std::fs::write(house.file("list.csv"), &good).unwrap();
    let dry = house.run(&import(&house, &["--dry-run", "--format", "json"])).await.well().json();
    assert_eq!(dry["new_marks"], 2);
    assert!(house.desk.attendance(&house.event).await.attendances.is_empty(), "a dry run changes nothing");
    let id = ["--request-id", "0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11", "--format", "json"];
    let first = house.run(&import(&house, &id)).await.well().json();
    assert_eq!((&first["new_marks"], &first["journal_number"]), (&2.into(), &(journal + 1).into()), "one change");
    assert_eq!(house.run(&import(&house, &id)).await.well().json(), first, "asked for again");
    let stored = house.desk.attendance(&house.event).await.attendances;
    let stored: Vec<_> = stored.iter().map(|a| (a.registration.as_str(), a.mark(), a.minutes)).collect();
    let expected = [(pb::AttendanceMark::Present, 60), (pb::AttendanceMark::Absent, 0)];
    let expected: Vec<_> =
        expected.iter().enumerate().map(|(n, e)| (house.people[n].name.as_str(), e.0, e.1)).collect();
    assert_eq!(stored, expected);
    house.service.finish().await;
}

#[test]
fn more_bad_lines_than_one_refusal_can_name_are_all_told() {
    run(async {
        let house = evening(Database::Sqlite).await;
        let mut list = "registration;member;mark\n".to_owned();
        for n in 0..300 {
            list.push_str(&format!("{};1;PRESENT\n", uuid::Uuid::from_u128(n + 1)));
        }
        std::fs::write(house.file("list.csv"), &list).unwrap();
        let said = house.run(&import(&house, &[])).await.ended(3, "300 lines are bad, and nothing was stored:");
        for line in 2..=301 {
            assert!(said.error.contains(&format!("\n  line {line}: the event has no such")), "line {line} is missing");
        }
        for n in 300..502 {
            list.push_str(&format!("{};1;PRESENT\n", uuid::Uuid::from_u128(n + 1)));
        }
        std::fs::write(house.file("list.csv"), &list).unwrap();
        house.run(&import(&house, &[])).await.ended(3, "only 500 go into one call");
        house.run(&["attendance", "import", &house.event, "--session", "s1", "gone.csv"]).await.ended(2, "gone.csv");
        house.service.finish().await;
    });
}

#[test]
fn the_sheet_of_a_session_goes_out_is_filled_in_and_comes_back() {
    run(async {
        let house = evening(Database::Sqlite).await;
        let roster = ["roster", &house.event, "--session", "s1", "--format", "csv", "--separator", "semicolon"];
        let arguments: Vec<_> = roster.into_iter().chain(["--output", "list.csv"]).collect();
        house.run(&arguments).await.well();
        let sheet = std::fs::read_to_string(house.file("list.csv")).unwrap();
        assert_eq!(sheet.lines().count(), 7, "{sheet}");
        house.run(&import(&house, &[])).await.ended(3, "there is no line with a mark after this one, and 6 without");
        // Marks stand in the third column; the last member is left without one.
        let filled: Vec<String> = sheet.lines().map(|line| line.replacen(";1;;;", ";1;made-up;;", 1)).collect();
        let mut filled = filled.join("\r\n");
        let last = filled.rfind("made-up").unwrap();
        filled.replace_range(last..last + 7, "");
        std::fs::write(house.file("list.csv"), filled).unwrap();
        let said = house.run(&import(&house, &["--format", "json"])).await.well();
        assert!(said.error.contains("skipped, without a mark: 1 line"), "{}", said.error);
        assert_eq!(said.json()["new_marks"], 5);
        let shown = house.run(&["roster", &house.event, "--session", "s1"]).await.well().text();
        assert!(shown.contains("0 present, 0 absent, 0 excused, 5 made up"), "{shown}");
        assert!(shown.contains("s1, 2025-02-04 17:30 to 19:30"), "{shown}");
        house.service.finish().await;
    });
}

#[test]
fn one_member_is_marked_and_corrected() {
    run(async {
        let house = evening(Database::Sqlite).await;
        let who = house.people[0].name.clone();
        let base = ["attendance", "mark", &house.event, "--session", "s1", "--member", "1", "--format", "json"];
        let mark = |more: &[&'static str], registration: &str| -> Vec<String> {
            let who = ["--registration", registration];
            let words = base.iter().chain(&who).chain(more);
            words.map(|word| (*word).to_owned()).collect()
        };
        let run = async |words: Vec<String>| house.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).await;
        let said = run(mark(&["--mark", "present", "--minutes", "45"], &who)).await.well().json();
        assert_eq!((&said["new_marks"], &said["corrected_marks"]), (&1.into(), &0.into()));
        let said = run(mark(&["--mark", "excused", "--source", "online"], house.id(0))).await.well().json();
        assert_eq!((&said["new_marks"], &said["corrected_marks"]), (&0.into(), &1.into()));
        let stored = house.desk.attendance(&house.event).await.attendances;
        assert_eq!((stored[0].mark(), stored[0].corrections[0].minutes), (pb::AttendanceMark::Excused, 45));
        run(mark(&["--mark", "present", "--minutes", "121"], &who)).await.ended(3, "LONGER_THAN_SESSION");
        let elsewhere = who.replacen(&house.event, "events/0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11", 1);
        run(mark(&["--mark", "present"], &elsewhere)).await.ended(2, "is none of");
        house.service.finish().await;
    });
}

#[test]
fn at_the_door_the_exit_code_says_whether_they_are_let_in() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        let signed = ["signup", &house.event, "--name", "Ona", "--email", "ona@example.org", "--format", "json"];
        let waiting = house.run(&signed).await.well().json()["check_in_code"].as_str().unwrap().to_owned();
        house.service.move_to("2025-02-04T17:20").await;
        let door = async |more: &[&str]| {
            house.run(&[&["checkin", &house.event, "--session", "s1", "--format", "json"][..], more].concat()).await
        };
        let scan = ["--registration", house.id(0), "--request-id", "0198c2f4-6d1e-4c3a-9f00-2b6f5d1c7e11"];
        let first = door(&scan).await.well().json();
        assert_eq!((&first["verdict"], &first["present"]), (&"WELCOME".into(), &1.into()));
        assert_eq!(first["scanned"], "2025-02-04T17:20:00+02:00");
        assert_eq!(door(&scan).await.well().json(), first, "the same scan");
        assert_eq!(door(&["--registration", house.id(0)]).await.well().json()["verdict"], "ALREADY_IN");
        let turned_away = door(&[&waiting]).await.ended(3, "").json();
        assert_eq!(turned_away["verdict"], "WAITING");
        assert_eq!(door(&["00JX5D90Q0"]).await.ended(3, "").json()["verdict"], "MISREAD");
        door(&["--registration", house.id(0), "--scanned", "2025-02-04T12:00"]).await.ended(3, "[DOOR_SHUT]");
        house.service.finish().await;
    });
}
