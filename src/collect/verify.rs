//! Does the export hold what was asked for?
//!
//! It must open as an export, its session must have started while the program ran, and what was to be
//! traced must be in it. Tables of kinds that did not occur are absent, so that "CUDA was traced" and
//! "CUDA was used" can be told apart only by asking what this machine has.

use std::path::Path;

use super::host::Host;
use crate::finding::{Finding, Severity};
use crate::runs::TRACE;
use crate::runs::manifest::TraceSeen;
use crate::trace::{Inventory, Trace, source};
use crate::units::UnixTime;

/// The window that programs of this field have.
const USUAL_WINDOW: &str = "latency";
/// How far the session's start may lie outside the run: clocks are read at different times.
const SLACK_NS: i64 = 5_000_000_000;

/// What was asked for.
#[derive(Debug)]
pub(crate) struct Asked<'a> {
    /// What nsys was to trace.
    pub(crate) apis: &'a [String],
    /// The window that will be analysed.
    pub(crate) window: Option<&'a str>,
    /// When the run started and ended.
    pub(crate) during: (UnixTime, UnixTime),
    /// Whether recording began with a range.
    pub(crate) capture: Option<&'a str>,
}

/// What is wrong with an export as a whole.
#[derive(Debug)]
pub(crate) enum Unusable {
    /// It is not this run's.
    Stale(String),
    /// It cannot be read.
    Unreadable(String),
}

/// An export that is this run's.
#[derive(Debug)]
pub(crate) struct Verified {
    pub(crate) seen: TraceSeen,
    /// The window to analyse: the one that was asked for, else `latency` if it is there.
    pub(crate) window: Option<String>,
}

/// Looks into the export and says what it holds; doubts are pushed.
pub(crate) fn verify(
    export: &Path,
    asked: &Asked<'_>,
    host: &Host,
    findings: &mut Vec<Finding>,
) -> Result<Verified, Unusable> {
    let unreadable = |error: &dyn std::fmt::Display| Unusable::Unreadable(error.to_string());
    let open = source::open(export).map_err(|error| unreadable(&error))?;
    let seen =
        Trace::outline(open.path(), open.connection()).map_err(|error| unreadable(&error))?;
    let rows = Inventory::read(open.path(), open.connection(), false)
        .map_err(|error| unreadable(&error))?;
    let about = &seen.trace.about;
    if let Some(session) = about.session {
        let start = session.start().as_unix_ns();
        let (from, to) =
            (asked.during.0.as_unix_ns() - SLACK_NS, asked.during.1.as_unix_ns() + SLACK_NS);
        if !(from..=to).contains(&start) {
            return Err(Unusable::Stale(format!("its session started at {}", session.start())));
        }
    }
    let count = |table: &str| rows.table(table).and_then(|table| table.rows);
    let ranges = &seen.trace.ranges;
    let of_window =
        |name: &str| ranges.ids().filter(|range| ranges.text(*range) == name).count() as u64;
    let usual = ranges.texts().iter().any(|text| text == USUAL_WINDOW).then_some(USUAL_WINDOW);
    let window = asked.window.or(usual).map(str::to_owned);
    let held = TraceSeen {
        file: TRACE.to_owned(),
        exporter_version: about.exporter_version.clone(),
        ranges: rows.table("NVTX_EVENTS").map(|_| ranges.len() as u64),
        calls: count("CUPTI_ACTIVITY_KIND_RUNTIME"),
        kernels: count("CUPTI_ACTIVITY_KIND_KERNEL"),
        windows: window.as_deref().map(plain_name).map(of_window),
    };
    let said = about.diagnostics.iter().map(|said| said.text.as_str()).collect::<Vec<_>>();
    findings.extend(missing(&held, asked, host, &said));
    findings.extend(window_missing(&held, asked, ranges.texts()));
    Ok(Verified { seen: held, window })
}

/// `nvtx:latency` and `latency` are the same window; patterns are not counted by name.
fn plain_name(window: &str) -> &str {
    window.strip_prefix("nvtx:").unwrap_or(window)
}

fn missing(held: &TraceSeen, asked: &Asked<'_>, host: &Host, said: &[&str]) -> Vec<Finding> {
    let wanted = |api: &str| asked.apis.iter().any(|asked| asked == api);
    let mut found = Vec::new();
    if wanted("cuda") && held.calls.unwrap_or(0) == 0 {
        found.push(Finding::new(
            "no-cuda-recorded",
            Severity::Warning,
            format!(
                "CUDA was traced and no CUDA activity was recorded: {}",
                why_no_cuda(host, asked, said)
            ),
            "without CUDA the windows can be timed and nothing can be attributed to the GPU",
        ));
    } else if wanted("cuda") && held.kernels.unwrap_or(0) == 0 {
        found.push(Finding::new(
            "no-kernels-recorded",
            Severity::Warning,
            "CUDA calls were recorded and no kernel: the program launched none while nsys recorded, or it ended \
             without letting go of the GPU",
            "let the program end by itself; nsys fetches kernels at its end",
        ));
    }
    if wanted("nvtx") && held.ranges.unwrap_or(0) == 0 {
        found.push(Finding::new(
            "no-nvtx-recorded",
            Severity::Warning,
            match asked.capture {
                Some(range) => format!("no NVTX range was recorded: the capture range {range} may never have begun"),
                None => "no NVTX range was recorded: the program makes none".to_owned(),
            },
            "mark each request with a range `latency` (Rust: src/nvtx; Python: torch.cuda.nvtx or the package nvtx)",
        ));
    }
    found
}

fn why_no_cuda(host: &Host, asked: &Asked<'_>, said: &[&str]) -> String {
    let device = ["dev/nvidia0", "dev/nvgpu/igpu0", "dev/nvhost-gpu"]
        .iter()
        .any(|at| host.path(at).exists());
    let driver =
        host.path("proc/driver/nvidia/version").exists() || host.path("sys/module/nvgpu").exists();
    let own = match (driver, device, asked.capture) {
        (false, ..) => "this machine has no NVIDIA driver loaded".to_owned(),
        (true, false, _) => "a driver is loaded and there is no GPU that it serves".to_owned(),
        (true, true, Some(range)) => format!("the capture range {range} may never have begun"),
        (true, true, None) => {
            "the program made no CUDA call, or a child process made them after a fork without exec"
                .to_owned()
        }
    };
    match said.iter().find(|line| line.contains("CUDA")) {
        Some(line) => format!("{own} (nsys: {line})"),
        None => own,
    }
}

fn window_missing(held: &TraceSeen, asked: &Asked<'_>, texts: &[String]) -> Option<Finding> {
    let window = asked.window?;
    // Other forms (`gpu:`, `kernels:`, patterns, domains) are for the analysis to look for.
    let by_name = !plain_name(window).contains([':', '/', '@']);
    if !by_name || held.windows != Some(0) {
        return None;
    }
    let mut there: Vec<&str> = texts.iter().map(String::as_str).collect();
    there.sort_unstable();
    there.dedup();
    let there = if there.is_empty() {
        "there are no ranges at all".to_owned()
    } else {
        format!("there are {}", there.iter().take(8).copied().collect::<Vec<_>>().join(", "))
    };
    Some(Finding::new(
        "window-not-recorded",
        Severity::Warning,
        format!("no range `{window}` was recorded; {there}"),
        "check the name, and that the program makes the range while nsys records",
    ))
}
