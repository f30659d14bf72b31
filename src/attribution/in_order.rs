//! Finding entries of a sorted list for keys that come in order, as those of a pass do: each costs a
//! comparison instead of a search. Keys that go back are found as well, by a search.

/// A sorted list, and how far the keys have come.
pub(super) struct InOrder<'a, T> {
    list: &'a [T],
    next: usize,
}

impl<'a, T> InOrder<'a, T> {
    /// Of a list that is sorted by the keys that will be asked for.
    pub(super) const fn over(list: &'a [T]) -> Self {
        Self { list, next: 0 }
    }

    /// The entry of a key, the first of several.
    #[inline]
    pub(super) fn find<K: Ord + Copy>(&mut self, key: K, of: impl Fn(&T) -> K) -> Option<&'a T> {
        if self.next > 0 && of(&self.list[self.next - 1]) >= key {
            self.next = self.list.partition_point(|entry| of(entry) < key);
        }
        while self.list.get(self.next).is_some_and(|entry| of(entry) < key) {
            self.next += 1;
        }
        self.list.get(self.next).filter(|entry| of(entry) == key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_found_in_order_and_out_of_it() {
        let list = [2, 4, 4, 7].map(|key| (key, key * 10));
        let mut walk = InOrder::over(&list);
        for key in [0, 1, 2, 2, 3, 4, 4, 6, 7, 9, 7, 2, 0, 5, 4] {
            let expected = list.iter().find(|entry| entry.0 == key);
            assert_eq!(walk.find(key, |entry| entry.0), expected, "{key}");
        }
        assert_eq!(InOrder::<i32>::over(&[]).find(1, |key| *key), None);
    }
}
