//! Limits for a build server: `latency>+2%`, `share(dense-convolution)>0.6`.
//!
//! ```text
//! QUANTITY > LIMIT      fails above the limit        QUANTITY < LIMIT   fails below it
//! QUANTITY >= LIMIT     fails there too              QUANTITY <= LIMIT  fails there too
//! LIMIT: +2%, -5%            change against A, relative
//!        +0.5ms, +3, +2pp    change against A, in the unit (pp: percentage points of a share)
//!        20ms, 0.6, 60%      value of B
//! ```
//! A value that differs from the limit by rounding alone meets it exactly. The estimate decides. Whether the
//! whole 95 % interval lies beyond the limit is said beside it, and decides alone when only sure failures are to
//! count; where there is no interval, that is unknown, which is no pass.

use thiserror::Error;

use super::document::{Check, Comparison, Outcome, Quantity};
use crate::units::{Millijoules, Milliwatts, Nanos, fixed, plain};

/// A limit that was typed.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    text: String,
    quantity: String,
    sign: Sign,
    limit: Limit,
}

/// Which values are beyond a limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Sign {
    above: bool,
    /// Whether the limit itself is beyond.
    or_at: bool,
}

impl Sign {
    fn is_beyond(self, value: f64, limit: f64) -> bool {
        let rounding = ROUNDING * value.abs().max(limit.abs()).max(1.0);
        if (value - limit).abs() <= rounding {
            return self.or_at;
        }
        if self.above { value > limit } else { value < limit }
    }

    /// For a failure, and for a limit that is held.
    const fn words(self) -> (&'static str, &'static str) {
        match (self.above, self.or_at) {
            (true, false) => ("above", "not above"),
            (true, true) => ("at or above", "below"),
            (false, false) => ("below", "not below"),
            (false, true) => ("at or below", "above"),
        }
    }
}

/// Error of a ratio that went through logarithms; relative where a value exceeds 1.
const ROUNDING: f64 = 1e-12;

/// What the quantity is held against.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Limit {
    /// b / a − 1.
    Relative(f64),
    /// b − a.
    Change(Measured),
    /// b.
    Value(Measured),
}

/// A number with the unit that was typed.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Measured {
    value: f64,
    unit: Option<&'static str>,
}

/// What is wrong with a limit.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum CheckError {
    /// It cannot be read.
    #[error(
        "--fail-on `{text}`: {what}; write QUANTITY>LIMIT, as in latency>+2%, latency>=20ms or share(launch)<0.8"
    )]
    Unreadable {
        /// As typed.
        text: String,
        /// What is wrong.
        what: String,
    },
    /// No quantity has this name.
    #[error("--fail-on `{text}`: no quantity `{name}` in this comparison{hint}")]
    Unknown {
        /// As typed.
        text: String,
        /// The name.
        name: String,
        /// What is meant, perhaps.
        hint: String,
    },
    /// Time against a share, and the like.
    #[error("--fail-on `{text}`: {what}")]
    Unit {
        /// As typed.
        text: String,
        /// What is wrong.
        what: String,
    },
}

