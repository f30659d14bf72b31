//! From values to places, and the values worth naming.
//!
//! Linear axes are named at steps of 1, 2 or 5 times a power of ten, logarithmic ones at powers of ten.
//! One unit of time is chosen for a whole axis, from its largest value.

/// A unit of time for a whole axis.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct TimeUnit {
    /// Nanoseconds in it.
    pub ns: f64,
    /// `µs`.
    pub name: &'static str,
}

impl TimeUnit {
    /// The unit in which the largest value has one to three digits.
    pub fn of(largest_ns: f64) -> Self {
        let (ns, name) = match largest_ns.abs() {
            ns if ns < 1e3 => (1.0, "ns"),
            ns if ns < 1e6 => (1e3, "µs"),
            ns if ns < 1e9 => (1e6, "ms"),
            _ => (1e9, "s"),
        };
        Self { ns, name }
    }
}

/// A length of time with its own unit and three significant digits.
pub fn time(ns: f64) -> String {
    let unit = TimeUnit::of(ns);
    format!("{} {}", significant(ns / unit.ns), unit.name)
}

/// Three significant digits, without an exponent.
pub fn significant(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 99.95 || v == 0.0 => 0,
        v if v >= 9.995 => 1,
        v if v >= 0.9995 => 2,
        v => (2 - v.log10().floor() as i32).clamp(0, 9) as usize,
    };
    minus(&format!("{value:.digits$}"))
}

/// A proper minus sign, and none before zero.
pub fn minus(number: &str) -> String {
    match number.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| c == '0' || c == '.') => rest.to_owned(),
        Some(rest) => format!("−{rest}"),
        None => number.to_owned(),
    }
}

/// Values along one direction.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Axis {
    /// The first value.
    pub low: f64,
    /// The last value.
    pub high: f64,
    /// Whether equal ratios, not equal differences, take equal space.
    pub log: bool,
}

/// A named place.
#[derive(Clone, Debug, PartialEq)]
pub struct Tick {
    /// Its value.
    pub value: f64,
    /// Its name.
    pub label: String,
}

impl Axis {
    /// Equal differences take equal space.
    pub fn linear(low: f64, high: f64) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, log: false }
    }

    /// The same, widened to the next named values.
    pub fn rounded(low: f64, high: f64, names: usize) -> Self {
        let axis = Self::linear(low, high);
        let step = axis.step(names);
        Self::linear((axis.low / step).floor() * step, (axis.high / step).ceil() * step)
    }

    /// Equal ratios take equal space; both ends are above 0.
    pub fn log(low: f64, high: f64) -> Self {
        let low = low.max(f64::MIN_POSITIVE);
        Self { low, high: if high > low { high } else { low * 10.0 }, log: true }
    }

    /// Where a value lies: 0 at the first, 1 at the last.
    pub fn part(&self, value: f64) -> f64 {
        if self.log {
            (value.max(self.low) / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        }
    }

    /// The step between at most so many names.
    fn step(&self, names: usize) -> f64 {
        let least = (self.high - self.low) / names.max(1) as f64;
        let power = 10_f64.powf(least.log10().floor());
        let step = [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= least * 0.999_999);
        step.unwrap_or(10.0) * power
    }

    /// At most about so many named values of a linear axis.
    pub fn ticks(&self, names: usize) -> Vec<Tick> {
        let step = self.step(names);
        let digits = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        let first = (self.low / step - 1e-9).ceil() as i64;
        let last = (self.high / step + 1e-9).floor() as i64;
        let tick = |n: i64| {
            let value = n as f64 * step;
            Tick { value, label: minus(&format!("{value:.digits$}")) }
        };
        (first..=last).map(tick).collect()
    }

    /// Powers of ten on a logarithmic axis of times in ns, each with its unit.
    pub fn time_decades(&self) -> Vec<Tick> {
        let first = self.low.log10().ceil() as i32;
        let last = (self.high.log10() + 1e-9).floor() as i32;
        let tick = |power: i32| {
            let value = 10_f64.powi(power);
            Tick { value, label: time(value).replace(".00 ", " ").replace(".0 ", " ") }
        };
        (first..=last).map(tick).collect()
    }

    /// The values between powers of ten that get a mark without a name.
    pub fn between_decades(&self) -> Vec<f64> {
        let first = self.low.log10().floor() as i32;
        let last = self.high.log10().ceil() as i32;
        (first..last)
            .flat_map(|power| (2..10).map(move |n| f64::from(n) * 10_f64.powi(power)))
            .filter(|value| *value > self.low && *value < self.high)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(ticks: &[Tick]) -> Vec<&str> {
        ticks.iter().map(|tick| tick.label.as_str()).collect()
    }

    #[test]
    fn steps_are_one_two_or_five() {
        assert_eq!(
            labels(&Axis::linear(0.0, 1.0).ticks(5)),
            ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]
        );
        assert_eq!(labels(&Axis::linear(-3.0, 7.0).ticks(5)), ["−2", "0", "2", "4", "6"]);
        assert_eq!(labels(&Axis::linear(17.1, 17.4).ticks(4)), ["17.1", "17.2", "17.3", "17.4"]);
        let axis = Axis::rounded(0.3, 9.2, 5);
        assert_eq!((axis.low, axis.high), (0.0, 10.0));
    }

    #[test]
    fn times_have_one_unit_each() {
        assert_eq!(time(17_161_234.0), "17.2 ms");
        assert_eq!(time(999.0), "999 ns");
        assert_eq!(time(0.0), "0 ns");
        assert_eq!(significant(-0.0012), "−0.00120");
        let axis = Axis::log(800.0, 2e6);
        assert_eq!(labels(&axis.time_decades()), ["1 µs", "10 µs", "100 µs", "1 ms"]);
        assert!((axis.part(800.0)).abs() < 1e-12 && (axis.part(2e6) - 1.0).abs() < 1e-12);
    }
}
