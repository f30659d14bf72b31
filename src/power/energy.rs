//! The energy of a set of windows: which estimator, which refusal, which uncertainty.
//!
//! Without a choice of the user the strongest estimator that the sensor allows is taken: direct for
//! windows that are long beside the sensor, blocks for trains of short ones, readings inside windows,
//! regression. Windows that do not contain their own GPU work get no energy: they end before it is
//! spent. A refusal carries its evidence and is a result, not an error.

use std::collections::BTreeMap;

use serde_json::Number;

use super::clock::align::Aligned;
use super::estimate::{Data, Estimate, Estimator, Unable, block, direct, regression, samples};
use super::idle::{self, Idle, IdleFrom};
use super::log::{Kind, Sensor};
use super::series::Series;
use super::work::Work;
use crate::attribution::energy_document::{Alignment, Energy, Refusal};
use crate::units::{Millijoules, Milliwatts, Share};

/// Below this the windows do not hold their own work.
const LEAST_CONTAINED: f64 = 0.5;
const SECOND_NS: i64 = 1_000_000_000;
/// A peak stands out when it is this many times the mean.
const PEAK: f64 = 1.2;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Question<'a> {
    /// What was done.
    pub work: &'a Work,
    /// Where idle power is taken; `None` takes declared idle spans, else everything outside the activity.
    pub idle: Option<IdleFrom>,
    /// The user's estimator.
    pub estimator: Option<Estimator>,
    /// Below this share of integrated time nothing is said.
    pub min_coverage: f64,
}

/// Answers for one rail of a log that lies on the trace's clock.
pub fn energy(
    series: &Series,
    sensor: &Sensor,
    aligned: &Aligned,
    question: &Question<'_>,
) -> Energy {
    let measured = idle_of(series, question.work, question.idle.as_ref());
    let idle = measured.as_ref().ok();
    let data = Data {
        series,
        windows: &question.work.windows,
        idle,
        sigma_ns: aligned.sigma.as_ns(),
        min_coverage: question.min_coverage,
    };
    let (estimator, answer) = choose(&data, question);
    let mut energy = empty(series, sensor, aligned, question);
    energy.estimator = estimator.map(|estimator| estimator.name().to_owned());
    energy.idle_mw = idle.map(|idle| Milliwatts::from_watts(idle.watts));
    energy.idle_how = match &measured {
        Ok(idle) => idle.how.clone(),
        Err(why) => format!("none: {why}"),
    };
    match answer {
        Ok(estimate) => fill(&mut energy, &estimate, series, sensor, idle),
        Err(unable) => energy.refused = Some(refusal(unable, &energy, series, question.work)),
    }
    energy
}

/// Idle power where the user says, else where the program declares it, else outside the activity.
pub(super) fn idle_of(
    series: &Series,
    work: &Work,
    from: Option<&IdleFrom>,
) -> Result<Idle, String> {
    let measure = |from: &IdleFrom| idle::measure(series, work.activity, from);
    if let Some(from) = from {
        return measure(from);
    }
    let declared = IdleFrom::Spans(work.idle.clone());
    let found = (!work.idle.is_empty()).then(|| measure(&declared).ok()).flatten();
    found.map_or_else(|| measure(&IdleFrom::Outside), Ok)
}

/// An energy without figures: what it is about.
fn empty(series: &Series, sensor: &Sensor, aligned: &Aligned, question: &Question<'_>) -> Energy {
    Energy {
        rail: series.name.clone(),
        source: sensor.format.name().to_owned(),
        estimator: None,
        run: if question.work.traced { "traced" } else { "untraced" }.to_owned(),
        windows_used: 0,
        total_mj: None,
        total_ci95_mj: None,
        dynamic_mj: None,
        dynamic_ci95_mj: None,
        systematic_mj: None,
        mean_power_mw: None,
        idle_mw: None,
        idle_how: String::new(),
        coverage: None,
        samples_inside: inside(series, &question.work.windows),
        effective_period_ns: series.effective_period(),
        blocks: None,
        duty: None,
        phase_p: None,
        alignment: Alignment {
            method: aligned.method.clone(),
            offset_ns: aligned.offset,
            sigma_ns: aligned.sigma,
            drift_ppm: aligned.drift_ppm,
            drift_sigma_ppm: aligned.drift_sigma_ppm,
            r_max: aligned.lag.map(|lag| lag.r_max),
            lag_ns: aligned.lag.map(|lag| lag.lag),
        },
        refused: None,
    }
}

