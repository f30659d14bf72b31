//! From an INPUT to analyses: a trace in any form is analysed, a document is read, a run folder's
//! trace is analysed with what its manifest and sidecar say.
//!
//! ```text
//! trace, run folder ─ options ─> Analysis (one for each window specification; energy where it is wanted)
//! run folder without a trace ──> Analysis (its requests; energy)
//! analysis/1, analyses/1 ──────> Analysis (those of the windows typed)
//! energy/1 ────────────────────> EnergyDocument, where the command can use one
//! ```

use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result, bail};

use super::dataset;
use super::document::{self, Document};
use super::options::TraceOptions;
use super::rules::ClassRules;
use crate::attribution::provenance::Asked;
use crate::attribution::{Analysis, Analyzer, Options};
use crate::cli::args::{EnergyOptions, Unclosed, WindowArgs};
use crate::cli::energy;
use crate::trace::Trace;
use crate::units::plain;
use crate::windows::WindowSet;

/// Analyses a trace with the shipped rules, for commands that choose nothing but windows; `visit` gets
/// each set of windows and its analysis.
pub(in crate::cli) fn each_set(
    path: &Path,
    windows: &WindowArgs,
    jobs: Option<NonZeroUsize>,
    visit: &mut dyn FnMut(&Trace, &WindowSet, Analysis) -> Result<()>,
) -> Result<()> {
    let options = TraceOptions { windows: windows.clone(), ..TraceOptions::default() };
    Resolver::new(&options, jobs)?.each(path, visit)
}

/// Makes analyses of inputs, with one set of options.
pub(in crate::cli) struct Resolver<'a> {
    /// What was typed.
    pub(in crate::cli) options: &'a TraceOptions,
    /// The class rules that they name.
    pub(in crate::cli) rules: ClassRules,
    /// Threads.
    pub(in crate::cli) jobs: Option<NonZeroUsize>,
    /// Whether nothing is said of windows that nobody named: for many inputs at once.
    pub(in crate::cli) quiet: bool,
    /// How power logs become energy, where energies are wanted.
    pub(super) energy: Option<&'a EnergyOptions>,
}

impl<'a> Resolver<'a> {
    /// Reads the class rules that the options name.
    pub(in crate::cli) fn new(
        options: &'a TraceOptions,
        jobs: Option<NonZeroUsize>,
    ) -> Result<Self> {
        let rules = ClassRules::read(options.classes.as_deref())?;
        Ok(Self { options, rules, jobs, quiet: false, energy: None })
    }

    /// Attaches energies: of the logs that are named, else of those in run folders.
    pub(in crate::cli) const fn with_energy(mut self, energy: &'a EnergyOptions) -> Self {
        self.energy = Some(energy);
        self
    }

    /// The analysis of a run folder without a trace, whose requests are the windows.
    pub(in crate::cli) fn without_trace(&self, path: &Path) -> Result<Option<Analysis>> {
        super::run::without_trace(path)?.map(|run| self.untraced(&run)).transpose()
    }

    /// What an INPUT holds: analyses or energies.
    pub(in crate::cli) fn resolve(&self, path: &Path) -> Result<Document> {
        if let Some(place) = dataset::place(path) {
            let analyses = dataset::analyses(&place)?;
            return Ok(Document::Analyses(self.chosen(analyses, path)?));
        }
        let Some(schema) = document::schema_of(path) else {
            if let Some(analysis) = self.without_trace(path)? {
                return Ok(Document::Analyses(vec![analysis]));
            }
            let mut analyses = Vec::new();
            self.each(path, &mut |trace, set, mut analysis| {
                if let Some(typed) = self.energy {
                    let windows = &self.options.windows;
                    energy::attach(path, trace, set, &mut analysis, typed, windows)?;
                }
                analyses.push(analysis);
                Ok(())
            })?;
            return Ok(Document::Analyses(analyses));
        };
        Ok(match document::read(path, &schema)? {
            Document::Analyses(analyses) => Document::Analyses(self.chosen(analyses, path)?),
            other => other,
        })
    }

