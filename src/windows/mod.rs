//! Which spans of time are measured.
//!
//! A specification ([`WindowSpec`], what a user types) selects instances from a trace, in time
//! order, numbered from 0. The rules, with their reasons, are in `docs/definitions.md`, section
//! Windows: which ranges count as closed, which nested instances are dropped, who owns a window.
//! [`intervals`] holds the interval algebra that everything after this stands on.

mod beyond;
mod error;
mod explicit;
pub mod intervals;
mod nearest;
mod owner;
mod periodic;
mod projected;
mod select;
mod spec;
mod unclosed;

pub use error::WindowError;
pub use explicit::ExplicitSpan;
pub use nearest::{RangeSummary, present_ranges, range_summaries};
pub use owner::{Attributed, Owner};
pub use select::{Selection, Window, WindowSet, select};
pub use spec::{RangePattern, Surroundings, TextPattern, WindowSpec};
pub use unclosed::Closing;
