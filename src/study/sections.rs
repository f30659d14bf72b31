//! The report of a study, in the form of a paper: result, methods, four tables with their figures,
//! comparisons, every checkpoint and run.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::analyse::Material;
use super::document::{Answer, HALVED, Measure, Study, VerdictOf};
use super::doubts::folded;
use super::error::StudyError;
use super::figures;
use super::tables::{self, Notes};
use crate::attribution::document::Tool;
use crate::report::paper::{
    self, Fact, Figure, InputAbout, Line, Report, Section, ShownTable, unique_id,
};
use crate::report::{Cell, Table};
use crate::units::plain;

/// Rows that a page carries; the CSV files have all.
const MOST_ROWS: usize = 500;

/// Ratios that the summary names.
const RATIOS: [&str; 3] = ["latency", "energy(dynamic)", "power(dynamic)"];

/// What a report says of its making.
#[derive(Clone, Debug, Default)]
pub struct Making {
    /// Title; the study's name otherwise.
    pub title: Option<String>,
    /// The words typed.
    pub command: String,
    /// The day, if it is wanted.
    pub date: Option<String>,
    /// Files that went in.
    pub inputs: Vec<InputAbout>,
}

/// The report of a study.
///
/// # Errors
/// When a figure cannot be drawn.
pub fn report(material: &Material, making: Making) -> Result<Report, StudyError> {
    let study = &material.study;
    let mut taken = BTreeSet::new();
    let mut sections = vec![
        result(study, &mut taken),
        methods(study, &mut taken),
        accuracy(study, &mut taken)?,
        cost(material, &mut taken)?,
        attribution(material, &mut taken)?,
        answers(material, &mut taken)?,
    ];
    let mut seeds = BTreeMap::new();
    for (title, comparison) in &material.comparisons {
        let mut section = paper::of_comparison(comparison, &mut taken);
        section.title.clone_from(title);
        // What is said of the whole study is not said again of each comparison.
        let said = |code: &str| study.findings.iter().any(|finding| finding.code == code);
        let left = section.findings.drain(..).filter(|finding| !said(&finding.code));
        let sides: Vec<_> = left.map(|finding| (finding.message.clone(), finding)).collect();
        section.findings = folded(&sides, "findings of this comparison");
        section.figures = paper::figures_of_comparison(comparison, &section.id)?;
        seeds.insert(format!("bootstrap, {title}"), comparison.seed);
        sections.push(section);
    }
    sections.push(each(material, &mut taken));
    for sensitivity in &material.sensitivities {
        seeds.insert("bootstrap, sensitivity".to_owned(), sensitivity.seed);
    }
    for replay in &material.replays {
        seeds.insert("bootstrap, replay".to_owned(), replay.seed);
    }
    let title = making.title.unwrap_or_else(|| format!("Study {}", study.name));
    let report = Report {
        title: plain(&title, 300),
        tool: Tool { name: study.tool.name.clone(), version: study.tool.version.clone() },
        command: making.command,
        date: making.date,
        inputs: making.inputs,
        sources: Vec::new(),
        classes: Some(InputAbout {
            path: material.classes.path.clone().unwrap_or_else(|| "shipped".to_owned()),
            sha256: Some(material.classes.sha256.clone()),
        }),
        seeds,
        overview: None,
        figures: Vec::new(),
        sections,
        findings: Vec::new(),
        definitions: Vec::new(),
        extra: Value::Null,
    };
    Ok(report.gathered())
}

/// A section of tables.
fn section(
    title: &str,
    exact: Vec<Table>,
    notes: &Notes,
    document: Value,
    taken: &mut BTreeSet<String>,
) -> Section {
    let lines = notes
        .sentences()
        .into_iter()
        .map(|(letter, text)| Line { label: letter, text: plain(&text, 1_000) })
        .collect();
    Section {
        id: unique_id(title, taken),
        title: title.to_owned(),
        kind: "study".to_owned(),
        verdict: None,
        lead: None,
        lines,
        facts: Vec::new(),
        parts: Vec::new(),
        tables: exact.iter().map(|table| ShownTable::of(table, MOST_ROWS)).collect(),
        findings: Vec::new(),
        figures: Vec::new(),
        timeline: None,
        has_timeline: false,
        exact,
        document,
    }
}

