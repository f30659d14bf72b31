//! Group against group: what moved, by how much, how surely, and what explains it.
//!
//! [`compare()`] takes two groups of analyses and fills the document [`document::Comparison`]. The units
//! of every interval are traces where a side has several, else the windows of the one trace a side
//! (`samples`). Sums imported from `nsys stats` have no windows: of these, shares are compared
//! (`imported`). The difference of the mean window length is divided by cause of idleness, kernel
//! class, kernel and API function so that the parts add up exactly (`decompose`); kernels that changed
//! their name are found again ([`kernel_match`]); what makes two groups hard to compare is a finding
//! (`comparable`); limits are held against the result ([`check`]).

pub mod check;
mod comparable;
mod decompose;
pub mod definitions;
pub mod document;
mod doubts;
mod energy;
mod imported;
pub mod kernel_match;
mod measures;
mod pairs;
mod samples;

use crate::attribution::Analysis;
use crate::attribution::document::Tool;
use crate::finding;
use crate::stats::{RESAMPLES, SEED};

pub use document::Comparison;
pub use doubts::within;
pub use pairs::{PairBy, PairError};

use document::{SCHEMA, Side, SideInput, Unit};
use samples::Setting;

/// Compares group `b` with group `a`; each is named for tables.
///
/// # Errors
/// When a group is empty or holds an input twice, or its members cannot be paired as asked.
pub fn compare(
    a: (&str, Vec<Analysis>),
    b: (&str, Vec<Analysis>),
    pair_by: Option<PairBy>,
) -> Result<Comparison, PairError> {
    let (label_a, label_b) = (a.0, b.0);
    comparable::no_input_twice("A", &a.1)?;
    comparable::no_input_twice("B", &b.1)?;
    let (a, b) = pairs::pair(a.1, b.1, pair_by)?;
    let setting = Setting::of(&a, &b, pair_by);
    let has_windows = !imported::any(&a, &b);
    let mut findings = comparable::findings(&a, &b);
    findings.extend(doubts::findings(&a, &b, setting));
    finding::sort(&mut findings);
    let mut quantities = if has_windows {
        measures::quantities(&a, &b, setting)
    } else {
        imported::quantities(&a, &b, setting)
    };
    let decompositions =
        if has_windows { decompose::decompositions(&a, &b, setting) } else { Vec::new() };
    decompose::same_numbers(&mut quantities, &decompositions);
    let energy = energy::changes(&a, &b, setting, &mut quantities);
    Ok(Comparison {
        schema: SCHEMA.to_owned(),
        tool: Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        a: side(label_a, &a),
        b: side(label_b, &b),
        unit: setting.unit,
        paired_by: pair_by.map(|by| by.name().to_owned()),
        seed: SEED,
        resamples: RESAMPLES,
        decompositions,
        quantities,
        energy,
        checks: Vec::new(),
        definitions: definitions::definitions(),
        findings,
    })
}

fn side(label: &str, analyses: &[Analysis]) -> Side {
    Side {
        label: label.to_owned(),
        window: analyses.first().map(|a| a.windows.spec.clone()).unwrap_or_default(),
        inputs: analyses.iter().map(input).collect(),
        windows: analyses.iter().map(|analysis| analysis.windows.count).sum(),
    }
}

fn input(analysis: &Analysis) -> SideInput {
    let (windows, trace) = (&analysis.windows, analysis.trace.as_ref());
    let ends = windows.instances.first().zip(windows.instances.last());
    SideInput {
        path: analysis.source().map_or_else(String::new, str::to_owned),
        sha256: trace.and_then(|trace| trace.sha256.clone()),
        checkpoint: analysis.run.as_ref().and_then(|run| run.checkpoint.clone()),
        devices: comparable::devices(analysis),
        exporter_version: trace.and_then(|trace| trace.exporter_version.clone()),
        classes: analysis.asked.as_ref().map(|asked| asked.classes.clone()),
        windows: windows.count,
        window_range: ends.map(|(first, last)| [first.index, last.index]),
        mean_ns: windows.mean_ns,
        p50_ns: windows.p50_ns,
        min_ns: windows.min_ns,
        max_ns: windows.max_ns,
    }
}

impl Unit {
    /// As it stands in sentences.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traces => "traces",
            Self::Windows => "windows",
        }
    }
}
