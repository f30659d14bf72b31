//! Where results go: the terminal with its width and colours, pipes that close early, files that
//! appear whole or not at all.

use std::io::{self, IsTerminal, Write};
use std::num::NonZeroUsize;
use std::path::Path;
use std::thread;

use anyhow::{Context, Result};
use serde::Serialize;

use super::json;
use crate::attribution::Analysis;
use crate::finding::{Finding, Severity};
use crate::report::{Style, write_findings};

/// How to draw on standard output.
pub(super) fn style() -> Style {
    let terminal = io::stdout().is_terminal();
    let width = if terminal { terminal_width() } else { None };
    let columns = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
    Style {
        color: terminal && std::env::var_os("NO_COLOR").is_none(),
        width: columns.or(width).unwrap_or(Style::default().width).max(40),
    }
}

/// What the terminal says of itself; comfy-table knows how to ask.
fn terminal_width() -> Option<u16> {
    comfy_table::Table::new().width()
}

/// Findings that matter, on standard error: for outputs in which a person does not see them.
pub(super) fn warn(findings: &[Finding]) -> Result<()> {
    let matter: Vec<Finding> =
        findings.iter().filter(|finding| finding.severity > Severity::Info).cloned().collect();
    let style = Style { color: io::stderr().is_terminal(), ..Style::default() };
    Ok(write_findings(&mut io::stderr().lock(), &matter, style)?)
}

/// Writes a document to standard output.
pub(super) fn print_json(document: &impl Serialize) -> Result<()> {
    let mut out = standard_output();
    json::write(&mut out, document)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

/// The same for an analysis, with so many threads.
pub(super) fn print_analysis(analysis: Analysis, jobs: Option<NonZeroUsize>) -> Result<()> {
    let jobs = jobs.or_else(|| thread::available_parallelism().ok()).unwrap_or(NonZeroUsize::MIN);
    let mut out = standard_output();
    json::write_analysis(&mut out, analysis, jobs)?;
    writeln!(out)?;
    Ok(out.flush()?)
}

fn standard_output() -> impl Write {
    io::BufWriter::with_capacity(1 << 16, io::stdout().lock())
}

/// Writes a file through a temporary one beside it, so that it is there whole or not at all.
pub(super) fn write_file(
    path: &Path,
    fill: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<()> {
    let folder =
        path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let attempt = || -> io::Result<()> {
        super::interrupt::watch(folder);
        let mut file =
            tempfile::Builder::new().prefix(super::interrupt::PREFIX).tempfile_in(folder)?;
        {
            let mut buffer = io::BufWriter::new(file.as_file_mut());
            fill(&mut buffer)?;
            buffer.flush()?;
        }
        readable(file.path())?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    attempt()
        .map_err(without_temporary)
        .with_context(|| format!("{} cannot be written", path.display()))
}

/// The cause alone, without the path of the temporary file, which nobody asked for.
pub(super) fn without_temporary(error: io::Error) -> io::Error {
    let text = error.to_string();
    match text.rsplit_once(" at path ") {
        Some((cause, path)) if path.contains(super::interrupt::PREFIX) => {
            io::Error::new(error.kind(), cause)
        }
        _ => error,
    }
}

/// Temporary files are private; results are not.
fn readable(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644))
}

/// Whether the failure is that nobody reads standard output any more.
pub(super) fn is_closed_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
