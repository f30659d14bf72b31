//! Replayed unchanged, real windows take as long as they took.
//!
//! Every closed NVTX range of at least 100 us with a launched operation and a wait, in every shared trace; ten
//! equal spans of the busy part where a trace has no NVTX. Without the shared folder it says that it was skipped.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeMap;

use nsys_attrib::classify::Classifier;
use nsys_attrib::replay::{Identity, LeftOut, Model, identities};
use nsys_attrib::trace::{Trace, source};
use nsys_attrib::units::{Nanos, Span};
use nsys_attrib::windows::{
    Attributed, Owner, Selection, Surroundings, Window, WindowSet, WindowSpec, select,
};
use support::shared::shared_trace;

/// Shared traces with kernels.
const TRACES: [&str; 17] = [
    "cloverleaf-a100-nsys2024.5",
    "darknet-xavier-jetson-export2022.4",
    "dnn-multistream-titanrtx-export2022.4",
    "flux-darknet53-gtx1650-qdrep2020-export2022.4",
    "keras-darknet53-gtx1650-qdrep2020-export2022.4",
    "nccl-2xh100-nsys2026.2-slice",
    "openmp-heat-t4-nsys2023.3-driverapi",
    "resnet-pytorch-a4500-nsys2024.6-nvtx",
    "saxpy-mpi-a100-nsys2022.2-cudabacktrace",
    "ssb-rtx6000-nsys2020-noversion",
    "ssb-rtx6000-nsys2021-noversion",
    "tensorrt-conv-rtx3090-nsys2023.1-nvtx",
    "tiny-rtx3080-nsys2026.1",
    "train-2xh100-nsys2026.2-1s-slice",
    "unifiedmem-rtx3060-nsys2024.5",
    "vecadd-4streams-t4-nsys2022.4",
    "vecadd-rtx3060-nsys2025.5.2",
];

const SHORTEST_NS: i64 = 100_000;
/// Median absolute error.
const WITHIN: f64 = 0.02;

fn read(name: &str) -> Option<Trace> {
    let open = source::open(&shared_trace(name)?).unwrap();
    Some(Trace::read(open.path(), open.connection()).unwrap())
}

/// Every closed range of some length, nested ones too.
fn ranges(trace: &Trace) -> Vec<Window> {
    let limit = trace.about.duration.map_or(i64::MAX, Nanos::as_ns);
    let closed = trace.ranges.ids().filter_map(|range| {
        let (start, end) = (trace.ranges.start(range).as_ns(), trace.ranges.end(range)?.as_ns());
        let process = trace.ranges.process(range, &trace.identities)?;
        (end < limit && end - start >= SHORTEST_NS)
            .then(|| (Span::from_ns(start, end), process, range))
    });
    closed
        .enumerate()
        .map(|(index, (span, process, range))| Window {
            index,
            span,
            cpu: span,
            owner: Some(Owner { process, thread: Some(trace.ranges.thread(range)) }),
            attributed: Attributed::Only(process),
            label: trace.ranges.text(range).to_owned(),
        })
        .collect()
}

/// Those ranges as a set.
fn set_of(windows: Vec<Window>) -> WindowSet {
    WindowSet {
        spec: "ranges".to_owned(),
        windows,
        whole_trace: false,
        projected: false,
        kernel_runs: false,
        findings: vec![],
    }
}

/// Ten equal spans of what is busy.
fn spans(trace: &Trace) -> WindowSet {
    let first = trace.calls.ids().next().map_or(0, |call| {
        let causes = trace.operations.ids().filter_map(|op| trace.links.cause(op));
        causes
            .map(|call| trace.calls.span(call).start_ns())
            .min()
            .unwrap_or_else(|| trace.calls.span(call).start_ns())
    });
    let last = trace.operations.ids().map(|op| trace.operations.span(op).end_ns()).max().unwrap();
    let step = (last - first) / 10;
    let csv: String =
        (0..10).map(|i| format!("{},{}\n", first + i * step, first + (i + 1) * step)).collect();
    let around =
        Surroundings { messages: &[], read_file: &|_| Ok(format!("start_ns,end_ns\n{csv}")) };
    let spec = WindowSpec::parse("file:x.csv", &around).unwrap();
    select(trace, "file:x.csv", &spec, &Selection::default()).unwrap()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.map(f64::abs).collect();
    all.sort_by(f64::total_cmp);
    if all.is_empty() { 0.0 } else { all[all.len() / 2] }
}

#[test]
fn real_windows_take_as_long_as_they_took() {
    let rules = Classifier::shipped().unwrap();
    let mut left: BTreeMap<LeftOut, usize> = BTreeMap::new();
    let mut tested_in_all = 0;
    for name in TRACES {
        let Some(trace) = read(name) else { return };
        let model = Model::new(&trace, &rules);
        let (all, mut left_out) = identities(&model, &set_of(ranges(&trace)));
        let mut tested: Vec<Identity> =
            all.into_iter().filter(|of| of.operations > 0 && of.waits > 0).collect();
        if tested.is_empty() {
            let (all, more) = identities(&model, &spans(&trace));
            tested = all;
            more.into_iter()
                .for_each(|(reason, count)| *left_out.entry(reason).or_default() += count);
        }
        let length = median(tested.iter().map(Identity::error));
        let last = median(tested.iter().filter_map(Identity::last_operation_error));
        let recomputed = median(tested.iter().map(Identity::recomputed));
        println!(
            "{name}: {} windows, median error {:.3} %, last operation {:.3} %, recomputed {:.0} % of wall, left out \
             {left_out:?}",
            tested.len(),
            100.0 * length,
            100.0 * last,
            100.0 * recomputed
        );
        if let Some(worst) =
            tested.iter().max_by(|a, b| a.error().abs().total_cmp(&b.error().abs()))
        {
            println!(
                "    worst: {:+.2} % of {} in window {}",
                100.0 * worst.error(),
                Nanos::from_ns(worst.recorded_ns),
                worst.window
            );
        }
        assert!(length <= WITHIN, "{name}: length {length}");
        assert!(last <= WITHIN, "{name}: last operation {last}");
        tested_in_all += tested.len();
        for (reason, count) in left_out {
            *left.entry(reason).or_default() += count;
        }
    }
    println!("{tested_in_all} windows; left out: {left:?}");
    assert!(tested_in_all > 100, "{tested_in_all}");
}
