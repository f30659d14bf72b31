//! Classes: small dense numbers with names.
//!
//! Numbers follow the order of names, `unclassified` last, so that sums per class are plain arrays
//! and every order that falls back on the class is the order of names. A number means something only
//! with the [`Classifier`](super::Classifier) that gave it.

use std::collections::BTreeSet;

use super::RulesError;

/// Name of the class of every kernel that no rule knows.
pub const UNCLASSIFIED: &str = "unclassified";

/// A class, as an index into [`Classifier::class_names`](super::Classifier::class_names).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClassId(u16);

impl ClassId {
    /// Place in [`Classifier::class_names`](super::Classifier::class_names).
    pub fn index(self) -> usize {
        usize::from(self.0)
    }
}

/// What a name says: its class, and which rule said so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Assignment {
    /// The class.
    pub class: ClassId,
    /// Index into [`Classifier::rules`](super::Classifier::rules); `None` when no rule fits, so the class is `unclassified`.
    pub rule: Option<usize>,
}

/// Names of classes, sorted, `unclassified` last.
#[derive(Clone, Debug)]
pub(super) struct ClassNames(Vec<String>);

impl ClassNames {
    /// The classes of these names, and `unclassified`.
    pub(super) fn collect(
        names: impl Iterator<Item = String>,
        origin: &str,
    ) -> Result<Self, RulesError> {
        let sorted: BTreeSet<String> = names.filter(|name| name != UNCLASSIFIED).collect();
        let mut all: Vec<String> = sorted.into_iter().collect();
        all.push(UNCLASSIFIED.to_owned());
        if u16::try_from(all.len()).is_err() {
            return Err(RulesError::TooManyClasses {
                origin: origin.to_owned(),
                classes: all.len(),
            });
        }
        Ok(Self(all))
    }

    /// All classes in order.
    pub(super) fn ids(&self) -> impl Iterator<Item = (ClassId, &str)> {
        (0..=u16::MAX).map(ClassId).zip(self.0.iter().map(String::as_str))
    }

    /// The class of exactly this name, or every kind of `family/*`.
    pub(super) fn select(&self, name: &str) -> Vec<ClassId> {
        let family = name.strip_suffix('*').filter(|family| family.ends_with('/'));
        let fits = |class: &str| family.map_or(class == name, |family| class.starts_with(family));
        self.ids().filter(|(_, class)| fits(class)).map(|(id, _)| id).collect()
    }

    /// The last one.
    pub(super) fn unclassified(&self) -> ClassId {
        self.ids().last().map_or(ClassId(0), |(id, _)| id)
    }

    /// The class of this name, which was collected before.
    pub(super) fn get(&self, name: &str) -> ClassId {
        self.select(name).first().copied().unwrap_or_else(|| self.unclassified())
    }

    /// All names in order.
    pub(super) fn names(&self) -> &[String] {
        &self.0
    }
}
