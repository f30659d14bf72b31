//! The one place where trace time and wall time meet.
//!
//! `unix_ns = TARGET_INFO_SESSION_START_TIME.utcEpochNs + t`. Never `ANALYSIS_DETAILS.startTime`:
//! that one is on another clock (the boot clock in new exports).

use serde::{Deserialize, Serialize};

use super::{Span, TraceTime, UnixTime};

/// When the collection started, on the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionClock {
    start: UnixTime,
}

impl SessionClock {
    /// A session whose trace time 0 was at `start`.
    pub const fn starting_at(start: UnixTime) -> Self {
        Self { start }
    }

    /// The wall-clock time of trace time 0.
    pub const fn start(self) -> UnixTime {
        self.start
    }

    /// Trace time to wall time.
    pub const fn to_unix(self, t: TraceTime) -> UnixTime {
        UnixTime::from_unix_ns(self.start.as_unix_ns() + t.as_ns())
    }

    /// Wall time to trace time.
    pub const fn to_trace(self, t: UnixTime) -> TraceTime {
        TraceTime::from_ns(t.as_unix_ns() - self.start.as_unix_ns())
    }

    /// A span of wall time on the trace's clock; `None` when it ends before it starts.
    pub fn span_to_trace(self, start: UnixTime, end: UnixTime) -> Option<Span> {
        Span::new(self.to_trace(start), self.to_trace(end))
    }
}
