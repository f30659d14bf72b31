//! The class of every kernel of a trace: by its name, unless the kernels around it say otherwise.

use super::class_times::Columns;
use super::in_order::InOrder;
use crate::classify::{
    Assignment, ClassId, Classifier, ContextAssignment, ContextOp, ContextPart, ContextRule,
};
use crate::trace::{Label, OpId, ThreadId, Trace};
use crate::units::Span;
use crate::windows::intervals::Sweep;

/// The class of each kernel.
pub struct KernelClasses {
    by_label: Vec<Option<ClassId>>,
    /// Kernels whose class the context changed, in order.
    by_context: Vec<(OpId, ContextAssignment)>,
}

impl KernelClasses {
    /// Classifies the kernels of a trace.
    pub fn of(trace: &Trace, rules: &Classifier) -> Self {
        let assignments: Vec<_> = trace
            .operations
            .labels()
            .iter()
            .map(|label| match label {
                Label::Kernel { demangled, short } => Some(rules.classify(demangled, short)),
                _ => None,
            })
            .collect();
        let in_convolution = ConvolutionLaunches::of(trace);
        let telling = telling_kernels(trace, rules, &assignments, &in_convolution);
        let contexts = telling.iter().filter_map(|op| {
            let label = trace.operations.label_index(*op);
            Some(ContextOp {
                stream: trace.operations.queue_index(*op) as u32,
                name: label as u32,
                grid: trace.operations.grid(*op).map_or((0, 0, 0), |grid| grid.blocks),
                by_name: assignments[label]?,
                in_cudnn_convolution: in_convolution.holds(trace, *op),
            })
        });
        let in_context = rules.reclassify_in_context(contexts);
        let by_context =
            telling.iter().zip(in_context).filter_map(|(op, found)| Some((*op, found?))).collect();
        Self {
            by_label: assignments.iter().map(|found| found.map(|found| found.class)).collect(),
            by_context,
        }
    }

    /// The class of an operation and whether context decided it; `None` for anything but kernels.
    pub fn class(&self, trace: &Trace, op: OpId) -> Option<(ClassId, bool)> {
        let by_name = self.by_label[trace.operations.label_index(op)]?;
        match self.by_context.binary_search_by_key(&op, |entry| entry.0) {
            Ok(at) => Some((self.by_context[at].1.class, true)),
            Err(_) => Some((by_name, false)),
        }
    }

    /// Every class that a kernel of the trace has.
    pub(super) fn columns(&self) -> Columns {
        let by_context = self.by_context.iter().map(|(_, found)| found.class);
        Columns::of(self.by_label.iter().flatten().copied().chain(by_context).collect())
    }

    /// The classes of kernels that come in order.
    pub(super) fn in_order(&self) -> ClassWalk<'_> {
        ClassWalk { by_label: &self.by_label, by_context: InOrder::over(&self.by_context) }
    }

    /// The rule of context that decided the class of an operation, if one did.
    pub fn context_rule(&self, op: OpId) -> Option<ContextRule> {
        let at = self.by_context.binary_search_by_key(&op, |entry| entry.0).ok()?;
        Some(self.by_context[at].1.rule)
    }
}

/// [`KernelClasses::class`] for operations that come in order, which spares looking each one up.
pub(super) struct ClassWalk<'a> {
    by_label: &'a [Option<ClassId>],
    by_context: InOrder<'a, (OpId, ContextAssignment)>,
}

impl ClassWalk<'_> {
    /// The class of an operation with that label and whether context decided it; `None` for anything
    /// but kernels.
    #[inline]
    pub(super) fn class(&mut self, op: OpId, label: usize) -> Option<(ClassId, bool)> {
        let by_name = self.by_label[label]?;
        match self.by_context.find(op, |entry| entry.0) {
            Some((_, found)) => Some((found.class, true)),
            None => Some((by_name, false)),
        }
    }
}

/// The kernels that context looks at: those that start something, those of a convolution call, and of
/// the others those after one of these on their stream, up to the one that ends it. Most are none of
/// these.
fn telling_kernels(
    trace: &Trace,
    rules: &Classifier,
    assignments: &[Option<Assignment>],
    in_convolution: &ConvolutionLaunches,
) -> Vec<OpId> {
    let operations = &trace.operations;
    // By sort: the queue of its kernels and their part; `None` for what is no kernel.
    let kernels: Vec<Option<(u32, ContextPart)>> = operations
        .sorts()
        .iter()
        .map(|sort| {
            let by_name = assignments[sort.label as usize]?;
            Some((sort.queue, rules.part(by_name)))
        })
        .collect();
    let mut open = vec![false; operations.queues().len()];
    let mut telling = Vec::new();
    for op in operations.ids() {
        let Some((queue, part)) = kernels[operations.sort_index(op)] else { continue };
        let starts = part == ContextPart::Starts || in_convolution.holds(trace, op);
        let open = &mut open[queue as usize];
        if *open | starts {
            telling.push(op);
            *open = starts || part == ContextPart::Between;
        }
    }
    telling
}

/// The API calls that start inside a convolution call of cuDNN on the same thread.
struct ConvolutionLaunches {
    inside: Vec<bool>,
}

impl ConvolutionLaunches {
    fn of(trace: &Trace) -> Self {
        if trace.convolution_calls.is_empty() {
            return Self { inside: Vec::new() };
        }
        let mut inside = vec![false; trace.calls.len()];
        let mut threads: Vec<ThreadId> =
            trace.convolution_calls.iter().map(|call| call.thread).collect();
        threads.sort_unstable();
        threads.dedup();
        for thread in threads {
            let spans: Vec<Span> = trace
                .convolution_calls
                .iter()
                .filter(|call| call.thread == thread)
                .map(|call| call.span)
                .collect();
            let calls = trace
                .calls
                .ids()
                .filter(|call| trace.calls.thread(*call) == thread)
                .map(|call| (call, trace.calls.span(call).start_ns()));
            Sweep::over(&spans).starting(calls, |call, _| inside[call.index()] = true);
        }
        Self { inside }
    }

    fn holds(&self, trace: &Trace, op: OpId) -> bool {
        if self.inside.is_empty() {
            return false;
        }
        let cause = trace.links.cause(op);
        cause.is_some_and(|call| self.inside.get(call.index()).copied().unwrap_or(false))
    }
}
