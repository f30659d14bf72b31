//! Percentiles of many integers, most of which fit into 32 bits: lengths and delays in ns.
//!
//! Memory that is given out anew costs more than the numbers that go into it. So of a large sample the
//! small values are only counted; other common ones take four bytes; negative numbers and those of
//! more than 4.29 s stand in a list beside. Nothing is rounded: percentiles are those of
//! [`super::percentile_of`].

/// Values below this are counted once there are many: most calls last less than 65 µs.
const COUNTED: usize = 1 << 16;
/// From so many common values on.
const MANY: usize = 1 << 16;

/// A sample of integers, in any order.
#[derive(Clone, Debug, Default)]
pub struct Integers {
    /// How often each small value occurs; empty as long as there are not many values.
    counts: Vec<u32>,
    /// The sum of `counts`.
    counted: usize,
    common: Vec<u32>,
    /// So many of them, the smallest, stand in front.
    parted: usize,
    /// All others, in order once [`Integers::percentile`] was asked for.
    rare: Vec<i64>,
}

impl Integers {
    /// Adds a value.
    #[inline]
    pub fn push(&mut self, value: i64) {
        match u32::try_from(value) {
            Ok(value) => match self.counts.get_mut(value as usize) {
                Some(count) => {
                    *count += 1;
                    self.counted += 1;
                }
                None => self.push_common(value),
            },
            Err(_) => self.rare.push(value),
        }
    }

    #[inline]
    fn push_common(&mut self, value: u32) {
        self.common.push(value);
        self.parted = 0;
        if self.common.len() == MANY && self.counts.is_empty() {
            self.count_small();
        }
    }

    /// Counts the small values from now on, and those that are there.
    #[cold]
    fn count_small(&mut self) {
        self.counts = vec![0; COUNTED];
        for value in std::mem::take(&mut self.common) {
            self.push(i64::from(value));
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.counted + self.common.len() + self.rare.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The value below which the fraction `p` (0..1) lies, in linear time; `None` for no values.
    pub fn percentile(&mut self, p: f64) -> Option<f64> {
        let last = self.len().checked_sub(1)?;
        let rank = p * last as f64;
        let (below, part) = (rank.floor() as usize, rank.fract());
        let (low, high) = self.neighbours(below.min(last));
        let (low, high) = (low as f64, high as f64);
        Some(low + (high - low) * part)
    }

    /// The middle; `None` for no values.
    pub fn median(&mut self) -> Option<f64> {
        self.percentile(0.5)
    }

    /// The value of that rank and the next one; the last one twice.
    fn neighbours(&mut self, rank: usize) -> (i64, i64) {
        self.rare.sort_unstable();
        let low = self.at(rank);
        let next = if rank + 1 < self.len() { self.at(rank + 1) } else { low };
        (low, next)
    }

    /// The value of a rank that there is; `rare` is in order.
    fn at(&mut self, rank: usize) -> i64 {
        let negative = self.rare.partition_point(|value| *value < 0);
        let Some(rank) = rank.checked_sub(negative) else { return self.rare[rank] };
        let Some(rank) = rank.checked_sub(self.counted) else { return self.counted_at(rank) };
        let Some(behind) = rank.checked_sub(self.common.len()) else { return self.common_at(rank) };
        self.rare[negative + behind]
    }

    /// The counted value of a rank among them.
    fn counted_at(&self, rank: usize) -> i64 {
        let mut passed = 0;
        let holds = |count: &u32| {
            passed += *count as usize;
            passed > rank
        };
        self.counts.iter().position(holds).map_or(0, |value| value as i64)
    }

    /// The common value of a rank among them: parts the list there.
    fn common_at(&mut self, rank: usize) -> i64 {
        let from = if self.parted <= rank { self.parted } else { 0 };
        let (_, value, _) = self.common[from..].select_nth_unstable(rank - from);
        self.parted = rank + 1;
        i64::from(*value)
    }
}

#[cfg(test)]
mod tests {
    use super::super::percentile;
    use super::*;

    fn agree(values: &[i64], every: i32) {
        let mut sorted = values.to_vec();
        sorted.sort_unstable();
        let mut sample = Integers::default();
        values.iter().for_each(|value| sample.push(*value));
        assert_eq!((sample.len(), sample.is_empty()), (values.len(), values.is_empty()));
        for percent in (0..=100).step_by(every as usize) {
            let p = f64::from(percent) / 100.0;
            assert_eq!(sample.percentile(p), percentile(&sorted, p), "{p}");
            let p = 1.0 - p * p;
            assert_eq!(sample.percentile(p), percentile(&sorted, p), "{p}");
        }
        assert_eq!(sample.median(), percentile(&sorted, 0.5));
    }

    #[test]
    fn percentiles_of_many_values_are_those_of_the_sorted_sample() {
        let mut state = 1_u64;
        let mut random = || {
            state = state.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
            (state >> 33) as i64
        };
        for bits in [8, 15, 16, 17, 18, 31] {
            for count in [MANY - 1, MANY, MANY + 1, 3 * MANY] {
                let mut values: Vec<i64> = (0..count).map(|_| random() % (1 << bits)).collect();
                agree(&values, 10);
                values.extend([-5, i64::MIN, i64::MAX, 1 << 40]);
                agree(&values, 10);
            }
        }
    }

    #[test]
    fn percentiles_are_those_of_the_sorted_sample() {
        let big = i64::from(u32::MAX);
        let values = [7, -3, big + 9, 20, 0, big, -80, 20, big + 1, 5, i64::MIN, i64::MAX, 6];
        for from in 0..values.len() {
            for to in from..=values.len() {
                agree(&values[from..to], 1);
            }
        }
    }
}
