//! The oracle against pencil and paper: traces small enough to work out by hand, named by their
//! geometry. In the drawings one character is 10 ns and `L` a launch call, `S` a synchronising one,
//! `#` a kernel; expectations follow from sections 3 to 7 of the definitions.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::Value;
use support::oracle::{Expected, Question, Rule, Tally, Which, Whose, compare, document, expected};
use support::schema::Generation;
use support::spec::{TraceSpec, Work, process, process_of, thread};

const LAUNCH: &str = "cudaLaunchKernel_v7000";
const SYNC: &str = "cudaStreamSynchronize_v3020";
const P: i64 = process(1);
const T: i64 = thread(1, 1);
const U: i64 = thread(1, 2);

fn empty() -> TraceSpec {
    TraceSpec::new(Generation::V3_13_2)
}

fn ask(spec: &TraceSpec) -> Expected {
    let answer = expected(spec, &Question::named("w")).unwrap();
    assert_eq!(answer.busy_ns + answer.parts.total(), answer.total_ns);
    answer
}

fn parts(answer: &Expected) -> Vec<(&str, i64)> {
    answer.parts.by_kind.iter().map(|(kind, time)| (*kind, *time)).filter(|p| p.1 > 0).collect()
}

fn tally(count: i64, time_ns: i64) -> Tally {
    Tally { count, time_ns, bytes: 0 }
}

/// ```text
/// t         0         10        20
/// w         [--------------------)
/// call      LL
/// kernel    ####
/// ```
/// Call and kernel start with the window: busy at once, no head. Afterwards nothing comes any more and
/// the thread makes no call: 16 characters of host, in the tail, no gap between calls.
#[test]
fn same_start() {
    let mut spec = empty();
    spec.range(T, "w", 0, 200);
    spec.call(T, LAUNCH, 0, 20, 1);
    spec.kernel(P, "k", 0, 40, 1);
    let answer = ask(&spec);
    assert_eq!(answer.rules, [tally(1, 40); 3]);
    assert_eq!((answer.busy_ns, parts(&answer)), (40, vec![("tail", 160)]));
    // After the kernel the launch call (until 20) is over.
    assert_eq!(answer.parts.tail_by.get("host"), Some(&160));
    assert_eq!(answer.parts.dispatch, (0, 0));
    assert_eq!(answer.contained, (40, 40));
    assert_eq!((answer.cover_ns, answer.tklqt()), (20, 0));
}

/// ```text
/// t         0         10        20
/// w         [--------------------)
/// w (inner)    [-----)                 collapses
/// cudaFree  LLLLLLLLLL                 100 of its own minus 20
/// inner        uu                      cuMemFree_v2, keeps its _v2
/// ```
#[test]
fn nested() {
    let mut spec = empty();
    spec.range(T, "w", 0, 200);
    spec.range(T, "w", 30, 80);
    spec.call(T, "cudaFree_v3020", 0, 100, 1);
    spec.call(T, "cuMemFree_v2", 30, 50, 2);
    let answer = ask(&spec);
    assert_eq!(answer.instances.len(), 1);
    let outer = answer.api["cudaFree"];
    assert_eq!((outer.time_ns, outer.self_ns), (100, 80));
    let inner = answer.api["cuMemFree_v2"];
    assert_eq!((inner.time_ns, inner.self_ns), (20, 20));
    assert_eq!((answer.api_total().time_ns, answer.cover_ns), (120, 100));
    assert_eq!(parts(&answer), vec![("none", 200)]);
}

/// ```text
/// t         0         10        20
/// w           [-------)
/// call       LLL                       starts before, ends inside
/// call              LLLL               starts inside, ends after
/// kernel 2             ######          launched inside, runs wholly after
/// kernel 1     ###                     launched before, starts with the window
/// ```
#[test]
fn spill() {
    let mut spec = empty();
    spec.range(T, "w", 20, 100);
    spec.call(T, LAUNCH, 10, 40, 1);
    spec.call(T, LAUNCH, 80, 120, 2);
    spec.kernel(P, "one", 20, 50, 1);
    spec.kernel(P, "two", 110, 170, 2);
    let answer = ask(&spec);
    assert_eq!(answer.rules, [tally(1, 60), tally(1, 30), tally(1, 30)]);
    assert_eq!(answer.contained, (0, 60));
    let launch = answer.launch_total();
    assert_eq!((launch.calls, launch.started, launch.time_ns), (2, 1, 20 + 20));
    // Busy 20..50; the rest is tail: host until the second launch at 80, then that launch.
    assert_eq!((answer.busy_ns, parts(&answer)), (30, vec![("tail", 50)]));
    assert_eq!(answer.parts.tail_by.get("host"), Some(&30));
    assert_eq!(answer.parts.tail_by.get("launch"), Some(&20));
    // The gap 40..80 lies between two calls, but 40..50 of it was busy.
    assert_eq!(answer.parts.dispatch, (0, 30));
}

