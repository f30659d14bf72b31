//! Is anything else different between the groups than what is to be compared?
//!
//! A comparison answers "what does the change do" only when the rest stayed as it was: GPU, clocks and
//! power mode, driver, CUDA, nsys, the window, the rule and options of the analysis, the class rules.
//! What differs is a finding with both values; what is not recorded cannot be checked, and is not.

use std::collections::BTreeSet;

use super::decompose::busy_is_divided;
use super::pairs::{PairError, path};
use crate::attribution::Analysis;
use crate::attribution::document::Instance;
use crate::attribution::provenance::RunAbout;
use crate::finding::{Finding, Severity};
use crate::units::plain;

/// What makes the groups hard to compare.
pub(super) fn findings(a: &[Analysis], b: &[Analysis]) -> Vec<Finding> {
    let mut found: Vec<Finding> =
        CONDITIONS.iter().filter_map(|condition| condition.finding(a, b)).collect();
    found.extend(same_windows(a, b));
    found.extend(parts_of_one_trace("A", a));
    found.extend(parts_of_one_trace("B", b));
    if !a.iter().chain(b).all(busy_is_divided) {
        found.push(Finding::new(
            "busy-not-divided",
            Severity::Warning,
            "an analysis was made by a version that did not divide busy time by class: there is no decomposition by class",
            "analyse its trace again with this version",
        ));
    }
    found
}

/// Whether nothing says that windows or GPUs differ between the groups.
pub(super) fn alike(a: &[Analysis], b: &[Analysis]) -> bool {
    let telling = ["windows-differ", "gpu-differs"];
    let mut conditions = CONDITIONS.iter().filter(|condition| telling.contains(&condition.code));
    conditions.all(|condition| condition.finding(a, b).is_none())
}

/// One condition that should be the same in both groups.
struct Condition {
    code: &'static str,
    severity: Severity,
    /// What it is, for the sentence.
    what: &'static str,
    /// Its value in one analysis; nothing when it is not recorded.
    of: fn(&Analysis) -> Option<String>,
    remedy: &'static str,
}

impl Condition {
    fn finding(&self, a: &[Analysis], b: &[Analysis]) -> Option<Finding> {
        let values = |side: &[Analysis]| -> BTreeSet<String> {
            side.iter().filter_map(|analysis| (self.of)(analysis)).collect()
        };
        let (of_a, of_b) = (values(a), values(b));
        if of_a.is_empty() || of_b.is_empty() || (of_a == of_b && of_a.len() == 1) {
            return None;
        }
        let list = |values: &BTreeSet<String>| {
            let quoted: Vec<String> =
                values.iter().map(|value| format!("`{}`", plain(value, 120))).collect();
            quoted.join(", ")
        };
        let message = if of_a == of_b {
            format!("{} is not the same within the groups: {}", self.what, list(&of_a))
        } else {
            format!("{} differs: A has {}, B has {}", self.what, list(&of_a), list(&of_b))
        };
        Some(Finding::new(self.code, self.severity, message, self.remedy))
    }
}

fn run(analysis: &Analysis, of: fn(&RunAbout) -> Option<String>) -> Option<String> {
    of(analysis.run.as_ref()?)
}

/// GPUs of the trace, else of the run.
pub(super) fn devices(analysis: &Analysis) -> Vec<String> {
    let of_trace: Vec<String> = analysis
        .trace
        .iter()
        .flat_map(|trace| &trace.devices)
        .filter_map(|device| device.name.clone())
        .collect();
    if !of_trace.is_empty() {
        return of_trace;
    }
    analysis.run.iter().flat_map(|run| run.gpu.clone()).collect()
}

const SAME_MACHINE: &str =
    "compare runs of one machine in one state, or say that the machine is what is compared";

