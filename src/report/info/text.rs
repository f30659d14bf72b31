//! The page that `info` prints.

use std::io::{self, Write};

use super::document::{Info, ProcessInfo, State, TableInfo};
use crate::report::line::Line;
use crate::report::notes::{write_heading, write_notes};
use crate::report::table::{Cell, Table, grouped, number, text};
use crate::report::{Style, write_findings, write_lines, write_table};
use crate::units::plain;

/// How many processes, and threads of each, the summary names.
const LISTED: usize = 6;

/// Writes the page; lists of names and tables have at most `top` rows.
///
/// # Errors
/// When `out` cannot be written.
pub fn write(out: &mut dyn Write, info: &Info, top: usize, style: Style) -> io::Result<()> {
    write_lines(out, &summary(info), style)?;
    write_heading(out, "Can be analysed", style)?;
    let there: Vec<(String, String)> = info
        .recorded
        .iter()
        .filter(|kind| kind.state == State::Recorded)
        .map(|kind| {
            let remedy = kind.remedy.as_ref().map_or_else(String::new, |text| format!("; {text}"));
            (counted(kind.rows, kind.exact, &kind.what), format!("{}{remedy}", kind.gives))
        })
        .collect();
    if there.is_empty() {
        writeln!(out, "  nothing: the export holds no events that this program reads")?;
    }
    write_notes(out, &there, style)?;
    let missing: Vec<(String, String)> = info
        .recorded
        .iter()
        .filter(|kind| kind.state != State::Recorded)
        .map(|kind| (kind.what.clone(), kind.remedy.clone().unwrap_or_default()))
        .collect();
    if !missing.is_empty() {
        write_heading(out, "Not in this trace", style)?;
        write_notes(out, &missing, style)?;
    }
    if info.ranges.as_ref().is_some_and(|ranges| !ranges.is_empty()) {
        write_table(out, &ranges(info, top), style)?;
    }
    write_table(out, &tables(info, top / 2), style)?;
    if !info.findings.is_empty() {
        write_heading(out, "Findings", style)?;
        write_findings(out, &info.findings, style)?;
    }
    if !info.exact {
        let text = "Calls and GPU operations were not read. --exact reads every row: it counts them, finds \
                    every process and thread, and adds findings such as orphans and backtrace twins.";
        writeln!(out)?;
        write_notes(out, &[("~".to_owned(), text.to_owned())], style)?;
    }
    write_heading(out, "Next", style)?;
    for command in &info.next {
        writeln!(out, "  {}", plain(command, 400))?;
    }
    Ok(())
}

/// `~1,234 kernels`.
fn counted(rows: Option<u64>, exact: bool, what: &str) -> String {
    match rows {
        Some(1) if what == "wall clock" => what.to_owned(),
        Some(rows) => format!("{}{} {what}", if exact { "" } else { "~" }, grouped(rows)),
        None => what.to_owned(),
    }
}

fn summary(info: &Info) -> Vec<Line> {
    let trace = &info.trace;
    let version = match (&trace.exporter_version, &trace.schema_version) {
        (Some(exporter), Some(schema)) => {
            format!("nsys {} (schema {})", plain(exporter, 40), plain(schema, 40))
        }
        (Some(exporter), None) => format!("nsys {}", plain(exporter, 40)),
        (None, _) => "nsys version not recorded (layouts of 2020 and 2021)".to_owned(),
    };
    let mut lines = vec![("trace", format!("{} · {version}", plain(&trace.path, 120)))];
    lines.push(("gpu", gpus(info)));
    lines.push(("start", start(info)));
    let shown = info.processes.iter().take(LISTED);
    for (i, process) in shown.enumerate() {
        lines.push((if i == 0 { "process" } else { "" }, one_process(process)));
    }
    let more = info.processes.len().saturating_sub(LISTED);
    if more > 0 {
        lines.push(("", format!("and {more} more processes")));
    }
    if info.processes.is_empty() {
        lines.push((
            "process",
            "– (no CUDA call, GPU operation or NVTX range names one)".to_owned(),
        ));
    } else if !info.processes_complete {
        lines.push(("", "(from samples of the rows; --exact looks at all)".to_owned()));
    }
    for (i, option) in info.capture.iter().enumerate() {
        let label = if i == 0 { "capture" } else { "" };
        lines.push((label, plain(&option.meaning, 200)));
    }
    lines
}

fn gpus(info: &Info) -> String {
    let names: Vec<String> = info
        .trace
        .devices
        .iter()
        .map(|device| {
            let name = device.name.as_deref().unwrap_or("without a name");
            format!("{}: {}", device.id, plain(name, 60))
        })
        .collect();
    if names.is_empty() { "– (the export names none)".to_owned() } else { names.join(" · ") }
}

