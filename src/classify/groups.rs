//! Groups: classes joined for a headline, in several readings.
//!
//! "Dense convolution is half of the GPU time" depends on what counts as one: on one public trace
//! the readings of `dense-convolution` give 1.1, 54.7, 67.1 and 80.6 %. So a group always carries all
//! of its readings, and names the one that stands for it where only one fits.

use super::class::ClassNames;
use super::file::GroupText;
use super::{ClassId, RulesError};

/// Classes joined for a headline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// Such as `dense-convolution`.
    pub name: String,
    /// Name of the reading that is shown first; always one of the readings.
    pub headline: String,
    /// All readings, in file order.
    pub readings: Vec<Reading>,
}

impl Group {
    /// The reading that is shown first.
    pub fn headline_reading(&self) -> Option<&Reading> {
        self.readings.iter().find(|reading| reading.name == self.headline)
    }
}

/// One way to count a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// Such as `strict`.
    pub name: String,
    /// The classes that count, each once, by name.
    pub classes: Vec<ClassId>,
}

impl Reading {
    /// Whether time of the class counts.
    pub fn contains(&self, class: ClassId) -> bool {
        self.classes.binary_search(&class).is_ok()
    }
}

/// Resolves the class names of a group; `family/*` stands for every kind of a family.
pub(super) fn resolve(
    text: &GroupText,
    classes: &ClassNames,
    origin: &str,
) -> Result<Group, RulesError> {
    let refuse = |message: String| RulesError::Group {
        origin: origin.to_owned(),
        group: text.name.clone(),
        message,
    };
    let mut readings: Vec<Reading> = Vec::with_capacity(text.readings.len());
    for reading in &text.readings {
        if readings.iter().any(|known| known.name == reading.name) {
            return Err(refuse(format!("reading \"{}\" is given twice", reading.name)));
        }
        let mut ids = Vec::new();
        for name in &reading.classes {
            let found = classes.select(name);
            if found.is_empty() {
                return Err(refuse(unknown_class(&reading.name, name)));
            }
            ids.extend(found);
        }
        ids.sort_unstable();
        ids.dedup();
        readings.push(Reading { name: reading.name.clone(), classes: ids });
    }
    if !readings.iter().any(|reading| reading.name == text.headline) {
        let names: Vec<&str> = text.readings.iter().map(|reading| reading.name.as_str()).collect();
        return Err(refuse(format!(
            "headline \"{}\" is none of its readings ({}); name one of them",
            text.headline,
            names.join(", ")
        )));
    }
    Ok(Group { name: text.name.clone(), headline: text.headline.clone(), readings })
}

fn unknown_class(reading: &str, class: &str) -> String {
    format!(
        "reading \"{reading}\" counts the class \"{class}\", which no rule gives; correct the name, \
         or begin the file with extends = \"default\" if a shipped class is meant"
    )
}
