//! Plain numbers as text: so many digits behind the point, and never a minus before nothing but zeros.
//!
//! `-0.0004` with two digits is `0.00`: what rounds to nothing has no direction. A difference has its sign,
//! also where it is positive ([`signed`]); another number only where it is negative ([`fixed`]).

/// A number with its minus, where it has one.
pub fn fixed(value: f64, digits: usize) -> String {
    let text = format!("{value:.digits$}");
    match text.strip_prefix('-') {
        Some(rest) if is_zero(rest) => rest.to_owned(),
        _ => text,
    }
}

/// A difference with its sign; none before zero.
pub fn signed(value: f64, digits: usize) -> String {
    let text = fixed(value, digits);
    if text.starts_with('-') || is_zero(&text) { text } else { format!("+{text}") }
}

fn is_zero(text: &str) -> bool {
    text.chars().all(|c| c == '0' || c == '.')
}

#[cfg(test)]
mod tests {
    use super::{fixed, signed};

    #[test]
    fn what_rounds_to_nothing_has_no_sign() {
        assert_eq!((fixed(-0.004, 2), fixed(-0.006, 2)), ("0.00".to_owned(), "-0.01".to_owned()));
        assert_eq!((signed(-0.004, 2), signed(0.004, 2)), ("0.00".to_owned(), "0.00".to_owned()));
        assert_eq!((signed(0.006, 2), signed(-1.0, 0)), ("+0.01".to_owned(), "-1".to_owned()));
        assert_eq!((signed(-0.0, 0), fixed(-0.0, 3)), ("0".to_owned(), "0.000".to_owned()));
    }
}