/// ```text
/// t         0         10        20
/// w              [----)
/// calls     LLLLL     LLLLL            one ends where the window starts, one starts where it ends
/// kernels   #####     #####
/// ```
#[test]
fn touching() {
    let mut spec = empty();
    spec.range(T, "w", 50, 100);
    spec.call(T, LAUNCH, 10, 50, 1);
    spec.call(T, LAUNCH, 100, 150, 2);
    spec.kernel(P, "k", 10, 50, 1);
    spec.kernel(P, "k", 100, 150, 2);
    let answer = ask(&spec);
    assert_eq!(answer.rules, [tally(0, 0); 3]);
    assert_eq!(answer.api_total().calls, 0);
    assert_eq!(parts(&answer), vec![("none", 50)]);
}

/// ```text
/// t         0         10        20
/// w         [---------)                     and one of no length at 5
/// calls          |    |                     no length, at 5 (counts) and at 10 (does not)
/// kernels        |    |                     the same
/// ```
#[test]
fn zero_length() {
    let mut spec = empty();
    spec.range(T, "w", 0, 100);
    spec.range(U, "w", 50, 50);
    spec.call(T, LAUNCH, 50, 50, 1);
    spec.call(T, LAUNCH, 100, 100, 2);
    spec.kernel(P, "k", 50, 50, 1);
    spec.kernel(P, "k", 100, 100, 2);
    let answer = ask(&spec);
    assert_eq!(answer.instances.len(), 2);
    assert_eq!((answer.total_ns, answer.union_ns), (100, 100));
    let total = answer.api_total();
    assert_eq!((total.calls, total.started, total.time_ns), (1, 1, 0));
    assert_eq!(answer.rules, [tally(1, 0); 3]);
    // Head until the operation's instant, tail from it. At the instant itself the operation is still
    // "next" and its call is over (queue); from 51 on the next launch is to come at 100: host, in the
    // gap 50..100 between two calls. In the head the launch at 50 is to come, with no call before it.
    assert_eq!(parts(&answer), vec![("head", 50), ("tail", 50)]);
    assert_eq!(answer.parts.head_by.get("host"), Some(&50));
    assert_eq!(answer.parts.tail_by.get("queue"), Some(&1));
    assert_eq!(answer.parts.tail_by.get("host"), Some(&49));
    assert_eq!(answer.parts.dispatch, (0, 49));
}

/// ```text
/// t         0         10        20        30
/// w         [-----------------------------)
/// calls       LL       LLL                        1 at 20..40, 2 at 110..140
/// kernels       ###          ####                 40..70 and 170..210
/// part      hhll###hhhhlllqqq####ttttttttt
/// ```
#[test]
fn launch_queue_idle() {
    let mut spec = empty();
    spec.range(T, "w", 0, 300);
    spec.call(T, LAUNCH, 20, 40, 1);
    spec.call(T, LAUNCH, 110, 140, 2);
    spec.kernel(P, "k", 40, 70, 1);
    spec.kernel(P, "k", 170, 210, 2);
    let answer = ask(&spec);
    let middle = vec![("head", 40), ("host", 40), ("launch", 30), ("queue", 30), ("tail", 90)];
    assert_eq!(parts(&answer), middle);
    assert_eq!(answer.parts.head_by.get("host"), Some(&20));
    assert_eq!(answer.parts.head_by.get("launch"), Some(&20));
    // 70..110 lies in the gap 40..110 between the two calls.
    assert_eq!(answer.parts.dispatch.0, 40);
    assert_eq!(answer.delays, vec![20, 60]);
}