impl Rule {
    /// Reads a limit.
    ///
    /// # Errors
    /// [`CheckError::Unreadable`] with what is wrong.
    pub fn parse(text: &str) -> Result<Self, CheckError> {
        let wrong =
            |what: &str| CheckError::Unreadable { text: plain(text, 80), what: what.into() };
        let at = text.rfind(['>', '<']).ok_or_else(|| wrong("it has no > or <"))?;
        let (quantity, limit) = (text[..at].trim(), text[at + 1..].trim());
        let or_at = limit.starts_with('=');
        let sign = Sign { above: text[at..].starts_with('>'), or_at };
        let limit = limit.strip_prefix('=').unwrap_or(limit).trim();
        if quantity.is_empty() {
            return Err(wrong("no quantity stands before the sign"));
        }
        if quantity.ends_with(['=', '>', '<', '!']) {
            return Err(wrong("the signs are >, <, >= and <="));
        }
        let signed = limit.starts_with(['+', '-']);
        let end = limit
            .find(|c: char| !(c.is_ascii_digit() || "+-.eE".contains(c)))
            .unwrap_or(limit.len());
        let value: f64 =
            limit[..end].parse().map_err(|_| wrong("no number stands after the sign"))?;
        if !value.is_finite() {
            return Err(wrong("the number is too large"));
        }
        let (scale, unit) = match limit[end..].trim() {
            "" => (1.0, None),
            "%" => (0.01, Some("%")),
            "pp" => (0.01, Some("share")),
            "ns" => (1.0, Some("ns")),
            "us" | "µs" => (1e3, Some("ns")),
            "ms" => (1e6, Some("ns")),
            "s" => (1e9, Some("ns")),
            "mJ" => (1.0, Some("mj")),
            "J" => (1e3, Some("mj")),
            "mW" => (1.0, Some("mw")),
            "W" => (1e3, Some("mw")),
            _ => return Err(wrong("units are %, pp, ns, us, ms, s, mJ, J, mW and W")),
        };
        let measured = Measured { value: value * scale, unit };
        let limit = match (signed, unit) {
            (true, Some("%")) => Limit::Relative(measured.value),
            (true, _) => Limit::Change(measured),
            (false, _) => Limit::Value(measured),
        };
        Ok(Self { text: text.to_owned(), quantity: quantity.to_owned(), sign, limit })
    }

    /// Holds the limit against a comparison; only failures that the whole interval shares count when
    /// `sure`.
    ///
    /// # Errors
    /// [`CheckError`] when there is no such quantity, or it has another unit.
    pub fn check(&self, comparison: &Comparison, sure: bool) -> Result<Check, CheckError> {
        let quantity =
            comparison.quantity(&self.quantity).ok_or_else(|| self.unknown(comparison))?;
        let (value, ci95, limit) = self.held(quantity)?;
        let beyond = |value: f64| self.sign.is_beyond(value, limit);
        let (outcome, surely) = match value {
            None => (Outcome::Unknown, None),
            Some(value) => {
                let failed = beyond(value);
                let surely =
                    ci95.map(|[low, high]| beyond(low) == failed && beyond(high) == failed);
                let outcome = match (failed, surely) {
                    (false, _) => Outcome::Passed,
                    // Nobody can say how surely; a gate that is silent would be the wrong answer.
                    (true, None) if sure => Outcome::Unknown,
                    (true, Some(false)) if sure => Outcome::Passed,
                    (true, _) => Outcome::Failed,
                };
                (outcome, surely)
            }
        };
        let message = self.message(quantity, value, ci95, outcome, surely);
        Ok(Check {
            rule: self.text.clone(),
            quantity: self.quantity.clone(),
            outcome,
            surely,
            value,
            ci95,
            limit,
            message,
        })
    }

    /// What is held against the limit, its interval, and the limit.
    #[allow(clippy::type_complexity, reason = "three plain numbers")]
    fn held(
        &self,
        quantity: &Quantity,
    ) -> Result<(Option<f64>, Option<[f64; 2]>, f64), CheckError> {
        let wrong = |what: String| CheckError::Unit { text: plain(&self.text, 80), what };
        match self.limit {
            Limit::Relative(limit) => {
                if quantity.unit == "share" {
                    let name = plain(&self.quantity, 60);
                    return Err(wrong(format!(
                        "`{name}` is a share: write +2pp for percentage points"
                    )));
                }
                let ratio = quantity.ratio.as_ref();
                let less_one = |ci: [f64; 2]| [ci[0] - 1.0, ci[1] - 1.0];
                let interval = ratio.and_then(|ratio| ratio.ci95).map(less_one);
                Ok((ratio.map(|ratio| ratio.value - 1.0), interval, limit))
            }
            Limit::Change(measured) => {
                let limit = self.in_unit(measured, quantity).map_err(wrong)?;
                let difference = quantity.difference.as_ref();
                Ok((difference.map(|d| d.value), difference.and_then(|d| d.ci95), limit))
            }
            Limit::Value(measured) => {
                Ok((quantity.b, None, self.in_unit(measured, quantity).map_err(wrong)?))
            }
        }
    }

