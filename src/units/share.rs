//! A part of a whole.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A ratio of two sums, 0..1 for a true part of a whole. An empty denominator gives no share at
/// all, never 0: the constructors return `Option`.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct Share(f64);

impl Share {
    /// `part / whole`; `None` when the whole is not positive.
    pub fn of(part: i64, whole: i64) -> Option<Self> {
        (whole > 0).then(|| Self(part as f64 / whole as f64))
    }

    /// The ratio, 1 for the whole.
    pub const fn as_f64(self) -> f64 {
        self.0
    }

    /// The ratio in per cent.
    pub fn as_percent(self) -> f64 {
        self.0 * 100.0
    }
}

impl fmt::Display for Share {
    /// Per cent with one digit, or with the precision asked for.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(1);
        write!(f, "{:.digits$} %", self.as_percent())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_denominator_gives_no_share() {
        assert_eq!(Share::of(0, 0), None);
        assert_eq!(Share::of(3, 4).unwrap().to_string(), "75.0 %");
        assert_eq!(format!("{:.2}", Share::of(1, 3).unwrap()), "33.33 %");
    }
}
