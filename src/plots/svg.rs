//! A scene as SVG: the same bytes every time, sized in mm, with its title and caption inside.
//!
//! Texts stay texts. A file of its own carries the font, so that every browser shows the letters for
//! which the figure was laid out; inside a page the font is given once ([`font_face`]).

use plotters_backend::text_anchor::{HPos, Pos, VPos};
use plotters_backend::{
    BackendColor, BackendTextStyle, DrawingBackend, FontFamily, FontStyle, FontTransform,
};
use plotters_svg::SVGBackend;

use super::canvas::{Canvas, color, paint};
use super::font;
use super::scene::{Anchor, Scene, Text};

/// Units in a millimetre.
const PER_MM: f64 = 100.0;
/// plotters writes sizes divided by this.
const PLOTTERS_SIZE: f64 = 1.24;
/// plotters puts the baseline of a text that hangs from its top so many em below.
const PLOTTERS_TOP: f64 = 0.76;

/// Where the letters come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SvgFont {
    /// The file carries the font: for files of their own.
    Carried,
    /// The page around it gives the font: see [`font_face`].
    Named,
}

/// The scene as an SVG document.
pub(super) fn write(
    scene: &Scene,
    title: &str,
    caption: &str,
    how: SvgFont,
) -> Result<String, String> {
    let size = [scene.width, scene.height].map(|mm| (mm * PER_MM).round() as u32);
    let mut body = String::new();
    let mut canvas = Svg { backend: SVGBackend::with_string(&mut body, (size[0], size[1])) };
    paint(scene, &mut canvas)?;
    drop(canvas);
    // plotters gives the size in pixels; on a page it is a length.
    let rest = body.split_once(">\n").map_or("", |(_, rest)| rest);
    let mut out = format!(
        "<svg width=\"{}mm\" height=\"{}mm\" viewBox=\"0 0 {} {}\" xmlns=\"http://www.w3.org/2000/svg\" role=\"img\">\n\
         <title>{}</title>\n<desc>{}</desc>\n",
        scene.width,
        scene.height,
        size[0],
        size[1],
        escape(title),
        escape(caption),
    );
    if how == SvgFont::Carried {
        let bold = scene.texts().any(|text| text.bold);
        out += &format!("<style>{}</style>\n", font_face(bold));
    }
    Ok(out + rest)
}

/// The style rule that gives a page the font of the figures.
pub fn font_face(bold: bool) -> String {
    let face = |weight: &str, bytes: &[u8]| {
        format!(
            "@font-face{{font-family:\"{}\";font-weight:{weight};src:url(data:font/ttf;base64,{}) format(\"truetype\")}}",
            font::FAMILY,
            base64(bytes)
        )
    };
    let regular = face("normal", font::REGULAR);
    if bold { regular + &face("bold", font::BOLD) } else { regular }
}

/// The five signs of XML.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            c if c.is_control() && c != '\n' => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

fn base64(bytes: &[u8]) -> String {
    const SIGNS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for three in bytes.chunks(3) {
        let part = |n: usize| u32::from(three.get(n).copied().unwrap_or(0));
        let joined = part(0) << 16 | part(1) << 8 | part(2);
        for sign in 0..4 {
            let filled = sign <= three.len();
            let at = (joined >> (18 - 6 * sign) & 63) as usize;
            out.push(if filled { char::from(SIGNS[at]) } else { '=' });
        }
    }
    out
}

struct Svg<'a> {
    backend: SVGBackend<'a>,
}

impl<'a> Canvas for Svg<'a> {
    type Backend = SVGBackend<'a>;

    fn backend(&mut self) -> &mut SVGBackend<'a> {
        &mut self.backend
    }

    fn per_mm(&self) -> f64 {
        PER_MM
    }

    fn write(&mut self, text: &Text) -> Result<(), String> {
        let em = font::mm(text.pt) * PER_MM;
        let hang = PLOTTERS_TOP * em;
        let (x, y) = (text.x * PER_MM, text.y * PER_MM);
        // The shift down to the baseline turns with the text.
        let place = if text.upward { (x - hang, y) } else { (x, y - hang) };
        let place = (place.0.round() as i32, place.1.round() as i32);
        let style = Letters { text, size: (em * 100.0).round() / 100.0 * PLOTTERS_SIZE };
        self.backend.draw_text(&text.text, &style, place).map_err(|error| error.to_string())
    }
}

/// A text's looks, as plotters wants them.
struct Letters<'a> {
    text: &'a Text,
    size: f64,
}

impl BackendTextStyle for Letters<'_> {
    type FontError = std::io::Error;

    fn color(&self) -> BackendColor {
        color(self.text.color, 1.0)
    }

    fn size(&self) -> f64 {
        self.size
    }

    fn transform(&self) -> FontTransform {
        if self.text.upward { FontTransform::Rotate270 } else { FontTransform::None }
    }

    fn style(&self) -> FontStyle {
        if self.text.bold { FontStyle::Bold } else { FontStyle::Normal }
    }

    fn anchor(&self) -> Pos {
        let h_pos = match self.text.anchor {
            Anchor::Start => HPos::Left,
            Anchor::Middle => HPos::Center,
            Anchor::End => HPos::Right,
        };
        Pos { h_pos, v_pos: VPos::Top }
    }

    fn family(&self) -> FontFamily<'_> {
        FontFamily::Name("Roboto Condensed, Arial Narrow, sans-serif")
    }

    fn layout_box(&self, _: &str) -> Result<((i32, i32), (i32, i32)), std::io::Error> {
        Ok(((0, 0), (0, 0)))
    }

    fn draw<E, D: FnMut(i32, i32, BackendColor) -> Result<(), E>>(
        &self,
        _: &str,
        _: (i32, i32),
        _: D,
    ) -> Result<Result<(), E>, std::io::Error> {
        Ok(Ok(()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (text, expected) in cases {
            assert_eq!(base64(text.as_bytes()), expected);
        }
    }

    #[test]
    fn names_of_a_trace_stay_text() {
        let mut scene = Scene::new(84.0, 20.0);
        scene.text(Text::new(2.0, 10.0, 7.0, "<script>alert('&')</script>"));
        let svg = write(&scene, "a<b", "\u{1b}[31m", SvgFont::Named).unwrap();
        assert!(!svg.contains("<script"), "{svg}");
        assert!(svg.contains("&lt;script&gt;") && !svg.contains('\u{1b}'), "{svg}");
        assert!(svg.starts_with("<svg width=\"84mm\" height=\"20mm\" viewBox=\"0 0 8400 2000\""));
    }
}
