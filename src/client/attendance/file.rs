//! An attendance list as a file of CSV, read to its end: every line that is wrong is told with its number, so that a
//! list is mended once. What only the service can know (is there such a registration?) is not asked here.

use super::Mark;
use crate::api::proto;
use crate::client::options::RegistrationId;
use crate::client::roster;
use clap::ValueEnum;
use std::collections::{BTreeMap, HashMap};

/// A list, as far as it can be read.
#[derive(Debug, Default)]
pub struct List {
    /// The good lines, each with its number in the file.
    pub marks: Vec<(u64, proto::MarkEntry)>,
    /// How many lines have no mark: nothing is to be entered for them.
    pub unmarked: usize,
    /// What is wrong, by line; the first line of a file is 1.
    pub faults: Faults,
}

/// What is wrong, in order of lines.
#[derive(Debug, Default)]
pub struct Faults(BTreeMap<u64, Vec<String>>);

impl Faults {
    pub fn add(&mut self, line: u64, why: impl Into<String>) {
        self.0.entry(line).or_default().push(why.into());
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn lines(&self) -> usize {
        self.0.len()
    }
}

impl std::fmt::Display for Faults {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for (line, whys) in &self.0 {
            write!(f, "\n  line {line}: {}", whys.join("; "))?;
        }
        Ok(())
    }
}

/// Reads a list of `event`. Lines without a mark are passed over and counted: a sheet is filled in bit by bit.
pub fn read(bytes: &[u8], event: &str) -> List {
    let bytes = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    let mut reader = csv::ReaderBuilder::new();
    reader.delimiter(separator(bytes)).has_headers(false).flexible(true);
    let mut records = Records { inner: reader.from_reader(bytes).into_byte_records(), bytes, at: 0, line: 1 };
    let mut list = List::default();
    let Some((line, first)) = records.next(&mut list.faults) else {
        list.faults
            .add(1, "there are no columns: the first line names registration, member, mark and, perhaps, minutes");
        return list;
    };
    let columns = text(&first).map_err(|fault| vec![fault]).and_then(|cells| Columns::find(&cells));
    let columns = match columns {
        Ok(columns) => columns,
        Err(faults) => {
            faults.into_iter().for_each(|fault| list.faults.add(line, fault));
            return list;
        }
    };
    let mut seen = HashMap::new();
    while let Some((line, record)) = records.next(&mut list.faults) {
        match entry(&record, &columns, event) {
            Ok(None) => list.unmarked += 1,
            Ok(Some(mark)) => match seen.insert((mark.registration.clone(), mark.member), line) {
                None => list.marks.push((line, mark)),
                Some(first) => list.faults.add(line, format!("is about the same member as line {first}")),
            },
            Err(faults) => faults.into_iter().for_each(|fault| list.faults.add(line, fault)),
        }
    }
    if list.marks.is_empty() && list.faults.is_empty() {
        list.faults.add(line, format!("there is no line with a mark after this one, and {} without", list.unmarked));
    }
    list
}

/// The separator that the first line uses: spreadsheets choose it by the language that they run in.
fn separator(bytes: &[u8]) -> u8 {
    let first = bytes.split(|byte| matches!(byte, b'\n' | b'\r')).next().unwrap_or_default();
    let count = |separator: u8| first.iter().filter(|byte| **byte == separator).count();
    [b';', b'\t'].into_iter().fold(b',', |best, other| if count(other) > count(best) { other } else { best })
}

/// The records of a file, with the lines that they begin at.
struct Records<'a> {
    inner: csv::ByteRecordsIntoIter<&'a [u8]>,
    bytes: &'a [u8],
    /// Up to here the lines are counted.
    at: usize,
    line: u64,
}

impl Records<'_> {
    /// The next record with something in it, and the line that it begins at.
    fn next(&mut self, faults: &mut Faults) -> Option<(u64, csv::ByteRecord)> {
        loop {
            match self.inner.next()? {
                Ok(record) if record.iter().all(|cell| cell.trim_ascii().is_empty()) => {}
                Ok(record) => return Some((self.line_of(record.position()), record)),
                Err(error) => faults.add(self.line_of(error.position()), error.to_string()),
            }
        }
    }

    /// Counted here: the reader sees the end of a line only when it reads on.
    fn line_of(&mut self, position: Option<&csv::Position>) -> u64 {
        let begin = position.and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(self.at);
        let rest = self.bytes.get(begin..).unwrap_or_default();
        let empty = rest.iter().take_while(|byte| matches!(byte, b'\n' | b'\r')).count();
        let passed = self.bytes.get(self.at..begin + empty).unwrap_or_default();
        let ends = passed.iter().enumerate();
        let ends = ends.filter(|(n, byte)| **byte == b'\n' || (**byte == b'\r' && passed.get(n + 1) != Some(&b'\n')));
        self.line += ends.count() as u64;
        self.at = begin + empty;
        self.line
    }
}

