//! From the cells of a table to rows with numbers, times in nanoseconds.
//!
//! Columns are found by their header without unit and spaces; a unit in it (`(ms)`, as `--timeunit`
//! writes) is applied. The column under `Time (%)` is kept, since the shares of a table that is whole
//! add up.

use super::StatsError;
use super::number::{self, Holds};
use super::scan::{Report, Table};
use crate::attribution::imported::ImportedRow;
use crate::units::Nanos;

/// A row of a report that is added up.
#[derive(Clone, Debug)]
pub(super) struct Sum {
    pub(super) row: ImportedRow,
    /// `CUDA_API`, `CUDA_KERNEL`, `MEMORY_OPER` in reports of several.
    pub(super) category: Option<String>,
    /// The share that the table prints, in per cent.
    pub(super) percent: Option<f64>,
}

/// The rows of a report.
#[derive(Debug)]
pub(super) struct Sums {
    pub(super) rows: Vec<Sum>,
    /// The unit of its times, where it is not the nanosecond: they are rounded.
    pub(super) rounded_to: Option<String>,
}

const COUNTS: &[&str] = &["numcalls", "calls", "instances", "count", "operations"];
const NAMES: &[&str] = &["name", "operation", "range"];

/// A header without its unit, in small letters, and the unit.
pub(super) fn key(header: &str) -> (String, Option<String>) {
    let (name, unit) = match header.split_once('(') {
        Some((name, unit)) => (name, Some(unit.trim_end().trim_end_matches(')').to_owned())),
        None => (header, None),
    };
    let name = name.chars().filter(|c| c.is_alphanumeric()).collect::<String>().to_lowercase();
    (name, unit)
}

/// Reads a table.
pub(super) fn sums(report: &Report, table: &Table) -> Result<Sums, StatsError> {
    let columns = Columns::of(report, table)?;
    let rows = table
        .rows
        .iter()
        .map(|row| {
            if row.cells.len() < table.header.len() {
                return Err(StatsError::Row { path: report.path.clone(), line: row.line });
            }
            columns.read(row)
        })
        .collect::<Result<_, StatsError>>()?;
    Ok(Sums { rows, rounded_to: columns.rounded_to() })
}

/// A column of times and the nanoseconds of its unit.
#[derive(Clone, Debug)]
struct Time {
    at: usize,
    ns: f64,
    unit: String,
}

struct Columns<'a> {
    report: &'a Report,
    table: &'a Table,
    total: Time,
    count: usize,
    name: usize,
    category: Option<usize>,
    percent: Option<usize>,
    others: [Option<Time>; 5],
    comma: bool,
}

impl<'a> Columns<'a> {
    fn of(report: &'a Report, table: &'a Table) -> Result<Self, StatsError> {
        let keys: Vec<(String, Option<String>)> = table.header.iter().map(|h| key(h)).collect();
        let find = |names: &[&str]| {
            let of = |name: &&str| keys.iter().position(|(key, _)| key == name);
            names.iter().find_map(of)
        };
        let time = |names: &[&str]| {
            let at = find(names)?;
            let unit = keys[at].1.clone().unwrap_or_else(|| "ns".to_owned());
            Some(Time { at, ns: nanoseconds(&unit)?, unit })
        };
        let missing =
            |column| StatsError::Column { path: report.path.clone(), line: report.line, column };
        let comma = table
            .rows
            .iter()
            .flat_map(|row| row.cells.iter().take(row.cells.len().saturating_sub(1)))
            .any(|cell| number::has_decimal_comma(cell));
        Ok(Self {
            report,
            table,
            total: time(&["totaltime"]).ok_or_else(|| missing("Total Time"))?,
            count: find(COUNTS).ok_or_else(|| missing("Num Calls or Instances"))?,
            name: find(NAMES).ok_or_else(|| missing("Name"))?,
            category: find(&["category"]),
            percent: keys.iter().position(|(_, unit)| unit.as_deref() == Some("%")),
            others: [
                time(&["avg", "average"]),
                time(&["med", "median"]),
                time(&["min", "minimum"]),
                time(&["max", "maximum"]),
                time(&["stddev"]),
            ],
            comma,
        })
    }

    fn rounded_to(&self) -> Option<String> {
        (self.total.ns != 1.0).then(|| self.total.unit.clone())
    }

    fn read(&self, row: &super::scan::Row) -> Result<Sum, StatsError> {
        let decimal = Holds::Decimal { comma: self.comma };
        let cell = |at: usize| row.cells[at].as_str();
        let number = |at: usize, holds: Holds| {
            number::read(cell(at), holds).ok_or_else(|| self.refuse(row.line, at, cell(at)))
        };
        let time = |time: &Time, whole: bool| {
            let holds = if whole && time.ns == 1.0 { Holds::Whole } else { decimal };
            Ok::<_, StatsError>(Nanos::from_ns((number(time.at, holds)? * time.ns).round() as i64))
        };
        // What stands beside the sum may be missing (a standard deviation of one row).
        let beside = |of: &Option<Time>| -> Result<Option<Nanos>, StatsError> {
            let Some(of) = of.as_ref().filter(|of| !cell(of.at).is_empty()) else {
                return Ok(None);
            };
            time(of, false).map(Some)
        };
        let printed = cell(self.name);
        let name_cut = self.table.is_text && printed.ends_with(['…']);
        let [mean, median, min, max, stddev] = &self.others;
        Ok(Sum {
            row: ImportedRow {
                report: self.report.name.clone(),
                name: printed.to_owned(),
                name_cut,
                count: number(self.count, Holds::Whole)?.max(0.0) as u64,
                total_ns: time(&self.total, true)?,
                mean_ns: beside(mean)?,
                median_ns: beside(median)?,
                min_ns: beside(min)?,
                max_ns: beside(max)?,
                stddev_ns: beside(stddev)?,
            },
            category: self.category.map(|at| cell(at).to_owned()),
            percent: self.percent.and_then(|at| number::read(cell(at), decimal)),
        })
    }

    fn refuse(&self, line: usize, at: usize, text: &str) -> StatsError {
        let hint = if text.contains('…') {
            ": the table cut it; print it again as CSV, or with --format column:colmax=0:autolines=0"
        } else {
            ": the table was edited, or is not one of nsys stats"
        };
        StatsError::Number {
            path: self.report.path.clone(),
            line,
            column: self.table.header[at].clone(),
            text: crate::units::plain(text, 40),
            hint,
        }
    }
}

fn nanoseconds(unit: &str) -> Option<f64> {
    Some(match unit.trim() {
        "ns" => 1.0,
        "us" | "µs" | "μs" => 1e3,
        "ms" => 1e6,
        "s" | "sec" => 1e9,
        _ => return None,
    })
}
