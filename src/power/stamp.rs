//! Times as loggers write them, to integer nanoseconds without ever passing through a float.

use crate::units::Nanos;

/// One second.
pub(super) const SECOND: i64 = 1_000_000_000;

/// How a column of a generic csv holds its time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TimeFormat {
    /// Seconds since 1970.
    UnixS,
    /// Milliseconds since 1970.
    UnixMs,
    /// Microseconds since 1970.
    UnixUs,
    /// Nanoseconds since 1970.
    UnixNs,
    /// Seconds since an unknown start.
    RelS,
    /// Milliseconds since an unknown start.
    RelMs,
    /// Local date and time, year first.
    Civil,
}

impl TimeFormat {
    /// The names on the command line.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("unix_s", Self::UnixS),
        ("unix_ms", Self::UnixMs),
        ("unix_us", Self::UnixUs),
        ("unix_ns", Self::UnixNs),
        ("rel_s", Self::RelS),
        ("rel_ms", Self::RelMs),
        ("civil", Self::Civil),
    ];

    /// The format of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, format)| format)
    }
}

/// A decimal number in units of 10^`exponent` ns, exactly: `1731659889.125` with 9 is
/// 1731659889125000000. Digits below a nanosecond are cut off.
pub(super) fn decimal_ns(text: &str, exponent: u32) -> Option<i64> {
    let text = text.trim();
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let decimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() && fraction.is_empty() || !decimal(whole) || !decimal(fraction) {
        return None;
    }
    let scale = 10_i64.checked_pow(exponent)?;
    let mut value = if whole.is_empty() { 0 } else { whole.parse::<i64>().ok()? };
    value = value.checked_mul(scale)?;
    let mut unit = scale;
    for digit in fraction.bytes() {
        unit /= 10;
        if unit == 0 {
            break;
        }
        value = value.checked_add(i64::from(digit - b'0') * unit)?;
    }
    Some(if negative { -value } else { value })
}

/// Local date and time, year first: `2025/05/19 07:29:01.123`, `2025-06-18T11:25:24`, to ns since 1970
/// as if it were UTC.
pub(super) fn civil_ns(text: &str) -> Option<i64> {
    let text = text.trim();
    let date = text.get(..10)?;
    let mut parts = date.split(['/', '-']);
    let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
    if year.len() != 4 || !matches!(text.as_bytes().get(10), Some(b' ' | b'T')) {
        return None;
    }
    Some(
        date_ns(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)?
            + clock_ns(&text[11..])?,
    )
}

/// Midnight of a date, in ns since 1970.
pub(super) fn date_ns(year: i16, month: i8, day: i8) -> Option<i64> {
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    let days = date.since(jiff::civil::date(1970, 1, 1)).ok()?.get_days();
    Some(i64::from(days) * 86_400 * SECOND)
}

/// `HH:MM:SS[.fraction]` to ns since midnight.
pub(super) fn clock_ns(text: &str) -> Option<i64> {
    let mut parts = text.trim().splitn(3, ':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    if hours.len() != 2 || minutes.len() != 2 || seconds.len() < 2 {
        return None;
    }
    let (hours, minutes): (i64, i64) = (hours.parse().ok()?, minutes.parse().ok()?);
    let seconds = decimal_ns(seconds, 9)?;
    let fits = (0..24).contains(&hours) && (0..60).contains(&minutes) && seconds < 61 * SECOND;
    (fits && seconds >= 0).then_some((hours * 3600 + minutes * 60) * SECOND + seconds)
}

/// The resolution of a stamp: the place of its last digit, at best 1 ns.
pub(super) fn quantum_of(text: &str) -> Nanos {
    let digits = text
        .rsplit_once('.')
        .map_or(0, |(_, fraction)| fraction.bytes().take_while(u8::is_ascii_digit).count().min(9));
    Nanos::from_ns(10_i64.pow(9 - digits as u32))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_dates_are_exact() {
        assert_eq!(decimal_ns("1731659889.125", 9), Some(1_731_659_889_125_000_000));
        assert_eq!(decimal_ns("1731659889125", 6), Some(1_731_659_889_125_000_000));
        assert_eq!(decimal_ns("0.0002", 9), Some(200_000));
        assert_eq!(decimal_ns("12a", 9), None);
        assert_eq!(civil_ns("2026/03/07 00:20:37.071"), Some(1_772_842_837_071_000_000));
        assert_eq!(civil_ns("2025-07-03T01:43:18"), Some(1_751_506_998_000_000_000));
        assert_eq!(civil_ns("2025/05/19 07:29"), None);
        assert_eq!(quantum_of("07:29:01.123"), Nanos::from_ns(1_000_000));
        assert_eq!(quantum_of("07:29:01"), Nanos::from_ns(SECOND));
    }
}
