//! What was done and when, on the wall clock: the windows whose energy is asked for, and what ties a power
//! log to them.
//!
//! From a trace: `unix = utcEpochNs + t` (checked by [`anchor`]), the spans of the windows, when the GPU was
//! busy, NVTX ranges `power-sync` and `idle`, clock marks. From a run folder: the sidecar's requests and
//! phases, and the phases that the driver made (`idle-before`, `idle-after`, `power-sync`). All in unix ns.

use super::clock::align::Landmarks;
use super::clock::anchor::{self, AnchorFacts, EventBase};
use super::clock::{marks, pulse};
use crate::runs::RunFolder;
use crate::trace::Trace;
use crate::units::{Nanos, SessionClock, Span, UnixTime};
use crate::windows::WindowSet;

/// Name of an NVTX range, or of a phase, in which the program declares to do nothing.
const IDLE: &str = "idle";
/// Phases in which the driver does nothing.
const IDLE_OF_DRIVER: [&str; 2] = ["idle-before", "idle-after"];

/// What was done.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Work {
    /// The windows, in order.
    pub windows: Vec<(i64, i64)>,
    /// From the first to the last thing that was done.
    pub activity: (i64, i64),
    /// Share of the launched work inside the windows; `None` when it is not known.
    pub contained: Option<f64>,
    /// Whether nsys traced the run in which power was logged.
    pub traced: bool,
    /// Spans that the program declares idle, disjoint.
    pub idle: Vec<(i64, i64)>,
    /// What both clocks can be seen in.
    pub landmarks: Landmarks,
    /// Local minus UTC of the machine, in s.
    pub zone_s: Option<i64>,
}

/// Why a trace cannot be placed on the wall clock.
#[derive(Debug, thiserror::Error)]
pub enum NoWallClock {
    /// The export has no session start.
    #[error(
        "the export does not say when its session started (no TARGET_INFO_SESSION_START_TIME): a power log cannot \
         be placed beside it. Export the report again with a newer nsys"
    )]
    NoSession,
    /// The event times count from something else.
    #[error(
        "the event times of this export count from {0}, not from the session's start: export the report again \
         without shifting times"
    )]
    Shifted(&'static str),
}

impl Work {
    /// The work of a trace; `contained` is the share of the launched work inside the windows.
    ///
    /// # Errors
    /// [`NoWallClock`].
    pub fn of_trace(
        trace: &Trace,
        set: &WindowSet,
        contained: Option<f64>,
    ) -> Result<Self, NoWallClock> {
        let session = session(trace)?;
        let windows = unix_spans(session, set);
        let unix = |span: Span| on_wall(session, span);
        let busy = merged(trace.operations.ids().map(|op| unix(trace.operations.span(op))));
        let calls = trace.calls.ids().map(|call| unix(trace.calls.span(call)));
        let (pulses, idle) = (named(trace, session, pulse::NAME), named(trace, session, IDLE));
        let all = calls.chain([&busy, &windows, &pulses].into_iter().flatten().copied());
        let marks = marks::clock_marks(trace);
        let system = trace.about.system_clock_ns.map(|mono| session.start().as_unix_ns() - mono);
        Ok(Self {
            activity: extent(all),
            contained: contained.filter(|_| !set.projected),
            traced: true,
            idle,
            zone_s: trace.about.utc_offset_s,
            landmarks: Landmarks {
                mono_shift_ns: marks::mono_shift(&marks).or(system),
                busy,
                pulses,
                marks,
            },
            windows,
        })
    }
}

impl Work {
    /// The work of a run without a trace: its requests are the windows.
    pub fn of_run(run: &RunFolder, windows: Vec<(i64, i64)>) -> Self {
        let phases = phases(run);
        let acts = phases.iter().filter(|(name, _)| !is_idle(name)).map(|(_, span)| *span);
        let mut work = Self {
            activity: extent(acts.chain(windows.iter().copied())),
            windows,
            traced: run.traced(),
            ..Self::default()
        };
        work.declare(&phases);
        work
    }

    /// Adds what the driver and the program of a traced run declare.
    pub fn with_run(mut self, run: &RunFolder) -> Self {
        self.declare(&phases(run));
        self.traced = run.traced();
        self
    }

    fn declare(&mut self, phases: &[(String, (i64, i64))]) {
        let of = |wanted: &dyn Fn(&str) -> bool| -> Vec<(i64, i64)> {
            phases.iter().filter(|(name, _)| wanted(name)).map(|(_, span)| *span).collect()
        };
        let idle = self.idle.iter().copied().chain(of(&is_idle));
        self.idle = merged(idle);
        let pulses = self.landmarks.pulses.iter().copied();
        self.landmarks.pulses = merged(pulses.chain(of(&|name| name == pulse::NAME)));
    }
}