const CONDITIONS: &[Condition] = &[
    Condition {
        code: "tracing-differs",
        severity: Severity::Warning,
        what: "whether nsys traced the runs",
        of: |analysis| {
            Some(if analysis.trace.is_some() { "traced" } else { "not traced" }.to_owned())
        },
        remedy: "tracing costs time and energy: compare latency and energy of untraced runs, shares of traced ones",
    },
    Condition {
        code: "gpu-differs",
        severity: Severity::Warning,
        what: "the GPU",
        of: |analysis| Some(devices(analysis)).filter(|d| !d.is_empty()).map(|d| d.join(" + ")),
        remedy: SAME_MACHINE,
    },
    Condition {
        code: "clocks-differ",
        severity: Severity::Warning,
        what: "the clock settings",
        of: |analysis| {
            let clocks = &analysis.run.as_ref()?.clocks;
            let all: Vec<String> = clocks.iter().map(|(name, at)| format!("{name} {at}")).collect();
            (!all.is_empty()).then(|| all.join(", "))
        },
        remedy: "lock the clocks (nvidia-smi -lgc, jetson_clocks) and measure both sides again",
    },
    Condition {
        code: "power-mode-differs",
        severity: Severity::Warning,
        what: "the power mode",
        of: |analysis| run(analysis, |run| run.power_mode.clone()),
        remedy: SAME_MACHINE,
    },
    Condition {
        code: "driver-differs",
        severity: Severity::Warning,
        what: "the driver",
        of: |analysis| run(analysis, |run| run.driver.clone()),
        remedy: SAME_MACHINE,
    },
    Condition {
        code: "cuda-differs",
        severity: Severity::Info,
        what: "the CUDA version",
        of: |analysis| run(analysis, |run| run.cuda.clone()),
        remedy: "fine when the build is what is compared",
    },
    Condition {
        code: "nsys-differs",
        severity: Severity::Warning,
        what: "the version of nsys",
        of: |analysis| {
            let trace = analysis.trace.as_ref().and_then(|trace| trace.exporter_version.clone());
            trace.or_else(|| run(analysis, |run| run.nsys.clone()))
        },
        remedy: "profiler overhead differs between versions: trace both sides with one version",
    },
    Condition {
        code: "nsys-options-differ",
        severity: Severity::Warning,
        what: "the options of nsys",
        of: |analysis| {
            Some(analysis.run.as_ref()?.nsys_options.join(" ")).filter(|s| !s.is_empty())
        },
        remedy: "what is traced costs time: trace both sides with the same options",
    },
    Condition {
        code: "windows-differ",
        severity: Severity::Warning,
        what: "the window specification",
        of: |analysis| Some(analysis.windows.spec.clone()),
        remedy: "give the same --window on both sides, unless two phases are what is compared",
    },
    Condition {
        code: "instances-differ",
        severity: Severity::Info,
        what: "which instances were taken (--skip, --take)",
        of: |analysis| {
            let asked = analysis.asked.as_ref()?;
            Some(match (asked.skip, asked.take) {
                (0, None) => "all of them".to_owned(),
                (0, Some(take)) => format!("--take {take}"),
                (skip, None) => format!("--skip {skip}"),
                (skip, Some(take)) => format!("--skip {skip} --take {take}"),
            })
        },
        remedy: "fine when early and late windows are what is compared",
    },
    Condition {
        code: "rules-differ",
        severity: Severity::Warning,
        what: "the rule that says which kernels belong to a window",
        of: |analysis| Some(analysis.kernels.as_ref()?.rule.to_string()),
        remedy: "analyse both sides with the same --attribute",
    },
    Condition {
        code: "scope-differs",
        severity: Severity::Warning,
        what: "whose calls count (--own-thread, --attribute-process, --process, --thread, --unclosed)",
        of: |analysis| {
            let asked = analysis.asked.as_ref()?;
            Some(format!(
                "own thread {}, attributed {}, process {}, thread {}, unclosed ranges clipped {}",
                asked.own_thread,
                asked.attribute_process.as_deref().unwrap_or("own"),
                asked.process.as_deref().unwrap_or("any"),
                asked.thread.as_deref().unwrap_or("any"),
                asked.clip_unclosed
            ))
        },
        remedy: "analyse both sides with the same options",
    },
    Condition {
        code: "class-rules-differ",
        severity: Severity::Warning,
        what: "the file of kernel-class rules (by its hash)",
        of: |analysis| {
            let classes = &analysis.asked.as_ref()?.classes;
            let name = classes.path.as_deref().unwrap_or("shipped");
            Some(format!("{name} {}", classes.sha256.get(..12).unwrap_or(&classes.sha256)))
        },
        remedy: "classes of different rules are different classes: analyse both sides with one file",
    },
    Condition {
        code: "tool-differs",
        severity: Severity::Info,
        what: "the version of this program that made the analyses",
        of: |analysis| Some(analysis.tool.version.clone()),
        remedy: "analyse both sides again with one version",
    },
    Condition {
        code: "program-differs",
        severity: Severity::Info,
        what: "the program, its stack or its device",
        of: |analysis| {
            let run = analysis.run.as_ref()?;
            let parts = [&run.program, &run.stack, &run.device];
            let known: Vec<&str> = parts.iter().filter_map(|part| part.as_deref()).collect();
            (!known.is_empty()).then(|| known.join(", "))
        },
        remedy: "fine when the program is what is compared",
    },
];

