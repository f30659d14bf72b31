//! One INPUT of `dataset add`: what it is, what identifies it, and what analysing it gives.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::panic::{self, AssertUnwindSafe};
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::attribution::{Analyzer, Options};
use crate::cli::args::{EnergyOptions, Unclosed};
use crate::cli::energy;
use crate::cli::input::document::{self, Document};
use crate::cli::input::{self, Resolver, TraceOptions};
use crate::dataset::{Content, Unit, identity};
use crate::power::document as energy_document;
use crate::runs::RunFolder;

/// An input that is there.
pub(super) struct Source<'a> {
    path: &'a Path,
    kind: &'static str,
    sha256: String,
}

/// What was asked, as it enters the identity of an input. Fields may be added only with a default that
/// is left out.
#[derive(Serialize)]
struct Asked<'a> {
    windows: &'a [String],
    skip: usize,
    take: Option<usize>,
    process: &'a Option<String>,
    thread: &'a Option<String>,
    attribute_process: &'a Option<String>,
    clip_unclosed: bool,
    rule: Option<String>,
    own_thread: bool,
    classes: &'a str,
}

/// The options as JSON: the same words give the same text.
pub(super) fn asked(options: &TraceOptions, classes: &str) -> Result<String> {
    let windows = &options.windows;
    Ok(serde_json::to_string(&Asked {
        windows: &windows.window,
        skip: windows.skip,
        take: windows.take,
        process: &windows.process,
        thread: &windows.thread,
        attribute_process: &windows.attribute_process,
        clip_unclosed: windows.unclosed == Some(Unclosed::Clip),
        rule: options.attribute.map(|rule| crate::attribution::Rule::from(rule).to_string()),
        own_thread: options.own_thread,
        classes,
    })?)
}

impl<'a> Source<'a> {
    /// Looks at an input and hashes it.
    ///
    /// # Errors
    /// When it is not there or cannot be read: then there is no content that could be recorded.
    pub(super) fn look(path: &'a Path) -> Result<Self> {
        if RunFolder::is_one(path) {
            return Ok(Self { path, kind: "run", sha256: hash_of_run(path)? });
        }
        if path.is_dir() {
            return Err(anyhow!(
                "{}: a folder without a run; name traces one by one",
                path.display()
            ));
        }
        std::fs::File::open(path).with_context(|| path.display().to_string())?;
        let sha256 =
            input::sha256(path).with_context(|| format!("{} cannot be read", path.display()))?;
        let kind = match document::schema_of(path) {
            Some(schema) if schema == energy_document::SCHEMA => "energy",
            Some(_) => "analysis",
            None => "trace",
        };
        Ok(Self { path, kind, sha256 })
    }

    /// Its identity under these options.
    pub(super) fn id(&self, options: &str) -> String {
        identity(&self.sha256, options)
    }

    /// Analyses it. What goes wrong is part of the result.
    pub(super) fn unit(
        &self,
        resolver: &Resolver<'_>,
        options: &str,
        tags: &BTreeMap<String, String>,
    ) -> Unit {
        // A trace on which the program itself fails must not take the others with it.
        let outcome = panic::catch_unwind(AssertUnwindSafe(|| self.contents(resolver)))
            .unwrap_or_else(|_| {
                Err(anyhow!("nsys-attrib itself failed on it; please report this"))
            });
        Unit {
            id: self.id(options),
            path: self.path.display().to_string(),
            kind: self.kind,
            sha256: self.sha256.clone(),
            options: options.to_owned(),
            tags: tags.clone(),
            outcome: outcome.map_err(|error| format!("{error:#}")),
        }
    }

    fn contents(&self, resolver: &Resolver<'_>) -> Result<Vec<Content>> {
        match self.kind {
            "trace" => traced(self.path, resolver, Some(&self.sha256), false),
            "run" => {
                let run = RunFolder::open(self.path)?;
                if run.trace.is_none() {
                    let analysis = resolver.untraced(&run)?;
                    return Ok(vec![Content::Analysis(Box::new(analysis), None)]);
                }
                // The hash is that of the folder, not of its trace.
                traced(self.path, resolver, None, !run.power.is_empty())
            }
            _ => match resolver.resolve(self.path)? {
                Document::Analyses(analyses) => Ok(analyses
                    .into_iter()
                    .map(|analysis| Content::Analysis(Box::new(analysis), None))
                    .collect()),
                Document::Energy(document) => {
                    let (tool, trace) = (document.tool, document.trace);
                    let content = |set| Content::Energy {
                        set: Box::new(set),
                        tool_version: tool.version.clone(),
                        trace: trace.clone(),
                    };
                    Ok(document.sets.into_iter().map(content).collect())
                }
            },
        }
    }
}

/// Names and hashes of the files of a run that say something.
fn hash_of_run(path: &Path) -> Result<String> {
    let run = RunFolder::open(path)?;
    let mut files: Vec<_> = run.trace.into_iter().collect();
    files.extend(run.power.into_iter().map(|log| log.path));
    files.extend([crate::runs::MANIFEST, crate::runs::SIDECAR].map(|name| path.join(name)));
    let mut hash = Sha256::new();
    for file in files.iter().filter(|file| file.is_file()) {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let sha256 =
            input::sha256(file).with_context(|| format!("{} cannot be read", file.display()))?;
        hash.update(format!("{name}\n{sha256}\n"));
    }
    Ok(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Analyses of a trace, with its run's energies, and what each window holds.
fn traced(
    path: &Path,
    resolver: &Resolver<'_>,
    sha256: Option<&str>,
    power: bool,
) -> Result<Vec<Content>> {
    let how = Options {
        rule: resolver.options.attribute.map(Into::into),
        own_thread: resolver.options.own_thread,
        ..Options::default()
    };
    let mut contents = Vec::new();
    resolver.each_hashed(path, sha256, &mut |trace, set, mut analysis| {
        if power {
            let (typed, windows) = (EnergyOptions::default(), &resolver.options.windows);
            match energy::energies(path, trace, set, &analysis, &typed, windows) {
                Ok((energy, findings)) => {
                    analysis.energy = Some(energy);
                    analysis.findings.extend(findings);
                }
                Err(error) => analysis.findings.push(input::run::left_out(&error)),
            }
            crate::finding::sort(&mut analysis.findings);
        }
        let items = Analyzer::new(trace, &resolver.rules.classifier).window_items(set, &how);
        contents.push(Content::Analysis(Box::new(analysis), Some(items)));
        Ok(())
    })?;
    Ok(contents)
}

/// So many threads for one input: several inputs are read at once.
pub(super) const THREADS_OF_ONE: NonZeroUsize = NonZeroUsize::MIN;
