//! Replayed unchanged, simulated windows take exactly as long as they took: one test for each kind of edge.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use nsys_attrib::classify::Classifier;
use nsys_attrib::replay::{Identity, Model, identities};
use nsys_attrib::trace::{Trace, WaitKind, source};
use nsys_attrib::windows::{Selection, Surroundings, WindowSpec, select};
use support::machine::{Do, Machine, Node, WINDOW, Worker, run};
use support::spec::TraceSpec;

/// Writes, reads and replays.
fn replayed(spec: &TraceSpec) -> Vec<Identity> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.sqlite");
    spec.write_sqlite(&path);
    let open = source::open(&path).unwrap();
    let trace = Trace::read(open.path(), open.connection()).unwrap();
    let rules = Classifier::shipped().unwrap();
    let around = Surroundings {
        messages: trace.ranges.texts(),
        read_file: &|_| Err(std::io::ErrorKind::NotFound.into()),
    };
    let windows = WindowSpec::parse(WINDOW, &around).unwrap();
    let set = select(&trace, WINDOW, &windows, &Selection::default()).unwrap();
    let (all, left_out) = identities(&Model::new(&trace, &rules), &set);
    assert!(left_out.is_empty(), "{left_out:?}");
    all
}

/// Every window is exact, and something was recomputed where it says so.
#[track_caller]
fn exact(spec: &TraceSpec, recomputed: bool) {
    let all = replayed(spec);
    assert!(!all.is_empty());
    for of in &all {
        assert_eq!(of.replayed_ns, of.recorded_ns, "{of:?}");
        if let Some((recorded, replayed)) = of.last_operation_ns {
            assert_eq!(replayed, recorded, "{of:?}");
        }
    }
    let any = all.iter().any(|of| of.recomputed_ns > 0);
    assert_eq!(any, recomputed, "{all:?}");
}

fn launch(stream: i64, gpu: i64) -> Do {
    Do::Launch { name: "k".into(), stream, cost: 5_000, gpu }
}

fn sync() -> Do {
    Do::SyncStream { stream: 7, cost: 4_000 }
}

/// Four times the same request, after one of single launches by which latencies are known.
fn four(machine: Machine, request: &[Do]) -> TraceSpec {
    let mut worker = Worker::new(machine);
    for stream in [7, 13, 14] {
        let single = [
            launch(stream, 3_000),
            Do::SyncDevice { cost: 4_000 },
            Do::CopyAsync { up: true, stream, cost: 6_000, gpu: 2_000 },
            Do::SyncDevice { cost: 4_000 },
            Do::SyncStream { stream, cost: 4_000 },
            Do::Copy { up: false, stream, lead: 5_000, gpu: 9_000, tail: 3_000 },
            Do::Graph {
                nodes: vec![Node {
                    name: "n".into(),
                    stream,
                    gpu: 2_000,
                    copy: None,
                    after: vec![],
                }],
                cost: 9_000,
            },
            Do::SyncDevice { cost: 4_000 },
        ];
        for _ in 0..3 {
            worker.between(&single);
        }
    }
    for _ in 0..4 {
        worker.request(request);
    }
    worker.finish()
}

fn in_both(request: &[Do], recomputed: bool) {
    for rows in [true, false] {
        exact(&four(Machine { rows, ..Machine::default() }, request), recomputed);
    }
}

#[test]
fn a_launch_leads_to_its_operation_and_a_stream_is_in_order() {
    let request = [
        Do::Host(9_000),
        launch(7, 30_000),
        Do::Host(2_000),
        launch(7, 40_000),
        sync(),
        Do::Host(700),
    ];
    in_both(&request, true);
}

#[test]
fn a_wait_for_nothing_is_what_it_was() {
    let request = [launch(7, 1_000), Do::Host(50_000), sync(), Do::Host(700)];
    in_both(&request, false);
}

#[test]
fn a_device_waits_for_all_of_its_streams() {
    let request = [
        launch(13, 90_000),
        Do::Host(2_000),
        launch(7, 20_000),
        Do::SyncDevice { cost: 4_000 },
        Do::Host(700),
    ];
    for slots in [1, 2] {
        exact(&four(Machine { slots, ..Machine::default() }, &request), true);
    }
}

#[test]
fn an_event_is_waited_for_by_a_thread() {
    let request = [
        launch(7, 60_000),
        Do::Record { stream: 7, event: 5, cost: 900 },
        launch(7, 80_000),
        Do::SyncEvent { event: 5, cost: 4_000 },
        Do::Host(3_000),
        launch(7, 10_000),
        sync(),
    ];
    in_both(&request, true);
}

#[test]
fn an_event_is_waited_for_by_a_stream() {
    let request = [
        launch(7, 60_000),
        Do::Record { stream: 7, event: 5, cost: 900 },
        Do::Wait { stream: 13, event: 5, cost: 700 },
        launch(13, 30_000),
        Do::Record { stream: 13, event: 6, cost: 900 },
        Do::Wait { stream: 7, event: 6, cost: 700 },
        launch(7, 20_000),
        sync(),
        Do::Host(700),
    ];
    for slots in [1, 2] {
        for rows in [true, false] {
            exact(&four(Machine { slots, rows, ..Machine::default() }, &request), true);
        }
    }
}

