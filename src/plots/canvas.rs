//! A scene on a plotters backend: SVG and pixels are painted by the same hand.
//!
//! Backends count in whole units; [`Canvas::per_mm`] says how many make a millimetre, fine enough that
//! rounding is never seen. Only texts differ: SVG names the font, pixels are filled from its outlines.

use plotters_backend::{BackendColor, BackendCoord, BackendStyle, DrawingBackend};

use super::palette::Rgb;
use super::scene::{Item, Scene, Text};

/// A backend with its resolution and its way to write.
pub(super) trait Canvas {
    /// The plotters backend.
    type Backend: DrawingBackend;
    /// Where to paint.
    fn backend(&mut self) -> &mut Self::Backend;
    /// Units in a millimetre.
    fn per_mm(&self) -> f64;
    /// Writes a text.
    fn write(&mut self, text: &Text) -> Result<(), String>;
}

/// Colour and thickness, as plotters wants them.
struct Brush {
    color: BackendColor,
    width: u32,
}

impl BackendStyle for Brush {
    fn color(&self) -> BackendColor {
        self.color
    }

    fn stroke_width(&self) -> u32 {
        self.width
    }
}

/// A colour for plotters.
pub(super) const fn color(rgb: Rgb, alpha: f64) -> BackendColor {
    BackendColor { alpha, rgb: (rgb.0, rgb.1, rgb.2) }
}

/// Paints every part of a scene.
pub(super) fn paint<C: Canvas>(scene: &Scene, canvas: &mut C) -> Result<(), String> {
    for item in &scene.items {
        match item {
            Item::Text(text) => canvas.write(text)?,
            other => shape(other, canvas)?,
        }
    }
    canvas.backend().present().map_err(|error| error.to_string())
}

fn shape<C: Canvas>(item: &Item, canvas: &mut C) -> Result<(), String> {
    let per_mm = canvas.per_mm();
    let units = |mm: f64| (mm * per_mm).round() as i32;
    let place = |(x, y): (f64, f64)| -> BackendCoord { (units(x), units(y)) };
    let backend = canvas.backend();
    let done = match item {
        Item::Rect { x, y, width, height, fill, opacity } => {
            let brush = Brush { color: color(*fill, *opacity), width: 0 };
            let (from, to) = (place((*x, *y)), place((x + width, y + height)));
            // What is too small for the resolution is still there.
            let to = (to.0.max(from.0 + 1), to.1.max(from.1 + 1));
            backend.draw_rect(from, to, &brush, true)
        }
        Item::Line { points, width, color: rgb } => {
            let width = (width * per_mm).round().max(1.0) as u32;
            let brush = Brush { color: color(*rgb, 1.0), width };
            let mut path: Vec<BackendCoord> = points.iter().map(|point| place(*point)).collect();
            path.dedup();
            backend.draw_path(path, &brush)
        }
        Item::Dot { x, y, radius, fill } => {
            let brush = Brush { color: color(*fill, 1.0), width: 0 };
            backend.draw_circle(place((*x, *y)), units(*radius).max(1) as u32, &brush, true)
        }
        Item::Text(_) => Ok(()),
    };
    done.map_err(|error| error.to_string())
}
