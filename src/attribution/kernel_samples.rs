//! The document `nsys-attrib/kernel-samples/1`: duration and launch delay of every kernel that the
//! windows count.
//!
//! The analysis holds sums and quantiles; distributions are drawn from this. Kernels come under the
//! rule of the analysis with their counted time, so that the durations add up to its kernel time.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::classes::KernelClasses;
use super::document::{Tool, TraceAbout};
use super::rule::Rule;
use super::scope::{Meeting, Scope};
use crate::classify::Classifier;
use crate::trace::OpId;
use crate::units::Nanos;

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/kernel-samples/1";

/// The kernels of one set of windows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct KernelSamples {
    /// Always `nsys-attrib/kernel-samples/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// Which trace.
    pub trace: TraceAbout,
    /// The window specification, as typed.
    pub spec: String,
    /// How many windows.
    pub windows: usize,
    /// Which kernels belong to a window.
    pub rule: Rule,
    /// Class names.
    pub classes: Vec<String>,
    /// Every counted kernel, in the order of the rule.
    pub kernels: Vec<KernelSample>,
}

/// One kernel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct KernelSample {
    /// Place in `classes`.
    pub class: usize,
    /// Its counted time.
    pub duration_ns: Nanos,
    /// From the start of its launch call to its own; null when the call is not in the export.
    pub delay_ns: Option<Nanos>,
}

/// Collects the kernels of the windows.
pub(super) fn collect(
    scope: &Scope<'_>,
    rule: Rule,
    classes: &KernelClasses,
    rules: &Classifier,
    tool: Tool,
    about: TraceAbout,
) -> KernelSamples {
    let trace = scope.trace;
    let mut kernels = Vec::new();
    counted(scope, rule, |op, _, ns| {
        let Some((class, _)) = classes.class(trace, op) else { return };
        let delay = trace
            .links
            .cause(op)
            .map(|call| trace.operations.span(op).start() - trace.calls.span(call).start());
        let duration_ns = Nanos::from_ns(ns);
        kernels.push(KernelSample { class: class.index(), duration_ns, delay_ns: delay });
    });
    KernelSamples {
        schema: SCHEMA.to_owned(),
        tool,
        trace: about,
        spec: scope.set.spec.clone(),
        windows: scope.windows().len(),
        rule,
        classes: rules.class_names().to_vec(),
        kernels,
    }
}

/// Visits every operation that a rule counts, with the place of its window and its counted time in ns.
pub(super) fn counted(scope: &Scope<'_>, rule: Rule, mut visit: impl FnMut(OpId, usize, i64)) {
    let whole = |op| scope.trace.operations.span(op).length().as_ns();
    match rule {
        Rule::Launched => scope.operations_launched(|op, _, window| visit(op, window, whole(op))),
        Rule::Started => scope.operations_starting(|op, window| visit(op, window, whole(op))),
        Rule::Overlap => scope.operations_meeting(|Meeting { op, span, window, own, .. }| {
            if own {
                let inside = span.clip(scope.spans[window]);
                visit(op, window, inside.length().as_ns());
            }
        }),
    }
}
