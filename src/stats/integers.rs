//! Percentiles of many integers, most of which fit into 32 bits: lengths and delays in ns.
//!
//! Memory that is given out anew costs more than the numbers that go into it, so the common ones take
//! four bytes; negative numbers and those of more than 4.29 s stand in a list beside. Nothing is
//! rounded: percentiles are those of [`super::percentile_of`].

/// A sample of integers, in any order.
#[derive(Clone, Debug, Default)]
pub struct Integers {
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
            Ok(value) => {
                self.common.push(value);
                self.parted = 0;
            }
            Err(_) => self.rare.push(value),
        }
    }

    /// How many values there are.
    pub fn len(&self) -> usize {
        self.common.len() + self.rare.len()
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
        let negative = self.rare.partition_point(|value| *value < 0);
        let (before, behind) = self.rare.split_at(negative);
        if let Some(place) = rank.checked_sub(negative).filter(|place| *place < self.common.len()) {
            let from = if self.parted <= place { self.parted } else { 0 };
            let (_, low, above) = self.common[from..].select_nth_unstable(place - from);
            let next = above.iter().min().map(|next| i64::from(*next));
            let low = i64::from(*low);
            self.parted = place;
            return (low, next.or(behind.first().copied()).unwrap_or(low));
        }
        let smallest = || self.common.iter().min().map(|next| i64::from(*next));
        let (low, next) = if rank < negative {
            let next = before.get(rank + 1).copied();
            (before[rank], next.or_else(smallest).or(behind.first().copied()))
        } else {
            let place = rank - negative - self.common.len();
            (behind[place], behind.get(place + 1).copied())
        };
        (low, next.unwrap_or(low))
    }
}

#[cfg(test)]
mod tests {
    use super::super::percentile;
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_sorted_sample() {
        let big = i64::from(u32::MAX);
        let values = [7, -3, big + 9, 20, 0, big, -80, 20, big + 1, 5, i64::MIN, i64::MAX, 6];
        for from in 0..values.len() {
            for to in from..=values.len() {
                let mut sorted = values[from..to].to_vec();
                sorted.sort_unstable();
                let mut sample = Integers::default();
                values[from..to].iter().for_each(|value| sample.push(*value));
                assert_eq!((sample.len(), sample.is_empty()), (to - from, to == from));
                for percent in 0..=100 {
                    let p = f64::from(percent) / 100.0;
                    assert_eq!(sample.percentile(p), percentile(&sorted, p), "{from}..{to} {p}");
                    let p = 1.0 - p * p;
                    assert_eq!(sample.percentile(p), percentile(&sorted, p), "{from}..{to} {p}");
                }
                assert_eq!(sample.median(), percentile(&sorted, 0.5));
            }
        }
    }
}
