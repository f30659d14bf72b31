//! Prometheus text of the DCGM exporter: `DCGM_FI_DEV_POWER_USAGE{gpu="0",…} 320 [unix_ms]`.
//!
//! A scrape without a stamp has no time: it is refused unless the user says when it was taken.

use super::{LogFormat, ReadHints, reading};
use crate::power::error::{PowerError, Source};
use crate::power::log::{Basis, Kind, PowerLog};
use crate::power::stamp::{SECOND, decimal_ns};
use crate::units::{Nanos, UnixTime};

pub(super) fn is_mine(head: &str) -> bool {
    head.lines().take(200).any(|line| {
        line.starts_with("# HELP ") || line.starts_with("# TYPE ") || series(line).is_some()
    })
}

/// `NAME{labels} rest` with a name in capitals.
fn series(line: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = line.split_once('{')?;
    let is_name = |text: &str| {
        !text.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    let (labels, rest) = rest.rsplit_once('}')?;
    is_name(name).then_some((name, labels, rest))
}

fn label<'t>(labels: &'t str, wanted: &str) -> Option<&'t str> {
    labels.split(',').find_map(|pair| {
        let (name, value) = pair.split_once('=')?;
        (name.trim() == wanted).then(|| value.trim().trim_matches('"'))
    })
}

pub(super) fn read(source: Source<'_>, hints: &ReadHints) -> Result<PowerLog, PowerError> {
    let mut log = PowerLog::new(LogFormat::Prometheus, Basis::Unix, Nanos::from_ns(SECOND / 1_000));
    for (number, line) in source.text.lines().enumerate().map(|(at, line)| (at + 1, line)) {
        let Some((name, labels, rest)) = series(line) else {
            log.skipped_lines += 1;
            continue;
        };
        let (kind, scale, suffix) = match name {
            "DCGM_FI_DEV_POWER_USAGE" => {
                (Kind::TrailingAvg { window: Some(Nanos::from_ns(SECOND)) }, 1.0, "")
            }
            "DCGM_FI_DEV_POWER_USAGE_INSTANT" => (Kind::Instant, 1.0, ":instant"),
            "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION" => (Kind::Cumulative, 1e-3, ":energy"),
            _ => continue,
        };
        let mut parts = rest.split_whitespace();
        let value = parts.next().and_then(reading).map(|value| value * scale);
        let stamp = parts.next().and_then(|text| decimal_ns(text, 6));
        let Some(at_ns) = stamp.or(hints.scrape_time.map(UnixTime::as_unix_ns)) else {
            return Err(source.line(
                number,
                "this scrape carries no time",
                "Say when it was taken with --scrape-time (RFC 3339)",
            ));
        };
        let device = label(labels, "UUID").or_else(|| label(labels, "gpu")).unwrap_or("gpu");
        let device = if device.bytes().all(|b| b.is_ascii_digit()) {
            format!("gpu{device}")
        } else {
            device.to_owned()
        };
        log.push(&format!("{device}{suffix}"), kind, at_ns, value);
    }
    Ok(log)
}
