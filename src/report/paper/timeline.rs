//! The timeline of a page: every event of some windows, as small as a page can carry it.
//!
//! Made from the lanes of a window ([`Lanes`]), from which figures and exports are made too. Starts
//! are written as differences to the start before, names and categories as places in lists: an event
//! takes about 15 bytes. All times are ns since the start of the window.

use std::collections::BTreeMap;

use serde::Serialize;

use super::figures::part_color;
use crate::attribution::Doing;
use crate::attribution::lanes_document::{IdleSlice, Lanes, OperationKind};
use crate::plots::palette::{self, Rgb};
use crate::units::{Milliwatts, Nanos, distinct, plain};

/// Characters of a name in the tip of an event.
const LONGEST_NAME: usize = 300;
/// Characters of a name inside an event.
const LONGEST_LABEL: usize = 80;

/// Windows of one set, and what their events refer to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Timeline {
    /// The windows that are shown, the one to begin with first.
    pub windows: Vec<TimelineWindow>,
    /// Names of events.
    names: Vec<Name>,
    /// What events are.
    categories: Vec<Category>,
    /// Where the names are.
    #[serde(skip)]
    places: BTreeMap<Name, usize>,
}

/// A name, long and short.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct Name {
    full: String,
    short: String,
}

/// What an event is, with its colour.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Category {
    name: String,
    means: String,
    color: String,
}

/// One window.
#[derive(Clone, Debug, Serialize)]
pub struct TimelineWindow {
    /// Its number among the instances.
    pub index: usize,
    /// Why it was chosen: `median`, `longest`.
    pub why: String,
    /// Its length, in ns.
    pub length: i64,
    /// What can be seen of it, from and to.
    pub view: [i64; 2],
    /// The lanes, from top to bottom.
    pub lanes: Vec<Lane>,
    /// Power meanwhile.
    pub power: Option<PowerLane>,
    /// How many events the lanes hold.
    #[serde(skip)]
    pub events: usize,
}

/// Events of one kind in one place.
#[derive(Clone, Debug, Serialize)]
pub struct Lane {
    kind: &'static str,
    title: String,
    rows: usize,
    /// What the first difference counts from.
    from: i64,
    /// Starts, as differences.
    s: Vec<i64>,
    /// Durations.
    d: Vec<i64>,
    /// Categories.
    c: Vec<usize>,
    /// Names.
    #[serde(skip_serializing_if = "Option::is_none")]
    n: Option<Vec<usize>>,
    /// Rows, where there are several.
    #[serde(skip_serializing_if = "Option::is_none")]
    r: Option<Vec<usize>>,
    /// Launch delays, −1 where the call is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    q: Option<Vec<i64>>,
}

/// Readings of power around a window.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PowerLane {
    /// Which rail of which log.
    pub title: String,
    /// When, in ns since the start of the window.
    pub t: Vec<i64>,
    /// How much, in mW.
    pub mw: Vec<f64>,
    /// The highest reading of the whole log, in mW: the scale of every window.
    pub high: f64,
    /// Its colour.
    pub color: String,
}

/// A power log on the trace's clock: readings in ns of trace time.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerTrack {
    /// Which rail of which log.
    pub title: String,
    /// Instants and readings, in order.
    pub readings: Vec<(i64, Milliwatts)>,
}

impl PowerTrack {
    /// The readings of a window with the next one on either side.
    fn around(&self, start: i64, end: i64) -> Option<PowerLane> {
        let first = self.readings.partition_point(|(t, _)| *t < start).saturating_sub(1);
        let last = (self.readings.partition_point(|(t, _)| *t < end) + 1).min(self.readings.len());
        let high = self.readings.iter().map(|(_, power)| power.as_mw()).fold(0.0, f64::max);
        let inside = self.readings.get(first..last).filter(|inside| !inside.is_empty())?;
        (high > 0.0).then(|| PowerLane {
            title: plain(&self.title, 60),
            t: inside.iter().map(|(t, _)| t - start).collect(),
            mw: inside.iter().map(|(_, power)| power.as_mw()).collect(),
            high,
            color: palette::ACCENT.hex(),
        })
    }
}

