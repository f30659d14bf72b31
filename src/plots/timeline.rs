//! One window as lanes: ranges and calls of the CPU threads, operations of the streams, and a strip that
//! says for every instant whether the GPU was busy or why it was not.
//!
//! ```text
//!   thread 17  ranges  [latency----------------]
//!              calls    ▌▌ ▌▌  ▌▌   ████████
//!   stream 7             ▆  ▆   ▆▆
//!   GPU                ▒▒█▒▒█▒▒▒██▒▒▒▒▒▒▒▒▒▒▒▒▒    busy, launch, queue, dispatch, …
//! ```
//!
//! Slices narrower than what can be printed are joined with their neighbour of the same colour. A path
//! through the events (a critical path) may be marked on the lanes.

use std::collections::BTreeMap;

use super::axis::{Axis, TimeUnit};
use super::caption::{definition, trace};
use super::figure::{Figure, PlotError};
use super::font;
use super::legend::Flow;
use super::palette::{self, ACCENT, PALE, Rgb};
use super::panel::{BELOW, Panel};
use super::scene::{Anchor, Scene, Text};
use super::size::{HAIR, HALF, MARGIN, PT, SMALL, Width};
use super::strip::{Placed, Strip};
use crate::attribution::lanes_document::{LaneWindow, OperationKind, OperationSlice};
use crate::attribution::{Cause, Doing, Lanes};
use crate::units::{Span, TraceTime};

/// Height of a row, mm.
const ROW: f64 = 3.1;
/// Height of the strip that says whether the GPU was busy, mm.
const GPU_ROW: f64 = 5.4;
/// From lane to lane.
const GAP: f64 = 0.9;
/// What the strip says of time that is not the window's.
const OUTSIDE: &str = "not analysed";
/// The name of that strip.
const GPU: &str = "GPU";
/// Threads and streams that are shown; more are named in the caption.
const THREADS: usize = 6;
const STREAMS: usize = 12;
/// Rows of one lane that are shown.
const ROWS: usize = 3;
/// Kernel classes that the legend names.
const CLASSES: usize = 10;

/// A lane of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// The calls of a thread, by its place in the document.
    Thread(usize),
    /// The operations of a stream, by its place in the document.
    Stream(usize),
}

/// A step of a marked path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// Where it happens.
    pub lane: Lane,
    /// When, on trace time.
    pub span: Span,
}

/// What to show of a window.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// The part of the window; the whole of it when not given.
    pub span: Option<Span>,
    /// A path to mark, in the order of time.
    pub path: Vec<Step>,
    /// What the path is, for the caption.
    pub path_name: String,
}

/// The lanes of one window.
///
/// # Errors
/// [`PlotError::Empty`] when the view has no length.
pub fn timeline(lanes: &Lanes, view: &View, width: Width) -> Result<Figure, PlotError> {
    let span = view.span.unwrap_or_else(|| extent(&lanes.window));
    if span.is_empty() {
        return Err(PlotError::Empty("the window has no length".to_owned()));
    }
    let plan = Plan::of(lanes, span);
    let origin = lanes.window.start_ns.as_ns();
    let unit = TimeUnit::of(span.length().as_ns() as f64);
    let place = |ns: i64| (ns - origin) as f64 / unit.ns;
    let names =
        plan.rows.iter().map(|row| font::width(&row.name, SMALL, false)).fold(0.0, f64::max);
    let left = MARGIN + names.min(width.mm() * 0.24) + 1.2;
    let legend = Flow::new(&legend(lanes, span), width.mm() - 2.0 * MARGIN);
    let bottom = MARGIN + plan.height;
    let mut scene = Scene::new(width.mm(), bottom + BELOW + 0.8 + legend.height() + MARGIN);
    let panel = Panel {
        left,
        right: width.mm() - MARGIN - 0.8,
        top: MARGIN,
        bottom,
        x: Axis::linear(place(span.start_ns()), place(span.end_ns())),
        y: Axis::linear(0.0, 1.0),
    };
    panel.draw_grid_across(&mut scene);
    let names: Vec<String> = plan.rows.iter().map(|row| row.name.clone()).collect();
    let names = font::cut_apart(&names, left - MARGIN - 1.2, SMALL, false).shown;
    for (row, name) in plan.rows.iter().zip(names) {
        let y = MARGIN + row.top;
        let text = Text::new(left - 1.0, y + row.height / 2.0 + HALF * SMALL / PT, SMALL, name);
        scene.text(text.anchored(Anchor::End));
        let slices: Vec<Placed<'_>> = row
            .slices
            .iter()
            .map(|slice| Placed {
                from: panel.across(place(slice.from)),
                to: panel.across(place(slice.to)),
                color: slice.color,
                name: &slice.name,
            })
            .collect();
        Strip { top: y, height: row.height, left: panel.left, right: panel.right }
            .draw(&mut scene, &slices);
    }
    mark(&mut scene, &panel, &plan, view, &place);
    panel.draw_below(&mut scene, &format!("time since the start of the window ({})", unit.name));
    legend.draw(&mut scene, MARGIN, bottom + BELOW + 0.8);
    Ok(Figure { title: title(lanes), caption: caption(lanes, &plan, view, span), scene })
}

