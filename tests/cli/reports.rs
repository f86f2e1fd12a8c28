//! The reports: the service's figures, under the words that they follow, the same in every format.

use crate::house::{House, NAMES};
use crate::support::service::{Database, run};
use calamine::{Data, Reader, Xlsx, open_workbook};
use eile::api::proto as pb;

on_both_databases! {
    demand_and_imbalance_are_the_services_figures,
}

async fn demand_and_imbalance_are_the_services_figures(database: Database) {
    let house = House::open(database).await;
    let demand = house.run(&["report", "demand", "--period", "2025", "--format", "json"]).await.well().json();
    let rows = demand["demand"]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 1, "{demand}");
    let row = &rows[0];
    assert_eq!((&row["municipality"], &row["month"]), (&"42".into(), &"2025-02".into()));
    assert_eq!(
        (&row["seats"], &row["applicants_persons"], &row["admitted_persons"]),
        (&6.into(), &8.into(), &6.into())
    );
    assert_eq!((&row["refused_persons"], &row["waiting_persons"]), (&2.into(), &2.into()));
    assert_eq!(row["applicants_per_seat"], 1.33);
    let notes = demand["demand"]["notes"].as_array().unwrap();
    assert!(notes[0].as_str().unwrap().starts_with("Applicants: who signed up"), "{notes:?}");
    assert!(notes.last().unwrap().as_str().unwrap().starts_with("Rests on 1 events"), "{notes:?}");
    assert_eq!(demand["total"][0]["applicants_persons"], 8);
    for (period, count) in [("2025-Q1", 1), ("2025-02", 1), ("2025-Q2", 0), ("2024", 0)] {
        let arguments = ["report", "demand", "--period", period, "--part", "demand", "--bare", "--format", "json"];
        let rows = house.run(&arguments).await.well().json();
        assert_eq!(rows.as_array().unwrap().len(), count, "{period}");
    }
    let shown = house.run(&["report", "imbalance", "--period", "2025"]).await.well().text();
    let picture = format!("│{}  ", "█".repeat(20));
    assert!(shown.contains(&picture), "two wait, no seat is empty: {shown}");
    house.service.finish().await;
}

#[test]
fn a_job_reads_one_table_without_words_and_people_read_all_of_them() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        let job = ["report", "demand", "--period", "2025", "--part", "demand", "--bare", "--format", "csv"];
        let text = house.run(&job).await.well().text();
        let mut reader = csv::Reader::from_reader(text.strip_prefix('\u{feff}').unwrap().as_bytes());
        let heads = reader.headers().unwrap().clone();
        let row = reader.records().next().unwrap().unwrap();
        let cell = |name: &str| &row[heads.iter().position(|head| head == name).unwrap()];
        assert_eq!((cell("applicants_persons"), cell("applicants_per_seat"), cell("hidden")), ("8", "1.33", ""));
        assert!(!heads.iter().any(|head| head == "picture"), "pictures are for screens");
        let whole = house.run(&["report", "demand", "--period", "2025", "--format", "csv"]).await.well().text();
        assert!(whole.starts_with("\u{feff}\"Applicants: who signed up"), "{whole}");
        let arguments = ["report", "demand", "--period", "2025", "--format", "xlsx", "--output", "demand.xlsx"];
        house.run(&arguments).await.well();
        let mut book: Xlsx<_> = open_workbook(house.file("demand.xlsx")).unwrap();
        assert_eq!(book.sheet_names(), ["demand", "total", "breakdowns"]);
        let total = book.worksheet_range("total").unwrap();
        assert!(total.rows().nth(1).unwrap().contains(&Data::Float(8.0)), "{total:?}");
        house.run(&["report", "demand", "--part", "nonsense"]).await.ended(2, "there are demand, total, breakdowns");
        house.service.finish().await;
    });
}

#[test]
fn a_reporting_job_sees_no_small_count_and_no_open_month() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        let open = ["report", "demand", "--period", "2025", "--protected"];
        house.run(&open).await.ended(3, "[PERIOD_NOT_CLOSED]");
        house.service.move_to("2025-03-02T09:00").await;
        let closed = ["report", "imbalance", "--period", "2025-02", "--protected", "--part", "imbalance", "--bare"];
        let told = house.run(&[&closed[..], &["--format", "json"]].concat()).await.well().json();
        assert_eq!((&told[0]["hidden"], &told[0]["waiting_persons"]), (&true.into(), &serde_json::Value::Null));
        let exact = house.run(&["report", "imbalance", "--period", "2025-02", "--format", "json"]).await.well().json();
        assert_eq!(exact["imbalance"]["rows"][0]["waiting_persons"], 2);
        house.run(&["report", "demand", "--period", "2025-13"]).await.ended(2, "2025-Q1");
        house.service.finish().await;
    });
}

#[test]
fn participation_the_funnel_and_the_sheet_to_sign_come_from_the_same_marks() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        house.service.move_to("2025-02-04T20:00").await;
        let mark = |n: usize, mark: pb::AttendanceMark, minutes: Option<i32>| pb::MarkEntry {
            registration: house.people[n].name.clone(),
            member: 1,
            mark: mark.into(),
            minutes,
        };
        let marks = vec![
            mark(0, pb::AttendanceMark::Present, None),
            mark(1, pb::AttendanceMark::Present, Some(45)),
            mark(2, pb::AttendanceMark::Absent, None),
            mark(3, pb::AttendanceMark::Excused, None),
        ];
        house.desk.record(&house.event, "s1", marks).await.unwrap();

        let arguments = ["report", "participation", "--period", "2025-Q1", "--ages", "0-17,18+", "--format", "json"];
        let told = house.run(&arguments).await.well().json();
        let card = told["participation"]["rows"].clone();
        assert_eq!((&card["unique_participants"], &card["attendances"]), (&2.into(), &2.into()), "{told}");
        assert_eq!((&card["person_hours"], &card["absences"], &card["excused"]), (&2.75.into(), &1.into(), &1.into()));
        assert_eq!(told["days"][0]["date"], "2025-02-04");
        house.run(&["report", "participation", "--ages", "old"]).await.ended(2, "bands such as");

        let funnel = ["report", "funnel", "--event", &house.event, "--format", "json"];
        let funnel = house.run(&funnel).await.well().json();
        assert_eq!((&funnel["funnel"]["rows"]["offers_made"], &funnel["order"][0]["position"]), (&0.into(), &1.into()));

        let sheet = house.run(&["report", "summary", &house.event]).await.well().text();
        assert!(sheet.contains("Signature: ____") && sheet.contains("s1 02-04"), "{sheet}");
        let row = sheet.lines().find(|line| line.contains(NAMES[1])).unwrap();
        assert!(row.contains("P 45") && row.contains("0.75"), "{row}");
        let csv = ["report", "summary", &house.event, "--part", "summary", "--bare", "--format", "csv"];
        let csv = house.run(&csv).await.well().text();
        assert!(csv.contains("s1,s2,sessions_present,hours,percent"), "{csv}");
        assert!(csv.lines().any(|line| line.starts_with(NAMES[2]) && line.contains(",A,,0,0.00,")), "{csv}");
        house.service.finish().await;
    });
}
