//! Lanes of windows as tracks of slices, for the viewers that people already use.
//!
//! Every track holds slices that nest properly (a slice lies wholly inside another or outside it); what
//! would cross another slice goes to a further track of the same name. Events that meet several windows
//! come once. Times are trace time in ns, as in the analysis.
//!
//! ```text
//!   windows "latency"   [latency 0--------------)   [latency 1-------)
//!   GPU idle            |launch|busy|queue|busy|…
//!   python3 / 17 NVTX     [block0----)
//!   python3 / 17 CUDA     [launch)  [sync--)
//!   GPU 0 / stream 7              [kernel)
//! ```

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::attribution::lanes_document::{CallSlice, OperationKind, OperationSlice, ThreadLane};
use crate::attribution::{Doing, Lanes};
use crate::units::{distinct, plain};

/// The longest name that is handed on, in characters.
const LONGEST: usize = 1000;

/// What a group of tracks belongs to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Home {
    /// What this program found out.
    Findings,
    /// A process of the CPU.
    Process {
        /// Its id.
        pid: i64,
        /// Its name.
        name: String,
    },
    /// A GPU.
    Gpu {
        /// CUDA's number.
        device: i64,
        /// Its name.
        name: String,
    },
}

/// Which track of a home.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// The windows.
    Windows,
    /// Why the GPU was idle.
    Idle,
    /// Ranges or calls of a thread.
    Thread {
        /// Its id.
        tid: i64,
        /// Its name.
        name: String,
        /// Ranges (false) or calls.
        calls: bool,
    },
    /// A stream.
    Stream {
        /// Of which process.
        process: i64,
        /// In which context.
        context: i64,
        /// Its number.
        stream: i64,
    },
}

/// A stretch of time with a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Slice {
    pub(super) start: i64,
    /// The longer first, where two start together.
    end: Reverse<i64>,
    pub(super) name: String,
    pub(super) category: &'static str,
    /// Further words: name and value.
    pub(super) notes: Vec<(&'static str, String)>,
    /// The number that a call shares with the operations that it caused.
    pub(super) flow: Option<u64>,
}

impl Slice {
    pub(super) const fn end(&self) -> i64 {
        self.end.0
    }
}

/// Slices that nest, by start.
#[derive(Clone, Debug)]
pub(super) struct Track {
    pub(super) home: Home,
    pub(super) name: String,
    pub(super) place: Place,
    pub(super) slices: Vec<Slice>,
}

/// The tracks of the windows.
pub(super) fn tracks(windows: &[Lanes]) -> Vec<Track> {
    let mut gathered = Gathered::default();
    // One name has one form in all windows.
    let all = windows.iter().flat_map(|lanes| &lanes.names);
    let names = distinct(all.map(String::as_str), LONGEST).shown;
    let mut names = names.as_slice();
    for lanes in windows {
        let (own, others) = names.split_at(lanes.names.len());
        gathered.add(lanes, own);
        names = others;
    }
    gathered.tracks()
}

/// A call or an operation, wherever it is seen: its track, start, end and name.
type Key = (Home, Place, i64, i64, String);

#[derive(Default)]
struct Gathered {
    /// How often a slice occurs in one window: the most of all windows.
    slices: BTreeMap<(Home, Place), BTreeMap<Slice, usize>>,
    /// The flow of each call that causes an operation.
    calls: BTreeMap<Key, u64>,
    /// The flow of each operation whose call is seen in some window.
    operations: BTreeMap<Key, u64>,
}

impl Gathered {
    fn add(&mut self, lanes: &Lanes, names: &[String]) {
        let mut own: BTreeMap<(Home, Place), BTreeMap<Slice, usize>> = BTreeMap::new();
        let mut put = |home: Home, place: Place, slice: Slice| {
            *own.entry((home, place)).or_default().entry(slice).or_default() += 1;
        };
        findings(lanes, names, &mut put);
        ranges(lanes, names, &mut put);
        let calls: Vec<(Home, Place, Slice)> = calls(lanes, names);
        for (at, (home, place, slice)) in operations(lanes, names).into_iter().enumerate() {
            if let Some((on, thread, call)) = lanes.operations[at].call.map(|call| &calls[call]) {
                let next = self.calls.len() as u64 + 1;
                let flow = *self.calls.entry(key(on, thread, call)).or_insert(next);
                self.operations.insert(key(&home, &place, &slice), flow);
            }
            put(home, place, slice);
        }
        for (home, place, slice) in calls {
            put(home, place, slice);
        }
        for (track, slices) in own {
            let known = self.slices.entry(track).or_default();
            for (slice, count) in slices {
                let most = known.entry(slice).or_default();
                *most = count.max(*most);
            }
        }
    }

    fn tracks(self) -> Vec<Track> {
        let mut tracks = Vec::new();
        for ((home, place), slices) in self.slices {
            let flows = match place {
                Place::Thread { calls: true, .. } => Some(&self.calls),
                Place::Stream { .. } => Some(&self.operations),
                _ => None,
            };
            let mut all: Vec<Slice> = Vec::new();
            for (mut slice, count) in slices {
                slice.flow =
                    flows.and_then(|flows| flows.get(&key(&home, &place, &slice)).copied());
                all.extend(std::iter::repeat_n(slice, count));
            }
            let name = name_of(&place);
            for slices in nested(all) {
                let (home, name, place) = (home.clone(), name.clone(), place.clone());
                tracks.push(Track { home, name, place, slices });
            }
        }
        tracks
    }
}

fn key(home: &Home, place: &Place, slice: &Slice) -> Key {
    (home.clone(), place.clone(), slice.start, slice.end(), slice.name.clone())
}

