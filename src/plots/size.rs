//! How large a figure is on the page.

/// Width of a figure on the page.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Width {
    /// One column of a two-column page: 84 mm.
    Column,
    /// The whole text: 174 mm.
    Text,
    /// Any other, in mm.
    Mm(f64),
}

impl Width {
    /// The narrowest figure in which labels find a place, mm.
    pub const LEAST: f64 = 60.0;
    /// The widest, mm.
    pub const MOST: f64 = 1000.0;

    /// In mm.
    pub const fn mm(self) -> f64 {
        match self {
            Self::Column => 84.0,
            Self::Text => 174.0,
            Self::Mm(mm) => mm.clamp(Self::LEAST, Self::MOST),
        }
    }

    /// `column`, `text`, or a number of millimetres (`120` or `120mm`).
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "column" => Some(Self::Column),
            "text" => Some(Self::Text),
            other => {
                let mm: f64 = other.strip_suffix("mm").unwrap_or(other).trim().parse().ok()?;
                (Self::LEAST..=Self::MOST).contains(&mm).then_some(Self::Mm(mm))
            }
        }
    }
}

/// Size of texts, points.
pub const PT: f64 = 7.0;
/// Size of small texts, points.
pub const SMALL: f64 = 6.0;
/// Distance of lines of text, mm.
pub const LINE: f64 = 3.2;
/// Space around everything, mm.
pub const MARGIN: f64 = 1.2;
/// From the middle of a text's height to its baseline, mm.
pub const HALF: f64 = 0.88;
/// Thickness of axes, mm.
pub const HAIR: f64 = 0.09;
/// Thickness of curves, mm.
pub const CURVE: f64 = 0.3;
