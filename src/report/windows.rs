//! The document `nsys-attrib/windows/1`: the instances of window specifications and how their
//! lengths and the gaps between them are distributed, as tables and a small histogram.
//!
//! Everything about the instances is what an analysis of the same windows says; nothing is added up
//! here a second time.

use std::io::{self, Write};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::line::Line;
use super::table::{Cell, Table, grouped, number, text};
use super::terminal::Style;
use crate::attribution::document::{Analysis, Instance, Lengths, Tool, TraceAbout, Windows};
use crate::finding::Finding;
use crate::units::{Nanos, plain};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/windows/1";

/// Findings about which windows were selected, not about what happened in them.
const SELECTION: [&str; 10] = [
    "periodic-windows",
    "unclosed-ranges",
    "nested-instances-collapsed",
    "windows-without-operations",
    "zero-length-windows",
    "windows-overlap",
    "window-does-not-contain-its-work",
    "too-few-windows",
    "first-window-outlier",
    "nothing-in-windows",
];
/// The longest bar of the histogram, in characters.
const BAR: usize = 40;
/// Bins of the histogram, at most.
const BINS: usize = 12;
/// Lengths that differ by more than this factor get bins of equal ratio.
const WIDE: i64 = 20;

/// Window specifications on one trace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowsDocument {
    /// Always `nsys-attrib/windows/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// Which trace.
    pub trace: Option<TraceAbout>,
    /// Each specification, in the order in which they were given.
    pub sets: Vec<WindowsSet>,
}

/// One specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowsSet {
    /// Instances and the distribution of their lengths.
    pub windows: Windows,
    /// From the end of an instance to the start of the next one, where they do not overlap; null for
    /// fewer than two.
    pub gaps: Option<Lengths>,
    /// From start to start; null for fewer than two.
    pub periods: Option<Lengths>,
    /// Whether the export has CUDA API calls; without them the instances' counts of calls mean nothing.
    pub has_calls: bool,
    /// Whether the export has GPU operations; without them kernels and busy time mean nothing.
    pub has_operations: bool,
    /// Doubts about the selection.
    pub findings: Vec<Finding>,
}

impl WindowsSet {
    /// The part of an analysis that is about the windows themselves.
    pub fn of(analysis: Analysis, gaps: Option<Lengths>, periods: Option<Lengths>) -> Self {
        let about_selection = |finding: &Finding| SELECTION.contains(&finding.code.as_str());
        Self {
            has_calls: analysis.api.is_some(),
            has_operations: analysis.gpu.is_some(),
            windows: analysis.windows,
            gaps,
            periods,
            findings: analysis.findings.into_iter().filter(about_selection).collect(),
        }
    }
}

/// The gaps between consecutive instances and the periods from start to start, in ns.
pub fn gaps_and_periods(instances: &[Instance]) -> (Vec<i64>, Vec<i64>) {
    let mut gaps = Vec::new();
    let mut periods = Vec::new();
    let mut covered = i64::MIN;
    for pair in instances.windows(2) {
        covered = covered.max(pair[0].end_ns.as_ns());
        let next = pair[1].start_ns.as_ns();
        periods.push(next - pair[0].start_ns.as_ns());
        if next >= covered {
            gaps.push(next - covered);
        }
    }
    (gaps, periods)
}

/// The summary of one specification.
pub fn summary(trace: Option<&TraceAbout>, set: &WindowsSet) -> Vec<Line> {
    let windows = &set.windows;
    let mut lines = Vec::new();
    if let Some(trace) = trace {
        lines.push(("trace", plain(&trace.path, 120)));
    }
    let one = windows.count == 1;
    let word = if one { "instance" } else { "instances" };
    let mut line = format!(
        "`{}`: {} {word}, {} in all",
        plain(&windows.spec, 80),
        grouped(windows.count as u64),
        windows.total_ns.unwrap_or_default()
    );
    if let Some(union) = windows.union_ns.filter(|_| windows.union_ns != windows.total_ns) {
        line += &format!(" ({union} without overlaps)");
    }
    if let Some(share) = windows.contained_share {
        line += &format!(" · they contain {share} of the GPU work that they launched");
    }
    lines.push(("windows", line));
    lines
}

/// The tables of one specification: distribution, then instances.
pub fn tables(set: &WindowsSet) -> Vec<Table> {
    vec![distribution(set), instances(set)]
}

fn distribution(set: &WindowsSet) -> Table {
    let windows = &set.windows;
    let columns = vec![
        text("", "what"),
        number("count", "count"),
        number("mean", "mean_ns"),
        number("std. dev.", "stddev_ns"),
        number("min", "min_ns"),
        number("p50", "p50_ns"),
        number("p90", "p90_ns"),
        number("p95", "p95_ns"),
        number("p99", "p99_ns"),
        number("max", "max_ns"),
    ];
    let mut rows = vec![vec![
        Cell::from("length"),
        Cell::Count(windows.count as u64),
        windows.mean_ns.into(),
        windows.stddev_ns.into(),
        windows.min_ns.into(),
        windows.p50_ns.into(),
        windows.p90_ns.into(),
        windows.p95_ns.into(),
        windows.p99_ns.into(),
        windows.max_ns.into(),
    ]];
    for (name, spread) in [("gap", &set.gaps), ("start to start", &set.periods)] {
        let Some(spread) = spread else { continue };
        rows.push(vec![
            Cell::from(name),
            Cell::Count(spread.count as u64),
            Cell::Time(spread.mean_ns),
            spread.stddev_ns.into(),
            Cell::Time(spread.min_ns),
            Cell::Time(spread.p50_ns),
            Cell::Time(spread.p90_ns),
            Cell::Time(spread.p95_ns),
            Cell::Time(spread.p99_ns),
            Cell::Time(spread.max_ns),
        ]);
    }
    Table { name: "distribution", title: "Distribution".to_owned(), columns, rows, note: None }
}

