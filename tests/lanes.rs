//! The lanes of a window against its analysis: the same idle pieces, the same busy time, the same
//! calls, exact to the nanosecond; and rows on which nothing overlaps.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeMap;
use std::path::Path;

use nsys_attrib::attribution::document::{Idle, Instance};
use nsys_attrib::attribution::{Analyzer, Cause, Lanes, Options, Place};
use nsys_attrib::classify::Classifier;
use nsys_attrib::trace::{Trace, source};
use nsys_attrib::units::Nanos;
use nsys_attrib::windows::{Selection, Surroundings, WindowSpec, select};
use support::shared::shared_trace;

const EAGER: &str = "fixtures/traces/wno-request/eager-450.sqlite.zst";

/// Every window of a specification: its lanes beside its numbers.
fn lanes_and_instances(path: &Path, spec: &str) -> (bool, Vec<(Lanes, Instance)>) {
    let open = source::open(path).unwrap();
    let trace = Trace::read(open.path(), open.connection()).unwrap();
    let rules = Classifier::shipped().unwrap();
    let around = Surroundings { messages: trace.ranges.texts(), read_file: &|_| unreachable!() };
    let parsed = WindowSpec::parse(spec, &around).unwrap();
    let set = select(&trace, spec, &parsed, &Selection::default()).unwrap();
    let analyzer = Analyzer::new(&trace, &rules);
    let how = Options::default();
    let instances = analyzer.analyze(&set, &how).windows.instances;
    let lanes = analyzer.lanes(&set, &how);
    assert_eq!(lanes.len(), instances.len());
    (set.whole_trace, lanes.into_iter().zip(instances).collect())
}

/// The idle block of the analysis, added up from the pieces.
fn summed(lanes: &Lanes) -> Idle {
    let sum = |place: Place, cause: Cause| {
        lanes.idle_ns(|piece| piece.place == place && piece.cause == cause)
    };
    let middle = |cause| sum(Place::Middle, cause);
    let edge = |place| {
        let by = nsys_attrib::attribution::document::IdleKinds {
            launch_ns: sum(place, Cause::Launch),
            queue_ns: sum(place, Cause::Queue),
            api_ns: sum(place, Cause::Api),
            sync_ns: sum(place, Cause::Sync),
            host_ns: sum(place, Cause::Host),
            unknown_ns: sum(place, Cause::Unknown),
            dispatch_ns: lanes.idle_ns(|piece| piece.place == place && piece.dispatch),
        };
        (lanes.idle_ns(|piece| piece.place == place), by)
    };
    let ((head_ns, head_by), (tail_ns, tail_by)) = (edge(Place::Head), edge(Place::Tail));
    Idle {
        none_ns: middle(Cause::None),
        head_ns,
        tail_ns,
        launch_ns: middle(Cause::Launch),
        queue_ns: middle(Cause::Queue),
        api_ns: middle(Cause::Api),
        sync_ns: middle(Cause::Sync),
        host_ns: middle(Cause::Host),
        unknown_ns: middle(Cause::Unknown),
        dispatch_ns: lanes.idle_ns(|piece| piece.place == Place::Middle && piece.dispatch),
        head_by,
        tail_by,
    }
}

#[track_caller]
fn check(path: &Path, spec: &str) -> usize {
    let (whole, windows) = lanes_and_instances(path, spec);
    for (lanes, instance) in &windows {
        let of = format!("{} {spec} #{}", path.display(), instance.index);
        assert_eq!(lanes.window.index, instance.index, "{of}");
        assert_eq!(summed(lanes), instance.idle, "{of}: idle");
        let busy: Nanos = lanes.busy().iter().map(|span| span.length()).sum();
        assert_eq!(busy, instance.busy_ns, "{of}: busy");
        let ends: Vec<i64> = lanes
            .idle
            .iter()
            .flat_map(|piece| [piece.start_ns.as_ns(), piece.end_ns.as_ns()])
            .collect();
        assert!(ends.is_sorted(), "{of}: idle pieces overlap");
        assert!(lanes.idle.iter().all(|piece| piece.start_ns < piece.end_ns), "{of}");
        let window = lanes.window.span();
        assert!(ends.first().is_none_or(|first| *first >= window.start_ns()), "{of}");
        assert!(ends.last().is_none_or(|last| *last <= window.end_ns()), "{of}");
        if !whole && lanes.window.cpu_start_ns == lanes.window.start_ns {
            let calls = lanes.calls.len() as u64;
            assert_eq!(calls, instance.calls, "{of}: calls");
        }
        rows_are_free(lanes, &of);
        let text = serde_json::to_string(lanes).unwrap();
        assert_eq!(&serde_json::from_str::<Lanes>(&text).unwrap(), lanes, "{of}: round trip");
    }
    windows.len()
}

