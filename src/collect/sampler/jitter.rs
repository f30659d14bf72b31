//! How evenly did the readings come? Distances between neighbours, as a histogram and four numbers.

use crate::runs::manifest::Jitter;
use crate::units::Nanos;

/// Tenths of the period, and everything from two periods on.
const BINS: usize = 21;

/// Distances of neighbouring readings.
#[derive(Debug)]
pub(super) struct Distances {
    period: i64,
    last: Option<i64>,
    seen: Vec<i64>,
}

impl Distances {
    pub(super) const fn new(period: Nanos) -> Self {
        Self { period: period.as_ns(), last: None, seen: Vec::new() }
    }

    /// A reading began at this instant of the monotonic clock.
    pub(super) fn add(&mut self, mono_ns: i64) {
        if let Some(last) = self.last.replace(mono_ns) {
            self.seen.push(mono_ns - last);
        }
    }

    /// `None` without two readings.
    pub(super) fn summary(&self) -> Option<Jitter> {
        let mut sorted = self.seen.clone();
        sorted.sort_unstable();
        let at = |share: f64| {
            let index = (share * (sorted.len().checked_sub(1)?) as f64).round() as usize;
            sorted.get(index).copied().map(Nanos::from_ns)
        };
        let min_ns = Some(at(0.0)?);
        let mut histogram = vec![0; BINS];
        for distance in &sorted {
            let bin = (distance.max(&0) * 10 / self.period.max(1)) as usize;
            histogram[bin.min(BINS - 1)] += 1;
        }
        Some(Jitter { min_ns, p50_ns: at(0.5), p99_ns: at(0.99), max_ns: at(1.0), histogram })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_fall_into_tenths_of_the_period() {
        let mut distances = Distances::new(Nanos::from_ns(100));
        assert!(distances.summary().is_none());
        for at in [0, 95, 195, 304, 1000] {
            distances.add(at);
        }
        let jitter = distances.summary().unwrap();
        assert_eq!(jitter.histogram.len(), BINS);
        assert_eq!((jitter.histogram[9], jitter.histogram[10], jitter.histogram[20]), (1, 2, 1));
        assert_eq!(
            (jitter.min_ns, jitter.max_ns),
            (Some(Nanos::from_ns(95)), Some(Nanos::from_ns(696)))
        );
    }
}
