//! Values that no sensor of this kind reads: the wrong unit, a dead sensor, a reversed shunt.

use super::log::{Kind, Rail};
use crate::finding::{Finding, Severity};

/// More than any one device or board draws, in W.
const MOST_WATTS: f64 = 2_000.0;
/// Less than any running board draws, in W.
const LEAST_WATTS: f64 = 0.005;

/// Doubts about the values of one rail; values stay as they are.
pub(super) fn doubts(rail: &Rail) -> Vec<Finding> {
    if rail.kind == Kind::Cumulative || rail.samples.is_empty() {
        return Vec::new();
    }
    let mut values: Vec<f64> = rail.samples.iter().map(|sample| sample.value).collect();
    let middle = values.len() / 2;
    let median = *values.select_nth_unstable_by(middle, f64::total_cmp).1;
    let least = values.iter().copied().fold(f64::INFINITY, f64::min);
    let most = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    size(&rail.name, least, median, most).into_iter().chain(sign(&rail.name, &values)).collect()
}

/// A dead sensor, or the wrong unit.
fn size(name: &str, least: f64, median: f64, most: f64) -> Option<Finding> {
    if least == 0.0 && most == 0.0 {
        return Some(Finding::new(
            "power-all-zero",
            Severity::Warning,
            format!("rail {name}: every reading is 0 W: the sensor does not report"),
            "use another rail or sensor",
        ));
    }
    if median > MOST_WATTS {
        return Some(
            Finding::new(
                "power-implausible",
                Severity::Error,
                format!(
                    "rail {name}: the median reading is {median:.0} W, which no board draws; as mW it would be \
                     {:.3} W",
                    median / 1e3
                ),
                format!("if the column is in mW, say so: --power-col {name}=mW with the column's name"),
            )
            .with("median_w", median),
        );
    }
    let tiny = most > 0.0 && most < LEAST_WATTS && median.abs() < LEAST_WATTS && name.contains('_');
    tiny.then(|| {
        Finding::new(
            "power-implausible",
            Severity::Warning,
            format!("rail {name}: no reading exceeds {:.3} mW", most * 1e3),
            "check the unit: --power-col COLUMN=W",
        )
        .with("max_w", most)
    })
}

/// Current against the expected direction.
fn sign(name: &str, values: &[f64]) -> Option<Finding> {
    let count = values.iter().filter(|value| **value < 0.0).count();
    (count > 0).then(|| {
        Finding::new(
            "power-negative",
            Severity::Warning,
            format!("rail {name}: {count} readings are negative (the sensor sees both directions)"),
            "check the direction of the shunt; the values are kept",
        )
        .with("readings", count)
    })
}
