//! How far do the intervals carry? Few units, windows that are alike, skew, outliers, warm-up, and what
//! the analyses doubt themselves.

use std::collections::BTreeMap;

use super::document::Unit;
use super::measures::length;
use super::pairs::path;
use super::samples::{Setting, instances};
use crate::attribution::Analysis;
use crate::finding::{Finding, Severity};
use crate::stats::{
    Alike, DRIFT_LEVEL, LEAST_WINDOWS, alike, autocorrelation, drift, mean, outliers, steady_from,
    variance,
};
use crate::units::signed;

/// Fewer units than this a side are few.
const FEW: usize = 3;
/// From this correlation on, neighbouring windows are not independent.
const ALIKE: f64 = 0.3;
/// Skewness from which the interval of a mean falls short; simulated in `docs/intervals.md`.
const SKEWED: f64 = 1.0;
/// Fewest units whose skewness says anything.
const LEAST_FOR_SKEW: usize = 8;
/// Drift below this part of the median is not worth a word.
const SMALL_DRIFT: f64 = 0.01;

/// Doubts about the comparison of two groups.
pub(super) fn findings(a: &[Analysis], b: &[Analysis], setting: Setting) -> Vec<Finding> {
    let mut found = Vec::new();
    match setting.unit {
        Unit::Windows => found.extend(one_trace(&a[0], &b[0])),
        Unit::Traces if a.len() == 1 && b.len() == 1 => found.push(one_capture()),
        Unit::Traces if a.len().min(b.len()) < FEW => found.push(few_traces(a.len(), b.len())),
        Unit::Traces => {}
    }
    for (side, analyses) in [("A", a), ("B", b)] {
        if setting.unit == Unit::Traces && analyses.iter().all(|a| a.imported.is_none()) {
            let means: Vec<f64> = analyses.iter().filter_map(|a| mean(&lengths(a))).collect();
            found.extend(skew(side, &means, "traces"));
            found.extend(apart(side, analyses, &means));
        }
        for analysis in analyses {
            found.extend(within(&format!("side {side}, {}", path(analysis)), analysis));
        }
        found.extend(inherited(side, analyses));
    }
    found
}

fn lengths(analysis: &Analysis) -> Vec<f64> {
    instances(analysis).map(length).collect()
}

/// Windows are the units: what that means for the interval.
fn one_trace(a: &Analysis, b: &Analysis) -> Vec<Finding> {
    let (of_a, of_b) = (lengths(a), lengths(b));
    let mut found = vec![Finding::new(
        "one-trace-a-side",
        Severity::Info,
        "each side is one trace: the intervals cover the variation between its windows, not that from run to run",
        "trace each side several times and name all traces; the trace is then the unit",
    )];
    if of_a.len().min(of_b.len()) < LEAST_WINDOWS {
        found.push(windows_as_units((a, &of_a), (b, &of_b)));
        found.extend(alike_units(&of_a, &of_b));
        return found;
    }
    for (side, values) in [("A", &of_a), ("B", &of_b)] {
        found.extend(alike(values).map(|alike| alike_blocks(side, alike)));
        found.extend(skew(side, values, "windows"));
    }
    found
}

/// Too few windows for blocks of them.
fn windows_as_units(a: (&Analysis, &[f64]), b: (&Analysis, &[f64])) -> Finding {
    let medians = |analysis: &Analysis| {
        let windows = &analysis.windows;
        format!(
            "median {}, range {} to {}",
            windows.p50_ns.unwrap_or_default(),
            windows.min_ns.unwrap_or_default(),
            windows.max_ns.unwrap_or_default()
        )
    };
    let mut finding = Finding::new(
        "windows-as-units",
        Severity::Warning,
        format!(
            "{} and {} windows are too few for a moving-block bootstrap ({LEAST_WINDOWS} a side), so the intervals \
             take windows for independent: they hold if neighbours are not alike. A: {}. B: {}",
            a.1.len(),
            b.1.len(),
            medians(a.0),
            medians(b.0)
        ),
        "record more windows, or several traces a side",
    )
    .with("windows_a", a.1.len())
    .with("windows_b", b.1.len());
    for (name, values) in [("autocorrelation_a", a.1), ("autocorrelation_b", b.1)] {
        if let Some(r) = autocorrelation(values, 1) {
            finding = finding.with(name, r);
        }
    }
    finding
}

/// Few windows that are alike, and taken for independent.
fn alike_units(a: &[f64], b: &[f64]) -> Option<Finding> {
    let next = [a, b].into_iter().filter_map(|values| autocorrelation(values, 1));
    let most = next.fold(f64::NEG_INFINITY, f64::max);
    (most > ALIKE).then(|| {
        Finding::new(
            "neighbours-alike",
            Severity::Warning,
            format!(
                "neighbouring windows are alike (correlation {most:.2}): the intervals are too narrow (78 % instead of \
                 95 % at 0.5 and five windows)"
            ),
            "record at least 20 windows a side, so that blocks of them can be resampled",
        )
        .with("autocorrelation", most)
    })
}

