//! `nsys-attrib compare`: two groups in, what differs out, and limits held against it.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Result, bail};

use super::args::{EnergyOptions, Format};
use super::compare_args::CompareArgs;
use super::input::Resolver;
use super::{CHECK_FAILED, input, output};
use crate::attribution::Analysis;
use crate::compare::check::Rule;
use crate::compare::document::{By, Outcome};
use crate::compare::{Comparison, compare, definitions};
use crate::report::{self, Style, comparison as shown};
use crate::units::plain;

pub(super) fn run(args: &CompareArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let rules: Vec<Rule> =
        args.fail_on.iter().map(|text| Rule::parse(text)).collect::<Result<_, _>>()?;
    let (name_a, name_b) = match args.names.as_slice() {
        [] => ("A", "B"),
        [a, b] if a.trim() != b.trim() && ![a, b].iter().any(|name| name.trim().is_empty()) => {
            (a.trim(), b.trim())
        }
        _ => bail!("--names needs two different names with a comma between: before,after"),
    };
    let energy = EnergyOptions::default();
    let resolver = Resolver::new(&args.how, jobs)?.with_energy(&energy);
    let a = side(&resolver, &args.a, "before --vs")?;
    let b = side(&resolver, &args.vs, "after --vs")?;
    same_defaults(args, &a, &b)?;
    let mut comparison = compare((name_a, a), (name_b, b), args.pair_by.map(Into::into))?;
    let mut doubts = comparison.findings.iter();
    if let Some(same) =
        doubts.find(|doubt| doubt.code == "same-windows-on-both-sides" && !rules.is_empty())
    {
        bail!("no limit can be held against this: {}; {}", same.message, same.remedy);
    }
    comparison.checks =
        rules.iter().map(|rule| rule.check(&comparison, args.sure)).collect::<Result<_, _>>()?;
    if let Some(path) = &args.junit {
        output::write_file(path, |out| report::write_junit(out, &comparison))?;
    }
    if args.github {
        report::write_annotations(&mut io::stderr().lock(), &comparison)?;
    }
    print(&comparison, args)?;
    Ok(if comparison.failed() { ExitCode::from(CHECK_FAILED) } else { ExitCode::SUCCESS })
}

/// The analyses of one side, all of one window specification.
fn side(resolver: &Resolver<'_>, paths: &[PathBuf], place: &str) -> Result<Vec<Analysis>> {
    let mut analyses = Vec::new();
    for path in paths {
        analyses.extend(resolver.analyses(path)?);
    }
    let specs: BTreeSet<&str> = analyses.iter().map(|a| a.windows.spec.as_str()).collect();
    if specs.len() > 1 {
        let list: Vec<String> = specs.iter().map(|spec| format!("`{}`", plain(spec, 60))).collect();
        bail!(
            "the inputs {place} hold the windows {}: choose one with --window",
            list.join(" and ")
        );
    }
    Ok(analyses)
}

/// Windows that nobody named may be those named `latency` on one side and the whole trace on the other:
/// that is no comparison that anybody asked for.
fn same_defaults(args: &CompareArgs, a: &[Analysis], b: &[Analysis]) -> Result<()> {
    let documents = args.a.iter().chain(&args.vs).all(|path| input::is_document(path));
    let (Some(a), Some(b)) = (a.first(), b.first()) else { return Ok(()) };
    let (of_a, of_b) = (&a.windows.spec, &b.windows.spec);
    let one_is_whole = of_a != of_b && (of_a == "all" || of_b == "all");
    if documents || !args.how.windows.window.is_empty() || !one_is_whole {
        return Ok(());
    }
    bail!(
        "no --window was given, and the windows of the sides would be different ones: `{}` before --vs, `{}` after; \
         choose with --window, or give documents of `nsys-attrib analyze`, made with the windows that are meant",
        plain(of_a, 60),
        plain(of_b, 60)
    )
}

fn divisions(args: &CompareArgs) -> Vec<By> {
    if args.by.is_empty() {
        return vec![By::Class];
    }
    let mut chosen: Vec<By> = Vec::new();
    for by in args.by.iter().map(|by| By::from(*by)) {
        if !chosen.contains(&by) {
            chosen.push(by);
        }
    }
    chosen
}

fn print(comparison: &Comparison, args: &CompareArgs) -> Result<()> {
    let format = args.format.unwrap_or(Format::Table);
    if matches!(format, Format::Json | Format::Csv) {
        output::warn(&comparison.findings)?;
        for check in comparison.checks.iter().filter(|check| check.outcome != Outcome::Passed) {
            eprintln!("nsys-attrib: --fail-on {}: {}", plain(&check.rule, 80), check.message);
        }
    }
    let by = divisions(args);
    let mut out = io::BufWriter::new(io::stdout().lock());
    match format {
        Format::Json => {
            drop(out);
            return output::print_json(comparison);
        }
        Format::Csv => {
            let tables = shown::tables(comparison, &By::ALL);
            let (a, b) = (shown::side_name(&comparison.a), shown::side_name(&comparison.b));
            let heading = format!("{a} vs {b}");
            report::write_tidy(&mut out, true, &heading, &comparison.b.window, &tables)?;
        }
        Format::Md => {
            let tables = shown::cut_tables(comparison, &by, args.top);
            let lines = shown::summary(comparison);
            let heading = shown::heading(comparison);
            report::write_markdown(&mut out, &heading, &lines, &tables, &comparison.findings)?;
        }
        Format::Table => {
            let style = output::style();
            report::write_lines(&mut out, &shown::summary(comparison), style)?;
            for table in shown::short_tables(comparison, &by, args.top) {
                report::write_table(&mut out, &table, style)?;
            }
            if !comparison.findings.is_empty() {
                report::write_heading(&mut out, "Findings", style)?;
                report::write_findings(&mut out, &comparison.findings, style)?;
            }
            if args.explain {
                explain(&mut out, style)?;
            }
        }
    }
    Ok(out.flush()?)
}

fn explain(out: &mut dyn Write, style: Style) -> io::Result<()> {
    report::write_heading(out, "What each number means", style)?;
    for (key, text) in definitions::DEFINITIONS {
        writeln!(out, "\n{key}")?;
        report::write_lines(out, &[("", (*text).to_owned())], style)?;
    }
    Ok(())
}
