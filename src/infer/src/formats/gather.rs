//! Which of the stored numbers are kept, and where do they go? Fields arrive as one stream in the order of
//! the file; kept are some samples and every n-th node of both axes, in the order (sample, height, width).
//!
//! NumPy and safetensors store the sample slowest; MATLAB stores it fastest, in v5 by column-major order,
//! in v7.3 by reversed axes. Both are three axes with a stride each.

use super::Array;
use super::element::product;

/// Which part of stored fields is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Samples that are left out at the start.
    pub first: usize,
    /// Samples that are taken; all that follow if absent.
    pub samples: Option<usize>,
    /// Every n-th node of both axes is taken, the first included.
    pub every: usize,
}

impl Default for Selection {
    fn default() -> Self {
        Self { first: 0, samples: None, every: 1 }
    }
}

/// Order of a stored stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Sample, height, width; width fastest.
    SampleSlowest,
    /// Width, height, sample; sample fastest.
    SampleFastest,
}

/// One axis of the stream.
#[derive(Debug, Clone, Copy)]
struct Axis {
    length: usize,
    first: usize,
    every: usize,
    kept: usize,
    /// Distance of neighbours in the result.
    stride: usize,
}

impl Axis {
    /// Place of stored index `at` among the kept ones.
    fn place(&self, at: usize) -> Option<usize> {
        let past = at.checked_sub(self.first)?;
        (past.is_multiple_of(self.every) && past / self.every < self.kept)
            .then(|| past / self.every * self.stride)
    }
}

/// Collects the kept numbers of a stream.
pub(super) struct Gather {
    /// Slowest first.
    axes: [Axis; 3],
    shape: [usize; 3],
    /// Numbers seen so far.
    at: usize,
    total: usize,
    values: Vec<f32>,
}

impl Gather {
    /// For fields of `shape` (sample, height, width), whatever the order they are stored in.
    pub(super) fn new(
        shape: [u64; 3],
        order: Order,
        selection: &Selection,
    ) -> Result<Self, String> {
        let total = product(&shape).and_then(|t| usize::try_from(t).ok());
        let total =
            total.ok_or_else(|| format!("shape {shape:?} is too large for this machine"))?;
        let [n, h, w] = shape.map(|extent| usize::try_from(extent).unwrap_or(usize::MAX));
        if total == 0 {
            return Err(format!("shape {shape:?} holds no values"));
        }
        if selection.every == 0 {
            return Err("every 0th node is none: the step must be at least 1".to_owned());
        }
        let available = n.saturating_sub(selection.first);
        let samples = selection.samples.unwrap_or(available);
        if samples == 0 || samples > available {
            return Err(format!(
                "samples {} to {} are asked for, {n} are there",
                selection.first,
                selection.first.saturating_add(samples.max(1)) - 1
            ));
        }
        let every = |length: usize| (length - 1) / selection.every + 1;
        let (rows, columns) = (every(h), every(w));
        let sample = Axis {
            length: n,
            first: selection.first,
            every: 1,
            kept: samples,
            stride: rows * columns,
        };
        let height =
            Axis { length: h, first: 0, every: selection.every, kept: rows, stride: columns };
        let width = Axis { length: w, first: 0, every: selection.every, kept: columns, stride: 1 };
        let axes = match order {
            Order::SampleSlowest => [sample, height, width],
            Order::SampleFastest => [width, height, sample],
        };
        let mut values = Vec::new();
        let kept = samples * rows * columns;
        values
            .try_reserve_exact(kept)
            .map_err(|_| format!("{kept} values do not fit in memory"))?;
        values.resize(kept, 0.0);
        Ok(Self { axes, shape: [samples, rows, columns], at: 0, total, values })
    }

    /// Takes the next numbers of the stream; `true` while kept ones can still come.
    pub(super) fn push(&mut self, mut numbers: &[f64]) -> bool {
        let run = self.axes[2].length;
        while !numbers.is_empty() && self.at < self.total {
            let inside = self.at % run;
            let (now, rest) = numbers.split_at(numbers.len().min(run - inside));
            self.take_run(inside, now);
            self.at += now.len();
            numbers = rest;
        }
        let last = self.axes[0].first + (self.axes[0].kept - 1) * self.axes[0].every;
        self.at < (last + 1) * self.axes[1].length * run
    }

    /// Numbers of one run along the fastest axis, from index `inside` of it.
    #[allow(clippy::cast_possible_truncation)]
    fn take_run(&mut self, inside: usize, numbers: &[f64]) {
        let [slow, middle, fast] = self.axes;
        let line = self.at / fast.length;
        let place = slow.place(line / middle.length).zip(middle.place(line % middle.length));
        let Some((a, b)) = place else { return };
        let begin = inside.saturating_sub(fast.first).next_multiple_of(fast.every) + fast.first;
        for (k, number) in numbers.iter().enumerate().skip(begin - inside).step_by(fast.every) {
            match fast.place(inside + k) {
                Some(c) => self.values[a + b + c] = *number as f32,
                None => return,
            }
        }
    }

    /// Whether the slowest axis is kept at this index: the rest need not be read.
    pub(super) fn keeps_slowest(&self, at: usize) -> bool {
        self.axes[0].place(at).is_some()
    }

    /// Leaves out one whole index of the slowest axis.
    pub(super) fn skip_slowest(&mut self) {
        self.at += self.axes[1].length * self.axes[2].length;
    }

    /// The kept fields.
    pub(super) fn finish(self) -> Array<f32> {
        Array { shape: self.shape.to_vec(), values: self.values }
    }
}

#[cfg(test)]
mod tests {
    use super::{Gather, Order, Selection};
    use proptest::prelude::*;

    /// The stream of fields whose value names its place.
    fn name(n: usize, i: usize, j: usize) -> f64 {
        (n * 10_000 + i * 100 + j) as f64
    }

    proptest! {
        /// Against indexing one element at a time, in both orders, with pushes of any length.
        #[test]
        fn kept_values_are_those_indexed_one_by_one(
            (n, h, w) in (1_usize..5, 1_usize..7, 1_usize..7),
            first in 0_usize..3, samples in 1_usize..4, every in 1_usize..4, step in 1_usize..9,
        ) {
            let selection = Selection { first, samples: Some(samples), every };
            for order in [Order::SampleSlowest, Order::SampleFastest] {
                let shape = [n as u64, h as u64, w as u64];
                let gather = Gather::new(shape, order, &selection);
                prop_assert_eq!(gather.is_ok(), first + samples <= n);
                let Ok(mut gather) = gather else { continue };
                let mut stream = Vec::new();
                match order {
                    Order::SampleSlowest => for k in 0..n { for i in 0..h { for j in 0..w { stream.push(name(k, i, j)); } } },
                    Order::SampleFastest => for j in 0..w { for i in 0..h { for k in 0..n { stream.push(name(k, i, j)); } } },
                }
                for part in stream.chunks(step) {
                    if !gather.push(part) { break; }
                }
                let kept = gather.finish();
                let mut expected = Vec::new();
                for k in first..first + samples { for i in (0..h).step_by(every) { for j in (0..w).step_by(every) {
                    expected.push(name(k, i, j) as f32);
                } } }
                prop_assert_eq!(kept.values, expected);
            }
        }
    }
}