/// ```text
/// t         0         10        20        30
/// w         [-----------------------------)
/// calls     L SSSSSSSSSS  CCCCCCC                launch, wait, a copy that returns after its work
/// GPU         ####           ##        ##        kernel 20..60, copy 150..170, kernel 250..270
/// ```
/// The copy call (130..200) ends after its operation: synchronising by what it does. The launch of the
/// last kernel is at 240..250.
#[test]
fn sync_wait() {
    let mut spec = empty();
    spec.range(T, "w", 0, 300);
    spec.call(T, LAUNCH, 0, 10, 1);
    spec.call(T, SYNC, 20, 120, 2);
    spec.call(T, "cudaMemcpy_v3020", 130, 200, 3);
    spec.call(T, LAUNCH, 240, 250, 4);
    spec.kernel(P, "k", 20, 60, 1);
    spec.op(P, Work::upload(8), 150, 170, 3);
    spec.kernel(P, "k", 250, 270, 4);
    let answer = ask(&spec);
    // 60..120 the thread waits (sync); 120..130 host; 130..150 the copy's own call has begun: api, rule
    // 4 before rule 5; 170..200 the last kernel is next and the thread is still in the copy: sync;
    // 200..240 host; 240..250 launch. Head 0..10 launch, 10..20 queue. Tail 270..300.
    let all =
        vec![("api", 20), ("head", 20), ("host", 50), ("launch", 10), ("sync", 90), ("tail", 30)];
    assert_eq!(parts(&answer), all);
    assert_eq!(answer.parts.head_by.get("queue"), Some(&10));
    assert_eq!((answer.copies, answer.busy_ns), (Tally { count: 1, time_ns: 20, bytes: 8 }, 80));
    assert_eq!(answer.parts.dispatch, (50, 50));
}

/// ```text
/// t         0         10        20
/// w         [-------------------)
/// call      L
/// kernels    ##     ##    mm             kernel 10..30; an orphan 80..100; a migration 140..160
/// ```
#[test]
fn orphan_next() {
    let mut spec = empty();
    spec.range(T, "w", 0, 200);
    spec.call(T, LAUNCH, 0, 10, 1);
    spec.kernel(P, "k", 10, 30, 1);
    spec.kernel(P, "k", 80, 100, 99);
    spec.op(P, Work::Copy { kind: 11, bytes: 1 }, 140, 160, 0).correlation = None;
    let answer = ask(&spec);
    assert_eq!(parts(&answer), vec![("head", 10), ("tail", 40), ("unknown", 90)]);
    assert_eq!(answer.rules, [tally(1, 20), tally(2, 40), tally(2, 40)]);
    assert_eq!(answer.orphans, (1, 1));
    assert_eq!(answer.busy_ns, 60);
}

/// ```text
/// t         0         10        20
/// w         [-------------------)
/// device 0   #####                 ##      10..60, and one far behind the window
/// device 1      #####                      40..90
/// device 2                         #       only behind the window: not used, never "next"
/// ```
#[test]
fn two_devices() {
    let mut spec = empty();
    spec.range(T, "w", 0, 200);
    for id in 1..=4 {
        spec.call(T, LAUNCH, id, id + 1, id);
    }
    spec.kernel(P, "k", 10, 60, 1);
    spec.kernel(P, "k", 40, 90, 2).device = 1;
    spec.kernel(P, "k", 230, 250, 3);
    spec.kernel(P, "k", 220, 230, 4).device = 2;
    let answer = ask(&spec);
    assert_eq!(answer.busy_ns, 80);
    assert_eq!(answer.busy_by_device.into_iter().collect::<Vec<_>>(), vec![(0, 50), (1, 50)]);
    assert_eq!(parts_of_tail(&answer.parts.tail_by), vec![("queue", 110)]);
    assert_eq!(answer.rules, [tally(4, 130), tally(2, 100), tally(2, 100)]);
    assert_eq!((answer.contained, answer.streams), ((100, 130), (3, 3)));
}

fn parts_of_tail<'a>(by: &'a std::collections::BTreeMap<&'a str, i64>) -> Vec<(&'a str, i64)> {
    by.iter().map(|(kind, time)| (*kind, *time)).collect()
}

