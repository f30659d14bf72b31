//! One rail, or an allowed sum of rails, ready for integration: times strictly ascending, watts.
//!
//! Readings that share a time are averaged. A counter becomes the mean power between its changes, which
//! the backward step integrates back to the counter exactly.

use super::board::{self, Total};
use super::describe::{gap_ns, period_ns, step_of, update_ns};
use super::error::PowerError;
use super::integrate::Method;
use super::log::{Kind, Rail, Sample};
use crate::units::Nanos;

/// Power over time, on the wall clock.
#[derive(Clone, Debug, PartialEq)]
pub struct Series {
    /// The rail, or several joined by `+`.
    pub name: String,
    /// What a reading is.
    pub kind: Kind,
    /// Unix ns, strictly ascending.
    pub times: Vec<i64>,
    /// Watts.
    pub watts: Vec<f64>,
    pace: Pace,
}

/// How often the sensor says something, in ns; found once, since a log may hold millions of readings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Pace {
    period: i64,
    update: i64,
}

impl Pace {
    fn of(times: &[i64], watts: &[f64]) -> Self {
        Self { period: period_ns(times).unwrap_or(0), update: update_ns(times, watts).unwrap_or(0) }
    }
}

impl Series {
    /// Readings with strictly ascending times.
    pub fn new(name: impl Into<String>, kind: Kind, times: Vec<i64>, watts: Vec<f64>) -> Self {
        let pace = Pace::of(&times, &watts);
        Self { name: name.into(), kind, times, watts, pace }
    }

    /// The readings of one rail.
    pub fn of(rail: &Rail) -> Self {
        let (kind, (times, watts)) = match rail.kind {
            Kind::Cumulative => (Kind::TrailingAvg { window: None }, differentiated(&rail.samples)),
            Kind::Instant | Kind::TrailingAvg { .. } => (rail.kind, averaged(&rail.samples)),
        };
        Self::new(rail.name.clone(), kind, times, watts)
    }

    /// The rail that is meant: the one named, an allowed sum (`A+B`), else the board's total.
    ///
    /// # Errors
    /// [`PowerError::Rail`] when it is not there, must not be added up, or has to be chosen.
    pub fn choose(rails: &[Rail], wanted: Option<&str>) -> Result<Self, PowerError> {
        let names = wanted_names(rails, wanted)?;
        let mut parts = Vec::new();
        for name in &names {
            match rails.iter().find(|rail| rail.name == *name) {
                Some(rail) => parts.push(Self::of(rail)),
                None => return Err(absent(name, rails)),
            }
        }
        let mut sum = parts.remove(0);
        for part in parts {
            if part.times.len() != sum.times.len() || part.kind != sum.kind {
                return Err(PowerError::Rail {
                    path: String::new(),
                    rail: names.join("+"),
                    problem: "the rails were not read together".to_owned(),
                    remedy: "Estimate each on its own".to_owned(),
                });
            }
            for (total, watts) in sum.watts.iter_mut().zip(&part.watts) {
                *total += watts;
            }
            sum.name = format!("{}+{}", sum.name, part.name);
        }
        sum.pace = Pace::of(&sum.times, &sum.watts);
        Ok(sum)
    }

    /// Median time between readings.
    pub fn period(&self) -> Nanos {
        Nanos::from_ns(self.pace.period)
    }

    /// The averaging window of the sensor; no time for instants.
    pub fn window(&self) -> Nanos {
        match self.kind {
            Kind::TrailingAvg { window } => window.unwrap_or(Nanos::ZERO),
            Kind::Instant | Kind::Cumulative => Nanos::ZERO,
        }
    }

    /// The longest of period, update period and averaging window.
    pub fn effective_period(&self) -> Nanos {
        Nanos::from_ns(self.pace.period.max(self.pace.update)).max(self.window())
    }

    /// The length from which on an interval is a gap.
    pub fn gap(&self) -> Nanos {
        Nanos::from_ns(gap_ns(self.pace.period))
    }

    /// How it is integrated: means over exactly one period backward, everything else by trapezoids.
    pub fn method(&self) -> Method {
        match self.kind {
            Kind::TrailingAvg { window: None } => Method::Backward,
            Kind::TrailingAvg { window: Some(window) } => {
                let apart = (window - self.period()).abs();
                if apart.as_ns() * 20 <= window.as_ns() {
                    Method::Backward
                } else {
                    Method::Trapezoid
                }
            }
            Kind::Instant | Kind::Cumulative => Method::Trapezoid,
        }
    }

