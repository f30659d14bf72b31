//! Predictions against the truth: programs run by a machine of our own before and after a change.
//!
//! The machine (`support/machine.rs`) shares nothing with the replay. Its trace of the unchanged program is all that
//! the replay sees; the truth is what it takes for the changed program.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use nsys_attrib::attribution::document::Tool;
use nsys_attrib::classify::Classifier;
use nsys_attrib::replay::document::Replay;
use nsys_attrib::replay::{Change, Model, Question, whatif};
use nsys_attrib::trace::{Trace, source};
use nsys_attrib::windows::{Selection, Surroundings, WindowSpec, select};
use support::machine::{Do, KERNELS, Machine, Node, WINDOW, Worker, random_request};
use support::random::Dice;
use support::spec::TraceSpec;

const PROGRAMS: u64 = 200;
const WITHIN: f64 = 0.03;

/// What the replay predicts for each change.
fn predicted(spec: &TraceSpec, changes: &[&str]) -> Vec<Replay> {
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
    let model = Model::new(&trace, &rules);
    let ask = |text: &&str| {
        let question = Question {
            changes: vec![Change::parse(text, &rules).unwrap()],
            table: false,
            rates: Err("none".to_owned()),
            has_sidecar: false,
            tool: Tool { name: "test".to_owned(), version: "0".to_owned() },
            trace: None,
            jobs: std::num::NonZeroUsize::new(1),
        };
        whatif(&model, &set, &question).unwrap()
    };
    changes.iter().map(ask).collect()
}

/// Runs requests, after a warm-up that shows what every program's shows: a few launches that wait for one another.
fn run(machine: Machine, requests: &[Vec<Do>]) -> (Vec<i64>, TraceSpec) {
    let mut worker = Worker::new(machine);
    let launch = |gpu| Do::Launch { name: KERNELS[1].to_owned(), stream: 7, cost: 5_000, gpu };
    let copy = |up| Do::CopyAsync { up, stream: 7, cost: 6_000, gpu: 30_000 };
    let sync = Do::SyncStream { stream: 7, cost: 4_000 };
    for _ in 0..4 {
        worker.between(&[launch(90_000), launch(40_000), launch(40_000), sync.clone()]);
        worker.between(&[Do::Copy { up: true, stream: 7, lead: 5_000, gpu: 9_000, tail: 3_000 }]);
        worker.between(&[
            copy(true),
            launch(90_000),
            copy(true),
            copy(false),
            launch(40_000),
            sync.clone(),
        ]);
    }
    for request in requests {
        worker.request(request);
    }
    let lengths = worker.lengths.clone();
    (lengths, worker.finish())
}

/// Halves the cost of launching.
fn launches_halved(request: &[Do]) -> Vec<Do> {
    let mut all = request.to_vec();
    for what in &mut all {
        if let Do::Launch { cost, .. } = what {
            *cost = (*cost + 1) / 2;
        }
    }
    all
}

/// Halves the time of one class of kernels.
fn class_halved(request: &[Do]) -> Vec<Do> {
    let mut all = request.to_vec();
    for what in &mut all {
        if let Do::Launch { name, gpu, .. } = what
            && name == KERNELS[0]
        {
            *gpu = (*gpu + 1) / 2;
        }
    }
    all
}

/// One graph launch for everything between the first and the last host work, and one wait.
fn graphed(request: &[Do]) -> Vec<Do> {
    let mut nodes: Vec<Node> = Vec::new();
    let mut events: Vec<(i64, Vec<usize>)> = Vec::new();
    let mut open: Vec<(i64, usize)> = Vec::new();
    let push =
        |nodes: &mut Vec<Node>, open: &mut Vec<(i64, usize)>, name: &str, stream, gpu, copy| {
            let after =
                open.iter().filter(|(of, _)| *of == stream).map(|(_, node)| *node).collect();
            open.retain(|(of, _)| *of != stream);
            nodes.push(Node { name: name.to_owned(), stream, gpu, copy, after });
        };
    for what in request {
        match what {
            Do::Launch { name, stream, gpu, .. } => {
                push(&mut nodes, &mut open, name, *stream, *gpu, None);
            }
            Do::CopyAsync { up, stream, gpu, .. } | Do::Copy { up, stream, gpu, .. } => {
                push(&mut nodes, &mut open, "copy", *stream, *gpu, Some(*up));
            }
            Do::Record { stream, event, .. } => {
                let last = nodes.iter().rposition(|node| node.stream == *stream);
                let told = open.iter().filter(|(of, _)| of == stream).map(|(_, node)| *node);
                events.push((*event, last.into_iter().chain(told).collect()));
            }
            Do::Wait { stream, event, .. } => {
                let behind = events.iter().rev().find(|(of, _)| of == event);
                open.extend(
                    behind.into_iter().flat_map(|(_, nodes)| nodes).map(|node| (*stream, *node)),
                );
            }
            _ => {}
        }
    }
    let Some(Do::Host(before)) = request.first() else { panic!() };
    let Some(Do::Host(after)) = request.last() else { panic!() };
    vec![
        Do::Host(*before),
        Do::Graph { nodes, cost: 5_000 },
        Do::SyncDevice { cost: 4_000 },
        Do::Host(*after),
    ]
}