/// ```text
/// t         0         10        20
/// w         [-------------------)         process 1
/// mine       ##                           10..30
/// other        ####                       20..60, same correlation id, device 0
/// other         #######                   30..100, device 1: not a device of mine
/// ```
#[test]
fn foreign_process() {
    let (q, v) = (process(2), thread(2, 5));
    let mut spec = empty();
    spec.range(T, "w", 0, 200);
    spec.call(T, LAUNCH, 0, 10, 1);
    spec.call(v, LAUNCH, 5, 15, 1);
    spec.kernel(P, "k", 10, 30, 1);
    spec.kernel(q, "k", 20, 60, 1);
    spec.kernel(q, "k", 30, 100, 1).device = 1;
    let answer = ask(&spec);
    assert_eq!((answer.busy_ns, answer.foreign_busy_ns), (20, 40));
    assert_eq!(answer.rules, [tally(1, 20); 3]);
    assert_eq!(answer.api_total().calls, 1);
    let other = Question { whose: Whose::Process(q), ..Question::named("w") };
    let answer = expected(&spec, &other).unwrap();
    assert_eq!((answer.busy_ns, answer.foreign_busy_ns), (80, 20));
    assert_eq!(answer.rules, [tally(2, 110); 3]);
    let any = Question { whose: Whose::Any, ..Question::named("w") };
    assert_eq!(expected(&spec, &any).unwrap().rules, [tally(3, 130); 3]);
    assert_eq!(process_of(v), q);
}

/// The whole trace runs from the first counted start to the last counted end, has no edges, and what
/// follows the last operation has no cause.
#[test]
fn whole_trace() {
    let mut spec = empty();
    spec.range(T, "w", 0, 1000);
    spec.call(T, LAUNCH, 10, 20, 1);
    spec.kernel(P, "k", 40, 60, 1);
    spec.call(T, SYNC, 50, 90, 2);
    let answer = expected(&spec, &Question::new(Which::All)).unwrap();
    assert_eq!((answer.total_ns, answer.busy_ns), (80, 20));
    assert_eq!(parts(&answer), vec![("launch", 10), ("queue", 20), ("unknown", 30)]);
    assert_eq!(Question::new(Which::All).shown_rule(), Rule::Overlap);
}

/// Never closed: at the collection's end where that is known, else only where two ranges share it.
#[test]
fn unclosed() {
    let mut spec = empty();
    spec.range(T, "w", 0, 100);
    spec.range(T, "w", 200, 500);
    spec.call(T, LAUNCH, 10, 420, 1);
    assert_eq!(ask(&spec).total_ns, 400, "merely last: closed");
    spec.range(T, "x", 250, 500);
    assert_eq!(ask(&spec).total_ns, 100, "two share the last instant");
    spec.duration = Some(501);
    assert_eq!(ask(&spec).total_ns, 400, "the collection ended later");
    spec.duration = Some(500);
    let clip = Question { clip_unclosed: true, ..Question::named("w") };
    assert_eq!(expected(&spec, &clip).unwrap().total_ns, 100 + 220, "until the last event");
}

/// Five short launches, one that waits for a busy GPU and one that loads a module while it idles.
#[test]
fn long_launches() {
    let mut spec = empty();
    spec.range(T, "w", 0, 1000);
    for id in 1..=5 {
        spec.call(T, LAUNCH, id * 10, id * 10 + 2, id);
    }
    spec.call(T, LAUNCH, 100, 200, 6);
    spec.call(T, LAUNCH, 300, 400, 7);
    spec.kernel(P, "k", 105, 210, 1);
    let answer = ask(&spec);
    assert_eq!((answer.blocked_ns, answer.first_use_ns), (100, 100));
}

/// A projected window measures where its work ran.
#[test]
fn projected() {
    let mut spec = empty();
    spec.range(T, "w", 0, 100);
    spec.range(T, "w", 200, 300);
    spec.call(T, LAUNCH, 10, 20, 1);
    spec.kernel(P, "k", 150, 180, 1);
    let answer = expected(&spec, &Question::new(Which::Projected("w".into()))).unwrap();
    assert_eq!(answer.instances.len(), 1, "the second launches nothing");
    assert_eq!((answer.total_ns, answer.busy_ns, answer.contained), (30, 30, (30, 30)));
    assert_eq!(answer.api_total().time_ns, 10);
}

/// The oracle keeps its own books in order on any random trace: parts make the whole, self time and
/// cover never exceed time, and windows without crossings make the rules agree.
#[test]
fn books_balance_on_random_traces() {
    let mut answered = 0;
    for seed in 0..300 {
        let spec = support::random::trace(seed, 1 + seed as usize % 30);
        let question = support::random::question(seed, &spec);
        let Some(answer) = expected(&spec, &question) else { continue };
        answered += 1;
        assert_eq!(answer.busy_ns + answer.parts.total(), answer.total_ns, "seed {seed}");
        assert!(answer.api.values().all(|calls| calls.self_ns <= calls.time_ns), "seed {seed}");
        assert!(answer.delays.iter().all(|delay| *delay >= 0), "seed {seed}");
        assert!(answer.union_ns <= answer.total_ns, "seed {seed}");
        let clean = support::random::contained_trace(seed, 3);
        let answer = expected(&clean, &Question::named(support::random::WINDOW)).unwrap();
        assert_eq!(answer.rules[0], answer.rules[1]);
        assert_eq!(answer.rules[0], answer.rules[2]);
    }
    assert!(answered > 200, "{answered} of 300 questions have an answer");
}

