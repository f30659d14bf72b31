//! `nsys-attrib report`: inputs in, a folder of pages, tables and documents out; and whether a folder
//! still says what its inputs say.

mod args;
mod check;
pub(super) mod folder;
mod gather;

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

pub(super) use args::ReportArgs;

use super::input::ClassRules;
use super::{energy, output};
use crate::attribution::Analysis;
use crate::attribution::document::Tool;
use crate::plots::Group;
use crate::report::paper::{
    self, Figure, FileAbout, InputAbout, Provenance, Report, ReportFile, SCHEMA, ShownTable,
    TEMPLATE_NAMES, Template,
};
use crate::report::shell_word;
use crate::units::plain;
use gather::Gathered;

/// Rows of the table of all analyses.
const MOST_ANALYSES: usize = 500;

pub(super) fn run(args: &ReportArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    if let Some(folder) = &args.check {
        return check::run(folder, jobs);
    }
    let Some(out) = &args.out else { bail!("--out DIR says where the report goes") };
    // What cannot be written is told before anything is computed.
    folder::may_be_written(out, args.force)?;
    let (template, about) = template(&args.template)?;
    let gathered = gather::gather(args, jobs)?;
    let classes = ClassRules::read(args.how.classes.as_deref())?.about;
    let words = typed();
    let mut provenance = Provenance {
        schema: SCHEMA.to_owned(),
        tool: tool(),
        command: words.clone(),
        inputs: gathered.inputs.clone(),
        sources: gathered.sources.clone(),
        power: gathered.power.clone(),
        windows: args.how.windows.window.clone(),
        classes: InputAbout {
            path: classes.path.unwrap_or_else(|| "shipped".to_owned()),
            sha256: Some(classes.sha256),
        },
        template: about,
        seeds: gathered.seeds.clone(),
        date: args.stamp.then(today),
        files: Vec::new(),
    };
    let findings: Vec<_> =
        gathered.sections.iter().flat_map(|section| section.findings.clone()).collect();
    let report = report(args, gathered, &provenance, &words)?;
    let mut files = paper::render(&report, &template, &args.kinds(), args.top)?;
    provenance.files = files.iter().map(FileAbout::of).collect();
    let mut bytes = serde_json::to_vec_pretty(&provenance)?;
    bytes.push(b'\n');
    files.push(ReportFile { path: folder::PROVENANCE.to_owned(), bytes });
    folder::write(out, &files, args.force)?;
    output::warn(&findings)?;
    for file in files.iter().filter(|file| !file.path.contains('/')) {
        println!("{}", out.join(&file.path).display());
    }
    Ok(ExitCode::SUCCESS)
}

fn report(
    args: &ReportArgs,
    gathered: Gathered,
    provenance: &Provenance,
    words: &[String],
) -> Result<Report> {
    let overview = paper::overview(&gathered.analyses);
    let several = gathered.analyses.len() > 1;
    let title = args.title.as_deref().map_or_else(
        || match gathered.sections.as_slice() {
            [only] => only.title.clone(),
            many => format!("{} results", many.len()),
        },
        |title| plain(title, 300),
    );
    let report = Report {
        title,
        tool: provenance.tool.clone(),
        command: words
            .iter()
            .map(|word| shell_word(&plain(word, 400)))
            .collect::<Vec<_>>()
            .join(" "),
        date: provenance.date.clone(),
        inputs: [provenance.inputs.clone(), provenance.power.clone()].concat(),
        sources: provenance.sources.clone(),
        classes: Some(provenance.classes.clone()),
        seeds: provenance.seeds.clone(),
        overview: several.then(|| ShownTable::of(&overview, MOST_ANALYSES)),
        figures: figures(&gathered.analyses)?,
        sections: gathered.sections,
        findings: Vec::new(),
        definitions: Vec::new(),
        extra: serde_json::Value::Null,
    };
    Ok(report.gathered())
}

/// Over all analyses; latency against energy where any has one.
fn figures(analyses: &[Analysis]) -> Result<Vec<Figure>> {
    let mut figures = paper::figures_of_analyses(analyses)?;
    let costly = |one: &&Analysis| one.energy.iter().flatten().any(|e| e.total_mj.is_some());
    let with_energy: Vec<Analysis> = analyses.iter().filter(costly).cloned().collect();
    if !with_energy.is_empty()
        && let Ok((points, axis, caption)) = energy::points(&Group::each(with_energy))
    {
        figures.extend(paper::figure_of_energies(&points, &axis, &caption)?);
    }
    Ok(figures)
}

fn tool() -> Tool {
    Tool { name: env!("CARGO_PKG_NAME").to_owned(), version: env!("CARGO_PKG_VERSION").to_owned() }
}

/// A set that comes with the program, or a file.
pub(super) fn template(name: &str) -> Result<(Template, InputAbout)> {
    if let Some(shipped) = TEMPLATE_NAMES.into_iter().find(|known| *known == name) {
        let about = InputAbout { path: shipped.to_owned(), sha256: None };
        return Ok((Template::Shipped(shipped), about));
    }
    let text = std::fs::read_to_string(name).with_context(|| {
        let known = TEMPLATE_NAMES.join(", ");
        format!("template {}: neither one of {known} nor a file that can be read", plain(name, 200))
    })?;
    let about = InputAbout { path: plain(name, 400), sha256: Some(paper::hash(text.as_bytes())) };
    let file = Path::new(name).file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((Template::Own(file, text), about))
}

/// The words of the command line; the program by its name, not by where it lies.
pub(super) fn typed() -> Vec<String> {
    let words = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned());
    std::iter::once(env!("CARGO_PKG_NAME").to_owned()).chain(words).collect()
}

pub(super) fn today() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

/// Names, by what for, of the seeds that a result was drawn with.
pub(super) type Seeds = BTreeMap<String, u64>;