/// Uploads beside everything, downloads beside what follows them; the last wait is for all.
fn overlapped(request: &[Do]) -> Vec<Do> {
    const UP: i64 = 101;
    const DOWN: i64 = 102;
    let last_wait = request
        .iter()
        .rposition(|what| matches!(what, Do::SyncStream { .. } | Do::Copy { .. }))
        .unwrap();
    let mut all = Vec::new();
    let mut copied = false;
    for (at, what) in request.iter().enumerate() {
        match what {
            Do::CopyAsync { up: true, cost, gpu, .. } => {
                all.push(Do::CopyAsync { up: true, stream: UP, cost: *cost, gpu: *gpu });
                copied = true;
            }
            Do::Copy { up: true, lead, gpu, .. } => {
                all.push(Do::CopyAsync { up: true, stream: UP, cost: *lead, gpu: *gpu });
                copied = true;
            }
            Do::CopyAsync { up: false, stream, cost, gpu } => {
                // A join that costs the thread nothing.
                all.push(Do::Record { stream: *stream, event: 9_999, cost: 0 });
                all.push(Do::Wait { stream: DOWN, event: 9_999, cost: 0 });
                all.push(Do::CopyAsync { up: false, stream: DOWN, cost: *cost, gpu: *gpu });
                copied = true;
            }
            Do::SyncStream { cost, .. } if at == last_wait => {
                all.push(Do::SyncDevice { cost: *cost });
            }
            Do::SyncStream { cost, .. } if copied => {
                all.push(Do::Call { name: "none", cost: *cost });
            }
            Do::Launch { .. } => {
                copied = false;
                all.push(what.clone());
            }
            other => all.push(other.clone()),
        }
    }
    all
}

/// A change: how it is typed, and what it does to a program.
type Case = (&'static str, fn(&[Do]) -> Vec<Do>);

const CASES: [Case; 4] = [
    ("launch-cost x0.5", launches_halved),
    ("scale class:conv/plain 0.5", class_halved),
    ("graph", graphed),
    ("overlap-copies", overlapped),
];

fn machine(dice: &mut Dice) -> Machine {
    Machine {
        queue: dice.pick(&[12, 1_000]),
        slots: dice.pick(&[1, 1, 2]) as usize,
        rows: dice.once_in(2),
        ..Machine::default()
    }
}

fn mean(lengths: &[i64]) -> f64 {
    lengths.iter().sum::<i64>() as f64 / lengths.len() as f64
}

#[test]
fn predictions_hold_against_the_simulated_truth() {
    let mut worst = [0.0_f64; CASES.len()];
    let (mut made, mut refused) = (0, 0);
    let mut faults: Vec<String> = Vec::new();
    for seed in 0..PROGRAMS {
        let mut dice = Dice::new(seed);
        let machine = machine(&mut dice);
        let gpu = dice.pick(&[2_000, 6_000, 9_000, 14_000, 40_000]);
        let (launches, side) = (20 + dice.below(40), dice.pick(&[0, 0, 2]));
        let requests: Vec<Vec<Do>> =
            (0..4).map(|_| random_request(&mut dice, launches, gpu, side)).collect();
        let (before, spec) = run(machine, &requests);
        let texts: Vec<&str> = CASES.iter().map(|case| case.0).collect();
        for (at, replay) in predicted(&spec, &texts).into_iter().enumerate() {
            let Some(prediction) = replay.prediction else {
                refused += 1;
                println!("seed {seed}: refused: {:?}", replay.refused);
                continue;
            };
            let changed: Vec<Vec<Do>> =
                requests.iter().map(|request| CASES[at].1(request)).collect();
            let (truth, _) = run(machine, &changed);
            let found = prediction.outcome.lengths.mean_ns.as_ns() as f64;
            let off = (found - mean(&truth)) / mean(&truth);
            if off.abs() > worst[at].abs() {
                worst[at] = off;
            }
            made += 1;
            let fault = (off.abs() > WITHIN).then(|| format!(
                "seed {seed}, `{}`: predicted {found:.0}, true {:.0} ({:+.2} %), before {:.0}, {machine:?}, gpu {gpu}, \
                 side {side}",
                CASES[at].0,
                mean(&truth),
                100.0 * off,
                mean(&before)
            ));
            faults.extend(fault);
        }
    }
    println!("{made} predictions, worst {worst:?}");
    assert!(faults.is_empty(), "{} of {made}:\n{}", faults.len(), faults.join("\n"));
    assert_eq!(refused, 0, "the model must fit what it is told");
}

#[test]
fn nothing_gets_slower_when_something_gets_cheaper() {
    let cheaper = [
        "launch-cost x0.5",
        "launch-cost 100ns",
        "host x0.5",
        "host x0",
        "scale class:gemm 0.3",
        "remove class:elementwise",
        "gpu-clock x1.7",
        "scale kernel:/./ 0",
    ];
    for seed in 0..40 {
        let mut dice = Dice::new(1_000 + seed);
        let machine = Machine { slots: 1, ..machine(&mut dice) };
        let gpu = dice.pick(&[2_000, 9_000, 40_000]);
        let requests: Vec<Vec<Do>> =
            (0..3).map(|_| random_request(&mut dice, 30, gpu, 0)).collect();
        let (_, spec) = run(machine, &requests);
        for replay in predicted(&spec, &cheaper) {
            let prediction = replay.prediction.unwrap();
            for window in &prediction.by_window {
                assert!(
                    window.predicted_ns <= window.replayed_ns,
                    "seed {seed}, {:?}: {window:?}",
                    prediction.changes
                );
            }
        }
    }
}