/// Asking each distinct instant is as good as asking every nanosecond.
#[test]
fn distinct_instants_are_all_instants() {
    for seed in 0..60 {
        let spec = support::random::trace(seed, 1 + seed as usize % 8);
        let question = support::random::question(seed, &spec);
        let last = spec.calls.iter().map(|call| call.end).max().unwrap_or(0);
        if last > 100_000 {
            continue;
        }
        let every = Question { every_ns: true, ..question.clone() };
        assert_eq!(expected(&spec, &question), expected(&spec, &every), "seed {seed}");
    }
}

/// The comparison accepts the expectation's own document, and sees every number that is changed.
#[test]
fn the_comparison_sees_every_changed_number() {
    let mut changed = 0;
    for seed in 0..12 {
        let spec = support::random::trace(seed, 20);
        let Some(answer) = expected(&spec, &Question::named(support::random::WINDOW)) else {
            continue;
        };
        let sound = document(&answer);
        assert_eq!(compare(&answer, &sound), Ok(()), "seed {seed}");
        for path in numbers(&sound, "") {
            if path.ends_with("/bytes") {
                continue;
            }
            let mut wrong = sound.clone();
            let number = wrong.pointer_mut(&path).unwrap();
            *number = (number.as_f64().unwrap() as i64 + 1_000_003).into();
            assert!(compare(&answer, &wrong).is_err(), "seed {seed}: {path} was not looked at");
            changed += 1;
        }
    }
    assert!(changed > 500, "{changed} numbers changed");
}

/// The JSON pointers of all numbers.
fn numbers(value: &Value, at: &str) -> Vec<String> {
    match value {
        Value::Number(_) => vec![at.to_owned()],
        Value::Array(list) => {
            list.iter().enumerate().flat_map(|(i, v)| numbers(v, &format!("{at}/{i}"))).collect()
        }
        Value::Object(map) => {
            map.iter().flat_map(|(key, v)| numbers(v, &format!("{at}/{key}"))).collect()
        }
        _ => vec![],
    }
}

/// Random traces reach every kind of idleness, both long launches, foreign work, orphans, overlaps
/// and windows that spill: nothing is compared only as 0 with 0.
#[test]
fn random_traces_reach_every_number() {
    let mut seen = std::collections::BTreeMap::<&str, i64>::new();
    for seed in 0..200 {
        let spec = support::random::trace(seed, 5 + seed as usize % 35);
        let Some(answer) = expected(&spec, &Question::named(support::random::WINDOW)) else {
            *seen.entry("no instance").or_default() += 1;
            continue;
        };
        let mut note = |what, times: i64| *seen.entry(what).or_default() += i64::from(times > 0);
        for kind in ["none", "head", "tail", "launch", "queue", "api", "sync", "host", "unknown"] {
            note(kind, answer.parts.get(kind));
        }
        note("dispatch", answer.parts.dispatch.0);
        note("host that is no dispatch", answer.parts.get("host") - answer.parts.dispatch.0);
        note("blocked", answer.blocked_ns);
        note("first use", answer.first_use_ns);
        note("foreign", answer.foreign_busy_ns);
        note("orphans", answer.orphans.0);
        note("windows overlap", answer.total_ns - answer.union_ns);
        note("spill", answer.contained.1 - answer.contained.0);
        note("graphs", answer.graphs.count);
        note("copies", answer.copies.count);
        note("two devices", answer.busy_by_device.len() as i64 - 1);
        note("nested calls", answer.api_total().time_ns - answer.api_total().self_ns);
        note("rules differ", i64::from(answer.rules[0] != answer.rules[1]));
        note("empty window", i64::from(answer.instances.iter().any(|i| i.start_ns == i.end_ns)));
    }
    let rare: Vec<_> = seen.iter().filter(|(_, times)| **times < 3).collect();
    println!("{seen:#?}");
    assert!(rare.is_empty() && seen.len() == 24, "{} kinds, too rare: {rare:?}", seen.len());
}
