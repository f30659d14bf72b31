//! The distribution of lengths of time, in whole nanoseconds, as documents carry it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::summary::Summary;
use crate::units::Nanos;

/// A distribution of lengths.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Lengths {
    /// How many.
    pub count: usize,
    /// Their sum.
    pub total_ns: Nanos,
    /// Their mean.
    pub mean_ns: Nanos,
    /// Standard deviation (n − 1); null for one.
    pub stddev_ns: Option<Nanos>,
    /// The least.
    pub min_ns: Nanos,
    /// The median.
    pub p50_ns: Nanos,
    /// 90th percentile.
    pub p90_ns: Nanos,
    /// 95th percentile.
    pub p95_ns: Nanos,
    /// 99th percentile.
    pub p99_ns: Nanos,
    /// The greatest.
    pub max_ns: Nanos,
}

impl Lengths {
    /// Of lengths in ns; `None` without one.
    pub fn of(all: &[i64]) -> Option<Self> {
        let summary = Summary::of_ints(all)?;
        let ns = |value: f64| Nanos::from_ns(value.round() as i64);
        Some(Self {
            count: summary.count,
            total_ns: Nanos::from_ns(all.iter().sum()),
            mean_ns: ns(summary.mean),
            stddev_ns: summary.stddev.map(ns),
            min_ns: ns(summary.min),
            p50_ns: ns(summary.p50),
            p90_ns: ns(summary.p90),
            p95_ns: ns(summary.p95),
            p99_ns: ns(summary.p99),
            max_ns: ns(summary.max),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_rounded_to_whole_nanoseconds() {
        let found = Lengths::of(&[1, 2, 4]).unwrap();
        assert_eq!((found.count, found.total_ns.as_ns(), found.mean_ns.as_ns()), (3, 7, 2));
        assert_eq!(found.stddev_ns.map(Nanos::as_ns), Some(2));
        assert_eq!(Lengths::of(&[]), None);
        assert_eq!(Lengths::of(&[5]).unwrap().stddev_ns, None);
    }
}
