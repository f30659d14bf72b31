//! What bounds the windows, in one word, with the shares of wall that decided.
//!
//! A GPU busy for at least 80 % of wall is the bound itself. Otherwise the largest cause of idleness
//! names the bound, if it takes at least 40 % of wall and 1.5 times the next one; head and tail count
//! by their kinds.
//!
//! Windows that contain less than half of the work that they launched measure issuing, not latency: what
//! bounds their wall time is not what bounds that work, and no verdict is given. Runs of kernels begin and
//! end with one: that the GPU is busy in them is no finding, and bounds nothing.
//!
//! Busy and idle are of the attributed process. Where other processes use the GPU meanwhile, the words
//! say so: it is not the GPU that is idle then.

use super::document::{Gpu, Idle, IdleKinds, Verdict};
use crate::units::Share;
use crate::windows::WindowSet;

/// Busy share of wall from which the GPU is the bound.
const BUSY: f64 = 0.80;
/// Share of wall that a cause must take.
const CAUSE: f64 = 0.40;
/// How many times the next cause it must be.
const LEAD: f64 = 1.5;
/// Share of busy time in copies alone from which copies are the bound.
const COPIES: f64 = 0.50;

/// Share of the launched work that must lie inside its own window.
pub(super) const LEAST_CONTAINED: f64 = 0.5;

/// Why a verdict is not given.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Doubt {
    /// The windows contain this share of what they launched. Moved windows are where their work is.
    Elsewhere(Share),
    /// The windows were chosen for the kernels in them.
    BusyByConstruction,
}

/// Whether a verdict on these windows would say what it seems to say.
pub(super) fn doubt(set: &WindowSet, contained: Option<Share>, verdict: &Verdict) -> Option<Doubt> {
    if let Some(share) = contained.filter(|share| share.as_f64() < LEAST_CONTAINED)
        && !set.projected
    {
        return Some(Doubt::Elsewhere(share));
    }
    let by_busy = matches!(verdict.kind.as_str(), "gpu-bound" | "copy-bound");
    (set.kernel_runs && by_busy).then_some(Doubt::BusyByConstruction)
}

/// A cause of idleness, in ns.
struct Cause {
    kind: &'static str,
    what: String,
    ns: i64,
}

/// Decides; `None` without any operation in the windows.
pub(super) fn decide(wall_ns: i64, gpu: &Gpu, idle: &Idle) -> Option<Verdict> {
    let busy = Share::of(gpu.busy_ns.as_ns(), wall_ns)?;
    if busy.as_f64() <= 0.0 {
        return None;
    }
    let mut causes = causes(idle);
    causes.sort_by(|a, b| b.ns.cmp(&a.ns).then(a.kind.cmp(b.kind)));
    let mut because = vec![format!("GPU busy {busy} of wall (threshold {:.0} %)", BUSY * 100.0)];
    if busy.as_f64() >= BUSY {
        return Some(bound_by_gpu(gpu, busy, because));
    }
    let share = |ns: i64| ns as f64 / wall_ns as f64;
    for cause in &causes {
        because.push(format!("{} {:.1} % of wall", cause.what, share(cause.ns) * 100.0));
    }
    because.push(format!(
        "a cause decides from {:.0} % of wall and {LEAD} times the next",
        CAUSE * 100.0
    ));
    let elsewhere = idle.none_ns.as_ns()
        + [idle.unknown_ns, idle.head_by.unknown_ns, idle.tail_by.unknown_ns]
            .iter()
            .map(|time| time.as_ns())
            .sum::<i64>();
    because.extend(others(gpu, wall_ns));
    because.push(format!(
        "no operation in the window, or unknown, {:.1} % of wall",
        share(elsewhere) * 100.0
    ));
    let (first, second) = (causes.first()?, causes.get(1)?);
    let decided = share(first.ns) >= CAUSE && first.ns as f64 >= LEAD * second.ns as f64;
    let (kind, detail) = if decided {
        (
            first.kind,
            format!(
                "{:.1} % of wall passes in {} while the GPU is idle{}",
                share(first.ns) * 100.0,
                first.what,
                of_this_process(gpu, wall_ns)
            ),
        )
    } else if elsewhere > first.ns {
        (
            "mixed",
            format!(
                "{:.1} % of wall passes in windows without any operation, or for an unknown reason",
                share(elsewhere) * 100.0
            ),
        )
    } else {
        (
            "mixed",
            format!(
                "no single cause; the largest is {} with {:.1} % of wall",
                first.what,
                share(first.ns) * 100.0
            ),
        )
    };
    Some(Verdict { kind: kind.to_owned(), detail, because })
}

