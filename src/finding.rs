//! Doubts as data: what a reader must know before a number is believed.
//!
//! A finding has a stable code, a severity, a sentence, the numbers it rests on and a remedy. It is
//! printed on standard error and under each table, and carried in the JSON. The idea follows the
//! import statistics of trace processors: every way in which a trace can mislead has a name.

use std::collections::BTreeMap;
use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

/// How much a finding matters.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Severity {
    /// Worth knowing; the numbers stand.
    Info,
    /// The numbers stand for what they say, which may not be what was meant.
    Warning,
    /// Something is not in the trace or not in the window: sums are incomplete.
    DataLoss,
    /// The numbers named here must not be used.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::DataLoss => "data-loss",
            Self::Error => "error",
        })
    }
}

/// One doubt about a result.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable name, for machines: `launch-queue-full`.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// What was seen, in one or two sentences.
    pub message: String,
    /// The numbers behind the message, by name with unit (`time_ns`, `rows`).
    #[serde(default)]
    pub numbers: BTreeMap<String, Number>,
    /// What to do about it.
    pub remedy: String,
}

impl Finding {
    /// A finding without numbers.
    pub fn new(
        code: &str,
        severity: Severity,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        Self {
            code: code.to_owned(),
            severity,
            message: message.into(),
            numbers: BTreeMap::new(),
            remedy: remedy.into(),
        }
    }

    /// The same finding with one more number. A value that is not finite is left out.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl IntoNumber) -> Self {
        if let Some(number) = value.into_number() {
            self.numbers.insert(name.to_owned(), number);
        }
        self
    }
}

/// What may stand as a number in a finding.
pub trait IntoNumber {
    /// The value as JSON will carry it; `None` when JSON has no such number.
    fn into_number(self) -> Option<Number>;
}

impl IntoNumber for f64 {
    fn into_number(self) -> Option<Number> {
        Number::from_f64(self)
    }
}

impl IntoNumber for usize {
    fn into_number(self) -> Option<Number> {
        Some(self.into())
    }
}

impl IntoNumber for u64 {
    fn into_number(self) -> Option<Number> {
        Some(self.into())
    }
}

impl IntoNumber for i64 {
    fn into_number(self) -> Option<Number> {
        Some(self.into())
    }
}

impl IntoNumber for crate::units::Nanos {
    fn into_number(self) -> Option<Number> {
        Some(self.as_ns().into())
    }
}

impl IntoNumber for crate::units::Share {
    fn into_number(self) -> Option<Number> {
        Number::from_f64(self.as_f64())
    }
}

/// Most severe first, then by code: the order in which findings are shown.
pub fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        b.severity
            .cmp(&a.severity)
            .then_with(|| a.code.cmp(&b.code))
            .then_with(|| a.message.cmp(&b.message))
    });
}