/// The distribution with a row for each quantity: for terminals that are too narrow for the other.
pub fn upright(set: &WindowsSet) -> Table {
    let wide = distribution(set);
    let mut columns = vec![text("", "quantity")];
    for row in &wide.rows {
        columns.push(match &row[0] {
            Cell::Text(name) if name == "gap" => number("gap", "gap_ns"),
            Cell::Text(name) if name == "length" => number("length", "length_ns"),
            _ => number("start to start", "period_ns"),
        });
    }
    let of = |at: usize| {
        let mut row = vec![Cell::from(&*wide.columns[at].heading)];
        row.extend(wide.rows.iter().map(|other| other[at].clone()));
        row
    };
    let rows = (1..wide.columns.len()).map(of).collect();
    Table { columns, rows, ..wide }
}

fn instances(set: &WindowsSet) -> Table {
    let all = &set.windows.instances;
    let same_label = all.windows(2).all(|pair| pair[0].label == pair[1].label);
    let same_thread = all
        .windows(2)
        .all(|pair| (pair[0].process, pair[0].thread) == (pair[1].process, pair[1].thread));
    let mut columns =
        vec![number("#", "index"), number("start s", "start_s"), number("length", "length_ns")];
    if !same_label {
        columns.push(text("label", "label"));
    }
    if !same_thread {
        columns.extend([number("pid", "process"), number("tid", "thread")]);
    }
    if set.has_calls {
        columns.extend([number("calls", "calls"), number("launches", "launches")]);
    }
    if set.has_operations {
        columns.extend([number("kernels", "kernels"), number("busy", "busy_ns")]);
    }
    let id = |id: Option<i64>| id.map_or(Cell::Missing, |id| Cell::Text(id.to_string()));
    let row = |window: &Instance| {
        let mut row = vec![
            Cell::Count(window.index as u64),
            Cell::Text(format!("{:.6}", window.start_ns.as_ns() as f64 / 1e9)),
            Cell::Time(window.end_ns - window.start_ns),
        ];
        if !same_label {
            row.push(Cell::from(window.label.as_str()));
        }
        if !same_thread {
            row.extend([id(window.process), id(window.thread)]);
        }
        if set.has_calls {
            row.extend([Cell::Count(window.calls), Cell::Count(window.launches)]);
        }
        if set.has_operations {
            row.extend([Cell::Count(window.kernels), Cell::Time(window.busy_ns)]);
        }
        row
    };
    Table {
        name: "instances",
        title: "Instances".to_owned(),
        columns,
        rows: all.iter().map(row).collect(),
        note: None,
    }
}

/// Writes how many instances have which length; nothing when all are equal.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_histogram(out: &mut dyn Write, windows: &Windows, style: Style) -> io::Result<()> {
    let mut lengths: Vec<i64> =
        windows.instances.iter().map(|one| (one.end_ns - one.start_ns).as_ns()).collect();
    lengths.sort_unstable();
    let Some(bins) = bins(&lengths) else { return Ok(()) };
    super::notes::write_heading(out, "Lengths", style)?;
    let most = bins.iter().map(|bin| bin.2).max().unwrap_or(1);
    let width = BAR.min(usize::from(style.width).saturating_sub(36));
    for (from, to, count) in bins {
        let length = (count * width).div_ceil(most);
        let (from, to) = (Nanos::from_ns(from), Nanos::from_ns(to));
        let bar = "█".repeat(length);
        let line = format!("  {from:>10.2} .. {to:>10.2}  {count:>6}  {bar}");
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}

/// `(from, to, count)` of sorted lengths: bins of equal width, or of equal ratio for lengths that
/// differ widely. The last bin holds its upper end.
fn bins(sorted: &[i64]) -> Option<Vec<(i64, i64, usize)>> {
    let (first, last) = (*sorted.first()?, *sorted.last()?);
    if first == last {
        return None;
    }
    let count = BINS.min(sorted.len().isqrt() * 2).max(3);
    let by_ratio = first > 0 && last / first >= WIDE;
    let edge = |i: usize| {
        let part = i as f64 / count as f64;
        let (low, high) = (first as f64, last as f64);
        let at = if by_ratio { low * (high / low).powf(part) } else { low + (high - low) * part };
        if i == count { last } else { at.round() as i64 }
    };
    let below = |i: usize| {
        if i == count { sorted.len() } else { sorted.partition_point(|length| *length < edge(i)) }
    };
    Some((0..count).map(|i| (edge(i), edge(i + 1), below(i + 1) - below(i))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_in_one_bin() {
        let lengths = [10, 11, 12, 13, 14, 15, 16, 17, 18, 20];
        let found = bins(&lengths).unwrap();
        assert_eq!(found.iter().map(|bin| bin.2).sum::<usize>(), lengths.len());
        assert_eq!((found[0].0, found.last().unwrap().1), (10, 20));
        assert!(found.windows(2).all(|pair| pair[0].1 == pair[1].0));
    }

    #[test]
    fn wide_lengths_get_bins_of_equal_ratio() {
        let found = bins(&[1, 10, 100, 1_000]).unwrap();
        assert_eq!(found.iter().map(|bin| bin.2).collect::<Vec<_>>(), [1, 1, 1, 1]);
        assert_eq!(bins(&[5, 5, 5]), None);
        assert_eq!(bins(&[]), None);
    }
}