/// No two slices of a row overlap, and every row that a lane announces is used.
fn rows_are_free(lanes: &Lanes, of: &str) {
    let mut ends: BTreeMap<(char, usize, usize), i64> = BTreeMap::new();
    let mut place = |kind, lane, row, start: i64, end: i64| {
        let before = ends.insert((kind, lane, row), end);
        assert!(
            before.is_none_or(|before| before <= start),
            "{of}: {kind} {lane} {row} at {start}"
        );
    };
    for call in &lanes.calls {
        place('c', call.thread, call.row, call.start_ns.as_ns(), call.end_ns.as_ns());
    }
    for range in &lanes.ranges {
        let end = range.end_ns.map_or(i64::MAX, nsys_attrib::units::TraceTime::as_ns);
        place('r', range.thread, range.row, range.start_ns.as_ns(), end);
    }
    for op in &lanes.operations {
        place('o', op.stream, op.row, op.start_ns.as_ns(), op.end_ns.as_ns());
    }
    for (at, lane) in lanes.threads.iter().enumerate() {
        let used = |kind| ends.keys().filter(|key| key.0 == kind && key.1 == at).count();
        assert_eq!((used('c'), used('r')), (lane.call_rows, lane.range_rows), "{of}");
    }
    for (at, lane) in lanes.streams.iter().enumerate() {
        let used = ends.keys().filter(|key| key.0 == 'o' && key.1 == at).count();
        assert_eq!(used, lane.rows, "{of}");
    }
}

#[test]
fn bundled_requests_agree_with_their_analysis() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(EAGER);
    assert_eq!(check(&path, "latency"), 20);
    assert_eq!(check(&path, "gpu:latency"), 20);
    assert_eq!(check(&path, "all"), 1);
}

#[test]
fn odd_fixtures_agree_with_their_analysis() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/traces");
    let mut checked = 0;
    for behaviour in std::fs::read_dir(&folder).unwrap() {
        let Ok(files) = std::fs::read_dir(behaviour.unwrap().path()) else { continue };
        for file in files {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if name.contains(".sqlite") && source::open(&path).is_ok() {
                let open = source::open(&path).unwrap();
                let trace = Trace::read(open.path(), open.connection()).unwrap();
                let texts = trace.ranges.texts().to_vec();
                drop((open, trace));
                if texts.iter().any(|text| text == "latency") {
                    checked += check(&path, "latency");
                }
            }
        }
    }
    assert!(checked > 20, "{checked} windows");
}

#[test]
fn real_traces_agree_with_their_analysis() {
    for (name, specs) in [
        ("resnet-pytorch-a4500-nsys2024.6-nvtx", ["forward", "gpu:forward", "all"].as_slice()),
        ("dnn-multistream-titanrtx-export2022.4", &["all", "api:cudaMemcpy"]),
        ("nccl-2xh100-nsys2026.2-slice", &["all"]),
        ("train-2xh100-nsys2026.2-1s-slice", &["all", "time:0.2s..0.5s"]),
        ("unifiedmem-rtx3060-nsys2024.5", &["all"]),
        ("vecadd-4streams-t4-nsys2022.4", &["all"]),
    ] {
        let Some(path) = shared_trace(name) else { continue };
        for spec in specs {
            check(&path, spec);
        }
    }
}
