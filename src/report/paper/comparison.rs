//! A comparison as a section of a report.

use std::collections::BTreeSet;

use super::model::{Fact, Section, unique_id};
use super::quantities;
use super::section::{lines, shown};
use super::shown::{micro, minuses};
use crate::compare::Comparison;
use crate::compare::document::{By, Estimate, Outcome, Quantity};
use crate::report::comparison;
use crate::units::{Nanos, plain, signed};

/// The section of a comparison.
pub fn of_comparison(document: &Comparison, taken: &mut BTreeSet<String>) -> Section {
    let title = plain(&comparison::heading(document), 120);
    let exact = comparison::tables(document, &By::ALL);
    let worst = document.checks.iter().find(|check| check.outcome != Outcome::Passed);
    let verdict = match (document.checks.is_empty(), worst) {
        (true, _) => None,
        (false, None) => Some("all checks passed".to_owned()),
        (false, Some(_)) => Some("a check failed".to_owned()),
    };
    let lead = match worst {
        Some(check) => Some(format!("{}: {}", plain(&check.rule, 80), plain(&check.message, 400))),
        None => verdict.as_ref().map(|_| format!("{} limits held", document.checks.len())),
    };
    Section {
        id: unique_id(&format!("compare {title}"), taken),
        title,
        kind: "comparison".to_owned(),
        verdict,
        lead,
        lines: lines(comparison::summary(document)),
        facts: facts(document),
        parts: Vec::new(),
        tables: shown(&quantities::tables(document)),
        findings: document.findings.clone(),
        figures: Vec::new(),
        timeline: None,
        has_timeline: false,
        document: serde_json::to_value(document).unwrap_or_default(),
        exact,
    }
}

/// How latency and the shares that matter moved.
fn facts(document: &Comparison) -> Vec<Fact> {
    ["latency", "busy", "share(launch)", "share(busy)", "share(dense-convolution)"]
        .into_iter()
        .filter_map(|name| document.quantity(name))
        .filter_map(fact)
        .collect()
}

fn fact(quantity: &Quantity) -> Option<Fact> {
    let difference = quantity.difference.as_ref()?;
    let (value, detail) = match quantity.unit.as_str() {
        "share" => (
            format!("{} pp", signed(difference.value * 100.0, 2)),
            interval(difference, |share| format!("{} pp", signed(share * 100.0, 2))),
        ),
        "ns" => {
            let time = |ns: f64| {
                let sign = if ns > 0.0 { "+" } else { "" };
                micro(&format!("{sign}{}", Nanos::from_ns(ns.round() as i64)))
            };
            let percent = quantity
                .ratio
                .as_ref()
                .map(|ratio| format!("{} %", signed((ratio.value - 1.0) * 100.0, 2)));
            let shown = percent.unwrap_or_else(|| time(difference.value));
            (shown, format!("{}, {}", time(difference.value), interval(difference, time)))
        }
        _ => return None,
    };
    Some(Fact {
        label: format!("{}, B − A", plain(&quantity.name, 40)),
        value: minuses(&value),
        detail: minuses(&detail),
        defined_by: Some("interval".to_owned()),
    })
}

fn interval(estimate: &Estimate, shown: impl Fn(f64) -> String) -> String {
    match estimate.ci95 {
        Some([low, high]) => format!("95 %: {} to {}", shown(low), shown(high)),
        None => "no interval".to_owned(),
    }
}
