//! The row of `runs`: what is known of one analysis before anyone asks about its windows.

use jiff::Timestamp;

use super::layout;
use super::rows::Value;
use super::unit::{Content, Unit, started};
use crate::attribution::Analysis;
use crate::attribution::document::TraceAbout;
use crate::finding::Finding;
use crate::units::UnixTime;

/// When a trace began, for `captured_utc`.
pub(super) fn utc(start: UnixTime) -> Option<String> {
    let time = Timestamp::from_nanosecond(i128::from(start.as_unix_ns())).ok()?;
    Some(time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

/// The part of the name of folders: `2026-11`.
pub(super) fn month(start: Option<UnixTime>) -> String {
    let utc = start.and_then(utc);
    utc.and_then(|utc| utc.get(..7).map(str::to_owned)).unwrap_or_else(|| "unknown".to_owned())
}

/// A row that is filled by column name, so that it cannot slip.
struct Named(Vec<Value>);

impl Named {
    /// All missing.
    fn missing() -> Self {
        let empty = |kind| match kind {
            layout::Kind::Text => Value::Text(None),
            layout::Kind::Int => Value::Int(None),
            layout::Kind::Float => Value::Float(None),
            layout::Kind::Bool => Value::Bool(None),
        };
        Self(layout::RUNS.columns.iter().map(|column| empty(column.kind)).collect())
    }

    fn set(&mut self, name: &str, value: impl Into<Value>) {
        let at = layout::RUNS.columns.iter().position(|column| column.name == name);
        debug_assert!(at.is_some(), "`runs` has no column {name}");
        if let Some(cell) = at.and_then(|at| self.0.get_mut(at)) {
            *cell = value.into();
        }
    }
}

/// The row of one analysis.
pub(super) fn row(unit: &Unit, run_id: &str, content: &Content) -> Vec<Value> {
    let mut row = of_input(unit, run_id);
    row.set("status", "ok");
    match content {
        Content::Analysis(analysis, _) => of_analysis(&mut row, analysis),
        Content::Energy { set, tool_version, trace, .. } => {
            row.set("tool_version", tool_version.as_str());
            row.set("window_spec", set.spec.as_str());
            row.set("windows", set.count);
            row.set("mean_ns", set.mean_ns);
            row.set("contained_share", set.contained_share);
            of_trace(&mut row, trace.as_ref());
            of_findings(&mut row, &set.findings);
        }
    }
    row.0
}

/// The row of an input that could not be analysed.
pub(super) fn failed(unit: &Unit, run_id: &str, error: &str) -> Vec<Value> {
    let mut row = of_input(unit, run_id);
    row.set("status", "failed");
    row.set("error", error);
    row.set("tool_version", env!("CARGO_PKG_VERSION"));
    row.set("findings", 1_i64);
    row.set("worst_severity", "error");
    row.0
}

fn of_input(unit: &Unit, run_id: &str) -> Named {
    let mut row = Named::missing();
    row.set("run_id", run_id);
    row.set("input_id", unit.id.as_str());
    row.set("input_path", unit.path.as_str());
    row.set("input_kind", unit.kind);
    row.set("input_sha256", unit.sha256.as_str());
    row.set("options", unit.options.as_str());
    row
}

fn of_analysis(row: &mut Named, analysis: &Analysis) {
    row.set("tool_version", analysis.tool.version.as_str());
    row.set("window_spec", analysis.windows.spec.as_str());
    of_trace(row, analysis.trace.as_ref());
    let start = started(analysis);
    row.set("captured_unix_ns", start.map(UnixTime::as_unix_ns));
    row.set("captured_utc", start.and_then(utc));
    of_windows(row, analysis);
    of_about(row, analysis);
    if let Some(api) = &analysis.api {
        row.set("api_ns", api.total_ns);
        row.set("api_calls", api.calls);
        row.set("api_cover_share", api.cover_share);
        row.set("launch_ns", api.launch.time_ns);
        row.set("launch_calls", api.launch.calls);
        row.set("launch_blocked_ns", api.launch.blocked_ns);
    }
    if let Some(kernels) = &analysis.kernels {
        row.set("rule", kernels.rule.to_string());
        row.set("kernel_ns", kernels.total_ns);
        row.set("kernels", kernels.count);
        row.set("orphan_kernels", kernels.orphans);
    }
    if let Some(delay) = &analysis.launch_delay {
        row.set("launch_delay_p50_ns", delay.p50_ns);
        row.set("launch_delay_p95_ns", delay.p95_ns);
    }
    if let Some(gpu) = &analysis.gpu {
        row.set("busy_ns", gpu.busy_ns);
        row.set("idle_ns", gpu.idle_ns);
        row.set("foreign_busy_ns", gpu.foreign_busy_ns);
    }
    if let Some(verdict) = &analysis.verdict {
        row.set("verdict", verdict.kind.as_str());
    }
    of_findings(row, &analysis.findings);
}

fn of_trace(row: &mut Named, trace: Option<&TraceAbout>) {
    let Some(trace) = trace else { return };
    row.set("trace_path", trace.path.as_str());
    row.set("trace_sha256", trace.sha256.clone());
    row.set("nsys_version", trace.exporter_version.clone());
    row.set("trace_schema_version", trace.schema_version.clone());
    row.set("captured_unix_ns", trace.session_start_unix_ns.map(UnixTime::as_unix_ns));
    row.set("captured_utc", trace.session_start_unix_ns.and_then(utc));
    row.set("duration_ns", trace.duration_ns);
    row.set("gpu", joined(trace.devices.iter().filter_map(|device| device.name.clone())));
}

fn of_windows(row: &mut Named, analysis: &Analysis) {
    let windows = &analysis.windows;
    row.set("windows", windows.count);
    row.set("total_ns", windows.total_ns);
    row.set("union_ns", windows.union_ns);
    row.set("mean_ns", windows.mean_ns);
    row.set("stddev_ns", windows.stddev_ns);
    row.set("min_ns", windows.min_ns);
    row.set("p50_ns", windows.p50_ns);
    row.set("p90_ns", windows.p90_ns);
    row.set("p95_ns", windows.p95_ns);
    row.set("p99_ns", windows.p99_ns);
    row.set("max_ns", windows.max_ns);
    row.set("contained_share", windows.contained_share);
}

/// What the run's manifest and sidecar say.
fn of_about(row: &mut Named, analysis: &Analysis) {
    let Some(run) = &analysis.run else { return };
    row.set("program", run.program.clone());
    row.set("stack", run.stack.clone());
    row.set("device", run.device.clone());
    row.set("model", run.model.clone());
    row.set("checkpoint", run.checkpoint.clone());
    row.set("path", run.path.clone());
    row.set("driver", run.driver.clone());
    row.set("cuda", run.cuda.clone());
    row.set("power_mode", run.power_mode.clone());
    if !run.gpu.is_empty() {
        row.set("gpu", joined(run.gpu.iter().cloned()));
    }
}

fn of_findings(row: &mut Named, findings: &[Finding]) {
    row.set("findings", findings.len());
    let worst = findings.iter().map(|finding| finding.severity).max();
    row.set("worst_severity", worst.map(|severity| severity.to_string()));
}

/// Each once, in the order in which they come.
fn joined(names: impl Iterator<Item = String>) -> Option<String> {
    let mut once: Vec<String> = Vec::new();
    for name in names {
        if !once.contains(&name) {
            once.push(name);
        }
    }
    (!once.is_empty()).then(|| once.join("; "))
}
