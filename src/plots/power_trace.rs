//! Power over time beside the windows and the idle power that was subtracted.
//!
//! Readings are steps where a reading is a mean over the interval before it, straight lines where it is
//! the value of the moment. Windows are shaded; more than fit are joined. A run without a trace has its requests
//! for windows, and nothing says when its GPU was busy.

use super::axis::{Axis, TimeUnit};
use super::caption::trace;
use super::figure::{Figure, PlotError};
use super::font;
use super::legend::Flow;
use super::palette::{self, ACCENT, BUSY, Rgb, WINDOW};
use super::panel::{BELOW, Panel, names_up};
use super::scene::Scene;
use super::size::{CURVE, MARGIN, Width};
use super::strip::{Placed, Strip};
use crate::attribution::document::TraceAbout;
use crate::power::curve::PowerCurve;
use crate::units::Span;

/// Room below the readings for the strip of the GPU, mm.
const BUSY_ROOM: f64 = 4.0;
/// Readings that are drawn; of more, the extremes of each stretch.
const POINTS: usize = 3000;

/// What is drawn.
pub struct Shown<'a> {
    /// Which trace; a run without one has none.
    pub trace: Option<&'a TraceAbout>,
    /// What the time is counted from, as the axis says it.
    pub axis: &'a str,
    /// The readings.
    pub curve: &'a PowerCurve,
    /// The window specification.
    pub spec: &'a str,
    /// The windows, on the time of the curve.
    pub windows: &'a [Span],
    /// When the GPU was busy, on the same time, in order; `None` where no trace says it.
    pub busy: Option<&'a [Span]>,
    /// The part of the log to show; everything when not given.
    pub span: Option<Span>,
}

/// Power over time.
///
/// # Errors
/// [`PlotError::Empty`] when no reading lies in the view.
pub fn power(shown: &Shown<'_>, width: Width) -> Result<Figure, PlotError> {
    let all: Vec<(i64, f64)> = shown
        .curve
        .readings
        .iter()
        .map(|reading| (reading.at_ns.as_ns(), reading.power_mw.as_watts()))
        .collect();
    let inside =
        |at: i64| shown.span.is_none_or(|span| span.start_ns() <= at && at <= span.end_ns());
    let readings: Vec<(i64, f64)> = all.into_iter().filter(|(at, _)| inside(*at)).collect();
    let (Some(first), Some(last)) = (readings.first(), readings.last()) else {
        return Err(PlotError::Empty("no power reading in the view".to_owned()));
    };
    let (from, to) = match shown.span {
        Some(span) => (span.start_ns(), span.end_ns()),
        None => (first.0, last.0),
    };
    if !shown.windows.iter().any(|window| window.end_ns() > from && window.start_ns() < to) {
        return Err(PlotError::Empty(
            "the readings in the view cover none of the windows: another run, or another clock (--log-tz, --offset)"
                .to_owned(),
        ));
    }
    let unit = TimeUnit::of((to - from) as f64);
    let place = |ns: i64| ns as f64 / unit.ns;
    let idle = shown.curve.idle_mw.map(crate::units::Milliwatts::as_watts);
    let highest = readings.iter().map(|reading| reading.1).chain(idle).fold(0.0, f64::max);
    let lowest = readings.iter().map(|reading| reading.1).fold(0.0, f64::min);
    let legend = Flow::new(&entries(shown, idle), width.mm() - 2.0 * MARGIN);
    let height = if width.mm() > 120.0 { 44.0 } else { 32.0 };
    let top = MARGIN + legend.height() + 1.2;
    let below = if shown.busy.is_some() { BUSY_ROOM } else { 0.0 };
    let mut scene = Scene::new(width.mm(), top + height + below + BELOW + MARGIN);
    let panel = Panel {
        left: MARGIN,
        right: width.mm() - MARGIN - 1.0,
        top,
        bottom: top + height,
        x: Axis::linear(place(from), place(to)),
        y: Axis::rounded(lowest, highest * 1.05, names_up(height)),
    }
    .with_room_left();
    legend.draw(&mut scene, MARGIN, MARGIN);
    let across =
        |span: &Span| (panel.across(place(span.start_ns())), panel.across(place(span.end_ns())));
    let seen = |span: &&Span| span.end_ns() > from && span.start_ns() < to;
    let strip = |scene: &mut Scene, top: f64, height: f64, spans: &[Span], color: Rgb| {
        let placed = spans.iter().filter(seen).map(|span| {
            let (from, to) = across(span);
            Placed { from, to, color, name: "" }
        });
        let placed: Vec<Placed<'_>> = placed.collect();
        Strip { top, height, left: panel.left, right: panel.right }.draw(scene, &placed);
    };
    strip(&mut scene, top, height, shown.windows, WINDOW);
    panel.draw_left(&mut scene, "power (W)");
    curve(&mut scene, &panel, &readings, shown.curve.averaged, &place);
    if let Some(idle) = idle {
        let y = panel.up(idle);
        scene.dashed((panel.left, y), (panel.right, y), 0.22, ACCENT);
    }
    panel.base(&mut scene);
    if let Some(busy) = shown.busy {
        strip(&mut scene, panel.bottom + 1.0, 2.0, busy, BUSY);
    }
    let foot = Panel { top: panel.bottom, bottom: panel.bottom + below, ..panel };
    foot.draw_below(&mut scene, &format!("{} ({})", shown.axis, unit.name));
    Ok(Figure { title: "Power over time".to_owned(), caption: caption(shown), scene })
}

