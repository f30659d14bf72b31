//! A figure: a scene, and the words that belong beside it.
//!
//! The caption says what is shown, of which trace, and what the numbers mean; it is written beside the
//! picture as text and as LaTeX, and into the SVG.

use super::scene::Scene;
use super::svg::SvgFont;
use super::{pdf, png, svg};

/// Why there is no figure.
#[derive(Debug, thiserror::Error)]
pub enum PlotError {
    /// There is nothing to show.
    #[error("nothing to draw: {0}")]
    Empty(String),
    /// The picture could not be written.
    #[error("the figure could not be drawn: {0}")]
    Drawing(String),
}

/// A figure.
#[derive(Clone, Debug, PartialEq)]
pub struct Figure {
    /// A short title.
    pub title: String,
    /// What is shown and what it means, in sentences.
    pub caption: String,
    /// The picture.
    pub scene: Scene,
}

impl Figure {
    /// The picture as SVG.
    ///
    /// # Errors
    /// [`PlotError::Drawing`] when plotters refuses.
    pub fn svg(&self, font: SvgFont) -> Result<String, PlotError> {
        svg::write(&self.scene, &self.title, &self.caption, font).map_err(PlotError::Drawing)
    }

    /// The picture as PNG with so many dots per inch.
    ///
    /// # Errors
    /// [`PlotError::Drawing`] when plotters or the encoder refuse.
    pub fn png(&self, dpi: f64) -> Result<Vec<u8>, PlotError> {
        png::write(&self.scene, dpi).map_err(PlotError::Drawing)
    }

    /// The picture as PDF.
    pub fn pdf(&self) -> Vec<u8> {
        pdf::write(&self.scene, &self.title)
    }

    /// The caption for LaTeX: `\caption{…}`, to be read with `\input` inside a figure.
    pub fn caption_tex(&self) -> String {
        format!("\\caption{{{}}}\n", tex(&self.caption))
    }
}

/// Text for LaTeX, without any command in it.
fn tex(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\textbackslash{}"),
            '{' | '}' | '$' | '&' | '#' | '%' | '_' => {
                out.push('\\');
                out.push(c);
            }
            '~' => out.push_str("\\textasciitilde{}"),
            '^' => out.push_str("\\textasciicircum{}"),
            '<' => out.push_str("\\textless{}"),
            '>' => out.push_str("\\textgreater{}"),
            '|' => out.push_str("\\textbar{}"),
            '"' => out.push_str("\\textquotedbl{}"),
            '`' => out.push_str("\\textasciigrave{}"),
            'µ' | 'μ' => out.push_str("\\ensuremath{\\mu}"),
            '±' => out.push_str("\\ensuremath{\\pm}"),
            '×' => out.push_str("\\ensuremath{\\times}"),
            '−' => out.push_str("\\ensuremath{-}"),
            '≥' => out.push_str("\\ensuremath{\\geq}"),
            '≤' => out.push_str("\\ensuremath{\\leq}"),
            '→' => out.push_str("\\ensuremath{\\rightarrow}"),
            'Δ' => out.push_str("\\ensuremath{\\Delta}"),
            '·' => out.push_str("\\ensuremath{\\cdot}"),
            '“' => out.push_str("``"),
            '”' => out.push_str("''"),
            '…' => out.push_str("\\dots{}"),
            '–' => out.push_str("--"),
            '—' => out.push_str("---"),
            c if c.is_control() => out.push(' '),
            c if c.is_ascii() => out.push(c),
            _ => out.push('?'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_a_trace_are_no_commands() {
        assert_eq!(
            tex("\\input{x} 5 % µs"),
            "\\textbackslash{}input\\{x\\} 5 \\% \\ensuremath{\\mu}s"
        );
        assert_eq!(tex("a\u{1b}[31m_<b>"), "a [31m\\_\\textless{}b\\textgreater{}");
    }
}
