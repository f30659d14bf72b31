//! Power logs to samples, aligned with the trace's clock, to energy per window.
//!
//! A log is bytes of any logger; [`text`] decodes them, [`formats`] recognises the format by its content
//! and reads the rails, [`board`] says which rail is the total and which sums are allowed, and
//! [`describe()`] says what is in the log: period, jitter, gaps, the sensor's own update period, doubts.
//! Inside this room power is in W, energy in J and time in integer ns; what leaves it has its unit in
//! its type. Nothing here opens a file.

pub mod board;
pub mod clock;
pub mod describe;
mod error;
pub mod formats;
mod log;
mod plausible;
mod stamp;
pub mod text;

pub use describe::describe;
pub use error::{PowerError, Source};
pub use formats::{LogFormat, ReadHints, detect, read};
pub use log::{Basis, Kind, LoggedWindow, PowerLog, Rail, Sample};
pub use stamp::TimeFormat;
