//! How wide a text is, and what to do when it is too wide.
//!
//! The font is in the program (`fonts/README.md` says whose it is and under which licence), so that a
//! figure needs no system package and looks the same everywhere. Sizes are in points, lengths in mm.

use std::sync::OnceLock;

use ab_glyph::{Font, FontRef};

use crate::units::{Distinct, Ruler};

/// The family's name, as SVG and PDF call it.
pub const FAMILY: &str = "Roboto Condensed";
/// The regular face.
pub const REGULAR: &[u8] = include_bytes!("fonts/RobotoCondensed-Regular.subset.ttf");
/// The bold face.
pub const BOLD: &[u8] = include_bytes!("fonts/RobotoCondensed-Bold.subset.ttf");

/// Millimetres in a point.
const MM: f64 = 25.4 / 72.0;
/// Width that is assumed for a character that the font lacks, em.
const UNKNOWN: f64 = 0.6;

/// Points to millimetres.
pub fn mm(pt: f64) -> f64 {
    pt * MM
}

/// A face; `None` only if the program was built with a broken file.
pub fn face(bold: bool) -> Option<&'static FontRef<'static>> {
    static FACES: OnceLock<[Option<FontRef<'static>>; 2]> = OnceLock::new();
    let faces =
        FACES.get_or_init(|| [REGULAR, BOLD].map(|bytes| FontRef::try_from_slice(bytes).ok()));
    faces[usize::from(bold)].as_ref()
}

/// The width of a text, mm.
pub fn width(text: &str, pt: f64, bold: bool) -> f64 {
    let advance = |c: char| match face(bold) {
        Some(face) if face.glyph_id(c).0 != 0 => {
            let per_em = face.units_per_em().unwrap_or(2048.0);
            f64::from(face.h_advance_unscaled(face.glyph_id(c)) / per_em)
        }
        _ => UNKNOWN,
    };
    text.chars().map(advance).sum::<f64>() * mm(pt)
}

/// The text without characters that would break a line, turn the direction or show nothing; other control
/// characters are written as `\u{..}`, as everywhere.
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\u{200B}'..='\u{200F}'
            | '\u{202A}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}'
            | '\u{FEFF}' => {}
            c if c.is_control() && !c.is_whitespace() => out.extend(c.escape_unicode()),
            c if c.is_whitespace() => {
                if !out.ends_with(' ') {
                    out.push(' ');
                }
            }
            c => out.push(c),
        }
    }
    out.trim().to_owned()
}

/// The text, cut at its end where it is wider than `room` mm.
pub fn cut_end(text: &str, room: f64, pt: f64, bold: bool) -> String {
    let text = printable(text);
    if width(&text, pt, bold) <= room {
        return text;
    }
    let kept = longest(&text, room - width("…", pt, bold), pt, bold);
    if kept.is_empty() { String::new() } else { format!("{}…", kept.trim_end()) }
}

/// The text, cut in its middle where it is wider than `room` mm: names of kernels differ at both ends.
pub fn cut_middle(text: &str, room: f64, pt: f64, bold: bool) -> String {
    let text = printable(text);
    if width(&text, pt, bold) <= room {
        return text;
    }
    let left = room - width("…", pt, bold);
    let head = longest(&text, left * 0.6, pt, bold);
    let reversed: String = text.chars().rev().take(4096).collect();
    let tail: String =
        longest(&reversed, left - width(head, pt, bold), pt, bold).chars().rev().collect();
    if head.is_empty() { String::new() } else { format!("{head}…{tail}") }
}

/// Names cut to `room` mm so that different ones stay different.
pub fn cut_apart(names: &[String], room: f64, pt: f64, bold: bool) -> Distinct {
    let width = |c: char| {
        let mut one = [0; 4];
        width(c.encode_utf8(&mut one), pt, bold)
    };
    let ruler = Ruler { room, width: &width, clean: &printable };
    ruler.distinct(names.iter().map(String::as_str))
}

/// The longest beginning that fits.
fn longest(text: &str, room: f64, pt: f64, bold: bool) -> &str {
    let mut used = 0.0;
    for (at, c) in text.char_indices() {
        let mut one = [0; 4];
        used += width(c.encode_utf8(&mut one), pt, bold);
        if used > room {
            return &text[..at];
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_faces_are_whole_and_hold_what_figures_say() {
        for bold in [false, true] {
            let face = face(bold).unwrap();
            for c in "azAZ09%·–…µσΔ≥≤±×−²".chars() {
                assert_ne!(face.glyph_id(c).0, 0, "{c}");
            }
        }
    }

    #[test]
    fn names_that_differ_look_different() {
        let long = |middle: &str, end: &str| {
            format!(
                "void at::native::vectorized_elementwise_kernel<4, {middle}Functor<float>, {end}>(int)"
            )
        };
        let names = [
            long("Add", "x"),
            long("Mul", "x"),
            long("Sub", "x"),
            "gemm".to_owned(),
            long("Exp", "y"),
        ];
        let cut = cut_apart(&names, 40.0, 7.0, false).shown;
        assert!(cut.iter().all(|name| width(name, 7.0, false) <= 40.0 + 1e-9), "{cut:?}");
        assert_eq!(cut.iter().collect::<std::collections::BTreeSet<_>>().len(), 5, "{cut:?}");
        assert!(cut[1].contains("Mul") && cut[3] == "gemm", "{cut:?}");
    }

    #[test]
    fn cut_texts_fit_and_keep_what_tells_them_apart() {
        let name =
            "void cutlass::Kernel<cutlass_80_wmma_tensorop_s161616gemm_f16_32x32_128x2_nn_align8>";
        for room in [0.0, 1.0, 3.0, 10.0, 40.0] {
            assert!(width(&cut_end(name, room, 7.0, false), 7.0, false) <= room + 1e-9);
            assert!(width(&cut_middle(name, room, 7.0, false), 7.0, false) <= room + 1e-9);
        }
        let cut = cut_middle(name, 40.0, 7.0, false);
        assert!(cut.starts_with("void cutlass") && cut.ends_with("align8>"), "{cut}");
        assert_eq!(printable("a\u{202e}b\n\tc\u{1b}[31m"), "ab c\\u{1b}[31m");
    }
}
