//! Tables for people. Colours and widths are a terminal's; a pipe gets neither, so that grep finds whole names.

use super::target::Target;
use super::{Column, Place, Sheet, Tone, Value, Writer, decimal};
use crate::client::failure::{Failure, printable};
use comfy_table::{Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, LineStyle};
use comfy_table::{Table, TableStyle};
use std::io::Write;

/// Rows that are set together; longer tables come in pieces, each with its head.
const ROWS_MAX: usize = 1_000;

/// A text that is wider than this may be broken.
const BREAKABLE: u16 = 16;

/// Lines around the table and under its head, none between rows.
const DRESS: TableStyle = TableStyle::new()
    .top_border(LineStyle::none().fill('─').junction('─'))
    .header_separator(LineStyle::none().fill('─').junction('─'))
    .bottom_border(LineStyle::none().fill('─').junction('─'));

pub struct Tables {
    target: Target,
    colours: bool,
    columns: Vec<Column>,
    card: bool,
    sheets: usize,
    rows: Vec<Vec<Value>>,
    /// Whether a piece of the sheet is out already.
    begun: bool,
}

impl Tables {
    pub fn new(target: Target, colours: bool) -> Self {
        Self { target, colours, columns: Vec::new(), card: false, sheets: 0, rows: Vec::new(), begun: false }
    }

    /// What is there of the sheet, printed.
    fn print(&mut self) -> Result<(), Failure> {
        if self.sheets == 0 || (self.rows.is_empty() && self.begun) {
            return Ok(());
        }
        self.begun = true;
        let rows = std::mem::take(&mut self.rows);
        let table = if self.card { self.card_of(rows) } else { self.table_of(&rows) };
        for line in table.lines() {
            writeln!(self.target, "{}", line.trim_end())?;
        }
        Ok(())
    }

    /// With every column, or with fewer where the terminal is too narrow for all.
    fn table_of(&self, rows: &[Vec<Value>]) -> Table {
        let (mut table, free_text) = self.columns_of(rows, &[Place::Files]);
        if matches!(table.content_arrangement(), ContentArrangement::Disabled) || fit(&mut table, &free_text) {
            return table;
        }
        let (mut table, free_text) = self.columns_of(rows, &[Place::Files, Place::Wide]);
        if !fit(&mut table, &free_text) {
            // Nothing is broken then, and the terminal wraps the lines.
            table.set_content_arrangement(ContentArrangement::Disabled);
        }
        table
    }

    /// The columns of all places but these, and which of them hold free text.
    fn columns_of(&self, rows: &[Vec<Value>], without: &[Place]) -> (Table, Vec<bool>) {
        let mut table = self.empty();
        let head = self.columns.iter().filter(|column| !without.contains(&column.place));
        table.set_header(head.map(|column| bold(&column.title)).collect::<Vec<_>>());
        let mut free_text = vec![false; table.column_count()];
        for row in rows {
            let cells = row.iter().zip(&self.columns).filter(|(_, column)| !without.contains(&column.place));
            let mut shown = Vec::new();
            for ((value, _), text) in cells.zip(&mut free_text) {
                *text |= matches!(value, Value::Text(_));
                shown.push(cell(value.clone(), last_part));
            }
            table.add_row(shown);
        }
        (table, free_text)
    }

    /// A line for each value that is there.
    fn card_of(&self, rows: Vec<Vec<Value>>) -> Table {
        let mut table = self.empty();
        for row in rows {
            let lines = self.columns.iter().zip(row).filter(|(column, _)| column.place != Place::Files);
            for (column, value) in lines.filter(|(_, value)| !matches!(value, Value::Empty)) {
                let value = cell(value, whole).set_alignment(CellAlignment::Left);
                table.add_row(vec![bold(&column.title), value]);
            }
        }
        table
    }

