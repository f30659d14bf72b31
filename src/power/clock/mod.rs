//! From the log's clock to the trace's.
//!
//! `unix = utcEpochNs + t` places the trace ([`anchor`] checks that this export counts from there);
//! [`place`] puts the log on the wall clock: unix stamps as they are, local stamps through a zone
//! (`--log-tz`, else what the log states, else local minus UTC of the trace), coarse or missing stamps
//! rebuilt ([`stamps`]). [`align`] measures what is left: through [`marks`] of both clocks, sync pulses
//! ([`pulse`]) or the shapes of power and work ([`correlate`]). [`overlap`] tests the result.

pub mod align;
pub mod anchor;
pub mod correlate;
pub mod drift;
pub mod in_trace;
pub mod marks;
pub mod overlap;
pub mod place;
pub mod pulse;
pub mod stamps;
pub mod zone;