    /// The analyses that an INPUT holds, for commands that can use nothing else.
    pub(in crate::cli) fn analyses(&self, path: &Path) -> Result<Vec<Analysis>> {
        match self.resolve(path)? {
            Document::Analyses(analyses) => Ok(analyses),
            Document::Energy(_) => bail!(
                "{}: an energy document has no attribution of time; give the trace, or the document of \
                 `nsys-attrib analyze --power LOG --format json`, which holds both",
                path.display()
            ),
        }
    }

    /// Analyses a trace; `visit` gets each set of windows and its analysis while the trace is at hand.
    pub(in crate::cli) fn each(
        &self,
        path: &Path,
        visit: &mut dyn FnMut(&Trace, &WindowSet, Analysis) -> Result<()>,
    ) -> Result<()> {
        self.each_hashed(path, None, visit)
    }

    /// The same for a file whose SHA-256 may be known already.
    pub(in crate::cli) fn each_hashed(
        &self,
        path: &Path,
        sha256: Option<&str>,
        visit: &mut dyn FnMut(&Trace, &WindowSet, Analysis) -> Result<()>,
    ) -> Result<()> {
        let run = super::run::folder(path)?;
        let input = super::read_hashed(path, self.jobs, sha256)?;
        let windows = super::run::windows(run.as_ref(), &self.options.windows);
        let (specs, note) = super::specifications(&windows, &input.trace);
        if let Some(note) = note.filter(|_| !self.quiet) {
            eprintln!("nsys-attrib: {}: {note}", path.display());
        }
        let analyzer = Analyzer::new(&input.trace, &self.rules.classifier);
        let how = Options {
            rule: self.options.attribute.map(Into::into),
            own_thread: self.options.own_thread,
            path: input.path.clone(),
            sha256: None,
            asked: Some(self.asked()),
            run: run.as_ref().and_then(crate::study::about::about),
            findings: input
                .findings
                .iter()
                .chain(run.iter().flat_map(|run| &run.findings))
                .cloned()
                .collect(),
        };
        for spec in specs {
            let set = super::windows(&input.trace, &spec, &self.options.windows)
                .with_context(|| path.display().to_string())?;
            let mut analysis = analyzer.analyze(&set, &how);
            if let Some(trace) = &mut analysis.trace {
                trace.sha256 = input.sha256();
            }
            visit(&input.trace, &set, analysis)?;
        }
        // Giving so much memory back takes as long as writing a document does.
        rayon::spawn(move || drop(input));
        Ok(())
    }

    pub(super) fn asked(&self) -> Asked {
        let windows = &self.options.windows;
        Asked {
            skip: windows.skip,
            take: windows.take,
            process: windows.process.clone(),
            thread: windows.thread.clone(),
            attribute_process: windows.attribute_process.clone(),
            clip_unclosed: windows.unclosed == Some(Unclosed::Clip),
            own_thread: self.options.own_thread,
            classes: self.rules.about.clone(),
        }
    }

    /// The analyses of a document that were asked for.
    fn chosen(&self, analyses: Vec<Analysis>, path: &Path) -> Result<Vec<Analysis>> {
        let present: Vec<String> =
            analyses.iter().map(|a| format!("`{}`", plain(&a.windows.spec, 60))).collect();
        let chosen: Vec<Analysis> =
            analyses.into_iter().filter(|analysis| self.options.wants(analysis)).collect();
        if chosen.is_empty() && present.is_empty() {
            bail!("{}: a document without any analysis", path.display());
        }
        if chosen.is_empty() {
            bail!(
                "{}: --window {}: this document was made for {}; give one of these, or the trace",
                path.display(),
                self.options.windows.window.join(", "),
                present.join(", ")
            );
        }
        for analysis in &chosen {
            self.options.agree(analysis, path, &self.rules.about.sha256)?;
        }
        Ok(chosen)
    }
}
