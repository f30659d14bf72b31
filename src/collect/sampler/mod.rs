//! What does the machine draw while the program runs? Samplers beside it, each in a thread of its own.
//!
//! | source | what is read | kind |
//! |---|---|---|
//! | `ina3221` | voltage and current of each rail of a Jetson, sysfs | instant |
//! | `nvml` | power and energy counter of each GPU | instant, or a mean over 1 s (stated in the log) |
//! | `rapl` | energy counters of the processor, sysfs | counter |
//! | `tegrastats`, `nvidia-smi` | lines of a child, where the first two cannot be had | the tool's own |
//!
//! Logs are in the form `nsys-attrib-power/1` (each reading with both clocks and its own duration), or
//! the tool's lines. The period is moved by up to a tenth at random, so that readings do not lock onto a
//! periodic load. Power is in mW, energy in uJ, times in ns.

mod child;
mod choose;
mod ina3221;
mod jitter;
mod log;
pub mod nvml;
mod pace;
mod rapl;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

pub use choose::{Choice, Sampler, choose};
pub use pace::Pace;

use super::clock;
use super::error::CollectError;
use crate::runs::manifest::PowerAbout;

/// One rail, read once.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Reading {
    /// Which of the source's rails.
    pub rail: usize,
    /// Monotonic clock in the middle of the read.
    pub mono_ns: i64,
    /// Wall clock at its end.
    pub real_ns: i64,
    /// How long it took.
    pub dur_ns: i64,
    /// Voltage in mV.
    pub mv: Option<f64>,
    /// Current in mA.
    pub ma: Option<f64>,
    /// Power in mW.
    pub mw: Option<f64>,
    /// Energy since some start in uJ, without wraps.
    pub energy_uj: Option<u64>,
}

/// Something that can be read again and again.
pub trait Source: Send {
    /// `ina3221`, `nvml`, `rapl`.
    fn name(&self) -> &'static str;

    /// Its rails, in order.
    fn rails(&self) -> Vec<String>;

    /// What a reader of the log must know, as `key=value` words.
    fn about(&self) -> Vec<String>;

    /// Reads every rail; a rail that cannot be read now is left out.
    ///
    /// # Errors
    /// Why nothing could be read.
    fn read(&mut self, readings: &mut Vec<Reading>) -> Result<(), String>;
}

/// Reads a value between two looks at the clock.
pub(crate) fn timed<T>(read: impl FnOnce() -> T) -> (T, Reading) {
    let before = clock::mono_ns();
    let value = read();
    let after = clock::mono_ns();
    let stamp = Reading {
        mono_ns: i64::midpoint(before, after),
        real_ns: clock::real_ns(),
        dur_ns: after - before,
        ..Reading::default()
    };
    (value, stamp)
}

/// Samplers that run.
#[derive(Debug)]
pub struct Samplers {
    stop: Arc<AtomicBool>,
    threads: Vec<JoinHandle<PowerAbout>>,
}

impl Samplers {
    /// Starts one thread for each source; logs go into `folder`. With `marks`, each reading is an NVTX
    /// mark too.
    ///
    /// # Errors
    /// [`CollectError`] when a log cannot be made or a child not be started.
    pub fn start(
        sources: Vec<Sampler>,
        pace: Pace,
        folder: &Path,
        marks: bool,
    ) -> Result<Self, CollectError> {
        let stop = Arc::new(AtomicBool::new(false));
        // From here on, threads that run are stopped when a later one fails.
        let mut samplers = Self { stop: Arc::clone(&stop), threads: Vec::new() };
        for source in sources {
            let stop = Arc::clone(&stop);
            samplers.threads.push(match source {
                Sampler::Read(source) => {
                    let log = log::Log::create(folder, source.as_ref(), pace)?;
                    thread::spawn(move || pace::run(source, pace, log, marks, &stop))
                }
                Sampler::Child(child) => {
                    let running = child::start(&child, folder, pace)?;
                    thread::spawn(move || running.follow(&stop))
                }
            });
        }
        Ok(samplers)
    }

    /// Stops them and returns what each has done.
    pub fn stop(mut self) -> Vec<PowerAbout> {
        self.end()
    }

    fn end(&mut self) -> Vec<PowerAbout> {
        self.stop.store(true, Ordering::SeqCst);
        // A sampler that panicked has lost its account; its log is still there.
        self.threads.drain(..).filter_map(|thread| thread.join().ok()).collect()
    }
}

impl Drop for Samplers {
    fn drop(&mut self) {
        self.end();
    }
}
