//! `nsys-attrib scrub`: a copy of a trace that can be published, and the proof that it says the same.
//!
//! The proof is an analysis of both files over the whole trace, and their NVTX ranges one by one.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, Result};
use serde::Serialize;

use super::args::{PageFormat, ScrubArgs, WindowArgs};
use super::progress::Progress;
use super::{input, interrupt, output};
use crate::attribution::{Analysis, Analyzer, Options};
use crate::classify::Classifier;
use crate::report;
use crate::trace::scrub::{ScrubOptions, ScrubReport, scrub};
use crate::trace::{Trace, source};
use crate::units::{TraceTime, plain};

/// Ran, but a check failed.
const CHECK_FAILED: u8 = 1;
/// The id of the document.
const SCHEMA: &str = "nsys-attrib/scrub/1";

/// What `scrub` did.
#[derive(Debug, Serialize)]
struct ScrubDocument {
    schema: &'static str,
    input: String,
    output: String,
    #[serde(flatten)]
    report: ScrubReport,
    verified: Verified,
}

/// What was compared between the trace and its copy.
#[derive(Debug, Serialize)]
struct Verified {
    /// Whether nothing differs.
    equal: bool,
    /// The parts that are equal.
    compared: Vec<String>,
    /// The parts that are not.
    differing: Vec<String>,
}

pub(super) fn run(args: &ScrubArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let open = source::open(&args.trace)?;
    let options = ScrubOptions { redact_nvtx: args.redact_nvtx, force: args.force };
    let beside = args.out.parent().filter(|folder| !folder.as_os_str().is_empty());
    interrupt::watch(beside.unwrap_or(Path::new(".")));
    let _progress = Progress::start(format!("scrubbing {}", args.trace.display()));
    let report = scrub(&open, &args.out, &options)?;
    let before = input::read_open(&open, jobs)?;
    let copy = source::open(&args.out)?;
    let after = input::read_open(&copy, jobs)?;
    let document = ScrubDocument {
        schema: SCHEMA,
        input: args.trace.display().to_string(),
        output: args.out.display().to_string(),
        report,
        verified: verify(&before, &after, args.redact_nvtx)
            .with_context(|| args.out.display().to_string())?,
    };
    let equal = document.verified.equal;
    match args.format {
        PageFormat::Json => output::print_json(&document)?,
        PageFormat::Table => print(&document)?,
    }
    if equal {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "nsys-attrib: {} says something else than the trace it was made from ({}): do not publish it, and \
         tell us",
        args.out.display(),
        document.verified.differing.join(", ")
    );
    Ok(ExitCode::from(CHECK_FAILED))
}

fn verify(before: &Trace, after: &Trace, names_may_differ: bool) -> Result<Verified> {
    let mut verified = Verified { equal: true, compared: Vec::new(), differing: Vec::new() };
    let mut check = |what: String, equal: bool| {
        verified.equal &= equal;
        if equal { verified.compared.push(what) } else { verified.differing.push(what) }
    };
    if before.calls.is_empty() && before.operations.is_empty() {
        check("no CUDA event".to_owned(), after.calls.is_empty() && after.operations.is_empty());
    } else {
        let rules = Classifier::shipped()?;
        for ((what, value), (_, of_copy)) in
            parts(before, &rules)?.into_iter().zip(parts(after, &rules)?)
        {
            check(what, value == of_copy);
        }
    }
    check(
        format!("{} NVTX ranges", before.ranges.len()),
        ranges(before, names_may_differ) == ranges(after, names_may_differ),
    );
    check(format!("{} marks", before.ranges.marks().len()), marks(before) == marks(after));
    check(
        "exporter, schema, session and devices".to_owned(),
        before.about.session == after.about.session
            && before.about.duration == after.about.duration
            && before.about.devices == after.about.devices
            && before.about.schema_version == after.about.schema_version
            && before.about.exporter_version == after.about.exporter_version,
    );
    Ok(verified)
}

type RangeKey<'a> = (i64, Option<i64>, usize, &'a str, Option<&'a str>);

