//! Runs the built program as a user does, and keeps what it says as golden files.
//!
//! The program runs in the repository, so that paths are relative; `BLESS=1 cargo test` writes the
//! golden files anew, and `git diff` shows what changed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Cargo names the program to tests only; examples include this file, too.
const PROGRAM: Option<&str> = option_env!("CARGO_BIN_EXE_nsys-attrib");

/// What the program said.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

/// The program with these words, in this folder, 80 columns wide.
pub fn command(folder: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM.unwrap());
    command.current_dir(folder).args(words).env("COLUMNS", "80").env_remove("NO_COLOR");
    command.stdin(Stdio::null());
    command
}

/// Runs it in a folder.
pub fn run_in(folder: &Path, words: &[&str]) -> Said {
    finish(&mut command(folder, words))
}

/// Runs it in the repository.
pub fn run(words: &[&str]) -> Said {
    run_in(repository(), words)
}

/// Runs a command that was made ready.
pub fn finish(command: &mut Command) -> Said {
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: text(output.stdout),
        err: text(output.stderr),
    }
}

/// The repository.
pub fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every bundled trace, relative to the repository, in order.
pub fn bundled() -> Vec<String> {
    let root = repository().join("fixtures/traces");
    let mut found = Vec::new();
    let mut folders = vec![root];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.to_string_lossy().contains(".sqlite") {
                found.push(path.strip_prefix(repository()).unwrap().display().to_string());
            }
        }
    }
    found.sort();
    found
}

/// Every real trace in the shared folder by stem; none, with a line that says so, without it.
pub fn real_traces() -> Vec<PathBuf> {
    let Some(folder) = super::shared::shared_folder() else {
        super::shared::skipped("no real traces: no shared folder (set NSYS_ATTRIB_SHARED)");
        return Vec::new();
    };
    let mut names: Vec<String> = std::fs::read_dir(folder.join("traces"))
        .unwrap()
        .filter_map(|entry| {
            let name = entry.unwrap().file_name().into_string().ok()?;
            let stem = name.strip_suffix(".zst").unwrap_or(&name).strip_suffix(".sqlite")?;
            Some(stem.to_owned())
        })
        .collect();
    names.sort();
    names.dedup();
    names.iter().filter_map(|name| super::shared::shared_trace(name)).collect()
}

/// Compares with `tests/golden/NAME.txt`, or writes it when `BLESS` is set.
#[track_caller]
pub fn golden(name: &str, said: &str) {
    let path = repository().join("tests/golden").join(format!("{name}.txt"));
    if std::env::var_os("BLESS").is_some() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, said).unwrap();
        return;
    }
    let known = std::fs::read_to_string(&path)
        .unwrap_or_else(|_| panic!("{} is missing: run with BLESS=1", path.display()));
    let line = known.lines().zip(said.lines()).position(|(a, b)| a != b);
    assert!(
        known == said,
        "{name}: differs from its golden file at line {:?}; BLESS=1 if that is meant.\n\
         --- golden\n{}\n--- said\n{}",
        line.map(|line| line + 1),
        line.and_then(|line| known.lines().nth(line)).unwrap_or("(length)"),
        line.and_then(|line| said.lines().nth(line)).unwrap_or("(length)"),
    );
}

/// No line is wider than `width`, and no byte commands a terminal.
#[track_caller]
pub fn fits(said: &str, width: usize) {
    for line in said.lines() {
        assert!(line.chars().count() <= width, "{} columns: {line}", line.chars().count());
    }
    inert(said);
}

/// No control character but the newline, and nothing that reorders text.
#[track_caller]
pub fn inert(said: &str) {
    let bad = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
    assert!(!said.chars().any(bad), "{said:?}");
}