/// The part that is drawn when none is named. The calls that caused a moved window's work are shown too
/// where they fill at least a third of the picture with it; else the picture is the work's.
fn extent(window: &LaneWindow) -> Span {
    let (all, own) = (window.view(), window.span());
    if own.is_empty() || all.length().as_ns() <= 3 * own.length().as_ns() { all } else { own }
}

/// Where the calls of a moved window are, when the picture does not reach them.
fn calls_elsewhere(window: &LaneWindow, span: Span) -> Option<String> {
    let calls = Span::new(window.cpu_start_ns, window.cpu_end_ns)?;
    if span.contains(calls) || window.span().contains(calls) {
        return None;
    }
    let from_start = |ns: TraceTime| (ns - window.start_ns).as_ns();
    let ms = |ns: i64| format!("{:.3}ms", ns as f64 / 1e6);
    let (from, to) = (from_start(window.cpu_start_ns), from_start(window.cpu_end_ns));
    let before = super::axis::time(-from as f64);
    Some(format!(
        " Its calls begin {before} before it and are not all shown; `--zoom {}..{}` shows them with the work.",
        ms(from),
        ms(to.max(from_start(window.end_ns)))
    ))
}

fn title(lanes: &Lanes) -> String {
    let window = &lanes.window;
    font::printable(&format!("Window {} of “{}”", window.index, window.spec))
}

fn caption(lanes: &Lanes, plan: &Plan, view: &View, span: Span) -> String {
    let window = &lanes.window;
    let mut caption = format!(
        "Instance {} of the windows “{}” of {}, {} long. Calls are coloured as the idle time that they cause, \
         kernels by class; the strip at the foot says whether the GPU was busy with the attributed process or why \
         it was idle. Where events are denser than can be printed, each column shows how its time was shared.",
        window.index,
        font::printable(&window.spec),
        trace(Some(&lanes.trace)),
        super::axis::time((window.end_ns - window.start_ns).as_ns() as f64),
    );
    if view.span.is_none() {
        caption.extend(calls_elsewhere(window, span));
    }
    if !view.path.is_empty() {
        caption += &format!(" The red line is {}.", font::printable(&view.path_name));
    }
    if !outside(lanes, span).is_empty() {
        caption += " Outside the window idle time is not analysed: there the strip is pale, whatever the GPU did.";
    }
    if !plan.left_out.is_empty() {
        caption += &format!(" Not shown: {}.", font::printable(&plan.left_out.join(", ")));
    }
    caption + " " + &definition("idle")
}

/// A slice of a row, on trace time.
struct Slice {
    from: i64,
    to: i64,
    color: Rgb,
    /// What may be written on it.
    name: String,
}

