//! The energy of a set of windows: which estimator, which refusal, which uncertainty.
//!
//! Without a choice of the user the strongest estimator that the sensor allows is taken: direct for
//! windows that are long beside the sensor, blocks for trains of short ones, readings inside windows,
//! regression. Windows that do not contain their own GPU work get no energy: they end before it is
//! spent. A refusal carries its evidence and is a result, not an error.

use std::collections::BTreeMap;

use serde_json::Number;

use super::clock::correlate;
use super::clock::place::Placed;
use super::estimate::{Data, Estimate, Estimator, Unable, block, direct, regression, samples};
use super::formats::LogFormat;
use super::idle::{self, Idle, IdleFrom};
use super::log::Kind;
use super::series::Series;
use crate::attribution::energy_document::{Alignment, Energy, Refusal};
use crate::units::{Millijoules, Milliwatts, Nanos, Share};

/// Below this the windows do not hold their own work.
const LEAST_CONTAINED: f64 = 0.5;
const SECOND_NS: i64 = 1_000_000_000;
/// A peak stands out when it is this many times the mean.
const PEAK: f64 = 1.2;
/// Shifts that are tried when power is correlated with busy time.
const LAG: Nanos = Nanos::from_ns(2_000_000_000);

/// What is asked. Times in unix ns, in order.
#[derive(Clone, Debug)]
pub struct Question {
    /// The windows.
    pub windows: Vec<(i64, i64)>,
    /// When the GPU was busy, disjoint; empty when there is no trace.
    pub busy: Vec<(i64, i64)>,
    /// From the first to the last thing that was done.
    pub activity: (i64, i64),
    /// Share of the launched work inside the windows; `None` when it is not known.
    pub contained: Option<f64>,
    /// Whether the power was logged while nsys traced.
    pub traced: bool,
    /// Where idle power is taken.
    pub idle: IdleFrom,
    /// The user's estimator.
    pub estimator: Option<Estimator>,
    /// Below this share of integrated time nothing is said.
    pub min_coverage: f64,
}

/// Answers for one rail of a log that was placed on the wall clock.
pub fn energy(series: &Series, format: LogFormat, placed: &Placed, question: &Question) -> Energy {
    let measured = idle::measure(series, question.activity, &question.idle);
    let idle = measured.as_ref().ok();
    let data = Data {
        series,
        windows: &question.windows,
        idle,
        sigma_ns: placed.sigma.as_ns(),
        min_coverage: question.min_coverage,
    };
    let (estimator, answer) = choose(&data, question);
    let lag = clear_lag(series, question);
    let mut energy = Energy {
        rail: series.name.clone(),
        source: format.name().to_owned(),
        estimator: estimator.map(|estimator| estimator.name().to_owned()),
        run: if question.traced { "traced" } else { "untraced" }.to_owned(),
        windows_used: 0,
        total_mj: None,
        total_ci95_mj: None,
        dynamic_mj: None,
        dynamic_ci95_mj: None,
        systematic_mj: None,
        mean_power_mw: None,
        idle_mw: idle.map(|idle| Milliwatts::from_watts(idle.watts)),
        idle_how: match &measured {
            Ok(idle) => idle.how.clone(),
            Err(why) => format!("none: {why}"),
        },
        coverage: None,
        samples_inside: inside(series, &question.windows),
        effective_period_ns: series.effective_period(),
        blocks: None,
        duty: None,
        phase_p: None,
        alignment: Alignment {
            method: placed.method.clone(),
            offset_ns: placed.offset,
            sigma_ns: placed.sigma,
            drift_ppm: None,
            r_max: lag.map(|lag| lag.r_max),
        },
        refused: None,
    };
    match answer {
        Ok(estimate) => fill(&mut energy, &estimate, series, format, idle),
        Err(unable) => energy.refused = Some(refusal(unable, &energy, series, question)),
    }
    energy
}

fn choose(data: &Data<'_>, question: &Question) -> (Option<Estimator>, Result<Estimate, Unable>) {
    if question.windows.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        let message = "windows overlap in time: their power cannot be told apart";
        return (None, Err(Unable::new("windows-overlap", message, &[])));
    }
    if let Some(share) = question.contained.filter(|share| *share < LEAST_CONTAINED) {
        return (None, Err(not_contained(data, share)));
    }
    let run = |estimator: Estimator| match estimator {
        Estimator::Direct => direct::estimate(data),
        Estimator::Block => block::estimate(data),
        Estimator::Samples => samples::estimate(data),
        Estimator::Regression => regression::estimate(data),
    };
    if let Some(estimator) = question.estimator {
        return (Some(estimator), run(estimator));
    }
    if direct::periods(data) >= direct::MANY_PERIODS {
        return (Some(Estimator::Direct), direct::estimate(data));
    }
    let short = match block::estimate(data) {
        Ok(estimate) => return (Some(Estimator::Block), Ok(estimate)),
        Err(unable) if unable.code != "train-too-short" => return (None, Err(unable)),
        Err(short) => short,
    };
    let slow = match direct::estimate(data) {
        Ok(estimate) => return (Some(Estimator::Direct), Ok(estimate)),
        // Long windows with gaps in the log have no other way.
        Err(unable) if unable.code == "coverage" => return (None, Err(unable)),
        Err(unable) => unable,
    };
    if data.series.kind != Kind::Instant {
        let mut both = slow;
        both.message = format!("{}; {}", both.message, short.message);
        let fresh = short.evidence.into_iter().filter(|(name, _)| *name != "effective_period_ms");
        both.evidence.extend(fresh);
        return (None, Err(both));
    }
    match samples::estimate(data) {
        Ok(estimate) => (Some(Estimator::Samples), Ok(estimate)),
        Err(unable) if unable.code == "phase-locked-sampling" => (None, Err(unable)),
        Err(few) => match regression::estimate(data) {
            Ok(estimate) => (Some(Estimator::Regression), Ok(estimate)),
            Err(_) => {
                let mut both = slow;
                both.message = format!("{}; {}", both.message, few.message);
                (None, Err(both))
            }
        },
    }
}

