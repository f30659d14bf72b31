//! A row of slices in time order, as far as print can show it.
//!
//! Where there are more slices than can be told apart, the row is cut into columns, and each column is
//! filled from its foot with the colours in proportion to their time in it; what is empty was empty.
//! Otherwise slices stand where they are, with their names where those fit.

use super::font;
use super::palette::Rgb;
use super::scene::{Anchor, Scene, Text};
use super::size::{HALF, PT};

/// The narrowest slice, mm: one dot at 400 dots per inch.
const LEAST: f64 = 0.06;
/// Slices of one colour that are closer than this are one.
const NEAR: f64 = 0.03;
/// From so many slices in a millimetre on, columns show shares.
const DENSE: f64 = 2.5;
/// Width of such a column, mm.
const COLUMN: f64 = 0.5;
/// Size of names on slices, points.
const NAME_PT: f64 = 5.5;
/// A name that is cut needs at least this much room, mm.
const CUT_FROM: f64 = 12.0;

/// A slice with its place across, mm.
#[derive(Clone, Copy)]
pub(super) struct Placed<'a> {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) color: Rgb,
    pub(super) name: &'a str,
}

/// Where the row stands, mm.
#[derive(Clone, Copy)]
pub(super) struct Strip {
    pub(super) top: f64,
    pub(super) height: f64,
    pub(super) left: f64,
    pub(super) right: f64,
}

impl Strip {
    /// Paints slices that come in the order of their starts and do not overlap.
    pub(super) fn draw(&self, scene: &mut Scene, slices: &[Placed<'_>]) {
        if slices.len() as f64 > DENSE * (self.right - self.left) {
            self.columns(scene, slices);
        } else {
            self.slices(scene, slices);
        }
    }

    fn columns(&self, scene: &mut Scene, slices: &[Placed<'_>]) {
        let count = ((self.right - self.left) / COLUMN).ceil() as usize;
        let mut columns: Vec<Vec<(Rgb, f64)>> = vec![Vec::new(); count];
        for slice in slices {
            let (from, to) = (slice.from.max(self.left), slice.to.min(self.right));
            let first = ((from - self.left) / COLUMN).floor().max(0.0) as usize;
            let last = ((to - self.left) / COLUMN).floor().max(0.0) as usize;
            for (column, parts) in columns.iter_mut().enumerate().take(last + 1).skip(first) {
                let left = self.left + column as f64 * COLUMN;
                let inside = to.min(left + COLUMN) - from.max(left);
                match parts.iter_mut().find(|part| part.0 == slice.color) {
                    Some(part) => part.1 += inside.max(0.0),
                    None => parts.push((slice.color, inside.max(0.0))),
                }
            }
        }
        for (column, parts) in columns.iter_mut().enumerate() {
            let left = self.left + column as f64 * COLUMN;
            let width = COLUMN.min(self.right - left);
            // One order of colours in all columns, so that bands can be followed.
            parts.sort_by_key(|(color, _)| (color.0, color.1, color.2));
            let mut y = self.top + self.height;
            for (color, inside) in parts.iter() {
                let height = (inside / width * self.height).min(y - self.top);
                y -= height;
                scene.rect(left, y, width, height, *color);
            }
        }
    }

    fn slices(&self, scene: &mut Scene, slices: &[Placed<'_>]) {
        let mut pending: Option<(Placed<'_>, bool)> = None;
        for slice in slices {
            let slice =
                Placed { from: slice.from.max(self.left), to: slice.to.min(self.right), ..*slice };
            match &mut pending {
                Some((last, joined))
                    if last.color == slice.color && slice.from - last.to < NEAR =>
                {
                    // A slice that is too narrow to be seen does not take a name away.
                    *joined |= slice.to - slice.from > LEAST;
                    last.to = last.to.max(slice.to);
                }
                _ => {
                    self.slice(scene, pending.take());
                    pending = Some((slice, false));
                }
            }
        }
        self.slice(scene, pending);
    }

    fn slice(&self, scene: &mut Scene, slice: Option<(Placed<'_>, bool)>) {
        let Some((slice, joined)) = slice else { return };
        let width = (slice.to - slice.from).max(LEAST);
        scene.rect(slice.from, self.top, width, self.height, slice.color);
        let room = width - 0.8;
        let whole = font::width(slice.name, NAME_PT, false);
        if joined || (whole > room && (room < CUT_FROM || room < whole * 0.4)) {
            return;
        }
        let name = font::cut_middle(slice.name, room, NAME_PT, false);
        let y = self.top + self.height / 2.0 + HALF * NAME_PT / PT;
        let text = Text::new(slice.from + width / 2.0, y, NAME_PT, name).anchored(Anchor::Middle);
        scene.text(text.colored(slice.color.contrast()));
    }
}
