//! Whether cost follows sparsity, in sentences and as a table.

use super::line::Line;
use super::table::{Cell, Table, number, text};
use crate::replay::sensitivity_document::{CostAgainstRate, Sensitivity};
use crate::units::{Nanos, plain};

/// The lines above the table.
pub fn summary(found: &Sensitivity) -> Vec<Line> {
    let mut lines = Vec::new();
    for input in &found.inputs {
        let checkpoint = input
            .checkpoint
            .as_ref()
            .map_or_else(String::new, |name| format!(" · checkpoint {}", plain(name, 60)));
        lines.push((
            "input",
            format!(
                "{}: {} of {} windows `{}` have a spike rate{checkpoint}",
                plain(&input.path, 100),
                input.with_rate,
                input.windows,
                plain(&found.spec, 60)
            ),
        ));
    }
    if let Some(rates) = found.rates {
        lines.push((
            "rates",
            format!(
                "median {:.4} spikes per place, 90 % between {:.4} and {:.4}",
                rates.p50, rates.p05, rates.p95
            ),
        ));
    }
    if let Some(refused) = &found.refused {
        lines.push(("refused", format!("{} ({})", refused.message, refused.code)));
    }
    lines.extend(found.costs.iter().map(|cost| ("", cost.sentence.clone())));
    lines.extend(found.not_tested.iter().map(|not| ("not said", not.clone())));
    lines
}

/// Each cost against the rate.
pub fn table(found: &Sensitivity) -> Table {
    let percent = |part: f64| Cell::Percent(100.0 * part);
    let row = |cost: &CostAgainstRate| {
        let median = if cost.cost.contains("launched") {
            Cell::Count(cost.median.round() as u64)
        } else {
            Cell::Time(Nanos::from_ns(cost.median.round() as i64))
        };
        vec![
            Cell::Text(cost.cost.clone()),
            median,
            percent(cost.when_halved),
            percent(cost.when_halved_ci95[0]),
            percent(cost.when_halved_ci95[1]),
            percent(-0.5),
            Cell::Text(cost.verdict.clone()),
        ]
    };
    Table {
        name: "sensitivity",
        title: "Change of each cost when the spike rate halves".to_owned(),
        columns: vec![
            text("cost", "cost"),
            number("median", "median"),
            number("change", "when_halved_pct"),
            number("low", "when_halved_low_pct"),
            number("high", "when_halved_high_pct"),
            number("proportional", "proportional_pct"),
            text("verdict", "verdict"),
        ],
        rows: found.costs.iter().map(row).collect(),
        note: None,
    }
}
