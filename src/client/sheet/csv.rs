//! CSV as spreadsheets read it: UTF-8 with a byte order mark, lines that end in CR LF, times as the wall clock shows
//! them. A cell that begins like a formula gets an apostrophe before it, so that no name becomes a program.

use super::target::Target;
use super::{Place, Sheet, Value, Writer, decimal};
use crate::client::failure::Failure;
use std::io::Write;

/// Tells Excel that it is UTF-8.
pub const BYTE_ORDER_MARK: &[u8] = "\u{feff}".as_bytes();

pub struct Csv {
    writer: csv::Writer<Target>,
    shown: Vec<bool>,
    sheets: usize,
}

impl Csv {
    pub fn new(mut target: Target, separator: u8) -> Result<Self, Failure> {
        target.write_all(BYTE_ORDER_MARK)?;
        let mut builder = csv::WriterBuilder::new();
        builder.delimiter(separator).terminator(csv::Terminator::CRLF).flexible(true);
        Ok(Self { writer: builder.from_writer(target), shown: Vec::new(), sheets: 0 })
    }

    /// Sheets after the first, and notes, are set apart by an empty cell in a line of its own.
    fn part(&mut self) -> Result<(), Failure> {
        self.writer.write_record([""]).map_err(failed)
    }
}

impl Writer for Csv {
    fn begin(&mut self, sheet: &Sheet) -> Result<(), Failure> {
        if self.sheets > 0 {
            self.part()?;
        }
        for note in &sheet.notes {
            self.writer.write_record([defused(note.clone())]).map_err(failed)?;
        }
        if !sheet.notes.is_empty() {
            self.part()?;
        }
        let columns = sheet.columns.iter().filter(|column| column.place != Place::Screen);
        self.writer.write_record(columns.map(|column| column.key.as_ref())).map_err(failed)?;
        self.shown = sheet.columns.iter().map(|column| column.place != Place::Screen).collect();
        self.sheets += 1;
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        let cells = row.into_iter().zip(&self.shown).filter(|(_, shown)| **shown);
        for (value, _) in cells {
            self.writer.write_field(cell(value)).map_err(failed)?;
        }
        self.writer.write_record(None::<&[u8]>).map_err(failed)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.writer.flush()?)
    }

    fn close(self: Box<Self>) -> Result<(), Failure> {
        let target = self.writer.into_inner().map_err(|error| error.into_error())?;
        target.commit()
    }
}

fn cell(value: Value) -> String {
    match value {
        Value::Empty | Value::Picture(..) => String::new(),
        Value::Text(text) | Value::Word(text, _) | Value::Name(text) | Value::Whole(text) => defused(text),
        // Digits alone: no formula.
        Value::Number(n) => n.to_string(),
        Value::Hundredths(n) => decimal(n),
        Value::Flag(flag) => if flag { "yes" } else { "no" }.to_owned(),
        Value::Time(moment) => moment.seconds(),
    }
}

/// What spreadsheets take for the beginning of a formula.
pub fn like_a_formula(text: &str) -> bool {
    text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n', '＝', '＋', '－', '＠'])
}

fn defused(text: String) -> String {
    if like_a_formula(&text) { format!("'{text}") } else { text }
}

/// Only the target can fail: records may be of any length.
fn failed(error: csv::Error) -> Failure {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => Failure::Output(error),
        other => Failure::Other(format!("cannot write CSV: {other:?}")),
    }
}
