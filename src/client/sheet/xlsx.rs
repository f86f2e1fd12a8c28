//! XLSX, row by row: finished rows go to a temporary file, so that a million of them cost no memory. Text is written
//! as text, never as a formula; what begins like one is also marked as quoted, so that it stays text when edited.

use super::csv::like_a_formula;
use super::target::Target;
use super::{Column, Moment, Place, Sheet, Value, Writer};
use crate::client::failure::Failure;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};

/// Rows of a sheet in Excel; what is longer goes on in another sheet.
const ROWS_MAX: u32 = 1_048_576;
/// Excel's number for that paper.
const A4: u8 = 9;
/// Characters of a cell in Excel.
const CELL_MAX: usize = 32_767;

pub struct Xlsx {
    target: Target,
    book: Workbook,
    sheet: Option<Sheet>,
    /// Which part of a sheet that is too long for one.
    part: usize,
    sheets: usize,
    row: u32,
    widths: Vec<usize>,
    formats: Formats,
}

struct Formats {
    head: Format,
    quoted: Format,
    time: Format,
    hundredths: Format,
}

impl Xlsx {
    pub fn new(target: Target) -> Result<Self, Failure> {
        Ok(Self {
            target,
            book: Workbook::new(),
            sheet: None,
            part: 0,
            sheets: 0,
            row: 0,
            widths: Vec::new(),
            formats: Formats {
                head: Format::new().set_bold().set_text_wrap(),
                quoted: Format::new().set_quote_prefix(),
                time: Format::new().set_num_format("yyyy-mm-dd hh:mm"),
                hundredths: Format::new().set_num_format("0.00"),
            },
        })
    }

    /// Opens a sheet, or the next part of one, with its notes and its head.
    fn open(&mut self, sheet: Sheet) -> Result<(), XlsxError> {
        self.set_widths()?;
        let name = if self.part == 0 { sheet.name.to_owned() } else { format!("{} {}", sheet.name, self.part + 1) };
        let page = self.book.add_worksheet_with_constant_memory()?;
        page.set_name(name)?;
        self.sheets += 1;
        self.row = 0;
        for note in &sheet.notes {
            page.write_string(self.row, 0, note.as_str())?;
            self.row += 1;
        }
        self.row += u32::from(!sheet.notes.is_empty());
        for (column, n) in shown(&sheet.columns).zip(0..) {
            page.write_string_with_format(self.row, n, column.title.as_ref(), &self.formats.head)?;
        }
        page.set_repeat_rows(self.row, self.row)?;
        self.row += 1;
        page.set_freeze_panes(self.row, 0)?;
        // On paper: across the page, all columns on it.
        page.set_landscape().set_paper_size(A4).set_print_fit_to_pages(1, 0);
        self.widths = shown(&sheet.columns).map(|column| column.title.chars().count().min(20)).collect();
        self.sheet = Some(sheet);
        Ok(())
    }

    /// As wide as what stands in them, within reason.
    fn set_widths(&mut self) -> Result<(), XlsxError> {
        let Some(last) = self.sheets.checked_sub(1) else { return Ok(()) };
        let page = self.book.worksheet_from_index(last)?;
        for (width, n) in self.widths.iter().zip(0..) {
            page.set_column_width(n, (*width as f64 + 2.0).min(60.0))?;
        }
        Ok(())
    }

    fn write(&mut self, row: Vec<Value>) -> Result<(), XlsxError> {
        if self.row == ROWS_MAX
            && let Some(sheet) = self.sheet.take()
        {
            self.part += 1;
            self.open(sheet)?;
        }
        let Some(sheet) = &self.sheet else { return Ok(()) };
        let page = self.book.worksheet_from_index(self.sheets - 1)?;
        let cells = row.into_iter().zip(&sheet.columns).filter(|(_, column)| column.place != Place::Screen);
        for ((value, _), n) in cells.zip(0_u16..) {
            if let Some(width) = self.widths.get_mut(usize::from(n)) {
                *width = (*width).max(length(&value));
            }
            cell(page, (self.row, n), value, &self.formats)?;
        }
        self.row += 1;
        Ok(())
    }
}

impl Writer for Xlsx {
    fn begin(&mut self, sheet: &Sheet) -> Result<(), Failure> {
        self.part = 0;
        let sheet = Sheet {
            name: sheet.name,
            heading: String::new(),
            notes: sheet.notes.clone(),
            columns: sheet.columns.clone(),
            card: sheet.card,
        };
        self.open(sheet).map_err(failed)
    }

    fn row(&mut self, row: Vec<Value>) -> Result<(), Failure> {
        self.write(row).map_err(failed)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(())
    }

    fn close(mut self: Box<Self>) -> Result<(), Failure> {
        self.set_widths().map_err(failed)?;
        self.book.save_to_writer(&mut self.target).map_err(failed)?;
        self.target.commit()
    }
}

fn shown(columns: &[Column]) -> impl Iterator<Item = &Column> {
    columns.iter().filter(|column| column.place != Place::Screen)
}

fn cell(page: &mut Worksheet, (row, column): (u32, u16), value: Value, formats: &Formats) -> Result<(), XlsxError> {
    match value {
        Value::Empty | Value::Picture(..) => {}
        Value::Text(text) | Value::Word(text, _) | Value::Name(text) | Value::Whole(text) => {
            let text: String = text.chars().take(CELL_MAX).collect();
            if like_a_formula(&text) {
                page.write_string_with_format(row, column, text, &formats.quoted)?;
            } else {
                page.write_string(row, column, text)?;
            }
        }
        Value::Number(n) => {
            page.write_number(row, column, n as f64)?;
        }
        Value::Hundredths(n) => {
            page.write_number_with_format(row, column, n as f64 / 100.0, &formats.hundredths)?;
        }
        Value::Flag(flag) => {
            page.write_boolean(row, column, flag)?;
        }
        Value::Time(moment) => match excel(&moment) {
            Some(local) => page.write_datetime_with_format(row, column, local, &formats.time).map(|_| ())?,
            None => page.write_string(row, column, moment.seconds()).map(|_| ())?,
        },
    }
    Ok(())
}

/// The wall clock as Excel counts it; it knows no zones.
fn excel(moment: &Moment) -> Option<ExcelDateTime> {
    let local = moment.zone.local(moment.at);
    let part = |n: i8| u8::try_from(n).ok();
    let date = ExcelDateTime::from_ymd(u16::try_from(local.year()).ok()?, part(local.month())?, part(local.day())?);
    date.ok()?.and_hms(u16::from(part(local.hour())?), part(local.minute())?, f64::from(local.second())).ok()
}

fn length(value: &Value) -> usize {
    match value {
        Value::Text(text) | Value::Word(text, _) | Value::Name(text) | Value::Whole(text) => {
            text.chars().take(60).count()
        }
        Value::Time(_) => 16,
        Value::Number(_) | Value::Hundredths(_) => 8,
        Value::Empty | Value::Flag(_) | Value::Picture(..) => 5,
    }
}

fn failed(error: XlsxError) -> Failure {
    match error {
        XlsxError::IoError(error) => Failure::Output(error),
        other => Failure::Other(format!("cannot write XLSX: {other}")),
    }
}
