//! An energy ratio is a latency ratio times a power ratio.
//!
//! `E_a / E_b = (L_a / L_b) × (P_a / P_b)`: how much of an energy difference is longer running, and how
//! much is higher power. The gain error of one sensor cancels in the ratio.

use crate::units::{Millijoules, Milliwatts, Nanos};

/// Two variants compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Decomposition {
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
}

impl Decomposition {
    /// From energy and latency of two variants; `None` when one has no latency or energy.
    pub fn of(a: (Millijoules, Nanos), b: (Millijoules, Nanos)) -> Option<Self> {
        let (power_a, power_b) = (a.0.per(a.1)?, b.0.per(b.1)?);
        if b.0.as_mj() == 0.0 {
            return None;
        }
        Some(Self {
            power_a,
            power_b,
            energy_ratio: a.0.as_mj() / b.0.as_mj(),
            latency_ratio: a.1.as_ns() as f64 / b.1.as_ns() as f64,
            power_ratio: power_a.as_mw() / power_b.as_mw(),
        })
    }
}