fn slice(
    (start, end): (i64, i64),
    name: &str,
    category: &'static str,
    notes: Vec<(&'static str, String)>,
) -> Slice {
    Slice { start, end: Reverse(end), name: plain(name, LONGEST), category, notes, flow: None }
}

/// The windows themselves, and busy and idle time inside them.
fn findings(lanes: &Lanes, names: &[String], put: &mut dyn FnMut(Home, Place, Slice)) {
    let window = &lanes.window;
    let times = (window.start_ns.as_ns(), window.end_ns.as_ns());
    let notes =
        vec![("spec", plain(&window.spec, LONGEST)), ("instance", window.index.to_string())];
    put(Home::Findings, Place::Windows, slice(times, &window.label, "window", notes));
    for piece in &lanes.idle {
        let times = (piece.start_ns.as_ns(), piece.end_ns.as_ns());
        let name = if piece.dispatch { "dispatch" } else { piece.cause.name() };
        let place = match piece.place {
            crate::attribution::Place::Head => "head",
            crate::attribution::Place::Middle => "middle",
            crate::attribution::Place::Tail => "tail",
        };
        let next = piece.next.map(|next| names[lanes.operations[next].name].clone());
        let mut notes = vec![("cause", piece.cause.name().to_owned()), ("place", place.to_owned())];
        notes.extend(next.map(|name| ("waits_for", name)));
        put(Home::Findings, Place::Idle, slice(times, name, "idle", notes));
    }
    for busy in lanes.busy() {
        let times = (busy.start_ns(), busy.end_ns());
        put(Home::Findings, Place::Idle, slice(times, "busy", "busy", Vec::new()));
    }
}

fn ranges(lanes: &Lanes, names: &[String], put: &mut dyn FnMut(Home, Place, Slice)) {
    let end_of_view = lanes.window.view().end_ns();
    for range in &lanes.ranges {
        let lane = &lanes.threads[range.thread];
        let mut notes: Vec<(&str, String)> = Vec::new();
        notes.extend(range.domain.iter().map(|domain| ("domain", plain(domain, LONGEST))));
        let end = range.end_ns.map_or_else(
            || {
                notes.push(("never_closed", "ends with the view".to_owned()));
                end_of_view
            },
            crate::units::TraceTime::as_ns,
        );
        let times = (range.start_ns.as_ns(), end);
        put(process(lane), thread(lane, false), slice(times, &names[range.name], "nvtx", notes));
    }
}

fn calls(lanes: &Lanes, names: &[String]) -> Vec<(Home, Place, Slice)> {
    let one = |call: &CallSlice| {
        let lane = &lanes.threads[call.thread];
        let kind = match call.kind {
            Doing::Launch => "launch",
            Doing::Sync => "sync",
            Doing::Api => "api",
        };
        let times = (call.start_ns.as_ns(), call.end_ns.as_ns());
        let notes = vec![("kind", kind.to_owned())];
        (process(lane), thread(lane, true), slice(times, &names[call.name], "cuda-api", notes))
    };
    lanes.calls.iter().map(one).collect()
}

fn operations(lanes: &Lanes, names: &[String]) -> Vec<(Home, Place, Slice)> {
    let one = |op: &OperationSlice| {
        let lane = &lanes.streams[op.stream];
        let name = lane.device_name.as_deref().map(|name| plain(name, LONGEST));
        let home = Home::Gpu { device: lane.device, name: name.unwrap_or_default() };
        let place = Place::Stream {
            process: lane.process.unwrap_or(-1),
            context: lane.context,
            stream: lane.stream,
        };
        let category = match op.kind {
            OperationKind::Kernel => "kernel",
            OperationKind::Copy => "copy",
            OperationKind::Memset => "memset",
            OperationKind::Graph => "graph",
        };
        let class = op.class.iter().map(|class| ("class", plain(class, LONGEST)));
        let times = (op.start_ns.as_ns(), op.end_ns.as_ns());
        (home, place, slice(times, &names[op.name], category, class.collect()))
    };
    lanes.operations.iter().map(one).collect()
}

fn process(lane: &ThreadLane) -> Home {
    let name = lane.process_name.as_deref().map(|name| plain(name, LONGEST)).unwrap_or_default();
    Home::Process { pid: lane.process.unwrap_or(-1), name }
}

fn thread(lane: &ThreadLane, calls: bool) -> Place {
    let name = lane.name.as_deref().map(|name| plain(name, LONGEST)).unwrap_or_default();
    Place::Thread { tid: lane.thread.unwrap_or(-1), name, calls }
}

fn name_of(place: &Place) -> String {
    match place {
        Place::Windows => "windows".to_owned(),
        Place::Idle => "GPU busy or idle, and why".to_owned(),
        Place::Thread { tid, name, calls } => {
            let what = if *calls { "CUDA API" } else { "NVTX" };
            if name.is_empty() { format!("{tid} {what}") } else { format!("{name} {tid} {what}") }
        }
        Place::Stream { process, context, stream } => {
            format!("stream {stream} (context {context}, process {process})")
        }
    }
}

/// Splits slices into lists within which they nest.
fn nested(slices: Vec<Slice>) -> Vec<Vec<Slice>> {
    let mut lists: Vec<(Vec<i64>, Vec<Slice>)> = Vec::new();
    for slice in slices {
        let place = lists.iter_mut().position(|(open, _)| {
            while open.last().is_some_and(|end| *end <= slice.start) {
                open.pop();
            }
            open.last().is_none_or(|end| slice.end() <= *end)
        });
        let place = place.unwrap_or_else(|| {
            lists.push((Vec::new(), Vec::new()));
            lists.len() - 1
        });
        let (open, list) = &mut lists[place];
        open.push(slice.end());
        list.push(slice);
    }
    lists.into_iter().map(|(_, list)| list).collect()
}
