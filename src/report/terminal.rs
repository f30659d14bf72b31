//! Tables and findings for a terminal.
//!
//! Colours and the width come from the caller, who knows whether there is a terminal. Names from a
//! trace may hold anything; control characters are escaped, and different names stay different.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell as Drawn, CellAlignment, ContentArrangement, presets};

use super::line::Line;
use super::table::{Cell, Table};
use crate::finding::{Finding, Severity};
use crate::units::{distinct, plain};

/// How to draw.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Whether escape sequences for colour may be written.
    pub color: bool,
    /// How many columns a line may have.
    pub width: u16,
}

impl Default for Style {
    /// No colour, 120 columns: what a file or a pipe gets.
    fn default() -> Self {
        Self { color: false, width: 120 }
    }
}

impl Style {
    fn paint(self, code: &str, text: &str) -> String {
        if self.color { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// Writes labelled lines, wrapped to the width.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_lines(out: &mut dyn Write, lines: &[Line], style: Style) -> io::Result<()> {
    const LABEL: usize = 9;
    for (label, text) in lines {
        let width = usize::from(style.width).saturating_sub(LABEL).max(30);
        for (i, part) in wrap(text, width).iter().enumerate() {
            let shown = if i == 0 {
                style.paint("1", &format!("{label:<LABEL$}"))
            } else {
                " ".repeat(LABEL)
            };
            writeln!(out, "{shown}{part}")?;
        }
    }
    Ok(())
}

/// Writes one table with its title.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_table(out: &mut dyn Write, table: &Table, style: Style) -> io::Result<()> {
    writeln!(out, "\n{}", style.paint("1", &table.title))?;
    if table.rows.is_empty() {
        return writeln!(out, "  (no rows)");
    }
    let mut drawn = comfy_table::Table::new();
    drawn.load_style(presets::NOTHING).set_content_arrangement(ContentArrangement::Disabled);
    if style.color {
        drawn.enforce_styling();
    } else {
        drawn.force_no_tty();
    }
    let heading = |column: &super::table::Column| {
        let cell = Drawn::new(&*column.heading).set_alignment(alignment(column.is_text));
        if style.color { cell.add_attribute(Attribute::Dim) } else { cell }
    };
    drawn.set_header(table.columns.iter().map(heading).collect::<Vec<Drawn>>());
    let limits = name_limits(table, usize::from(style.width));
    let mut numbered = false;
    let columns: Vec<Vec<String>> = (0..table.columns.len())
        .map(|at| {
            let names = distinct(table.rows.iter().map(|row| name_of(&row[at])), limits[at]);
            numbered |= names.numbered;
            names.shown
        })
        .collect();
    for (at, row) in table.rows.iter().enumerate() {
        let cells = row.iter().zip(&table.columns).zip(&columns).map(|((cell, column), names)| {
            let text = match cell {
                Cell::Text(_) => names[at].clone(),
                other => other.for_people(),
            };
            Drawn::new(text).set_alignment(alignment(column.is_text))
        });
        drawn.add_row(cells.collect::<Vec<Drawn>>());
    }
    for line in drawn.lines() {
        writeln!(out, " {}", line.trim_end())?;
    }
    if let Some(note) = &table.note {
        writeln!(out, "  … {note}")?;
    }
    if numbered {
        writeln!(out, "  {NUMBERED}")?;
    }
    Ok(())
}

/// What stands below names that a number alone tells apart.
const NUMBERED: &str =
    "…#1, …#2: names that agree as far as there is room; --format csv has them whole";

/// The name in a cell, if it holds one.
fn name_of(cell: &Cell) -> &str {
    match cell {
        Cell::Text(name) => name,
        _ => "",
    }
}

const fn alignment(is_text: bool) -> CellAlignment {
    if is_text { CellAlignment::Left } else { CellAlignment::Right }
}

/// How many characters a name may have in each column, so that the table fits: numbers are never
/// shortened, the widest column of names gives way.
fn name_limits(table: &Table, width: usize) -> Vec<usize> {
    const PADDING: usize = 2;
    const LEAST: usize = 16;
    let needed: Vec<usize> = table
        .columns
        .iter()
        .enumerate()
        .map(|(i, column)| {
            let cells = table.rows.iter().map(|row| row[i].for_people().chars().count().min(400));
            cells.max().unwrap_or(0).max(column.heading.chars().count())
        })
        .collect();
    let mut limits = needed.clone();
    loop {
        let total: usize = limits.iter().map(|limit| limit + PADDING).sum::<usize>() + 1;
        let widest = (0..limits.len())
            .filter(|i| table.columns[*i].is_text && limits[*i] > LEAST)
            .max_by_key(|i| limits[*i]);
        match widest {
            Some(i) if total > width => limits[i] -= (total - width).min(limits[i] - LEAST),
            _ => return limits,
        }
    }
}

/// Writes findings, the most severe first, each with its remedy.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_findings(out: &mut dyn Write, findings: &[Finding], style: Style) -> io::Result<()> {
    let width = usize::from(style.width).saturating_sub(4).max(30);
    for finding in findings {
        let severity = finding.severity.to_string();
        let painted = match finding.severity {
            Severity::Info => style.paint("2", &severity),
            Severity::Warning => style.paint("33", &severity),
            Severity::DataLoss | Severity::Error => style.paint("31", &severity),
        };
        writeln!(out, "{painted} [{}]", finding.code)?;
        for part in wrap(&plain(&finding.message, 1_000), width) {
            writeln!(out, "    {part}")?;
        }
        for part in wrap(&format!("→ {}", plain(&finding.remedy, 1_000)), width) {
            writeln!(out, "    {part}")?;
        }
    }
    Ok(())
}

/// Breaks at spaces; a word longer than the width stays whole.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut length = 0;
    for word in text.split(' ') {
        let size = word.chars().count();
        if length > 0 && length + 1 + size > width {
            lines.push(std::mem::take(&mut line));
            length = 0;
        }
        if length > 0 {
            line.push(' ');
            length += 1;
        }
        line.push_str(word);
        length += size;
    }
    lines.push(line);
    lines
}
