//! The error of a mean over readings that are sparser than the work: known from the windows, not from luck.
//!
//! ```text
//!   work      |[w][w][w][w][w][w][w][w][w][w][w][w][w][w][w]|   gaps fill 3 % of the time
//!   readings   x           x            x            x         of 110 readings, 3 or 4 meet a gap
//! ```
//! Each reading then draws one instant of a cycle, and a few of them meet a gap. When by chance none or
//! one does, the mean is too high *and* the blocks look too much alike, so that an interval from their
//! spread misses the truth (simulated: 12 % and 69 % coverage with none and one, 92.3 % over all runs,
//! 30 s and 2,000 requests at 1 s). But how long the gaps are is known from the windows: the share of
//! readings that ought to meet them has the variance of a draw, whatever the readings did. The spread
//! inside windows comes from the readings above the middle between idle and working power.
//! When blocks differ by more than draws allow (F test, 1 %), something else moves the power, and the
//! blocks' own spread is taken.

use super::{Data, Spread};
use crate::power::log::Kind;
use crate::stats;

/// Readings inside windows for their spread.
const LEAST_READINGS: usize = 20;

/// Blocks as one: their spans in ns, how long they are and how much of that is windows, s, their energy, J.
pub(super) struct Train<'a> {
    pub(super) spans: &'a [(i64, i64)],
    pub(super) cycles: f64,
    pub(super) outer: f64,
    pub(super) inside: f64,
    pub(super) joules: f64,
}

/// The error of the mean power over the train, W; `None` when readings are as dense as the work, are no
/// instants, or are too few.
pub(super) fn sampling(data: &Data<'_>, train: &Train<'_>) -> Option<Spread> {
    let idle = data.idle?.watts;
    let cycle_ns = train.outer * 1e9 / train.cycles;
    let sparse = data.series.period().as_ns() as f64 >= cycle_ns;
    if data.series.kind != Kind::Instant || !sparse {
        return None;
    }
    let duty = train.inside / train.outer;
    let rise = (train.joules / train.outer - idle) / duty;
    let all: Vec<f64> = readings(data, train.spans);
    let working: Vec<f64> = all.iter().copied().filter(|w| *w > idle + rise / 2.0).collect();
    if rise <= 0.0 || working.len() < LEAST_READINGS {
        return None;
    }
    let count = all.len() as f64;
    let within = Spread::of(&working)?.variance * working.len() as f64;
    let variance = (duty * (1.0 - duty) * rise * rise + duty * within) / count;
    Some(Spread { variance, freedom: count - 1.0 })
}

/// The draws' error of a mean when it explains how much the blocks differ, else the blocks' own.
pub(super) fn choose(blocks: Spread, draws: Option<Spread>) -> Spread {
    let Some(draws) = draws else { return blocks };
    let most = stats::f_99(blocks.freedom, draws.freedom).unwrap_or(f64::INFINITY);
    if blocks.variance > most * draws.variance { blocks } else { draws }
}

fn readings(data: &Data<'_>, spans: &[(i64, i64)]) -> Vec<f64> {
    let mut all = Vec::new();
    for (start, end) in spans {
        let from = data.series.times.partition_point(|time| time < start);
        let to = data.series.times.partition_point(|time| time < end);
        all.extend_from_slice(&data.series.watts[from..to]);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_that_differ_too_much_keep_their_own_error() {
        let spread = |variance, freedom| Spread { variance, freedom };
        let draws = Some(spread(1.0, 109.0));
        assert_eq!(choose(spread(0.2, 10.0), draws), spread(1.0, 109.0));
        assert_eq!(choose(spread(1.9, 10.0), draws), spread(1.0, 109.0));
        assert_eq!(choose(spread(9.0, 10.0), draws), spread(9.0, 10.0));
        assert_eq!(choose(spread(9.0, 10.0), None), spread(9.0, 10.0));
    }
}
