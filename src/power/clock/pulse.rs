//! Sync pulses: where in the log are the bursts of work whose times the trace or the sidecar knows?
//!
//! ```text
//!   range `power-sync`        [=========]                       [=========]
//!   power of the log     ________/‾‾‾‾‾‾‾‾‾\____ … work … ____/‾‾‾‾‾‾‾‾‾\____
//!                          offset |--|                    offset |---|   the difference is drift
//! ```
//! A pulse is a second of work with two idle seconds on each side, before and after what is measured.
//! The expected shape (blurred by the sensor's window) is correlated with the mean power of narrow bins,
//! over all pulses at once and then for each alone. Two pulses and more give the drift of the log's clock.

use super::correlate::parabola;
use super::drift;
use crate::power::integrate::Integral;
use crate::power::series::Series;
use crate::units::Nanos;

/// Name of the NVTX range, or of the phase in a sidecar.
pub const NAME: &str = "power-sync";
/// What is looked at on each side of a pulse, ns; the protocol leaves it idle.
const MARGIN: i64 = 1_500_000_000;
/// Bins over a pulse and its margins, at most.
const MOST_BINS: i64 = 200;
/// The narrowest bin, ns.
const NARROWEST: i64 = 1_000_000;
/// Below this the log does not show the pulses.
const LEAST_R: f64 = 0.8;
/// The best shift must stand out by this factor.
const LEAST_RATIO: f64 = 1.1;
/// Share of the bins that the log must cover.
const LEAST_COVERED: f64 = 0.8;
/// Steps of the fine search on each side.
const FINE: i64 = 40;
/// Pulses say something about drift when its standard uncertainty is below this, ppm: half of the most
/// that a clock can have. Pulses that are near each other, or few readings, only give an offset.
const TELLING_PPM: f64 = 250.0;

/// Where the pulses were found.
#[derive(Clone, Debug, PartialEq)]
pub struct PulseFit {
    /// By how much the log's clock runs late at the pulses, on average, ns.
    pub late_ns: i64,
    /// Drift of the log's clock, s per s, around `reference_ns`, and its standard uncertainty; `None` for
    /// pulses that are too near each other to tell.
    pub drift: Option<(f64, f64)>,
    /// Where `late_ns` holds, on the trace's clock.
    pub reference_ns: i64,
    /// Standard uncertainty.
    pub sigma: Nanos,
    /// Correlation of power with the expected shape.
    pub r: f64,
    /// Pulses.
    pub count: usize,
}

/// Why there is no fit.
#[derive(Clone, Debug, PartialEq)]
pub enum NoFit {
    /// The best correlation there was, when there was any.
    NotSeen(Option<f64>),
    /// The log fits equally well at another shift.
    Ambiguous,
    /// The pulses disagree by more than any clock drifts.
    Drift,
}

/// Looks for pulses (ns on the trace's clock, in order) in a rail whose clock may run late by between
/// `shifts.0` and `shifts.1` ns.
///
/// # Errors
/// [`NoFit`].
pub fn fit(series: &Series, pulses: &[(i64, i64)], shifts: (i64, i64)) -> Result<PulseFit, NoFit> {
    let integral = Integral::of(series).ok_or(NoFit::NotSeen(None))?;
    let width = pulses
        .iter()
        .map(|(start, end)| (end - start + 2 * MARGIN) / MOST_BINS)
        .chain([series.period().as_ns(), NARROWEST])
        .max()
        .unwrap_or(NARROWEST);
    let blur = series.window().as_ns().max(width);
    let all: Vec<Bin> = pulses.iter().flat_map(|pulse| bins(*pulse, width, blur)).collect();
    let (coarse, r) = coarse(&integral, &all, shifts, width)?;
    let mut anchors = Vec::new();
    for pulse in pulses {
        let own = bins(*pulse, width, blur);
        let (late, _) = fine(&integral, &own, coarse, width).ok_or(NoFit::NotSeen(Some(r)))?;
        anchors.push((i64::midpoint(pulse.0, pulse.1), late));
    }
    line(&anchors, series, r)
}

/// A stretch of the trace's time and the share of it that the sensor should see at work.
struct Bin {
    start: i64,
    end: i64,
    expected: f64,
}

fn bins(pulse: (i64, i64), width: i64, blur: i64) -> Vec<Bin> {
    let (from, to) = (pulse.0 - MARGIN, pulse.1 + MARGIN);
    (0..(to - from) / width)
        .map(|i| {
            let (start, end) = (from + i * width, from + (i + 1) * width);
            let centre = i64::midpoint(start, end);
            let (a, b) = (centre - blur / 2, centre + blur / 2);
            let common = (b.min(pulse.1) - a.max(pulse.0)).max(0);
            Bin { start, end, expected: common as f64 / (b - a) as f64 }
        })
        .collect()
}

