//! How much of the work that the windows launched ran inside them.
//!
//! ```text
//!   CPU  [window: launch launch launch)
//!   GPU            [k1--)[k2--)  |[k3--)     contained = (k1 + k2) / (k1 + k2 + k3)
//! ```
//!
//! A window that does not contain its work measures the issuing of work, not its latency.

use crate::units::{Share, Span};

/// Operations launched in the windows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contained {
    /// How many.
    pub(super) count: u64,
    time_ns: i64,
    inside_ns: i64,
}

impl Contained {
    /// Adds an operation that was launched in a window, and that window.
    pub(super) fn add(&mut self, operation: Span, window: Span) {
        self.count += 1;
        self.time_ns += operation.length().as_ns();
        self.inside_ns += operation.clip(window).length().as_ns();
    }

    /// Share of the launched time that lies inside its own window.
    pub(super) fn share(self) -> Option<Share> {
        Share::of(self.inside_ns, self.time_ns)
    }
}
