//! The document `nsys-attrib/power-curve/1`: the readings of one rail on the trace's clock.
//!
//! What figures and pages draw beside the windows: the same placed series that the energies were
//! integrated from, and the idle power that they subtract.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::energy;
use super::idle::IdleFrom;
use super::log::Kind;
use super::measure::OnClock;
use super::work::Work;
use crate::units::{Milliwatts, SessionClock, TraceTime, UnixTime};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/power-curve/1";

/// Power over time.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PowerCurve {
    /// Always `nsys-attrib/power-curve/1`.
    pub schema: String,
    /// The rail, or the rails that were added up.
    pub rail: String,
    /// The format of the log.
    pub source: String,
    /// Whether a reading is a mean over the time before it.
    pub averaged: bool,
    /// How the log's clock was tied to the trace's.
    pub alignment: String,
    /// Idle power.
    pub idle_mw: Option<Milliwatts>,
    /// Where the idle power comes from, or why there is none.
    pub idle_how: String,
    /// The readings, by time.
    pub readings: Vec<Reading>,
}

/// One reading.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Reading {
    /// When, on trace time.
    pub at_ns: TraceTime,
    /// The power.
    pub power_mw: Milliwatts,
}

/// The curve of a rail that lies on the trace's clock, and the idle power that its energies subtract.
pub fn curve(
    placed: &OnClock,
    session: SessionClock,
    work: &Work,
    idle: Option<&IdleFrom>,
) -> PowerCurve {
    let series = &placed.series;
    let idle = energy::idle_of(series, work, idle);
    let reading = |(at, watts): (&i64, &f64)| Reading {
        at_ns: session.to_trace(UnixTime::from_unix_ns(*at)),
        power_mw: Milliwatts::from_watts(*watts),
    };
    PowerCurve {
        schema: SCHEMA.to_owned(),
        rail: series.name.clone(),
        source: placed.sensor.format.name().to_owned(),
        averaged: matches!(series.kind, Kind::TrailingAvg { .. }),
        alignment: placed.aligned.method.clone(),
        idle_mw: idle.as_ref().ok().map(|idle| Milliwatts::from_watts(idle.watts)),
        idle_how: match &idle {
            Ok(idle) => idle.how.clone(),
            Err(why) => format!("none: {why}"),
        },
        readings: series.times.iter().zip(&series.watts).map(reading).collect(),
    }
}
