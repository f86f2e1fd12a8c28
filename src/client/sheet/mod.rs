//! What a verb has to say, as columns and rows, and the one way that it leaves: `Output` writes each row as it comes,
//! in the format that was asked for. Nothing is kept but what a format must keep (a table: a thousand rows).

mod csv;
mod json;
mod lines;
mod table;
mod target;
mod xlsx;

use super::failure::{Failure, Verdict};
use super::options::{Format, Show};
use crate::model::time::{Timestamp, Zone};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::borrow::Cow;
use std::io::IsTerminal;
use std::time::Duration;
use target::Target;

/// A named table with its columns.
pub struct Sheet {
    /// What it is called in a file: a key in JSON, a sheet in XLSX.
    pub name: &'static str,
    /// What stands above it on the screen; may be empty.
    pub heading: String,
    /// How its words are to be understood; they stand above it in every format.
    pub notes: Vec<String>,
    pub columns: Vec<Column>,
    /// True: one row, which the screen shows line by line.
    pub card: bool,
}

impl Sheet {
    pub fn rows(name: &'static str, heading: impl Into<String>, columns: &[Column]) -> Self {
        Self { name, heading: heading.into(), notes: Vec::new(), columns: columns.to_vec(), card: false }
    }

    pub fn card(name: &'static str, heading: impl Into<String>, columns: &[Column]) -> Self {
        Self { card: true, ..Self::rows(name, heading, columns) }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in CSV and JSON; does not change between versions.
    pub key: Cow<'static, str>,
    /// Its name for people.
    pub title: Cow<'static, str>,
    pub place: Place,
}

/// Where a column is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    Everywhere,
    /// In files, and on a screen that is wide enough.
    Wide,
    /// Pictures, and what would say twice what stands beside it.
    Screen,
    /// What a screen has no room for.
    Files,
}

impl Column {
    pub const fn new(key: &'static str, title: &'static str) -> Self {
        Self { key: Cow::Borrowed(key), title: Cow::Borrowed(title), place: Place::Everywhere }
    }
    pub const fn wide(key: &'static str, title: &'static str) -> Self {
        Self { key: Cow::Borrowed(key), title: Cow::Borrowed(title), place: Place::Wide }
    }
    pub const fn screen(key: &'static str, title: &'static str) -> Self {
        Self { key: Cow::Borrowed(key), title: Cow::Borrowed(title), place: Place::Screen }
    }
    pub const fn files(key: &'static str, title: &'static str) -> Self {
        Self { key: Cow::Borrowed(key), title: Cow::Borrowed(title), place: Place::Files }
    }
}

/// One cell.
#[derive(Clone, Debug)]
pub enum Value {
    Empty,
    Text(String),
    /// A word of a closed list, in the colour of what it means.
    Word(String, Tone),
    Number(i64),
    /// Hundredths of one: 578 is 5.78.
    Hundredths(i64),
    Flag(bool),
    Time(Moment),
    /// The name of a thing; the screen shows its last part.
    Name(String),
    /// The name of a thing that the next verb is given, and that the question did not say: shown whole.
    Whole(String),
    /// Only ever on the screen.
    Picture(String, Tone),
}

impl Value {
    pub fn number(n: impl Into<i64>) -> Self {
        Self::Number(n.into())
    }

    /// Nothing where there is no number.
    pub fn maybe(n: Option<impl Into<i64>>) -> Self {
        n.map_or(Self::Empty, Self::number)
    }

    /// Part of a whole of so many, to the nearest hundredth.
    pub fn ratio(part: i64, whole: i64) -> Self {
        let hundredths = (i128::from(part) * 200 + i128::from(whole)).div_euclid(i128::from(whole.max(1)) * 2);
        Self::Hundredths(i64::try_from(hundredths).unwrap_or(i64::MAX))
    }
}

/// `5.78`
fn decimal(hundredths: i64) -> String {
    let sign = if hundredths < 0 { "-" } else { "" };
    let size = hundredths.unsigned_abs();
    format!("{sign}{}.{:02}", size / 100, size % 100)
}

/// An instant, and whose wall clock shows it.
#[derive(Clone, Debug)]
pub struct Moment {
    pub at: Timestamp,
    pub zone: Zone,
}

impl Moment {
    /// `2025-01-13 09:00`
    pub fn minutes(&self) -> String {
        self.zone.local(self.at).strftime("%Y-%m-%d %H:%M").to_string()
    }

