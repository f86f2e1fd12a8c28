//! The figures with their aims, as a table and as JSON.

use std::fmt::Write as _;

/// One figure over all rounds.
pub struct Row {
    pub name: String,
    /// What it is held to, as a person reads it.
    pub aim: String,
    /// Whether one measured value reaches the aim.
    pub reached: Box<dyn Fn(f64) -> bool>,
    pub values: Vec<f64>,
    pub unit: &'static str,
}

impl Row {
    pub fn new(
        name: impl Into<String>,
        aim: impl Into<String>,
        unit: &'static str,
        reached: impl Fn(f64) -> bool + 'static,
        values: Vec<f64>,
    ) -> Self {
        Self { name: name.into(), aim: aim.into(), reached: Box::new(reached), values, unit }
    }

    fn sorted(&self) -> Vec<f64> {
        let mut values = self.values.clone();
        values.sort_by(f64::total_cmp);
        values
    }

    pub fn median(&self) -> f64 {
        let values = self.sorted();
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

fn shown(value: f64) -> String {
    match value.abs() {
        v if v >= 1000.0 => format!("{value:.0}"),
        v if v >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

pub fn table(rows: &[Row]) -> String {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::ASCII_MARKDOWN);
    table.set_header(["figure", "aim", "median", "min .. max", "reached"]);
    for row in rows {
        let values = row.sorted();
        let (low, high) = (values.first().copied().unwrap_or(f64::NAN), values.last().copied().unwrap_or(f64::NAN));
        let reached = match row.aim.as_str() {
            "" => "",
            _ if (row.reached)(row.median()) => "yes",
            _ => "NO",
        };
        table.add_row([
            row.name.clone(),
            row.aim.clone(),
            format!("{} {}", shown(row.median()), row.unit),
            format!("{} .. {}", shown(low), shown(high)),
            reached.to_owned(),
        ]);
    }
    table.to_string()
}

pub fn json(rows: &[Row]) -> String {
    let mut out = String::from("[\n");
    for (i, row) in rows.iter().enumerate() {
        let values: Vec<String> = row.values.iter().map(|v| format!("{v:.4}")).collect();
        let _ = writeln!(
            out,
            "  {{\"figure\": {:?}, \"aim\": {:?}, \"unit\": {:?}, \"median\": {:.4}, \"values\": [{}]}}{}",
            row.name,
            row.aim,
            row.unit,
            row.median(),
            values.join(", "),
            if i + 1 < rows.len() { "," } else { "" }
        );
    }
    out + "]\n"
}
