//! From the log's clock to the trace's.
//!
//! `unix = utcEpochNs + t` places the trace ([`anchor`] checks that this export counts from there);
//! [`place`] puts the log on the wall clock: unix stamps as they are, local stamps through a zone
//! (`--log-tz`, else what the log states, else local minus UTC of the trace), coarse or missing stamps
//! rebuilt ([`stamps`]). [`overlap`] tests the result, [`correlate`] and [`marks`] measure what is left.

pub mod anchor;
pub mod correlate;
pub mod drift;
pub mod marks;
pub mod overlap;
pub mod place;
pub mod stamps;
pub mod zone;
