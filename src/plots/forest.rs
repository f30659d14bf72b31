//! A comparison as a forest plot: by how much the window moved, and what moved it.
//!
//! The first row is the difference of the mean window length, the rows below are its parts, which add
//! up to it. Differences are b − a: to the right of the line means that B takes longer. Parts without an
//! interval have a dot alone.

use super::axis::TimeUnit;
use super::figure::{Figure, PlotError};
use super::font;
use super::palette::{self, ACCENT, Rgb};
use super::ranges::{self, Estimate, Words};
use super::size::Width;
use crate::attribution::Cause;
use crate::compare::document::{By, Comparison, Decomposition, Part, PartOf, Side};

/// The forest plot of a decomposition; at most `top` parts, the rest is one row.
///
/// # Errors
/// [`PlotError::Empty`] when the comparison was not divided that way, or nothing moved.
pub fn comparison(
    comparison: &Comparison,
    by: By,
    width: Width,
    top: usize,
) -> Result<Figure, PlotError> {
    let found = comparison.decompositions.iter().find(|one| one.by == by);
    let Some(decomposition) = found else {
        return Err(PlotError::Empty("the comparison was not divided that way".to_owned()));
    };
    let moved = decomposition.parts.iter().map(|part| part.delta_ns.abs().as_ns());
    let largest = moved.chain([decomposition.delta_ns.abs().as_ns()]).max().unwrap_or(0);
    let unit = TimeUnit::of(largest as f64);
    let mut rows = vec![latency(comparison, decomposition, unit)];
    let parts = decomposition.parts.iter().filter(|part| part.delta_ns.as_ns() != 0);
    let parts: Vec<&Part> = parts.collect();
    let shown = if parts.len() == top + 1 { top + 1 } else { top.min(parts.len()) };
    rows.extend(parts[..shown].iter().map(|part| row(part, unit)));
    if shown < parts.len() {
        let rest: i64 = parts[shown..].iter().map(|part| part.delta_ns.as_ns()).sum();
        rows.push(Estimate {
            name: format!("{} others", parts.len() - shown),
            value: rest as f64 / unit.ns,
            interval: None,
            color: palette::GREY,
            headline: false,
        });
    }
    let words = Words {
        title: "What moved".to_owned(),
        axis: format!("change of the mean window ({})", unit.name),
        caption: caption(comparison, decomposition),
        arrows: false,
    };
    ranges::forest(&rows, 0.0, &words, width)
}

fn latency(comparison: &Comparison, decomposition: &Decomposition, unit: TimeUnit) -> Estimate {
    let quantity = comparison.quantities.iter().find(|quantity| quantity.name == "latency");
    let estimate = quantity.and_then(|quantity| quantity.difference.as_ref());
    let value = estimate.map_or(decomposition.delta_ns.as_ns() as f64, |estimate| estimate.value);
    let interval = estimate.and_then(|estimate| estimate.ci95);
    Estimate {
        name: "latency".to_owned(),
        value: value / unit.ns,
        interval: interval.map(|[low, high]| (low / unit.ns, high / unit.ns)),
        color: ACCENT,
        headline: true,
    }
}

fn row(part: &Part, unit: TimeUnit) -> Estimate {
    let ns = |ns: crate::units::Nanos| ns.as_ns() as f64 / unit.ns;
    let name = font::printable(part.name.strip_prefix("void ").unwrap_or(&part.name));
    let name = match part.of {
        PartOf::Idle => format!("idle: {name}"),
        PartOf::Gpu | PartOf::Api | PartOf::Beside => name,
    };
    Estimate {
        name,
        value: ns(part.delta_ns),
        interval: part.delta_ci95_ns.map(|[low, high]| (ns(low), ns(high))),
        color: color(part),
        headline: false,
    }
}

/// The colour that the part has in every other figure.
fn color(part: &Part) -> Rgb {
    let cause = || Cause::ALL.into_iter().find(|cause| cause.name() == part.name);
    match part.of {
        PartOf::Idle if part.name == "dispatch" => palette::idle(Cause::Host, true),
        PartOf::Idle => cause().map_or(palette::GREY, |cause| palette::idle(cause, false)),
        PartOf::Gpu if part.name == "busy" => palette::BUSY,
        PartOf::Gpu => palette::class(part.class.as_deref().unwrap_or(&part.name)),
        PartOf::Api => palette::function(&part.name),
        PartOf::Beside => palette::GREY,
    }
}

fn caption(comparison: &Comparison, decomposition: &Decomposition) -> String {
    let side = |side: &Side| {
        let traces = side.inputs.len();
        let many = if traces == 1 { "trace" } else { "traces" };
        format!("{}: {} windows “{}” of {traces} {many}", side.label, side.windows, side.window)
    };
    let estimate = comparison.quantities.iter().find(|quantity| quantity.name == "latency");
    let method = estimate.and_then(|quantity| Some(quantity.difference.as_ref()?.method.clone()));
    let method = method.map_or_else(String::new, |method| format!(" Interval: {method}."));
    font::printable(&format!(
        "Change of the mean window length, b − a, and its parts. a is {}; b is {}. Bars are 95 % intervals.{method} {}.",
        side(&comparison.a),
        side(&comparison.b),
        decomposition.rule.trim_end_matches('.'),
    ))
}
