//! From rows to the document. Names are spelled as in analyses of traces (runtime calls without the
//! version of their prototype), kernels get the class of their name, rows of one name are added up.

use std::collections::BTreeMap;

use super::choose::{Choice, Chosen};
use super::doubts;
use super::scan::Printed;
use super::tabular::Sum;
use crate::attribution::document::{
    Analysis, Api, ApiFunction, Copies, KernelClass, KernelFunction, Kernels, Launches, SCHEMA,
    Tool, TraceAbout, Windows,
};
use crate::attribution::imported::{Imported, ImportedFile, ImportedReport, WHOLE_CAPTURE};
use crate::attribution::provenance::{Asked, ClassFile};
use crate::attribution::{Rule, class_groups, definitions};
use crate::classify::{ClassId, Classifier};
use crate::finding;
use crate::trace::ApiName;
use crate::units::{Nanos, Share};

/// A call counted twice lasts almost as long as the call itself.
const TWIN: f64 = 0.05;

/// The document and its findings.
pub(super) fn analysis(
    printed: &Printed,
    choice: &Choice,
    files: Vec<ImportedFile>,
    rules: &Classifier,
    classes: ClassFile,
) -> Analysis {
    let calls = choice.api.as_ref().map(|chosen| Calls::of(&chosen.rows));
    let kernels = choice.kernels.as_ref().map(|chosen| kernels(&chosen.rows, rules));
    let mut findings = doubts::findings(printed, choice, kernels.as_ref());
    findings.extend(calls.as_ref().and_then(Calls::twins));
    findings.extend(kernels.as_ref().and_then(class_groups::unclassified));
    let api = calls.map(Calls::block);
    let both = api.as_ref().zip(kernels.as_ref());
    findings.extend(both.and_then(|(api, kernels)| doubts::counts_disagree(api, kernels)));
    finding::sort(&mut findings);
    Analysis {
        schema: SCHEMA.to_owned(),
        tool: Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        trace: Some(about(printed, &files)),
        asked: Some(Asked { classes, ..Asked::default() }),
        run: None,
        imported: Some(imported(printed, choice, files)),
        windows: no_windows(),
        api,
        kernels,
        copies: choice.copies.as_ref().map(|chosen| copies(&chosen.rows)),
        graphs: None,
        launch_delay: None,
        gpu: None,
        idle: None,
        verdict: None,
        energy: None,
        definitions: definitions::definitions(),
        findings,
    }
}

fn about(printed: &Printed, files: &[ImportedFile]) -> TraceAbout {
    // A hash does not stand for several files; `imported.files` has each.
    let (path, sha256) = match files {
        [] => (String::new(), None),
        [only] => (only.path.clone(), Some(only.sha256.clone())),
        [first, others @ ..] => (format!("{} and {} more", first.path, others.len()), None),
    };
    TraceAbout {
        path,
        sha256,
        exporter_version: printed.version.clone(),
        schema_version: None,
        session_start_unix_ns: None,
        duration_ns: None,
        devices: Vec::new(),
        processes: None,
    }
}

/// No table holds the time of a single event.
fn no_windows() -> Windows {
    Windows {
        spec: WHOLE_CAPTURE.to_owned(),
        count: 0,
        total_ns: None,
        union_ns: None,
        mean_ns: None,
        stddev_ns: None,
        min_ns: None,
        p50_ns: None,
        p90_ns: None,
        p95_ns: None,
        p99_ns: None,
        max_ns: None,
        gaps_ns: None,
        contained_share: None,
        instances: Vec::new(),
    }
}

