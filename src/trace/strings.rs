//! Names behind ids.
//!
//! Exports keep every string once, in `StringIds(id, value)`. Most of them (paths, environment
//! blocks, symbols of call stacks) are never asked for, so they are looked up one by one, and each
//! name gets a small number of its own here.

use std::hash::Hash;

use rusqlite::{Connection, OptionalExtension};

use super::fast_map::FastMap;

/// Numbers things in the order in which they are first seen.
#[derive(Clone, Debug)]
pub(crate) struct Interner<K> {
    ids: FastMap<K, u32>,
    keys: Vec<K>,
    /// By number, the one that came after it last: programs do the same things over and over.
    then: Vec<u32>,
    last: u32,
}

impl<K: Clone + Eq + Hash> Interner<K> {
    pub(crate) fn new() -> Self {
        Self { ids: FastMap::default(), keys: Vec::new(), then: Vec::new(), last: 0 }
    }

    /// Numbers the things of a later interner as well: answers the new number of each of its numbers.
    /// The outcome is what it would be if one interner had seen everything in turn. The later one is
    /// left empty.
    pub(crate) fn adopt(&mut self, later: &mut Self) -> Vec<u32> {
        later.drain().map(|key| self.id(key)).collect()
    }

    /// Takes the things, by number, and leaves nothing.
    pub(crate) fn drain(&mut self) -> impl Iterator<Item = K> + '_ {
        self.ids.clear();
        self.then.clear();
        self.last = 0;
        self.keys.drain(..)
    }

    /// The number of `key`. Keys that come in the order in which they came before, or again and again,
    /// which event tables are full of, cost a comparison.
    #[inline]
    pub(crate) fn id(&mut self, key: K) -> u32 {
        if let Some(expected) = self.then.get(self.last as usize)
            && self.keys.get(*expected as usize) == Some(&key)
        {
            self.last = *expected;
            return self.last;
        }
        self.look_up(key)
    }

    fn look_up(&mut self, key: K) -> u32 {
        let id = match self.ids.get(&key) {
            Some(id) => *id,
            None => self.add(key),
        };
        if let Some(then) = self.then.get_mut(self.last as usize) {
            *then = id;
        }
        self.last = id;
        id
    }

    #[cold]
    fn add(&mut self, key: K) -> u32 {
        let id = self.keys.len() as u32;
        self.ids.insert(key.clone(), id);
        self.keys.push(key);
        self.then.push(id);
        id
    }

    /// The things, by number.
    pub(crate) fn keys(&self) -> &[K] {
        &self.keys
    }
}

/// Moves the numbers of later rows behind those before, renumbered.
pub(crate) fn append_renumbered(column: &mut Vec<u32>, later: &mut Vec<u32>, number: &[u32]) {
    column.extend(later.drain(..).map(|old| number[old as usize]));
}

/// Puts `keys` into their natural order: answers the old number of each new place and the new
/// number of each old one. Numbers then do not depend on the order of rows.
pub(crate) fn canonical_order<T: Ord>(keys: &[T]) -> (Vec<u32>, Vec<u32>) {
    let mut order: Vec<u32> = (0..keys.len() as u32).collect();
    order.sort_by(|a, b| keys[*a as usize].cmp(&keys[*b as usize]));
    let mut place = vec![0; keys.len()];
    for (new, old) in order.iter().enumerate() {
        place[*old as usize] = new as u32;
    }
    (order, place)
}

/// The distinct things in order, and the place of each of `things` among them.
pub(crate) fn distinct<T: Copy + Ord>(things: &[T]) -> (Vec<T>, Vec<u32>) {
    let mut all = things.to_vec();
    all.sort_unstable();
    all.dedup();
    let place = things.iter().map(|thing| all.partition_point(|other| other < thing) as u32);
    let place = place.collect();
    (all, place)
}

/// Looks strings up in `StringIds`.
pub(crate) struct StringTable<'a> {
    connection: &'a Connection,
    present: bool,
}

impl<'a> StringTable<'a> {
    pub(crate) fn new(connection: &'a Connection, present: bool) -> Self {
        Self { connection, present }
    }

    /// The string of `id`; an id that leads nowhere is named as such, since a time without a name
    /// must not vanish from a sum.
    pub(crate) fn get(&self, id: i64) -> rusqlite::Result<String> {
        Ok(self.find(id)?.unwrap_or_else(|| format!("(no string {id})")))
    }

    /// The string of `id`, if there is one.
    pub(crate) fn find(&self, id: i64) -> rusqlite::Result<Option<String>> {
        if !self.present {
            return Ok(None);
        }
        let mut statement =
            self.connection.prepare_cached("SELECT value FROM StringIds WHERE id = ?1")?;
        statement
            .query_row([id], |row| {
                Ok(String::from_utf8_lossy(row.get_ref(0)?.as_bytes()?).into_owned())
            })
            .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_first_sight_whatever_comes_next() {
        let mut interner = Interner::new();
        let mut seen: Vec<u64> = Vec::new();
        let mut number = 7_u64;
        for step in 0..2_000 {
            // Runs, repeated sequences and jumps.
            number = match step % 11 {
                0..4 => number,
                4..10 => step % 5,
                _ => number.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 59,
            };
            let known = seen.iter().position(|other| *other == number);
            let expected = known.unwrap_or(seen.len());
            if known.is_none() {
                seen.push(number);
            }
            assert_eq!(interner.id(number) as usize, expected);
        }
        assert_eq!(interner.keys(), seen);
        assert_eq!(interner.drain().collect::<Vec<_>>(), seen);
        assert_eq!(interner.id(3), 0);
    }
}
