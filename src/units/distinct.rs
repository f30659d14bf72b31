//! A set of names made short so that two different names never look alike.
//!
//! Names of C++ kernels share hundreds of characters and differ somewhere in the middle. Each name is first
//! shortened by itself; those that then look alike show the part in which they differ:
//!
//! ```text
//!   it fits                                   as it is
//!   without its list of parameters            void reduce<float>(…)
//!   without return type and namespaces        vectorized_layer_norm<float, double>(…)
//!   both ends                                 Kernel<cutlass_80_wm…128x2_nn_align8>
//!   beginning, and what follows from the      vectorized_elementwise_…MulFunctor<float>, x…
//!     first difference among those alike
//!   a number, where even that is too long     void at::native::vectori…#2
//! ```
//!
//! Width is that of whoever draws: characters in a table, millimetres in a figure. The same set in the same
//! order gives the same texts.

use std::collections::{BTreeMap, BTreeSet};

use super::plain::escaped;

/// What stands for what was left out.
const CUT: char = '…';
/// How often names that look alike are tried again with a later difference.
const ROUNDS: usize = 12;

/// Names as they are shown, in the order in which they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Distinct {
    /// One for each name; equal ones have equal texts.
    pub shown: Vec<String>,
    /// Whether some are told apart by a number alone: the whole names should be within reach.
    pub numbered: bool,
}

/// How a name is measured and made harmless.
pub struct Ruler<'a> {
    /// How wide a text may be.
    pub room: f64,
    /// The width of a character.
    pub width: &'a dyn Fn(char) -> f64,
    /// What is shown of a text that has room; control characters must not pass.
    pub clean: &'a dyn Fn(&str) -> String,
}

/// Names of at most `limit` characters; control characters are written as `\u{..}`.
pub fn distinct<'a>(names: impl IntoIterator<Item = &'a str>, limit: usize) -> Distinct {
    let ruler = Ruler { room: limit as f64, width: &|_| 1.0, clean: &escaped };
    ruler.distinct(names)
}

