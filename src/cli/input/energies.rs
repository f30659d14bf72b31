//! The energies that a document holds: `energy/1` as it is, or those inside analyses.

use std::path::Path;

use anyhow::{Result, bail};

use super::document::{self, Document};
use crate::attribution::Analysis;
use crate::power::document::{EnergyDocument, EnergySet};

/// The energies of a document; nothing when `path` is no document of this program.
///
/// # Errors
/// When the document is damaged, of another kind, or without any energy.
pub(in crate::cli) fn energies_of(path: &Path) -> Result<Option<EnergyDocument>> {
    let Some(schema) = document::schema_of(path) else { return Ok(None) };
    match document::read(path, &schema)? {
        Document::Energy(energy) => Ok(Some(*energy)),
        Document::Analyses(analyses) => match from_analyses(analyses) {
            Some(energy) => Ok(Some(energy)),
            None => bail!(
                "{}: an analysis without energy; give the trace and --power LOG",
                path.display()
            ),
        },
    }
}

fn from_analyses(analyses: Vec<Analysis>) -> Option<EnergyDocument> {
    let first = analyses.first()?;
    let (tool, trace) = (first.tool.clone(), first.trace.clone());
    let set = |analysis: Analysis| {
        Some(EnergySet {
            energy: analysis.energy?,
            spec: analysis.windows.spec,
            count: analysis.windows.count,
            mean_ns: analysis.windows.mean_ns,
            contained_share: analysis.windows.contained_share,
            findings: analysis.findings,
        })
    };
    let sets: Vec<EnergySet> = analyses.into_iter().filter_map(set).collect();
    (!sets.is_empty()).then(|| EnergyDocument { tool, trace, sets, ..EnergyDocument::empty() })
}