    /// How much earlier the middle of what a reading averages lies, ns, where trapezoids are used.
    pub fn lead_ns(&self) -> i64 {
        if self.method() == Method::Trapezoid { self.window().as_ns() / 2 } else { 0 }
    }

    /// The sensor's step: the smallest difference between two readings, W.
    pub(super) fn step(&self) -> Option<f64> {
        step_of(&self.watts)
    }

    /// First and last time.
    pub fn extent(&self) -> Option<(i64, i64)> {
        Some((*self.times.first()?, *self.times.last()?))
    }

    /// Moves every reading; their order must not change.
    pub fn retime(&mut self, to: impl Fn(i64) -> i64) {
        self.times.iter_mut().for_each(|time| *time = to(*time));
    }

    /// Power at an instant, linear between readings; `None` outside them.
    pub fn at(&self, t: i64) -> Option<f64> {
        let next = self.times.partition_point(|time| *time <= t);
        if next == self.times.len() {
            return self.watts.last().copied().filter(|_| self.times.last() == Some(&t));
        }
        let before = next.checked_sub(1)?;
        let part = (t - self.times[before]) as f64 / (self.times[next] - self.times[before]) as f64;
        Some(self.watts[before] + (self.watts[next] - self.watts[before]) * part)
    }
}

/// Times and watts; readings that share a time are averaged.
fn averaged(samples: &[Sample]) -> (Vec<i64>, Vec<f64>) {
    let (mut times, mut watts) =
        (Vec::with_capacity(samples.len()), Vec::with_capacity(samples.len()));
    let mut at = 0;
    while at < samples.len() {
        let time = samples[at].at_ns;
        let same = samples[at..].iter().take_while(|sample| sample.at_ns == time);
        let (count, sum) =
            same.fold((0_usize, 0.0), |(count, sum), sample| (count + 1, sum + sample.value));
        times.push(time);
        watts.push(sum / count as f64);
        at += count;
    }
    (times, watts)
}

/// Mean power between changes of a counter; the first reading has none and repeats the second.
fn differentiated(samples: &[Sample]) -> (Vec<i64>, Vec<f64>) {
    let (mut times, mut watts) = (Vec::new(), Vec::new());
    let Some(first) = samples.first() else { return (times, watts) };
    let mut last = *first;
    times.push(first.at_ns);
    watts.push(0.0);
    for sample in samples {
        if sample.value > last.value && sample.at_ns > last.at_ns {
            times.push(sample.at_ns);
            watts.push((sample.value - last.value) * 1e9 / (sample.at_ns - last.at_ns) as f64);
            last = *sample;
        }
    }
    if let [first, second, ..] = watts.as_mut_slice() {
        *first = *second;
    }
    (times, watts)
}

/// The names of the rails that are meant, which may be added up.
fn wanted_names(rails: &[Rail], wanted: Option<&str>) -> Result<Vec<String>, PowerError> {
    let all: Vec<&str> = rails.iter().map(|rail| rail.name.as_str()).collect();
    let names: Vec<String> = match (wanted, board::total(&all)) {
        // A name that holds a `+` of its own wins over the sum.
        (Some(word), _) if all.contains(&word) => vec![word.to_owned()],
        (Some(words), _) => words.split('+').map(|word| word.trim().to_owned()).collect(),
        (None, Total::Rail(rail)) => vec![rail],
        (None, Total::Sum(rails)) => rails,
        (None, Total::Devices | Total::Unknown) => {
            return Err(PowerError::Rail {
                path: String::new(),
                rail: "(none named)".to_owned(),
                problem: format!("the log has {}, and none is the total", all.join(", ")),
                remedy: "Choose one with --rail NAME; separate devices may be added up: --rail A+B"
                    .to_owned(),
            });
        }
    };
    let missing = names.iter().find(|name| !all.contains(&name.as_str()));
    if let Some(name) = missing {
        return Err(absent(name, rails));
    }
    board::check_sum(&all, &names.iter().map(String::as_str).collect::<Vec<_>>())?;
    Ok(names)
}

fn absent(name: &str, rails: &[Rail]) -> PowerError {
    let all: Vec<&str> = rails.iter().map(|rail| rail.name.as_str()).collect();
    PowerError::Rail {
        path: String::new(),
        rail: name.to_owned(),
        problem: "not in the log".to_owned(),
        remedy: format!("There are {}", all.join(", ")),
    }
}
