//! The document `nsys-attrib/report/1`: what a report's folder was made from, and whether that still
//! gives the same numbers.
//!
//! It lies in the folder as `provenance.json`. A number is the same when the documents agree in every
//! value; the version of the program, the path of the trace and its hash may differ, since a trace
//! that was moved or packed says the same.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::model::InputAbout;
use super::render::ReportFile;
use crate::attribution::document::Tool;

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/report/1";

/// What a report's folder was made from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Provenance {
    /// Always `nsys-attrib/report/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// The command that was typed.
    pub command: Vec<String>,
    /// The inputs.
    pub inputs: Vec<InputAbout>,
    /// What inputs that are documents were made from, as they say: traces, or tables of `nsys stats`. They
    /// need not be there any more.
    #[serde(default)]
    pub sources: Vec<InputAbout>,
    /// Logs of power that were read beside them.
    pub power: Vec<InputAbout>,
    /// The windows that traces were analysed for; also those of a project file. Empty for `latency`
    /// where there is one, else everything.
    pub windows: Vec<String>,
    /// The class rules that traces were analysed with; the path is `shipped` for those of the program.
    pub classes: InputAbout,
    /// The template; the path is `paper`, `notebook` or `brief` for those of the program.
    pub template: InputAbout,
    /// Seeds of whatever was drawn by chance, by what for.
    pub seeds: BTreeMap<String, u64>,
    /// The day of its making; null unless `--stamp` was given.
    pub date: Option<String>,
    /// Every other file of the folder.
    pub files: Vec<FileAbout>,
}

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileAbout {
    /// Below the folder.
    pub path: String,
    /// Of its bytes, in hex.
    pub sha256: String,
    /// How long it is.
    pub bytes: u64,
}

impl FileAbout {
    /// The identity of a file.
    pub fn of(file: &ReportFile) -> Self {
        Self { path: file.path.clone(), sha256: hash(&file.bytes), bytes: file.bytes.len() as u64 }
    }
}

/// SHA-256 in hex.
pub fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A value that is another one now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// Where, as `kernels.by_class[2].time_ns`.
    pub place: String,
    /// What the folder says.
    pub was: String,
    /// What the inputs give now.
    pub is: String,
}

/// The parts of a document that say where it came from and not what was found.
const NOT_NUMBERS: &[&str] =
    &["tool", "trace.path", "trace.sha256", "asked.classes.path", "definitions", "inputs"];

/// In which values two documents differ.
pub fn differences(was: &Value, is: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", was, is, &mut found);
    found
}

fn compare(place: &str, was: &Value, is: &Value, found: &mut Vec<Difference>) {
    if NOT_NUMBERS.contains(&place) || was == is {
        return;
    }
    match (was, is) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys()).collect();
            keys.sort();
            keys.dedup();
            for key in keys {
                let inner = if place.is_empty() { key.clone() } else { format!("{place}.{key}") };
                let of = |map: &serde_json::Map<String, Value>| {
                    map.get(key).cloned().unwrap_or(Value::Null)
                };
                compare(&inner, &of(a), &of(b), found);
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (i, (a, b)) in a.iter().zip(b).enumerate() {
                compare(&format!("{place}[{i}]"), a, b, found);
            }
        }
        _ => {
            found.push(Difference { place: place.to_owned(), was: told(was), is: told(is) });
        }
    }
}

fn told(value: &Value) -> String {
    match value {
        Value::Array(items) => format!("a list of {}", items.len()),
        Value::Object(_) => "a block".to_owned(),
        other => crate::units::plain(&other.to_string(), 60),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_changed_number_is_named_and_a_moved_trace_is_not() {
        let was =
            json!({"trace": {"path": "a", "duration_ns": 5}, "api": {"by": [{"n": 1}, {"n": 2}]}});
        let mut is = was.clone();
        is["trace"]["path"] = json!("b");
        assert_eq!(differences(&was, &is), []);
        is["api"]["by"][1]["n"] = json!(3);
        let found = differences(&was, &is);
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].place.as_str(), found[0].was.as_str(), found[0].is.as_str()),
            ("api.by[1].n", "2", "3")
        );
        is["api"]["by"] = json!([]);
        assert_eq!(differences(&was, &is)[0].was, "a list of 2");
    }
}