#[test]
fn a_blocking_copy_waits_for_its_stream_and_itself() {
    let copy = Do::Copy { up: false, stream: 7, lead: 5_000, gpu: 9_000, tail: 3_000 };
    in_both(&[launch(7, 90_000), launch(7, 50_000), copy.clone(), Do::Host(700)], true);
    in_both(&[Do::Host(700), copy, Do::Host(700)], false);
}

#[test]
fn copies_of_a_direction_share_an_engine() {
    let copy = |stream| Do::CopyAsync { up: true, stream, cost: 6_000, gpu: 70_000 };
    let request = [copy(7), copy(13), copy(14), Do::SyncDevice { cost: 4_000 }, Do::Host(700)];
    in_both(&request, true);
}

#[test]
fn a_full_queue_holds_launches_up() {
    let mut request: Vec<Do> = (0..60).flat_map(|_| [Do::Host(300), launch(7, 80_000)]).collect();
    request.extend([sync(), Do::Host(700)]);
    in_both_queues(&request);
}

fn in_both_queues(request: &[Do]) {
    for queue in [16, 40] {
        exact(&four(Machine { queue, ..Machine::default() }, request), true);
    }
}

#[test]
fn a_queue_that_was_filled_before_the_window_holds_it_up() {
    let mut worker = Worker::new(Machine { queue: 16, ..Machine::default() });
    let burst: Vec<Do> = (0..40).flat_map(|_| [Do::Host(300), launch(7, 80_000)]).collect();
    for _ in 0..4 {
        worker.between(&[launch(7, 3_000), sync()]);
        worker.between(&burst);
        let mut request = burst.clone();
        request.push(Do::Host(900));
        worker.request(&request);
        worker.between(&[sync()]);
    }
    exact(&worker.finish(), true);
}

#[test]
fn a_graph_is_one_launch_traced_whole_or_by_node() {
    let node = |gpu| Node { name: "n".into(), stream: 7, gpu, copy: None, after: vec![] };
    let nodes = vec![node(20_000), node(30_000), node(10_000)];
    let request = [Do::Host(2_000), Do::Graph { nodes, cost: 9_000 }, sync(), Do::Host(700)];
    in_both(&request, true);
    let whole = vec![node(60_000)];
    let request = [Do::Host(2_000), Do::Graph { nodes: whole, cost: 9_000 }, sync(), Do::Host(700)];
    exact(&four(Machine { whole_graphs: true, ..Machine::default() }, &request), true);
}

#[test]
fn what_was_under_way_at_the_start_goes_on() {
    let mut worker = Worker::new(Machine::default());
    for _ in 0..4 {
        worker.between(&[
            launch(7, 3_000),
            sync(),
            launch(7, 200_000),
            launch(7, 70_000),
            launch(13, 10_000),
        ]);
        worker.request(&[
            Do::Host(2_000),
            launch(7, 5_000),
            Do::SyncDevice { cost: 4_000 },
            Do::Host(700),
        ]);
    }
    exact(&worker.finish(), true);
}

#[test]
fn requests_in_a_row_are_exact() {
    let request = vec![
        Do::Host(9_000),
        launch(7, 30_000),
        Do::Host(2_000),
        launch(7, 40_000),
        sync(),
        Do::Host(700),
    ];
    let (lengths, spec) = run(Machine::default(), &vec![request; 6]);
    let all = replayed(&spec);
    assert_eq!(all.iter().map(|of| of.recorded_ns).collect::<Vec<_>>(), lengths);
    exact(&spec, true);
}

#[test]
fn rows_about_synchronisation_are_read_where_they_are() {
    let request = [
        launch(7, 60_000),
        Do::Record { stream: 7, event: 5, cost: 900 },
        Do::Wait { stream: 13, event: 5, cost: 700 },
        launch(13, 30_000),
        Do::SyncStream { stream: 13, cost: 4_000 },
        Do::SyncDevice { cost: 4_000 },
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.sqlite");
    for rows in [true, false] {
        let (_, spec) = run(Machine { rows, ..Machine::default() }, &[request.to_vec()]);
        spec.write_sqlite(&path);
        let open = source::open(&path).unwrap();
        let found = Trace::read(open.path(), open.connection()).unwrap().synchronization;
        let kinds: Vec<WaitKind> = found.waits.iter().map(|wait| wait.kind).collect();
        if rows {
            let wanted = [WaitKind::StreamForEvent, WaitKind::Stream, WaitKind::Context];
            assert_eq!(kinds, wanted, "in the order of the calls");
            assert_eq!((found.waits[0].stream, found.waits[0].event), (Some(13), Some(5)));
            assert_eq!((found.waits[2].stream, found.waits[2].event), (None, None));
            assert_eq!((found.records[0].stream, found.records[0].event), (7, 5));
        } else {
            assert!(kinds.is_empty() && found.records.is_empty());
        }
    }
}