impl Ruler<'_> {
    /// The names as this ruler measures them.
    pub fn distinct<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Distinct {
        let mut places: BTreeMap<&str, usize> = BTreeMap::new();
        let mut whole: Vec<Vec<char>> = Vec::new();
        let mut of_name = Vec::new();
        for name in names {
            let place = *places.entry(name).or_insert_with(|| {
                whole.push((self.clean)(name).chars().collect());
                whole.len() - 1
            });
            of_name.push(place);
        }
        let fits: Vec<bool> = whole.iter().map(|name| self.fits(name)).collect();
        let mut shown: Vec<String> = whole
            .iter()
            .zip(nearest(&whole))
            .map(|(name, shared)| self.alone(name, shared))
            .collect();
        for _ in 0..ROUNDS {
            let mut changed = false;
            for alike in groups(&shown) {
                let shared = shared(&alike, &whole);
                for one in alike.into_iter().filter(|one| !fits[*one]) {
                    let text = self.around(&whole[one], shared);
                    changed |= text != shown[one];
                    shown[one] = text;
                }
            }
            if !changed {
                break;
            }
        }
        let numbered = self.number(&mut shown, &fits);
        Distinct {
            shown: of_name.into_iter().map(|place| shown[place].clone()).collect(),
            numbered,
        }
    }

    fn measure(&self, text: &[char]) -> f64 {
        text.iter().map(|c| (self.width)(*c)).sum()
    }

    fn fits(&self, text: &[char]) -> bool {
        let mut left = self.room;
        text.iter().all(|c| {
            left -= (self.width)(*c);
            left >= -1e-9
        })
    }

    /// How many characters at the beginning have room.
    fn longest<'c>(&self, text: impl Iterator<Item = &'c char>, room: f64) -> usize {
        let mut left = room + 1e-9;
        text.take_while(|c| {
            left -= (self.width)(**c);
            left >= 0.0
        })
        .count()
    }

    /// The name by itself: whole, without parameters, or with its middle left out. Where that would hide the
    /// word in which it differs from the name that agrees with it longest, that word is shown.
    fn alone(&self, name: &[char], shared: usize) -> String {
        if self.fits(name) {
            return name.iter().collect();
        }
        let bare = without_parameters(name);
        let name = bare.as_deref().unwrap_or(name);
        if self.fits(name) {
            return name.iter().collect();
        }
        let begin = qualified(name).unwrap_or(0);
        let (name, shared) = (&name[begin..], shared.saturating_sub(begin));
        if self.fits(name) {
            return name.iter().collect();
        }
        let head =
            self.longest(name.iter(), (self.room - (self.width)(CUT)).min(self.room * 2.0 / 3.0));
        let left = self.room - self.measure(&name[..head]) - (self.width)(CUT);
        let tail = self.longest(name[head..].iter().rev(), left);
        let behind = name.len() - tail;
        if shared >= head && shared <= name.len() && word_start(name, shared) < behind {
            return self.around(name, shared);
        }
        self.joined(&name[..head], &name[behind..])
    }

    fn joined(&self, head: &[char], tail: &[char]) -> String {
        if self.room < (self.width)(CUT) {
            return String::new();
        }
        head.iter().chain([&CUT]).chain(tail).collect()
    }

    /// The beginning of a name, and what follows from the word in which it differs from others.
    fn around(&self, name: &[char], place: usize) -> String {
        let cut = (self.width)(CUT);
        let place = place.min(name.len());
        // Return type and namespaces say less than the function does.
        let begin = qualified(name).filter(|begin| place > *begin).unwrap_or(0);
        let (name, place) = (&name[begin..], place - begin);
        let word = word_start(name, place);
        let mut from = place - self.longest(name[word..place].iter().rev(), self.room * 0.25);
        if from > word {
            // A long word begins again behind each of its underscores.
            let piece = name[from..place].iter().position(|c| *c == '_');
            from += piece.map_or(0, |piece| piece + 1);
        }
        let rest = &name[from..];
        // The function's own name, if half of the room is enough for it.
        let own = self.measure(&name[..name.iter().take_while(|c| !"<(".contains(**c)).count()]);
        let head_room = (self.room - cut - self.measure(rest))
            .max(own.min(self.room * 0.5) - cut)
            .max(self.room * 0.3 - cut);
        let head = self.longest(name.iter(), head_room);
        if head >= from {
            return self.cut_end(name);
        }
        let head = &name[..head];
        let left = self.room - self.measure(head) - cut;
        if self.measure(rest) <= left + 1e-9 {
            return self.joined(head, rest);
        }
        let kept = self.longest(rest.iter(), left - cut);
        let text = self.joined(head, &rest[..kept]);
        if kept == 0 { text } else { text + &CUT.to_string() }
    }

    fn cut_end(&self, name: &[char]) -> String {
        if self.fits(name) {
            return name.iter().collect();
        }
        self.joined(&name[..self.longest(name.iter(), self.room - (self.width)(CUT))], &[])
    }

    /// What still looks alike gets a number; a name that is whole keeps its text.
    fn number(&self, shown: &mut [String], fits: &[bool]) -> bool {
        let mut taken: BTreeSet<String> = shown.iter().cloned().collect();
        let still = groups(shown);
        for alike in &still {
            let whole = alike.iter().copied().find(|one| fits[*one]);
            let mut number = 1;
            for one in alike.iter().copied().filter(|one| Some(*one) != whole) {
                let text: Vec<char> = shown[one].trim_end_matches(CUT).chars().collect();
                shown[one] = loop {
                    let end: Vec<char> = format!("{CUT}#{number}").chars().collect();
                    number += 1;
                    let head = self.longest(text.iter(), self.room - self.measure(&end));
                    let kept: String = text[..head].iter().collect();
                    let candidate: String = kept.trim_end_matches(CUT).chars().chain(end).collect();
                    if taken.insert(candidate.clone()) {
                        break candidate;
                    }
                };
            }
        }
        !still.is_empty()
    }
}

/// The places of texts that occur more than once, by their first occurrence.
fn groups(shown: &[String]) -> Vec<Vec<usize>> {
    let mut by_text: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (place, text) in shown.iter().enumerate() {
        by_text.entry(text).or_default().push(place);
    }
    let mut groups: Vec<Vec<usize>> =
        by_text.into_values().filter(|group| group.len() > 1).collect();
    groups.sort();
    groups
}

/// Where the function's own name begins in a C++ name that has a return type or namespaces before it; nothing for
/// other texts.
fn qualified(name: &[char]) -> Option<usize> {
    const UNNAMED: [&str; 2] = ["(anonymous namespace)", "<unnamed>"];
    let starts =
        |at: usize, text: &str| text.chars().enumerate().all(|(i, c)| name.get(at + i) == Some(&c));
    let (mut at, mut own) = (if starts(0, "void ") { 5 } else { 0 }, 0);
    own = own.max(at);
    while at < name.len() {
        match name[at] {
            _ if UNNAMED.iter().any(|unnamed| starts(at, unnamed)) => {
                at += name[at..].iter().take_while(|c| !")>".contains(**c)).count() + 1;
            }
            ':' if starts(at, "::") => {
                at += 2;
                own = at;
            }
            '<' | '(' if at > own => return (own > 0).then_some(own),
            c if c.is_alphanumeric() || c == '_' => at += 1,
            _ => return None,
        }
    }
    None
}

/// Where the word begins in which a place lies.
fn word_start(name: &[char], place: usize) -> usize {
    let word = |c: &&char| c.is_alphanumeric() || **c == '_';
    place - name[..place].iter().rev().take_while(word).count()
}

