//! `nsys-attrib export TRACE --window SPEC --to perfetto|chrome -o FILE`: windows for other viewers.

use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};

use super::args::WINDOW_HELP;
use super::input::{Resolver, TraceOptions};
use super::{input, instance, output};
use crate::attribution::{Analyzer, Lanes, Options};
use crate::report;

#[derive(Args, Debug)]
#[command(
    about = "Write windows for the Perfetto UI or chrome://tracing",
    after_long_help = WINDOW_HELP,
    long_about = "Write windows for the Perfetto UI or chrome://tracing.\n\n\
        Each window comes with its NVTX ranges, its CUDA calls, the operations of every stream with their kernel \
        class, arrows from launch to kernel, and a track that says for every instant whether the GPU was busy or \
        why it was not, by the causes of the analysis; what that counts as head and tail stands under its causes \
        (head_by, tail_by), so that the kinds here are longer by those parts.\n\n\
        Examples:\n  nsys-attrib export trace.sqlite --window latency --to perfetto -o latency.perfetto-trace\n  \
        nsys-attrib export trace.sqlite -w latency --instance 3 --to chrome -o third.json"
)]
pub(super) struct ExportArgs {
    /// The trace
    #[arg(value_name = "TRACE")]
    trace: PathBuf,
    /// For which viewer
    #[arg(long, value_name = "VIEWER")]
    to: Viewer,
    /// The file to write
    #[arg(long, short, value_name = "FILE")]
    out: PathBuf,
    /// Only the window of this number [default: all that the specification selects]
    #[arg(long, value_name = "N")]
    instance: Option<usize>,
    #[command(flatten)]
    pub(super) how: TraceOptions,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Viewer {
    /// ui.perfetto.dev: protobuf.
    Perfetto,
    /// chrome://tracing: JSON.
    Chrome,
}

pub(super) fn run(args: &ExportArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    if input::document::schema_of(&args.trace).is_some() {
        bail!("{}: an export shows single events; give the trace", args.trace.display());
    }
    let resolver = Resolver::new(&args.how, jobs)?;
    let mut windows: Vec<Lanes> = Vec::new();
    resolver.each(&args.trace, &mut |trace, set, analysis| {
        let analyzer = Analyzer::new(trace, &resolver.rules.classifier);
        let about = analysis.trace.as_ref();
        let how = Options {
            path: about.map(|trace| trace.path.clone()).unwrap_or_default(),
            sha256: about.and_then(|trace| trace.sha256.clone()),
            ..Options::default()
        };
        let set = match args.instance {
            Some(_) => set.only(&[instance::place(set, args.instance)?]),
            None => set.clone(),
        };
        windows.extend(analyzer.lanes(&set, &how));
        Ok(())
    })?;
    output::write_file(&args.out, |out| match args.to {
        Viewer::Perfetto => report::write_perfetto(out, &windows),
        Viewer::Chrome => report::write_chrome(out, &windows),
    })?;
    Ok(ExitCode::SUCCESS)
}