fn text(record: &csv::ByteRecord) -> Result<Vec<String>, String> {
    let cells: Result<Vec<_>, _> = record.iter().map(std::str::from_utf8).collect();
    let cells = cells.map_err(|_| "is not UTF-8: save the list as \"CSV UTF-8\"".to_owned())?;
    Ok(cells.into_iter().map(|cell| cell.trim().to_owned()).collect())
}

/// The columns that are read, and how many there are.
struct Columns {
    registration: usize,
    member: usize,
    mark: usize,
    minutes: Option<usize>,
    all: usize,
}

impl Columns {
    /// Finds the columns by their names. A name that nobody knows is wrong too: it may be one of these, misspelt.
    fn find(cells: &[String]) -> Result<Self, Vec<String>> {
        let names: Vec<String> = cells.iter().map(|cell| cell.to_lowercase()).collect();
        let find = |name: &str| names.iter().position(|cell| cell == name);
        let missing = ["registration", "member", "mark"].into_iter().filter(|name| find(name).is_none());
        let mut faults: Vec<String> = missing.map(|name| format!("there is no column {name}")).collect();
        for (n, name) in names.iter().enumerate() {
            if !roster::KEYS.contains(&name.as_str()) {
                faults.push(format!("column {name:?} is not known"));
            } else if find(name) != Some(n) {
                faults.push(format!("column {name} comes twice"));
            }
        }
        match (find("registration"), find("member"), find("mark")) {
            (Some(registration), Some(member), Some(mark)) if faults.is_empty() => {
                Ok(Self { registration, member, mark, minutes: find("minutes"), all: names.len() })
            }
            _ => Err(faults),
        }
    }
}

/// One line: a mark, or nothing where there is none and that is fine, or every fault that it has.
fn entry(record: &csv::ByteRecord, columns: &Columns, event: &str) -> Result<Option<proto::MarkEntry>, Vec<String>> {
    let cells = text(record).map_err(|fault| vec![fault])?;
    if cells.len() != columns.all {
        return Err(vec![format!("has {} cells, and there are {} columns", cells.len(), columns.all)]);
    }
    let cell = |n: usize| cells.get(n).map(String::as_str).unwrap_or_default();
    if cell(columns.mark).is_empty() {
        // Somebody who counted minutes meant to enter something.
        let minutes = columns.minutes.map(cell).unwrap_or_default();
        let meant = || vec![format!("has {minutes:?} minutes, and no mark")];
        return if minutes.is_empty() { Ok(None) } else { Err(meant()) };
    }
    let mut faults = Vec::new();
    let registration = heed(&mut faults, registration(cell(columns.registration), event));
    let member = heed(&mut faults, number(cell(columns.member), "member", 1));
    let mark = heed(&mut faults, mark(cell(columns.mark)));
    let minutes = columns.minutes.map(cell).filter(|cell| !cell.is_empty());
    let minutes = minutes.and_then(|cell| heed(&mut faults, number(cell, "minutes", 0)));
    if minutes.is_some() && mark.is_some_and(|mark| mark != proto::AttendanceMark::Present) {
        faults.push("minutes are only for those who are PRESENT".to_owned());
    }
    match (registration, member, mark) {
        (Some(registration), Some(member), Some(mark)) if faults.is_empty() => {
            Ok(Some(proto::MarkEntry { registration, member, mark: mark.into(), minutes }))
        }
        _ => Err(faults),
    }
}

