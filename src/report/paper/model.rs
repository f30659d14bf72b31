//! What a report says, before it is LaTeX, Markdown or HTML: the variables of the templates.
//!
//! A report is a list of sections, each made from one input. Sections are general: anything that has
//! sentences, single facts, tables, doubts and figures can be one, so that a study's report is made
//! from the same pieces. Every text here is free of control characters but escaped for no format; the
//! templates' engine escapes it for theirs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::meaning;
use super::shown::ShownTable;
use super::timeline::Timeline;
use crate::attribution::document::Tool;
use crate::finding::Finding;
use crate::report::table::Table;

/// A whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its title.
    pub title: String,
    /// What made it.
    pub tool: Tool,
    /// The command that was typed.
    pub command: String,
    /// The day of its making (`--stamp`).
    pub date: Option<String>,
    /// The inputs, as in the provenance.
    pub inputs: Vec<InputAbout>,
    /// What inputs that are documents were made from, as they say: traces, or tables of `nsys stats`.
    pub sources: Vec<InputAbout>,
    /// The class rules: file and hash.
    pub classes: Option<InputAbout>,
    /// Seeds of whatever was drawn by chance, by what for.
    pub seeds: BTreeMap<String, u64>,
    /// All sections side by side; none for a single one.
    pub overview: Option<ShownTable>,
    /// Figures over all analyses.
    pub figures: Vec<Figure>,
    /// One for each analysis, comparison or set of energies.
    pub sections: Vec<Section>,
    /// Doubts of all sections, the most severe first, each once.
    pub findings: Vec<ReportFinding>,
    /// The definitions that the tables rest on.
    pub definitions: Vec<Definition>,
    /// What a caller wants to say beside that.
    pub extra: serde_json::Value,
}

/// A file that went into the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
pub struct InputAbout {
    /// As it was typed.
    pub path: String,
    /// Of its bytes, in hex; null for a folder.
    pub sha256: Option<String>,
}

/// One part of a report.
#[derive(Clone, Debug, Serialize)]
pub struct Section {
    /// For anchors and file names: letters, digits and hyphens.
    pub id: String,
    /// Its heading.
    pub title: String,
    /// What it was made from: `analysis`, `comparison`, `energy`.
    pub kind: String,
    /// The result in a word, where there is one: the verdict.
    pub verdict: Option<String>,
    /// The result in a sentence.
    pub lead: Option<String>,
    /// Sentences with their labels.
    pub lines: Vec<Line>,
    /// The numbers that matter most.
    pub facts: Vec<Fact>,
    /// Parts of a whole, in order; they add up to it.
    pub parts: Vec<Part>,
    /// Every table.
    pub tables: Vec<ShownTable>,
    /// Doubts about this section.
    pub findings: Vec<Finding>,
    /// Figures.
    pub figures: Vec<Figure>,
    /// What happened in the windows; it goes into the page's data, not into the variables.
    #[serde(skip)]
    pub timeline: Option<Timeline>,
    /// Whether there is a timeline.
    pub has_timeline: bool,
    /// The tables with exact values, for CSV.
    #[serde(skip)]
    pub exact: Vec<Table>,
    /// The document that the section was made from.
    #[serde(skip)]
    pub document: serde_json::Value,
}

/// A sentence with its label.
#[derive(Clone, Debug, Serialize)]
pub struct Line {
    /// What it is about.
    pub label: String,
    /// The sentence.
    pub text: String,
}

/// A number that matters.
#[derive(Clone, Debug, Serialize)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// The number with its unit; a dash when missing.
    pub value: String,
    /// What must be read beside it.
    pub detail: String,
    /// Key of its definition.
    pub defined_by: Option<String>,
}

/// A part of a whole.
#[derive(Clone, Debug, Serialize)]
pub struct Part {
    /// Its name: `busy`, `launch`.
    pub name: String,
    /// How long.
    pub text: String,
    /// Of the whole, 0..1.
    pub share: f64,
    /// Its colour, `#rrggbb`.
    pub color: String,
}