    fn in_unit(&self, measured: Measured, quantity: &Quantity) -> Result<f64, String> {
        let name = plain(&self.quantity, 60);
        match (measured.unit, quantity.unit.as_str()) {
            (Some("%"), "share") => Ok(measured.value),
            (Some("%"), _) => Err(format!(
                "`{name}` is no share: write +2% or -2% for a change, or a value with its unit"
            )),
            (None, "ns") => Err(match self.limit {
                Limit::Value(_) => format!("`{name}` is a time: write its unit, as in 20ms"),
                _ => format!(
                    "`{name}` is a time: write {:+}% or a unit, as in +0.5ms",
                    measured.value
                ),
            }),
            (None, "mj" | "mw") => Err(format!("`{name}` needs a unit: %, mJ, J, mW or W")),
            (None, "share") if measured.value.abs() > 1.0 => {
                let typed = measured.value;
                let points =
                    format!("{name}` is a share: {typed} would be {:.0} %; write", typed * 100.0);
                Err(match self.limit {
                    Limit::Value(_) => format!("`{points} {typed}% or {}", typed / 100.0),
                    _ => format!("`{points} {typed:+}pp for percentage points"),
                })
            }
            (None, _) => Ok(measured.value),
            (Some(typed), unit) if typed == unit => Ok(measured.value),
            (Some(_), unit) => Err(format!("`{name}` is measured in {unit}")),
        }
    }

    fn unknown(&self, comparison: &Comparison) -> CheckError {
        if comparison.a.windows == 0 || comparison.b.windows == 0 {
            let hint = "; a side was imported from `nsys stats` and has no windows: there are shares alone, such as share(launch), \
                        share(cudaLaunchKernel) and share(dense-convolution)"
                .to_owned();
            let (text, name) = (plain(&self.text, 80), plain(&self.quantity, 60));
            return CheckError::Unknown { text, name, hint };
        }
        let names = comparison.quantities.iter().map(|quantity| quantity.name.as_str());
        let mut near: Vec<(f64, &str)> =
            names.map(|name| (strsim::jaro_winkler(name, &self.quantity), name)).collect();
        near.sort_by(|x, y| y.0.total_cmp(&x.0).then(x.1.cmp(y.1)));
        let meant: Vec<String> = near
            .iter()
            .filter(|(likeness, _)| *likeness > 0.75)
            .take(3)
            .map(|(_, name)| format!("`{}`", plain(name, 60)))
            .collect();
        let hint = if meant.is_empty() {
            let some = comparison.quantities.iter().take(8);
            let some: Vec<String> =
                some.map(|quantity| format!("`{}`", plain(&quantity.name, 60))).collect();
            format!("; there are {} and more: --format json lists them", some.join(", "))
        } else {
            format!("; did you mean {}?", meant.join(" or "))
        };
        CheckError::Unknown { text: plain(&self.text, 80), name: plain(&self.quantity, 60), hint }
    }

    fn message(
        &self,
        quantity: &Quantity,
        value: Option<f64>,
        ci95: Option<[f64; 2]>,
        outcome: Outcome,
        surely: Option<bool>,
    ) -> String {
        let name = plain(&self.quantity, 60);
        let Some(value) = value else {
            return format!(
                "{name} is not known on both sides, so that the limit cannot be held against it"
            );
        };
        let shown = |value: f64| self.shown(value, &quantity.unit);
        let mut text = match self.limit {
            Limit::Value(_) => format!("{name} of B is {}", shown(value)),
            _ => format!("{name} changed by {}", shown(value)),
        };
        if let Some([low, high]) = ci95 {
            text += &format!(" [{}, {}]", shown(low), shown(high));
        }
        let (sign, other) = self.sign.words();
        let limit = self.text.rsplit(['>', '<']).next().unwrap_or_default().trim();
        let held = if outcome == Outcome::Failed { sign } else { other };
        let beyond = outcome == Outcome::Passed && self.sign.is_beyond(value, self.number());
        let held = if beyond { "not surely beyond" } else { held };
        let limit = plain(limit.trim_start_matches('='), 30);
        if outcome == Outcome::Unknown {
            let hint = match self.limit {
                Limit::Value(_) => {
                    "the value of a side has none: write the limit as a change, or leave --sure out"
                }
                _ => "record more units, or leave --sure out",
            };
            return format!(
                "{text}, {sign} {limit}, but --sure needs an interval, and there is none ({hint})"
            );
        }
        text += &format!(", {held} {limit}");
        match surely {
            Some(true) => text += " (the whole 95 % interval agrees)",
            Some(false) => text += " (the 95 % interval reaches over the limit)",
            None => {}
        }
        text
    }

