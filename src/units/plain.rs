//! Text from a trace, made safe and short enough for one line of a terminal or a message.

/// Control characters (ANSI escapes, newlines, NUL) become `\u{..}` escapes; at most `limit`
/// characters are kept, with the middle left out, since both ends of a C++ name tell things apart.
pub fn plain(text: &str, limit: usize) -> String {
    let mut clean = String::with_capacity(text.len().min(limit.saturating_mul(4)));
    let long = text.chars().count() > limit;
    let (head, tail) = if long { (limit * 2 / 3, limit - limit * 2 / 3 - 1) } else { (limit, 0) };
    let mut push = |c: char| {
        if c.is_control() || is_bidi_control(c) {
            clean.extend(c.escape_unicode());
        } else {
            clean.push(c);
        }
    };
    text.chars().take(head).for_each(&mut push);
    if long {
        push('…');
        let skip = text.chars().count() - tail;
        text.chars().skip(skip).for_each(&mut push);
    }
    clean
}

/// The whole text with control characters as escapes.
pub(super) fn escaped(text: &str) -> String {
    plain(text, usize::MAX / 8)
}

/// Characters that reorder what follows them.
const fn is_bidi_control(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::plain;

    #[test]
    fn escapes_are_shown_and_long_names_keep_both_ends() {
        assert_eq!(plain("a\u{1b}[31mb", 40), "a\\u{1b}[31mb");
        assert_eq!(plain("abcdefghij", 10), "abcdefghij");
        assert_eq!(plain("abcdefghijk", 10), "abcdef…ijk");
    }
}
