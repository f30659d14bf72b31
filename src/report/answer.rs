//! The answer to a query as text: columns that nobody knew before, with cells of JSON.
//!
//! Units stand in the names of columns. For people a column that ends in one is scaled (`mean_ns` becomes
//! `mean`, in ms); CSV has every cell as it came.

use std::io::{self, Write};

use serde_json::Value;

use super::csv::field;
use super::markdown::escaped;
use super::table::{Cell, Column, Table};
use super::terminal::{Style, write_table as write_drawn};
use crate::units::{Bytes, Millijoules, Milliwatts, Nanos, plain};

/// Named columns and rows of cells.
#[derive(Clone, Debug)]
pub struct Answer<'a> {
    /// Name, and whether it holds text.
    pub columns: Vec<(&'a str, bool)>,
    /// A cell for each column.
    pub rows: &'a [Vec<Value>],
}

/// The units that a name may end in.
const UNITS: [&str; 4] = ["_ns", "_mj", "_mw", "_bytes"];

impl Answer<'_> {
    /// For people: without the unit, which then stands in the cells.
    fn heading(name: &str) -> String {
        let scaled = UNITS.iter().find_map(|unit| name.strip_suffix(unit));
        let scaled = scaled.filter(|rest| !rest.is_empty() && !name.contains("_unix_"));
        scaled.unwrap_or(name).replace('_', " ")
    }

    fn cell(name: &str, value: &Value) -> Cell {
        let ends = |unit: &str| name.ends_with(unit) && !name.contains("_unix_");
        let number = match value {
            Value::Null => return Cell::Missing,
            Value::String(text) => return Cell::Text(text.clone()),
            Value::Bool(flag) => return Cell::Text(flag.to_string()),
            Value::Number(number) => number.as_f64().unwrap_or(f64::NAN),
            other => return Cell::Text(other.to_string()),
        };
        match value.as_u64() {
            _ if ends("_ns") => Cell::Time(Nanos::from_ns(number.round() as i64)),
            _ if ends("_mj") => Cell::Energy(Millijoules::from_mj(number)),
            _ if ends("_mw") => Cell::Power(Milliwatts::from_mw(number)),
            _ if ends("_share") => Cell::Ratio(number),
            Some(bytes) if ends("_bytes") => Cell::Bytes(Bytes::new(bytes)),
            // Instants and ids are not amounts: no commas between their digits.
            _ if name.contains("_unix_") => Cell::Text(value.to_string()),
            Some(count) => Cell::Count(count),
            None if value.is_i64() => Cell::Text(value.to_string()),
            None => Cell::Number(number),
        }
    }

    /// The rows for people, at most `top`, and a line about the others.
    fn cells(&self, top: Option<usize>) -> (Vec<Vec<Cell>>, Option<String>) {
        let shown = top.unwrap_or(usize::MAX).min(self.rows.len());
        let row = |row: &Vec<Value>| {
            row.iter().zip(&self.columns).map(|(cell, (name, _))| Self::cell(name, cell)).collect()
        };
        let rows = self.rows[..shown].iter().map(row).collect();
        let left = self.rows.len() - shown;
        let note = format!("{left} more rows; --top {} shows all", self.rows.len());
        (rows, (left > 0).then_some(note))
    }
}

/// Writes an answer for a terminal.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_table(
    out: &mut dyn Write,
    title: &str,
    answer: &Answer<'_>,
    top: Option<usize>,
    style: Style,
) -> io::Result<()> {
    let (rows, note) = answer.cells(top);
    let column = |(name, is_text): &(&str, bool)| {
        let heading = plain(&Answer::heading(name), 60);
        Column { heading: heading.into(), key: (*name).to_owned().into(), is_text: *is_text }
    };
    let columns = answer.columns.iter().map(column).collect();
    let table = Table { name: "answer", title: title.to_owned(), columns, rows, note };
    write_drawn(out, &table, style)
}

/// Writes an answer as a Markdown table under a heading.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_markdown(
    out: &mut dyn Write,
    title: &str,
    answer: &Answer<'_>,
    top: Option<usize>,
) -> io::Result<()> {
    let (rows, note) = answer.cells(top);
    let headings: Vec<String> =
        answer.columns.iter().map(|(name, _)| escaped(&Answer::heading(name))).collect();
    let rules: Vec<&str> =
        answer.columns.iter().map(|(_, is_text)| if *is_text { ":--" } else { "--:" }).collect();
    writeln!(
        out,
        "# {}\n\n| {} |\n| {} |",
        escaped(title),
        headings.join(" | "),
        rules.join(" | ")
    )?;
    let (rows, numbered) = super::markdown::cells(&rows, answer.columns.len());
    for cells in rows {
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    if numbered {
        writeln!(out, "\n{}", super::markdown::NUMBERED)?;
    }
    match note {
        Some(note) => writeln!(out, "\n*{}*", escaped(&note)),
        None => Ok(()),
    }
}

/// Writes an answer as CSV: names of columns with their units, cells as they came.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_csv(out: &mut dyn Write, answer: &Answer<'_>) -> io::Result<()> {
    let names: Vec<String> = answer.columns.iter().map(|(name, _)| field(name)).collect();
    writeln!(out, "{}", names.join(","))?;
    for row in answer.rows {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Value::Null => String::new(),
                Value::String(text) => field(text),
                other => other.to_string(),
            })
            .collect();
        writeln!(out, "{}", cells.join(","))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn units_are_in_the_cells_for_people_and_in_the_name_for_machines() {
        let rows = vec![
            vec![json!("=a, b"), json!(53_591_000.4), json!(0.838), json!(1_234_567), Value::Null],
            vec![
                json!("c"),
                json!(-2_000),
                json!(null),
                json!(7),
                json!(1_700_000_000_000_000_000_i64),
            ],
        ];
        let columns = ["name", "mean_ns", "launch_share", "calls", "captured_unix_ns"];
        let columns = columns.map(|name| (name, name == "name")).to_vec();
        let answer = Answer { columns, rows: &rows };
        let mut table = Vec::new();
        write_table(&mut table, "T", &answer, Some(1), Style::default()).unwrap();
        let table = String::from_utf8(table).unwrap();
        assert!(table.contains("launch share") && !table.contains("mean ns"), "{table}");
        assert!(table.contains("53.591 ms") && table.contains("83.8 %"), "{table}");
        assert!(table.contains("1,234,567") && table.contains("1 more rows"), "{table}");
        let mut csv = Vec::new();
        write_csv(&mut csv, &answer).unwrap();
        let csv = String::from_utf8(csv).unwrap();
        assert_eq!(
            csv,
            "name,mean_ns,launch_share,calls,captured_unix_ns\n\"'=a, b\",53591000.4,0.838,1234567,\n\
             c,-2000,,7,1700000000000000000\n"
        );
        let mut markdown = Vec::new();
        write_markdown(&mut markdown, "T", &answer, None).unwrap();
        assert!(String::from_utf8(markdown).unwrap().contains("| c | -2.000 us | – | 7 |"));
    }
}
