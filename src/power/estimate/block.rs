//! Block totals: many windows in a row, integrated as one and divided.
//!
//! ```text
//!   train   |[w][w][w][w][w][w][w][w][w][w][w][w][w][w][w][w]|
//!           |~guard~|-- block --|-- block --|-- block --|~guard~|
//!   energy per window = (E_block − P_gap × gaps) / windows of the block
//! ```
//! The ends of a train are cut off by the sensor's window and the uncertainty of the alignment, so that
//! a shift only exchanges like with like. A block holds at least ten effective periods and a second.
//! Gaps between windows count at idle power when it is known (what they draw above it is a systematic
//! uncertainty), else at the block's mean power. The interval is Student's t over blocks, or, for instants
//! that are sparser than the work, the error of their draw (`sparse`).

use super::phase::{self, LEAST_P};
use super::sparse::{self, Train};
use super::{Data, Estimate, Spread, Unable, direct, mean};
use crate::power::integrate::Integral;
use crate::power::log::Kind;
use crate::units::Nanos;

const PERIODS: i64 = 10;
const SECOND: i64 = 1_000_000_000;
const LEAST_BLOCKS: usize = 5;
const MOST_BLOCKS: i64 = 20;
const LEAST_WINDOWS: usize = 5;

/// One block: windows `from..to` and the start of window `to`.
struct Block {
    from: usize,
    to: usize,
}

/// The median gap between windows, ns.
fn usual_gap(windows: &[(i64, i64)]) -> i64 {
    let mut gaps: Vec<i64> =
        windows.windows(2).map(|pair| (pair[1].0 - pair[0].1).max(0)).collect();
    gaps.sort_unstable();
    gaps.get(gaps.len() / 2).copied().unwrap_or(0)
}

/// Whether the gaps between windows are longer than the windows.
pub fn mostly_pauses(windows: &[(i64, i64)]) -> bool {
    usual_gap(windows) > direct::median_length(windows)
}

/// Windows without a long pause between them: a pause is over a second and ten usual gaps.
fn trains(windows: &[(i64, i64)]) -> Vec<(usize, usize)> {
    let usual = usual_gap(windows);
    let pause = SECOND.max(10 * usual);
    let mut found = Vec::new();
    let mut from = 0;
    for i in 1..=windows.len() {
        if i == windows.len() || windows[i].0 - windows[i - 1].1 > pause {
            found.push((from, i));
            from = i;
        }
    }
    found
}

/// The windows of each train that lie inside its guards.
fn interiors(data: &Data<'_>) -> Vec<(usize, usize)> {
    let guard = data.series.window().as_ns() + data.series.period().as_ns() + 3 * data.sigma_ns;
    trains(data.windows)
        .into_iter()
        .filter_map(|(from, to)| {
            let (a, b) = (data.windows[from].0 + guard, data.windows[to - 1].1 - guard);
            let first = from + data.windows[from..to].partition_point(|window| window.0 < a);
            let last = from + data.windows[from..to].partition_point(|window| window.1 <= b);
            (first + LEAST_WINDOWS < last).then_some((first, last))
        })
        .collect()
}

fn blocks(data: &Data<'_>) -> Vec<Block> {
    let least = (PERIODS * data.series.effective_period().as_ns()).max(SECOND);
    let interiors = interiors(data);
    let length = |(from, to): (usize, usize)| data.windows[to - 1].0 - data.windows[from].0;
    let total: i64 = interiors.iter().map(|interior| length(*interior)).sum();
    let target = least.max(total / MOST_BLOCKS);
    let mut found = Vec::new();
    for (from, to) in interiors {
        // The last window only closes the last cycle.
        let cycles = to - 1 - from;
        let most = (cycles / LEAST_WINDOWS) as i64;
        let count = (length((from, to)) / target).min(most);
        for i in 0..count {
            let at = |i: i64| from + cycles * i as usize / count as usize;
            found.push(Block { from: at(i), to: at(i + 1) });
        }
    }
    found
}

/// Energy of one block and what it holds.
struct Sums {
    span: (i64, i64),
    outer: f64,
    inside: f64,
    joules: f64,
    count: f64,
}

/// The mean over blocks.
///
/// # Errors
/// [`Unable`] when the trains are too short for the sensor, the log has gaps, or the readings are
/// locked to the work.
pub fn estimate(data: &Data<'_>) -> Result<Estimate, Unable> {
    let blocks = blocks(data);
    if blocks.len() < LEAST_BLOCKS {
        return Err(too_short(data, blocks.len()));
    }
    let phase_p = phase_test(data, &blocks)?;
    let Some(integral) = Integral::of(data.series) else { return Err(too_short(data, 0)) };
    let (mut sums, mut covered) = (Vec::new(), 0.0);
    for block in &blocks {
        let (a, b) = (data.windows[block.from].0, data.windows[block.to].0);
        let piece = integral.over(a, b);
        let windows = &data.windows[block.from..block.to];
        covered += piece.covered.as_ns() as f64 / 1e9;
        sums.push(Sums {
            span: (a, b),
            outer: (b - a) as f64 / 1e9,
            inside: windows.iter().map(|window| (window.1 - window.0) as f64 / 1e9).sum(),
            joules: piece.joules,
            count: windows.len() as f64,
        });
    }
    let coverage = covered / sums.iter().map(|sum| sum.outer).sum::<f64>();
    if coverage < data.min_coverage {
        return Err(direct::uncovered(coverage, data.min_coverage));
    }
    Ok(Estimate { coverage: Some(coverage), phase_p, ..join(data, &sums) })
}