/// Events of a lane before they are packed.
struct Events {
    kind: &'static str,
    title: String,
    rows: usize,
    list: Vec<Event>,
}

struct Event {
    start: i64,
    end: i64,
    category: usize,
    name: Option<usize>,
    row: usize,
    delay: Option<i64>,
}

impl Events {
    fn packed(self) -> Option<Lane> {
        let first = self.list.first()?;
        let from = first.start;
        let mut at = from;
        let mut s = Vec::with_capacity(self.list.len());
        for event in &self.list {
            s.push(event.start - at);
            at = event.start;
        }
        let several = self.rows > 1;
        let named = self.list.iter().any(|event| event.name.is_some());
        let delayed = self.list.iter().any(|event| event.delay.is_some());
        let each = |of: fn(&Event) -> usize| self.list.iter().map(of).collect::<Vec<_>>();
        Some(Lane {
            kind: self.kind,
            title: self.title.clone(),
            rows: self.rows.max(1),
            from,
            s,
            d: self.list.iter().map(|event| event.end - event.start).collect(),
            c: each(|event| event.category),
            n: named.then(|| each(|event| event.name.unwrap_or(0))),
            r: several.then(|| each(|event| event.row)),
            q: delayed.then(|| self.list.iter().map(|event| event.delay.unwrap_or(-1)).collect()),
        })
    }
}

impl Timeline {
    /// Adds a window.
    pub fn add(&mut self, lanes: &Lanes, why: &str, power: Option<&PowerTrack>) {
        let zero = lanes.window.start_ns.as_ns();
        let (view, length) = (lanes.window.view(), lanes.window.span().length().as_ns());
        let mut found = vec![self.idle(lanes, zero)];
        let names = distinct(lanes.names.iter().map(String::as_str), LONGEST_NAME).shown;
        for thread in 0..lanes.threads.len() {
            found.push(self.ranges((lanes, &names), thread, zero, view.end_ns()));
            found.push(self.calls((lanes, &names), thread, zero));
        }
        found.extend(
            (0..lanes.streams.len()).map(|stream| self.operations((lanes, &names), stream, zero)),
        );
        let events = found.iter().map(|events| events.list.len()).sum();
        // A little of the time around, so that edges can be told from the frame.
        let margin = view.length().as_ns() / 100 + 1;
        let (from, to) = (view.start_ns() - zero - margin, view.end_ns() - zero + margin);
        self.windows.push(TimelineWindow {
            index: lanes.window.index,
            why: why.to_owned(),
            length,
            view: [from, to],
            lanes: found.into_iter().filter_map(Events::packed).collect(),
            power: power.and_then(|track| track.around(zero, zero + length)),
            events,
        });
    }

    /// How many events all windows hold.
    pub fn events(&self) -> usize {
        self.windows.iter().map(|window| window.events).sum()
    }

    fn name(&mut self, full: &str, short: &str) -> usize {
        let name = Name { full: full.to_owned(), short: plain(short, LONGEST_LABEL) };
        if let Some(place) = self.places.get(&name) {
            return *place;
        }
        self.names.push(name.clone());
        self.places.insert(name, self.names.len() - 1);
        self.names.len() - 1
    }

    fn category(&mut self, name: &str, means: &str, color: &str) -> usize {
        let category =
            Category { name: plain(name, 60), means: means.to_owned(), color: color.to_owned() };
        let known = self.categories.iter().position(|known| *known == category);
        known.unwrap_or_else(|| {
            self.categories.push(category);
            self.categories.len() - 1
        })
    }

