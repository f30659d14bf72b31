//! What does a range cost here? Run it alone, and under `nsys profile`.

#![allow(clippy::print_stdout, reason = "an example talks")]

use std::hint::black_box;
use std::time::Instant;

const RANGES: u32 = 100_000;

fn per_range(work: impl Fn()) -> f64 {
    let start = Instant::now();
    for _ in 0..RANGES {
        work();
    }
    start.elapsed().as_secs_f64() * 1e9 / f64::from(RANGES)
}

fn main() {
    let layers = nvtx::Domain::new("layers");
    let name = layers.register("registered");
    println!("a profiler listens: {}", nvtx::is_active());
    println!(
        "range, plain text       {:8.1} ns",
        per_range(|| {
            let _range = nvtx::range(black_box("latency"));
        })
    );
    println!(
        "range, registered name  {:8.1} ns",
        per_range(|| {
            let _range = layers.range(black_box(name));
        })
    );
    println!(
        "mark with payload       {:8.1} ns",
        per_range(|| {
            nvtx::mark(nvtx::Event::new(black_box("mark")).payload(black_box(7_u64)));
        })
    );
}
