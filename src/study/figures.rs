//! The figures of a study: models side by side.

use super::document::{HALVED, Measure, Study};
use crate::attribution::Analysis;
use crate::plots::palette;
use crate::plots::ranges::{Estimate, Words, forest};
use crate::plots::trade::{self, Point, latency_energy};
use crate::plots::{Group, PlotError, distribution, shares, waterfall};
use crate::report::paper::{Figure, drawn};
use crate::units::plain;

/// Parts of a bar that are named.
const PARTS: usize = 10;

/// Analyses by checkpoint under the labels of their models.
fn groups(of: &[(String, Vec<Analysis>)]) -> Vec<Group> {
    let named = of.iter().filter(|(_, analyses)| !analyses.is_empty());
    named
        .map(|(name, analyses)| Group { name: plain(name, 40), analyses: analyses.clone() })
        .collect()
}

/// Latencies of untraced runs, and latency against energy.
pub(super) fn cost(
    of: &[(String, Vec<Analysis>)],
    section: &str,
) -> Result<Vec<Figure>, PlotError> {
    let groups = groups(of);
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let mut figures: Vec<Figure> =
        drawn("latency", section, |width| distribution::latency(&groups, width))?
            .into_iter()
            .collect();
    let points: Vec<Point> = groups.iter().filter_map(|group| Point::of(group).ok()).collect();
    if points.len() == groups.len() {
        let (axis, caption) = trade::words(&groups);
        figures.extend(drawn("energy", section, |width| {
            latency_energy(&points, &axis, &caption, width)
        })?);
    }
    Ok(figures)
}

/// Where the time of traced windows went.
pub(super) fn attribution(
    of: &[(String, Vec<Analysis>)],
    section: &str,
) -> Result<Vec<Figure>, PlotError> {
    let groups = groups(of);
    if groups.is_empty() {
        return Ok(Vec::new());
    }
    let made = [
        drawn("idle", section, |width| waterfall::idle(&groups, width))?,
        drawn("api", section, |width| shares::api(&groups, width, PARTS))?,
        drawn("classes", section, |width| shares::classes(&groups, width, PARTS))?,
    ];
    Ok(made.into_iter().flatten().collect())
}

/// Spike rates by layer, with what was published.
pub(super) fn rates(study: &Study, section: &str) -> Result<Vec<Figure>, PlotError> {
    let spikes = |measure: &&Measure| measure.quantity.starts_with("spike-rate");
    let mut rows = Vec::new();
    for measure in study.accuracy.iter().filter(spikes) {
        let Some(mean) = measure.mean else { continue };
        let model = plain(study.label(&measure.model), 20);
        let layer = measure.quantity.trim_start_matches("spike-rate(").trim_end_matches(')');
        rows.push(Estimate {
            name: format!("{model} {layer}"),
            value: 100.0 * mean,
            interval: measure.ci95.map(|[low, high]| (100.0 * low, 100.0 * high)),
            color: palette::group(0),
            headline: false,
        });
        if let Some(published) = &measure.published {
            rows.push(Estimate {
                name: format!("{model} {layer}, published"),
                value: 100.0 * published.value,
                interval: None,
                color: palette::group(1),
                headline: false,
            });
        }
    }
    let words = Words {
        title: "Spike rates by layer".to_owned(),
        axis: "spikes per place (%)".to_owned(),
        caption: "Spikes per place of each spiking layer, mean over the checkpoints with its 95 % interval, on the \
                  reference path; published values are of another network and board."
            .to_owned(),
        arrows: false,
    };
    Ok(drawn("rates", section, |width| forest(&rows, 0.0, &words, width))?.into_iter().collect())
}

/// What replays say would change the latency.
pub(super) fn changes(study: &Study, section: &str) -> Result<Vec<Figure>, PlotError> {
    let mut rows = Vec::new();
    for answer in study.answers.iter().filter(|answer| !answer.is_nothing()) {
        let Some(change) = answer.change.filter(|_| answer.what == "latency") else { continue };
        let model = study.models.iter().position(|model| model.name == answer.model).unwrap_or(0);
        rows.push(Estimate {
            name: format!(
                "{}: {}",
                plain(study.label(&answer.model), 20),
                plain(&answer.question, 60)
            ),
            value: 100.0 * change,
            interval: answer.range.map(|[low, high]| (100.0 * low, 100.0 * high)),
            color: palette::group(model),
            headline: answer.question == HALVED,
        });
    }
    let words = Words {
        title: "What would change the latency".to_owned(),
        axis: "change of the latency (%)".to_owned(),
        caption: "Relative change of the latency. In bold: measured, when the spike rate halves, with its 95 % interval; \
                  the others: replays, mean over the checkpoints with the least and the largest of them."
            .to_owned(),
        arrows: false,
    };
    Ok(drawn("changes", section, |width| forest(&rows, 0.0, &words, width))?.into_iter().collect())
}