    fn number(&self) -> f64 {
        match self.limit {
            Limit::Relative(value) => value,
            Limit::Change(measured) | Limit::Value(measured) => measured.value,
        }
    }

    fn shown(&self, value: f64, unit: &str) -> String {
        let signed = !matches!(self.limit, Limit::Value(_));
        let text = match (self.limit, unit) {
            (Limit::Relative(_), _) => format!("{} %", fixed(value * 100.0, 2)),
            (Limit::Change(_), "share") => format!("{} pp", fixed(value * 100.0, 2)),
            (_, "share") => format!("{} %", fixed(value * 100.0, 1)),
            (_, "ns") => Nanos::from_ns(value.round() as i64).to_string(),
            (_, "mj") => Millijoules::from_mj(value).to_string(),
            (_, "mw") => Milliwatts::from_mw(value).to_string(),
            (_, "count") if value.fract() == 0.0 => fixed(value, 0),
            _ => fixed(value, 3),
        };
        let is_zero = !text.contains(|c: char| ('1'..='9').contains(&c));
        let plus = if signed && value > 0.0 && !is_zero { "+" } else { "" };
        format!("{plus}{text}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read() {
        let limit =
            |text: &str| Rule::parse(text).map(|rule| (rule.quantity, rule.sign, rule.limit));
        let sign = |above: bool, or_at: bool| Sign { above, or_at };
        let ms = |value: f64| Measured { value: value * 1e6, unit: Some("ns") };
        assert_eq!(
            limit("latency>+2%"),
            Ok(("latency".into(), sign(true, false), Limit::Relative(0.02)))
        );
        assert_eq!(
            limit("latency > 20ms"),
            Ok(("latency".into(), sign(true, false), Limit::Value(ms(20.0))))
        );
        assert_eq!(
            limit("latency<-0.5ms"),
            Ok(("latency".into(), sign(false, false), Limit::Change(ms(-0.5))))
        );
        let share = Limit::Value(Measured { value: 0.6, unit: None });
        assert_eq!(
            limit("share(dense-convolution)>0.6"),
            Ok(("share(dense-convolution)".into(), sign(true, false), share))
        );
        let points = Limit::Change(Measured { value: 0.02, unit: Some("share") });
        assert_eq!(limit("share(x)>=+2pp"), Ok(("share(x)".into(), sign(true, true), points)));
    }

    #[test]
    fn a_limit_that_is_met_exactly_is_beyond_only_with_an_equals_sign() {
        let beyond = |text: &str, value: f64, limit: f64| {
            Rule::parse(text).unwrap().sign.is_beyond(value, limit)
        };
        // As a ratio comes out of logarithms.
        let two_percent = 1.02_f64.ln().exp() - 1.0;
        assert!(!beyond("latency>+2%", two_percent, 0.02));
        assert!(beyond("latency>=+2%", two_percent, 0.02));
        assert!(!beyond("latency<+2%", two_percent, 0.02));
        assert!(beyond("latency<=+2%", two_percent, 0.02));
        assert!(!beyond("latency>=+2%", 0.019_999, 0.02) && beyond("latency>+2%", 0.020_001, 0.02));
        assert!(beyond("latency>=0ms", 0.0, 0.0) && !beyond("latency>0ms", 0.0, 0.0));
    }

    #[test]
    fn what_is_wrong_with_a_limit_is_told() {
        for (text, told) in [
            ("latency", "no > or <"),
            (">+2%", "no quantity"),
            ("latency>fast", "no number"),
            ("latency>+2parsec", "units are"),
            ("latency=>+2%", "the signs are"),
            ("latency>>+2%", "the signs are"),
        ] {
            let error = Rule::parse(text).unwrap_err().to_string();
            assert!(error.contains(told), "{text}: {error}");
        }
    }
}