/// That other processes used the GPU meanwhile, and how long.
fn others(gpu: &Gpu, wall_ns: i64) -> Option<String> {
    let foreign = Share::of(gpu.foreign_busy_ns.as_ns(), wall_ns)?;
    let meanwhile = gpu.foreign_busy_ns.as_ns() > 0;
    meanwhile.then(|| {
        format!("other processes on the same GPU {foreign} of wall: idle is of this process alone")
    })
}

/// Whose idleness it is, where the GPU itself was not idle.
fn of_this_process(gpu: &Gpu, wall_ns: i64) -> String {
    match Share::of(gpu.foreign_busy_ns.as_ns(), wall_ns) {
        Some(foreign) if gpu.foreign_busy_ns.as_ns() > 0 => format!(
            " for this process alone: others keep it busy for {foreign} of wall, and may be what it waits for"
        ),
        _ => String::new(),
    }
}

fn bound_by_gpu(gpu: &Gpu, busy: Share, mut because: Vec<String>) -> Verdict {
    let copies = Share::of(gpu.copy_only_ns.as_ns(), gpu.busy_ns.as_ns());
    let by_copies = copies.is_some_and(|share| share.as_f64() > COPIES);
    if let Some(copies) = copies {
        because.push(format!("copies alone {copies} of busy (threshold {:.0} %)", COPIES * 100.0));
    }
    let (kind, detail) = if by_copies {
        (
            "copy-bound",
            format!(
                "the GPU is busy for {busy} of wall, mostly with copies and no kernel beside them"
            ),
        )
    } else {
        ("gpu-bound", format!("the GPU is busy for {busy} of wall"))
    };
    Verdict { kind: kind.to_owned(), detail, because }
}