fn heed<T>(faults: &mut Vec<String>, read: Result<T, String>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

fn registration(cell: &str, event: &str) -> Result<String, String> {
    if cell.is_empty() {
        return Err("names no registration".to_owned());
    }
    let id: RegistrationId = cell.parse().map_err(|_| format!("{cell:?} is no registration"))?;
    id.of(event).map_err(|_| format!("{cell} is a registration of another event"))
}

fn number(cell: &str, what: &str, least: i32) -> Result<i32, String> {
    let number = cell.parse().ok().filter(|number| *number >= least);
    number.ok_or_else(|| format!("{what} is {cell:?}; it must be a whole number from {least} on"))
}

fn mark(cell: &str) -> Result<proto::AttendanceMark, String> {
    let word = cell.replace(['-', ' '], "_");
    let known = Mark::value_variants().iter().find(|mark| {
        let name = mark.wire().as_str_name();
        name.strip_prefix("ATTENDANCE_MARK_").is_some_and(|name| name.eq_ignore_ascii_case(&word))
    });
    let wrong = || format!("mark is {cell:?}; it must be PRESENT, ABSENT, EXCUSED or MADE_UP");
    known.map(|mark| mark.wire()).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVENT: &str = "events/0198c2f4-6d1e-7c3a-9f00-2b6f5d1c7e11";
    const ONE: &str = "00000001-6d1e-7c3a-9f00-2b6f5d1c7e11";
    const TWO: &str = "00000002-6d1e-7c3a-9f00-2b6f5d1c7e11";

    fn faults(text: &str) -> String {
        read(text.as_bytes(), EVENT).faults.to_string()
    }

    #[test]
    fn a_list_is_read_with_any_separator_order_of_columns_and_byte_order_mark() {
        for (separator, mark) in [(",", "present"), (";", "PRESENT"), ("\t", "Present")] {
            let text = format!("\u{feff}mark,name,registration,member,minutes\r\n{mark},Žemyna,{ONE},2,60\r\n,,,,\r\n");
            let list = read(text.replace(',', separator).as_bytes(), EVENT);
            assert_eq!(list.faults.to_string(), "");
            let [(line, entry)] = list.marks.as_slice() else { panic!("{:?}", list.marks) };
            assert_eq!(
                (*line, entry.member, entry.mark(), entry.minutes),
                (2, 2, proto::AttendanceMark::Present, Some(60))
            );
            assert_eq!(entry.registration, format!("{EVENT}/registrations/{ONE}"));
        }
    }

    #[test]
    fn every_fault_of_every_line_is_told_with_its_number() {
        let text = format!(
            "registration,member,mark,minutes\n\
             {ONE},1,PRESENT,\n\
             {ONE},0,here,-3\n\
             nobody,x,ABSENT,10\n\
             events/{TWO}/registrations/{ONE},1,EXCUSED,\n\
             \"{TWO}\",1,\"PRESENT\",\n\
             {ONE},1,ABSENT,\n\
             {ONE},1\n\
             ,1,,7\n"
        );
        let told = faults(&text);
        let expected = [
            "line 3: member is \"0\"; it must be a whole number from 1 on; mark is \"here\"",
            "line 4: \"nobody\" is no registration; member is \"x\"",
            "minutes are only for those who are PRESENT",
            "line 5: events/00000002-6d1e-7c3a-9f00-2b6f5d1c7e11/registrations/00000001-6d1e-7c3a-9f00-2b6f5d1c7e11 \
             is a registration of another event",
            "line 7: is about the same member as line 2",
            "line 8: has 2 cells, and there are 4 columns",
            "line 9: has \"7\" minutes, and no mark",
        ];
        for words in expected {
            assert!(told.contains(words), "no {words} in:{told}");
        }
        assert!(!told.contains("line 2:") && !told.contains("line 6:"), "{told}");
        assert!(told.contains("minutes is \"-3\""), "{told}");
    }

    #[test]
    fn lines_are_counted_however_they_end_and_whatever_cells_hold() {
        for end in ["\n", "\r\n", "\r"] {
            let text =
                ["registration,member,mark,name", "", "x,1,PRESENT,\"a", "b\"", "y,1,PRESENT,c", ",,,", "z,1,PRESENT,"];
            let told = faults(&text.join(end));
            let lines: Vec<_> =
                told.lines().filter_map(|line| line.trim().split_once(':')).map(|(line, _)| line).collect();
            assert_eq!(lines, ["line 3", "line 5", "line 7"], "{told}");
        }
    }

    #[test]
    fn columns_that_are_missing_unknown_or_there_twice_are_told_together() {
        assert_eq!(
            faults("registration,minuts,mark,mark\n"),
            "\n  line 1: there is no column member; column \"minuts\" is not known; column mark comes twice"
        );
        assert!(faults("").contains("line 1: there are no columns"));
        assert!(faults("registration,member,mark\n").contains("no line with a mark"));
    }

    #[test]
    fn text_in_another_encoding_is_refused_line_by_line() {
        let mut bytes = format!("registration,member,mark,name\n{ONE},1,PRESENT,").into_bytes();
        bytes.extend(b"\xdeemyna\n");
        let list = read(&bytes, EVENT);
        assert_eq!(list.faults.to_string(), "\n  line 2: is not UTF-8: save the list as \"CSV UTF-8\"");
        assert!(read(b"\xff\xfer\0e\0", EVENT).faults.to_string().contains("line 1: is not UTF-8"));
    }

    #[test]
    fn lines_without_a_mark_are_passed_over_and_counted() {
        let text = format!("registration,member,mark\n{ONE},1,PRESENT\n{TWO},,\nx,1,\n");
        let list = read(text.as_bytes(), EVENT);
        assert_eq!((list.marks.len(), list.unmarked, list.faults.lines()), (1, 2, 0));
        let told = faults(&format!("registration,member,mark\n{TWO},1,\n"));
        assert!(told.contains("line 1: there is no line with a mark after this one, and 1 without"), "{told}");
    }
}
