//! Energies of a run without a trace: the windows are the requests of its sidecar.

use anyhow::{Result, bail};

use super::options::IdleWords;
use super::{logs, measured, options, settled};
use crate::cli::args::{EnergyArgs, EnergyOptions, WindowArgs};
use crate::plots::power_trace;
use crate::power::curve::{PowerCurve, curve};
use crate::power::document::{EnergyDocument, EnergySet};
use crate::power::idle::IdleFrom;
use crate::power::measure::on_clock;
use crate::power::work::{self, Work};
use crate::runs::{RunFolder, SIDECAR};
use crate::units::{Nanos, SessionClock, Span, UnixTime};

/// What the requests are called when no window is named.
const REQUESTS: &str = "requests";

/// The energies of the requests, as a document.
pub(super) fn document(run: &RunFolder, args: &EnergyArgs) -> Result<EnergyDocument> {
    let set = set(run, &args.energy, &args.windows)?;
    let path = run.path.display().to_string();
    Ok(EnergyDocument { run: Some(path), sets: vec![set], ..EnergyDocument::empty() })
}

/// What the requests are called, and when they ran, in unix ns.
pub(in crate::cli) fn chosen(
    run: &RunFolder,
    typed: &WindowArgs,
) -> Result<(String, Vec<(i64, i64)>)> {
    let spec = spec(run, typed)?;
    let mut windows = work::requests_of(run);
    if windows.is_empty() {
        bail!(
            "{}: neither a trace nor requests in {SIDECAR}: nothing says when the work was done. Let the program \
             write its requests where NSYS_ATTRIB_SIDECAR says, or trace the run",
            run.path.display()
        );
    }
    windows.drain(..typed.skip.min(windows.len()));
    windows.truncate(typed.take.unwrap_or(usize::MAX));
    if windows.is_empty() {
        bail!("{}: --skip leaves none of its requests", run.path.display());
    }
    Ok((spec, windows))
}

/// The energies of the requests.
pub(in crate::cli) fn set(
    run: &RunFolder,
    typed: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<EnergySet> {
    let (spec, windows) = chosen(run, windows)?;
    let (count, total) = (windows.len(), windows.iter().map(|(a, b)| b - a).sum::<i64>());
    let work = Work::of_run(run, windows);
    let how = options::how(typed, idle(run, typed)?)?;
    let logs = logs::choose(typed, Some(run), None)?;
    let (energy, mut findings) = measured(logs, &work, &how, typed)?;
    findings.extend(run.findings.iter().cloned());
    Ok(EnergySet {
        spec,
        count,
        mean_ns: Nanos::from_ns(total).mean_of(count as u64),
        contained_share: None,
        energy,
        findings: settled(findings),
    })
}

/// Readings and requests of a run on one time, which counts from its first request.
pub(in crate::cli) struct Beside {
    /// What the requests are called.
    spec: String,
    /// One for each log.
    pub(in crate::cli) curves: Vec<PowerCurve>,
    windows: Vec<Span>,
}

impl Beside {
    /// One of the curves as a figure shows it.
    pub(in crate::cli) fn shown<'a>(
        &'a self,
        curve: &'a PowerCurve,
        span: Option<Span>,
    ) -> power_trace::Shown<'a> {
        power_trace::Shown {
            trace: None,
            axis: "time since the first request",
            curve,
            spec: &self.spec,
            windows: &self.windows,
            busy: None,
            span,
        }
    }
}

/// The readings of each log beside the requests, for figures.
///
/// # Errors
/// Without requests or a log, and when a log cannot be placed beside them.
pub(in crate::cli) fn curves(
    run: &RunFolder,
    typed: &EnergyOptions,
    windows: &WindowArgs,
) -> Result<Beside> {
    let (spec, windows) = chosen(run, windows)?;
    // The first of all requests, whichever are left out: so that times do not move with --skip.
    let first = work::requests_of(run).first().map_or(0, |request| request.0);
    let clock = SessionClock::starting_at(UnixTime::from_unix_ns(first));
    let spans = windows.iter().map(|(start, end)| Span::from_ns(start - first, end - first));
    let spans = spans.collect();
    let work = Work::of_run(run, windows);
    let how = options::how(typed, idle(run, typed)?)?;
    let of = |log: logs::Log| {
        let placed = on_clock(&log.path, log.log, &work, &how)?;
        Ok(curve(&placed, clock, &work, how.idle.as_ref()))
    };
    let curves: Result<_> = logs::choose(typed, Some(run), None)?.into_iter().map(of).collect();
    Ok(Beside { spec, curves: curves?, windows: spans })
}

/// The requests are the only windows there are, under whatever of their names was typed.
fn spec(run: &RunFolder, typed: &WindowArgs) -> Result<String> {
    let known = [Some(REQUESTS), Some("latency"), run.window_default()];
    match typed.window.as_slice() {
        [] => Ok(REQUESTS.to_owned()),
        [one] if known.contains(&Some(one.as_str())) => Ok(one.clone()),
        typed => Err(logs::needs_trace(&format!("--window {}", typed.join(" --window ")), run)),
    }
}

fn idle(run: &RunFolder, typed: &EnergyOptions) -> Result<Option<IdleFrom>> {
    match options::idle(typed) {
        IdleWords::None => Ok(None),
        IdleWords::Within(length) => Ok(Some(IdleFrom::Within(length))),
        IdleWords::Spec(text) => Err(logs::needs_trace(&format!("--idle {text}"), run)),
    }
}
