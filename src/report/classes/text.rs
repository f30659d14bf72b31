//! The tables that `classes` prints, and the lists for a terminal, where names need whole lines.

use std::io::{self, Write};

use super::document::{Caught, ClassesDocument, RulesDocument};
use crate::attribution::document::KernelGroup;
use crate::report::Style;
use crate::report::line::Line;
use crate::report::notes::{write_heading, write_notes};
use crate::report::table::{Cell, Table, grouped, number, text};
use crate::units::{Nanos, distinct, plain};

/// Trace, windows, rules and the unclassified share, then the groups.
pub fn summary(document: &ClassesDocument) -> Vec<Line> {
    let mut lines = Vec::new();
    if let Some(trace) = &document.trace {
        lines.push(("trace", plain(&trace.path, 120)));
    }
    let scope = if document.window == "all" {
        "whole trace".to_owned()
    } else {
        format!("windows `{}`, rule {}", plain(&document.window, 80), document.rule)
    };
    lines.push((
        "kernels",
        format!(
            "{scope}: {} in {} kernels of {} names",
            document.total_ns,
            grouped(document.count),
            names(document)
        ),
    ));
    let share =
        document.unclassified_share.map_or_else(|| "–".to_owned(), |share| share.to_string());
    lines.push((
        "rules",
        format!("{} · {share} of kernel time unclassified", plain(&document.rules, 120)),
    ));
    for group in &document.groups {
        lines.extend(readings(group));
    }
    lines
}

fn names(document: &ClassesDocument) -> String {
    let mut names: Vec<&str> = document.kernels.iter().map(|kernel| kernel.name.as_str()).collect();
    names.sort_unstable();
    names.dedup();
    grouped(names.len() as u64)
}

fn readings(group: &KernelGroup) -> Option<Line> {
    if group.readings.iter().all(|reading| reading.count == 0) {
        return None;
    }
    let each: Vec<String> = group
        .readings
        .iter()
        .map(|reading| {
            let mark = if reading.name == group.headline { " (headline)" } else { "" };
            let share = reading.share.map_or_else(|| "–".to_owned(), |share| share.to_string());
            format!("{}{mark} {share}", reading.name)
        })
        .collect();
    Some(("group", format!("{}: {}", group.name, each.join(" · "))))
}

/// Kernels, the unclassified first; classes; the rules that caught something.
pub fn tables(document: &ClassesDocument) -> Vec<Table> {
    vec![kernels(document), classes(document), used_rules(document)]
}

/// A kernel's name for a terminal: without `void` and the list of parameters, which repeat what the
/// template arguments say.
fn readable(name: &str) -> &str {
    let name = name.strip_prefix("void ").unwrap_or(name);
    let Some(body) = name.strip_suffix(')') else { return name };
    let mut depth = 1;
    for (at, c) in body.char_indices().rev() {
        match c {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return if at > 0 { &name[..at] } else { name };
        }
    }
    name
}

/// Writes the kernels with the name below the numbers, for it needs the whole line.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_kernels(
    out: &mut dyn Write,
    document: &ClassesDocument,
    top: usize,
    style: Style,
) -> io::Result<()> {
    write_heading(out, "Kernels, the unclassified first", style)?;
    writeln!(out, "  {:>7}  {:>10}  {:>9}  {:<16}  rule", "share", "time", "count", "class")?;
    let width = usize::from(style.width).saturating_sub(4).max(30);
    let shown = document.kernels.iter().take(top);
    let names = distinct(shown.clone().map(|kernel| readable(&kernel.name)), width);
    for (kernel, name) in shown.zip(&names.shown) {
        let share = kernel.share.map_or_else(|| "–".to_owned(), |share| share.to_string());
        writeln!(
            out,
            "  {share:>7}  {:>10}  {:>9}  {:<16}  {}",
            kernel.time_ns.to_string(),
            grouped(kernel.count),
            kernel.class,
            rule_name(kernel.by.as_ref()).for_people(),
        )?;
        writeln!(out, "    {name}")?;
    }
    let total = document.kernels.len();
    if total > top {
        writeln!(out, "  … {} more; --top {total} shows all", total - top)?;
    }
    Ok(())
}

/// Writes rules with their patterns whole, so that they can be copied.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_rules(out: &mut dyn Write, rules: &Table, top: usize, style: Style) -> io::Result<()> {
    write_heading(out, &rules.title, style)?;
    let mut notes = Vec::new();
    for row in rules.rows.iter().take(top) {
        let cells: Vec<String> = row.iter().map(Cell::for_people).collect();
        if let [number, class, pattern, reason] = cells.as_slice() {
            notes.push((format!("{number:>3}  {class}"), plain(reason, 400)));
            notes.push((String::new(), plain(pattern, 400)));
        }
    }
    write_notes(out, &notes, style)?;
    if rules.rows.len() > top {
        writeln!(out, "  … {} more; --top {} shows all", rules.rows.len() - top, rules.rows.len())?;
    }
    Ok(())
}

