//! Where the wall time of a window went: busy, then every cause of idleness, down to the whole.
//!
//! ```text
//!   GPU busy   ██                      each bar begins where the one above ended
//!   launch       ████
//!   dispatch         ██████████
//!   wall       ████████████████
//! ```
//!
//! Means per window; the parts add up to the wall exactly.

use super::axis::{Axis, TimeUnit};
use super::caption::{definition, windows};
use super::figure::{Figure, PlotError};
use super::font;
use super::group::Group;
use super::palette::{self, GREY, Rgb};
use super::panel::{BELOW, Panel};
use super::scene::{Anchor, Scene, Text};
use super::size::{HAIR, HALF, LINE, MARGIN, PT, Width};
use crate::attribution::{Analysis, Cause};
use crate::units::Nanos;

/// From bar to bar, mm.
const PITCH: f64 = 4.1;
const BAR: f64 = 3.0;

/// A part of the wall.
struct Part {
    name: &'static str,
    ns: i64,
    color: Rgb,
}

/// The idle waterfall, one below the other for several groups.
///
/// # Errors
/// [`PlotError::Empty`] where a group has no GPU table or no length.
pub fn idle(groups: &[Group], width: Width) -> Result<Figure, PlotError> {
    let falls: Vec<Fall> = groups.iter().map(Fall::of).collect::<Result<_, _>>()?;
    let Some(longest) = falls.iter().map(|fall| fall.wall).max_by(f64::total_cmp) else {
        return Err(PlotError::Empty("no analysis".to_owned()));
    };
    let head = if falls.len() > 1 { LINE + 0.6 } else { 0.0 };
    let height: f64 =
        falls.iter().map(|fall| head + (fall.parts.len() + 1) as f64 * PITCH + 1.6).sum();
    let mut scene = Scene::new(width.mm(), MARGIN + height + BELOW + MARGIN);
    let unit = TimeUnit::of(longest);
    let names =
        falls.iter().flat_map(|fall| &fall.parts).map(|part| font::width(part.name, PT, false));
    let names = names.fold(font::width("wall", PT, true), f64::max);
    let left = MARGIN + names + 1.2;
    let numbers = font::width(&in_unit(longest, unit), PT, false) + share_room() + 1.6;
    let mut y = MARGIN;
    let mut panel = Panel {
        left,
        right: width.mm() - MARGIN - numbers,
        top: MARGIN,
        bottom: MARGIN + height,
        x: Axis::linear(0.0, longest / unit.ns),
        y: Axis::linear(0.0, 1.0),
    };
    panel.draw_grid_across(&mut scene);
    let names: Vec<String> = falls.iter().map(|fall| fall.name.clone()).collect();
    let names = font::cut_apart(&names, width.mm() - 2.0 * MARGIN, PT, true).shown;
    for (fall, name) in falls.iter().zip(names) {
        if head > 0.0 {
            scene.text(Text::new(MARGIN, y + LINE / 2.0 + HALF, PT, name).bold());
            y += head;
        }
        y = fall.draw(&mut scene, &panel, unit, y) + 1.6;
    }
    panel.bottom = y;
    panel.draw_below(&mut scene, &format!("mean per window ({})", unit.name));
    let caption = format!(
        "Where the wall time of the mean window went: {}. {} Dispatch: {}",
        windows(groups.iter().flat_map(|group| &group.analyses)),
        definition("idle"),
        definition("idle.dispatch_ns")
    );
    Ok(Figure { title: "Busy and idle time of the window".to_owned(), caption, scene })
}

struct Fall {
    name: String,
    parts: Vec<Part>,
    wall: f64,
    windows: f64,
}

