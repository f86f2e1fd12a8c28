//! JSON: one sheet is an array of objects (a card: the object itself), several are an object of them, a feed is one
//! object per line. Times are RFC 3339 with the offset of their zone.

use super::target::Target;
use super::{Column, Place, Shape, Sheet, Value, Writer};
use crate::client::failure::Failure;
use serde_json::Value as Tree;
use std::io::Write;

pub struct Json {
    target: Target,
    shape: Shape,
    columns: Vec<Column>,
    /// What ends the sheet that was begun.
    end: &'static str,
    sheets: usize,
    rows: usize,
    card: bool,
}

impl Json {
    pub fn new(target: Target, shape: Shape) -> Self {
        Self { target, shape, columns: Vec::new(), end: "", sheets: 0, rows: 0, card: false }
    }

    fn end_sheet(&mut self) -> Result<(), Failure> {
        let nothing = if self.card && self.sheets > 0 && self.rows == 0 { "null" } else { "" };
        Ok(write!(self.target, "{nothing}{}", self.end)?)
    }
}

impl Writer for Json {
    fn begin(&mut self, sheet: &Sheet) -> Result<(), Failure> {
        self.end_sheet()?;
        if self.shape == Shape::Many {
            let before = if self.sheets == 0 { "{" } else { "," };
            write!(self.target, "{before}\n{}: ", Tree::from(sheet.name))?;
        }
        let noted = !sheet.notes.is_empty() && self.shape != Shape::Feed;
        if noted {
            write!(self.target, "{{\"notes\": {}, \"rows\": ", Tree::from(sheet.notes.clone()))?;
        }
        if !sheet.card && self.shape != Shape::Feed {
            write!(self.target, "[")?;
        }
        self.end = match (sheet.card || self.shape == Shape::Feed, noted) {
            (true, false) => "",
            (true, true) => "}",
            (false, false) => "\n]",
            (false, true) => "\n]}",
        };
        self.columns.clone_from(&sheet.columns);
        self.card = sheet.card;
        self.sheets += 1;
        self.rows = 0;
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        if self.shape != Shape::Feed && !self.card {
            writeln!(self.target, "{}", if self.rows == 0 { "" } else { "," })?;
        }
        write!(self.target, "{{")?;
        let cells = self.columns.iter().zip(row).filter(|(column, _)| column.place != Place::Screen);
        for (n, (column, value)) in cells.enumerate() {
            let before = if n == 0 { "" } else { ", " };
            write!(self.target, "{before}{}: {}", Tree::from(column.key.as_ref()), json(value))?;
        }
        write!(self.target, "}}")?;
        if self.shape == Shape::Feed {
            writeln!(self.target)?;
        }
        self.rows += 1;
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.target.flush()?)
    }

    fn close(mut self: Box<Self>) -> Result<(), Failure> {
        self.end_sheet()?;
        if self.shape == Shape::Many {
            write!(self.target, "\n}}")?;
        }
        if self.shape != Shape::Feed {
            writeln!(self.target)?;
        }
        self.target.commit()
    }
}

fn json(value: Value) -> Tree {
    match value {
        Value::Empty | Value::Picture(..) => Tree::Null,
        Value::Text(text) | Value::Word(text, _) | Value::Name(text) | Value::Whole(text) => Tree::from(text),
        Value::Number(n) => Tree::from(n),
        Value::Hundredths(n) => Tree::from(n as f64 / 100.0),
        Value::Flag(flag) => Tree::from(flag),
        Value::Time(moment) => Tree::from(moment.exact()),
    }
}
