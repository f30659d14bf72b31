//! A traced run of the request path: its windows attributed, and replayed with something cheaper.

use super::about;
use super::cells::FoundRun;
use super::error::StudyError;
use super::requests::tool;
use crate::attribution::provenance::{Asked, ClassFile};
use crate::attribution::{Analysis, Analyzer, Options};
use crate::classify::Classifier;
use crate::finding::{Finding, Severity};
use crate::replay::document::Replay;
use crate::replay::{LayerRates, Model, Question, whatif};
use crate::trace::{ReadOptions, Trace, source};
use crate::windows::{Selection, Surroundings, WindowSet, WindowSpec, select};

/// The rules that give kernels their classes, with their identity.
#[derive(Debug)]
pub(super) struct Rules {
    /// The rules.
    pub(super) classifier: Classifier,
    /// Their file.
    pub(super) about: ClassFile,
}

/// What a traced run gives.
pub(super) struct Traced {
    pub(super) analysis: Analysis,
    /// None when it was not asked for, or there is nothing to replay.
    pub(super) replay: Option<Replay>,
}

/// Reads and analyses a run's trace; `None` when the folder holds none.
///
/// # Errors
/// When the trace cannot be read, or holds no such window.
pub(super) fn read(
    found: &FoundRun,
    spec: &str,
    rules: &Rules,
    replayed: bool,
) -> Result<Option<Traced>, StudyError> {
    let Some(path) = &found.run.trace else { return Ok(None) };
    let fault = |problem: String| StudyError::Trace { run: found.name.clone(), problem };
    let open = source::open(path).map_err(|error| fault(error.to_string()))?;
    let how = ReadOptions::default();
    let trace = Trace::read_with(open.path(), open.connection(), open.database(), &how)
        .map_err(|error| fault(error.to_string()))?;
    let set = windows(&trace, spec).map_err(&fault)?;
    let file = path.file_name().map(|file| file.to_string_lossy().into_owned()).unwrap_or_default();
    let files = found.run.manifest.iter().flat_map(|manifest| &manifest.files);
    let sha256 = files.filter(|about| about.name == file).map(|about| about.sha256.clone()).next();
    let options = Options {
        path: format!("{}/{file}", found.name),
        sha256,
        asked: Some(Asked { classes: rules.about.clone(), ..Asked::default() }),
        run: about::about(&found.run),
        findings: open.notes().iter().chain(&found.run.findings).cloned().collect(),
        ..Options::default()
    };
    let analyzer = Analyzer::new(&trace, &rules.classifier);
    let mut analysis = analyzer.analyze(&set, &options);
    let replay = if replayed && !trace.calls.is_empty() {
        replay(found, &trace, &set, rules, &analyzer, &options, &mut analysis)
    } else {
        None
    };
    Ok(Some(Traced { analysis, replay }))
}

fn windows(trace: &Trace, text: &str) -> Result<WindowSet, String> {
    let read = |path: &str| std::fs::read_to_string(path);
    let around = Surroundings { messages: trace.ranges.texts(), read_file: &read };
    let spec = WindowSpec::parse(text, &around).map_err(|error| error.to_string())?;
    select(trace, text, &spec, &Selection::default()).map_err(|error| error.to_string())
}

fn replay(
    found: &FoundRun,
    trace: &Trace,
    set: &WindowSet,
    rules: &Rules,
    analyzer: &Analyzer<'_>,
    options: &Options,
    analysis: &mut Analysis,
) -> Option<Replay> {
    let rates = match &found.run.sidecar {
        Some(sidecar) => LayerRates::find(trace, sidecar, set.windows.len()),
        None => Err("the run has no sidecar with spike rates".to_owned()),
    };
    let question = Question {
        changes: Vec::new(),
        table: true,
        rates: rates.as_ref().map_err(Clone::clone),
        has_sidecar: found.run.sidecar.is_some(),
        tool: tool(),
        trace: Some(analyzer.about(options)),
        jobs: None,
    };
    match whatif(&Model::new(trace, &rules.classifier), set, &question) {
        Ok(replay) => Some(replay),
        Err(why) => {
            analysis.findings.push(Finding::new(
                "what-if-left-out",
                Severity::Info,
                format!("{}: {why}", found.name),
                "`nsys-attrib whatif` with the run folder says more",
            ));
            None
        }
    }
}
