//! Labelled notes and commands: sentences that wrap beside a column of labels.

use std::io::{self, Write};

use super::terminal::{Style, wrap};

/// The widest a column of labels gets; a longer label has a line of its own.
const WIDEST_LABEL: usize = 28;

/// Writes sentences with their labels in a column of their own.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_notes(
    out: &mut dyn Write,
    notes: &[(String, String)],
    style: Style,
) -> io::Result<()> {
    let lengths = notes.iter().map(|(label, _)| label.chars().count());
    let column = lengths.filter(|length| *length <= WIDEST_LABEL).max().unwrap_or(0) + 2;
    let width = usize::from(style.width).saturating_sub(column + 2).max(30);
    for (label, text) in notes {
        let mut first = format!("  {label:<column$}");
        if label.chars().count() > WIDEST_LABEL {
            writeln!(out, "  {label}")?;
            first = " ".repeat(column + 2);
        }
        for (i, line) in wrap(text, width).iter().enumerate() {
            let before = if i == 0 { first.clone() } else { " ".repeat(column + 2) };
            writeln!(out, "{}", format!("{before}{line}").trim_end())?;
        }
    }
    Ok(())
}

/// Writes a heading.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_heading(out: &mut dyn Write, text: &str, style: Style) -> io::Result<()> {
    let (on, off) = if style.color { ("\u{1b}[1m", "\u{1b}[0m") } else { ("", "") };
    writeln!(out, "\n{on}{text}{off}")
}

/// A word as a shell takes it: quoted when it holds anything but letters, digits and a few signs.
pub fn shell_word(word: &str) -> String {
    let is_safe = |c: char| c.is_alphanumeric() || "_-./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_safe) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_spaces_and_quotes_are_quoted() {
        assert_eq!(shell_word("a/b.sqlite"), "a/b.sqlite");
        assert_eq!(shell_word("my trace"), "'my trace'");
        assert_eq!(shell_word("it's"), "'it'\\''s'");
        assert_eq!(shell_word(""), "''");
    }

    #[test]
    fn long_labels_have_a_line_of_their_own() {
        let mut out = Vec::new();
        let notes = [
            ("key".to_owned(), "some words that wrap at the width which is given".to_owned()),
            ("a label that is far too long to stand there".to_owned(), "text".to_owned()),
        ];
        let style = Style { color: false, width: 40 };
        write_notes(&mut out, &notes, style).unwrap();
        let expected = "  key  some words that wrap at the width\n       which is given\n  \
                        a label that is far too long to stand there\n       text\n";
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}
