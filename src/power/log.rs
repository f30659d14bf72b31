//! A power log as its reader leaves it: rails with samples, on the log's own clock.
//!
//! Units are converted at the parser's edge: seconds are integer nanoseconds, power is in watts and
//! counters are in joules (`f64` inside this room, [`crate::units::Milliwatts`] outside). The clock is
//! not touched here: [`Basis`] says what the times count from, and `power::clock` places them.

use std::fmt;

use super::formats::LogFormat;
use crate::finding::Finding;
use crate::units::{Nanos, UnixTime};

/// What a reading is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// The power at an instant (or over a conversion far shorter than the period).
    Instant,
    /// The mean power over this long before the stamp.
    TrailingAvg {
        /// Length of the mean; `None`: the time since the reading before.
        window: Option<Nanos>,
    },
    /// A counter of energy since some start, in joules.
    Cumulative,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Instant => f.write_str("instant"),
            Self::TrailingAvg { window: Some(window) } => write!(f, "mean of the last {window:.1}"),
            Self::TrailingAvg { window: None } => f.write_str("mean since the reading before"),
            Self::Cumulative => f.write_str("energy counter"),
        }
    }
}

/// What the times of a log count from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// Nanoseconds since 1970, UTC.
    Unix,
    /// Local wall clock without a zone: nanoseconds since 1970 as if it were UTC.
    Local,
    /// Local time of day without a date: nanoseconds since the first midnight.
    TimeOfDay,
    /// Nanoseconds since an unknown start.
    Relative,
    /// No time at all: the number of the reading, 1 s apart until the period is known.
    Lines,
}

/// One reading: when, on the log's clock, and how much, in W (J for a counter).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Nanoseconds on the basis of the log.
    pub at_ns: i64,
    /// Watts, or joules for [`Kind::Cumulative`].
    pub value: f64,
}

/// The readings of one rail or device, in the order of the file.
#[derive(Clone, Debug, PartialEq)]
pub struct Rail {
    /// `VDD_IN`, `GPU-6b1c…`, `gpu0`.
    pub name: String,
    /// What a reading is.
    pub kind: Kind,
    /// The readings.
    pub samples: Vec<Sample>,
    /// Readings that the log marks as not available.
    pub missing: usize,
}

/// An energy that the logger itself took over a window (Zeus, CodeCarbon).
#[derive(Clone, Debug, PartialEq)]
pub struct LoggedWindow {
    /// The window's name in the log.
    pub name: String,
    /// Start on the log's clock.
    pub start_ns: i64,
    /// Its length.
    pub length: Nanos,
    /// Rail or device, and joules; `None` when the counter did not move.
    pub energy_j: Vec<(String, Option<f64>)>,
}

/// What took the readings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sensor {
    /// Whose file it is.
    pub format: LogFormat,
    /// The sensor behind it, where the log names one: `ina3221`, `nvml`, `rapl`.
    pub named: Option<String>,
}

impl Sensor {
    /// Relative error that no averaging removes: 5 % for NVML, 1 % for an INA3221 with its shunt; `None`
    /// when nothing is known of it.
    pub fn gain(&self) -> Option<f64> {
        match self.format {
            LogFormat::NvidiaSmi
            | LogFormat::Dmon
            | LogFormat::Dcgmi
            | LogFormat::Prometheus
            | LogFormat::TraceCounters => Some(0.05),
            LogFormat::Tegrastats | LogFormat::Jtop | LogFormat::Ina3221 => Some(0.01),
            LogFormat::Own | LogFormat::TraceMarks => match self.named.as_deref() {
                Some("nvml" | "nvidia-smi") => Some(0.05),
                Some("ina3221" | "tegrastats") => Some(0.01),
                _ => None,
            },
            LogFormat::Monsoon
            | LogFormat::Rapl
            | LogFormat::Csv
            | LogFormat::Zeus
            | LogFormat::CodeCarbon => None,
        }
    }
}

/// A log in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerLog {
    /// Which reader read it.
    pub format: LogFormat,
    /// The sensor, where the log names it.
    pub sensor: Option<String>,
    /// What the times count from.
    pub basis: Basis,
    /// Resolution of the stamps.
    pub quantum: Nanos,
    /// UTC offset that the log states for its local times.
    pub stated_zone_s: Option<i64>,
    /// Wall clock of the first reading, where a header states it.
    pub stated_start: Option<UnixTime>,
    /// `mono − real` pairs of the sampler: `(mono_ns, real_ns)`.
    pub clock_pairs: Vec<(i64, i64)>,
    /// Wall clock minus monotonic clock at the first reading, for a sampler that writes both; once the wall
    /// clock has stepped, times are monotonic ones with this added.
    pub mono_shift_ns: Option<i64>,
    /// The rails, in the order of their first appearance.
    pub rails: Vec<Rail>,
    /// Energies per window, for loggers that integrate themselves.
    pub windows: Vec<LoggedWindow>,
    /// Lines that hold no reading: blank, error messages, repeated headers.
    pub skipped_lines: usize,
    /// Doubts met while reading.
    pub findings: Vec<Finding>,
}

impl PowerLog {
    /// An empty log of a format.
    pub(super) fn new(format: LogFormat, basis: Basis, quantum: Nanos) -> Self {
        Self {
            format,
            sensor: None,
            basis,
            quantum,
            stated_zone_s: None,
            stated_start: None,
            clock_pairs: Vec::new(),
            mono_shift_ns: None,
            rails: Vec::new(),
            windows: Vec::new(),
            skipped_lines: 0,
            findings: Vec::new(),
        }
    }

    /// What took the readings.
    pub fn taken_by(&self) -> Sensor {
        Sensor { format: self.format, named: self.sensor.clone() }
    }

    /// The rail of this name.
    pub fn rail(&self, name: &str) -> Option<&Rail> {
        self.rails.iter().find(|rail| rail.name == name)
    }

    /// The rail of this name, made when it is new.
    pub(super) fn rail_mut(&mut self, name: &str, kind: Kind) -> &mut Rail {
        let at = self.rails.iter().position(|rail| rail.name == name).unwrap_or_else(|| {
            self.rails.push(Rail { name: name.to_owned(), kind, samples: Vec::new(), missing: 0 });
            self.rails.len() - 1
        });
        &mut self.rails[at]
    }

    /// Adds a reading, or counts a missing one.
    pub(super) fn push(&mut self, name: &str, kind: Kind, at_ns: i64, value: Option<f64>) {
        let rail = self.rail_mut(name, kind);
        match value {
            Some(value) => rail.samples.push(Sample { at_ns, value }),
            None => rail.missing += 1,
        }
    }
}
