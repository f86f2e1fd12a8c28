//! A feed for people: a line per row, written at once. The columns keep the widest width that they had so far.

use super::table::{last_part, one_line};
use super::target::Target;
use super::{Column, Place, Sheet, Tone, Value, Writer, decimal};
use crate::client::failure::Failure;
use std::io::Write;

pub struct Lines {
    target: Target,
    colours: bool,
    columns: Vec<Column>,
    widths: Vec<usize>,
}

impl Lines {
    pub fn new(target: Target, colours: bool) -> Self {
        Self { target, colours, columns: Vec::new(), widths: Vec::new() }
    }

    fn line(&mut self, cells: Vec<(String, Tone)>) -> Result<(), Failure> {
        let mut line = String::new();
        for ((text, tone), width) in cells.into_iter().zip(&mut self.widths) {
            *width = (*width).max(text.chars().count());
            let padded = format!("{text:<width$}  ", width = *width);
            match colour(tone).filter(|_| self.colours) {
                Some(code) => line.push_str(&format!("\u{1b}[{code}m{padded}\u{1b}[0m")),
                None => line.push_str(&padded),
            }
        }
        Ok(writeln!(self.target, "{}", line.trim_end())?)
    }
}

impl Writer for Lines {
    fn begin(&mut self, sheet: &Sheet) -> Result<(), Failure> {
        self.columns.clone_from(&sheet.columns);
        let head: Vec<_> =
            self.columns.iter().filter(|c| c.place != Place::Files).map(|c| c.title.to_string()).collect();
        self.widths = vec![0; head.len()];
        self.line(head.into_iter().map(|title| (title, Tone::Faint)).collect())?;
        self.flush()
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        let cells = row.into_iter().zip(&self.columns).filter(|(_, column)| column.place != Place::Files);
        let cells = cells.map(|(value, _)| cell(value)).collect();
        self.line(cells)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.target.flush()?)
    }

    fn close(self: Box<Self>) -> Result<(), Failure> {
        self.target.commit()
    }
}

fn cell(value: Value) -> (String, Tone) {
    match value {
        Value::Empty => ("·".to_owned(), Tone::Faint),
        Value::Text(text) => (one_line(&text), Tone::Plain),
        Value::Name(name) => (one_line(&last_part(&name)), Tone::Plain),
        Value::Whole(name) => (one_line(&name), Tone::Plain),
        Value::Number(n) => (n.to_string(), Tone::Plain),
        Value::Hundredths(n) => (decimal(n), Tone::Plain),
        Value::Flag(flag) => (if flag { "yes" } else { "no" }.to_owned(), Tone::Plain),
        Value::Time(moment) => (moment.seconds(), Tone::Plain),
        Value::Word(text, tone) | Value::Picture(text, tone) => (one_line(&text), tone),
    }
}

fn colour(tone: Tone) -> Option<u8> {
    match tone {
        Tone::Plain => None,
        Tone::Good => Some(32),
        Tone::Heed => Some(33),
        Tone::Bad => Some(31),
        Tone::Faint => Some(90),
    }
}
