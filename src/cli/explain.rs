//! `nsys-attrib explain`: what each number means.

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::args::ExplainArgs;
use super::output;
use crate::attribution::definitions::DEFINITIONS;
use crate::report;
use crate::units::plain;

/// How many keys a refusal suggests.
const SUGGESTED: usize = 5;

pub(super) fn run(args: &ExplainArgs) -> Result<ExitCode> {
    let chosen: Vec<(&str, &str)> = match &args.key {
        None => DEFINITIONS.to_vec(),
        Some(key) => matching(key),
    };
    if let Some(key) = args.key.as_ref().filter(|_| chosen.is_empty()) {
        bail!("no number is called `{}`; near are: {}", plain(key, 80), nearest(key).join(", "));
    }
    let style = output::style();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (i, (key, text)) in chosen.into_iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{key}")?;
        report::write_notes(&mut out, &[(String::new(), text.to_owned())], style)?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// The definition of that key; else those whose key holds the word; else those whose text does.
fn matching(key: &str) -> Vec<(&'static str, &'static str)> {
    let wanted = key.to_lowercase().replace(' ', "_");
    let exact = |name: &str| name == wanted;
    let inside = |name: &str| name.contains(&wanted);
    let by_key = |fits: &dyn Fn(&str) -> bool| -> Vec<_> {
        DEFINITIONS.iter().filter(|(name, _)| fits(name)).copied().collect()
    };
    let found = by_key(&exact);
    if !found.is_empty() {
        return found;
    }
    let found = by_key(&inside);
    if !found.is_empty() {
        return found;
    }
    let word = |text: &str| {
        text.to_lowercase()
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .any(|part| part == wanted)
    };
    DEFINITIONS.iter().filter(|(_, text)| word(text)).copied().collect()
}

fn nearest(key: &str) -> Vec<&'static str> {
    let mut names: Vec<&str> = DEFINITIONS.iter().map(|(name, _)| *name).collect();
    let likeness = |name: &str| {
        let parts = name.split('.').chain([name]);
        parts.map(|part| (strsim::jaro_winkler(key, part) * 1e6) as i64).max()
    };
    names.sort_by(|a, b| likeness(b).cmp(&likeness(a)).then_with(|| a.cmp(b)));
    names.truncate(SUGGESTED);
    names
}
