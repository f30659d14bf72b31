//! Power logs to samples, aligned with the trace's clock, to energy per window.
//!
//! A log is bytes of any logger; [`text`] decodes them, [`formats`] recognises the format by its content
//! and reads the rails, [`board`] says which rail is the total and which sums are allowed, and
//! [`describe()`] says what is in the log: period, jitter, gaps, the sensor's own update period, doubts.
//! [`work`] says what was done and when, [`clock`] puts the readings on its clock, [`series`] and
//! [`integrate`] turn them into energy between two instants, [`idle`] finds what is there anyway,
//! [`estimate`] and [`energy`] say what a window costs, with an interval, or why that cannot be said;
//! [`measure`] is the whole path.
//! Inside this room power is in W, energy in J and time in integer ns; what leaves it has its unit in
//! its type. Nothing here opens a file.

pub mod board;
pub mod clock;
pub mod curve;
pub mod decomposition;
pub mod describe;
pub mod document;
pub mod energy;
mod error;
pub mod estimate;
pub mod formats;
pub mod idle;
pub mod integrate;
mod log;
pub mod measure;
mod plausible;
pub mod series;
mod stamp;
pub mod text;
pub mod work;

pub use describe::describe;
pub use error::{PowerError, Source};
pub use formats::{LogFormat, ReadHints, detect, read};
pub use log::{Basis, Kind, LoggedWindow, PowerLog, Rail, Sample, Sensor};
pub use stamp::TimeFormat;
