//! From a document to a section of the report.

use std::collections::BTreeSet;
use std::path::Path;

use super::figures;
use super::model::{Fact, Line, Part, Section, unique_id};
use super::shown::{ShownTable, micro, minuses};
use crate::attribution::document::{Analysis, Api, Idle, Windows};
use crate::attribution::energy_document::Energy;
use crate::power::document::{EnergyDocument, EnergySet};
use crate::report::line;
use crate::report::summary::{self, idle_parts};
use crate::report::table::Table;
use crate::report::{analysis as tables, energy};
use crate::units::{Nanos, Share, plain};

/// Rows that a page carries; the CSV files have all.
const MOST_ROWS: usize = 2_000;

/// The section of an analysis.
pub fn of_analysis(analysis: &Analysis, taken: &mut BTreeSet<String>) -> Section {
    let spec = plain(&analysis.windows.spec, 80);
    let trace = analysis.source().map(stem);
    let name = match &trace {
        Some(trace) => format!("{trace} {spec}"),
        None => spec.clone(),
    };
    let title = match trace {
        Some(trace) if analysis.trace.is_none() => {
            format!("{spec} in {} (not traced)", plain(&trace, 80))
        }
        Some(trace) => format!("{spec} in {}", plain(&trace, 80)),
        None => spec,
    };
    let exact: Vec<Table> = tables::tables(analysis, true)
        .into_iter()
        .filter(|table| table.name != "findings")
        .collect();
    let lines = lines(summary::summary(analysis));
    let (verdict, lead) = verdict(analysis, &lines);
    Section {
        id: unique_id(&name, taken),
        title,
        kind: "analysis".to_owned(),
        verdict,
        lead,
        lines,
        facts: facts(analysis),
        parts: parts(analysis),
        tables: shown(&exact).into_iter().filter(says_something).collect(),
        findings: analysis.findings.clone(),
        figures: Vec::new(),
        timeline: None,
        has_timeline: false,
        document: serde_json::to_value(analysis).unwrap_or_default(),
        exact,
    }
}

/// The verdict in a word, and why; that there is none is said as plainly.
fn verdict(analysis: &Analysis, lines: &[Line]) -> (Option<String>, Option<String>) {
    if let Some(verdict) = &analysis.verdict {
        return (Some(verdict.kind.clone()), Some(verdict.detail.clone()));
    }
    let said = lines.iter().find(|line| line.label == "verdict");
    let why = said.map(|line| line.text.trim_start_matches("none: ").to_owned());
    (why.as_ref().map(|_| "no verdict".to_owned()), why)
}

/// The sections of an energy document, one for each set of windows.
pub fn of_energy(document: &EnergyDocument, taken: &mut BTreeSet<String>) -> Vec<Section> {
    let trace = document.trace.as_ref().map(|trace| stem(&trace.path)).unwrap_or_default();
    document.sets.iter().map(|set| of_energy_set(document, set, &trace, taken)).collect()
}

fn of_energy_set(
    document: &EnergyDocument,
    set: &EnergySet,
    trace: &str,
    taken: &mut BTreeSet<String>,
) -> Section {
    let spec = plain(&set.spec, 80);
    let exact = vec![energy::table(&set.energy)];
    let alone = EnergyDocument { sets: vec![set.clone()], ..document.clone() };
    Section {
        id: unique_id(&format!("energy {trace} {spec}"), taken),
        title: format!("Energy of {spec} in {}", plain(trace, 80)),
        kind: "energy".to_owned(),
        verdict: None,
        lead: None,
        lines: lines(energy::summary(set)),
        facts: set.energy.iter().map(energy_fact).collect(),
        parts: Vec::new(),
        tables: shown(&exact),
        findings: set.findings.clone(),
        figures: Vec::new(),
        timeline: None,
        has_timeline: false,
        document: serde_json::to_value(&alone).unwrap_or_default(),
        exact,
    }
}

/// A list of groups without a kernel in any of them says nothing; CSV has it all the same.
fn says_something(table: &ShownTable) -> bool {
    let counts = table.columns.iter().position(|column| column.key == "count");
    let Some(at) = counts.filter(|_| table.name == "groups") else { return true };
    table.rows.iter().any(|row| row[at].value.is_some_and(|count| count > 0.0))
}

pub(super) fn shown(tables: &[Table]) -> Vec<ShownTable> {
    tables.iter().map(|table| ShownTable::of(table, MOST_ROWS)).collect()
}

pub(super) fn lines(summary: Vec<line::Line>) -> Vec<Line> {
    let line = |(label, text): line::Line| Line {
        label: label.to_owned(),
        text: minuses(&micro(&plain(&text, 2_000))),
    };
    summary.into_iter().map(line).collect()
}

/// A trace's file name without its endings.
pub(super) fn stem(path: &str) -> String {
    let name =
        Path::new(path).file_name().map_or_else(|| "trace".into(), |name| name.to_string_lossy());
    [".zst", ".gz", ".sqlite", ".nsys-rep", ".qdrep", ".txt", ".csv"]
        .iter()
        .fold(name.into_owned(), |name, end| name.strip_suffix(end).unwrap_or(&name).to_owned())
}