fn ranges(trace: &Trace, without_names: bool) -> Vec<RangeKey<'_>> {
    let ranges = &trace.ranges;
    let mut all: Vec<RangeKey<'_>> = ranges
        .ids()
        .map(|range| {
            let name = if without_names { "" } else { ranges.text(range) };
            let domain = if without_names { None } else { ranges.domain(range) };
            let end = ranges.end(range).map(TraceTime::as_ns);
            (ranges.start(range).as_ns(), end, ranges.thread(range).index(), name, domain)
        })
        .collect();
    all.sort_unstable();
    all
}

fn marks(trace: &Trace) -> Vec<i64> {
    trace.ranges.marks().iter().map(|mark| mark.at.as_ns()).collect()
}

/// The analysis of the whole trace, part by part, always in the same order.
fn parts(trace: &Trace, rules: &Classifier) -> Result<Vec<(String, serde_json::Value)>> {
    let set = input::windows(trace, "all", &WindowArgs::default())?;
    let analysis = Analyzer::new(trace, rules).analyze(&set, &Options::default());
    Ok(vec![
        (api_words(&analysis), serde_json::to_value(&analysis.api)?),
        (kernel_words(&analysis), serde_json::to_value(&analysis.kernels)?),
        ("copies".to_owned(), serde_json::to_value(&analysis.copies)?),
        ("graphs".to_owned(), serde_json::to_value(analysis.graphs)?),
        ("launch delays".to_owned(), serde_json::to_value(analysis.launch_delay)?),
        ("GPU busy".to_owned(), serde_json::to_value(&analysis.gpu)?),
        ("idle by cause".to_owned(), serde_json::to_value(analysis.idle)?),
        ("extent".to_owned(), serde_json::to_value(&analysis.windows)?),
    ])
}

fn api_words(analysis: &Analysis) -> String {
    analysis.api.as_ref().map_or_else(
        || "no API table".to_owned(),
        |api| format!("{} API calls ({})", api.calls, api.total_ns),
    )
}

fn kernel_words(analysis: &Analysis) -> String {
    analysis.kernels.as_ref().map_or_else(
        || "no kernel table".to_owned(),
        |kernels| format!("{} kernels ({})", kernels.count, kernels.total_ns),
    )
}

fn print(document: &ScrubDocument) -> Result<()> {
    let style = output::style();
    let mut out = io::BufWriter::new(io::stdout().lock());
    writeln!(out, "{} → {}", plain(&document.input, 200), plain(&document.output, 200))?;
    report::write_heading(&mut out, "Replaced or shortened values", style)?;
    let replaced: Vec<(String, String)> = document
        .report
        .replaced
        .iter()
        .map(|(place, count)| (count.to_string(), plain(place, 200)))
        .collect();
    if replaced.is_empty() {
        writeln!(out, "  none: nothing private was found")?;
    }
    report::write_notes(&mut out, &replaced, style)?;
    if !document.report.suspicious.is_empty() {
        report::write_heading(&mut out, "Kept, but look at these before you publish", style)?;
        for name in &document.report.suspicious {
            let rows = if name.rows > 1 { format!(", {} rows", name.rows) } else { String::new() };
            writeln!(out, "  {} in {}{rows}:", name.kind, plain(&name.place, 80))?;
            writeln!(out, "    {}", plain(&name.text, usize::from(style.width).saturating_sub(4)))?;
        }
        writeln!(
            out,
            "  Names of ranges are replaced with --redact-nvtx; names of functions are kept."
        )?;
    }
    report::write_heading(&mut out, "Verified", style)?;
    let verified = &document.verified;
    let mut notes = Vec::new();
    if !verified.compared.is_empty() {
        notes.push(("equal".to_owned(), verified.compared.join(", ")));
    }
    if !verified.differing.is_empty() {
        notes.push(("DIFFER".to_owned(), verified.differing.join(", ")));
    }
    report::write_notes(&mut out, &notes, style)?;
    Ok(out.flush()?)
}