/// Windows that end before their work; a sensor that is too slow as well is the first reason, since no
/// other window specification cures it.
fn not_contained(data: &Data<'_>, share: f64) -> Unable {
    let message = format!(
        "the windows contain {:.1} % of the GPU work that they launched: they end before its energy is spent; use \
         gpu:SPEC, or synchronise before the range ends",
        share * 100.0
    );
    let own = Unable::new("not-contained", message, &[("contained_share", share)]);
    match direct::estimate(data) {
        Err(mut slow) if slow.code == "sensor-too-slow" => {
            slow.message = format!("{}; also, {}", slow.message, own.message);
            slow.evidence.extend(own.evidence);
            slow
        }
        _ => own,
    }
}

fn inside(series: &Series, windows: &[(i64, i64)]) -> usize {
    let count = |(start, end): &(i64, i64)| {
        series.times.partition_point(|t| t < end) - series.times.partition_point(|t| t < start)
    };
    windows.iter().map(count).sum()
}

fn clear_lag(series: &Series, question: &Question) -> Option<correlate::Correlation> {
    let power: Vec<(i64, f64)> =
        series.times.iter().copied().zip(series.watts.iter().copied()).collect();
    correlate::correlate(&power, &question.busy, series.period(), series.window(), LAG)
        .filter(|found| found.is_clear())
}

fn fill(
    energy: &mut Energy,
    estimate: &Estimate,
    series: &Series,
    format: LogFormat,
    idle: Option<&Idle>,
) {
    let mj = Millijoules::from_joules;
    let pair = |ci: (f64, f64)| [mj(ci.0), mj(ci.1)];
    energy.windows_used = estimate.windows;
    energy.total_mj = Some(mj(estimate.total));
    energy.total_ci95_mj = estimate.total_ci.map(pair);
    energy.dynamic_mj = estimate.dynamic.map(mj);
    energy.dynamic_ci95_mj = estimate.dynamic_ci.map(pair);
    energy.mean_power_mw = Some(Milliwatts::from_watts(estimate.total / estimate.length));
    energy.coverage =
        estimate.coverage.and_then(|share| Share::of((share * 1e9) as i64, 1_000_000_000));
    energy.blocks = estimate.blocks;
    energy.duty = estimate.duty.and_then(|share| Share::of((share * 1e9) as i64, 1_000_000_000));
    energy.phase_p = estimate.phase_p;
    let of = estimate.dynamic.unwrap_or(estimate.total).abs();
    energy.systematic_mj = gain(format).map(|gain| {
        let step = match (series.step(), idle) {
            // Readings that scatter by more than half a step average the steps out.
            (Some(step), Some(idle)) if idle.spread < step / 2.0 => step / 12.0_f64.sqrt(),
            _ => 0.0,
        };
        mj((gain * of).hypot(estimate.systematic).hypot(step * estimate.length))
    });
}

/// Relative error of the sensor that no averaging removes; `None` when nothing is known of it.
const fn gain(format: LogFormat) -> Option<f64> {
    match format {
        LogFormat::NvidiaSmi | LogFormat::Dmon | LogFormat::Dcgmi | LogFormat::Prometheus => {
            Some(0.05)
        }
        LogFormat::Tegrastats | LogFormat::Jtop | LogFormat::Own | LogFormat::TraceMarks => {
            Some(0.01)
        }
        LogFormat::Monsoon | LogFormat::Csv | LogFormat::Zeus | LogFormat::CodeCarbon => None,
    }
}

/// The refusal with what was seen in the log beside it.
fn refusal(unable: Unable, energy: &Energy, series: &Series, question: &Question) -> Refusal {
    let mut evidence: BTreeMap<String, Number> = BTreeMap::new();
    let mut put = |name: &str, value: f64| {
        if let Some(number) = Number::from_f64(value) {
            evidence.insert(name.to_owned(), number);
        }
    };
    for (name, value) in &unable.evidence {
        put(name, *value);
    }
    put("readings_inside_windows", energy.samples_inside as f64);
    let mut message = unable.message;
    if unable.code == "sensor-too-slow"
        && let Some((_, last_busy)) = question.busy.last()
        && let Some(after) = peak_after(series, question, *last_busy)
    {
        put("peak_after_last_work_s", after);
        message += &format!("; power peaks {after:.1} s after the last operation on the GPU");
    }
    Refusal { code: unable.code.to_owned(), message, evidence }
}

/// By how many seconds the highest reading follows the last work; `None` when it comes before.
fn peak_after(series: &Series, question: &Question, last_busy: i64) -> Option<f64> {
    let first = question.busy.first()?.0;
    let from = series.times.partition_point(|t| *t < first);
    // Later peaks have other reasons than this work.
    let until = last_busy + 3 * series.effective_period().as_ns() + SECOND_NS;
    let to = series.times.partition_point(|t| *t <= until);
    let peak = (from..to).max_by(|a, b| series.watts[*a].total_cmp(&series.watts[*b]))?;
    let after = (series.times[peak] - last_busy) as f64 / 1e9;
    let mean = series.watts.iter().sum::<f64>() / series.watts.len() as f64;
    (after > 0.0 && series.watts[peak] > PEAK * mean).then_some(after)
}
