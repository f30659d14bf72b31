//! A program that can be measured: requests in NVTX ranges `latency`, and a sidecar with the program's own
//! times of them. No GPU; each request keeps the processor busy. It is what the driver is tested with, and
//! shows what a program of yours needs: `nvtx::range`, and a file where `NSYS_ATTRIB_SIDECAR` says.
//!
//! ```sh
//! cargo build --example requests
//! nsys-attrib profile -- target/debug/examples/requests --count 50 --busy-us 2000
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::exit,
    reason = "an example talks and ends"
)]

use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nsys_attrib::runs::sidecar::{self, ExecutionPath, Request};
use nsys_attrib::runs::{SIDECAR_VARIABLE, Sidecar, write_document};
use nsys_attrib::units::{Nanos, UnixTime};

/// What may be asked for on the command line.
struct Asked {
    count: u64,
    busy: Duration,
    gap: Duration,
    exit: i32,
    range: String,
    measured_from: Option<u64>,
}

fn main() {
    let asked = asked();
    let start = Instant::now();
    let mono = nsys_attrib::collect::clock::mono_ns();
    let mut requests = Vec::new();
    // A profiler may be told to begin where this range does.
    let mut measured = None;
    for index in 0..asked.count {
        if asked.measured_from == Some(index) {
            measured = Some(nvtx::range("measured"));
        }
        let start_unix_ns = UnixTime::from_unix_ns(unix_ns());
        let began = Instant::now();
        {
            let _latency = nvtx::range(nvtx::Event::new(&asked.range).payload(index));
            while began.elapsed() < asked.busy {
                std::hint::spin_loop();
            }
        }
        let latency_ns = Nanos::from_ns(i64::try_from(began.elapsed().as_nanos()).unwrap_or(0));
        let since = i64::try_from((began - start).as_nanos()).unwrap_or(0);
        requests.push(Request {
            index,
            sample: None,
            start_unix_ns,
            start_mono_ns: Some(mono + since),
            latency_ns,
            spike_rates: None,
        });
        std::thread::sleep(asked.gap);
    }
    drop(measured);
    println!("{} requests", requests.len());
    if let Some(path) = std::env::var_os(SIDECAR_VARIABLE) {
        let document = Sidecar {
            schema: sidecar::SCHEMA.to_owned(),
            path: Some(ExecutionPath::Request),
            requests,
            ..Sidecar::default()
        };
        if let Err(error) = write_document(Path::new(&path), &document) {
            eprintln!("{error}");
        }
    }
    std::process::exit(asked.exit);
}

fn asked() -> Asked {
    let mut asked = Asked {
        count: 20,
        busy: Duration::from_millis(2),
        gap: Duration::from_millis(1),
        exit: 0,
        range: "latency".to_owned(),
        measured_from: None,
    };
    let words: Vec<String> = std::env::args().skip(1).collect();
    for pair in words.chunks(2) {
        let [option, value] = pair else { usage() };
        let number = || value.parse::<u64>().unwrap_or_else(|_| usage());
        match option.as_str() {
            "--count" => asked.count = number(),
            "--busy-us" => asked.busy = Duration::from_micros(number()),
            "--gap-us" => asked.gap = Duration::from_micros(number()),
            "--exit" => asked.exit = i32::try_from(number()).unwrap_or(1),
            "--measured-from" => asked.measured_from = Some(number()),
            "--range" => asked.range.clone_from(value),
            _ => usage(),
        }
    }
    asked
}

fn usage() -> ! {
    eprintln!(
        "requests [--count N] [--busy-us N] [--gap-us N] [--exit CODE] [--range NAME] [--measured-from N]"
    );
    std::process::exit(2)
}

fn unix_ns() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_nanos()).unwrap_or(0)
}
