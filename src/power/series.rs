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
}

impl Series {
    /// The readings of one rail.
    pub fn of(rail: &Rail) -> Self {
        let mut series =
            Self { name: rail.name.clone(), kind: rail.kind, times: Vec::new(), watts: Vec::new() };
        match rail.kind {
            Kind::Cumulative => series.differentiate(&rail.samples),
            Kind::Instant | Kind::TrailingAvg { .. } => series.average_duplicates(&rail.samples),
        }
        series
    }

    fn average_duplicates(&mut self, samples: &[Sample]) {
        self.times.reserve_exact(samples.len());
        self.watts.reserve_exact(samples.len());
        let mut at = 0;
        while at < samples.len() {
            let time = samples[at].at_ns;
            let same = samples[at..].iter().take_while(|sample| sample.at_ns == time);
            let (count, sum) =
                same.fold((0_usize, 0.0), |(count, sum), sample| (count + 1, sum + sample.value));
            self.times.push(time);
            self.watts.push(sum / count as f64);
            at += count;
        }
    }

    /// Mean power between changes of a counter; the first reading has none and repeats the second.
    fn differentiate(&mut self, samples: &[Sample]) {
        let Some(first) = samples.first() else { return };
        let mut last = *first;
        self.times.push(first.at_ns);
        self.watts.push(0.0);
        for sample in samples {
            if sample.value > last.value && sample.at_ns > last.at_ns {
                self.times.push(sample.at_ns);
                self.watts
                    .push((sample.value - last.value) * 1e9 / (sample.at_ns - last.at_ns) as f64);
                last = *sample;
            }
        }
        if let [first, second, ..] = self.watts.as_mut_slice() {
            *first = *second;
        }
        self.kind = Kind::TrailingAvg { window: None };
    }

    /// The rail that is meant: the one named, an allowed sum (`A+B`), else the board's total.
    ///
    /// # Errors
    /// [`PowerError::Rail`] when it is not there, must not be added up, or has to be chosen.
    pub fn choose(rails: &[Rail], wanted: Option<&str>) -> Result<Self, PowerError> {
        let all: Vec<&str> = rails.iter().map(|rail| rail.name.as_str()).collect();
        let refuse = |rail: &str, problem: String, remedy: String| {
            Err(PowerError::Rail { rail: rail.to_owned(), problem, remedy })
        };
        let names: Vec<String> = match (wanted, board::total(&all)) {
            (Some(words), _) => words.split('+').map(|word| word.trim().to_owned()).collect(),
            (None, Total::Rail(rail)) => vec![rail],
            (None, Total::Sum(rails)) => rails,
            (None, Total::Devices | Total::Unknown) => {
                return refuse(
                    "(none named)",
                    format!("the log has {}, and none is the total", all.join(", ")),
                    "Choose one with --rail NAME; separate devices may be added up: --rail A+B"
                        .to_owned(),
                );
            }
        };
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        board::check_sum(&all, &names)?;
        let mut parts = Vec::new();
        for name in &names {
            match rails.iter().find(|rail| rail.name == *name) {
                Some(rail) => parts.push(Self::of(rail)),
                None => {
                    return refuse(
                        name,
                        "not in the log".to_owned(),
                        format!("There are {}", all.join(", ")),
                    );
                }
            }
        }
        let mut sum = parts.remove(0);
        for part in parts {
            if part.times.len() != sum.times.len() || part.kind != sum.kind {
                return refuse(
                    &names.join("+"),
                    "the rails were not read together".to_owned(),
                    "Estimate each on its own".to_owned(),
                );
            }
            for (total, watts) in sum.watts.iter_mut().zip(&part.watts) {
                *total += watts;
            }
            sum.name = format!("{}+{}", sum.name, part.name);
        }
        Ok(sum)
    }

    /// Median time between readings.
    pub fn period(&self) -> Nanos {
        Nanos::from_ns(period_ns(&self.times).unwrap_or(0))
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
        let update = update_ns(&self.times, &self.watts).map_or(Nanos::ZERO, Nanos::from_ns);
        self.period().max(update).max(self.window())
    }

    /// The length from which on an interval is a gap.
    pub fn gap(&self) -> Nanos {
        Nanos::from_ns(gap_ns(self.period().as_ns()))
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

    /// The same with each reading at the middle of what it averages, where trapezoids are used.
    #[must_use]
    pub fn centred(mut self) -> Self {
        if self.method() == Method::Trapezoid {
            let half = self.window().as_ns() / 2;
            self.times.iter_mut().for_each(|time| *time -= half);
        }
        self
    }

    /// The sensor's step: the smallest difference between two readings, W.
    pub(super) fn step(&self) -> Option<f64> {
        step_of(&self.watts)
    }

    /// First and last time.
    pub fn extent(&self) -> Option<(i64, i64)> {
        Some((*self.times.first()?, *self.times.last()?))
    }
}