fn entries(shown: &Shown<'_>, idle: Option<f64>) -> Vec<(Rgb, String)> {
    let rail = font::printable(&shown.curve.rail);
    let mut entries = vec![
        (palette::group(0), rail),
        (WINDOW, format!("windows “{}”", font::printable(shown.spec))),
    ];
    if shown.busy.is_some() {
        entries.push((BUSY, "GPU busy".to_owned()));
    }
    if let Some(idle) = idle {
        entries.push((ACCENT, format!("idle {} W", super::axis::significant(idle))));
    }
    entries
}

fn caption(shown: &Shown<'_>) -> String {
    let curve = shown.curve;
    let idle = match curve.idle_mw {
        Some(_) => format!(" The dashed line is idle power ({}).", curve.idle_how),
        None => format!(" Idle power: {}.", curve.idle_how),
    };
    let busy = match shown.busy {
        Some(_) => ", the strip below says when the GPU was busy",
        None => "; without a trace nothing says when the GPU was busy",
    };
    font::printable(&format!(
        "Power of {} ({}) beside {}: {} readings, {}; {} windows “{}” are shaded{busy}.{idle}",
        curve.rail,
        curve.source,
        trace(shown.trace),
        curve.readings.len(),
        curve.alignment,
        shown.windows.len(),
        shown.spec,
    ))
}

/// Steps backward for means, straight lines for values of the moment.
fn curve(
    scene: &mut Scene,
    panel: &Panel,
    readings: &[(i64, f64)],
    averaged: bool,
    place: &dyn Fn(i64) -> f64,
) {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for (at, watts) in thinned(readings) {
        let (x, y) = (panel.across(place(at)), panel.up(watts));
        if averaged && let Some((before, _)) = points.last().copied() {
            points.push((before, y));
        }
        points.push((x, y));
    }
    scene.line(points, CURVE, palette::group(0));
}

/// The extremes of each stretch, where there are more readings than can be seen.
fn thinned(readings: &[(i64, f64)]) -> Vec<(i64, f64)> {
    if readings.len() <= POINTS {
        return readings.to_vec();
    }
    let mut kept = Vec::new();
    for stretch in readings.chunks(readings.len().div_ceil(POINTS / 2)) {
        let least = stretch.iter().min_by(|a, b| a.1.total_cmp(&b.1));
        let most = stretch.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let mut two: Vec<(i64, f64)> = least.into_iter().chain(most).copied().collect();
        two.sort_by_key(|reading| reading.0);
        two.dedup();
        kept.extend(two);
    }
    kept
}
