//! The texts of a figure's SVG with the space that they take, read from the file itself.

use nsys_attrib::plots::font;
use nsys_attrib::plots::scene::TextBox;

/// plotters puts the baseline so many em below the place of a text that hangs from its top.
const HANG: f64 = 0.76;
/// Units of the picture in a millimetre.
const PER_MM: f64 = 100.0;
/// Height above and depth below the baseline, em.
const ABOVE: f64 = 0.71;
const BELOW: f64 = 0.21;

/// Size of the picture in mm.
pub(crate) fn size(svg: &str) -> (f64, f64) {
    let side = |name: &str| {
        let (_, rest) = svg.split_once(&format!("{name}=\"")).unwrap();
        rest.split("mm\"").next().unwrap().parse().unwrap()
    };
    (side("width"), side("height"))
}

/// Every text with its space, mm.
pub(crate) fn texts(svg: &str) -> Vec<TextBox> {
    let one = |element: &str| {
        let (attributes, rest) = element.split_once(">\n").unwrap();
        space(attributes, &unescape(rest.split("\n</text>").next().unwrap()))
    };
    svg.split("<text ").skip(1).map(one).collect()
}

fn space(attributes: &str, text: &str) -> TextBox {
    let attributes = format!(" {attributes}");
    let value = |name: &str| {
        let (_, rest) = attributes.split_once(&format!(" {name}=\""))?;
        rest.split('"').next().map(str::to_owned)
    };
    let number = |name: &str| value(name).unwrap().parse::<f64>().unwrap() / PER_MM;
    let em = number("font-size");
    let pt = em / font::mm(1.0);
    let length = font::width(text, pt, value("font-weight").is_some());
    let before = match value("text-anchor").unwrap().as_str() {
        "start" => 0.0,
        "middle" => length / 2.0,
        _ => length,
    };
    let (x, y) = (number("x"), number("y"));
    let text = text.to_owned();
    match value("transform") {
        None => {
            let base = y + HANG * em;
            let left = x - before;
            TextBox {
                left,
                top: base - ABOVE * em,
                right: left + length,
                bottom: base + BELOW * em,
                text,
            }
        }
        Some(turned) => {
            assert!(turned.starts_with("rotate(270"), "{turned}");
            let base = x + HANG * em;
            let bottom = y + before;
            TextBox {
                left: base - ABOVE * em,
                top: bottom - length,
                right: base + BELOW * em,
                bottom,
                text,
            }
        }
    }
}

fn unescape(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (from, to)| text.replace(from, to))
}

/// Texts that leave the picture, and pairs that run into each other.
pub(crate) fn faults(svg: &str) -> Vec<String> {
    let ((width, height), texts) = (size(svg), texts(svg));
    let mut faults = Vec::new();
    for (i, a) in texts.iter().enumerate() {
        // Places are rounded to a hundredth of a millimetre.
        if a.left < -0.02 || a.top < -0.02 || a.right > width + 0.02 || a.bottom > height + 0.02 {
            faults.push(format!("`{}` leaves the picture", a.text));
        }
        faults.extend(
            texts[..i]
                .iter()
                .filter(|b| a.meets(b))
                .map(|b| format!("`{}` runs into `{}`", a.text, b.text)),
        );
    }
    faults
}
