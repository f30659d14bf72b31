//! Means of a series in time order: the moving-block bootstrap (Künsch 1989).
//!
//! Neighbouring windows are alike, so that resampling single windows would promise too much. Blocks of
//! consecutive windows keep the likeness; a block is as long as the first lag whose autocorrelation is
//! below 0.1. Below [`LEAST`] windows there are too few blocks to say anything.
//!
//! The percentile interval of k blocks is too narrow for the reasons given in [`super::bca`]; its
//! quantiles are widened by √(k/(k − 1)) t(k − 1), with k = n / block length.

use statrs::distribution::{ContinuousCDF, Normal};

use super::estimate::{Estimated, RESAMPLES, resampled};
use super::moments::{mean, sorted_quantile};
use super::random::{Random, SEED};
use super::student::t_975;

/// Fewest windows.
pub const LEAST: usize = 20;
/// Autocorrelation below which neighbours count as independent.
const INDEPENDENT: f64 = 0.1;

/// Length of a block from which the interval falls short.
const LONG: usize = 3;
/// Autocorrelation of next neighbours from which it does.
const LIKE: f64 = 0.3;

/// Autocorrelation at a lag; `None` for a constant series or a lag beyond it.
pub fn autocorrelation(values: &[f64], lag: usize) -> Option<f64> {
    let mean = mean(values).filter(|_| lag < values.len())?;
    let variance: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    let shared: f64 = values.iter().zip(&values[lag..]).map(|(x, y)| (x - mean) * (y - mean)).sum();
    (variance > 0.0).then(|| shared / variance)
}

/// Block length: the first lag with an autocorrelation below 0.1, at most a fifth of the series.
pub fn block_length(values: &[f64]) -> usize {
    let most = (values.len() / 5).max(1);
    (1..=most)
        .find(|lag| autocorrelation(values, *lag).is_none_or(|r| r < INDEPENDENT))
        .unwrap_or(most)
}

/// How far a series remembers itself, where that is so far that its moving-block interval falls short.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Alike {
    /// Neighbours that are alike: the block length.
    pub length: usize,
    /// Stretches of that length.
    pub blocks: f64,
    /// Autocorrelation of next neighbours.
    pub next: f64,
}

/// Whether neighbours are so alike that an interval holds the truth in less than 93 % of cases. Simulated in
/// `docs/intervals.md`, which also says how often this is noticed: a short series can hide it.
pub fn alike(values: &[f64]) -> Option<Alike> {
    let (length, next) = (block_length(values), autocorrelation(values, 1)?);
    let blocks = values.len() as f64 / length as f64;
    (length >= LONG || next > LIKE).then_some(Alike { length, blocks, next })
}

/// Means of resampled blocks, with the running sums of the series.
struct Resampler {
    sums: Vec<f64>,
    length: usize,
    blocks: usize,
}

/// Starts of the blocks of one resample.
fn starts(random: &mut Random, count: usize, places: usize) -> Vec<usize> {
    (0..count).map(|_| random.below(places)).collect()
}

impl Resampler {
    fn new(values: &[f64], length: usize) -> Self {
        let mut sums = vec![0.0];
        let mut sum = 0.0;
        for value in values {
            sum += value;
            sums.push(sum);
        }
        Self { sums, length, blocks: values.len().div_ceil(length) }
    }

    fn draw(&self, random: &mut Random) -> f64 {
        self.mean_of(&starts(random, self.blocks, self.places()))
    }

    /// Where a block can start.
    fn places(&self) -> usize {
        self.sums.len() - self.length
    }

    fn mean_of(&self, starts: &[usize]) -> f64 {
        let sum: f64 =
            starts.iter().map(|start| self.sums[start + self.length] - self.sums[*start]).sum();
        sum / (self.blocks * self.length) as f64
    }
}

/// Mean of a series; no interval below [`LEAST`] windows.
pub fn block_mean(values: &[f64]) -> Option<Estimated> {
    let value = mean(values)?;
    if values.len() < LEAST {
        return Some(Estimated { value, ci95: None, method: too_few(values.len()) });
    }
    let length = block_length(values);
    Some(Estimated {
        value,
        ci95: block_interval(values, length),
        method: of_blocks(values.len(), length),
    })
}