fn choose(
    data: &Data<'_>,
    question: &Question<'_>,
) -> (Option<Estimator>, Result<Estimate, Unable>) {
    if question.work.windows.windows(2).any(|pair| pair[1].0 < pair[0].1) {
        let message = "windows overlap in time: their power cannot be told apart";
        return (None, Err(Unable::new("windows-overlap", message, &[])));
    }
    if let Some(share) = question.work.contained.filter(|share| *share < LEAST_CONTAINED) {
        return (None, Err(not_contained(data, share)));
    }
    if let Some(estimator) = question.estimator {
        return (Some(estimator), run(estimator, data));
    }
    strongest(data).map_or_else(
        |unable| (None, Err(unable)),
        |(estimator, estimate)| (Some(estimator), Ok(estimate)),
    )
}

fn run(estimator: Estimator, data: &Data<'_>) -> Result<Estimate, Unable> {
    match estimator {
        Estimator::Direct => direct::estimate(data),
        Estimator::Block => block::estimate(data),
        Estimator::Samples => samples::estimate(data),
        Estimator::Regression => regression::estimate(data),
    }
}

/// The strongest estimator that has an answer; refusals that no other one cures end the search.
fn strongest(data: &Data<'_>) -> Result<(Estimator, Estimate), Unable> {
    let with = |estimator: Estimator| run(estimator, data).map(|estimate| (estimator, estimate));
    // Blocks of mostly pauses would weigh the error of the idle power with the pauses' length.
    let alone = direct::periods(data) >= direct::PERIODS && block::mostly_pauses(data.windows);
    if alone || direct::periods(data) >= direct::MANY_PERIODS {
        return with(Estimator::Direct);
    }
    let short = match with(Estimator::Block) {
        Err(unable) if unable.code == "train-too-short" => unable,
        done => return done,
    };
    let slow = match with(Estimator::Direct) {
        // Long windows with gaps in the log have no other way.
        Err(unable) if unable.code != "coverage" => unable,
        done => return done,
    };
    if data.series.kind != Kind::Instant {
        return Err(both(slow, short));
    }
    let few = match with(Estimator::Samples) {
        Err(unable) if unable.code != "phase-locked-sampling" => unable,
        done => return done,
    };
    with(Estimator::Regression).map_err(|_| both(slow, few))
}

/// Two reasons as one, under the code of the first.
fn both(mut first: Unable, second: Unable) -> Unable {
    first.message = format!("{}; {}", first.message, second.message);
    let fresh = second.evidence.into_iter().filter(|(name, _)| *name != "effective_period_ms");
    first.evidence.extend(fresh);
    first
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

fn fill(
    energy: &mut Energy,
    estimate: &Estimate,
    series: &Series,
    sensor: &Sensor,
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
    energy.systematic_mj = sensor.gain().map(|gain| {
        let step = match (series.step(), idle) {
            // Readings that scatter by more than half a step average the steps out.
            (Some(step), Some(idle)) if idle.spread < step / 2.0 => step / 12.0_f64.sqrt(),
            _ => 0.0,
        };
        mj((gain * of).hypot(estimate.systematic).hypot(step * estimate.length))
    });
}

/// The refusal with what was seen in the log beside it.
fn refusal(unable: Unable, energy: &Energy, series: &Series, work: &Work) -> Refusal {
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
        && let Some((_, last_busy)) = work.landmarks.busy.last()
        && let Some(after) = peak_after(series, work, *last_busy)
    {
        put("peak_after_last_work_s", after);
        message += &format!("; power peaks {after:.1} s after the last operation on the GPU");
    }
    Refusal { code: unable.code.to_owned(), message, evidence }
}

/// By how many seconds the highest reading follows the last work; `None` when it comes before.
fn peak_after(series: &Series, work: &Work, last_busy: i64) -> Option<f64> {
    let first = work.landmarks.busy.first()?.0;
    let from = series.times.partition_point(|t| *t < first);
    // Later peaks have other reasons than this work.
    let until = last_busy + 3 * series.effective_period().as_ns() + SECOND_NS;
    let to = series.times.partition_point(|t| *t <= until);
    let peak = (from..to).max_by(|a, b| series.watts[*a].total_cmp(&series.watts[*b]))?;
    let after = (series.times[peak] - last_busy) as f64 / 1e9;
    let mean = series.watts.iter().sum::<f64>() / series.watts.len() as f64;
    (after > 0.0 && series.watts[peak] > PEAK * mean).then_some(after)
}
