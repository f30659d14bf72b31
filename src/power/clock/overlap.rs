//! Does the log cover the trace at all? If not, is the reason a time zone?

use super::zone;
use crate::power::error::PowerError;
use crate::units::Share;

/// `|log ∩ span| / |span|`, all in unix ns; `None` for an empty span.
pub fn overlap(log: (i64, i64), span: (i64, i64)) -> Option<Share> {
    let common = (log.1.min(span.1) - log.0.max(span.0)).max(0);
    Share::of(common, span.1 - span.0)
}

/// Refuses a log that does not meet the span, naming the shift that would make it.
///
/// # Errors
/// [`PowerError::Log`].
pub fn check(path: &str, log: (i64, i64), span: (i64, i64)) -> Result<(), PowerError> {
    if log.0 <= span.1 && span.0 <= log.1 {
        return Ok(());
    }
    let apart = if log.0 > span.1 { log.0 - span.1 } else { log.1 - span.0 };
    let side = if apart > 0 { "after" } else { "before" };
    let remedy = match zone::suggestion(log.0, log.1, span.0, span.1) {
        Some(shift) => format!(
            "A shift of {} would make them overlap: is it the time zone? Try --log-tz with an offset that much \
             larger than the one in use",
            zone::offset_text(shift.as_ns() / 1_000_000_000)
        ),
        None => "Is it the log of this run? --offset shifts a log by a known amount".to_owned(),
    };
    Err(PowerError::Log {
        path: path.to_owned(),
        problem: format!(
            "the log does not overlap the trace: it lies {} {side} it",
            crate::units::Nanos::from_ns(apart.abs())
        ),
        remedy,
    })
}
