//! An energy ratio is a latency ratio times a power ratio.
//!
//! `E_a / E_b = (L_a / L_b) × (P_a / P_b)`: how much of an energy difference is longer running, and how
//! much is higher power. On logarithms the parts add up, so that each explains a share of the difference.
//! The gain error of one sensor cancels in the ratios.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::units::{Millijoules, Milliwatts, Nanos};

/// Ratios that differ from 1 by less than this have no parts.
const NO_DIFFERENCE: f64 = 1e-9;

/// One variant: energy and latency per window.
pub type Variant = (Millijoules, Nanos);

/// Two variants compared, the first over the second.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decomposition {
    /// Energy of the first.
    pub energy_a: Millijoules,
    /// Energy of the second.
    pub energy_b: Millijoules,
    /// Latency of the first.
    pub latency_a: Nanos,
    /// Latency of the second.
    pub latency_b: Nanos,
    /// Mean power of the first.
    pub power_a: Milliwatts,
    /// Mean power of the second.
    pub power_b: Milliwatts,
    /// Energy of the first over the second.
    pub energy_ratio: f64,
    /// Latency of the first over the second.
    pub latency_ratio: f64,
    /// Power of the first over the second.
    pub power_ratio: f64,
    /// `ln(latency ratio) / ln(energy ratio)`: the part of the difference that is longer running; the rest is
    /// power. Over 1 when latency and power work against each other; null without a difference.
    pub latency_part: Option<f64>,
}

impl Decomposition {
    /// From energy and latency of two variants; `None` unless both are above 0.
    pub fn of(a: Variant, b: Variant) -> Option<Self> {
        let (power_a, power_b) = (a.0.per(a.1)?, b.0.per(b.1)?);
        if a.0.as_mj() <= 0.0 || b.0.as_mj() <= 0.0 {
            return None;
        }
        let energy_ratio = a.0.as_mj() / b.0.as_mj();
        let latency_ratio = a.1.as_ns() as f64 / b.1.as_ns() as f64;
        let whole = energy_ratio.ln();
        Some(Self {
            energy_a: a.0,
            energy_b: b.0,
            latency_a: a.1,
            latency_b: b.1,
            power_a,
            power_b,
            energy_ratio,
            latency_ratio,
            power_ratio: power_a.as_mw() / power_b.as_mw(),
            latency_part: (whole.abs() > NO_DIFFERENCE).then(|| latency_ratio.ln() / whole),
        })
    }
}

/// `energy 1.262 = latency 1.120 × power 1.126`.
impl fmt::Display for Decomposition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "energy {:.3} = latency {:.3} × power {:.3}",
            self.energy_ratio, self.latency_ratio, self.power_ratio
        )
    }
}
