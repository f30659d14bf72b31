//! What does a request cost? One coefficient field in host memory to one solution field in host memory, batch 1:
//! encode, copy to the device, forward, copy back, decode. Nobody counts spikes inside; weights are resident.
//!
//! ```text
//! range     idle           warmup warmup ..   latency latency ..            rates (on demand)
//! phase     idle           warmup             requests                      rates
//! ```
//!
//! The window opens when the input is ready in host memory and closes when the output is, after the copy back has
//! waited for the device. Times are wall time (for power logs) and the monotonic clock.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

use super::{Counts, PathError, download, normaliser_for, upload};
use crate::checkpoint::Checkpoint;
use crate::dataset::Dataset;
use crate::model::weights::Weights;
use crate::model::{Dispatch, Network, Observer, Part, Silent};
use crate::normaliser::Normaliser;
use crate::stack::{Choice, OnStack, Stack, on_stack};

/// The course of a request run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Course {
    /// Requests before the measured ones.
    pub warmup: usize,
    /// Measured requests, cycling over the samples.
    pub repeat: usize,
    /// Rest before the first request.
    pub idle: Duration,
    /// Whether each part of a pass gets a range of its own inside the window, which costs time there.
    pub layer_ranges: bool,
    /// Whether the spike rates of each request are taken, from a second pass after all windows.
    pub rates: bool,
}

impl Default for Course {
    fn default() -> Self {
        Self { warmup: 20, repeat: 200, idle: Duration::ZERO, layer_ranges: false, rates: false }
    }
}

/// A span of wall time, nanoseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phase {
    /// `idle`, `warmup`, `requests`, `rates`.
    pub name: &'static str,
    /// Start.
    pub start_unix_ns: i64,
    /// End.
    pub end_unix_ns: i64,
}

/// A measured request.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Sample it ran on.
    pub sample: usize,
    /// Wall time at its start.
    pub start_unix_ns: i64,
    /// Monotonic clock at its start.
    pub start_mono_ns: i64,
    /// Length by the monotonic clock.
    pub latency_ns: i64,
    /// Spike rate of each layer, where taken.
    pub spike_rates: Option<Vec<f64>>,
}

/// What the request path gives.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestRun {
    /// Stack it ran on.
    pub stack: &'static str,
    /// Phases in order.
    pub phases: Vec<Phase>,
    /// Requests in order.
    pub requests: Vec<Request>,
    /// The answer to the last request.
    pub last: Vec<f32>,
}

impl RequestRun {
    /// The latency that a share `q` (0 to 1) of the requests does not exceed, in nanoseconds: nearest rank.
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    pub fn quantile_ns(&self, q: f64) -> Option<i64> {
        let mut sorted: Vec<i64> = self.requests.iter().map(|r| r.latency_ns).collect();
        sorted.sort_unstable();
        let rank = (q * sorted.len() as f64).ceil() as usize;
        sorted.get(rank.saturating_sub(1)).copied()
    }
}

/// Runs requests.
///
/// # Errors
/// When checkpoint, dispatch and data do not fit each other.
pub fn run(
    choice: Choice,
    checkpoint: &Checkpoint,
    dispatch: Dispatch,
    data: &Dataset,
    course: &Course,
) -> Result<RequestRun, PathError> {
    on_stack(choice, Job { checkpoint, dispatch, data, course })
}

struct Job<'a> {
    checkpoint: &'a Checkpoint,
    dispatch: Dispatch,
    data: &'a Dataset,
    course: &'a Course,
}

