//! The words that say how a trace is analysed, for every command that takes INPUTs.
//!
//! They apply where a trace is read. A document was made with its own: what was typed must agree with
//! what it records, or the command stops and says which option does not ([`TraceOptions::agree`]).

use std::path::{Path, PathBuf};

use anyhow::{Result, bail};
use clap::Args;

use crate::attribution::provenance::Asked;
use crate::attribution::{Analysis, Rule};
use crate::cli::args::{RuleArg, Unclosed, WindowArgs};
use crate::units::plain;

/// How traces among the inputs are analysed.
#[derive(Args, Clone, Debug, Default)]
pub(in crate::cli) struct TraceOptions {
    #[command(flatten)]
    pub(in crate::cli) windows: WindowArgs,
    /// Which GPU operations belong to a window [default: launched; overlap for `all`, started for `kernels:`]
    #[arg(long, value_name = "RULE")]
    pub(in crate::cli) attribute: Option<RuleArg>,
    /// Count API calls of the window's own thread only
    #[arg(long)]
    pub(in crate::cli) own_thread: bool,
    /// Kernel-class rules to use instead of, or in front of, the shipped ones
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) classes: Option<PathBuf>,
    /// Whether the windows are those of the project file, which say nothing about documents.
    #[arg(skip)]
    pub(in crate::cli) windows_of_project: bool,
    /// The same for the class rules.
    #[arg(skip)]
    pub(in crate::cli) classes_of_project: bool,
}

impl TraceOptions {
    /// Whether an analysis in a document is among the windows that were typed.
    pub(super) fn wants(&self, analysis: &Analysis) -> bool {
        let typed = &self.windows.window;
        typed.is_empty() || self.windows_of_project || typed.contains(&analysis.windows.spec)
    }

    /// Refuses an analysis that was made with other options than those typed; `classes` is the hash of
    /// the rules that were asked for.
    ///
    /// # Errors
    /// One sentence with the option, what the document has, and what to do.
    pub(super) fn agree(&self, analysis: &Analysis, path: &Path, classes: &str) -> Result<()> {
        let nothing = Asked::default();
        let asked = analysis.asked.as_ref().unwrap_or(&nothing);
        let typed = &self.windows;
        let rule = analysis.kernels.as_ref().map(|kernels| kernels.rule);
        let differs = [
            (typed.skip != 0 && typed.skip != asked.skip, "--skip", asked.skip.to_string()),
            (typed.take.is_some() && typed.take != asked.take, "--take", shown(asked.take)),
            (other(&typed.process, &asked.process), "--process", text(&asked.process)),
            (other(&typed.thread, &asked.thread), "--thread", text(&asked.thread)),
            (
                other(&typed.attribute_process, &asked.attribute_process),
                "--attribute-process",
                text(&asked.attribute_process),
            ),
            (
                typed.unclosed == Some(Unclosed::Clip) && !asked.clip_unclosed,
                "--unclosed",
                "none".to_owned(),
            ),
            (self.own_thread && !asked.own_thread, "--own-thread", "none".to_owned()),
            (
                self.attribute.map(Rule::from).is_some_and(|wanted| Some(wanted) != rule),
                "--attribute",
                rule.map_or_else(|| "none".to_owned(), |rule| rule.to_string()),
            ),
            (
                self.classes.is_some()
                    && !self.classes_of_project
                    && asked.classes.sha256 != classes,
                "--classes",
                asked.classes.path.clone().unwrap_or_else(|| "the shipped rules".to_owned()),
            ),
        ];
        if let Some((_, option, has)) = differs.into_iter().find(|(differs, _, _)| *differs) {
            bail!(
                "{}: {option} applies where a trace is read, and this document was made with another one ({}): \
                 leave {option} out, or give the trace",
                path.display(),
                plain(&has, 80)
            );
        }
        Ok(())
    }
}

fn other(typed: &Option<String>, has: &Option<String>) -> bool {
    typed.is_some() && typed != has
}

fn text(value: &Option<String>) -> String {
    value.clone().unwrap_or_else(|| "none".to_owned())
}

fn shown(value: Option<usize>) -> String {
    value.map_or_else(|| "none".to_owned(), |value| value.to_string())
}
