//! Simulated runs with known truth: requests at a known power above idle, and a sensor that looks at
//! them badly. Everything is synthetic and a function of the seed: no number here was measured.
//!
//! ```text
//! power   idle 4.8 W | 53..60 ms at 3..4 W above idle | 0.5..3 ms pause | next request | … | idle
//! sensor  period ± jitter, mean over a window, lag, 50 mW noise, 40 mW steps
//! ```
//! The truth is the mean of the program that makes the requests, 56.5 ms × 3.5 W = 197.75 mJ above idle:
//! requests of one run are a sample of it.

/// Idle power, W.
pub const IDLE_W: f64 = 4.8;
/// Mean energy of a request above idle, mJ.
pub const TRUTH_MJ: f64 = 56.5 * 3.5;

/// splitmix64.
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5eed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Uniform in [a, b).
    pub fn between(&mut self, a: f64, b: f64) -> f64 {
        a + (b - a) * (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Normal with mean 0.
    fn normal(&mut self, sd: f64) -> f64 {
        let (u, v) = (self.between(1e-12, 1.0), self.between(0.0, std::f64::consts::TAU));
        sd * (-2.0 * u.ln()).sqrt() * v.cos()
    }
}

/// The sensor.
#[derive(Clone, Copy, Debug)]
pub struct Sensor {
    /// Time between readings, s.
    pub period: f64,
    /// Half the width of its uniform jitter, as a share of the period.
    pub jitter: f64,
    /// Averaging window before the stamp, s; 0 reads instants.
    pub window: f64,
    /// How late the reading is, s.
    pub lag: f64,
    /// Step, W.
    pub step: f64,
    /// Noise of a reading, W.
    pub noise: f64,
}

/// The work.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    pub requests: usize,
    /// Idle before and after, s.
    pub idle: f64,
}

/// A run.
pub struct Run {
    /// Windows, ns.
    pub windows: Vec<(i64, i64)>,
    /// Readings `(ns, W)`.
    pub readings: Vec<(i64, f64)>,
}

pub fn simulate(work: Workload, sensor: Sensor, seed: u64) -> Run {
    let mut dice = Dice::new(seed);
    let mut now = work.idle + dice.between(0.0, 1.0);
    // Start, end, energy above idle before the start, power above idle.
    let mut requests: Vec<(f64, f64, f64, f64)> = Vec::with_capacity(work.requests);
    let mut energy = 0.0;
    for _ in 0..work.requests {
        let (length, power) = (dice.between(0.053, 0.060), dice.between(3.0, 4.0));
        requests.push((now, now + length, energy, power));
        energy += length * power;
        now += length + dice.between(0.0005, 0.003);
    }
    let until = |t: f64| {
        let done = requests.partition_point(|request| request.0 <= t);
        match done.checked_sub(1).map(|i| requests[i]) {
            Some((start, end, before, power)) => before + (t.min(end) - start) * power,
            None => 0.0,
        }
    };
    let at = |t: f64| {
        let done = requests.partition_point(|request| request.0 <= t);
        done.checked_sub(1).map(|i| requests[i]).filter(|r| t < r.1).map_or(0.0, |r| r.3)
    };
    let end = now + work.idle;
    let mut readings = Vec::new();
    let mut tick = dice.between(0.0, sensor.period);
    while tick < end {
        let seen = tick - sensor.lag;
        let above = if sensor.window > 0.0 {
            (until(seen) - until(seen - sensor.window)) / sensor.window
        } else {
            at(seen)
        };
        let watts = IDLE_W + above + dice.normal(sensor.noise);
        readings.push(((tick * 1e9) as i64, (watts / sensor.step).round() * sensor.step));
        let jitter = sensor.period * sensor.jitter;
        tick += sensor.period + dice.between(-jitter, jitter);
    }
    let windows = requests.iter().map(|r| ((r.0 * 1e9) as i64, (r.1 * 1e9) as i64)).collect();
    Run { windows, readings }
}
