//! `nvidia-smi --query-gpu=… --format=csv[,noheader][,nounits]`, in every dialect.
//!
//! Source: the text of `nvidia-smi --help-query-gpu`. Time is local, without a zone, taken when the
//! query runs. `power.draw` is a mean over 1 s on Ampere and newer (not GA100), the moment's value
//! before; `power.draw.instant` is preferred when it is there, `power.draw.average` is the 1 s mean.
//! One row per GPU and tick: several GPUs without `index`, `uuid` or `pci.bus_id` are refused, since
//! interleaving and summing would both be wrong.

use super::{LogFormat, ReadHints, reading};
use crate::finding::{Finding, Severity};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::power::stamp::{SECOND, civil_ns, quantum_of};
use crate::units::Nanos;

/// What is known of a column.
const MEAN: Kind = Kind::TrailingAvg { window: Some(Nanos::from_ns(SECOND)) };

/// Where the columns are.
struct Columns {
    time: usize,
    power: usize,
    kind: Kind,
    field: &'static str,
    identity: Option<usize>,
    width: usize,
}

/// A header with `power.draw`, or rows that begin with nvidia-smi's stamp and hold one cell in W.
pub(super) fn is_mine(head: &str) -> bool {
    let first = head.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or("");
    let names = cells(first);
    if names.first().is_some_and(|name| name.eq_ignore_ascii_case("timestamp")) {
        return names.iter().any(|name| field(name).starts_with("power.draw"));
    }
    is_row(&names)
}

/// `2026/07/15 02:14:05.038`: slashes are nvidia-smi's alone.
fn is_row(cells: &[&str]) -> bool {
    cells.len() > 1
        && cells[0].len() == 23
        && cells[0].as_bytes()[4] == b'/'
        && civil_ns(cells[0]).is_some()
}

fn cells(line: &str) -> Vec<&str> {
    line.split(',').map(str::trim).collect()
}

/// `power.draw [W]` → `power.draw`.
fn field(name: &str) -> String {
    name.split('[').next().unwrap_or("").trim().to_ascii_lowercase()
}

fn find_columns(names: &[String], hints: &ReadHints) -> Option<Columns> {
    let at = |wanted: &str| names.iter().position(|name| field(name) == wanted);
    let plain = if hints.instant_gpu { Kind::Instant } else { MEAN };
    let choices = [
        ("power.draw.instant", Kind::Instant),
        ("power.draw", plain),
        ("power.draw.average", MEAN),
    ];
    let (field, kind, power) =
        choices.into_iter().find_map(|(name, kind)| Some((name, kind, at(name)?)))?;
    let identity = ["uuid", "gpu_uuid", "pci.bus_id", "index"].iter().find_map(|name| at(name));
    Some(Columns { time: at("timestamp")?, power, kind, field, identity, width: names.len() })
}

/// Columns of a file without a header, when exactly one cell is a power.
fn guess(source: Source<'_>, first: &str) -> Result<Vec<String>, PowerError> {
    let row = cells(first);
    let watts: Vec<usize> = (0..row.len()).filter(|at| row[*at].ends_with(" W")).collect();
    let [power] = watts.as_slice() else {
        let shown = row.join(", ");
        return Err(source.line(
            1,
            format!(
                "nvidia-smi csv without a header and without units: `{shown}`; which of its {} columns is \
                 the power is not written anywhere",
                row.len()
            ),
            "Name the columns of the query, such as --columns timestamp,power.draw,memory.used (a `-` \
             stands for a column to ignore)",
        ));
    };
    let name = |at: usize| match at {
        0 => "timestamp".to_owned(),
        at if at == *power => "power.draw".to_owned(),
        _ => "-".to_owned(),
    };
    Ok((0..row.len()).map(name).collect())
}

pub(super) fn read(source: Source<'_>, hints: &ReadHints) -> Result<PowerLog, PowerError> {
    let lines: Vec<(usize, &str)> = source
        .text
        .lines()
        .enumerate()
        .map(|(at, line)| (at + 1, line.trim()))
        .filter(|(_, line)| !line.is_empty())
        .collect();
    let first = lines.first().map_or("", |(_, line)| *line);
    let has_header = !is_row(&cells(first));
    let names: Vec<String> = match (&hints.columns, has_header) {
        (Some(names), _) => names.clone(),
        (None, true) => cells(first).into_iter().map(str::to_owned).collect(),
        (None, false) => guess(source, first)?,
    };
    let columns = find_columns(&names, hints).ok_or_else(|| {
        source.line(
            1,
            format!("no columns timestamp and power.draw among {names:?}"),
            "Query them: nvidia-smi --query-gpu=timestamp,uuid,power.draw.instant --format=csv -lm 100",
        )
    })?;
    let header = if has_header { first } else { "" };
    rows(source, &lines[usize::from(has_header)..], header, &columns)
}

fn rows(
    source: Source<'_>,
    lines: &[(usize, &str)],
    header: &str,
    columns: &Columns,
) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::NvidiaSmi, Basis::Local, Nanos::from_ns(SECOND / 1_000));
    let (mut restarts, mut last) = (0_usize, None);
    for (at, (number, line)) in lines.iter().enumerate() {
        if *line == header {
            restarts += 1;
            log.skipped_lines += 1;
            continue;
        }
        let row = cells(line);
        let time = row.get(columns.time).and_then(|text| civil_ns(text));
        let Some(time) = time.filter(|_| row.len() == columns.width) else {
            if at + 1 == lines.len() {
                log.findings.push(super::torn_end(*number));
                break;
            }
            return Err(torn(source, *number, line, columns.width));
        };
        if at == 0 {
            log.quantum = quantum_of(row[columns.time]);
        }
        if columns.identity.is_none() && last == Some(time) {
            return Err(source.line(
                *number,
                "several GPUs without index or uuid: two rows share one time",
                "Query uuid too: nvidia-smi --query-gpu=timestamp,uuid,power.draw.instant --format=csv",
            ));
        }
        last = Some(time);
        let value = row[columns.power];
        let watts = reading(value.strip_suffix('W').unwrap_or(value));
        log.push(&device_of(&row, columns), columns.kind, time, watts);
    }
    notes(&mut log, restarts, columns);
    Ok(log)
}

fn torn(source: Source<'_>, number: usize, line: &str, width: usize) -> PowerError {
    source.line(
        number,
        format!("`{line}` has {} cells, the columns are {width}", cells(line).len()),
        "The row is torn; delete it if the log is otherwise whole",
    )
}

/// `gpu0` by index, else what identifies the GPU; `gpu` when nothing does.
fn device_of(row: &[&str], columns: &Columns) -> String {
    let Some(name) = columns.identity.map(|at| row[at]) else { return "gpu".to_owned() };
    let is_index = name.bytes().all(|byte| byte.is_ascii_digit());
    if is_index { format!("gpu{name}") } else { name.to_owned() }
}

fn notes(log: &mut PowerLog, restarts: usize, columns: &Columns) {
    if restarts > 0 {
        log.findings.push(
            Finding::new(
                "power-logger-restarted",
                Severity::Info,
                format!("logger restarted: the header is there {restarts} times more"),
                "check that the gaps at the restarts lie outside the measured windows",
            )
            .with("restarts", restarts),
        );
    }
    if columns.field == "power.draw" && columns.kind == MEAN {
        log.findings.push(Finding::new(
            "power-draw-is-a-mean",
            Severity::Info,
            "power.draw is taken as a mean over the last 1 s, as on Ampere and newer GPUs (not GA100)",
            "query power.draw.instant; for a GPU before Ampere, or A100 and A30, give --instant-gpu",
        ));
    }
}