fn start(info: &Info) -> String {
    let mut parts = Vec::new();
    match info.trace.session_start_unix_ns {
        Some(start) => parts.push(start.to_string()),
        None => parts.push("– (not recorded)".to_owned()),
    }
    if let Some(offset) = info.utc_offset_s {
        parts.push(format!("machine's zone {}", zone(offset)));
    }
    if let Some(duration) = info.trace.duration_ns {
        parts.push(format!("{duration} long"));
    }
    parts.join(" · ")
}

/// `UTC+05:30`.
fn zone(offset_s: i64) -> String {
    let sign = if offset_s < 0 { '-' } else { '+' };
    let minutes = offset_s.abs() / 60;
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

fn one_process(process: &ProcessInfo) -> String {
    // The program, without the folder it lies in.
    let name = match process.name.as_deref() {
        Some(name) => plain(name.rsplit(['/', '\\']).next().unwrap_or(name), 60),
        None => "without a name".to_owned(),
    };
    let mut line = format!("{name} (pid {})", process.pid);
    let threads: Vec<String> = process
        .threads
        .iter()
        .take(LISTED)
        .map(|thread| match &thread.name {
            Some(name) => format!("{} {}", thread.tid, plain(name, 24)),
            None => thread.tid.to_string(),
        })
        .collect();
    let total = process.threads.len();
    if total > 0 {
        let more =
            if total > LISTED { format!(" and {} more", total - LISTED) } else { String::new() };
        let word = if total == 1 { "thread" } else { "threads" };
        line += &format!(", {word} {}{more}", threads.join(", "));
    }
    line
}

fn ranges(info: &Info, top: usize) -> Table {
    let all = info.ranges.as_deref().unwrap_or_default();
    let with_domains = all.iter().any(|range| !range.domains.is_empty());
    let with_open = all.iter().any(|range| range.unclosed > 0);
    let mut columns = vec![text("range", "name"), number("count", "count")];
    if with_open {
        columns.push(number("never closed", "unclosed"));
    }
    columns.push(number("mean length", "mean_ns"));
    columns.push(number("in all", "total_ns"));
    if with_domains {
        columns.push(text("domain", "domains"));
    }
    let rows = all.iter().map(|range| {
        let name = if range.name.is_empty() { "(empty)" } else { range.name.as_str() };
        // Escaped before the width is chosen.
        let mut row = vec![Cell::Text(plain(name, 200)), Cell::Count(range.count)];
        if with_open {
            row.push(Cell::Count(range.unclosed));
        }
        row.push(range.mean_ns.into());
        row.push(range.total_ns.into());
        if with_domains {
            row.push(Cell::Text(plain(&range.domains.join(", "), 100)));
        }
        row
    });
    let names = if all.len() == 1 { "name" } else { "names" };
    let title = format!("NVTX ranges: {} {names}", grouped(all.len() as u64));
    let table = Table { name: "ranges", title, columns, rows: rows.collect(), note: None };
    table.shortened(top)
}

/// The `top` tables with rows, largest first; label tables and empty ones are only counted.
fn tables(info: &Info, top: usize) -> Table {
    let is_label = |table: &TableInfo| table.name.starts_with("ENUM_");
    let labels = info.tables.iter().filter(|table| is_label(table)).count();
    let empty =
        info.tables.iter().filter(|table| !is_label(table) && table.rows == Some(0)).count();
    let mut shown: Vec<&TableInfo> =
        info.tables.iter().filter(|table| !is_label(table) && table.rows != Some(0)).collect();
    shown.sort_by(|a, b| b.rows.cmp(&a.rows).then_with(|| a.name.cmp(&b.name)));
    let rows = shown.iter().map(|table| {
        let rows = match table.rows {
            Some(rows) if !table.exact => format!("~{}", grouped(rows)),
            Some(rows) => grouped(rows),
            None => "view".to_owned(),
        };
        vec![Cell::Text(table.name.clone()), Cell::Text(rows)]
    });
    let mut title = format!("Tables: {} with rows", shown.len());
    if empty > 0 {
        title += &format!(", {empty} empty");
    }
    if labels > 0 {
        title += &format!(", {labels} of labels (ENUM_…)");
    }
    let columns = vec![text("table", "name"), text("rows", "rows")];
    let mut table = Table { name: "tables", title, columns, rows: rows.collect(), note: None };
    let total = table.rows.len();
    if total > top {
        table.rows.truncate(top);
        table.note = Some(format!("{} smaller tables; --top {} shows all", total - top, 2 * total));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::zone;

    #[test]
    fn zones_have_a_sign_and_minutes() {
        assert_eq!(zone(5 * 3600 + 1800), "UTC+05:30");
        assert_eq!(zone(-4 * 3600), "UTC-04:00");
        assert_eq!(zone(0), "UTC+00:00");
    }
}