impl OnStack for Job<'_> {
    type Output = Result<RequestRun, PathError>;

    fn run<B: Stack>(self, device: &B::Device) -> Self::Output {
        let Checkpoint { config, arrays, normaliser, .. } = self.checkpoint;
        let size = self.data.size();
        let normaliser = normaliser_for(normaliser.as_ref(), size)?;
        let samples = self.data.samples();
        if samples == 0 {
            return Err(PathError::NoSamples);
        }
        let weights = Weights::<B>::from_arrays(arrays, config, device)?;
        let network = Network::new(config.clone(), weights, self.dispatch, size, device)?;
        let service = Service { network, normaliser, size, device };
        let field = |i: usize| {
            let points = size[0] * size[1];
            &self.data.coeff.values[(i % samples) * points..(i % samples + 1) * points]
        };
        let mut out = RequestRun { stack: B::NAME, phases: vec![], requests: vec![], last: vec![] };
        let mut phase = |name, work: &mut dyn FnMut()| {
            let start_unix_ns = unix_ns();
            work();
            out.phases.push(Phase { name, start_unix_ns, end_unix_ns: unix_ns() });
        };
        let course = self.course;
        if !course.idle.is_zero() {
            phase("idle", &mut || {
                let _range = nvtx::range("idle");
                std::thread::sleep(course.idle);
            });
        }
        phase("warmup", &mut || {
            for i in 0..course.warmup {
                let _range = nvtx::range("warmup");
                service.answer(field(i), course.layer_ranges);
            }
        });
        let mut requests = Vec::with_capacity(course.repeat);
        let mut last = Vec::new();
        phase("requests", &mut || {
            for i in 0..course.repeat {
                let (request, answer) = service.timed(field(i), i % samples, course.layer_ranges);
                requests.push(request);
                last = answer;
            }
        });
        if course.rates && config.spiking {
            phase("rates", &mut || {
                let used = samples.min(course.repeat);
                let rates: Vec<Vec<f64>> = (0..used).map(|i| service.rates(field(i))).collect();
                for request in &mut requests {
                    request.spike_rates = rates.get(request.sample).cloned();
                }
            });
        }
        out.requests = requests;
        out.last = last;
        Ok(out)
    }
}

struct Service<'a, B: Stack> {
    network: Network<B>,
    normaliser: &'a Normaliser,
    size: [usize; 2],
    device: &'a B::Device,
}

impl<B: Stack> Service<'_, B> {
    fn timed(&self, field: &[f32], sample: usize, layers: bool) -> (Request, Vec<f32>) {
        let start_unix_ns = unix_ns();
        let range = nvtx::range("latency");
        let start_mono_ns = mono_ns();
        let answer = self.answer(field, layers);
        let latency_ns = mono_ns() - start_mono_ns;
        drop(range);
        let request =
            Request { sample, start_unix_ns, start_mono_ns, latency_ns, spike_rates: None };
        (request, answer)
    }

    fn answer(&self, field: &[f32], layers: bool) -> Vec<f32> {
        if layers {
            return self.answer_in_parts(field);
        }
        let x = upload::<B>(self.normaliser.x.encode(field), 1, self.size, self.device);
        let y = download(self.network.forward(x, &mut Silent));
        self.normaliser.y.decode(&y)
    }

    /// The same with a range around each part.
    fn answer_in_parts(&self, field: &[f32]) -> Vec<f32> {
        let within = |name: &str, work: &mut dyn FnMut()| {
            let _range = nvtx::range(name);
            work();
        };
        let (mut encoded, mut y, mut out) = (Vec::new(), Vec::new(), Vec::new());
        within("encode", &mut || encoded = self.normaliser.x.encode(field));
        let mut x = None;
        within("h2d", &mut || {
            x = Some(upload::<B>(std::mem::take(&mut encoded), 1, self.size, self.device));
        });
        let mut result = x.map(|x| self.network.forward(x, &mut Ranges));
        within("d2h", &mut || y = result.take().map(download).unwrap_or_default());
        within("decode", &mut || out = self.normaliser.y.decode(&y));
        out
    }

    fn rates(&self, field: &[f32]) -> Vec<f64> {
        let mut counts = Counts::default();
        let x = upload::<B>(self.normaliser.x.encode(field), 1, self.size, self.device);
        download(self.network.forward(x, &mut counts));
        counts.rates()
    }
}

/// An NVTX range for each part.
struct Ranges;

impl<B: Stack> Observer<B> for Ranges {
    fn enter(&mut self, part: Part) {
        nvtx::push(part.to_string().as_str());
    }

    fn leave(&mut self) {
        nvtx::pop();
    }
}

fn nanoseconds(clock: ClockId) -> i64 {
    let time = clock_gettime(clock);
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}

fn unix_ns() -> i64 {
    nanoseconds(ClockId::Realtime)
}

fn mono_ns() -> i64 {
    nanoseconds(ClockId::Monotonic)
}