/// The numbers that matter, and the whole document.
fn result(study: &Study, taken: &mut BTreeSet<String>) -> Section {
    let document = serde_json::to_value(study).unwrap_or_default();
    let mut section = section("Result", Vec::new(), &Notes::default(), document, taken);
    section.findings.clone_from(&study.findings);
    let sentences = [
        ("errors", of_models((study, &study.accuracy), "error", tables::precise, " %")),
        ("latency", of_models((study, &study.cost), "latency", tables::scaled, "")),
        ("energy", of_models((study, &study.cost), "energy(dynamic)", tables::scaled, "")),
        (
            "launch",
            of_models((study, &study.attribution), "share(cudaLaunchKernel)", tables::scaled, ""),
        ),
        (
            "convolution",
            of_models((study, &study.attribution), "share(dense-convolution)", tables::scaled, ""),
        ),
    ];
    section.lines = sentences
        .into_iter()
        .map(|(label, text)| Line { label: label.to_owned(), text: plain(&text, 1_000) })
        .collect();
    let ratios: Vec<&Measure> = study
        .cost
        .iter()
        .filter(|one| one.over.is_some() && RATIOS.contains(&one.quantity.as_str()))
        .collect();
    section.facts = ratios.iter().map(|one| ratio(study, one)).collect();
    for (label, texts) in [
        ("ratios", ratios.iter().filter_map(|one| ratio_in_words(study, one)).collect()),
        ("verdict", study.verdicts.iter().filter_map(|one| verdict(study, one)).collect()),
        ("sparsity", study.answers.iter().filter_map(|one| halved(study, one)).collect::<Vec<_>>()),
    ] {
        if !texts.is_empty() {
            let text = plain(&texts.join("; "), 1_000);
            section.lines.push(Line { label: label.to_owned(), text });
        }
    }
    if let Some(published) = &study.published {
        let note = published.note.as_deref().map_or_else(String::new, |note| format!(" {note}"));
        section.lines.push(Line {
            label: "published".to_owned(),
            text: format!(
                "Numbers marked published are those of {}, measured on {}.{note}",
                published.source, published.device
            ),
        });
    }
    section
}

/// One sentence: a quantity of every model in the order of the plan, with what was published.
fn of_models(
    (study, rows): (&Study, &[Measure]),
    quantity: &str,
    shown: fn(&str, f64) -> Cell,
    unit: &str,
) -> String {
    let value =
        |one: &Measure, value: f64| format!("{}{unit}", shown(&one.unit, value).for_people());
    let found: Vec<&Measure> =
        rows.iter().filter(|one| one.quantity == quantity && one.over.is_none()).collect();
    let why = found.first().and_then(|one| one.missing.as_deref());
    if let Some(why) = why.filter(|why| found.iter().all(|one| one.missing.as_deref() == Some(why)))
    {
        return format!("{quantity}: – ({why})");
    }
    let of = |one: &Measure| {
        let model = study.label(&one.model);
        let Some(mean) = one.mean else {
            return format!("{model} – ({})", one.missing.as_deref().unwrap_or("unknown"));
        };
        let interval = one.ci95.map_or_else(String::new, |[low, high]| {
            format!(" [{}, {}]", value(one, low), value(one, high))
        });
        let published = one.published.as_ref();
        let published = published.map_or_else(String::new, |p| format!(" (published {})", p.text));
        format!("{model} {}{interval}{published}", value(one, mean))
    };
    let all: Vec<String> = found.into_iter().map(of).collect();
    format!("{quantity}: {}", all.join("; "))
}

fn ratio_in_words(study: &Study, one: &Measure) -> Option<String> {
    let interval =
        one.ci95.map_or_else(String::new, |[low, high]| format!(" [{low:.3}, {high:.3}]"));
    let published = one.published.as_ref();
    let published = published.map_or_else(String::new, |p| format!(" (published {})", p.text));
    let (above, below) = (study.label(&one.model), study.label(one.over.as_deref()?));
    Some(format!("{} {above} / {below} {:.3}{interval}{published}", one.quantity, one.mean?))
}

fn verdict(study: &Study, one: &VerdictOf) -> Option<String> {
    let kinds: Vec<String> =
        one.checkpoints.iter().map(|(kind, count)| format!("{kind} ({count})")).collect();
    (!kinds.is_empty()).then(|| format!("{} {}", study.label(&one.model), kinds.join(", ")))
}

/// What halving the spike rate was measured to change.
fn halved(study: &Study, one: &Answer) -> Option<String> {
    let percent = |part: f64| format!("{:+.1} %", 100.0 * part);
    let change = one.change.filter(|_| one.question == HALVED)?;
    let interval = one
        .range
        .map_or_else(String::new, |[low, high]| format!(" [{}, {}]", percent(low), percent(high)));
    let model = study.label(&one.model);
    Some(format!(
        "{} of {model} {}{interval} when the spike rate halves: {}",
        one.what,
        percent(change),
        one.reading
    ))
}

fn ratio(study: &Study, one: &Measure) -> Fact {
    let detail = match (&one.ci95, &one.missing) {
        (Some([low, high]), _) => format!("95 %: {low:.3} to {high:.3}; {}", one.method),
        (None, Some(why)) => why.clone(),
        (None, None) => one.method.clone(),
    };
    let published = one.published.as_ref();
    let published = published.map_or_else(String::new, |p| format!("; published {}", p.text));
    let below = study.label(one.over.as_deref().unwrap_or("?"));
    Fact {
        label: format!("{}, {} / {below}", one.quantity, study.label(&one.model)),
        value: one.mean.map_or_else(|| "–".to_owned(), |mean| format!("{mean:.3}")),
        detail: format!("{detail}{published}"),
        defined_by: None,
    }
}

