//! `nsys-attrib info`: what a trace holds, and what to type next.

use std::io::{self, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Result;

use super::args::{InfoArgs, PageFormat};
use super::progress::Progress;
use super::{COULD_NOT_RUN, input, output};
use crate::report::info::{self, Info, Infos, Read, SCHEMA_MANY};
use crate::trace::{Inventory, Outline, Trace, source};

pub(super) fn run(args: &InfoArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let mut infos = Vec::new();
    let mut code = ExitCode::SUCCESS;
    for path in &args.traces {
        match read(path, args.exact, jobs) {
            Ok(info) => infos.push(info),
            // One bad file among many must not hide the others.
            Err(error) => {
                eprintln!("nsys-attrib: {error:#}");
                code = ExitCode::from(COULD_NOT_RUN);
            }
        }
    }
    match args.format {
        PageFormat::Json => print_json(infos)?,
        PageFormat::Table => print(&infos, args.top)?,
    }
    Ok(code)
}

fn read(path: &Path, exact: bool, jobs: Option<NonZeroUsize>) -> Result<Info> {
    let _progress = Progress::start(format!("reading {}", path.display()));
    let open = source::open(path)?;
    let inventory = Inventory::read(open.path(), open.connection(), exact)?;
    let outline = match exact.then(|| input::read_open(&open, jobs)) {
        Some(Ok(trace)) => Outline { trace, identities_complete: true, unreadable: Vec::new() },
        // What cannot be read whole is still worth an outline, with the reason.
        Some(Err(error)) => {
            let mut outline = Trace::outline(open.path(), open.connection())?;
            outline.unreadable = vec![error];
            outline
        }
        None => Trace::outline(open.path(), open.connection())?,
    };
    let name = path.display().to_string();
    Ok(info::info(&Read {
        path: &name,
        sha256: if exact { input::sha256(path) } else { None },
        trace: &outline.trace,
        inventory: &inventory,
        exact,
        identities_complete: outline.identities_complete,
        unreadable: &outline.unreadable,
        findings: open.notes(),
    }))
}

fn print(infos: &[Info], top: usize) -> Result<()> {
    let style = output::style();
    let mut out = io::BufWriter::new(io::stdout().lock());
    for (i, info) in infos.iter().enumerate() {
        if i > 0 {
            writeln!(out, "\n{}\n", "─".repeat(usize::from(style.width)))?;
        }
        info::write(&mut out, info, top, style)?;
    }
    Ok(out.flush()?)
}

fn print_json(mut infos: Vec<Info>) -> Result<()> {
    if infos.len() == 1 {
        return output::print_json(&infos.remove(0));
    }
    output::print_json(&Infos { schema: SCHEMA_MANY.to_owned(), infos })
}