    /// Busy and idle, without gaps between them.
    fn idle(&mut self, lanes: &Lanes, zero: i64) -> Events {
        let mut list: Vec<Event> = Vec::new();
        for span in lanes.busy().into_iter().filter(|_| !lanes.streams.is_empty()) {
            let category =
                self.category("busy", "the GPU works for this process", &part_color("busy"));
            list.push(event(span.start_ns() - zero, span.end_ns() - zero, category));
        }
        for piece in &lanes.idle {
            let (name, means) = cause(piece);
            let category = self.category(name, means, &part_color(name));
            list.push(event(piece.start_ns.as_ns() - zero, piece.end_ns.as_ns() - zero, category));
        }
        list.sort_by_key(|event| (event.start, event.end));
        Events { kind: "idle", title: "GPU busy, or idle why".to_owned(), rows: 1, list }
    }

    fn ranges(
        &mut self,
        (lanes, names): (&Lanes, &[String]),
        thread: usize,
        zero: i64,
        end: i64,
    ) -> Events {
        let mut list = Vec::new();
        for range in lanes.ranges.iter().filter(|range| range.thread == thread) {
            let (text, short) = (shown(names, range.name), lanes.name(range.name));
            let (category, name) = if range.end_ns.is_some() {
                (("NVTX range", palette::RANGE), self.name(text, short))
            } else {
                let open = |name: &str| format!("{name} (never closed)");
                (("NVTX range, never closed", palette::PALE), self.name(&open(text), &open(short)))
            };
            let category = self.category(category.0, "", &category.1.hex());
            let until = range.end_ns.map_or(end, crate::units::TraceTime::as_ns);
            list.push(Event {
                name: Some(name),
                row: range.row,
                ..event(range.start_ns.as_ns() - zero, until - zero, category)
            });
        }
        let title = format!("ranges of {}", thread_title(lanes, thread));
        Events { kind: "range", title, rows: lanes.threads[thread].range_rows, list }
    }

    fn calls(&mut self, (lanes, names): (&Lanes, &[String]), thread: usize, zero: i64) -> Events {
        let mut list = Vec::new();
        for call in lanes.calls.iter().filter(|call| call.thread == thread) {
            let text = lanes.name(call.name);
            let name = match call.kind {
                Doing::Launch => "launch call",
                Doing::Sync => "waiting call",
                Doing::Api => "other call",
            };
            let category = self.category(name, "", &palette::function(text).hex());
            list.push(Event {
                name: Some(self.name(shown(names, call.name), text)),
                row: call.row,
                ..event(call.start_ns.as_ns() - zero, call.end_ns.as_ns() - zero, category)
            });
        }
        let title = thread_title(lanes, thread);
        Events { kind: "thread", title, rows: lanes.threads[thread].call_rows, list }
    }

    fn operations(
        &mut self,
        (lanes, names): (&Lanes, &[String]),
        stream: usize,
        zero: i64,
    ) -> Events {
        let mut list = Vec::new();
        for op in lanes.operations.iter().filter(|op| op.stream == stream) {
            let (class, color): (&str, Rgb) = match op.kind {
                OperationKind::Kernel => {
                    let class = op.class.as_deref().unwrap_or("unclassified");
                    (class, palette::class(class))
                }
                OperationKind::Copy => ("memcpy", palette::COPY),
                OperationKind::Memset => ("memset", palette::MEMSET),
                OperationKind::Graph => ("graph", palette::GRAPH),
            };
            let category = self.category(class, "", &color.hex());
            let name = self.name(shown(names, op.name), lanes.name(op.short));
            let call = op.call.and_then(|call| lanes.calls.get(call));
            list.push(Event {
                name: Some(name),
                row: op.row,
                delay: call.map(|call| (op.start_ns - call.start_ns).as_ns()),
                ..event(op.start_ns.as_ns() - zero, op.end_ns.as_ns() - zero, category)
            });
        }
        let lane = &lanes.streams[stream];
        let several = lanes.streams.iter().any(|other| other.device != lane.device);
        let device = if several { format!("GPU {} ", lane.device) } else { String::new() };
        let foreign = if lane.own { "" } else { " (other process)" };
        let title = format!("{device}stream {}{foreign}", lane.stream);
        Events { kind: "stream", title, rows: lane.rows, list }
    }
}

