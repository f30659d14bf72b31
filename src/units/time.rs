//! Lengths of time and instants, all in integer nanoseconds.
//!
//! `Display` of [`Nanos`] picks ns, us, ms or s from the magnitude and honours the precision of the
//! format string (`{:.1}`); 3 digits otherwise.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A length of time in nanoseconds. May be negative (a difference).
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct Nanos(i64);

/// An instant on the trace's clock: nanoseconds since the start of the collection.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    JsonSchema,
)]
#[serde(transparent)]
pub struct TraceTime(i64);

/// An instant on the wall clock: nanoseconds since 1970-01-01T00:00:00Z.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct UnixTime(i64);

impl Nanos {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A length of `ns` nanoseconds.
    pub const fn from_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// The length in nanoseconds.
    pub const fn as_ns(self) -> i64 {
        self.0
    }

    /// The length in milliseconds, for plots and prose.
    pub fn as_ms_f64(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The mean of so many lengths that sum up to this, rounded to the nearest nanosecond; `None` for
    /// none.
    pub fn mean_of(self, count: u64) -> Option<Self> {
        let count = i64::try_from(count).ok().filter(|count| *count > 0)?;
        let half = if self.0 < 0 { -(count / 2) } else { count / 2 };
        Some(Self((self.0 + half) / count))
    }

    /// The magnitude, without the sign.
    pub const fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
}

impl TraceTime {
    /// The start of the collection.
    pub const ZERO: Self = Self(0);

    /// The instant `ns` nanoseconds after the start of the collection.
    pub const fn from_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the start of the collection.
    pub const fn as_ns(self) -> i64 {
        self.0
    }
}

impl UnixTime {
    /// The instant `ns` nanoseconds after the Unix epoch.
    pub const fn from_unix_ns(ns: i64) -> Self {
        Self(ns)
    }

    /// Nanoseconds since the Unix epoch.
    pub const fn as_unix_ns(self) -> i64 {
        self.0
    }
}

impl Add for Nanos {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Nanos {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl AddAssign for Nanos {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl SubAssign for Nanos {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}

impl Sum for Nanos {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        Self(values.map(|value| value.0).sum())
    }
}

impl Sub for TraceTime {
    type Output = Nanos;
    fn sub(self, other: Self) -> Nanos {
        Nanos(self.0 - other.0)
    }
}

impl Add<Nanos> for TraceTime {
    type Output = Self;
    fn add(self, length: Nanos) -> Self {
        Self(self.0 + length.0)
    }
}

impl FromStr for Nanos {
    type Err = String;

    /// `100ms`, `1.5s`, `-4h`; the unit (ns, us, ms, s, m or min, h) is required.
    fn from_str(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let at = text.find(|c: char| c.is_ascii_alphabetic()).unwrap_or(text.len());
        let scale = match &text[at..] {
            "ns" => 1.0,
            "us" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" | "min" => 60e9,
            "h" => 3600e9,
            _ => return Err(format!("`{text}` needs a unit: ns, us, ms, s, min or h")),
        };
        let value: f64 =
            text[..at].trim().parse().map_err(|_| format!("`{text}` is no length of time"))?;
        let ns = (value * scale).round();
        if ns.abs() < i64::MAX as f64 {
            Ok(Self(ns as i64))
        } else {
            Err(format!("`{text}` is too long"))
        }
    }
}

impl fmt::Display for Nanos {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let magnitude = self.0.unsigned_abs();
        let (scale, unit) = match magnitude {
            0..1_000 => return f.pad(&format!("{} ns", self.0)),
            1_000..1_000_000 => (1e3, "us"),
            1_000_000..1_000_000_000 => (1e6, "ms"),
            _ => (1e9, "s"),
        };
        let digits = f.precision().unwrap_or(3);
        let text = format!("{} {unit}", super::fixed(self.0 as f64 / scale, digits));
        match f.width() {
            Some(width) => write!(f, "{text:>width$}"),
            None => f.write_str(&text),
        }
    }
}

impl fmt::Display for TraceTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.6} s", self.0 as f64 / 1e9)
    }
}

impl fmt::Display for UnixTime {
    /// RFC 3339 in UTC with nanoseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_nanosecond(i128::from(self.0)) {
            Ok(stamp) => write!(f, "{stamp:.9}"),
            Err(_) => write!(f, "{} ns since 1970", self.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nanos_pick_their_unit_and_honour_precision() {
        assert_eq!(Nanos::from_ns(999).to_string(), "999 ns");
        assert_eq!(Nanos::from_ns(1_500).to_string(), "1.500 us");
        assert_eq!(format!("{:.1}", Nanos::from_ns(17_161_234)), "17.2 ms");
        assert_eq!(format!("{:.2}", Nanos::from_ns(-2_500_000_000)), "-2.50 s");
        assert_eq!(format!("{:>10.1}", Nanos::from_ns(1_500)), "    1.5 us");
    }

    #[test]
    fn lengths_are_read_with_their_unit() {
        assert_eq!("100ms".parse(), Ok(Nanos::from_ns(100_000_000)));
        assert_eq!(" 1.5 s".parse(), Ok(Nanos::from_ns(1_500_000_000)));
        assert_eq!("-4h".parse(), Ok(Nanos::from_ns(-14_400_000_000_000)));
        for wrong in ["10", "", "s", "1e99s", "3 days", "nan s"] {
            assert!(wrong.parse::<Nanos>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn unix_time_prints_as_utc() {
        let time = UnixTime::from_unix_ns(1_745_524_738_320_414_836);
        assert_eq!(time.to_string(), "2025-04-24T19:58:58.320414836Z");
    }
}
