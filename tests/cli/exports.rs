//! Files that Excel and LibreOffice open right, and that jobs can rely on.

use crate::house::{House, NAMES, TITLE};
use crate::support::service::{Database, run};
use calamine::{Data, Reader, Xlsx, open_workbook};

/// What stands in the column of that name, line by line.
fn column(text: &str, separator: u8, name: &str) -> Vec<String> {
    let mut reader = csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
    let at = reader.headers().unwrap().iter().position(|head| head == name).unwrap();
    reader.records().map(|record| record.unwrap()[at].to_owned()).collect()
}

#[test]
fn csv_has_a_byte_order_mark_every_letter_and_no_formulas() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        for (arguments, separator) in [(vec![], b','), (vec!["--separator", "semicolon"], b';')] {
            let line = ["line", &house.event, "--all", "--format", "csv"];
            let arguments: Vec<_> = line.into_iter().chain(arguments).collect();
            let said = house.run(&arguments).await.well();
            assert_eq!(&said.bytes[..3], [0xef, 0xbb, 0xbf]);
            let text = said.text();
            let text = text.strip_prefix('\u{feff}').unwrap();
            assert_eq!(text.matches('\n').count(), text.matches("\r\n").count(), "lines end as RFC 4180 has it");
            assert!(text.starts_with(if separator == b';' { "position;" } else { "position," }), "{text}");
            let names = column(text, separator, "name");
            assert_eq!(names[..4], NAMES[..4]);
            for (name, given) in names[4..].iter().zip(&NAMES[4..]) {
                assert_eq!(name, &format!("'{given}"), "a formula is text");
            }
            assert_eq!(column(text, separator, "phone")[0], "'+370 000 00000");
            assert_eq!(column(text, separator, "signed_up")[0], "2025-01-13 09:00:00");
            assert_eq!(column(text, separator, "position")[5..], ["", "1", "2"]);
        }
        house.service.finish().await;
    });
}

#[test]
fn xlsx_holds_text_numbers_and_times_and_no_formulas() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        let line = ["line", &house.event, "--all", "--format", "xlsx", "--output", "line.xlsx"];
        assert_eq!(house.run(&line).await.well().bytes, b"");
        let mut book: Xlsx<_> = open_workbook(house.file("line.xlsx")).unwrap();
        assert_eq!(book.sheet_names(), ["line"]);
        let sheet = book.worksheet_range("line").unwrap();
        let heads: Vec<String> = sheet.rows().next().unwrap().iter().map(ToString::to_string).collect();
        let at = |title: &str| heads.iter().position(|head| head == title).unwrap();
        let rows: Vec<_> = sheet.rows().skip(1).collect();
        for (row, name) in rows.iter().zip(NAMES) {
            assert_eq!(row[at("Name")], Data::String(name.to_owned()));
        }
        assert_eq!(rows[6][at("Position")], Data::Float(1.0));
        let Data::DateTime(time) = rows[0][at("Signed up")] else { panic!("{:?}", rows[0]) };
        assert_eq!(time.to_ymd_hms_milli(), (2025, 1, 13, 9, 0, 0, 0));
        let formulas = book.worksheet_formula("line").unwrap();
        assert!(formulas.cells().all(|(_, _, formula)| formula.is_empty()));
        // Several tables are several sheets.
        house.run(&["event", "show", &house.event, "--format", "xlsx", "-o", "event.xlsx"]).await.well();
        let book: Xlsx<_> = open_workbook(house.file("event.xlsx")).unwrap();
        assert_eq!(book.sheet_names(), ["event", "pools", "sessions"]);
        house.service.finish().await;
    });
}

#[test]
fn a_file_takes_its_name_only_when_it_is_whole() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        std::fs::write(house.file("kept.csv"), "as it was").unwrap();
        let nowhere = ["events", "--server", "http://127.0.0.1:1", "--patience", "0", "--format", "csv"];
        let arguments: Vec<_> = nowhere.into_iter().chain(["--output", "kept.csv"]).collect();
        house.run(&arguments).await.ended(5, "cannot be reached");
        assert_eq!(std::fs::read_to_string(house.file("kept.csv")).unwrap(), "as it was");
        assert_eq!(house.files(), ["kept.csv"], "nothing half made is left");
        house.run(&["events", "--format", "csv", "--output", "kept.csv"]).await.well();
        assert!(std::fs::read_to_string(house.file("kept.csv")).unwrap().contains(TITLE));
        house.run(&["events", "--output", "no/such/folder.csv"]).await.ended(2, "no/such/folder.csv");
        house.service.finish().await;
    });
}

#[test]
fn json_is_one_document_also_where_there_is_nothing() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        let none = house.run(&["line", &house.event, "--state", "offered", "--format", "json"]).await.well().json();
        assert_eq!(none, serde_json::json!([]));
        let line = house.run(&["line", &house.event, "--format", "json"]).await.well().json();
        assert_eq!(line[0]["name"], NAMES[6], "JSON needs no defusing");
        assert_eq!(line[0]["signed_up"], "2025-01-13T09:02:00+02:00");
        assert_eq!(line[0]["class"], serde_json::Value::Null);
        house.service.finish().await;
    });
}

#[test]
fn a_pipe_gets_no_colours_and_whoever_closes_it_is_no_mistake() {
    run(async {
        let house = House::open(Database::Sqlite).await;
        assert!(!house.run(&["events"]).await.well().text().contains('\u{1b}'));
        let mut command = house.command(&["line", &house.event, "--all", "--format", "csv"]);
        let mut child = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().await.unwrap().code(), Some(0));
        house.service.finish().await;
    });
}
