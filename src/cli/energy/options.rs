//! What was typed about power logs, as the library takes it.

use anyhow::{Context, Result, bail};

use crate::cli::args::EnergyOptions;
use crate::cli::power::instant;
use crate::power::clock::align::AlignBy;
use crate::power::clock::place::ClockHints;
use crate::power::clock::zone::Zone;
use crate::power::decomposition::Variant;
use crate::power::estimate::Estimator;
use crate::power::idle::IdleFrom;
use crate::power::measure::How;
use crate::units::{Millijoules, Nanos};

/// Where idle power is taken, before a window specification is looked up.
pub(super) enum IdleWords<'a> {
    /// The default.
    None,
    /// So long before and after the activity.
    Within(Nanos),
    /// A window specification.
    Spec(&'a str),
}

/// Everything but the idle time, which may need the trace.
pub(super) fn how(typed: &EnergyOptions, idle: Option<IdleFrom>) -> Result<How> {
    if !(0.0..=1.0).contains(&typed.min_coverage) {
        bail!("--min-coverage {}: a share lies between 0 and 1", typed.min_coverage);
    }
    Ok(How {
        rail: typed.rail.clone(),
        idle,
        estimator: estimator(typed)?,
        min_coverage: typed.min_coverage,
        align: align(typed)?,
        clock: clock(typed)?,
    })
}

fn align(typed: &EnergyOptions) -> Result<AlignBy> {
    let Some(name) = typed.align.as_deref() else { return Ok(AlignBy::Auto) };
    let known: Vec<&str> = AlignBy::NAMES.iter().map(|(name, _)| *name).collect();
    AlignBy::named(name)
        .with_context(|| format!("--align `{name}` is no method; there are {}", known.join(", ")))
}

fn estimator(typed: &EnergyOptions) -> Result<Option<Estimator>> {
    let Some(name) = typed.estimator.as_deref().filter(|name| *name != "auto") else {
        return Ok(None);
    };
    let known = Estimator::ALL.into_iter().find(|estimator| estimator.name() == name);
    known.map(Some).with_context(|| {
        let names: Vec<&str> = Estimator::ALL.iter().map(|estimator| estimator.name()).collect();
        format!("no estimator `{name}`; there are auto, {}", names.join(", "))
    })
}

/// Seconds (`10`, `10s`, `500ms`), or a window specification.
pub(super) fn idle(typed: &EnergyOptions) -> IdleWords<'_> {
    let Some(text) = typed.idle.as_deref() else { return IdleWords::None };
    let seconds = text.parse::<f64>().ok().filter(|s| s.is_finite() && *s > 0.0);
    match seconds.map(|s| Nanos::from_ns((s * 1e9) as i64)).or_else(|| duration(text).ok()) {
        Some(length) => IdleWords::Within(length),
        None => IdleWords::Spec(text),
    }
}

fn clock(typed: &EnergyOptions) -> Result<ClockHints> {
    let zone = match typed.log_tz.as_deref() {
        None => None,
        Some(text) => Some(Zone::parse(text).with_context(|| {
            format!("--log-tz `{text}` is no zone such as +02:00, UTC or Europe/Berlin")
        })?),
    };
    Ok(ClockHints {
        zone,
        trace_zone_s: None,
        start: typed.log_start.as_deref().map(instant).transpose().context("--log-start")?,
        date_ns: typed.log_date.as_deref().map(midnight).transpose().context("--log-date")?,
        period: typed.log_period.as_deref().map(positive).transpose().context("--log-period")?,
        offset: typed.offset.as_deref().map(duration).transpose().context("--offset")?,
        may_float: false,
    })
}

/// Midnight of `2025-05-19`, in ns since 1970 as if it were UTC.
fn midnight(text: &str) -> Result<i64> {
    let date: jiff::civil::Date =
        text.parse().with_context(|| format!("`{text}` is no date such as 2025-05-19"))?;
    let midnight = jiff::tz::TimeZone::UTC.to_timestamp(date.at(0, 0, 0, 0))?;
    i64::try_from(midnight.as_nanosecond()).with_context(|| format!("`{text}` is out of range"))
}

fn positive(text: &str) -> Result<Nanos> {
    let length = duration(text)?;
    if length <= Nanos::ZERO {
        bail!("`{text}` must be longer than nothing");
    }
    Ok(length)
}

/// A number and the unit behind it.
fn split(text: &str) -> (&str, &str) {
    let text = text.trim();
    let at = text.find(|c: char| c.is_alphabetic()).unwrap_or(text.len());
    (text[..at].trim(), text[at..].trim())
}

/// `100ms`, `-4h`, `1.5s`.
pub(in crate::cli) fn duration(text: &str) -> Result<Nanos> {
    let (number, unit) = split(text);
    let scale = match unit {
        "ns" => 1.0,
        "us" | "µs" => 1e3,
        "ms" => 1e6,
        "s" => 1e9,
        "m" | "min" => 60e9,
        "h" => 3600e9,
        _ => bail!("`{text}` needs a unit: ns, us, ms, s, min or h"),
    };
    let value: f64 = number.parse().with_context(|| format!("`{text}` is no length of time"))?;
    Ok(Nanos::from_ns((value * scale).round() as i64))
}

/// `228.0mJ/59.6ms`.
pub(super) fn variant(text: &str) -> Result<Variant> {
    let Some((energy, latency)) = text.split_once('/') else {
        bail!("--decompose `{text}`: write ENERGY/LATENCY, such as 228.0mJ/59.6ms");
    };
    let (number, unit) = split(energy);
    let scale = match unit {
        "uJ" | "µJ" => 1e-3,
        "mJ" => 1.0,
        "J" => 1e3,
        "kJ" => 1e6,
        _ => bail!("--decompose: `{energy}` needs a unit: uJ, mJ, J or kJ"),
    };
    let value: f64 =
        number.parse().with_context(|| format!("--decompose: `{energy}` is no energy"))?;
    Ok((Millijoules::from_mj(value * scale), positive(latency).context("--decompose")?))
}
