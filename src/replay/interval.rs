//! The interval of a gain over the windows of one trace.
//!
//! A gain is 1 − Σ predicted / Σ replayed. Windows of one run are not independent: whole blocks of consecutive
//! windows are drawn, as long as the first lag at which the windows' lengths no longer correlate (below 0.1).
//! Below 20 windows there is no interval. The seed is fixed, so the same windows give the same interval.

/// Fewer windows give a range, no interval.
pub(crate) const FEWEST_WINDOWS: usize = 20;
/// Draws of the bootstrap.
const DRAWS: usize = 2_000;
/// Correlation that no longer counts.
const NO_CORRELATION: f64 = 0.1;
/// The seed of every draw.
pub(crate) const SEED: u64 = 20_260_417;

/// A small generator with a fixed sequence (splitmix64).
pub(crate) struct Draws(u64);

impl Draws {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}

/// The first lag at which a series no longer correlates with itself; 1 when it never did.
pub(crate) fn block_length(series: &[f64]) -> usize {
    let count = series.len();
    let mean = series.iter().sum::<f64>() / count as f64;
    let variance: f64 = series.iter().map(|value| (value - mean).powi(2)).sum();
    if variance <= 0.0 {
        return 1;
    }
    let correlation = |lag: usize| {
        let products =
            series.iter().zip(&series[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum::<f64>();
        products / variance
    };
    let longest = (count / 4).max(1);
    (1..longest).find(|lag| correlation(*lag) < NO_CORRELATION).unwrap_or(longest)
}

/// The 95 % interval of a gain.
pub(crate) fn gain_interval(replayed: &[i64], predicted: &[i64]) -> Option<[f64; 2]> {
    let count = replayed.len();
    if count < FEWEST_WINDOWS {
        return None;
    }
    let series: Vec<f64> = replayed.iter().map(|length| *length as f64).collect();
    let block = block_length(&series);
    let mut draws = Draws::new(SEED);
    let mut gains: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let (mut before, mut after, mut taken) = (0_i64, 0_i64, 0);
            while taken < count {
                let from = draws.below(count - block + 1);
                for at in from..from + block.min(count - taken) {
                    before += replayed[at];
                    after += predicted[at];
                    taken += 1;
                }
            }
            1.0 - after as f64 / before as f64
        })
        .collect();
    gains.sort_by(f64::total_cmp);
    Some([gains[DRAWS / 40], gains[DRAWS - 1 - DRAWS / 40]])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_holds_the_gain_and_narrows_with_equal_windows() {
        let replayed: Vec<i64> = (0..40).map(|i| 1_000 + (i * 37) % 100).collect();
        let half: Vec<i64> = replayed.iter().map(|length| length / 2).collect();
        let [low, high] = gain_interval(&replayed, &half).unwrap();
        assert!(low <= 0.501 && high >= 0.499 && high - low < 0.01, "{low} {high}");
        assert!(gain_interval(&replayed[..19], &half[..19]).is_none());
    }

    #[test]
    fn blocks_are_as_long_as_the_memory_of_the_series() {
        let slow: Vec<f64> = (0..200).map(|i| f64::from(i / 20 % 2)).collect();
        assert!(block_length(&slow) > 5);
        assert_eq!(block_length(&[1.0, 2.0, 1.0, 2.0, 1.0, 2.0, 1.0, 2.0]), 1);
        assert_eq!(block_length(&[3.0; 30]), 1);
    }
}