/// `12`, `user 3` for a rule of the user's file, or the name of a rule of context.
fn rule_name(by: Option<&Caught>) -> Cell {
    match by {
        None => Cell::Missing,
        Some(Caught::Rule { number, shipped: true, .. }) => Cell::Text(number.to_string()),
        Some(Caught::Rule { number, .. }) => Cell::Text(format!("user {number}")),
        Some(Caught::Context { rule, .. }) => Cell::Text(rule.clone()),
    }
}

fn kernels(document: &ClassesDocument) -> Table {
    let rows = document.kernels.iter().map(|kernel| {
        vec![
            Cell::from(kernel.name.as_str()),
            Cell::from(kernel.class.as_str()),
            rule_name(kernel.by.as_ref()),
            Cell::Count(kernel.count),
            Cell::Time(kernel.time_ns),
            kernel.share.into(),
        ]
    });
    Table {
        name: "kernels",
        title: "Kernels, the unclassified first".to_owned(),
        columns: vec![
            text("kernel", "name"),
            text("class", "class"),
            text("rule", "rule"),
            number("count", "count"),
            number("time", "time_ns"),
            number("share", "share_pct"),
        ],
        rows: rows.collect(),
        note: None,
    }
}

fn classes(document: &ClassesDocument) -> Table {
    let by_context = document.classes.iter().any(|class| class.by_context_ns > Nanos::ZERO);
    let mut columns = vec![
        text("class", "class"),
        number("count", "count"),
        number("time", "time_ns"),
        number("share", "share_pct"),
    ];
    if by_context {
        columns.push(number("of it by context", "by_context_ns"));
    }
    let rows = document.classes.iter().map(|class| {
        let mut row = vec![
            Cell::from(class.class.as_str()),
            Cell::Count(class.count),
            Cell::Time(class.time_ns),
            class.share.into(),
        ];
        if by_context {
            row.push(Cell::Time(class.by_context_ns));
        }
        row
    });
    let rows = rows.collect();
    Table { name: "classes", title: "Classes".to_owned(), columns, rows, note: None }
}

/// Each rule that caught a kernel, in the order of the kernels.
fn used_rules(document: &ClassesDocument) -> Table {
    let mut rows: Vec<Vec<Cell>> = Vec::new();
    for kernel in &document.kernels {
        let (pattern, reason) = match &kernel.by {
            None => continue,
            Some(Caught::Rule { pattern, reason, .. }) => (pattern.as_str(), reason),
            Some(Caught::Context { reason, .. }) => ("(by context)", reason),
        };
        let name = rule_name(kernel.by.as_ref());
        let row = vec![
            name,
            Cell::from(kernel.class.as_str()),
            Cell::from(pattern),
            Cell::from(reason.as_str()),
        ];
        if !rows.contains(&row) {
            rows.push(row);
        }
    }
    Table {
        name: "rules",
        title: "Rules that caught them".to_owned(),
        columns: vec![
            text("rule", "rule"),
            text("class", "class"),
            text("pattern", "pattern"),
            text("reason", "reason"),
        ],
        rows,
        note: None,
    }
}

/// Every rule in the order in which they are tried.
pub fn rules_table(document: &RulesDocument) -> Table {
    let rows = document.rules.iter().map(|rule| {
        let number =
            if rule.shipped { rule.number.to_string() } else { format!("user {}", rule.number) };
        vec![
            Cell::Text(number),
            Cell::from(rule.class.as_str()),
            Cell::from(rule.pattern.as_str()),
            Cell::from(rule.reason.as_str()),
        ]
    });
    Table {
        name: "rules",
        title: format!(
            "{}: {} rules, the first that fits decides",
            document.rules_file,
            document.rules.len()
        ),
        columns: vec![
            text("rule", "rule"),
            text("class", "class"),
            text("pattern", "pattern"),
            text("reason", "reason"),
        ],
        rows: rows.collect(),
        note: None,
    }
}

#[cfg(test)]
mod tests {
    use super::readable;

    #[test]
    fn readable_names_keep_template_arguments_and_lose_parameters() {
        assert_eq!(
            readable("void ns::k<float, f(int)>(float*, T<(int)4>)"),
            "ns::k<float, f(int)>"
        );
        assert_eq!(readable("ampere_sgemm_128x32_tn"), "ampere_sgemm_128x32_tn");
        assert_eq!(readable("(lambda)"), "(lambda)");
        assert_eq!(readable("odd)"), "odd)");
    }
}
