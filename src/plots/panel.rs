//! A plotting area with its axes.
//!
//! ```text
//!   label │            top
//!     tick┤
//!         └──┬───┬───  bottom      the marks and names stand outside the area
//!           tick
//!            label
//! ```

use super::axis::{Axis, Tick};
use super::font;
use super::palette::{GREY, INK, PALE};
use super::scene::{Anchor, Scene, Text};
use super::size::{HAIR, HALF, PT};

/// Space below an area for marks, names and a label, mm.
pub(super) const BELOW: f64 = 7.6;
/// Length of a mark, mm.
const MARK: f64 = 0.8;
/// Least distance between two names, mm.
const APART: f64 = 2.0;

/// How many values are named on an upright axis of this length, mm.
pub(super) fn names_up(length: f64) -> usize {
    (length / 5.5).floor().clamp(2.0, 6.0) as usize
}

/// An upright axis for numbers of things: from 0, with whole numbers as names.
pub(super) fn counts_up(most: usize, length: f64) -> Axis {
    let names = names_up(length);
    Axis::rounded(0.0, most.max(names) as f64, names)
}

/// An upright axis from 0 to a named value at or above `most`.
pub(super) fn from_zero_up(most: f64, length: f64) -> Axis {
    Axis::rounded(0.0, most, names_up(length))
}

/// A plotting area, mm.
#[derive(Clone, Copy, Debug)]
pub(super) struct Panel {
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) top: f64,
    pub(super) bottom: f64,
    pub(super) x: Axis,
    pub(super) y: Axis,
}

impl Panel {
    /// Where a value lies across, mm.
    pub(super) fn across(&self, value: f64) -> f64 {
        self.left + self.x.part(value).clamp(0.0, 1.0) * (self.right - self.left)
    }

    /// Where a value lies upward, mm from the top of the figure.
    pub(super) fn up(&self, value: f64) -> f64 {
        self.bottom - self.y.part(value).clamp(0.0, 1.0) * (self.bottom - self.top)
    }

    /// Named values across: powers of ten, or as many as find room.
    fn ticks_across(&self) -> Vec<Tick> {
        let room = self.right - self.left;
        let fits = |ticks: &[Tick]| {
            ticks.windows(2).all(|pair| {
                let apart = (self.x.part(pair[1].value) - self.x.part(pair[0].value)) * room;
                let width = |tick: &Tick| font::width(&tick.label, PT, false);
                apart >= (width(&pair[0]) + width(&pair[1])) / 2.0 + APART
            })
        };
        if self.x.log {
            let all = self.x.time_decades();
            let thinned =
                |every: usize| -> Vec<Tick> { all.iter().step_by(every).cloned().collect() };
            return (1..).map(thinned).find(|ticks| fits(ticks)).unwrap_or_default();
        }
        let counts = (2..=8).rev();
        counts.map(|count| self.x.ticks(count)).find(|ticks| fits(ticks)).unwrap_or_default()
    }

    /// The axis below the area; `label` says quantity and unit.
    pub(super) fn draw_below(&self, scene: &mut Scene, label: &str) {
        self.base(scene);
        for value in if self.x.log { self.x.between_decades() } else { Vec::new() } {
            let x = self.across(value);
            scene.line(vec![(x, self.bottom), (x, self.bottom + MARK / 2.0)], HAIR, INK);
        }
        for tick in self.ticks_across() {
            let x = self.across(tick.value);
            scene.line(vec![(x, self.bottom), (x, self.bottom + MARK)], HAIR, INK);
            let half = font::width(&tick.label, PT, false) / 2.0;
            // Names at the ends stay inside the figure.
            let x = x.clamp(half + 0.2, scene.width - half - 0.2);
            let name = Text::new(x, self.bottom + MARK + 2.6, PT, tick.label);
            scene.text(name.anchored(Anchor::Middle));
        }
        let middle = f64::midpoint(self.left, self.right);
        let label = font::cut_end(label, scene.width - 2.0, PT, false);
        let half = font::width(&label, PT, false) / 2.0;
        let x = middle.clamp(half + 0.2, scene.width - half - 0.2);
        scene.text(Text::new(x, self.bottom + 6.6, PT, label).anchored(Anchor::Middle));
    }

    /// The line at the foot of the area.
    pub(super) fn base(&self, scene: &mut Scene) {
        scene.line(vec![(self.left, self.bottom), (self.right, self.bottom)], HAIR, INK);
    }

    /// Vertical lines at the named values, to be painted first.
    pub(super) fn draw_grid_across(&self, scene: &mut Scene) {
        for tick in self.ticks_across() {
            let x = self.across(tick.value);
            scene.line(vec![(x, self.top), (x, self.bottom)], HAIR, PALE);
        }
    }

    fn ticks_up(&self) -> Vec<Tick> {
        self.y.ticks(names_up(self.bottom - self.top))
    }

    /// The axis at the left with lines across the area; `label` says quantity and unit.
    pub(super) fn draw_left(&self, scene: &mut Scene, label: &str) {
        for tick in self.ticks_up() {
            let y = self.up(tick.value);
            scene.line(vec![(self.left, y), (self.right, y)], HAIR, PALE);
            let name = Text::new(self.left - 1.0, y + HALF, PT, tick.label);
            scene.text(name.anchored(Anchor::End));
        }
        let label = font::cut_end(label, self.bottom - self.top + 4.0, PT, false);
        let half = font::width(&label, PT, false) / 2.0;
        let y = f64::midpoint(self.top, self.bottom).max(half + 0.2);
        let text = Text::new(self.left - self.names_left() - 2.4, y, PT, label);
        scene.text(text.upward().anchored(Anchor::Middle).colored(GREY));
    }

    /// The widest name at the left, mm.
    fn names_left(&self) -> f64 {
        let names = self.ticks_up().into_iter().map(|tick| font::width(&tick.label, PT, false));
        names.fold(0.0, f64::max)
    }

    /// The same area with its left edge where names and label find room at the figure's edge.
    #[must_use]
    pub(super) fn with_room_left(self) -> Self {
        Self { left: self.left + self.names_left() + 5.2, ..self }
    }
}