impl Fall {
    fn of(group: &Group) -> Result<Self, PlotError> {
        let mut parts: Vec<Part> = Vec::new();
        for analysis in &group.analyses {
            let found = parts_of(analysis).ok_or_else(|| {
                PlotError::Empty(format!("`{}` has no GPU operations table", group.name))
            })?;
            for part in found {
                match parts.iter_mut().find(|known| known.name == part.name) {
                    Some(known) => known.ns += part.ns,
                    None => parts.push(part),
                }
            }
        }
        parts.retain(|part| part.ns > 0);
        let windows: usize = group.analyses.iter().map(|analysis| analysis.windows.count).sum();
        let lengths = group.analyses.iter().filter_map(|one| one.windows.total_ns);
        let total: i64 = lengths.map(Nanos::as_ns).sum();
        if total == 0 {
            return Err(PlotError::Empty(format!(
                "the windows of `{}` have no length",
                group.name
            )));
        }
        let (name, wall) = (group.name.clone(), total as f64 / windows as f64);
        Ok(Self { name, parts, wall, windows: windows as f64 })
    }

    /// Paints the bars; gives the place below them.
    fn draw(&self, scene: &mut Scene, panel: &Panel, unit: TimeUnit, top: f64) -> f64 {
        let mut y = top;
        let mut from = 0.0;
        for part in &self.parts {
            let mean = part.ns as f64 / self.windows;
            let to = from + mean;
            self.row(scene, panel, unit, y, (part.name, from, to, part.color));
            from = to;
            y += PITCH;
            let x = panel.across(to / unit.ns);
            scene.line(vec![(x, y - PITCH / 2.0), (x, y + (PITCH - BAR) / 2.0)], HAIR, GREY);
        }
        self.row(scene, panel, unit, y, ("wall", 0.0, self.wall, palette::PALE));
        y + PITCH
    }

    fn row(
        &self,
        scene: &mut Scene,
        panel: &Panel,
        unit: TimeUnit,
        y: f64,
        (name, from, to, color): (&str, f64, f64, Rgb),
    ) {
        let middle = y + PITCH / 2.0;
        let (left, right) = (panel.across(from / unit.ns), panel.across(to / unit.ns));
        scene.rect(left, middle - BAR / 2.0, (right - left).max(0.12), BAR, color);
        let text = Text::new(panel.left - 1.2, middle + HALF, PT, name).anchored(Anchor::End);
        scene.text(if name == "wall" { text.bold() } else { text });
        let share = (to - from) / self.wall * 100.0;
        let edge = scene.width - MARGIN;
        let share = Text::new(edge, middle + HALF, PT, format!("{share:.1} %"));
        let value = in_unit(to - from, unit);
        let value = Text::new(edge - share_room(), middle + HALF, PT, value).anchored(Anchor::End);
        scene.text(value);
        scene.text(share.anchored(Anchor::End));
    }
}

/// Two decimals, so that the numbers stand below each other.
fn in_unit(ns: f64, unit: TimeUnit) -> String {
    format!("{:.2} {}", ns / unit.ns, unit.name)
}

/// Room for a share and the space before it, mm.
fn share_room() -> f64 {
    font::width("100.0 %", PT, false) + 1.6
}

/// The parts that add up to the wall: head and tail stay apart, dispatch is told from host.
fn parts_of(analysis: &Analysis) -> Option<Vec<Part>> {
    let (idle, gpu) = (analysis.idle.as_ref()?, analysis.gpu.as_ref()?);
    let part = |name, ns: i64, color| Part { name, ns, color };
    let cause = |name, ns, cause| part(name, ns, palette::idle(cause, false));
    let dispatch = idle.dispatch_ns.as_ns();
    Some(vec![
        part("GPU busy", gpu.busy_ns.as_ns(), palette::BUSY),
        cause("launch", idle.launch_ns.as_ns(), Cause::Launch),
        cause("queue", idle.queue_ns.as_ns(), Cause::Queue),
        part("dispatch", dispatch, palette::idle(Cause::Host, true)),
        cause("other host", idle.host_ns.as_ns() - dispatch, Cause::Host),
        cause("other API", idle.api_ns.as_ns(), Cause::Api),
        cause("sync", idle.sync_ns.as_ns(), Cause::Sync),
        cause("unknown", idle.unknown_ns.as_ns(), Cause::Unknown),
        part("head", idle.head_ns.as_ns(), palette::HEAD),
        part("tail", idle.tail_ns.as_ns(), palette::TAIL),
        cause("no operation", idle.none_ns.as_ns(), Cause::None),
    ])
}