/// A row of the picture.
struct Row {
    name: String,
    top: f64,
    height: f64,
    slices: Vec<Slice>,
    lane: Option<Lane>,
}

/// All rows, from top to bottom.
struct Plan {
    rows: Vec<Row>,
    height: f64,
    /// What is not shown.
    left_out: Vec<String>,
}

impl Plan {
    fn of(lanes: &Lanes, span: Span) -> Self {
        let mut plan = Self { rows: Vec::new(), height: 0.0, left_out: Vec::new() };
        let several =
            |processes: Vec<Option<i64>>| processes.windows(2).any(|two| two[0] != two[1]);
        let many = several(lanes.threads.iter().map(|lane| lane.process).collect());
        for (place, lane) in lanes.threads.iter().enumerate().take(THREADS) {
            let thread = match (lane.thread, &lane.name) {
                (Some(tid), Some(name)) if !name.is_empty() => format!("{name} {tid}"),
                (Some(tid), _) => format!("thread {tid}"),
                (None, _) => "thread ?".to_owned(),
            };
            let process = lane.process.filter(|_| many).map(|pid| format!("{pid}/"));
            let thread = process.unwrap_or_default() + &thread;
            plan.ranges(lanes, place, span, &format!("{thread} NVTX"));
            plan.calls(lanes, place, span, &format!("{thread} CUDA"));
        }
        plan.more(lanes.threads.len().saturating_sub(THREADS), "thread");
        for place in 0..lanes.streams.len().min(STREAMS) {
            plan.operations(lanes, place, span);
        }
        plan.more(lanes.streams.len().saturating_sub(STREAMS), "stream");
        plan.idle(lanes, span);
        let open = lanes.ranges.iter().filter(|range| range.end_ns.is_none()).count();
        if open > 0 {
            let many = if open == 1 { "range that was" } else { "ranges that were" };
            plan.left_out.push(format!("{open} {many} never closed"));
        }
        plan
    }

    /// Says in the picture that there are more lanes than it shows.
    fn more(&mut self, count: usize, what: &str) {
        if count == 0 {
            return;
        }
        let many = if count == 1 { "" } else { "s" };
        let name = format!("{count} more {what}{many}");
        self.left_out.push(name.clone());
        let (top, slices) = (self.height, Vec::new());
        self.rows.push(Row { name, top, height: ROW, slices, lane: None });
        self.height += ROW + 0.2 + GAP;
    }

    /// Adds the rows of a lane that hold anything; the first has its name.
    fn lane(&mut self, name: &str, lane: Option<Lane>, mut rows: Vec<Vec<Slice>>) {
        rows.retain(|row| !row.is_empty());
        let deeper: usize = rows.iter().skip(ROWS).map(Vec::len).sum();
        if deeper > 0 {
            self.left_out.push(format!("{deeper} events of {name} below level {ROWS}"));
        }
        rows.truncate(ROWS);
        if rows.is_empty() {
            return;
        }
        for (i, slices) in rows.into_iter().enumerate() {
            let name = if i == 0 { name.to_owned() } else { format!("level {}", i + 1) };
            let height = if name == GPU { GPU_ROW } else { ROW };
            self.rows.push(Row { name, top: self.height, height, slices, lane });
            self.height += height + 0.2;
        }
        self.height += GAP;
    }

    fn ranges(&mut self, lanes: &Lanes, thread: usize, span: Span, name: &str) {
        let mut rows: Vec<Vec<Slice>> = Vec::new();
        rows.resize_with(lanes.threads[thread].range_rows, Vec::new);
        // Ranges that were never closed say nothing about the window.
        let closed = lanes.ranges.iter().filter(|range| range.end_ns.is_some());
        for range in closed.filter(|range| range.thread == thread) {
            let end = range.end_ns.unwrap_or(span.end()).as_ns();
            let color = palette::RANGE;
            let name = lanes.name(range.name).to_owned();
            add(&mut rows, range.row, span, (range.start_ns.as_ns(), end), color, name);
        }
        self.lane(name, None, rows);
    }

