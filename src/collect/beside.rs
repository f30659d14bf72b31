//! What happens around a program: samplers, idle time, sync pulses, clock marks.
//!
//! ```text
//!            idle-before   power-sync      program      power-sync   idle-after
//! samplers |─────────────|──2 s▁▔1 s▔▁2 s─|────────────|──…─────────|────────────|
//! ```
//! Either in the driver, around nsys or around the bare program; or, where marks shall be in the trace,
//! in a wrapper inside the traced process tree (`nsys-attrib sample --marks -- PROGRAM`), since nsys
//! records that tree only. A wrapper is a process of its own: nothing of it is counted as the program's.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::clock;
use super::cooldown::{duration, sleep};
use super::error::CollectError;
use super::host::Host;
use super::plan::PowerPlan;
use super::process::Stop;
use super::sampler::{Choice, Pace, Samplers, choose};
use crate::finding::{Finding, Severity};
use crate::runs::manifest::{Phase, PowerAbout};
use crate::units::{Nanos, UnixTime};

/// The range of a sync pulse, and the name of its phase.
const PULSE: &str = "power-sync";
const PULSE_IDLE: Duration = Duration::from_secs(2);
const PULSE_BURN: Duration = Duration::from_secs(1);
const MARK_EVERY: Duration = Duration::from_secs(60);

/// What was done around a program.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Account {
    /// What each sampler has done.
    pub power: Vec<PowerAbout>,
    /// Spans that were made.
    pub phases: Vec<Phase>,
    /// Doubts.
    pub findings: Vec<Finding>,
}

/// What shall be around a program.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// Sources, period, idle times.
    pub power: &'a PowerPlan,
    /// Where logs go.
    pub folder: &'a Path,
    /// The machine.
    pub host: &'a Host,
    /// NVML's library, where it is not in its usual place.
    pub nvml: Option<&'a Path>,
    /// Whether readings, clocks and pulses are NVTX marks and ranges too.
    pub marks: bool,
    /// Asked to stop?
    pub stop: &'a Stop,
}

impl Around<'_> {
    /// Runs `program` with everything around it; `tell` hears of idle times before they begin.
    ///
    /// # Errors
    /// [`CollectError`] when a sampler cannot be started, or what `program` returns.
    pub fn run<T>(
        &self,
        tell: &mut dyn FnMut(&str, Nanos),
        program: impl FnOnce(&mut dyn FnMut(&str, Nanos)) -> Result<T, CollectError>,
    ) -> Result<(T, Account), CollectError> {
        let mut account = Account::default();
        let Choice { samplers, absent } = choose(&self.power.sources, self.host, self.nvml)?;
        account.findings.extend(nothing_found(&self.power.sources, samplers.is_empty(), &absent));
        let on = !samplers.is_empty();
        let pace = Pace::of(self.power.period.0);
        let samplers = Samplers::start(samplers, pace, self.folder, self.marks)?;
        let marker = self.marks.then(Marker::start);
        if on {
            self.idle("idle-before", self.power.idle_before.0, tell, &mut account);
        }
        self.pulse(tell, &mut account);
        let start = clock::real_ns();
        let result = program(tell)?;
        account.phases.push(phase("program", start));
        self.pulse(tell, &mut account);
        if on {
            self.idle("idle-after", self.power.idle_after.0, tell, &mut account);
        }
        drop(marker);
        account.power = samplers.stop();
        account.findings.extend(account.power.iter().filter_map(sampler_died));
        account.findings.extend(account.power.iter().filter_map(readings_lost));
        Ok((result, account))
    }

    fn idle(
        &self,
        name: &str,
        length: Nanos,
        tell: &mut dyn FnMut(&str, Nanos),
        account: &mut Account,
    ) {
        if length.as_ns() == 0 || self.stop.signal().is_some() {
            return;
        }
        tell(name, length);
        let start = clock::real_ns();
        sleep(duration(length), self.stop);
        account.phases.push(phase(name, start));
    }

    /// Full load on every core for a second, between idle seconds: an edge that every sensor sees.
    fn pulse(&self, tell: &mut dyn FnMut(&str, Nanos), account: &mut Account) {
        if !self.power.sync_pulse || self.stop.signal().is_some() {
            return;
        }
        tell(PULSE, Nanos::from_ns(5_000_000_000));
        sleep(PULSE_IDLE, self.stop);
        let start = clock::real_ns();
        let range = self.marks.then(|| nvtx::range(PULSE));
        burn();
        drop(range);
        account.phases.push(phase(PULSE, start));
        sleep(PULSE_IDLE, self.stop);
    }
}

/// Clock marks at the start, each minute and at the end.
struct Marker {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Marker {
    fn start() -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::clone(&stop);
        mark_clocks();
        let thread = thread::spawn(move || {
            nvtx::name_thread("nsys-attrib clock marks");
            let mut last = Instant::now();
            while !seen.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(50));
                if last.elapsed() >= MARK_EVERY {
                    last = Instant::now();
                    mark_clocks();
                }
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Marker {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
        mark_clocks();
    }
}

/// `nsys-attrib clock real=… mono=…`: what `energy` checks the trace's clock with.
fn mark_clocks() {
    let clock::Instants { mono_ns, real_ns, .. } = clock::now();
    nvtx::mark(&format!("nsys-attrib clock real={real_ns} mono={mono_ns}"));
}

fn burn() {
    let cores = thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let until = Instant::now() + PULSE_BURN;
    thread::scope(|scope| {
        for core in 0..cores {
            scope.spawn(move || {
                let mut x = core as f64 + 1.5;
                while Instant::now() < until {
                    for _ in 0..1000 {
                        x = std::hint::black_box(x * 1.000_000_1 + 1e-9);
                    }
                }
            });
        }
    });
}

fn phase(name: &str, start: i64) -> Phase {
    Phase {
        name: name.to_owned(),
        start_unix_ns: UnixTime::from_unix_ns(start),
        end_unix_ns: UnixTime::from_unix_ns(clock::real_ns().max(start)),
    }
}

fn nothing_found(asked: &[String], none: bool, absent: &[(&str, String)]) -> Option<Finding> {
    if !none || !asked.iter().any(|name| name == "auto") {
        return None;
    }
    let why: Vec<String> = absent.iter().map(|(name, why)| format!("{name}: {why}")).collect();
    Some(Finding::new(
        "no-power-source",
        Severity::Warning,
        format!(
            "power was asked for, and this machine has no source that can be read ({})",
            why.join("; ")
        ),
        "`nsys-attrib doctor` says what helps; an external meter's log can be given to `energy --power`",
    ))
}

fn sampler_died(power: &PowerAbout) -> Option<Finding> {
    let why = power.died.as_ref()?;
    Some(
        Finding::new(
            "sampler-died",
            Severity::DataLoss,
            format!("the sampler {} stopped before the run was over: {why}", power.source),
            "repeat the run; its log holds what was read until then",
        )
        .with("samples", power.samples),
    )
}

fn readings_lost(power: &PowerAbout) -> Option<Finding> {
    (power.lost > 0 && power.died.is_none()).then(|| {
        Finding::new(
            "readings-lost",
            Severity::Info,
            format!(
                "{}: {} readings failed or came too late, {} were taken",
                power.source, power.lost, power.samples
            ),
            "choose a longer --power-period",
        )
        .with("lost", power.lost)
        .with("samples", power.samples)
    })
}
