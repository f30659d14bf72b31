//! What the event times of an export count from.
//!
//! Relative to the start of the session in every export where it could be told (captures of 2021 to
//! 2026): `unix = utcEpochNs + t`. `ANALYSIS_DETAILS.startTime` is on another clock and never used.

use crate::units::UnixTime;

/// What an event time is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventBase {
    /// Nanoseconds since the start of the session.
    Relative,
    /// The same; the numbers would also allow the system clock (a machine that had just booted).
    RelativeAmbiguous,
    /// Nanoseconds of the system clock.
    SystemClock,
    /// Unix nanoseconds already.
    Unix,
}

/// What an export says of its clock, all in ns.
#[derive(Clone, Copy, Debug)]
pub struct AnchorFacts {
    /// `utcEpochNs`.
    pub utc_epoch_ns: i64,
    /// `systemClockNs`, in exports of 2025.6 and later.
    pub system_clock_ns: Option<i64>,
    /// Length of the collection.
    pub duration_ns: i64,
    /// Earliest and latest event.
    pub first_ns: i64,
    /// Latest event.
    pub last_ns: i64,
}

/// What the event times count from.
pub fn base(facts: AnchorFacts) -> EventBase {
    if facts.first_ns > 1_000_000_000_000_000_000 {
        return EventBase::Unix;
    }
    let Some(system) = facts.system_clock_ns else { return EventBase::Relative };
    let inside = facts.first_ns >= system
        && facts.last_ns as f64 <= system as f64 + facts.duration_ns as f64 * 1.05;
    match (inside, system > facts.duration_ns) {
        (true, true) => EventBase::SystemClock,
        (_, false) => EventBase::RelativeAmbiguous,
        (false, true) => EventBase::Relative,
    }
}

/// The wall clock at an event time.
pub fn to_unix(facts: AnchorFacts, event_ns: i64) -> UnixTime {
    let unix = match base(facts) {
        EventBase::Unix => event_ns,
        EventBase::SystemClock => {
            facts.utc_epoch_ns + event_ns - facts.system_clock_ns.unwrap_or(0)
        }
        EventBase::Relative | EventBase::RelativeAmbiguous => facts.utc_epoch_ns + event_ns,
    };
    UnixTime::from_unix_ns(unix)
}