fn methods(study: &Study, taken: &mut BTreeSet<String>) -> Section {
    let document = serde_json::to_value(&study.methods).unwrap_or_default();
    let mut section = section("Methods", Vec::new(), &Notes::default(), document, taken);
    section.lines = study
        .methods
        .iter()
        .map(|one| Line { label: one.about.clone(), text: one.text.clone() })
        .collect();
    section
}

fn accuracy(study: &Study, taken: &mut BTreeSet<String>) -> Result<Section, StudyError> {
    let mut notes = Notes::default();
    let table = tables::measures(
        "accuracy",
        "Relative L2 error and spike rate of each layer, in per cent, on the reference path",
        (study, &study.accuracy),
        tables::precise,
        &mut notes,
    );
    let document = serde_json::to_value(&study.accuracy).unwrap_or_default();
    let shown = tables::as_published(&table, &study.accuracy);
    let mut made = section("Errors and spike rates", vec![table], &notes, document, taken);
    made.tables = vec![ShownTable::of(&shown, MOST_ROWS)];
    made.figures = figures::rates(study, &made.id)?;
    Ok(made)
}

fn cost(material: &Material, taken: &mut BTreeSet<String>) -> Result<Section, StudyError> {
    let study = &material.study;
    let mut notes = Notes::default();
    let mut table = tables::measures(
        "cost",
        "Latency, energy and power of a request in untraced runs; energy ratio = latency ratio × power ratio",
        (study, &study.cost),
        tables::scaled,
        &mut notes,
    );
    let rail = study.rail.as_ref();
    let rail = rail.map_or_else(String::new, |rail| format!("; energy and power on {rail}"));
    table.note =
        Some(format!("low and high: 95 % interval over checkpoints; ratios of pairs{rail}"));
    let document = serde_json::to_value(&study.cost).unwrap_or_default();
    let shown = tables::as_published(&table, &study.cost);
    let mut made = section("Latency and energy", vec![table], &notes, document, taken);
    made.tables = vec![ShownTable::of(&shown, MOST_ROWS)];
    made.figures = figures::cost(&material.untraced, &made.id)?;
    Ok(made)
}

fn attribution(material: &Material, taken: &mut BTreeSet<String>) -> Result<Section, StudyError> {
    let study = &material.study;
    let mut notes = Notes::default();
    let title = format!("Where the time of the windows `{}` goes in traced runs", study.window);
    let rows = (study, study.attribution.as_slice());
    let mut table = tables::measures("attribution", &title, rows, tables::scaled, &mut notes);
    tables::add_verdicts(&mut table, study, &mut notes);
    let document = json!({ "attribution": study.attribution, "verdicts": study.verdicts });
    let shown = tables::as_published(&table, &study.attribution);
    let mut all = vec![table];
    if !study.cross_reference.is_empty() {
        all.push(tables::cross_reference(study));
    }
    let mut made = section("Where the time goes", all, &notes, document, taken);
    made.tables[0] = ShownTable::of(&shown, MOST_ROWS);
    made.figures = figures::attribution(&material.traced, &made.id)?;
    Ok(made)
}

fn answers(material: &Material, taken: &mut BTreeSet<String>) -> Result<Section, StudyError> {
    let mut notes = Notes::default();
    let table = tables::answers(&material.study, &mut notes);
    let document = json!({
        "answers": material.study.answers,
        "sensitivities": material.sensitivities,
        "replays": material.replays,
    });
    let mut made = section("What would change it", vec![table], &notes, document, taken);
    let figures: Vec<Figure> = figures::changes(&material.study, &made.id)?;
    made.figures = figures;
    Ok(made)
}

/// Every checkpoint and run; every request as a file alone.
fn each(material: &Material, taken: &mut BTreeSet<String>) -> Section {
    let study = &material.study;
    let exact = vec![
        tables::by_checkpoint(
            "accuracy-by-checkpoint",
            "Errors and spike rates by checkpoint, in per cent",
            (study, &study.accuracy),
            tables::precise,
        ),
        tables::by_checkpoint(
            "cost-by-checkpoint",
            "Latency, energy and power by checkpoint",
            (study, &study.cost),
            tables::scaled,
        ),
        tables::by_checkpoint(
            "attribution-by-checkpoint",
            "Shares by checkpoint",
            (study, &study.attribution),
            tables::scaled,
        ),
        tables::runs(study),
    ];
    let exact: Vec<Table> = exact.into_iter().filter(|table| !table.rows.is_empty()).collect();
    let document = serde_json::to_value(&study.runs).unwrap_or_default();
    let mut made = section("Checkpoints and runs", exact, &Notes::default(), document, taken);
    let requests = tables::requests(&material.requests);
    made.lines.push(Line {
        label: "requests".to_owned(),
        text: format!(
            "all {} requests, each with its run, latency and spike rates: csv/{}-{}.csv",
            requests.rows.len(),
            made.id,
            requests.name
        ),
    });
    made.exact.push(requests);
    made
}
