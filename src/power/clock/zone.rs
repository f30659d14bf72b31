//! Local wall-clock times without a zone, to UTC.
//!
//! A zone is a fixed offset or a name of the IANA table. In a named zone a time may be ambiguous (the
//! hour that comes twice) or not exist at all; both are refused rather than guessed.

use jiff::civil;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone};

use crate::units::Nanos;

/// A zone of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct Zone(TimeZone);

/// How far local minus UTC may be from a quarter of an hour and still be a zone, in s.
const SLACK_S: i64 = 2;

impl Zone {
    /// `+02:00`, `-4`, `UTC`, `Europe/Berlin`; `None` when it is none of them.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.eq_ignore_ascii_case("utc") || text == "Z" {
            return Self::fixed(0);
        }
        if let Some(rest) = text.strip_prefix(['+', '-']) {
            let (hours, minutes) = rest.split_once(':').unwrap_or((rest, "0"));
            let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            return Self::fixed(if text.starts_with('-') { -seconds } else { seconds });
        }
        TimeZone::get(text).ok().map(Self)
    }

    /// A fixed offset.
    pub fn fixed(seconds: i64) -> Option<Self> {
        let offset = Offset::from_seconds(i32::try_from(seconds).ok()?).ok()?;
        Some(Self(TimeZone::fixed(offset)))
    }

    /// Unix ns of a local time that is given in ns since 1970 as if it were UTC.
    ///
    /// # Errors
    /// In words, when the zone has the time twice or never.
    pub fn to_unix_ns(&self, local_ns: i64) -> Result<i64, String> {
        if let Ok(offset) = self.0.to_fixed_offset() {
            return Ok(local_ns - i64::from(offset.seconds()) * 1_000_000_000);
        }
        let (seconds, rest) =
            (local_ns.div_euclid(1_000_000_000), local_ns.rem_euclid(1_000_000_000));
        let stamp =
            jiff::Timestamp::new(seconds, rest as i32).map_err(|error| error.to_string())?;
        let local = TimeZone::UTC.to_datetime(stamp);
        let offset = self.offset(local)?;
        Ok(local_ns - i64::from(offset.seconds()) * 1_000_000_000)
    }

    fn offset(&self, local: civil::DateTime) -> Result<Offset, String> {
        let name = self.0.iana_name().unwrap_or("the zone");
        match self.0.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => Ok(offset),
            AmbiguousOffset::Gap { .. } => {
                Err(format!("{local} does not exist in {name}: the clocks were put forward"))
            }
            AmbiguousOffset::Fold { before, after } => Err(format!(
                "{local} comes twice in {name} ({before} and {after}): the clocks were put back"
            )),
        }
    }
}

/// The zone of a machine whose local time minus UTC is `seconds`; `None` when that is no quarter of an
/// hour.
pub fn of_difference(seconds: i64) -> Option<i64> {
    let quarter = (seconds as f64 / 900.0).round() as i64 * 900;
    ((seconds - quarter).abs() <= SLACK_S && quarter.abs() <= 16 * 3600).then_some(quarter)
}

/// `+02:00`.
pub fn offset_text(seconds: i64) -> String {
    let (sign, size) = if seconds < 0 { ('-', -seconds) } else { ('+', seconds) };
    format!("{sign}{:02}:{:02}", size / 3600, size % 3600 / 60)
}

/// The fixed offset, a multiple of 15 min, that would bring `[first, last]` of a log (local ns) over a
/// span of unix ns; of several, the one that centres it best.
pub fn suggestion(first: i64, last: i64, start: i64, end: i64) -> Option<Nanos> {
    const QUARTER: i64 = 900_000_000_000;
    (-64_i64..=64)
        .map(|quarters| quarters * QUARTER)
        .filter(|offset| {
            let (first, last) = (first - offset, last - offset);
            first.max(start) < last.min(end)
        })
        .min_by_key(|offset| {
            let centre = |a: i64, b: i64| i128::from(a) + i128::from(b);
            (centre(first - offset, last - offset) - centre(start, end)).abs()
        })
        .map(Nanos::from_ns)
}
