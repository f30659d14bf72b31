//! Ordered rules over kernel names, compiled: the first rule that fits decides.
//!
//! A rule fits when its pattern is found in the demangled name, or else in the short name. All
//! patterns are searched at once; the smallest index among the hits in either name is the first rule
//! in file order, so the speed of a set does not cost the order.
//!
//! Kernel names are ASCII, so `\w` and `\b` are ASCII, too: with Unicode classes the automaton of the
//! whole set outgrows its cache and is slower by orders of magnitude.

use regex::bytes::{RegexBuilder, RegexSet, RegexSetBuilder};
use serde::Deserialize;

use super::file::RuleText;
use super::{ClassId, RulesError};

/// A role that a kernel may play in a rule of context (`tags` in the rules file).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tag {
    /// A forward convolution of a library that loops over groups.
    Fprop,
    /// A data gradient, as a transposed convolution runs.
    Dgrad,
    /// A complex product that an FFT convolution may use for its tiles.
    Cgemm,
    /// A stage of cuDNN's two-dimensional FFT convolution.
    Fft2d,
    /// Prepares or moves data; stands between two kernels without parting them.
    Helper,
}

/// One rule, with what a report needs to say which rule caught a kernel.
#[derive(Clone, Debug)]
pub struct Rule {
    /// The class that it gives.
    pub class: ClassId,
    /// The regular expression, as written.
    pub pattern: String,
    /// Why a name that fits means this class.
    pub reason: String,
    /// Names that this rule, and no earlier one, must catch.
    pub examples: Vec<String>,
    /// Names that this rule must not catch.
    pub not_examples: Vec<String>,
    /// Roles of the kernels it catches.
    pub tags: Vec<Tag>,
    /// Place in its own file, from 1.
    pub number: usize,
    /// Whether it is one of the shipped rules, not of the user's file.
    pub shipped: bool,
}

impl Rule {
    /// Whether the kernels it catches play the role.
    pub fn has(&self, tag: Tag) -> bool {
        self.tags.contains(&tag)
    }
}

/// An example that its rule does not keep, or a counter-example that it catches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BrokenExample {
    /// Index of the rule that promises something about the name.
    pub rule: usize,
    /// The name.
    pub name: String,
    /// Index of the rule that catches it; `None` when none does.
    pub caught_by: Option<usize>,
}

/// The rules in order, and all their patterns as one set.
#[derive(Clone, Debug)]
pub(super) struct RuleSet {
    rules: Vec<Rule>,
    patterns: RegexSet,
}

impl RuleSet {
    /// Compiles rules whose patterns were checked one by one.
    pub(super) fn new(rules: Vec<Rule>, origin: &str) -> Result<Self, RulesError> {
        let patterns = RegexSetBuilder::new(rules.iter().map(|rule| &rule.pattern))
            .unicode(false)
            .build()
            .map_err(|error| RulesError::TooLarge {
                origin: origin.to_owned(),
                message: error.to_string(),
            })?;
        Ok(Self { rules, patterns })
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Index of the first rule that fits.
    pub(super) fn first_match(&self, demangled: &str, short: &str) -> Option<usize> {
        let first = |name: &str| self.patterns.matches(name.as_bytes()).iter().next();
        match (first(demangled), first(short)) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        }
    }

    /// Examples that are not caught by their own rule first, and counter-examples that are.
    pub(super) fn broken_examples(&self) -> Vec<BrokenExample> {
        let mut broken = Vec::new();
        for (index, rule) in self.rules.iter().enumerate() {
            let kept = rule.examples.iter().map(|name| (name, true));
            let refused = rule.not_examples.iter().map(|name| (name, false));
            for (name, wanted) in kept.chain(refused) {
                let caught_by = self.first_match(name, "");
                if (caught_by == Some(index)) != wanted {
                    broken.push(BrokenExample { rule: index, name: name.clone(), caught_by });
                }
            }
        }
        broken
    }
}

/// Checks the pattern of one rule alone, so that a message can name the rule.
pub(super) fn check_pattern(
    text: &RuleText,
    number: usize,
    origin: &str,
) -> Result<(), RulesError> {
    let (origin, class) = (origin.to_owned(), text.class.clone());
    match RegexBuilder::new(&text.pattern).unicode(false).build() {
        Ok(regex) if regex.is_match(b"") => Err(RulesError::CatchesAll { origin, number, class }),
        Ok(_) => Ok(()),
        Err(error) => Err(RulesError::Pattern {
            origin,
            number,
            class,
            pattern: text.pattern.clone(),
            message: last_line(&error.to_string()),
        }),
    }
}

/// The regex crate repeats the pattern with a pointer under it; its last line says what is wrong.
fn last_line(message: &str) -> String {
    let line = message.lines().last().unwrap_or(message);
    line.trim_start_matches("error: ").to_owned()
}
