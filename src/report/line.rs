//! A line of a summary, the smallest thing that the writers know.

/// What it is about, and the line.
pub type Line = (&'static str, String);
