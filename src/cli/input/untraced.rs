//! A run without a trace as an analysis: its windows are the requests of its sidecar, its energy comes
//! from the folder's power logs.
//!
//! Latencies are the program's own; instances lie on unix time, since there is no other. Everything that
//! only a trace can say is null.

use std::collections::BTreeMap;

use anyhow::Result;

use super::{Resolver, run};
use crate::attribution::Analysis;
use crate::attribution::definitions::definitions;
use crate::attribution::document::{Idle, Instance, SCHEMA, Tool, Windows};
use crate::attribution::provenance::RunAbout;
use crate::cli::energy::untraced as energy;
use crate::finding;
use crate::runs::RunFolder;
use crate::stats::Summary;
use crate::study::about::about;
use crate::units::{Nanos, TraceTime};

impl Resolver<'_> {
    /// The analysis of a run without a trace.
    pub(super) fn untraced(&self, folder: &RunFolder) -> Result<Analysis> {
        let typed = &self.options.windows;
        let (spec, spans) = energy::chosen(folder, typed)?;
        let path = folder.path.display().to_string();
        let known = about(folder).unwrap_or_default();
        let mut analysis = Analysis {
            schema: SCHEMA.to_owned(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            trace: None,
            asked: Some(self.asked()),
            run: Some(RunAbout { folder: Some(path), ..known }),
            imported: None,
            windows: windows(spec, typed.skip, &spans),
            api: None,
            kernels: None,
            copies: None,
            graphs: None,
            launch_delay: None,
            gpu: None,
            idle: None,
            verdict: None,
            energy: None,
            definitions: definitions(),
            findings: folder.findings.clone(),
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

fn windows(spec: String, skip: usize, spans: &[(i64, i64)]) -> Windows {
    let lengths: Vec<i64> = spans.iter().map(|(start, end)| end - start).collect();
    let summary = Summary::of_ints(&lengths);
    let ns = |value: f64| Nanos::from_ns(value.round() as i64);
    let of = |pick: fn(&Summary) -> f64| summary.as_ref().map(pick).map(ns);
    let (union, gaps) = covered(spans);
    Windows {
        spec,
        count: spans.len(),
        total_ns: Some(Nanos::from_ns(lengths.iter().sum())),
        union_ns: Some(union),
        mean_ns: of(|summary| summary.mean),
        stddev_ns: summary.and_then(|summary| summary.stddev).map(ns),
        min_ns: of(|summary| summary.min),
        p50_ns: of(|summary| summary.p50),
        p90_ns: of(|summary| summary.p90),
        p95_ns: of(|summary| summary.p95),
        p99_ns: of(|summary| summary.p99),
        max_ns: of(|summary| summary.max),
        gaps_ns: Some(gaps),
        contained_share: None,
        instances: spans.iter().enumerate().map(|(i, span)| instance(skip + i, *span)).collect(),
    }
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

/// The blocks of the document are null; here there is nothing to count.
fn instance(index: usize, (start, end): (i64, i64)) -> Instance {
    Instance {
        index,
        start_ns: TraceTime::from_ns(start),
        end_ns: TraceTime::from_ns(end),
        cpu_start_ns: None,
        cpu_end_ns: None,
        process: None,
        thread: None,
        label: "request".to_owned(),
        calls: 0,
        api_ns: Nanos::ZERO,
        launches: 0,
        launch_ns: Nanos::ZERO,
        kernels: 0,
        kernel_ns: Nanos::ZERO,
        busy_ns: Nanos::ZERO,
        idle: Idle::default(),
        class_ns: BTreeMap::new(),
        busy_class_ns: BTreeMap::new(),
    }
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