    fn empty(&self) -> Table {
        let mut table = Table::new();
        table.load_style(DRESS);
        match table.width().filter(|_| self.target.is_terminal()) {
            Some(width) => table.set_width(width).set_content_arrangement(ContentArrangement::Dynamic),
            None => table.set_content_arrangement(ContentArrangement::Disabled),
        };
        if self.colours {
            table.enforce_styling()
        } else {
            table.force_no_tty()
        };
        table
    }
}

impl Writer for Tables {
    fn begin(&mut self, sheet: &Sheet) -> Result<(), Failure> {
        self.print()?;
        if self.sheets > 0 {
            writeln!(self.target)?;
        }
        if !sheet.heading.is_empty() {
            let (on, off) = if self.colours { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
            writeln!(self.target, "{on}{}{off}", printable(&sheet.heading))?;
        }
        for note in &sheet.notes {
            writeln!(self.target, "{}", printable(note))?;
        }
        self.columns.clone_from(&sheet.columns);
        self.card = sheet.card;
        self.sheets += 1;
        self.begun = false;
        Ok(())
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        self.rows.push(row);
        if self.rows.len() < ROWS_MAX { Ok(()) } else { self.print() }
    }

    fn flush(&mut self) -> Result<(), Failure> {
        self.print()?;
        Ok(self.target.flush()?)
    }

    fn close(mut self: Box<Self>) -> Result<(), Failure> {
        self.print()?;
        self.target.commit()
    }
}

/// Makes the table as wide as the terminal, if it can be. Only long texts are broken: a name or a number in two pieces
/// can be neither copied nor read.
fn fit(table: &mut Table, free_text: &[bool]) -> bool {
    let widths = table.column_max_content_widths();
    let breaks = |n: usize| free_text.get(n) == Some(&true) && widths.get(n).is_some_and(|width| *width > BREAKABLE);
    let least: usize = (0..).zip(&widths).map(|(n, w)| usize::from(if breaks(n) { BREAKABLE } else { *w }) + 3).sum();
    if table.width().is_some_and(|width| least > usize::from(width)) {
        return false;
    }
    for n in (0..widths.len()).filter(|n| !breaks(*n)) {
        if let Some(column) = table.column_mut(n) {
            column.set_constraint(ColumnConstraint::ContentWidth);
        }
    }
    true
}

fn bold(text: &str) -> Cell {
    Cell::new(text).add_attribute(Attribute::Bold)
}

/// Names by their last part: the parts before it are known from the question.
pub fn last_part(name: &str) -> String {
    name.rsplit('/').next().unwrap_or(name).to_owned()
}

fn whole(name: &str) -> String {
    name.to_owned()
}

fn cell(value: Value, named: fn(&str) -> String) -> Cell {
    match value {
        Value::Empty => Cell::new("·").fg(Color::DarkGrey),
        Value::Text(text) => Cell::new(one_line(&text)),
        Value::Name(name) => Cell::new(one_line(&named(&name))),
        Value::Whole(name) => Cell::new(one_line(&name)),
        Value::Number(n) => Cell::new(n).set_alignment(CellAlignment::Right),
        Value::Hundredths(n) => Cell::new(decimal(n)).set_alignment(CellAlignment::Right),
        Value::Flag(flag) => Cell::new(if flag { "yes" } else { "no" }),
        Value::Time(moment) => Cell::new(moment.minutes()),
        Value::Word(text, tone) | Value::Picture(text, tone) => toned(Cell::new(one_line(&text)), tone),
    }
}

fn toned(cell: Cell, tone: Tone) -> Cell {
    match tone {
        Tone::Plain => cell,
        Tone::Good => cell.fg(Color::Green),
        Tone::Heed => cell.fg(Color::Yellow),
        Tone::Bad => cell.fg(Color::Red),
        Tone::Faint => cell.fg(Color::DarkGrey),
    }
}

/// What somebody typed into a form moves nobody's cursor, and stays in its row.
pub fn one_line(text: &str) -> String {
    printable(&text.replace(['\n', '\r', '\t'], " "))
}
