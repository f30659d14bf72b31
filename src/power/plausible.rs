//! Values that no sensor of this kind reads: the wrong unit, a dead sensor, a reversed shunt.

use super::log::{Kind, Rail};
use crate::finding::{Finding, Severity};

/// More than any one device or board draws, in W.
const MOST_WATTS: f64 = 2_000.0;
/// Less than any running board draws, in W.
const LEAST_WATTS: f64 = 0.005;

/// Doubts about the values of one rail; values stay as they are.
pub(super) fn doubts(rail: &Rail) -> Vec<Finding> {
    let mut found = Vec::new();
    if rail.kind == Kind::Cumulative || rail.samples.is_empty() {
        return found;
    }
    let mut values: Vec<f64> = rail.samples.iter().map(|sample| sample.value).collect();
    values.sort_by(f64::total_cmp);
    let median = values[values.len() / 2];
    let (least, most) = (values[0], values[values.len() - 1]);
    let name = &rail.name;
    if least == 0.0 && most == 0.0 {
        found.push(Finding::new(
            "power-all-zero",
            Severity::Warning,
            format!("rail {name}: every reading is 0 W: the sensor does not report"),
            "use another rail or sensor",
        ));
    } else if median > MOST_WATTS {
        found.push(
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
    } else if most > 0.0 && median.abs() < LEAST_WATTS && name.contains('_') && most < LEAST_WATTS {
        found.push(
            Finding::new(
                "power-implausible",
                Severity::Warning,
                format!("rail {name}: no reading exceeds {:.3} mW", most * 1e3),
                "check the unit: --power-col COLUMN=W",
            )
            .with("max_w", most),
        );
    }
    if least < 0.0 {
        let count = values.iter().filter(|value| **value < 0.0).count();
        found.push(
            Finding::new(
                "power-negative",
                Severity::Warning,
                format!(
                    "rail {name}: {count} readings are negative (the sensor sees both directions)"
                ),
                "check the direction of the shunt; the values are kept",
            )
            .with("readings", count),
        );
    }
    found
}
