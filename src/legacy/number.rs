//! What number does a cell of a table hold? nsys prints plain digits or groups them by commas; tables
//! that went through a spreadsheet or another locale have points, spaces or apostrophes between groups
//! and perhaps a decimal comma.
//!
//! ```text
//!   1299464704   1,299,464,704   1.299.464.704   1 299 464 704   1'299'464'704     one number
//!   16625.1      16,625.1        16.625,1                                          another
//! ```
//! A lone mark before exactly three digits (`1.500`) is read by what the column holds: whole numbers
//! have no decimals, so it groups; in other columns it is a decimal mark, a comma only where the table
//! is known to write decimal commas.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// Counts, and times in whole nanoseconds.
    Whole,
    /// Anything else; whether a lone comma is a decimal mark.
    Decimal {
        /// As the rest of the table shows.
        comma: bool,
    },
}

/// Reads a number; nothing when the text is not one.
pub(super) fn read(text: &str, holds: Holds) -> Option<f64> {
    let groups = |c: char| matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '\'' | '’' | '_');
    let text = text.trim();
    let has_other = text.contains(groups);
    let (sign, body) = match text.strip_prefix(['-', '−']) {
        Some(body) => (-1.0, body),
        None => (1.0, text),
    };
    if has_other && !is_grouped(body.split(['.', ',']).next()?, groups) {
        return None;
    }
    let body: String = body.chars().filter(|c| !groups(*c)).collect();
    if !body.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    let plain = match (body.rfind(','), body.rfind('.')) {
        (None, None) => body,
        (Some(comma), Some(point)) => two_marks(&body, comma, point)?,
        (Some(_), None) => one_mark(&body, ',', holds)?,
        (None, Some(_)) => one_mark(&body, '.', holds)?,
    };
    plain.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| sign * value)
}

/// Groups of three digits after a first one of up to three.
fn is_grouped(text: &str, mark: impl Fn(char) -> bool) -> bool {
    let mut groups = text.split(mark);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let first = groups.next().is_some_and(|part| digits(part) && part.len() <= 3);
    first && groups.all(|part| digits(part) && part.len() == 3)
}

/// The mark that comes last is the decimal one.
fn two_marks(body: &str, comma: usize, point: usize) -> Option<String> {
    let (decimal, group) = if comma > point { (',', '.') } else { ('.', ',') };
    let (whole, rest) = body.split_once(decimal)?;
    let grouped = is_grouped(whole, |c| c == group);
    (grouped && !rest.contains([',', '.'])).then(|| format!("{}.{rest}", whole.replace(group, "")))
}

fn one_mark(body: &str, mark: char, holds: Holds) -> Option<String> {
    let grouped = is_grouped(body, |c| c == mark);
    let several = body.matches(mark).count() > 1;
    let as_decimal = || Some(body.replace(mark, "."));
    let as_group = || Some(body.replace(mark, ""));
    match (grouped, several, holds) {
        (true, true, _) | (true, false, Holds::Whole) => as_group(),
        (false, true, _) => None,
        (true, false, Holds::Decimal { comma }) if mark == ',' && !comma => as_group(),
        _ => as_decimal(),
    }
}

/// Whether a cell can only be read with a decimal comma.
pub(super) fn has_decimal_comma(text: &str) -> bool {
    let text = text.trim();
    let Some((whole, rest)) = text.rsplit_once(',') else { return false };
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let ungrouped = digits(rest) && rest.len() != 3;
    ungrouped && (digits(whole) || is_grouped(whole, |c| matches!(c, '.' | '\'' | ' ' | '\u{a0}')))
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECIMAL: Holds = Holds::Decimal { comma: false };
    const COMMA: Holds = Holds::Decimal { comma: true };

    #[test]
    fn whole_numbers_in_every_grouping() {
        for text in [
            "1299464704",
            "1,299,464,704",
            "1.299.464.704",
            "1 299 464 704",
            "1'299'464'704",
            "1\u{202f}299\u{202f}464\u{202f}704",
            "1_299_464_704",
        ] {
            assert_eq!(read(text, Holds::Whole), Some(1_299_464_704.0), "{text}");
        }
        assert_eq!(read("78.163", Holds::Whole), Some(78_163.0));
        assert_eq!(read("0", Holds::Whole), Some(0.0));
    }

    #[test]
    fn decimals_with_either_mark() {
        for (text, value) in [
            ("16625.1", 16_625.1),
            ("16,625.1", 16_625.1),
            ("16.625,1", 16_625.1),
            ("77,9", 77.9),
            ("1.500", 1.5),
            ("1,500", 1_500.0),
            ("1.25e+09", 1.25e9),
        ] {
            assert_eq!(read(text, DECIMAL), Some(value), "{text}");
        }
        assert_eq!(read("1,500", COMMA), Some(1.5));
        assert!(has_decimal_comma("77,9") && has_decimal_comma("16.625,1"));
        assert!(!has_decimal_comma("16,625") && !has_decimal_comma("16,625.1"));
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in ["", "12…", "cudaMalloc", "1,23,456", "1.2.3", "12 34", "..", "NaN", "inf"] {
            assert_eq!(read(text, Holds::Whole), None, "{text}");
            assert_eq!(read(text, DECIMAL), None, "{text}");
        }
    }
}
