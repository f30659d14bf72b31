//! What was published, to stand beside what was measured: a file of numbers, never typed into code.
//!
//! ```toml
//! source = "arXiv 2604.17040"
//! device = "Jetson Orin Nano 8 GB"
//! [[value]]
//! quantity = "latency"        # a measure of the study
//! model = "vs"                # a model of the plan
//! value = 59.6
//! unit = "ms"                 # %, ns, us, ms, s, mJ, J, mW, W, count, ratio
//! ```

use std::fs;
use std::path::Path;

use serde::Deserialize;

use super::document::{Published, PublishedAbout};
use super::error::StudyError;

/// The numbers of a publication.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedNumbers {
    /// Where they are published.
    pub source: String,
    /// Its title.
    #[serde(default)]
    pub title: Option<String>,
    /// On what they were measured.
    pub device: String,
    /// What must be known to compare.
    #[serde(default)]
    pub note: Option<String>,
    /// The numbers.
    #[serde(default)]
    pub value: Vec<PublishedValue>,
}

/// One number.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PublishedValue {
    /// The measure that it is compared with.
    pub quantity: String,
    /// The model.
    pub model: String,
    /// Of a ratio, the model below.
    #[serde(default)]
    pub over: Option<String>,
    /// The number, in `unit`.
    pub value: f64,
    /// Its unit.
    pub unit: String,
    /// What must be known to compare: which reading, from which numbers it follows.
    #[serde(default)]
    pub note: Option<String>,
}

/// Units of the file, the unit of the document, and how many of the latter are in one.
const UNITS: [(&str, &str, f64); 12] = [
    ("%", "share", 0.01),
    ("ns", "ns", 1.0),
    ("us", "ns", 1e3),
    ("ms", "ns", 1e6),
    ("s", "ns", 1e9),
    ("mJ", "mj", 1.0),
    ("J", "mj", 1e3),
    ("mW", "mw", 1.0),
    ("W", "mw", 1e3),
    ("count", "count", 1.0),
    ("ratio", "ratio", 1.0),
    ("share", "share", 1.0),
];

impl PublishedNumbers {
    /// Reads the file.
    ///
    /// # Errors
    /// [`StudyError::Published`].
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let fault = |problem: String| StudyError::Published { path: path.to_path_buf(), problem };
        let text =
            fs::read_to_string(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
        let read: Self = toml::from_str(&text)
            .map_err(|error| fault(error.to_string().trim_end().to_owned()))?;
        let unknown = |value: &&PublishedValue| UNITS.iter().all(|unit| unit.0 != value.unit);
        if let Some(value) = read.value.iter().find(unknown) {
            let known: Vec<&str> = UNITS.iter().map(|unit| unit.0).collect();
            return Err(fault(format!(
                "`{}` of `{}`: there is no unit `{}`; there are {}",
                value.quantity,
                value.model,
                value.unit,
                known.join(", ")
            )));
        }
        Ok(read)
    }

    /// What was published for a measure, in its unit.
    pub fn of(
        &self,
        quantity: &str,
        model: &str,
        over: Option<&str>,
        unit: &str,
    ) -> Option<Published> {
        let found = self.value.iter().find(|value| {
            value.quantity == quantity && value.model == model && value.over.as_deref() == over
        })?;
        let (_, _, factor) =
            UNITS.iter().find(|(name, kind, _)| *name == found.unit && *kind == unit)?;
        // `{:?}` keeps the digit behind the point: 228.0.
        let text = match found.unit.as_str() {
            "ratio" | "count" | "share" => format!("{:?}", found.value),
            unit => format!("{:?} {unit}", found.value),
        };
        Some(Published { value: found.value * factor, text, note: found.note.clone() })
    }

    /// Where they come from.
    pub fn about(&self) -> PublishedAbout {
        let source = match &self.title {
            Some(title) => format!("{}, “{title}”", self.source),
            None => self.source.clone(),
        };
        PublishedAbout { source, device: self.device.clone(), note: self.note.clone() }
    }
}