    fn calls(&mut self, lanes: &Lanes, thread: usize, span: Span, name: &str) {
        let mut rows: Vec<Vec<Slice>> = Vec::new();
        rows.resize_with(lanes.threads[thread].call_rows, Vec::new);
        for call in lanes.calls.iter().filter(|call| call.thread == thread) {
            let times = (call.start_ns.as_ns(), call.end_ns.as_ns());
            let name = lanes.name(call.name).to_owned();
            add(&mut rows, call.row, span, times, doing(call.kind), name);
        }
        self.lane(name, Some(Lane::Thread(thread)), rows);
    }

    fn operations(&mut self, lanes: &Lanes, stream: usize, span: Span) {
        let lane = &lanes.streams[stream];
        let mut rows: Vec<Vec<Slice>> = Vec::new();
        rows.resize_with(lane.rows, Vec::new);
        for op in lanes.operations.iter().filter(|op| op.stream == stream) {
            let times = (op.start_ns.as_ns(), op.end_ns.as_ns());
            let color = if lane.own { operation(op) } else { palette::OTHER };
            add(&mut rows, op.row, span, times, color, lanes.name(op.short).to_owned());
        }
        let devices = lanes.streams.iter().any(|other| other.device != lane.device);
        let device = if devices { format!("GPU {} ", lane.device) } else { String::new() };
        let foreign = if lane.own { "" } else { " (foreign)" };
        let name = format!("{device}stream {}{foreign}", lane.stream);
        self.lane(&name, Some(Lane::Stream(stream)), rows);
    }

    fn idle(&mut self, lanes: &Lanes, span: Span) {
        let mut slices: Vec<Slice> = lanes
            .idle
            .iter()
            .map(|piece| Slice {
                from: piece.start_ns.as_ns(),
                to: piece.end_ns.as_ns(),
                color: palette::idle(piece.cause, piece.dispatch),
                name: cause(piece.cause, piece.dispatch).to_owned(),
            })
            .collect();
        slices.extend(lanes.busy().iter().map(|busy| Slice {
            from: busy.start_ns(),
            to: busy.end_ns(),
            color: palette::BUSY,
            name: "busy".to_owned(),
        }));
        slices.retain(|slice| slice.to > span.start_ns() && slice.from < span.end_ns());
        // Blank would read as idle.
        slices.extend(outside(lanes, span).into_iter().map(|(from, to)| Slice {
            from,
            to,
            color: PALE,
            name: OUTSIDE.to_owned(),
        }));
        slices.sort_by_key(|slice| slice.from);
        self.lane(GPU, None, vec![slices]);
    }
}

/// The parts of the picture that do not belong to the window.
fn outside(lanes: &Lanes, span: Span) -> Vec<(i64, i64)> {
    let window = lanes.window.span();
    let before = (span.start_ns(), span.end_ns().min(window.start_ns()));
    let behind = (span.start_ns().max(window.end_ns()), span.end_ns());
    [before, behind].into_iter().filter(|(from, to)| from < to).collect()
}

fn add(
    rows: &mut [Vec<Slice>],
    row: usize,
    span: Span,
    (from, to): (i64, i64),
    color: Rgb,
    name: String,
) {
    if to > span.start_ns()
        && from < span.end_ns()
        && let Some(row) = rows.get_mut(row)
    {
        row.push(Slice { from, to, color, name });
    }
}

const fn doing(kind: Doing) -> Rgb {
    let cause = match kind {
        Doing::Launch => Cause::Launch,
        Doing::Sync => Cause::Sync,
        Doing::Api => Cause::Api,
    };
    palette::idle(cause, false)
}

