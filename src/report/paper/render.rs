//! From a report to the files of its folder.
//!
//! ```text
//! report.{html,md,tex}   the pages, from the templates
//! tables/*.tex           a tabular for each table, and the preamble that they need
//! csv/*.csv              every table, exact and whole
//! documents/*.json       what the numbers were taken from; `--check` compares them
//! figures/*.{svg,pdf}    figures
//! ```

use std::collections::BTreeMap;

use minijinja::context;
use minijinja::value::Serde;
use serde::Serialize;
use sha2::{Digest, Sha256};
use thiserror::Error;

use super::model::Report;
use super::timeline::Timeline;
use super::{figures, html, latex, shown::ShownTable, template};
use crate::report::csv::write_csv;

/// A file of the folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportFile {
    /// Below the folder, with `/`.
    pub path: String,
    /// Its content.
    pub bytes: Vec<u8>,
}

/// What can be left out of the folder. Documents are always there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum PageKind {
    /// The page and the tables for LaTeX.
    Tex,
    /// The page in Markdown.
    Md,
    /// The page that a browser shows.
    Html,
    /// Every table.
    Csv,
}

impl PageKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Tex, Self::Md, Self::Html, Self::Csv];

    const fn ending(self) -> &'static str {
        match self {
            Self::Tex => "tex",
            Self::Md => "md",
            Self::Html => "html",
            Self::Csv => "csv",
        }
    }
}

/// Which template makes the pages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Template {
    /// A set that comes with the program.
    Shipped(&'static str),
    /// A file of the user: its name and its text. It makes one page, of the format of its ending.
    Own(String, String),
}

/// Why a report cannot be made.
#[derive(Debug, Error)]
pub enum ReportError {
    /// A template is wrong.
    #[error(
        "template {name}{line}: {message}; docs/report-templates.md lists the variables and filters"
    )]
    Template {
        /// Its name.
        name: String,
        /// `:12`, where known.
        line: String,
        /// What is wrong.
        message: String,
    },
    /// A document cannot be written as JSON.
    #[error("a document cannot be written: {0}")]
    Json(#[from] serde_json::Error),
    /// A table cannot be written as CSV.
    #[error("a table cannot be written: {0}")]
    Csv(#[from] std::io::Error),
}

impl From<minijinja::Error> for ReportError {
    fn from(error: minijinja::Error) -> Self {
        let mut message = error.to_string();
        let mut cause = std::error::Error::source(&error);
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        Self::Template {
            name: error.name().unwrap_or("?").to_owned(),
            line: error.line().map_or_else(String::new, |line| format!(":{line}")),
            message,
        }
    }
}

/// What the scripts of a page read.
#[derive(Serialize)]
struct PageData<'a> {
    definitions: BTreeMap<&'a str, &'a str>,
    timelines: BTreeMap<&'a str, &'a Timeline>,
}

/// Every file of the report's folder but the provenance, by path.
///
/// # Errors
/// When a template is wrong.
pub fn render(
    report: &Report,
    chosen: &Template,
    kinds: &[PageKind],
    top: usize,
) -> Result<Vec<ReportFile>, ReportError> {
    let mut files = pages(report, chosen, kinds, top)?;
    for section in &report.sections {
        files.push(text(
            format!("documents/{}.json", section.id),
            serde_json::to_string_pretty(&section.document)? + "\n",
        ));
        if kinds.contains(&PageKind::Csv) {
            for table in &section.exact {
                let mut bytes = Vec::new();
                write_csv(&mut bytes, table)?;
                let path = format!("csv/{}-{}.csv", section.id, table.name);
                files.push(ReportFile { path, bytes });
            }
        }
    }
    let of_sections = report.sections.iter().flat_map(|section| &section.figures);
    for figure in report.figures.iter().chain(of_sections) {
        files.push(text(format!("{}.svg", figure.path), figure.file.clone()));
        if kinds.contains(&PageKind::Tex) {
            let path = format!("{}.pdf", figure.path);
            files.push(ReportFile { path, bytes: figure.pdf.clone() });
        }
    }
    if kinds.contains(&PageKind::Tex) {
        files.extend(tabulars(report, top));
    }
    files.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(files)
}