/// Correlation of the power at this shift with what is expected; `None` where the log does not reach.
fn r_at(integral: &Integral<'_>, bins: &[Bin], shift: i64) -> Option<f64> {
    let pairs: Vec<(f64, f64)> = bins
        .iter()
        .filter_map(|bin| {
            let piece = integral.over(bin.start + shift, bin.end + shift);
            let covered = piece.covered.as_ns();
            (covered * 10 >= (bin.end - bin.start) * 9)
                .then(|| (piece.joules * 1e9 / covered as f64, bin.expected))
        })
        .collect();
    let count = pairs.len() as f64;
    if count < LEAST_COVERED * bins.len() as f64 || count < 4.0 {
        return None;
    }
    let mean = |pick: fn(&(f64, f64)) -> f64| pairs.iter().map(pick).sum::<f64>() / count;
    let (mean_p, mean_e) = (mean(|pair| pair.0), mean(|pair| pair.1));
    let (mut cross, mut pp, mut ee) = (0.0, 0.0, 0.0);
    for (p, e) in &pairs {
        cross += (p - mean_p) * (e - mean_e);
        pp += (p - mean_p).powi(2);
        ee += (e - mean_e).powi(2);
    }
    Some(if pp > 0.0 && ee > 0.0 { cross / (pp * ee).sqrt() } else { 0.0 })
}

/// The best shift of all pulses together, to half a bin.
fn coarse(
    integral: &Integral<'_>,
    bins: &[Bin],
    shifts: (i64, i64),
    width: i64,
) -> Result<(i64, f64), NoFit> {
    let step = (width / 2).max(1);
    let tried = ((shifts.1 - shifts.0) / step).max(0);
    let at = |i: i64| shifts.0 + i * step;
    let r: Vec<f64> =
        (0..=tried).map(|i| r_at(integral, bins, at(i)).unwrap_or(f64::NEG_INFINITY)).collect();
    let best = (0..r.len()).max_by(|a, b| r[*a].total_cmp(&r[*b])).ok_or(NoFit::NotSeen(None))?;
    if r[best] < LEAST_R {
        return Err(NoFit::NotSeen(Some(r[best]).filter(|r| r.is_finite())));
    }
    let is_peak = |i: usize| i > 0 && i + 1 < r.len() && r[i] > r[i - 1] && r[i] >= r[i + 1];
    let far = |i: usize| (i.abs_diff(best) as i64) * step > MARGIN / 2;
    let second = (0..r.len()).filter(|i| is_peak(*i) && far(*i)).map(|i| r[i]).reduce(f64::max);
    if second.is_some_and(|second| second > 0.0 && r[best] / second < LEAST_RATIO) {
        return Err(NoFit::Ambiguous);
    }
    Ok((at(best as i64), r[best]))
}

/// The best shift near another, to a small part of a bin.
fn fine(integral: &Integral<'_>, bins: &[Bin], around: i64, width: i64) -> Option<(i64, f64)> {
    let step = (3 * width / FINE).max(1);
    let r: Vec<f64> = (-FINE..=FINE)
        .map(|i| r_at(integral, bins, around + i * step).unwrap_or(f64::NEG_INFINITY))
        .collect();
    let best = (0..r.len()).max_by(|a, b| r[*a].total_cmp(&r[*b]))?;
    let steps = best as f64 - FINE as f64 + parabola(&r, best);
    (r[best] >= LEAST_R).then(|| (around + (steps * step as f64).round() as i64, r[best]))
}

/// One offset, or a straight line through several.
fn line(anchors: &[(i64, i64)], series: &Series, r: f64) -> Result<PulseFit, NoFit> {
    let count = anchors.len() as i64;
    let Some(first) = anchors.first() else { return Err(NoFit::NotSeen(None)) };
    let reference_ns =
        first.0 + anchors.iter().map(|anchor| anchor.0 - first.0).sum::<i64>() / count;
    let late_ns = first.1 + anchors.iter().map(|anchor| anchor.1 - first.1).sum::<i64>() / count;
    let seconds: Vec<(f64, f64)> = anchors
        .iter()
        .map(|(t, late)| ((t - reference_ns) as f64 / 1e9, (late - late_ns) as f64 / 1e9))
        .collect();
    let single = one_pulse_s(series);
    let square: f64 = seconds.iter().map(|(t, _)| t * t).sum();
    let uncertain = single / square.sqrt();
    let drift = if uncertain * 1e6 <= TELLING_PPM {
        Some((drift::ppm(&seconds).ok_or(NoFit::Drift)? / 1e6, uncertain))
    } else {
        None
    };
    let slope = drift.map_or(0.0, |(drift, _)| drift);
    let rest: f64 = seconds.iter().map(|(t, late)| (late - slope * t).powi(2)).sum();
    let sigma = (single / (count as f64).sqrt()).hypot((rest / count as f64).sqrt());
    let sigma = Nanos::from_ns((sigma * 1e9) as i64);
    Ok(PulseFit { late_ns, drift, reference_ns, sigma, r, count: anchors.len() })
}

/// Standard uncertainty of one pulse, s: each of its two edges lies somewhere between two readings.
fn one_pulse_s(series: &Series) -> f64 {
    let reading = (series.effective_period() - series.window()).max(series.period());
    (reading.as_ns() as f64 / 1e9 / 24.0_f64.sqrt()).hypot(1e-4)
}