/// The 95 % interval of the mean of a series, from blocks of so many consecutive values; `None` below two
/// blocks.
pub fn block_interval(values: &[f64], length: usize) -> Option<[f64; 2]> {
    let length = length.max(1);
    if values.len() < 2 * length {
        return None;
    }
    let series = Resampler::new(values, length);
    let mut random = Random::new(SEED);
    let draws = (0..RESAMPLES).map(|_| series.draw(&mut random)).collect();
    percentiles(draws, mean(values)?, values.len() as f64 / length as f64)
}

/// Σ `after` over Σ `before`, of the same windows before and after a change: blocks of windows are drawn, with both
/// of their lengths. `None` where the sum before is not positive or the series differ in length.
pub fn block_change(before: &[f64], after: &[f64]) -> Option<Estimated> {
    let positive = before.len() == after.len() && mean(before).is_some_and(|mean| mean > 0.0);
    let value = positive.then(|| Some(mean(after)? / mean(before)?))??;
    if before.len() < LEAST {
        return Some(Estimated { value, ci95: None, method: too_few(before.len()) });
    }
    let length = block_length(before);
    let (series, changed) = (Resampler::new(before, length), Resampler::new(after, length));
    let mut random = Random::new(SEED);
    let draws = (0..RESAMPLES)
        .map(|_| {
            let starts = starts(&mut random, series.blocks, series.places());
            changed.mean_of(&starts) / series.mean_of(&starts)
        })
        .collect();
    Some(Estimated {
        value,
        ci95: percentiles(draws, value, before.len() as f64 / length as f64),
        method: of_blocks(before.len(), length),
    })
}

fn of_blocks(windows: usize, length: usize) -> String {
    format!("moving-block bootstrap, {windows} windows in blocks of {length}, {}", resampled())
}

/// Mean of `b` minus mean of `a`, series of two traces or of two stretches of one.
pub fn block_difference(a: &[f64], b: &[f64]) -> Option<Estimated> {
    compared(a, b, |a, b| b - a)
}

/// Mean of `b` over mean of `a`; `None` when that is not positive.
pub fn block_ratio(a: &[f64], b: &[f64]) -> Option<Estimated> {
    let positive = |values: &[f64]| mean(values).is_some_and(|mean| mean > 0.0);
    (positive(a) && positive(b)).then(|| compared(a, b, |a, b| b / a))?
}

fn compared(a: &[f64], b: &[f64], of: impl Fn(f64, f64) -> f64) -> Option<Estimated> {
    let value = of(mean(a)?, mean(b)?);
    if a.len().min(b.len()) < LEAST {
        let method = too_few(a.len().min(b.len()));
        return Some(Estimated { value, ci95: None, method });
    }
    let (length_a, length_b) = (block_length(a), block_length(b));
    let (series_a, series_b) = (Resampler::new(a, length_a), Resampler::new(b, length_b));
    let mut random = Random::new(SEED);
    let draws = (0..RESAMPLES)
        .map(|_| {
            let from_a = series_a.draw(&mut random);
            of(from_a, series_b.draw(&mut random))
        })
        .collect();
    let blocks = (a.len() as f64 / length_a as f64).min(b.len() as f64 / length_b as f64);
    Some(Estimated {
        value,
        ci95: percentiles(draws, value, blocks),
        method: format!(
            "moving-block bootstrap, {} and {} windows in blocks of {length_a} and {length_b}, {}",
            a.len(),
            b.len(),
            resampled()
        ),
    })
}

fn too_few(windows: usize) -> String {
    format!("no interval: {windows} windows, the moving-block bootstrap needs {LEAST}")
}

