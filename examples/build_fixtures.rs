//! Writes the bundled synthetic traces: `cargo run --example build_fixtures`.
//!
//! The same sources give the same SQLite bytes; the compressed files also depend on the zstd version,
//! so the test that guards them compares what they unpack to.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a tool for developers")]

#[path = "../tests/support/mod.rs"]
mod support;

use std::fs;
use std::path::Path;

use support::fixtures::{bytes, fixtures};

/// Slow and small: these files are written once and cloned often.
const LEVEL: i32 = 19;

fn main() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/traces");
    for (name, spec) in fixtures() {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let plain = bytes(&spec);
        let stored = if name.ends_with(".zst") {
            zstd::encode_all(&plain[..], LEVEL).unwrap()
        } else {
            plain.clone()
        };
        fs::write(&path, &stored).unwrap();
        println!("{name}: {} bytes, {} unpacked", stored.len(), plain.len());
    }
}