fn join(data: &Data<'_>, sums: &[Sums]) -> Estimate {
    let of = |pick: fn(&Sums) -> f64| sums.iter().map(pick).sum::<f64>();
    let (count, outer, inside) = (of(|s| s.count), of(|s| s.outer), of(|s| s.inside));
    let (joules, gaps) = (of(|s| s.joules), outer - inside);
    let spans: Vec<(i64, i64)> = sums.iter().map(|sum| sum.span).collect();
    let train = Train { spans: &spans, cycles: count, outer, inside, joules };
    // From power to energy per window.
    let per_window = (outer / count).powi(2);
    let draws = sparse::sampling(data, &train)
        .map(|draws| Spread { variance: draws.variance * per_window, ..draws });
    let interval = |units: &[f64], idle_error: f64| {
        let spread = sparse::choose(Spread::of(units)?, draws);
        spread.interval(mean(units), idle_error, data.idle.map_or(1.0, |idle| idle.freedom))
    };
    let gap_watts = |s: &Sums| data.idle.map_or(s.joules / s.outer, |idle| idle.watts);
    let totals: Vec<f64> =
        sums.iter().map(|s| (s.joules - gap_watts(s) * (s.outer - s.inside)) / s.count).collect();
    let idle_error = data.idle.map_or(0.0, |idle| idle.error);
    let mut estimate = Estimate {
        windows: count as usize,
        total: mean(&totals),
        total_ci: interval(&totals, idle_error * gaps / count),
        length: inside / count,
        blocks: Some(sums.len()),
        duty: Some(inside / outer),
        systematic: joules / outer * gaps / count / 12.0_f64.sqrt(),
        ..Estimate::default()
    };
    if let Some(idle) = data.idle {
        let above: Vec<f64> =
            sums.iter().map(|s| (s.joules - idle.watts * s.outer) / s.count).collect();
        estimate.dynamic = Some(mean(&above));
        estimate.dynamic_ci = interval(&above, idle.error * outer / count);
        // What the gaps draw lies between idle and the mean of the train.
        estimate.systematic = (joules / outer - idle.watts).abs() * gaps / count / 3.0_f64.sqrt();
    }
    estimate
}

/// Only instants can be locked to the work; a mean over the cycle sees all of it.
fn phase_test(data: &Data<'_>, blocks: &[Block]) -> Result<Option<f64>, Unable> {
    if data.series.kind != Kind::Instant {
        return Ok(None);
    }
    let cycles: Vec<(i64, i64)> = blocks
        .iter()
        .flat_map(|block| {
            (block.from..block.to).map(|i| (data.windows[i].0, data.windows[i + 1].0))
        })
        .collect();
    let phases = phase::phases(&data.series.times, &cycles);
    let p = phase::uniformity(&phases);
    match p {
        Some(p) if p < LEAST_P => Err(locked(p, phases.len())),
        _ => Ok(p),
    }
}

/// Readings that always meet the same part of the work.
pub(super) fn locked(p: f64, readings: usize) -> Unable {
    Unable::new(
        "phase-locked-sampling",
        format!(
            "the readings meet the work at preferred phases (p = {p:.2e}): their mean is not the mean of the work; \
             jitter the sampler's period by ±10 %"
        ),
        &[("phase_p", p), ("readings", readings as f64)],
    )
}

fn too_short(data: &Data<'_>, blocks: usize) -> Unable {
    let longest = trains(data.windows)
        .into_iter()
        .map(|(from, to)| data.windows[to - 1].1 - data.windows[from].0)
        .max()
        .unwrap_or(0);
    let effective = data.series.effective_period().as_ns();
    let needed = LEAST_BLOCKS as i64 * (PERIODS * effective).max(SECOND);
    Unable::new(
        "train-too-short",
        format!(
            "the windows run for {} without a pause; a sensor whose readings stand for {} needs {} for five blocks",
            Nanos::from_ns(longest),
            Nanos::from_ns(effective),
            Nanos::from_ns(needed)
        ),
        &[
            ("train_ms", longest as f64 / 1e6),
            ("needed_ms", needed as f64 / 1e6),
            ("effective_period_ms", effective as f64 / 1e6),
            ("blocks", blocks as f64),
        ],
    )
}
