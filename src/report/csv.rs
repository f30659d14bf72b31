//! Tables as CSV: a file for each table, or all of them in one tidy stream.
//!
//! Times are in ns, shares in per cent, missing cells empty. A name that a spreadsheet would take for
//! a formula gets a leading apostrophe.

use std::io::{self, Write};

use super::table::{Cell, Table};

/// Writes one table with its columns' keys as header.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_csv(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    writer.write_record(table.columns.iter().map(|column| &*column.key))?;
    for row in &table.rows {
        writer.write_record(row.iter().map(cell))?;
    }
    writer.flush()
}

/// Writes several tables as one stream of `trace,window,table,item,quantity,value`: the first column
/// of names says what the row is about, every other cell is a value of its own.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_tidy(
    out: &mut dyn Write,
    header: bool,
    trace: &str,
    window: &str,
    tables: &[Table],
) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(out);
    if header {
        writer.write_record(["trace", "window", "table", "item", "quantity", "value"])?;
    }
    for table in tables {
        for row in &table.rows {
            let item = row.first().map(cell).unwrap_or_default();
            for (column, value) in table.columns.iter().zip(row).skip(1) {
                let (trace, window) = (guarded(trace), guarded(window));
                writer.write_record([
                    &trace,
                    &window,
                    table.name,
                    &item,
                    &*column.key,
                    &cell(value),
                ])?;
            }
        }
    }
    writer.flush()
}

fn cell(cell: &Cell) -> String {
    match cell {
        Cell::Text(name) => guarded(name),
        other => other.for_machines(),
    }
}

/// One field that a template writes: guarded, and quoted where it needs to be.
pub(super) fn field(text: &str) -> String {
    let text = guarded(text);
    if text.contains(['"', ',', '\n', '\r']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text
    }
}

fn guarded(name: &str) -> String {
    if name.starts_with(['=', '+', '-', '@', '\t', '\r']) {
        format!("'{name}")
    } else {
        name.to_owned()
    }
}