    /// `2025-01-13 09:00:07`, which spreadsheets take for a time.
    pub fn seconds(&self) -> String {
        self.zone.local(self.at).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// RFC 3339 with the offset of the zone.
    pub fn exact(&self) -> String {
        let zone = jiff::tz::TimeZoneDatabase::bundled().get(self.zone.name()).unwrap_or(jiff::tz::TimeZone::UTC);
        let local = self.at.to_jiff().to_zoned(zone);
        jiff::fmt::temporal::DateTimePrinter::new().timestamp_with_offset_to_string(&local.timestamp(), local.offset())
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    Plain,
    Good,
    Heed,
    Bad,
    Faint,
}

/// How many sheets there will be, and whether somebody waits for each row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One sheet.
    One,
    /// Several, each under its name.
    Many,
    /// One without an end: every row goes out at once.
    Feed,
}

/// A format.
trait Writer {
    fn begin(&mut self, sheet: &Sheet) -> Result<(), Failure>;
    fn row(&mut self, row: Vec<Value>) -> Result<(), Failure>;
    /// Sends what was written to whoever reads along.
    fn flush(&mut self) -> Result<(), Failure>;
    /// Ends the last sheet, and makes the file what it is called.
    fn close(self: Box<Self>) -> Result<(), Failure>;
}

/// Where rows go.
pub struct Output {
    writer: Box<dyn Writer>,
    progress: ProgressBar,
    /// Only the sheet of this name is written.
    part: Option<String>,
    /// The names of the sheets so far.
    names: Vec<&'static str>,
}

impl Output {
    pub fn open(show: &Show, shape: Shape) -> Result<Self, Failure> {
        let target = Target::open(show.output.as_deref())?;
        let colours = target.is_terminal() && colours_welcome();
        let writer: Box<dyn Writer> = match show.format {
            Format::Table if shape == Shape::Feed => Box::new(lines::Lines::new(target, colours)),
            Format::Table => Box::new(table::Tables::new(target, colours)),
            Format::Json => Box::new(json::Json::new(target, shape)),
            Format::Csv => Box::new(csv::Csv::new(target, show.separator.byte())?),
            Format::Xlsx if shape == Shape::Feed => {
                return Err(Failure::usage("--format xlsx needs an end: leave --follow out"));
            }
            Format::Xlsx if target.is_terminal() => {
                return Err(Failure::usage("--format xlsx is nothing for a terminal: give --output FILE"));
            }
            Format::Xlsx => Box::new(xlsx::Xlsx::new(target)?),
        };
        Ok(Self { writer, progress: progress(show), part: None, names: Vec::new() })
    }

    /// For several sheets, or only the one of that name.
    pub fn open_part(show: &Show, part: Option<&str>) -> Result<Self, Failure> {
        let shape = if part.is_some() { Shape::One } else { Shape::Many };
        Ok(Self { part: part.map(str::to_owned), ..Self::open(show, shape)? })
    }

    /// The rows from here on belong to this sheet.
    pub fn begin(&mut self, sheet: &Sheet) -> Result<(), Failure> {
        self.names.push(sheet.name);
        if self.shown() { self.writer.begin(sheet) } else { Ok(()) }
    }

    pub fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        self.progress.inc(1);
        if self.shown() { self.writer.row(row) } else { Ok(()) }
    }

    fn shown(&self) -> bool {
        self.part.is_none() || self.part.as_deref() == self.names.last().copied()
    }

    pub fn flush(&mut self) -> Result<(), Failure> {
        self.writer.flush()
    }

    pub fn close(self) -> Result<(), Failure> {
        self.progress.finish_and_clear();
        if let Some(part) = self.part.filter(|part| !self.names.contains(&part.as_str())) {
            return Err(Failure::usage(format!("--part {part}: there are {}", self.names.join(", "))));
        }
        self.writer.close()
    }
}

/// Shows one thing, and that is all.
pub fn card(show: &Show, sheet: &Sheet, row: Vec<Value>) -> Result<Verdict, Failure> {
    let mut output = Output::open(show, Shape::One)?;
    output.begin(sheet)?;
    output.row(row)?;
    output.close()?;
    Ok(Verdict::Done)
}

/// Shows a list, page after page. `page` answers the rows after a token, and the next token; empty: there are no more.
pub async fn list(
    show: &Show,
    sheet: &Sheet,
    page: impl AsyncFn(String) -> Result<(Vec<Vec<Value>>, String), Failure>,
) -> Result<Verdict, Failure> {
    let mut output = Output::open(show, Shape::One)?;
    output.begin(sheet)?;
    let mut token = String::new();
    loop {
        let (rows, next) = page(token).await?;
        rows.into_iter().try_for_each(|row| output.row(row))?;
        if next.is_empty() {
            output.close()?;
            return Ok(Verdict::Done);
        }
        token = next;
    }
}

/// Rows so far, on standard error; hidden by itself where that is no terminal, and where the rows themselves pass by.
fn progress(show: &Show) -> ProgressBar {
    if show.output.is_none() && std::io::stdout().is_terminal() {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("{spinner} {human_pos} rows, {per_sec}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(200));
    bar
}

/// See no-color.org.
fn colours_welcome() -> bool {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    !no_color && std::env::var_os("TERM").is_none_or(|term| term != "dumb")
}
