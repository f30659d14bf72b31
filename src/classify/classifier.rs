//! The classifier: a rules file, checked and compiled, that answers for one kernel name at a time.
//!
//! Classes have small dense numbers, sorted by name with `unclassified` last, so that sums per class
//! are plain arrays and every order that falls back on the class is the order of names. A file with
//! `extends = "default"` puts its rules before the shipped ones, and its groups and context rules in
//! place of those of the same name; any other file stands alone.

use std::collections::{BTreeMap, BTreeSet};

use super::file::{ContextText, GroupText, RuleText, RulesFile, SHIPPED, SHIPPED_ORIGIN};
use super::groups::{self, Group};
use super::rules::{self, RuleSet};
use super::{BrokenExample, ContextRule, Rule, RulesError};

/// Name of the class of every kernel that no rule knows.
pub const UNCLASSIFIED: &str = "unclassified";

/// A class, as an index into [`Classifier::class_names`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(u16);

impl ClassId {
    /// Place in [`Classifier::class_names`].
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a name says: its class, and which rule said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The class.
    pub class: ClassId,
    /// Index into [`Classifier::rules`]; `None` when no rule fits, so the class is `unclassified`.
    pub rule: Option<usize>,
}

/// Where the rules came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// The file, as the caller named it.
    pub origin: String,
    /// Whether the shipped rules follow those of the file.
    pub extends: bool,
}

/// Names of classes, sorted, `unclassified` last.
#[derive(Clone, Debug)]
pub(super) struct ClassNames(Vec<String>);

impl ClassNames {
    fn collect(names: impl Iterator<Item = String>, origin: &str) -> Result<Self, RulesError> {
        let sorted: BTreeSet<String> = names.filter(|name| name != UNCLASSIFIED).collect();
        let mut all: Vec<String> = sorted.into_iter().collect();
        all.push(UNCLASSIFIED.to_owned());
        if u16::try_from(all.len()).is_err() {
            return Err(RulesError::TooLarge {
                origin: origin.to_owned(),
                message: format!("{} classes", all.len()),
            });
        }
        Ok(Self(all))
    }

    fn ids(&self) -> impl Iterator<Item = (ClassId, &str)> {
        (0..=u16::MAX).map(ClassId).zip(self.0.iter().map(String::as_str))
    }

    /// The class of exactly this name, or every kind of `family/*`.
    pub(super) fn select(&self, name: &str) -> Vec<ClassId> {
        let family = name.strip_suffix('*').filter(|family| family.ends_with('/'));
        let fits = |class: &str| family.map_or(class == name, |family| class.starts_with(family));
        self.ids().filter(|(_, class)| fits(class)).map(|(id, _)| id).collect()
    }

    fn unclassified(&self) -> ClassId {
        self.ids().last().map_or(ClassId(0), |(id, _)| id)
    }

    /// The class of this name, which was collected before.
    fn get(&self, name: &str) -> ClassId {
        self.select(name).first().copied().unwrap_or_else(|| self.unclassified())
    }
}

/// Rules, classes and groups, ready to classify.
#[derive(Clone, Debug)]
pub struct Classifier {
    source: Source,
    classes: ClassNames,
    rules: RuleSet,
    groups: Vec<Group>,
    pub(super) contexts: BTreeMap<ContextRule, ClassId>,
}

impl Classifier {
    /// The rules that the program ships.
    ///
    /// # Errors
    /// Never for the shipped file as tested; the type is that of [`Classifier::from_toml`].
    pub fn shipped() -> Result<Self, RulesError> {
        let file = RulesFile::parse(SHIPPED, SHIPPED_ORIGIN)?;
        let source = Source { origin: SHIPPED_ORIGIN.to_owned(), extends: false };
        compile(&[Part { file, origin: SHIPPED_ORIGIN, shipped: true }], source)
    }

