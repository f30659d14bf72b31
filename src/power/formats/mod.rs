//! One file per format of power log; each says from the content, never from the file name, whether a
//! log is its own.
//!
//! [`read`] asks them in the order of `power.md` section 1.9. What nobody recognises is read as a csv
//! whose header names a time and a power with their units, or by the columns that the user names.

mod codecarbon;
mod csv_columns;
mod dcgmi;
mod dmon;
pub mod ina3221;
mod jtop;
mod monsoon;
mod nvidia_smi;
mod own;
mod prometheus;
pub mod rapl;
mod recording;
pub mod tegrastats;
mod zeus;

use std::fmt;

use super::error::{PowerError, Source};
use super::log::PowerLog;
use super::stamp::TimeFormat;
use crate::finding::{Finding, Severity};
use crate::units::{Nanos, UnixTime, plain};

/// A format of power log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LogFormat {
    /// Our own sampler's file, `nsys-attrib-power/1`.
    Own,
    /// Zeus' `ZeusMonitor(log_file=…)`.
    Zeus,
    /// CodeCarbon's `emissions.csv`.
    CodeCarbon,
    /// `dcgmi dmon`.
    Dcgmi,
    /// `nvidia-smi dmon`.
    Dmon,
    /// `nvidia-smi --query-gpu=… --format=csv`.
    NvidiaSmi,
    /// jetson-stats' `jtop_logger.py`.
    Jtop,
    /// tegrastats of JetPack 4 to 7.
    Tegrastats,
    /// Prometheus text of the DCGM exporter.
    Prometheus,
    /// Monsoon PowerTool csv.
    Monsoon,
    /// A recording of INA3221 files.
    Ina3221,
    /// A recording of RAPL counters.
    Rapl,
    /// A csv with named columns.
    Csv,
    /// NVTX marks of our sampler inside the trace.
    TraceMarks,
    /// GPU metrics or counters of a plug-in inside the trace.
    TraceCounters,
}

impl LogFormat {
    /// The formats that a file may have, with their names on the command line.
    pub const FILES: [(&'static str, Self); 13] = [
        ("own", Self::Own),
        ("zeus", Self::Zeus),
        ("codecarbon", Self::CodeCarbon),
        ("dcgmi", Self::Dcgmi),
        ("dmon", Self::Dmon),
        ("nvidia-smi", Self::NvidiaSmi),
        ("jtop", Self::Jtop),
        ("tegrastats", Self::Tegrastats),
        ("prometheus", Self::Prometheus),
        ("monsoon", Self::Monsoon),
        ("ina3221", Self::Ina3221),
        ("rapl", Self::Rapl),
        ("csv", Self::Csv),
    ];

    /// Whether the readings lie in the trace, on its clock.
    pub const fn is_in_trace(self) -> bool {
        matches!(self, Self::TraceMarks | Self::TraceCounters)
    }

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::FILES.into_iter().find(|(known, _)| *known == name).map(|(_, format)| format)
    }

    /// Its short name, as `--log-format` takes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::TraceMarks => "trace-marks",
            Self::TraceCounters => "trace-counters",
            _ => Self::FILES
                .iter()
                .find(|(_, format)| *format == self)
                .map_or("csv", |(name, _)| name),
        }
    }
}

impl fmt::Display for LogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own => "nsys-attrib-power/1",
            Self::Zeus => "Zeus monitor log",
            Self::CodeCarbon => "CodeCarbon emissions",
            Self::Dcgmi => "dcgmi dmon",
            Self::Dmon => "nvidia-smi dmon",
            Self::NvidiaSmi => "nvidia-smi csv",
            Self::Jtop => "jtop csv",
            Self::Tegrastats => "tegrastats",
            Self::Prometheus => "Prometheus text",
            Self::Monsoon => "Monsoon csv",
            Self::Ina3221 => "recording of INA3221 files",
            Self::Rapl => "recording of RAPL counters",
            Self::Csv => "csv",
            Self::TraceMarks => "NVTX marks of the trace",
            Self::TraceCounters => "counters of the trace",
        })
    }
}

/// What the user says about a log that the log does not say itself.
#[derive(Clone, Debug, Default)]
pub struct ReadHints {
    /// The format, instead of what the content suggests.
    pub format: Option<LogFormat>,
    /// Names of the columns by position, for files without a header.
    pub columns: Option<Vec<String>>,
    /// The column that holds the time.
    pub time_column: Option<String>,
    /// What that column holds.
    pub time_format: Option<TimeFormat>,
    /// `COLUMN=UNIT`, or `V=COLUMN,I=COLUMN`.
    pub power_columns: Option<String>,
    /// Time of a scrape without stamps.
    pub scrape_time: Option<UnixTime>,
    /// The GPU reports `power.draw` as an instantaneous value (before Ampere, or GA100).
    pub instant_gpu: bool,
    /// Sort readings whose times go backwards, instead of refusing them.
    pub sort: bool,
}

/// Whether the head of a log is a reader's own.
type Ask = fn(&str) -> bool;

/// How much of a log its reader is recognised by.
const HEAD: usize = 64 * 1024;

/// Which format the text has; `None` when no reader claims it.
pub fn detect(text: &str) -> Option<LogFormat> {
    let mut end = text.len().min(HEAD);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let head = &text[..end];
    let asked: [(LogFormat, Ask); 13] = [
        (LogFormat::Own, own::is_mine),
        (LogFormat::Zeus, zeus::is_mine),
        (LogFormat::CodeCarbon, codecarbon::is_mine),
        (LogFormat::Dcgmi, dcgmi::is_mine),
        (LogFormat::Dmon, dmon::is_mine),
        (LogFormat::NvidiaSmi, nvidia_smi::is_mine),
        (LogFormat::Jtop, jtop::is_mine),
        (LogFormat::Ina3221, ina3221::is_mine),
        (LogFormat::Rapl, rapl::is_mine),
        (LogFormat::Tegrastats, tegrastats::is_mine),
        (LogFormat::Prometheus, prometheus::is_mine),
        (LogFormat::Monsoon, monsoon::is_mine),
        (LogFormat::Csv, csv_columns::is_mine),
    ];
    asked.into_iter().find(|(_, is_mine)| is_mine(head)).map(|(format, _)| format)
}

