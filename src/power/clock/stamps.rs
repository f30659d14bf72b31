//! Times of readings whose stamps are coarse.
//!
//! Readings i = 0..n−1 lie at `t0 + i D`, their stamps are whole seconds, cut off:
//! `stamp_i <= t0 + i D < stamp_i + q`. Each gives a bound for t0; the midpoint of what all allow is
//! t0, half its width the uncertainty. When nothing is allowed, D is not exact (tegrastats sleeps D
//! *after* its work) and D is fitted too. Readings are never spread evenly over each second: that
//! would hide drops.

use crate::units::Nanos;

/// How far the true period may be from the nominal one.
const SEARCH: f64 = 0.05;
/// Steps of the search.
const STEPS: i32 = 2_000;

/// Times that fit the stamps.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rebuilt {
    /// Time of the first reading, ns on the clock of the stamps.
    pub start_ns: f64,
    /// Time from one reading to the next, ns.
    pub period_ns: f64,
    /// Half the width of what the stamps allow, at the first reading.
    pub half_width: Nanos,
}

/// What the stamps allow for t0 at the period `period`: `(least, most)`.
fn bounds(stamps: &[i64], quantum: i64, period: f64) -> (f64, f64) {
    let mut least = f64::NEG_INFINITY;
    let mut most = f64::INFINITY;
    let first = stamps.first().copied().unwrap_or(0);
    for (i, stamp) in stamps.iter().enumerate() {
        // Relative to the first stamp: unix ns are too large for a float.
        let at = (stamp - first) as f64 - i as f64 * period;
        least = least.max(at);
        most = most.min(at + quantum as f64);
    }
    (least, most)
}

/// Times at exactly this period; `None` when readings were dropped or the period is another.
pub fn at_period(stamps: &[i64], quantum: Nanos, period: Nanos) -> Option<Rebuilt> {
    let (least, most) = bounds(stamps, quantum.as_ns(), period.as_ns() as f64);
    let first = *stamps.first()? as f64;
    (least < most).then(|| Rebuilt {
        start_ns: first + f64::midpoint(least, most),
        period_ns: period.as_ns() as f64,
        half_width: Nanos::from_ns(((most - least) / 2.0).round() as i64),
    })
}

/// Times at the period within 5 % of the nominal one that the stamps leave the most room; `None` when
/// none fits.
pub fn fitted(stamps: &[i64], quantum: Nanos, nominal: Nanos) -> Option<Rebuilt> {
    let first = *stamps.first()? as f64;
    let mut best: Option<(f64, f64, f64)> = None;
    for step in -STEPS..=STEPS {
        let period = nominal.as_ns() as f64 * (1.0 + SEARCH * f64::from(step) / f64::from(STEPS));
        let (least, most) = bounds(stamps, quantum.as_ns(), period);
        if least < most && best.is_none_or(|(_, low, high)| most - least > high - low) {
            best = Some((period, least, most));
        }
    }
    best.map(|(period_ns, least, most)| Rebuilt {
        start_ns: first + f64::midpoint(least, most),
        period_ns,
        half_width: Nanos::from_ns(((most - least) / 2.0).round() as i64),
    })
}