fn is_idle(name: &str) -> bool {
    name == IDLE || IDLE_OF_DRIVER.contains(&name)
}

/// The phases of driver and program.
fn phases(run: &RunFolder) -> Vec<(String, (i64, i64))> {
    let span = |start: UnixTime, end: UnixTime| (start.as_unix_ns(), end.as_unix_ns());
    let of_driver = run.manifest.iter().flat_map(|manifest| &manifest.phases);
    let of_program = run.sidecar.iter().flat_map(|sidecar| &sidecar.phases);
    of_driver
        .map(|phase| (phase.name.clone(), span(phase.start_unix_ns, phase.end_unix_ns)))
        .chain(
            of_program
                .map(|phase| (phase.name.clone(), span(phase.start_unix_ns, phase.end_unix_ns))),
        )
        .collect()
}

/// The requests of a run as windows, in order, without empty ones.
pub fn requests_of(run: &RunFolder) -> Vec<(i64, i64)> {
    let mut spans: Vec<(i64, i64)> = run
        .sidecar
        .iter()
        .flat_map(crate::runs::Sidecar::spans)
        .filter(|(_, length)| *length > Nanos::ZERO)
        .map(|(start, length)| (start.as_unix_ns(), start.as_unix_ns() + length.as_ns()))
        .collect();
    spans.sort_unstable();
    spans
}

/// The windows of a set on the wall clock, in order, without empty ones.
///
/// # Errors
/// [`NoWallClock`].
pub fn spans_of(trace: &Trace, set: &WindowSet) -> Result<Vec<(i64, i64)>, NoWallClock> {
    Ok(unix_spans(session(trace)?, set))
}

fn unix_spans(session: SessionClock, set: &WindowSet) -> Vec<(i64, i64)> {
    let mut spans: Vec<(i64, i64)> = set
        .windows
        .iter()
        .filter(|window| !window.span.is_empty())
        .map(|window| on_wall(session, window.span))
        .collect();
    spans.sort_unstable();
    spans
}

fn on_wall(session: SessionClock, span: Span) -> (i64, i64) {
    (session.to_unix(span.start()).as_unix_ns(), session.to_unix(span.end()).as_unix_ns())
}

/// The session's clock; event times must count from its start.
fn session(trace: &Trace) -> Result<SessionClock, NoWallClock> {
    let session = trace.about.session.ok_or(NoWallClock::NoSession)?;
    let spans = || trace.operations.ids().map(|op| trace.operations.span(op));
    let facts = AnchorFacts {
        utc_epoch_ns: session.start().as_unix_ns(),
        system_clock_ns: trace.about.system_clock_ns,
        duration_ns: trace.about.duration.map_or(0, Nanos::as_ns),
        first_ns: spans().map(Span::start_ns).min().unwrap_or(0),
        last_ns: spans().map(Span::end_ns).max().unwrap_or(0),
    };
    match anchor::base(facts) {
        EventBase::Relative | EventBase::RelativeAmbiguous => Ok(session),
        EventBase::SystemClock => Err(NoWallClock::Shifted("the system clock")),
        EventBase::Unix => Err(NoWallClock::Shifted("1970")),
    }
}

/// Closed NVTX ranges of exactly this name.
fn named(trace: &Trace, session: SessionClock, name: &str) -> Vec<(i64, i64)> {
    let Ok(text) = trace.ranges.texts().binary_search_by(|text| text.as_str().cmp(name)) else {
        return Vec::new();
    };
    let unix = |t| session.to_unix(t).as_unix_ns();
    merged(trace.ranges.ids().filter(|range| trace.ranges.text_index(*range) == text).filter_map(
        |range| Some((unix(trace.ranges.start(range)), unix(trace.ranges.end(range)?))),
    ))
}

/// From the first start to the last end; 0..0 of nothing.
fn extent(spans: impl Iterator<Item = (i64, i64)>) -> (i64, i64) {
    spans.reduce(|all, span| (all.0.min(span.0), all.1.max(span.1))).unwrap_or((0, 0))
}

/// Disjoint spans in time order.
pub fn merged(spans: impl Iterator<Item = (i64, i64)>) -> Vec<(i64, i64)> {
    let mut sorted: Vec<(i64, i64)> = spans.collect();
    sorted.sort_unstable();
    let mut found: Vec<(i64, i64)> = Vec::new();
    for (start, end) in sorted {
        match found.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => found.push((start, end)),
        }
    }
    found
}