/// For each name, how many characters it shares at most with another one, from the beginning.
fn nearest(whole: &[Vec<char>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..whole.len()).collect();
    order.sort_by(|a, b| whole[*a].cmp(&whole[*b]));
    let mut most = vec![0; whole.len()];
    for two in order.windows(2) {
        let length = shared(two, whole);
        for one in two {
            most[*one] = length.max(most[*one]);
        }
    }
    most
}

/// How many characters all of them begin with.
fn shared(alike: &[usize], whole: &[Vec<char>]) -> usize {
    let Some((first, others)) = alike.split_first() else { return 0 };
    others.iter().fold(whole[*first].len(), |shared, other| {
        let both = whole[*first].iter().zip(&whole[*other]).take(shared);
        both.take_while(|(a, b)| a == b).count()
    })
}

/// `f<float>(int, float*)` → `f<float>(…)`; nothing for a name that does not end in a list.
fn without_parameters(name: &[char]) -> Option<Vec<char>> {
    if name.last() != Some(&')') {
        return None;
    }
    let mut depth = 0_usize;
    let open = name.iter().rposition(|c| {
        match c {
            ')' => depth += 1,
            '(' => depth -= 1,
            _ => {}
        }
        depth == 0
    })?;
    (open > 0 && name.len() - open > 3)
        .then(|| name[..=open].iter().copied().chain([CUT, ')']).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn short(names: &[&str], limit: usize) -> Vec<String> {
        distinct(names.iter().copied(), limit).shown
    }

    #[test]
    fn what_fits_stays_and_equal_names_stay_equal() {
        assert_eq!(short(&["gemm", "a\u{1b}", "gemm"], 8), ["gemm", "a\\u{1b}", "gemm"]);
        let long = "x".repeat(50);
        let found = short(&[&long, "y", &long], 10);
        assert_eq!((found[0].chars().count(), &found[0]), (10, &found[2]));
    }

    #[test]
    fn parameters_go_first_then_the_middle() {
        let name = "void reduce<float>(int, float const*, float*)";
        assert_eq!(short(&[name], 30), ["void reduce<float>(…)"]);
        assert_eq!(short(&["abcdefghijk"], 10), ["abcdef…ijk"]);
        // A list that is not closed is no list.
        assert_eq!(short(&["abcdefghijk)"], 10), ["abcdef…jk)"]);
    }

    #[test]
    fn the_difference_is_shown() {
        let name = |middle: &str| {
            format!("void at::native::kernel<4, {middle}Functor<float>, array<char*, 3> >(int)")
        };
        let (add, mul) = (name("Add"), name("Mul"));
        let found = short(&[&add, &mul], 30);
        assert!(found[0].contains("AddF") && found[1].contains("MulF"), "{found:?}");
    }

    #[test]
    fn the_function_is_named_beside_the_difference() {
        let tiles = |tile: &str| {
            format!(
                "sm86_xmma_fprop_implicit_gemm_tf32_nhwckrsc_nchw_tilesize{tile}_stage3_g1_execute_kernel"
            )
        };
        let found = short(&[&tiles("128x64x32"), &tiles("64x64x32")], 36);
        assert_eq!(
            found,
            ["sm86_xmma_fprop_i…tilesize128x64x32…", "sm86_xmma_fprop_i…tilesize64x64x32_…"]
        );
        let of = |number: &str| {
            format!(
                "void at::native::(anonymous namespace)::transform<float, true, {number}>(float*, int)"
            )
        };
        assert_eq!(short(&[&of("1")], 34), ["transform<float, true, 1>(…)"]);
        assert_eq!(
            short(&[&of("512"), &of("256")], 20),
            ["transform<fl…512>(…)", "transform<fl…256>(…)"]
        );
        // What differs in its namespace shows that.
        let found =
            short(&["void one::f<float, double>(int)", "void two::f<float, double>(int)"], 20);
        assert!(found[0].contains("one") && found[1].contains("two"), "{found:?}");
        // Sentences are no functions.
        assert_eq!(qualified(&"idle: a::f<int>".chars().collect::<Vec<_>>()), None);
    }

    #[test]
    fn numbers_are_the_last_resort_and_begin_with_one() {
        // As bytes they differ, as text they do not.
        let long = "same_".repeat(20);
        let names = [format!("\u{1b}{long}"), format!("\\u{{1b}}{long}")];
        let found = distinct(names.iter().map(String::as_str), 12);
        assert!(found.numbered);
        assert_eq!(found.shown, ["\\u{1b}sam…#1", "\\u{1b}sam…#2"]);
        // Escapes may look like what was written so.
        assert_eq!(short(&["a\u{1b}", "a\\u{1b}"], 12), ["a\\u{1b}", "a\\u{1b}…#1"]);
    }
}
