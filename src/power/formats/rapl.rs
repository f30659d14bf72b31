//! RAPL energy counters: `energy_uj` wraps at `max_energy_range_uj`.
//!
//! Between two reads at most one wrap can be seen; a pause in which 500 W could have passed the whole
//! range is refused.

use crate::units::Nanos;

/// More than any package draws.
const MOST_WATTS: f64 = 500.0;

/// Microjoules from one read to the next; `None` when more than one wrap may lie between.
pub fn difference_uj(before: u64, after: u64, range_uj: u64, apart: Nanos) -> Option<u64> {
    let possible = apart.as_ns() as f64 / 1e9 * MOST_WATTS * 1e6;
    if possible > range_uj as f64 {
        return None;
    }
    if after >= before { Some(after - before) } else { (range_uj + after).checked_sub(before) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vector_7_5_4_a_wrap_is_undone() {
        let second = Nanos::from_ns(1_000_000_000);
        let range = 262_143_328_850;
        assert_eq!(difference_uj(262_143_000_000, 500_000, range, second), Some(828_850));
        assert_eq!(difference_uj(5, 9, range, second), Some(4));
    }

    #[test]
    fn vector_7_5_5_two_wraps_cannot_be_seen() {
        let long = Nanos::from_ns(600_000_000_000);
        assert_eq!(difference_uj(5, 9, 262_143_328_850, long), None);
    }
}
