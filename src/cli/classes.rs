//! `nsys-attrib classes`: each kernel name, its class, and the rule that gave it.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

use super::args::{ClassesArgs, Format};
use super::input::Input;
use super::{input, output};
use crate::attribution::{Analyzer, Options};
use crate::classify::Classifier;
use crate::report::classes::{self, BrokenRule, ClassesDocument, Inputs};
use crate::report::{self, Style, Table};
use crate::trace::Trace;
use crate::units::plain;

pub(super) fn run(args: &ClassesArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let rules = input::ClassRules::read(args.classes.as_deref())?.classifier;
    if args.rules {
        return list_rules(&rules, args);
    }
    // clap asks for a trace unless --rules was given.
    let Some(path) = &args.trace else { bail!("name a trace, or list the rules with --rules") };
    let input = input::read(path, jobs)?;
    let document = classified(&input, &rules, args)?;
    warn_of_broken(&document.broken_examples);
    print(&document, args)?;
    Ok(ExitCode::SUCCESS)
}

fn classified(input: &Input, rules: &Classifier, args: &ClassesArgs) -> Result<ClassesDocument> {
    check_kernels(input)?;
    let mut specs = args.windows.window.clone();
    if specs.len() > 1 {
        bail!("`classes` takes one --window; run it once for each");
    }
    let spec = specs.pop().unwrap_or_else(|| "all".to_owned());
    let set =
        input::windows(&input.trace, &spec, &args.windows).with_context(|| input.path.clone())?;
    let analyzer = Analyzer::new(&input.trace, rules);
    let how = Options { path: input.path.clone(), sha256: input.sha256(), ..Options::default() };
    let analysis = analyzer.analyze(&set, &how);
    let Some(kernels) = analysis.kernels else { bail!(no_kernels(input)) };
    let findings = input.findings.iter().chain(&set.findings).cloned().collect();
    Ok(classes::classes(Inputs {
        trace: &input.trace,
        rules,
        classes: analyzer.classes(),
        about: analysis.trace,
        window: spec,
        kernels,
        findings,
    }))
}

fn has_kernels(trace: &Trace) -> bool {
    trace.present.kernels && trace.operations.ids().any(|op| trace.operations.label(op).is_kernel())
}

fn check_kernels(input: &Input) -> Result<()> {
    if !has_kernels(&input.trace) {
        bail!(no_kernels(input));
    }
    Ok(())
}

fn no_kernels(input: &Input) -> String {
    let table = if input.trace.present.kernels { "an empty table" } else { "no table" };
    format!(
        "{}: the export has {table} of kernels (CUPTI_ACTIVITY_KIND_KERNEL), so there is nothing to \
         classify. Record with `nsys profile --trace=cuda` while the program launches kernels; \
         `nsys-attrib info` shows what this trace holds",
        input.path
    )
}

fn print(document: &ClassesDocument, args: &ClassesArgs) -> Result<()> {
    let format = args.format.unwrap_or(Format::Table);
    if matches!(format, Format::Json | Format::Csv) {
        output::warn(&document.findings)?;
    }
    let mut out = io::BufWriter::new(io::stdout().lock());
    let path = document.trace.as_ref().map_or("", |trace| trace.path.as_str());
    match format {
        Format::Json => return output::print_json(document),
        Format::Csv => {
            report::write_tidy(&mut out, true, path, &document.window, &classes::tables(document))?;
        }
        Format::Md => {
            let heading = format!("Kernel classes, window {}", document.window);
            let tables = shortened(classes::tables(document), args.top);
            let lines = classes::summary(document);
            report::write_markdown(&mut out, &heading, &lines, &tables, &document.findings)?;
        }
        Format::Table => table(&mut out, document, args.top, output::style())?,
    }
    Ok(out.flush()?)
}

fn shortened(tables: Vec<Table>, top: usize) -> Vec<Table> {
    tables.into_iter().map(|table| table.shortened(top)).collect()
}

fn table(
    out: &mut dyn Write,
    document: &ClassesDocument,
    top: usize,
    style: Style,
) -> io::Result<()> {
    report::write_lines(out, &classes::summary(document), style)?;
    classes::write_kernels(out, document, top, style)?;
    for table in classes::tables(document) {
        match table.name {
            "kernels" => {}
            "rules" if table.rows.is_empty() => {}
            "rules" => classes::write_rules(out, &table, top, style)?,
            _ => report::write_table(out, &table, style)?,
        }
    }
    if let Some(stub) = classes::stub(document) {
        report::write_heading(
            out,
            "Rules to begin with (rules.toml, then --classes rules.toml)",
            style,
        )?;
        writeln!(out, "\n{}", stub.trim_end())?;
    }
    if !document.findings.is_empty() {
        report::write_heading(out, "Findings", style)?;
        report::write_findings(out, &document.findings, style)?;
    }
    Ok(())
}

fn list_rules(rules: &Classifier, args: &ClassesArgs) -> Result<ExitCode> {
    let document = classes::rules(rules);
    warn_of_broken(&document.broken_examples);
    let mut out = io::BufWriter::new(io::stdout().lock());
    let table = classes::rules_table(&document);
    match args.format.unwrap_or(Format::Table) {
        Format::Json => {
            output::print_json(&document)?;
        }
        Format::Csv => report::write_csv(&mut out, &table)?,
        Format::Md => report::write_markdown(&mut out, "Kernel-class rules", &[], &[table], &[])?,
        Format::Table => classes::write_rules(&mut out, &table, usize::MAX, output::style())?,
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}

/// How many broken examples are named one by one.
const NAMED: usize = 8;

fn warn_of_broken(broken: &[BrokenRule]) {
    for one in broken.iter().take(NAMED) {
        let caught = one.caught_by.as_deref().unwrap_or("no rule");
        eprintln!(
            "nsys-attrib: warning: the example `{}` of {} is caught by {caught}; change the pattern, or \
             the order of the rules",
            plain(&one.name, 80),
            one.rule
        );
    }
    if broken.len() > NAMED {
        eprintln!("nsys-attrib: warning: {} more examples do not hold", broken.len() - NAMED);
    }
}