fn causes(idle: &Idle) -> Vec<Cause> {
    let middle = IdleKinds {
        launch_ns: idle.launch_ns,
        queue_ns: idle.queue_ns,
        api_ns: idle.api_ns,
        sync_ns: idle.sync_ns,
        host_ns: idle.host_ns,
        unknown_ns: idle.unknown_ns,
        dispatch_ns: idle.dispatch_ns,
    };
    let parts = [middle, idle.head_by, idle.tail_by];
    let sum = |of: fn(&IdleKinds) -> i64| parts.iter().map(of).sum::<i64>();
    let launch = sum(|kinds| kinds.launch_ns.as_ns());
    let queue = sum(|kinds| kinds.queue_ns.as_ns());
    let dispatch = sum(|kinds| kinds.dispatch_ns.as_ns());
    let host = sum(|kinds| kinds.host_ns.as_ns()) - dispatch;
    let dominant = if launch + queue >= dispatch {
        "mostly launch calls and their latency"
    } else {
        "mostly dispatch between calls"
    };
    vec![
        Cause {
            kind: "launch-bound",
            what: format!("the launch path ({dominant})"),
            ns: launch + queue + dispatch,
        },
        Cause { kind: "host-bound", what: "host code other than dispatch".to_owned(), ns: host },
        Cause {
            kind: "sync-bound",
            what: "waiting in synchronising calls".to_owned(),
            ns: sum(|kinds| kinds.sync_ns.as_ns()),
        },
        Cause {
            kind: "api-bound",
            what: "other CUDA API calls".to_owned(),
            ns: sum(|kinds| kinds.api_ns.as_ns()),
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    fn gpu(busy: i64, copy_only: i64) -> Gpu {
        Gpu {
            busy_ns: Nanos::from_ns(busy),
            idle_ns: Nanos::from_ns(100 - busy),
            copy_only_ns: Nanos::from_ns(copy_only),
            foreign_busy_ns: Nanos::ZERO,
            by_device: Vec::new(),
            by_name: Vec::new(),
        }
    }

    fn kind(busy: i64, copy_only: i64, idle: &Idle) -> String {
        decide(100, &gpu(busy, copy_only), idle).unwrap().kind
    }

    #[test]
    fn a_busy_gpu_is_the_bound() {
        assert_eq!(kind(80, 40, &Idle::default()), "gpu-bound");
        assert_eq!(kind(80, 41, &Idle::default()), "copy-bound");
    }

    #[test]
    fn the_largest_cause_needs_its_share_and_its_lead() {
        let ns = Nanos::from_ns;
        let launch = Idle {
            launch_ns: ns(20),
            queue_ns: ns(10),
            host_ns: ns(30),
            dispatch_ns: ns(10),
            ..Idle::default()
        };
        assert_eq!(kind(40, 0, &launch), "launch-bound");
        let close = Idle { launch_ns: ns(40), host_ns: ns(27), ..Idle::default() };
        assert_eq!(kind(33, 0, &close), "mixed");
        let in_tail = Idle {
            tail_ns: ns(60),
            tail_by: IdleKinds { sync_ns: ns(60), ..IdleKinds::default() },
            ..Idle::default()
        };
        assert_eq!(kind(40, 0, &in_tail), "sync-bound");
    }

    #[test]
    fn idle_is_of_this_process_where_others_use_the_gpu() {
        let idle = Idle { launch_ns: Nanos::from_ns(60), ..Idle::default() };
        let alone = decide(100, &gpu(40, 0), &idle).unwrap();
        assert!(alone.detail.ends_with("while the GPU is idle"), "{}", alone.detail);
        let shared = Gpu { foreign_busy_ns: Nanos::from_ns(44), ..gpu(40, 0) };
        let beside = decide(100, &shared, &idle).unwrap();
        assert_eq!(beside.kind, "launch-bound");
        assert!(beside.detail.contains("idle for this process alone"), "{}", beside.detail);
        assert!(beside.because.iter().any(|line| line.contains("44.0 % of wall")));
    }

    #[test]
    fn runs_of_kernels_are_not_bound_by_being_runs_of_kernels() {
        let set = |spec: &str, projected, kernel_runs| WindowSet {
            spec: spec.to_owned(),
            windows: Vec::new(),
            whole_trace: false,
            projected,
            kernel_runs,
            findings: Vec::new(),
        };
        let busy = decide(100, &gpu(100, 0), &Idle::default()).unwrap();
        let none = Share::of(0, 10).unwrap();
        let runs = set("kernels:/a/", false, true);
        assert_eq!(doubt(&runs, Some(none), &busy), Some(Doubt::Elsewhere(none)));
        assert_eq!(doubt(&runs, None, &busy), Some(Doubt::BusyByConstruction));
        let idle = Idle { launch_ns: Nanos::from_ns(60), ..Idle::default() };
        let launch = decide(100, &gpu(40, 0), &idle).unwrap();
        assert_eq!(doubt(&runs, None, &launch), None);
        assert_eq!(doubt(&set("gpu:a", true, false), Some(none), &busy), None);
        assert_eq!(doubt(&set("a", false, false), Some(none), &busy), Some(Doubt::Elsewhere(none)));
    }

    #[test]
    fn without_operations_there_is_no_verdict() {
        assert!(decide(100, &gpu(0, 0), &Idle::default()).is_none());
    }
}
