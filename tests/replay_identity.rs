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
use nsys_attrib::windows::{ExplicitSpan, Selection, Surroundings, WindowSet, WindowSpec, select};
use support::shared::shared_trace;

/// Shared traces with kernels.
const TRACES: [&str; 16] = [
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
];

const SHORTEST_NS: i64 = 100_000;

fn read(name: &str) -> Option<Trace> {
    let open = source::open(&shared_trace(name)?).unwrap();
    Some(Trace::read(open.path(), open.connection()).unwrap())
}

/// The windows of a trace: its ranges, or ten equal spans of what is busy.
fn windows(trace: &Trace) -> WindowSet {
    let around = Surroundings {
        messages: trace.ranges.texts(),
        read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
    };
    let ranges = WindowSpec::parse("nvtx:/./", &around).unwrap();
    let mut found = select(trace, "nvtx:/./", &ranges, &Selection::default());
    if let Ok(set) = &mut found {
        set.windows.retain(|window| window.span.length().as_ns() >= SHORTEST_NS);
        if !set.windows.is_empty() {
            return found.unwrap();
        }
    }
    let first = trace.calls.ids().next().map_or(0, |call| {
        let causes = trace.operations.ids().filter_map(|op| trace.links.cause(op));
        causes.map(|call| trace.calls.span(call).start_ns()).min().unwrap_or_else(|| {
            trace.calls.span(call).start_ns()
        })
    });
    let last = trace.operations.ids().map(|op| trace.operations.span(op).end_ns()).max().unwrap();
    let step = (last - first) / 10;
    let csv: String = (0..10)
        .map(|i| format!("{},{}\n", first + i * step, first + (i + 1) * step))
        .collect();
    let around = Surroundings {
        messages: &[],
        read_file: &|_| Ok(format!("start_ns,end_ns\n{csv}")),
    };
    let spec = WindowSpec::parse("file:x.csv", &around).unwrap();
    select(trace, "file:x.csv", &spec, &Selection::default()).unwrap()
}

fn median(values: impl Iterator<Item = f64>) -> f64 {
    let mut all: Vec<f64> = values.map(f64::abs).collect();
    all.sort_by(f64::total_cmp);
    if all.is_empty() { 0.0 } else { all[all.len() / 2] }
}

fn worst(all: &[Identity]) -> Option<&Identity> {
    all.iter().max_by(|a, b| a.error().abs().total_cmp(&b.error().abs()))
}

#[test]
fn real_windows_take_as_long_as_they_took() {
    let rules = Classifier::shipped().unwrap();
    let mut left: BTreeMap<LeftOut, usize> = BTreeMap::new();
    for name in TRACES {
        let Some(trace) = read(name) else { return };
        let model = Model::new(&trace, &rules);
        let set = windows(&trace);
        let (all, left_out) = identities(&model, &set);
        let tested: Vec<Identity> =
            all.into_iter().filter(|of| of.operations > 0 && of.waits > 0).collect();
        let length = median(tested.iter().map(Identity::error));
        let last = median(tested.iter().filter_map(Identity::last_operation_error));
        let recomputed = median(tested.iter().map(Identity::recomputed));
        println!(
            "{name}: {} windows, error {length:.4}, last op {last:.4}, recomputed {recomputed:.2}, left out {left_out:?} {:?}",
            tested.len(), model.machine()
        );
        if let Some(worst) = worst(&tested) {
            println!("    worst: {} of {} ns: {:.4} last op {:?}", worst.window, worst.recorded_ns, worst.error(), worst.last_operation_error());
        }
        for (reason, count) in left_out {
            *left.entry(reason).or_default() += count;
        }
    }
    println!("{left:?}");
}