fn operation(op: &OperationSlice) -> Rgb {
    match op.kind {
        OperationKind::Kernel => palette::class(op.class.as_deref().unwrap_or("unclassified")),
        OperationKind::Copy => palette::COPY,
        OperationKind::Memset => palette::MEMSET,
        OperationKind::Graph => palette::GRAPH,
    }
}

const fn cause(cause: Cause, dispatch: bool) -> &'static str {
    match cause {
        Cause::Host if dispatch => "dispatch",
        Cause::Host => "other host",
        Cause::Api => "other API",
        other => other.name(),
    }
}

/// Causes and classes that are seen, the longest first.
fn legend(lanes: &Lanes, span: Span) -> Vec<(Rgb, String)> {
    let inside = |from: i64, to: i64| span.clip(Span::from_ns(from, to)).length().as_ns();
    let mut entries = vec![(palette::BUSY, "GPU busy".to_owned())];
    if !outside(lanes, span).is_empty() {
        entries.push((PALE, OUTSIDE.to_owned()));
    }
    let mut causes: Vec<(Cause, bool)> = Vec::new();
    for cause in Cause::ALL {
        causes.extend(if cause == Cause::Host {
            vec![(cause, true), (cause, false)]
        } else {
            vec![(cause, false)]
        });
    }
    for (which, dispatch) in causes {
        let idle = lanes.idle.iter().any(|piece| {
            piece.cause == which
                && piece.dispatch == dispatch
                && inside(piece.start_ns.as_ns(), piece.end_ns.as_ns()) > 0
        });
        let calls = lanes.calls.iter().any(|call| {
            doing(call.kind) == palette::idle(which, dispatch)
                && inside(call.start_ns.as_ns(), call.end_ns.as_ns()) > 0
        });
        if idle || calls {
            entries.push((palette::idle(which, dispatch), cause(which, dispatch).to_owned()));
        }
    }
    let mut kinds: BTreeMap<String, (i64, Rgb)> = BTreeMap::new();
    for op in lanes.operations.iter().filter(|op| lanes.streams[op.stream].own) {
        let name = match op.kind {
            OperationKind::Kernel => op.class.clone().unwrap_or_else(|| "unclassified".to_owned()),
            OperationKind::Copy => "copies".to_owned(),
            OperationKind::Memset => "memsets".to_owned(),
            OperationKind::Graph => "CUDA graphs".to_owned(),
        };
        kinds.entry(name).or_insert((0, operation(op))).0 +=
            inside(op.start_ns.as_ns(), op.end_ns.as_ns());
    }
    let mut kinds: Vec<(String, (i64, Rgb))> =
        kinds.into_iter().filter(|(_, sum)| sum.0 > 0).collect();
    kinds.sort_by(|a, b| b.1.0.cmp(&a.1.0).then_with(|| a.0.cmp(&b.0)));
    let rest = kinds.len().saturating_sub(CLASSES);
    entries.extend(kinds.into_iter().take(CLASSES).map(|(name, (_, color))| (color, name)));
    if rest > 0 {
        let many = if rest == 1 { "class" } else { "classes" };
        entries.push((palette::PAPER, format!("and {rest} more {many}")));
    }
    entries
}

/// The marked path: a thick line under each step, thin ones from lane to lane.
fn mark(scene: &mut Scene, panel: &Panel, plan: &Plan, view: &View, place: &dyn Fn(i64) -> f64) {
    let mut before: Option<(f64, f64)> = None;
    for step in &view.path {
        let Some(row) = plan.rows.iter().find(|row| row.lane == Some(step.lane)) else { continue };
        let y = MARGIN + row.top + row.height - 0.25;
        let from = panel.across(place(step.span.start_ns()));
        let to = panel.across(place(step.span.end_ns()));
        if let Some((x, above)) = before
            && (above - y).abs() > 0.01
        {
            scene.line(vec![(x, above), (from, y)], HAIR * 1.5, ACCENT);
        }
        scene.rect(from, y - 0.25, (to - from).max(0.1), 0.5, ACCENT);
        before = Some((to, y));
    }
}