/// The widened percentile interval; `value` is where it shrinks to without spread.
fn percentiles(mut draws: Vec<f64>, value: f64, blocks: f64) -> Option<[f64; 2]> {
    draws.sort_by(f64::total_cmp);
    if draws.first() == draws.last() {
        return Some([value, value]);
    }
    let z = t_975(blocks - 1.0)? * (blocks / (blocks - 1.0)).sqrt();
    let normal = Normal::standard();
    Some([sorted_quantile(&draws, normal.cdf(-z))?, sorted_quantile(&draws, normal.cdf(z))?])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An autoregressive series of first order around 10.
    fn series(random: &mut Random, n: usize, phi: f64) -> Vec<f64> {
        let mut x = random.normal() / (1.0 - phi * phi).sqrt();
        (0..n)
            .map(|_| {
                x = phi * x + random.normal();
                10.0 + x
            })
            .collect()
    }

    #[test]
    fn blocks_are_longer_where_neighbours_are_alike() {
        let mut random = Random::new(1);
        let independent = block_length(&series(&mut random, 400, 0.0));
        let alike = block_length(&series(&mut random, 400, 0.8));
        assert!(independent <= 2 && alike >= 6, "{independent} {alike}");
        assert_eq!(block_length(&[3.0; 50]), 1);
        assert!(autocorrelation(&[1.0, -1.0, 1.0, -1.0], 1).unwrap() < -0.7);
    }

    #[test]
    fn likeness_is_noticed_and_not_seen_in_noise() {
        let mut random = Random::new(4);
        let noticed = |random: &mut Random, n: usize, phi: f64| {
            (0..200).filter(|_| alike(&series(random, n, phi)).is_some()).count()
        };
        assert!(noticed(&mut random, 100, 0.5) > 190);
        assert!(noticed(&mut random, 100, 0.0) < 10);
        let found = alike(&series(&mut random, 500, 0.8)).unwrap();
        assert!(found.next > 0.7 && found.length >= 6, "{found:?}");
        assert_eq!(alike(&[1.0; 50]), None);
    }

    #[test]
    fn few_windows_give_no_interval_and_say_so() {
        let found = block_mean(&[1.0; 19]).unwrap();
        assert_eq!(found.ci95, None);
        assert!(found.method.contains("19 windows"), "{}", found.method);
        assert_eq!(block_mean(&[1.0; 20]).unwrap().ci95, Some([1.0, 1.0]));
        assert!(block_ratio(&[0.0; 20], &[1.0; 20]).is_none());
    }

    #[test]
    fn a_change_of_the_same_windows_is_surer_than_one_of_two_series() {
        let mut random = Random::new(3);
        let before = series(&mut random, 100, 0.5);
        let after: Vec<f64> = before.iter().map(|x| x / 2.0 + 0.01 * random.normal()).collect();
        let width = |found: Estimated| {
            let [low, high] = found.ci95.unwrap();
            assert!(low <= found.value && found.value <= high, "{found:?}");
            high - low
        };
        let alone = width(block_ratio(&before, &after).unwrap());
        assert!(width(block_change(&before, &after).unwrap()) < alone / 5.0);
        let half: Vec<f64> = before.iter().map(|x| x / 2.0).collect();
        let [low, high] = block_change(&before, &half).unwrap().ci95.unwrap();
        assert!((low - 0.5).abs() < 1e-9 && (high - 0.5).abs() < 1e-9, "{low} {high}");
        assert_eq!(block_change(&before[..19], &half[..19]).unwrap().ci95, None);
        assert!(block_change(&before, &half[..50]).is_none());
        assert!(block_change(&[0.0; 20], &[1.0; 20]).is_none());
    }

    #[test]
    fn an_interval_of_a_constant_series_has_no_width() {
        assert_eq!(block_interval(&[5.0; 1000], 20), Some([5.0, 5.0]));
        assert_eq!(block_interval(&[5.0; 3], 2), None);
    }

    #[test]
    fn likeness_widens_the_interval() {
        let mut random = Random::new(2);
        let width = |values: &[f64]| {
            let [low, high] = block_mean(values).unwrap().ci95.unwrap();
            high - low
        };
        let alike = series(&mut random, 200, 0.8);
        let mut shuffled = alike.clone();
        for i in (1..shuffled.len()).rev() {
            shuffled.swap(i, random.below(i + 1));
        }
        assert!(width(&alike) > 1.5 * width(&shuffled));
    }
}
