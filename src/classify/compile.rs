//! Rules files, checked and joined into a classifier.
//!
//! Each file is checked alone, so that a message names the file, the rule and what to do; then the
//! rules are put one after another, the first file first, and class names become numbers.

use std::collections::BTreeSet;

use regex::bytes::Regex;

use super::class::ClassNames;
use super::file::{ContextText, GroupText, RuleText, RulesFile};
use super::rules::{self, RuleSet};
use super::{Classifier, Rule, RulesError, Source, groups};

/// One file of those that make a classifier.
pub(super) struct Part<'a> {
    /// As written.
    pub(super) file: RulesFile,
    /// How messages name it.
    pub(super) origin: &'a str,
    /// Whether it is the shipped file.
    pub(super) shipped: bool,
}

/// Checks the files one by one, then joins them: rules in order, groups and context rules of an
/// earlier file in place of those of the same name in a later one.
pub(super) fn compile(parts: &[Part<'_>], source: Source) -> Result<Classifier, RulesError> {
    for part in parts {
        check(part)?;
    }
    let contexts = first_by(parts, |file| &file.contexts, |context: &ContextText| context.rule);
    let texts = parts.iter().flat_map(|part| part.file.rules.iter().map(|rule| &rule.class));
    let named = contexts.iter().map(|(_, context)| &context.class);
    let classes = ClassNames::collect(texts.chain(named).cloned(), &source.origin)?;
    let mut rules = RuleSet::default();
    for (part, number, text, pattern) in patterns(parts) {
        rules.push(rule(text, number, part.shipped, &classes), pattern?);
    }
    let groups = first_by(parts, |file| &file.groups, |group: &GroupText| group.name.clone())
        .iter()
        .map(|(origin, group)| groups::resolve(group, &classes, origin))
        .collect::<Result<_, _>>()?;
    let contexts = contexts.iter().map(|(_, text)| (text.rule, classes.get(&text.class))).collect();
    Ok(Classifier { source, classes, rules, groups, contexts })
}

/// The rules of all parts in order, with their number in their part and their compiled pattern. A
/// short program would spend a good part of its time here, so two threads share the work.
fn patterns<'a>(
    parts: &'a [Part<'a>],
) -> impl Iterator<Item = (&'a Part<'a>, usize, &'a RuleText, Result<Regex, RulesError>)> {
    let texts: Vec<(&Part<'_>, usize, &RuleText)> = parts
        .iter()
        .flat_map(|part| part.file.rules.iter().zip(1..).map(move |(text, n)| (part, n, text)))
        .collect();
    let compile = |texts: &[(&Part<'_>, usize, &RuleText)]| -> Vec<_> {
        let of = |(part, number, text): &(&Part<'_>, usize, &RuleText)| {
            rules::compile_pattern(text, *number, part.origin)
        };
        texts.iter().map(of).collect()
    };
    let (first, second) = texts.split_at(texts.len() / 2);
    let (first, second) = rayon::join(|| compile(first), || compile(second));
    let compiled = first.into_iter().chain(second);
    texts.into_iter().zip(compiled).map(|((part, number, text), found)| (part, number, text, found))
}

fn rule(text: &RuleText, number: usize, shipped: bool, classes: &ClassNames) -> Rule {
    Rule {
        class: classes.get(&text.class),
        pattern: text.pattern.clone(),
        reason: text.reason.clone(),
        examples: text.examples.clone(),
        not_examples: text.not_examples.clone(),
        tags: text.tags.clone(),
        number,
        shipped,
    }
}

/// Items of all files in order, an earlier file's in place of a later one's with the same key; each
/// with the name of its file.
fn first_by<'a, T, K: Ord>(
    parts: &'a [Part<'_>],
    items: impl Fn(&'a RulesFile) -> &'a [T],
    key: impl Fn(&T) -> K,
) -> Vec<(&'a str, &'a T)> {
    let mut seen = BTreeSet::new();
    let all =
        parts.iter().flat_map(|part| items(&part.file).iter().map(|item| (part.origin, item)));
    all.filter(|(_, item)| seen.insert(key(item))).collect()
}

/// Checks one file alone: class names, and that nothing is named twice.
fn check(part: &Part<'_>) -> Result<(), RulesError> {
    let (file, origin) = (&part.file, part.origin);
    for (text, number) in file.rules.iter().zip(1..) {
        check_class(&text.class, || format!("rule {number}"), origin)?;
    }
    let mut seen = BTreeSet::new();
    for context in &file.contexts {
        check_class(&context.class, || format!("context rule {}", context.rule.name()), origin)?;
        if !seen.insert(context.rule) {
            let (origin, rule) = (origin.to_owned(), context.rule.name().to_owned());
            return Err(RulesError::ContextTwice { origin, rule });
        }
    }
    let mut seen = BTreeSet::new();
    for group in &file.groups {
        if !seen.insert(&group.name) {
            return Err(RulesError::Group {
                origin: origin.to_owned(),
                group: group.name.clone(),
                message: "given twice; keep one of the two".to_owned(),
            });
        }
    }
    Ok(())
}

fn check_class(class: &str, place: impl Fn() -> String, origin: &str) -> Result<(), RulesError> {
    let word = |part: &str| {
        let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        !part.is_empty() && part.chars().all(allowed)
    };
    let (family, kind) = class.split_once('/').unwrap_or((class, "none"));
    if word(family) && word(kind) {
        return Ok(());
    }
    let (origin, class) = (origin.to_owned(), class.to_owned());
    Err(RulesError::ClassName { origin, place: place(), class })
}