fn hash(analysis: &Analysis) -> Option<&str> {
    analysis.trace.as_ref()?.sha256.as_deref()
}

/// A trace by its hash, else by its name; a run without a trace by its folder.
fn identity(analysis: &Analysis) -> Option<&str> {
    hash(analysis).or_else(|| analysis.source())
}

/// Whether two analyses look at common instances of one trace. Names alone do not say that two traces are
/// one; windows that begin and end at the same nanoseconds do.
fn share_windows(a: &Analysis, b: &Analysis) -> bool {
    if identity(a).is_none() || identity(a) != identity(b) {
        return false;
    }
    let surely = hash(a).is_some();
    let common = |x: &Instance, y: &Instance| {
        if surely {
            x.start_ns < y.end_ns && y.start_ns < x.end_ns
        } else {
            (x.start_ns, x.end_ns) == (y.start_ns, y.end_ns) && x.start_ns < x.end_ns
        }
    };
    a.windows.instances.iter().any(|x| b.windows.instances.iter().any(|y| common(x, y)))
}

fn same_windows(a: &[Analysis], b: &[Analysis]) -> Option<Finding> {
    let shared = a.iter().find(|x| b.iter().any(|y| share_windows(x, y)));
    if let Some(analysis) = shared {
        return Some(Finding::new(
            "same-windows-on-both-sides",
            Severity::Error,
            format!(
                "both sides hold the same time of {}: the groups are not independent",
                path(analysis)
            ),
            "name different traces, or different windows of one (--skip, --take, --window)",
        ));
    }
    let same =
        a.iter().find(|x| identity(x).is_some() && b.iter().any(|y| identity(x) == identity(y)))?;
    Some(Finding::new(
        "same-trace-on-both-sides",
        Severity::Info,
        format!(
            "both sides are windows of one trace, {}: order in time and effect cannot be told apart",
            path(same)
        ),
        "to compare builds, trace each of them, several times, in turn",
    ))
}

/// Refuses a side that holds something twice: its copies are not independent units.
pub(super) fn no_input_twice(side: &'static str, analyses: &[Analysis]) -> Result<(), PairError> {
    let mut places = analyses.iter().enumerate();
    let repeated = places.find(|(i, analysis)| {
        analyses[..*i]
            .iter()
            .any(|other| share_windows(analysis, other) || same_sums(analysis, other))
    });
    match repeated {
        Some((_, analysis)) => Err(PairError::Repeated { side, path: path(analysis) }),
        None => Ok(()),
    }
}

/// Units that come from one trace vary less than runs do.
fn parts_of_one_trace(side: &str, analyses: &[Analysis]) -> Option<Finding> {
    let again = |i: usize, one: &Analysis| {
        hash(one).is_some() && analyses[..i].iter().any(|other| hash(other) == hash(one))
    };
    let parts: Vec<&Analysis> =
        analyses.iter().enumerate().filter(|(i, one)| again(*i, one)).map(|(_, one)| one).collect();
    let first = parts.first()?;
    Some(
        Finding::new(
            "units-of-one-trace",
            Severity::Warning,
            format!(
                "side {side}: {} of its {} inputs are further windows of a trace that it holds already ({}): parts of one run \
                 are no repeats, so the intervals say nothing of the variation from run to run and may be too narrow",
                parts.len(),
                analyses.len(),
                path(first)
            ),
            "name a trace once, so that its windows are the units, or trace several runs",
        )
        .with("inputs", parts.len()),
    )
}

/// Whether two imports are the sums of one capture.
fn same_sums(a: &Analysis, b: &Analysis) -> bool {
    let hashes = |analysis: &Analysis| -> Option<Vec<String>> {
        Some(analysis.imported.as_ref()?.files.iter().map(|file| file.sha256.clone()).collect())
    };
    hashes(a).is_some_and(|of_a| Some(of_a) == hashes(b))
}
