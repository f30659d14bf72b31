//! Writes a synthetic export of any size.
//!
//! ```text
//! cargo run --release --example scale_trace -- OUT.sqlite [REQUESTS [LAUNCHES]]
//! ```
#![allow(clippy::print_stdout, clippy::unwrap_used, reason = "a tool")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::path::Path;

use support::scale::Scale;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let Some(path) = words.first() else {
        println!("usage: scale_trace OUT.sqlite [REQUESTS [LAUNCHES]]");
        return;
    };
    let number = |at: usize, default| words.get(at).map_or(default, |word| word.parse().unwrap());
    let scale = Scale { requests: number(1, 10_000), launches: number(2, 200) };
    scale.write(Path::new(path));
    println!("{path}: {scale:?}");
}
