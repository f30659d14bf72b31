//! Half-open spans of trace time.
//!
//! ```text
//!   [start ............ end)      an instant t is inside when start <= t < end
//!   [a)[b)                        touching spans share no instant
//! ```

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Nanos, TraceTime};

/// `[start, end)` on the trace's clock; never negative.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
pub struct Span {
    start: TraceTime,
    end: TraceTime,
}

impl Span {
    /// The span from `start` to `end`; `None` when `end` lies before `start`.
    pub fn new(start: TraceTime, end: TraceTime) -> Option<Self> {
        (start <= end).then_some(Self { start, end })
    }

    /// The span between two instants in nanoseconds; an end before the start gives the empty span
    /// at `start`.
    pub fn from_ns(start: i64, end: i64) -> Self {
        Self { start: TraceTime::from_ns(start), end: TraceTime::from_ns(end.max(start)) }
    }

    /// The first instant.
    pub const fn start(self) -> TraceTime {
        self.start
    }

    /// The first instant that is no longer inside.
    pub const fn end(self) -> TraceTime {
        self.end
    }

    /// The first instant, in nanoseconds since the start of the collection.
    pub const fn start_ns(self) -> i64 {
        self.start.as_ns()
    }

    /// The end, in nanoseconds since the start of the collection.
    pub const fn end_ns(self) -> i64 {
        self.end.as_ns()
    }

    /// How long it lasts.
    pub fn length(self) -> Nanos {
        self.end - self.start
    }

    /// Whether it holds no instant at all.
    pub fn is_empty(self) -> bool {
        self.start == self.end
    }

    /// Whether the instant `t` is inside.
    pub fn holds(self, t: TraceTime) -> bool {
        self.start <= t && t < self.end
    }

    /// Whether every instant of `other` is inside this span.
    pub fn contains(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// The common part, empty when there is none.
    pub fn clip(self, other: Self) -> Self {
        Self::from_ns(self.start_ns().max(other.start_ns()), self.end_ns().min(other.end_ns()))
    }
}