/// A figure.
#[derive(Clone, Debug, Serialize)]
pub struct Figure {
    /// For file names.
    pub name: String,
    /// What it shows.
    pub title: String,
    /// What must be known to read it.
    pub caption: String,
    /// The drawing, as an `svg` element for a page that carries the letters.
    pub svg: String,
    /// The same as a file of its own.
    #[serde(skip)]
    pub file: String,
    /// The same for LaTeX.
    #[serde(skip)]
    pub pdf: Vec<u8>,
    /// Where the files lie in the report's folder, without ending.
    pub path: String,
}

/// A doubt, and the sections that have it.
#[derive(Clone, Debug, Serialize)]
pub struct ReportFinding {
    /// The doubt.
    #[serde(flatten)]
    pub finding: Finding,
    /// Titles of the sections.
    pub sections: Vec<String>,
}

/// What a number means.
#[derive(Clone, Debug, Serialize)]
pub struct Definition {
    /// Its key in the documents.
    pub key: String,
    /// The definition.
    pub text: String,
}

impl Report {
    /// Collects from the sections what stands at the front and at the end of the report.
    #[must_use]
    pub fn gathered(mut self) -> Self {
        let mut findings: Vec<ReportFinding> = Vec::new();
        for section in &self.sections {
            for finding in &section.findings {
                match findings.iter_mut().find(|known| known.finding == *finding) {
                    Some(known) => known.sections.push(section.title.clone()),
                    None => findings.push(ReportFinding {
                        finding: finding.clone(),
                        sections: vec![section.title.clone()],
                    }),
                }
            }
        }
        findings.sort_by(|a, b| {
            let (a, b) = (&a.finding, &b.finding);
            b.severity.cmp(&a.severity).then_with(|| a.code.cmp(&b.code))
        });
        self.findings = findings;
        self.definitions = self.used_definitions();
        self
    }

    /// The definitions that tables and facts name, in the order of the list of definitions.
    fn used_definitions(&self) -> Vec<Definition> {
        let tables =
            || self.sections.iter().flat_map(|section| &section.tables).chain(&self.overview);
        let facts = self.sections.iter().flat_map(|section| &section.facts);
        let mut used: Vec<&str> =
            tables().flat_map(|table| &table.defines).map(String::as_str).collect();
        used.extend(facts.filter_map(|fact| fact.defined_by.as_deref()));
        let cells = tables().flat_map(|table| table.rows.iter().flatten());
        used.extend(cells.filter_map(|cell| cell.defined_by.as_deref()));
        let compares = self.sections.iter().any(|section| section.kind == "comparison");
        meaning::all()
            .filter(|((key, _), of_comparison)| used.contains(key) || (*of_comparison && compares))
            .map(|((key, text), _)| Definition { key: key.to_owned(), text: text.to_owned() })
            .collect()
    }
}

/// A name for files and anchors: what is no letter, digit or hyphen becomes a hyphen. The same name
/// twice gets a number.
pub fn unique_id(name: &str, taken: &mut std::collections::BTreeSet<String>) -> String {
    let mut id = String::new();
    for c in name.chars().take(60) {
        let c = if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
        if c != '-' || !(id.is_empty() || id.ends_with('-')) {
            id.push(c);
        }
    }
    let id = id.trim_end_matches('-');
    let id = if id.is_empty() { "section" } else { id };
    let mut unique = id.to_owned();
    let mut number = 2;
    while !taken.insert(unique.clone()) {
        unique = format!("{id}-{number}");
        number += 1;
    }
    unique
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_safe_and_unique() {
        let mut taken = std::collections::BTreeSet::new();
        assert_eq!(unique_id("../a b.sqlite gpu:/x/", &mut taken), "a-b-sqlite-gpu-x");
        assert_eq!(unique_id("a b.sqlite gpu:x", &mut taken), "a-b-sqlite-gpu-x-2");
        assert_eq!(unique_id("<波>", &mut taken), "section");
    }
}
