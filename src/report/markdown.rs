//! Tables as GitHub-flavoured Markdown.

use std::io::{self, Write};

use super::line::Line;
use super::paper::{ColumnKind, ShownColumn, ShownTable};
use super::table::{Cell, Table};
use crate::finding::Finding;
use crate::units::plain;

/// How long a name may be before its middle is left out.
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
    for row in &table.rows {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| match cell {
                Cell::Text(name) => escaped(&plain(name, LONGEST_NAME)),
                other => other.for_people(),
            })
            .collect();
        writeln!(out, "| {} |", cells.join(" | "))?;
    }
    if let Some(note) = &table.note {
        writeln!(out, "\n*{}*", escaped(note))?;
    }
    Ok(())
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
    for row in table.rows.iter().take(top) {
        let cells: Vec<String> = row
            .iter()
            .map(|cell| escaped(&plain(&cell.text, LONGEST_NAME)).replace('`', "\\`"))
            .collect();
        text += &format!("| {} |\n", cells.join(" | "));
    }
    if table.total_rows > top {
        text += &format!("\n*{} of {} rows; the CSV file has all.*\n", top, table.total_rows);
    }
    if let Some(note) = &table.note {
        text += &format!("\n*{}*\n", escaped(note));
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
