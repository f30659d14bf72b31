//! A scene as PNG, with its resolution inside, so that programs place it at its size in mm.
//!
//! plotters paints without smoothing; the picture is painted at twice the resolution and halved.
//! Letters are filled from the outlines of the embedded font.

use ab_glyph::{Font, PxScale, ScaleFont, point};
use plotters_backend::DrawingBackend;
use plotters_bitmap::BitMapBackend;

use super::canvas::{Canvas, color, paint};
use super::font;
use super::scene::{Anchor, Scene, Text};

/// Painted so many times finer than asked for.
const FINER: u32 = 2;
const MM_PER_INCH: f64 = 25.4;

/// The scene as a PNG file with so many dots per inch.
pub(super) fn write(scene: &Scene, dpi: f64) -> Result<Vec<u8>, String> {
    let size =
        [scene.width, scene.height].map(|mm| (mm / MM_PER_INCH * dpi).round().max(1.0) as u32);
    let (width, height) = (size[0], size[1]);
    let mut pixels = vec![255_u8; (width * FINER * height * FINER * 3) as usize];
    let mut canvas = Pixels {
        backend: BitMapBackend::with_buffer(&mut pixels, (width * FINER, height * FINER)),
        per_mm: dpi / MM_PER_INCH * f64::from(FINER),
    };
    paint(scene, &mut canvas)?;
    drop(canvas);
    encode(&halved(&pixels, width as usize, height as usize), width, height, dpi)
}

/// Every pixel the mean of those that it stands for.
fn halved(fine: &[u8], width: usize, height: usize) -> Vec<u8> {
    let finer = FINER as usize;
    let row = width * finer * 3;
    let mut out = Vec::with_capacity(width * height * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let mut sum = 0_usize;
                for dy in 0..finer {
                    for dx in 0..finer {
                        let at = (y * finer + dy) * row + (x * finer + dx) * 3 + channel;
                        sum += usize::from(fine[at]);
                    }
                }
                out.push((sum / (finer * finer)) as u8);
            }
        }
    }
    out
}

fn encode(pixels: &[u8], width: u32, height: u32, dpi: f64) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let per_metre = (dpi / MM_PER_INCH * 1000.0).round() as u32;
    encoder.set_pixel_dims(Some(png::PixelDimensions {
        xppu: per_metre,
        yppu: per_metre,
        unit: png::Unit::Meter,
    }));
    let mut writer = encoder.write_header().map_err(|error| error.to_string())?;
    writer.write_image_data(pixels).map_err(|error| error.to_string())?;
    writer.finish().map_err(|error| error.to_string())?;
    Ok(out)
}

struct Pixels<'a> {
    backend: BitMapBackend<'a>,
    per_mm: f64,
}

impl<'a> Canvas for Pixels<'a> {
    type Backend = BitMapBackend<'a>;

    fn backend(&mut self) -> &mut BitMapBackend<'a> {
        &mut self.backend
    }

    fn per_mm(&self) -> f64 {
        self.per_mm
    }

    fn write(&mut self, text: &Text) -> Result<(), String> {
        let Some(face) = font::face(text.bold) else { return Ok(()) };
        let em = font::mm(text.pt) * self.per_mm;
        // ab_glyph scales by the height of the face, not by its em.
        let height = face.height_unscaled() / face.units_per_em().unwrap_or(2048.0);
        let scale = PxScale::from(em as f32 * height);
        let scaled = face.as_scaled(scale);
        let before = match text.anchor {
            Anchor::Start => 0.0,
            Anchor::Middle => text.length() / 2.0,
            Anchor::End => text.length(),
        };
        let origin = ((text.x * self.per_mm) as f32, (text.y * self.per_mm) as f32);
        let mut along = -(before * self.per_mm) as f32;
        let ink = text.color;
        let backend = &mut self.backend;
        for c in text.text.chars() {
            let id = face.glyph_id(c);
            let glyph = id.with_scale_and_position(scale, point(along, 0.0));
            along += scaled.h_advance(id);
            let Some(outline) = face.outline_glyph(glyph) else { continue };
            let bounds = outline.px_bounds();
            let mut failed = None;
            outline.draw(|x, y, coverage| {
                let (dx, dy) = (bounds.min.x + x as f32, bounds.min.y + y as f32);
                // Reading upward, a step along the line goes up and a step down goes right.
                let (dx, dy) = if text.upward { (dy, -dx) } else { (dx, dy) };
                let place = ((origin.0 + dx).round() as i32, (origin.1 + dy).round() as i32);
                let alpha = f64::from(coverage.clamp(0.0, 1.0));
                if alpha > 0.0
                    && let Err(error) = backend.draw_pixel(place, color(ink, alpha))
                {
                    failed = Some(error.to_string());
                }
            });
            if let Some(error) = failed {
                return Err(error);
            }
        }
        Ok(())
    }
}
