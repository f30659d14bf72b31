//! Energy between two instants, without extrapolation and without bridging gaps.
//!
//! ```text
//!   trapezoid  linear between readings         instants
//!   hold       a reading lasts until the next  loggers that write on change
//!   backward   a reading covers what is before means over the period, counters
//!
//!   |----|----|----|    gap: not integrated    |----|----|
//!   coverage = integrated time / asked time
//! ```
//! Cumulative sums make a window cost two binary searches, whatever its length.

use super::series::Series;
use crate::units::Nanos;

/// What power does between two readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Linear.
    Trapezoid,
    /// The earlier reading.
    Hold,
    /// The later reading.
    Backward,
}

/// A series prepared for integration.
#[derive(Clone, Debug)]
pub struct Integral<'a> {
    times: &'a [i64],
    watts: &'a [f64],
    method: Method,
    gap: i64,
    lead: i64,
    joules: Vec<f64>,
    covered: Vec<i64>,
}

/// The energy between two instants.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Piece {
    /// J.
    pub joules: f64,
    /// Time that was integrated.
    pub covered: Nanos,
    /// Of the time asked for; `None` for an empty span.
    pub coverage: Option<f64>,
    /// Readings inside, both ends included.
    pub inside: usize,
}

/// The energy by a counter.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Counted {
    /// J, linear between changes.
    pub joules: f64,
    /// From the first change inside to the last: at least this much.
    pub least: f64,
    /// From the last change before to the first after: at most this much.
    pub most: f64,
}

impl<'a> Integral<'a> {
    /// Prepares a rail, each reading at the middle of what it averages; `None` below two readings.
    pub fn of(series: &'a Series) -> Option<Self> {
        let mut this = Self::new(&series.times, &series.watts, series.method(), series.gap())?;
        this.lead = series.lead_ns();
        Some(this)
    }

    /// Prepares a series with strictly ascending times; `None` below two readings.
    pub fn new(times: &'a [i64], watts: &'a [f64], method: Method, gap: Nanos) -> Option<Self> {
        if times.len() < 2 || times.len() != watts.len() {
            return None;
        }
        let mut this = Self {
            times,
            watts,
            method,
            gap: gap.as_ns(),
            lead: 0,
            joules: Vec::with_capacity(times.len()),
            covered: Vec::with_capacity(times.len()),
        };
        let (mut joules, mut covered) = (0.0, 0);
        this.joules.push(joules);
        this.covered.push(covered);
        for i in 0..times.len() - 1 {
            let length = times[i + 1] - times[i];
            if length <= this.gap {
                joules += this.part(i, length);
                covered += length;
            }
            this.joules.push(joules);
            this.covered.push(covered);
        }
        Some(this)
    }

    /// J of the first `length` ns of the segment after reading `i`.
    fn part(&self, i: usize, length: i64) -> f64 {
        let (before, after) = (self.watts[i], self.watts[i + 1]);
        let whole = (self.times[i + 1] - self.times[i]) as f64;
        let length = length as f64;
        let mean = match self.method {
            Method::Trapezoid => before + (after - before) * (length / whole) / 2.0,
            Method::Hold => before,
            Method::Backward => after,
        };
        mean * length / 1e9
    }

    /// J and covered ns from the first reading to `t`.
    fn until(&self, t: i64) -> (f64, i64) {
        let next = self.times.partition_point(|time| *time <= t);
        if next == 0 {
            return (0.0, 0);
        }
        let i = next - 1;
        let (joules, covered) = (self.joules[i], self.covered[i]);
        if next == self.times.len() || self.times[next] - self.times[i] > self.gap {
            return (joules, covered);
        }
        let length = t - self.times[i];
        (joules + self.part(i, length), covered + length)
    }

    /// The energy in `[a, b]`, ns on the clock of the series.
    pub fn over(&self, a: i64, b: i64) -> Piece {
        let (a, b) = (a + self.lead, b + self.lead);
        let ((joules_a, covered_a), (joules_b, covered_b)) = (self.until(a), self.until(b));
        let inside = self.times.partition_point(|time| *time <= b)
            - self.times.partition_point(|time| *time < a);
        let covered = covered_b - covered_a;
        Piece {
            joules: joules_b - joules_a,
            covered: Nanos::from_ns(covered),
            coverage: (b > a).then(|| covered as f64 / (b - a) as f64),
            inside,
        }
    }

    /// Readings that are missing inside intervals short enough to be bridged.
    pub fn missing(&self, period: Nanos) -> usize {
        let period = period.as_ns().max(1) as f64;
        self.times
            .windows(2)
            .map(|pair| pair[1] - pair[0])
            .filter(|length| *length <= self.gap)
            .map(|length| ((length as f64 / period).round() as usize).saturating_sub(1))
            .sum()
    }
}

/// The energy in `[a, b]` by a counter in J; `None` outside its readings.
pub fn counted(times: &[i64], joules: &[f64], a: i64, b: i64) -> Option<Counted> {
    let at = |t: i64| -> Option<(f64, f64, f64)> {
        let next = times.partition_point(|time| *time < t);
        let (after_t, after) = (*times.get(next)?, *joules.get(next)?);
        if after_t == t {
            return Some((after, after, after));
        }
        let (before_t, before) = (times[next.checked_sub(1)?], joules[next - 1]);
        let part = (t - before_t) as f64 / (after_t - before_t) as f64;
        Some((before, before + (after - before) * part, after))
    };
    let ((before_a, at_a, after_a), (before_b, at_b, after_b)) = (at(a)?, at(b)?);
    Some(Counted {
        joules: at_b - at_a,
        least: (before_b - after_a).max(0.0),
        most: after_b - before_a,
    })
}