/// Windows that are alike over so many neighbours that their blocks do not make up for it.
fn alike_blocks(side: &str, alike: Alike) -> Finding {
    Finding::new(
        "neighbours-alike",
        Severity::Warning,
        format!(
            "side {side}: its windows are alike over {} neighbours (correlation of the next {:.2}), which leaves {:.0} \
             independent stretches: such an interval held the truth in 83 to 90 % of simulated cases, not in 95 %",
            alike.length, alike.next, alike.blocks
        ),
        "record a longer run, or several traces a side; docs/intervals.md has the coverage",
    )
    .with("block_length", alike.length)
    .with("blocks", alike.blocks)
    .with("autocorrelation", alike.next)
}

fn one_capture() -> Finding {
    Finding::new(
        "one-capture-a-side",
        Severity::Warning,
        "each side is one capture, and sums imported from `nsys stats` have no windows: how sure a difference is cannot be said",
        "name several captures a side, or the traces themselves",
    )
}

fn few_traces(a: usize, b: usize) -> Finding {
    Finding::new(
        "few-units",
        Severity::Warning,
        format!("{a} and {b} traces: intervals from fewer than {FEW} a side are wide, and assume a normal spread"),
        "repeat the runs; five a side are usual",
    )
    .with("traces_a", a)
    .with("traces_b", b)
}

fn skew(side: &str, values: &[f64], what: &str) -> Option<Finding> {
    let n = values.len() as f64;
    let (centre, spread) = (mean(values)?, variance(values)?.sqrt());
    if values.len() < LEAST_FOR_SKEW || spread <= 0.0 {
        return None;
    }
    let skewness = values.iter().map(|x| ((x - centre) / spread).powi(3)).sum::<f64>() / n;
    (skewness.abs() > SKEWED).then(|| {
        Finding::new(
            "skewed",
            Severity::Warning,
            format!(
                "side {side}: its {what} are skewed (skewness {skewness:.1}): the 95 % interval of a mean held the truth in \
                 82 to 93 % of simulated skewed samples, the fewer units the less"
            ),
            "read the median beside the mean; docs/intervals.md has the coverage that was simulated",
        )
        .with("skewness", skewness)
    })
}

/// Traces that stand apart from their group.
fn apart(side: &str, analyses: &[Analysis], means: &[f64]) -> Vec<Finding> {
    let one = |place: usize| {
        Finding::new(
            "trace-stands-apart",
            Severity::Warning,
            format!(
                "side {side}: {} has windows of {} on average, far from the others (modified z-score above 3.5)",
                path(&analyses[place]),
                analyses[place].windows.mean_ns.unwrap_or_default()
            ),
            "look at that run; leave it out only for a reason that you can state",
        )
    };
    outliers(means).into_iter().map(one).collect()
}

/// Outliers, warm-up and drift inside one trace, which messages call `what`.
pub fn within(what: &str, analysis: &Analysis) -> Vec<Finding> {
    let values = lengths(analysis);
    let first = instances(analysis).next().map_or(0, |window| window.index);
    let mut found = Vec::new();
    let places = outliers(&values);
    if !places.is_empty() {
        let shown: Vec<String> =
            places.iter().take(5).map(|place| (first + place).to_string()).collect();
        found.push(
            Finding::new(
                "outliers",
                Severity::Info,
                format!(
                    "{what}: {} of {} windows stand apart (modified z-score above 3.5): {}{}",
                    places.len(),
                    values.len(),
                    shown.join(", "),
                    if places.len() > 5 { ", …" } else { "" }
                ),
                "they are counted; look at them with `windows` before leaving any out",
            )
            .with("outliers", places.len())
            .with("windows", values.len()),
        );
    }
    if let Some(cut) = steady_from(&values).filter(|cut| *cut > 0) {
        found.push(
            Finding::new(
                "warm-up",
                Severity::Warning,
                format!(
                    "{what}: the first {cut} of its windows are unlike the rest; it is steady from there \
                     (MSER: smallest standard error of the mean)"
                ),
                format!("analyse with --skip {} if warm-up is not what you compare", first + cut),
            )
            .with("steady_from", first + cut),
        );
    } else if let Some(drift) =
        drift(&values).filter(|drift| drift.p < DRIFT_LEVEL && drift.relative.abs() > SMALL_DRIFT)
    {
        found.push(
            Finding::new(
                "drift",
                Severity::Warning,
                format!(
                    "{what}: windows change by {} % from the first to the last (Mann–Kendall p = {:.1e}, \
                     Theil–Sen slope {} ns a window)",
                    signed(drift.relative * 100.0, 1),
                    drift.p,
                    signed(drift.slope, 0)
                ),
                "clocks that fall or memory that fills up drift; measure both sides in turn",
            )
            .with("p", drift.p)
            .with("slope_ns", drift.slope)
            .with("change", drift.relative),
        );
    }
    found
}

/// Doubts that the analyses carry, each code once a side.
fn inherited(side: &str, analyses: &[Analysis]) -> Vec<Finding> {
    let mut by_code: BTreeMap<&str, (&Finding, usize)> = BTreeMap::new();
    for finding in analyses.iter().flat_map(|analysis| &analysis.findings) {
        if finding.severity > Severity::Info {
            by_code.entry(&finding.code).or_insert((finding, 0)).1 += 1;
        }
    }
    by_code
        .into_values()
        .map(|(finding, count)| {
            let mut carried = finding.clone();
            let more = match count {
                1 => String::new(),
                _ => format!(" (and {} more of its inputs)", count - 1),
            };
            carried.message = format!("side {side}: {}{more}", finding.message);
            carried
        })
        .collect()
}