fn imported(printed: &Printed, choice: &Choice, files: Vec<ImportedFile>) -> Imported {
    let report = |(place, report): (usize, &super::scan::Report)| ImportedReport {
        name: report.name.clone(),
        options: report.options.clone(),
        file: report.path.clone(),
        line: report.line,
        rows: report.table.as_ref().map_or(0, |table| table.rows.len()),
        used: choice.uses(place),
        skipped: report.table.as_ref().err().cloned(),
    };
    let all = [&choice.api, &choice.kernels, &choice.copies, &choice.ranges];
    let rows = all.into_iter().flatten().flat_map(|chosen: &Chosen| &chosen.rows);
    Imported {
        source: "nsys stats".to_owned(),
        capture: printed.capture.clone(),
        files,
        reports: printed.reports.iter().enumerate().map(report).collect(),
        rows: rows.map(|sum| sum.row.clone()).collect(),
    }
}

/// Sums of calls, and of the rows that count calls a second time.
struct Calls {
    by_name: BTreeMap<String, (u64, i64)>,
    twin_rows: usize,
    twin_ns: i64,
}

impl Calls {
    /// With backtraces on, nsys stores a call twice and its tables list the function twice, with equal
    /// counts; the row that takes longer is the twin around the call.
    fn of(rows: &[Sum]) -> Self {
        let mut all: BTreeMap<String, Vec<(u64, i64)>> = BTreeMap::new();
        for Sum { row, .. } in rows {
            let name = ApiName::from_export(&row.name).text;
            all.entry(name).or_default().push((row.count, row.total_ns.as_ns()));
        }
        let mut calls = Self { by_name: BTreeMap::new(), twin_rows: 0, twin_ns: 0 };
        for (name, mut rows) in all {
            rows.sort_unstable();
            let mut kept: Vec<(u64, i64)> = Vec::new();
            for (count, ns) in rows {
                let is_twin = |other: &(u64, i64)| {
                    other.0 == count && (ns - other.1) as f64 <= TWIN * ns as f64
                };
                if kept.last().is_some_and(is_twin) {
                    calls.twin_rows += 1;
                    calls.twin_ns += ns;
                } else {
                    kept.push((count, ns));
                }
            }
            let sum = kept.iter().fold((0, 0), |sum, row| (sum.0 + row.0, sum.1 + row.1));
            calls.by_name.insert(name, sum);
        }
        calls
    }

    fn twins(&self) -> Option<finding::Finding> {
        (self.twin_rows > 0).then(|| doubts::twins(self.twin_rows, Nanos::from_ns(self.twin_ns)))
    }

    fn block(self) -> Api {
        let (calls, total) =
            self.by_name.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
        let mut by_name: Vec<ApiFunction> = self
            .by_name
            .into_iter()
            .map(|(name, (calls, ns))| ApiFunction {
                name,
                calls,
                time_ns: Nanos::from_ns(ns),
                self_ns: None,
                share: Share::of(ns, total),
            })
            .collect();
        by_name.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.name.cmp(&b.name)));
        let launches = || by_name.iter().filter(|one| ApiName::from_export(&one.name).launches);
        let time_ns: Nanos = launches().map(|one| one.time_ns).sum();
        let launch = Launches {
            time_ns,
            calls: launches().map(|one| one.calls).sum(),
            share: Share::of(time_ns.as_ns(), total),
            blocked_ns: None,
            first_use_ns: None,
            names: launches().map(|one| one.name.clone()).collect(),
        };
        Api {
            total_ns: Nanos::from_ns(total),
            calls,
            calls_started: calls,
            own_thread_ns: None,
            cover_share: None,
            launch,
            by_name,
        }
    }
}

