//! What is a unit, and which value does it have?
//!
//! Where a side has several traces, a trace is a unit and its value a mean over its windows (a share: a
//! ratio of sums over them). With one trace a side the windows are the units. A share then has no value
//! in a single window that would average to the ratio of sums; its linearised value does,
//! `R + (num − R den) / mean(den)` with R the ratio of sums.

use super::document::{Estimate, OtherInterval, Unit};
use super::pairs::PairBy;
use crate::attribution::Analysis;
use crate::attribution::document::Instance;
use crate::stats::{
    self, Estimated, LEAST_WINDOWS, Pairing, block_difference, block_ratio, mean, t_difference,
};

/// How two groups are compared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Setting {
    /// What was drawn at random.
    pub(super) unit: Unit,
    /// Whether it comes in pairs.
    pub(super) pairing: Pairing,
    /// Whether windows and GPUs are the same on both sides: only then can a single unit be taken to spread
    /// like the other side.
    pub(super) alike: bool,
}

impl Setting {
    pub(super) fn of(a: &[Analysis], b: &[Analysis], pair_by: Option<PairBy>) -> Self {
        let one_each = a.len() == 1 && b.len() == 1 && !super::imported::any(a, b);
        let unit = if one_each { Unit::Windows } else { Unit::Traces };
        let pairing = if pair_by.is_some() { Pairing::Paired } else { Pairing::Independent };
        Self { unit, pairing, alike: super::comparable::alike(a, b) }
    }
}

/// The values of one quantity on both sides, one for each unit.
#[derive(Clone, Debug, Default)]
pub(super) struct Samples {
    pub(super) a: Vec<f64>,
    pub(super) b: Vec<f64>,
}

/// Windows that have a length; the others say nothing of a latency.
pub(super) fn instances(analysis: &Analysis) -> impl Iterator<Item = &Instance> {
    analysis.windows.instances.iter().filter(|window| window.start_ns < window.end_ns)
}

/// The values of the units of one side for a ratio of sums over windows (a mean: divide by 1 each);
/// nothing when a unit has no value.
pub(super) fn values(
    side: &[Analysis],
    unit: Unit,
    of: &dyn Fn(&Instance) -> (f64, f64),
) -> Option<Vec<f64>> {
    let trace = |analysis: &Analysis| -> Option<f64> {
        let (mut num, mut den) = (0.0, 0.0);
        for window in instances(analysis) {
            let (n, d) = of(window);
            num += n;
            den += d;
        }
        (den > 0.0).then(|| num / den)
    };
    match (unit, side) {
        (Unit::Windows, [analysis]) => {
            let ratio = trace(analysis)?;
            let pairs: Vec<(f64, f64)> = instances(analysis).map(of).collect();
            let den = mean(&pairs.iter().map(|pair| pair.1).collect::<Vec<f64>>())?;
            Some(pairs.into_iter().map(|(n, d)| ratio + (n - ratio * d) / den).collect())
        }
        _ => side.iter().map(trace).collect(),
    }
}

impl Samples {
    /// Both sides; nothing when one has no value.
    pub(super) fn of(
        a: &[Analysis],
        b: &[Analysis],
        unit: Unit,
        of: &dyn Fn(&Instance) -> (f64, f64),
    ) -> Option<Self> {
        Some(Self { a: values(a, unit, of)?, b: values(b, unit, of)? })
    }

    /// Mean of b minus mean of a.
    pub(super) fn difference(&self, setting: Setting) -> Option<Estimated> {
        let found = match setting.unit {
            Unit::Traces => stats::difference(&self.a, &self.b, setting.pairing),
            Unit::Windows if self.are_many() => block_difference(&self.a, &self.b),
            Unit::Windows => t_difference(&self.a, &self.b).map(of_windows),
        };
        found.map(|found| self.without_borrowed_spread(found, setting))
    }

    /// Mean of b over mean of a: of geometric means where traces are the units.
    pub(super) fn ratio(&self, setting: Setting) -> Option<Estimated> {
        let found = match setting.unit {
            Unit::Traces => stats::ratio(&self.a, &self.b, setting.pairing),
            Unit::Windows if self.are_many() => block_ratio(&self.a, &self.b),
            Unit::Windows => {
                // ln(mean) and its spread to first order, so that the ratio is that of the means.
                let logs = |values: &[f64]| -> Option<Vec<f64>> {
                    let mean = mean(values).filter(|mean| *mean > 0.0)?;
                    Some(values.iter().map(|x| mean.ln() + (x - mean) / mean).collect())
                };
                let found = t_difference(&logs(&self.a)?, &logs(&self.b)?)?.map(f64::exp);
                Some(of_windows(found))
            }
        };
        found.map(|found| self.without_borrowed_spread(found, setting))
    }

    /// Drops an interval for which a single unit would have to spread like units of another kind.
    fn without_borrowed_spread(&self, found: Estimated, setting: Setting) -> Estimated {
        let single = self.a.len().min(self.b.len()) == 1 && found.ci95.is_some();
        if setting.alike || !single {
            return found;
        }
        let method = "no interval: one side is a single unit, and windows or GPUs differ, so that it cannot be \
                      taken to spread like the other side"
            .to_owned();
        Estimated { ci95: None, method, ..found }
    }

    fn are_many(&self) -> bool {
        self.a.len().min(self.b.len()) >= LEAST_WINDOWS
    }
}

fn of_windows(mut found: Estimated) -> Estimated {
    found.method = found.method.replace(" units", " windows taken as independent units");
    found
}

impl From<Estimated> for Estimate {
    fn from(found: Estimated) -> Self {
        // −0 is 0: adding 0 makes it so and changes no other number.
        let ci95 = found.ci95.map(|ends| ends.map(|end| end + 0.0));
        Self { value: found.value + 0.0, ci95, method: found.method, also: Vec::new() }
    }
}

/// An interval of another method beside the first.
pub(super) fn beside(found: Estimated) -> Option<OtherInterval> {
    Some(OtherInterval { ci95: found.ci95?, method: found.method })
}
