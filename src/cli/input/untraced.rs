//! A run without a trace as an analysis: its windows are the requests of its sidecar, its energy comes
//! from the folder's power logs.
//!
//! Latencies are the program's own; instances lie on unix time, since there is no other. Everything that
//! only a trace can say is null.

use anyhow::Result;

use super::{Resolver, run};
use crate::attribution::Analysis;
use crate::attribution::document::{Tool, Windows};
use crate::attribution::provenance::RunAbout;
use crate::attribution::requests::{request, untraced};
use crate::cli::energy::untraced as energy;
use crate::finding;
use crate::runs::RunFolder;
use crate::study::about::about;
use crate::units::Nanos;

impl Resolver<'_> {
    /// The analysis of a run without a trace.
    pub(in crate::cli) fn untraced(&self, folder: &RunFolder) -> Result<Analysis> {
        let typed = &self.options.windows;
        let (spec, spans) = energy::chosen(folder, typed)?;
        let path = folder.path.display().to_string();
        let known = about(folder).unwrap_or_default();
        let tool = Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        };
        let mut analysis = Analysis {
            asked: Some(self.asked()),
            run: Some(RunAbout { folder: Some(path), ..known }),
            findings: folder.findings.clone(),
            ..untraced(tool, windows(&spec, typed.skip, &spans))
        };
        if let Some(options) = self.energy {
            let named = !options.power.is_empty();
            if named || !folder.power.is_empty() {
                match energy::set(folder, options, typed) {
                    Ok(found) => {
                        analysis.energy = Some(found.energy);
                        analysis.findings.extend(found.findings);
                    }
                    Err(error) if !named => analysis.findings.push(run::left_out(&error)),
                    Err(error) => return Err(error),
                }
            }
        }
        finding::sort(&mut analysis.findings);
        analysis.findings.dedup();
        Ok(analysis)
    }
}

fn windows(spec: &str, skip: usize, spans: &[(i64, i64)]) -> Windows {
    let (union, gaps) = covered(spans);
    let instances = spans.iter().enumerate().map(|(i, span)| request(skip + i, *span)).collect();
    Windows::of(spec, instances, union, gaps)
}

/// Time in at least one of spans in order, and between them.
fn covered(spans: &[(i64, i64)]) -> (Nanos, Nanos) {
    let (mut union, mut gaps, mut until) = (0, 0, None);
    for (start, end) in spans {
        let known: i64 = until.unwrap_or(*start);
        gaps += (start - known).max(0);
        union += (end - known.max(*start)).max(0);
        until = Some(known.max(*end));
    }
    (Nanos::from_ns(union), Nanos::from_ns(gaps))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_requests_count_once_in_the_union() {
        let ns = |(union, gaps): (Nanos, Nanos)| (union.as_ns(), gaps.as_ns());
        assert_eq!(ns(covered(&[(10, 20), (15, 18), (19, 30), (40, 50)])), (30, 10));
        assert_eq!(ns(covered(&[])), (0, 0));
    }
}