fn kernels(rows: &[Sum], rules: &Classifier) -> Kernels {
    let mut names: BTreeMap<&str, (u64, i64)> = BTreeMap::new();
    for Sum { row, .. } in rows {
        let sum = names.entry(&row.name).or_default();
        *sum = (sum.0 + row.count, sum.1 + row.total_ns.as_ns());
    }
    let (count, total) = names.values().fold((0, 0), |sum, one| (sum.0 + one.0, sum.1 + one.1));
    let mut classes: BTreeMap<ClassId, (u64, i64)> = BTreeMap::new();
    let mut by_name = Vec::with_capacity(names.len());
    for (name, (count, ns)) in names {
        let class = rules.classify(name, name).class;
        let sum = classes.entry(class).or_default();
        *sum = (sum.0 + count, sum.1 + ns);
        by_name.push(KernelFunction {
            name: name.to_owned(),
            class: rules.class_name(class).to_owned(),
            count,
            time_ns: Nanos::from_ns(ns),
            share: Share::of(ns, total),
        });
    }
    by_name.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.name.cmp(&b.name)));
    let mut by_class: Vec<KernelClass> = classes
        .iter()
        .map(|(class, (count, ns))| KernelClass {
            class: rules.class_name(*class).to_owned(),
            count: *count,
            time_ns: Nanos::from_ns(*ns),
            share: Share::of(*ns, total),
            by_context_ns: Nanos::ZERO,
        })
        .collect();
    by_class.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.class.cmp(&b.class)));
    let of = |class: ClassId| classes.get(&class).copied().unwrap_or_default();
    Kernels {
        // Every kernel of the capture, whole.
        rule: Rule::Overlap,
        total_ns: Nanos::from_ns(total),
        count,
        orphans: None,
        tklqt_ns: None,
        streams: None,
        rules: None,
        rules_own_thread: None,
        groups: class_groups::groups(rules, &of, total),
        by_name,
        by_class,
    }
}

fn copies(rows: &[Sum]) -> Vec<Copies> {
    let mut kinds: BTreeMap<String, (u64, i64)> = BTreeMap::new();
    for Sum { row, .. } in rows {
        let sum = kinds.entry(memory_kind(&row.name)).or_default();
        *sum = (sum.0 + row.count, sum.1 + row.total_ns.as_ns());
    }
    let mut all: Vec<Copies> = kinds
        .into_iter()
        .map(|(kind, (count, ns))| Copies {
            kind,
            count,
            time_ns: Nanos::from_ns(ns),
            // The tables round it to kilobytes.
            bytes: None,
        })
        .collect();
    all.sort_by(|a, b| b.time_ns.cmp(&a.time_ns).then_with(|| a.kind.cmp(&b.kind)));
    all
}

/// `[CUDA memcpy HtoD]`, `[CUDA memcpy Host-to-Device]` → `Host-to-Device`, as analyses of traces say.
fn memory_kind(printed: &str) -> String {
    let inner = printed.trim_matches(['[', ']']).trim_start_matches("CUDA ").trim();
    if inner.eq_ignore_ascii_case("memset") {
        return "Memset".to_owned();
    }
    let unified = inner.contains("Unified");
    let last = inner.split_whitespace().last().unwrap_or(inner);
    let long = |end: &str| match end {
        "H" => "Host".to_owned(),
        "D" => "Device".to_owned(),
        "A" => "Array".to_owned(),
        "P" => "Peer".to_owned(),
        other => other.to_owned(),
    };
    let kind = match last.split_once("to").filter(|_| last.len() == 4) {
        Some((from, to)) => format!("{}-to-{}", long(from), long(to)),
        None => last.to_owned(),
    };
    if unified { format!("Unified {kind}") } else { kind }
}

#[cfg(test)]
mod tests {
    use super::memory_kind;

    #[test]
    fn copies_have_the_names_of_analyses() {
        for (printed, kind) in [
            ("[CUDA memcpy HtoD]", "Host-to-Device"),
            ("[CUDA memcpy Device-to-Host]", "Device-to-Host"),
            ("[CUDA memcpy PtoP]", "Peer-to-Peer"),
            ("[CUDA memset]", "Memset"),
            ("[CUDA Unified Memory memcpy HtoD]", "Unified Host-to-Device"),
            ("[CUDA memcpy Unified Host-to-Device]", "Unified Host-to-Device"),
        ] {
            assert_eq!(memory_kind(printed), kind);
        }
    }
}