/// Reads a log.
///
/// # Errors
/// [`PowerError`] when no reader knows the log, or a line does not fit.
pub fn read(source: Source<'_>, hints: &ReadHints) -> Result<PowerLog, PowerError> {
    if source.text.trim().is_empty() {
        return Err(source.log(
            "the log is empty",
            "The logger wrote nothing, or its output went elsewhere; see that it runs before the work starts",
        ));
    }
    let by_columns = hints.columns.is_some() || hints.power_columns.is_some();
    let format = match hints.format.or_else(|| detect(source.text)) {
        Some(LogFormat::Csv) | None if by_columns => named_columns(hints),
        Some(format) => format,
        None => return Err(unrecognised(source)),
    };
    let mut log = match format {
        LogFormat::Own => own::read(source)?,
        LogFormat::Zeus => zeus::read(source)?,
        LogFormat::CodeCarbon => codecarbon::read(source)?,
        LogFormat::Dcgmi => dcgmi::read(source, hints)?,
        LogFormat::Dmon => dmon::read(source)?,
        LogFormat::NvidiaSmi => nvidia_smi::read(source, hints)?,
        LogFormat::Jtop => jtop::read(source)?,
        LogFormat::Tegrastats => tegrastats::read(source)?,
        LogFormat::Prometheus => prometheus::read(source, hints)?,
        LogFormat::Monsoon => monsoon::read(source)?,
        LogFormat::Ina3221 => ina3221::read(source)?,
        LogFormat::Rapl => rapl::read(source)?,
        LogFormat::Csv | LogFormat::TraceMarks | LogFormat::TraceCounters => {
            csv_columns::read(source, hints)?
        }
    };
    if log.rails.iter().all(|rail| rail.samples.is_empty()) && log.windows.is_empty() {
        return Err(no_power(source, &log));
    }
    order(source, &mut log, hints.sort)?;
    Ok(log)
}

/// Columns with the names of nvidia-smi's fields are nvidia-smi's; others are a csv's.
fn named_columns(hints: &ReadHints) -> LogFormat {
    let names = hints.columns.as_deref().unwrap_or_default();
    let is_smi = names.iter().any(|name| name.trim().starts_with("power.draw"));
    if is_smi { LogFormat::NvidiaSmi } else { LogFormat::Csv }
}

fn unrecognised(source: Source<'_>) -> PowerError {
    let first = source.text.lines().find(|line| !line.trim().is_empty()).unwrap_or("");
    let names: Vec<&str> = LogFormat::FILES.iter().map(|(name, _)| *name).collect();
    PowerError::Unrecognised {
        path: source.path.to_owned(),
        first: plain(first, 80),
        remedy: format!(
            "{}Name the format with --log-format ({}), or describe the columns with --columns or with \
             --time-col, --time-format and --power-col COLUMN=UNIT",
            csv_columns::why_not(source.text),
            names.join(", ")
        ),
    }
}

fn no_power(source: Source<'_>, log: &PowerLog) -> PowerError {
    let missing: usize = log.rails.iter().map(|rail| rail.missing).sum();
    if missing > 0 {
        return source.log(
            format!("all {missing} readings say that power is not available"),
            "This device or driver does not report its power; use another sensor",
        );
    }
    let remedy = match log.format {
        LogFormat::Tegrastats => {
            "Run tegrastats with sudo: on some boards a user sees no power rails"
        }
        LogFormat::Dmon => {
            "Run `nvidia-smi dmon -s p`, better `nvidia-smi --query-gpu`, which has decimals"
        }
        _ => "Log a power column, or see that the logger runs while the work does",
    };
    source.log("no power readings in this log", remedy)
}

/// Times must not go backwards; equal times are left to the integration.
fn order(source: Source<'_>, log: &mut PowerLog, sort: bool) -> Result<(), PowerError> {
    for rail in &mut log.rails {
        let back = rail.samples.windows(2).find(|pair| pair[1].at_ns < pair[0].at_ns);
        let Some(pair) = back else { continue };
        if sort {
            rail.samples.sort_by_key(|sample| sample.at_ns);
            continue;
        }
        let step = Nanos::from_ns(pair[0].at_ns - pair[1].at_ns);
        let hour = (step.as_ns() - 3_600_000_000_000).abs() < 120_000_000_000;
        let remedy = if hour {
            "A step of one hour is the end of summer time: split the log there and place each part with \
             --log-tz and its own fixed offset, such as +02:00 and +01:00"
        } else {
            "Give --sort if the readings were only written out of order"
        };
        return Err(source.log(format!("rail {}: times go back by {step:.3}", rail.name), remedy));
    }
    Ok(())
}

/// The finding about a last line that is cut off.
pub(super) fn torn_end(line: usize) -> Finding {
    Finding::new(
        "power-log-torn",
        Severity::Warning,
        format!("the last line ({line}) is cut off and left out: the logger was killed"),
        "nothing, if the work ended before",
    )
    .with("line", line)
}

/// A number as loggers write it, `None` for the many ways of saying that there is none.
pub(super) fn reading(text: &str) -> Option<f64> {
    let text = text.trim();
    let value: f64 = text.parse().ok()?;
    value.is_finite().then_some(value)
}