/// The pages that the template makes.
fn pages(
    report: &Report,
    chosen: &Template,
    kinds: &[PageKind],
    top: usize,
) -> Result<Vec<ReportFile>, ReportError> {
    let mut engine = template::engine()?;
    let names: Vec<(String, String)> = match chosen {
        Template::Shipped(set) => kinds
            .iter()
            .filter(|kind| **kind != PageKind::Csv)
            .map(|kind| (format!("{set}.{}", kind.ending()), kind.ending().to_owned()))
            .collect(),
        Template::Own(name, source) => {
            engine.add_template(name, source)?;
            vec![(name.clone(), template::format_of(name).to_owned())]
        }
    };
    let variables = minijinja::Value::from(Serde(report));
    let drawn = !report.figures.is_empty()
        || report.sections.iter().any(|section| !section.figures.is_empty());
    let letters = if drawn { figures::font_face() } else { String::new() };
    let mut files = Vec::new();
    for (name, ending) in names {
        let page = if ending == "html" { Some(page(report)?) } else { None };
        let safe = |text: &str| minijinja::Value::from_safe_string(text.to_owned());
        let style = template::STYLE.to_owned() + &letters;
        let page = page.as_ref().map(|(hash, data)| {
            context! {
                style => safe(&style),
                script => safe(template::SCRIPT),
                script_hash => safe(hash),
                data => safe(data),
            }
        });
        let made = engine
            .get_template(&name)?
            .render(context! { report => variables.clone(), top => top, page => page })?;
        files.push(text(format!("report.{ending}"), made.trim_end().to_owned() + "\n"));
    }
    Ok(files)
}

/// The hash by which the page allows its own script, and the data of the script.
fn page(report: &Report) -> Result<(String, String), ReportError> {
    let timelines = report
        .sections
        .iter()
        .filter_map(|section| Some((section.id.as_str(), section.timeline.as_ref()?)));
    let data = PageData {
        definitions: report
            .definitions
            .iter()
            .map(|definition| (definition.key.as_str(), definition.text.as_str()))
            .collect(),
        timelines: timelines.collect(),
    };
    let hash = format!("sha256-{}", base64(&Sha256::digest(template::SCRIPT.as_bytes())));
    Ok((hash, html::embedded_json(&serde_json::to_string(&data)?)))
}

/// A file for each table, and the preamble.
fn tabulars(report: &Report, top: usize) -> Vec<ReportFile> {
    let mut files = vec![text("tables/preamble.tex".to_owned(), template::PREAMBLE.to_owned())];
    let one = |id: &str, title: &str, table: &ShownTable| {
        let mut head = format!("% {}\n% {}\n", comment(title), comment(&table.title));
        for key in &table.defines {
            head += &format!("% {}: {}\n", key, super::meaning::text(key).unwrap_or_default());
        }
        for line in table.note.iter().flat_map(|note| note.lines()) {
            head += &format!("% {}\n", comment(line));
        }
        text(format!("tables/{id}-{}.tex", table.name), head + &latex::tabular(table, top))
    };
    if let Some(overview) = &report.overview {
        files.push(one("all", &report.title, overview));
    }
    for section in &report.sections {
        let tables = section.tables.iter().filter(|table| !table.rows.is_empty());
        files.extend(tables.map(|table| one(&section.id, &section.title, table)));
    }
    files
}

/// A comment ends with its line, and in `^^M` TeX sees the end of a line.
fn comment(text: &str) -> String {
    crate::units::plain(text, 200).replace('^', "")
}

fn text(path: String, text: String) -> ReportFile {
    ReportFile { path, bytes: text.into_bytes() }
}

/// As content security policies write hashes.
fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let three = chunk.iter().fold(0u32, |all, byte| (all << 8) | u32::from(*byte))
            << (8 * (3 - chunk.len()));
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(DIGITS[(three >> (18 - 6 * place)) as usize & 63]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn hashes_are_written_as_policies_write_them() {
        assert_eq!(base64(b"M"), "TQ==");
        assert_eq!(base64(b"Ma"), "TWE=");
        assert_eq!(base64(b"Many"), "TWFueQ==");
    }
}
