//! Power and energy. Inside a float, since every sensor's resolution is far coarser; `Display` writes
//! mW and mJ up to three figures before the point and W and J above, and honours the precision.

use std::fmt;
use std::iter::Sum;
use std::ops::{Add, Sub};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Nanos, fixed};

/// Power. May be negative: a sensor that sees current both ways.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Milliwatts(f64);

/// Energy. May be negative: a difference, or a window below the idle power.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Millijoules(f64);

impl Milliwatts {
    /// A power of `mw` milliwatts.
    pub const fn from_mw(mw: f64) -> Self {
        Self(mw)
    }

    /// A power of `watts` watts.
    pub fn from_watts(watts: f64) -> Self {
        Self(watts * 1e3)
    }

    /// The power in milliwatts.
    pub const fn as_mw(self) -> f64 {
        self.0
    }

    /// The power in watts.
    pub fn as_watts(self) -> f64 {
        self.0 / 1e3
    }

    /// The energy that this power spends in `time`.
    pub fn over(self, time: Nanos) -> Millijoules {
        Millijoules(self.0 * time.as_ns() as f64 / 1e9)
    }
}

impl Millijoules {
    /// An energy of `mj` millijoules.
    pub const fn from_mj(mj: f64) -> Self {
        Self(mj)
    }

    /// An energy of `joules` joules.
    pub fn from_joules(joules: f64) -> Self {
        Self(joules * 1e3)
    }

    /// The energy in millijoules.
    pub const fn as_mj(self) -> f64 {
        self.0
    }

    /// The energy in joules.
    pub fn as_joules(self) -> f64 {
        self.0 / 1e3
    }

    /// The mean power when this energy is spent in `time`; `None` when no time passes.
    pub fn per(self, time: Nanos) -> Option<Milliwatts> {
        (time > Nanos::ZERO).then(|| Milliwatts(self.0 * 1e9 / time.as_ns() as f64))
    }
}

impl Add for Milliwatts {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Milliwatts {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

impl Sum for Milliwatts {
    fn sum<I: Iterator<Item = Self>>(values: I) -> Self {
        Self(values.map(|value| value.0).sum())
    }
}

impl Add for Millijoules {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl Sub for Millijoules {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

/// Writes a number of thousandths with the unit, or without the `m` from 1000 on.
fn write_milli(f: &mut fmt::Formatter<'_>, milli: f64, unit: &str) -> fmt::Result {
    if milli.abs() < 1e3 {
        let digits = f.precision().unwrap_or(1);
        write!(f, "{} m{unit}", fixed(milli, digits))
    } else {
        let digits = f.precision().unwrap_or(3);
        write!(f, "{} {unit}", fixed(milli / 1e3, digits))
    }
}

impl fmt::Display for Milliwatts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_milli(f, self.0, "W")
    }
}

impl fmt::Display for Millijoules {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_milli(f, self.0, "J")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn power_times_time_is_energy_and_back() {
        let window = Nanos::from_ns(59_600_000);
        let power = Millijoules::from_mj(228.0).per(window).unwrap();
        assert_eq!(format!("{power:.3}"), "3.826 W");
        assert_eq!(power.over(window).to_string(), "228.0 mJ");
        assert_eq!(Millijoules::from_mj(1.0).per(Nanos::ZERO), None);
    }
}