fn shown(names: &[String], place: usize) -> &str {
    names.get(place).map_or("", String::as_str)
}

const fn event(start: i64, end: i64, category: usize) -> Event {
    Event { start, end, category, name: None, row: 0, delay: None }
}

fn thread_title(lanes: &Lanes, thread: usize) -> String {
    let lane = &lanes.threads[thread];
    let id = lane.thread.map_or_else(|| "?".to_owned(), |id| id.to_string());
    let name = lane.name.as_deref().or(lane.process_name.as_deref()).unwrap_or_default();
    plain(format!("thread {id} {name}").trim_end(), 60)
}

/// What a piece of idle time is called, and why the GPU was idle in it.
fn cause(piece: &IdleSlice) -> (&'static str, &'static str) {
    use crate::attribution::{Cause, Place};
    match (piece.cause, piece.place) {
        (Cause::None, _) => ("none", "idle: no operation meets the window"),
        (_, Place::Head) => ("head", "idle: before the first operation of the window"),
        (_, Place::Tail) => ("tail", "idle: after the last operation of the window"),
        (Cause::Launch, _) => ("launch", "idle: the next operation's launch call is running"),
        (Cause::Queue, _) => ("queue", "idle: the next operation is submitted and has not started"),
        (Cause::Api, _) => ("api", "idle: another API call is running"),
        (Cause::Sync, _) => ("sync", "idle: the thread waits for the GPU"),
        (Cause::Host, _) if piece.dispatch => {
            ("dispatch", "idle: the thread is between two API calls, under 1 ms apart")
        }
        (Cause::Host, _) => ("host", "idle: the thread is outside CUDA"),
        (Cause::Unknown, _) => ("unknown", "idle: the next operation has no call in the export"),
    }
}

/// The windows to show, by place: the one of median length first, then the shortest and the longest,
/// then the others in order, with the reason.
pub fn order(lengths: &[Nanos]) -> Vec<(usize, &'static str)> {
    let mut by_length: Vec<usize> = (0..lengths.len()).collect();
    by_length.sort_by_key(|place| (lengths[*place], *place));
    let mut chosen: Vec<(usize, &'static str)> = Vec::new();
    let middle = by_length.get(lengths.len().saturating_sub(1) / 2);
    for (place, why) in
        [(middle, "median"), (by_length.last(), "longest"), (by_length.first(), "shortest")]
    {
        if let Some(place) = place.filter(|place| chosen.iter().all(|(known, _)| known != *place)) {
            chosen.push((*place, why));
        }
    }
    for place in 0..lengths.len() {
        if chosen.iter().all(|(known, _)| *known != place) {
            chosen.push((place, ""));
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_window_comes_first() {
        let lengths: Vec<Nanos> = [30, 10, 20, 25].map(Nanos::from_ns).to_vec();
        let order = order(&lengths);
        assert_eq!(order, [(2, "median"), (0, "longest"), (1, "shortest"), (3, "")]);
        assert_eq!(super::order(&[]), []);
    }

    #[test]
    fn power_is_cut_to_the_window_with_its_neighbours() {
        let readings: Vec<_> = (0..10).map(|i| (i * 100, Milliwatts::from_mw(i as f64))).collect();
        let track = PowerTrack { title: "VDD".to_owned(), readings };
        let lane = track.around(250, 420).unwrap();
        assert_eq!(lane.t, [-50, 50, 150, 250]);
        assert_eq!((lane.mw.len(), lane.high), (4, 9.0));
        assert!(PowerTrack { title: String::new(), readings: Vec::new() }.around(0, 1).is_none());
    }
}
