//! Documents of this program as inputs: which one is it, and is it whole?
//!
//! Recognised by the `schema` id in the file, never by its name.

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;

use crate::attribution::Analysis;
use crate::attribution::document::{self as analysis, Analyses};
use crate::power::document::{self as energy, EnergyDocument};
use crate::trace::source::{Content, recognise};

/// A document that a command can work on.
pub(in crate::cli) enum Document {
    /// `analysis/1`, or each of `analyses/1`.
    Analyses(Vec<Analysis>),
    /// `energy/1`.
    Energy(Box<EnergyDocument>),
}

/// The schema id when `path` is a document of this program; nothing when it is something else, which
/// the reader of traces then judges.
pub(in crate::cli) fn schema_of(path: &Path) -> Option<String> {
    match recognise(path) {
        Ok(Content::Document(schema)) => Some(schema),
        _ => None,
    }
}

/// Reads a document by its schema id.
///
/// # Errors
/// When the file cannot be read, is damaged, or is of a kind that holds no analysis or energy.
pub(in crate::cli) fn read(path: &Path, schema: &str) -> Result<Document> {
    match schema {
        analysis::SCHEMA => Ok(Document::Analyses(vec![parse(path, schema)?])),
        analysis::SCHEMA_MANY => Ok(Document::Analyses(parse::<Analyses>(path, schema)?.analyses)),
        energy::SCHEMA => Ok(Document::Energy(Box::new(parse::<EnergyDocument>(path, schema)?))),
        _ => bail!(
            "{}: a `{schema}` document; this command takes traces, run folders and documents of kind {}, {} and {}",
            path.display(),
            analysis::SCHEMA,
            analysis::SCHEMA_MANY,
            energy::SCHEMA
        ),
    }
}

/// Parses a document; what is wrong is told with its line.
pub(in crate::cli) fn parse<T: DeserializeOwned>(path: &Path, schema: &str) -> Result<T> {
    let read = || -> Result<String> {
        let mut text = String::new();
        BufReader::new(File::open(path)?).read_to_string(&mut text)?;
        Ok(text)
    };
    let text = read().with_context(|| format!("{} cannot be read", path.display()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    serde_json::from_str(text).with_context(|| {
        format!(
            "{}: not a whole `{schema}` document: write it again with this version (`--format json`)",
            path.display()
        )
    })
}
