//! How much of the work that the windows launched ran inside them.
//!
//! ```text
//!   CPU  [window: launch launch launch)
//!   GPU            [k1--)[k2--)  |[k3--)     contained = (k1 + k2) / (k1 + k2 + k3)
//! ```
//!
//! A window that does not contain its work measures the issuing of work, not its latency.

use super::scope::Scope;
use crate::units::Share;

/// Operations launched in the windows.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Contained {
    /// How many.
    pub(super) count: u64,
    time_ns: i64,
    inside_ns: i64,
}

impl Contained {
    /// Follows the launched operations.
    pub(super) fn measure(scope: &Scope<'_>) -> Self {
        let mut sums = Self::default();
        scope.operations_launched(|op, _, window| {
            let span = scope.trace.operations.span(op);
            sums.count += 1;
            sums.time_ns += span.length().as_ns();
            sums.inside_ns += span.clip(scope.spans[window]).length().as_ns();
        });
        sums
    }

    /// Share of the launched time that lies inside its own window.
    pub(super) fn share(self) -> Option<Share> {
        Share::of(self.inside_ns, self.time_ns)
    }
}