    /// The rules of a file's text; `origin` is how messages and documents name the file.
    ///
    /// # Errors
    /// When the text is not a rules file: see [`RulesError`] for each way.
    pub fn from_toml(text: &str, origin: &str) -> Result<Self, RulesError> {
        let file = RulesFile::parse(text, origin)?;
        let extends = file.extends_default(origin)?;
        let mut parts = vec![Part { file, origin, shipped: false }];
        if extends {
            let file = RulesFile::parse(SHIPPED, SHIPPED_ORIGIN)?;
            parts.push(Part { file, origin: SHIPPED_ORIGIN, shipped: true });
        }
        compile(&parts, Source { origin: origin.to_owned(), extends })
    }

    /// What the name of a kernel says about it.
    pub fn classify(&self, demangled: &str, short: &str) -> Assignment {
        let rule = self.rules.first_match(demangled, short);
        let known = rule.and_then(|index| self.rules().get(index));
        Assignment { class: known.map_or_else(|| self.unclassified(), |rule| rule.class), rule }
    }

    /// Names of all classes by [`ClassId::index`]: sorted, `unclassified` last.
    pub fn class_names(&self) -> &[String] {
        &self.classes.0
    }

    /// Name of one class of this classifier.
    pub fn class_name(&self, class: ClassId) -> &str {
        self.classes.0.get(class.index()).map_or(UNCLASSIFIED, String::as_str)
    }

    /// The class of this name, if a rule gives it.
    pub fn class(&self, name: &str) -> Option<ClassId> {
        self.classes.ids().find(|(_, class)| *class == name).map(|(id, _)| id)
    }

    /// The class of kernels that no rule knows.
    pub fn unclassified(&self) -> ClassId {
        self.classes.unclassified()
    }

    /// All rules in the order in which they are tried.
    pub fn rules(&self) -> &[Rule] {
        self.rules.rules()
    }

    /// All groups: those of the file, then shipped ones of other names.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Where the rules came from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Examples in the rules that do not hold, such as those of a shipped rule which a user's rule
    /// now catches. Empty for the shipped file.
    pub fn broken_examples(&self) -> Vec<BrokenExample> {
        self.rules.broken_examples()
    }
}

/// One file of those that make a classifier.
struct Part<'a> {
    file: RulesFile,
    origin: &'a str,
    shipped: bool,
}

fn compile(parts: &[Part<'_>], source: Source) -> Result<Classifier, RulesError> {
    for part in parts {
        check(part)?;
    }
    let contexts = first_by(parts, |file| &file.contexts, |context: &ContextText| context.rule);
    let texts = parts.iter().flat_map(|part| part.file.rules.iter().map(|rule| &rule.class));
    let named = contexts.iter().map(|(_, context)| &context.class);
    let classes = ClassNames::collect(texts.chain(named).cloned(), &source.origin)?;
    let rules: Vec<Rule> = parts
        .iter()
        .flat_map(|part| {
            let numbered = part.file.rules.iter().zip(1..);
            numbered.map(|(text, number)| rule(text, number, part.shipped, &classes))
        })
        .collect();
    let groups = first_by(parts, |file| &file.groups, |group: &GroupText| group.name.clone())
        .iter()
        .map(|(origin, group)| groups::resolve(group, &classes, origin))
        .collect::<Result<_, _>>()?;
    let contexts = contexts.iter().map(|(_, text)| (text.rule, classes.get(&text.class))).collect();
    let rules = RuleSet::new(rules, &source.origin)?;
    Ok(Classifier { source, classes, rules, groups, contexts })
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

/// Checks one file alone: patterns, class names, and that nothing is named twice.
fn check(part: &Part<'_>) -> Result<(), RulesError> {
    let (file, origin) = (&part.file, part.origin);
    for (text, number) in file.rules.iter().zip(1..) {
        check_class(&text.class, || format!("rule {number}"), origin)?;
        rules::check_pattern(text, number, origin)?;
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