fn dash<T: std::fmt::Display>(value: Option<T>) -> String {
    value.map_or_else(|| "–".to_owned(), |value| micro(&value.to_string()))
}

fn fact(label: &str, value: String, detail: String, key: &str) -> Fact {
    Fact { label: label.to_owned(), value, detail, defined_by: Some(key.to_owned()) }
}

/// Latency, launch share with what must stand beside it, busy, the largest cause of idleness, groups,
/// energy.
fn facts(analysis: &Analysis) -> Vec<Fact> {
    let windows = &analysis.windows;
    let mut facts = Vec::new();
    if analysis.imported.is_none() {
        facts.push(latency_fact(windows));
    }
    if let Some(api) = &analysis.api {
        facts.extend(api_facts(api, windows));
    }
    if let Some(gpu) = &analysis.gpu {
        let busy = windows.share_of_wall(gpu.busy_ns);
        facts.push(fact("GPU busy", dash(busy), "of wall time".to_owned(), "gpu.busy_ns"));
    }
    if let Some(idle) = &analysis.idle {
        facts.extend(largest_cause(idle, windows));
    }
    for group in analysis.kernels.iter().flat_map(|kernels| &kernels.groups) {
        let headline = group.readings.iter().find(|reading| reading.name == group.headline);
        if let Some(reading) = headline.filter(|reading| reading.count > 0) {
            let detail = format!("of kernel time, reading “{}”", plain(&reading.name, 40));
            let share = dash(reading.share);
            facts.push(fact(&plain(&group.name, 40), share, detail, "kernels.groups"));
        }
    }
    facts.extend(analysis.energy.iter().flatten().map(energy_fact));
    facts
}

fn latency_fact(windows: &Windows) -> Fact {
    let spread = match windows.stddev_ns {
        Some(stddev) => {
            format!("± {} (standard deviation), {} windows", dash(Some(stddev)), windows.count)
        }
        None => "1 window".to_owned(),
    };
    fact("mean latency", dash(windows.mean_ns), spread, "windows")
}

fn api_facts(api: &Api, windows: &Windows) -> [Fact; 2] {
    let names = api.launch.names.join(", ");
    let launch = format!("of API time: {}", plain(&names, 60));
    [
        fact("launch share", dash(api.launch.share), launch, "api.launch.share"),
        fact(
            "API cover",
            dash(api.cover_share),
            summary::cover_of(api, windows),
            "api.cover_share",
        ),
    ]
}

fn largest_cause(idle: &Idle, windows: &Windows) -> Option<Fact> {
    let (name, time) = idle_parts(idle).into_iter().max_by_key(|(_, time)| *time)?;
    if time == Nanos::ZERO {
        return None;
    }
    let mut detail = format!("of wall time, idle: {name}");
    if name == "host" && idle.dispatch_ns > Nanos::ZERO {
        let dispatch = Share::of(idle.dispatch_ns.as_ns(), idle.host_ns.as_ns());
        detail = format!("{detail}, {} of it dispatch", dash(dispatch));
    }
    Some(fact("largest idle cause", dash(windows.share_of_wall(time)), detail, "idle"))
}

fn energy_fact(energy: &Energy) -> Fact {
    let label = format!("energy, {}", plain(&energy.rail, 30));
    if let Some(refusal) = &energy.refused {
        return fact(
            &label,
            "–".to_owned(),
            format!("refused: {}", refusal.code),
            "energy.refused",
        );
    }
    let (value, interval, key) = match energy.dynamic_mj {
        Some(dynamic) => (Some(dynamic), energy.dynamic_ci95_mj, "energy.dynamic_mj"),
        None => (energy.total_mj, energy.total_ci95_mj, "energy.total_mj"),
    };
    let which = if energy.dynamic_mj.is_some() { "dynamic" } else { "total" };
    let interval = interval
        .map_or_else(|| "no interval".to_owned(), |[low, high]| format!("95 %: {low} to {high}"));
    fact(&label, dash(value), format!("{which}, per window; {interval}"), key)
}

/// Where the wall time went; the parts add up to it.
fn parts(analysis: &Analysis) -> Vec<Part> {
    let (Some(idle), Some(gpu)) = (&analysis.idle, &analysis.gpu) else { return Vec::new() };
    let mut parts = vec![("busy", gpu.busy_ns)];
    parts.extend(idle_parts(idle).into_iter().filter(|(name, _)| *name != "host"));
    // Host time in two: between launches, and elsewhere.
    parts.push(("dispatch", idle.dispatch_ns));
    parts.push(("host", idle.host_ns - idle.dispatch_ns));
    parts
        .into_iter()
        .filter(|(_, time)| *time > Nanos::ZERO)
        .filter_map(|(name, time)| {
            Some(Part {
                name: name.to_owned(),
                text: dash(Some(time)),
                share: analysis.windows.share_of_wall(time)?.as_f64(),
                color: figures::part_color(name),
            })
        })
        .collect()
}
