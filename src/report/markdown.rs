//! Tables as GitHub-flavoured Markdown.

use std::io::{self, Write};

use super::line::Line;
use super::paper::{ColumnKind, ShownColumn, ShownTable};
use super::table::{Cell, Table};
use crate::finding::Finding;
use crate::units::distinct;

/// How long a name may be before a part of it is left out.
const LONGEST_NAME: usize = 160;

/// Writes a summary, tables and findings under a heading.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_markdown(
    out: &mut dyn Write,
    heading: &str,
    lines: &[Line],
    tables: &[Table],
    findings: &[Finding],
) -> io::Result<()> {
    writeln!(out, "# {}\n", escaped(heading))?;
    for (label, text) in lines {
        writeln!(out, "- **{label}**: {}", escaped(text))?;
    }
    for table in tables {
        write_one(out, table)?;
    }
    if !findings.is_empty() {
        writeln!(out, "\n## Findings\n")?;
    }
    for finding in findings {
        let (message, remedy) = (escaped(&finding.message), escaped(&finding.remedy));
        writeln!(out, "- **{}** `{}`: {message}. *{remedy}.*", finding.severity, finding.code)?;
    }
    Ok(())
}

fn write_one(out: &mut dyn Write, table: &Table) -> io::Result<()> {
    writeln!(out, "\n## {}\n", escaped(&table.title))?;
    let headings: Vec<String> =
        table.columns.iter().map(|column| escaped(&column.heading)).collect();
    writeln!(out, "| {} |", headings.join(" | "))?;
    let rules: Vec<&str> =
        table.columns.iter().map(|column| if column.is_text { ":--" } else { "--:" }).collect();
    writeln!(out, "| {} |", rules.join(" | "))?;
    let (rows, numbered) = cells(&table.rows, table.columns.len());
    for cells in rows {
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    if let Some(note) = &table.note {
        writeln!(out, "\n*{}*", escaped(note))?;
    }
    if numbered {
        writeln!(out, "\n{NUMBERED}")?;
    }
    Ok(())
}

/// What stands below names that a number alone tells apart.
pub(super) const NUMBERED: &str =
    "*…\\#1, …\\#2: names that agree as far as there is room; the CSV format has them whole.*";

/// The cells of so many columns as they are written, and whether numbers alone tell names apart.
pub(super) fn cells(rows: &[Vec<Cell>], columns: usize) -> (Vec<Vec<String>>, bool) {
    let mut numbered = false;
    let mut shown: Vec<Vec<String>> = rows
        .iter()
        .map(|row| row.iter().map(|cell| escaped(&cell.for_people())).collect())
        .collect();
    for at in 0..columns {
        let is_name = |row: &&Vec<Cell>| matches!(row.get(at), Some(Cell::Text(_)));
        let names = rows.iter().filter(is_name).filter_map(|row| match &row[at] {
            Cell::Text(name) => Some(name.as_str()),
            _ => None,
        });
        let names = distinct(names, LONGEST_NAME);
        numbered |= names.numbered;
        let places = rows.iter().enumerate().filter(|(_, row)| is_name(row));
        for ((place, _), name) in places.zip(&names.shown) {
            shown[place][at] = escaped(name);
        }
    }
    (shown, numbered)
}

/// A table of a report, without a heading; at most `top` rows.
pub(super) fn shown_table(table: &ShownTable, top: usize) -> String {
    let heading = |column: &ShownColumn| match column.unit {
        Some(unit) => format!("{} ({})", escaped(&column.heading), unit.symbol()),
        None => escaped(&column.heading),
    };
    let headings: Vec<String> = table.columns.iter().map(heading).collect();
    let rule = |column: &ShownColumn| match column.kind {
        ColumnKind::Text => ":--",
        ColumnKind::Number | ColumnKind::Mixed => "--:",
    };
    let rules: Vec<&str> = table.columns.iter().map(rule).collect();
    let mut text = format!("| {} |\n| {} |\n", headings.join(" | "), rules.join(" | "));
    let rows = &table.rows[..table.rows.len().min(top)];
    let columns: Vec<_> = (0..table.columns.len())
        .map(|at| distinct(rows.iter().map(|row| row[at].text.as_str()), LONGEST_NAME))
        .collect();
    for at in 0..rows.len() {
        let cells: Vec<String> =
            columns.iter().map(|column| escaped(&column.shown[at]).replace('`', "\\`")).collect();
        text += &format!("| {} |\n", cells.join(" | "));
    }
    if table.total_rows > top {
        text += &format!("\n*{} of {} rows; the CSV file has all.*\n", top, table.total_rows);
    }
    if let Some(note) = &table.note {
        text += &format!("\n*{}*\n", escaped(note));
    }
    if columns.iter().any(|column| column.numbered) {
        text += &format!("\n{NUMBERED}\n");
    }
    text
}

/// Text that renders as itself: no markup, no HTML, no table cells of its own.
pub(super) fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '|' | '\\' | '*' | '_' | '[' | ']' | '#' => {
                safe.push('\\');
                safe.push(c);
            }
            c if c.is_control() => safe.extend(c.escape_unicode()),
            c => safe.push(c),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::escaped;

    #[test]
    fn hostile_names_are_inert() {
        assert_eq!(escaped("<script>|x"), "&lt;script&gt;\\|x");
        assert_eq!(escaped("a\u{1b}[31m"), "a\\u{1b}\\[31m");
    }
}
