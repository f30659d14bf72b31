//! The house rules that a compiler does not check: who may use whom, where SQL may stand, how long a
//! file may be, and what it may not be called. The table of rooms is written here and nowhere else.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

use std::fs;
use std::path::{Path, PathBuf};

/// Quantities and doubts: every room below may use them.
const EVERYONE: [&str; 2] = ["units", "finding"];

/// A room of the house: what it promises, and which rooms it may use besides `EVERYONE`.
struct Room {
    name: &'static str,
    promise: &'static str,
    may_use: &'static [&'static str],
}

/// Data flows downward.
const ROOMS: [Room; 18] = [
    Room { name: "units", promise: "quantities and how they print", may_use: &[] },
    Room { name: "finding", promise: "doubts as data", may_use: &[] },
    Room {
        name: "stats",
        promise: "samples to centre, spread, interval; a against b",
        may_use: &[],
    },
    Room {
        name: "trace",
        promise: "reads an export into plain sorted columns, and scrubs a copy; nothing else knows SQL or the schema generations",
        may_use: &[],
    },
    Room { name: "windows", promise: "which spans of time are measured", may_use: &["trace"] },
    Room {
        name: "classify",
        promise: "kernel name to family/kind and groups, by ordered rules",
        may_use: &[],
    },
    Room {
        name: "attribution",
        promise: "time inside windows by call, by class, by cause of idleness; holds the analysis document",
        may_use: &["trace", "windows", "classify", "stats"],
    },
    Room {
        name: "runs",
        promise: "run folder, manifest, sidecar: what was run and when",
        may_use: &[],
    },
    Room {
        name: "power",
        promise: "power logs to samples, aligned, to energy per window",
        may_use: &["trace", "windows", "attribution", "stats", "runs"],
    },
    Room {
        name: "replay",
        promise: "what the window would take if something were cheaper",
        may_use: &["trace", "windows", "classify", "attribution", "stats", "runs"],
    },
    Room {
        name: "compare",
        promise: "group against group: what moved and what explains it",
        may_use: &["attribution", "power", "stats"],
    },
    Room {
        name: "legacy",
        promise: "`nsys stats` texts to a limited analysis",
        may_use: &["trace", "attribution", "classify"],
    },
    Room {
        name: "collect",
        promise: "runs a program under nsys with samplers beside it; knows nothing of analysis",
        may_use: &["trace", "runs"],
    },
    Room {
        name: "dataset",
        promise: "many analyses to one columnar dataset, and queries over it",
        may_use: &[
            "stats",
            "trace",
            "windows",
            "classify",
            "attribution",
            "runs",
            "power",
            "replay",
            "compare",
            "legacy",
            "collect",
        ],
    },
    Room {
        name: "plots",
        promise: "documents to figures; one figure per file, one palette",
        may_use: &[
            "trace",
            "windows",
            "classify",
            "attribution",
            "runs",
            "power",
            "replay",
            "compare",
        ],
    },
    Room {
        name: "report",
        promise: "documents and plots to text, Markdown, LaTeX, CSV, JSON, HTML",
        may_use: &[
            "trace",
            "windows",
            "classify",
            "attribution",
            "power",
            "replay",
            "compare",
            "plots",
        ],
    },
    Room {
        name: "study",
        promise: "one plan file to runs to a report",
        may_use: &[
            "stats",
            "trace",
            "windows",
            "classify",
            "attribution",
            "runs",
            "power",
            "replay",
            "compare",
            "legacy",
            "collect",
            "plots",
            "report",
        ],
    },
    Room {
        name: "cli",
        promise: "words typed to rooms called; one file per subcommand",
        may_use: &[
            "stats",
            "trace",
            "windows",
            "classify",
            "attribution",
            "runs",
            "power",
            "replay",
            "compare",
            "legacy",
            "collect",
            "dataset",
            "plots",
            "report",
            "study",
        ],
    },
];

const LONGEST_FILE: usize = 600;

/// Flat lists may be longer; none is so far.
const FLAT_LISTS: [&str; 0] = [];

const NO_NAMES: [&str; 5] = ["utils", "helpers", "common", "misc", "core"];

/// The rooms that know SQL.
const SQL_ROOMS: [&str; 1] = ["trace"];

const SQL: [&str; 8] = [
    "rusqlite",
    "SELECT ",
    "INSERT INTO ",
    "DELETE FROM ",
    "CREATE TABLE",
    "CREATE TEMP",
    "PRAGMA ",
    "ATTACH ",
];

/// The Rust files of this package below `folder`; nested packages are left out.
fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.join("Cargo.toml").exists() {
            files.extend(sources(&path));
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            files.push(path);
        }
    }
    files.sort();
    files
}

/// Every source file as (path inside `src/`, text).
fn house() -> Vec<(String, String)> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    sources(&src)
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&src).unwrap().to_string_lossy().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .collect()
}

/// The room of a file; `main.rs` is part of the command line, `lib.rs` only names the rooms.
fn room_of(file: &str) -> Option<&str> {
    match file {
        "main.rs" => Some("cli"),
        "lib.rs" => None,
        _ => file.split('/').next().map(|room| room.trim_end_matches(".rs")),
    }
}

/// The text without comments, in which a link to another room is no use of it.
fn code(text: &str) -> String {
    let uncommented = |line: &str| match line.find("//") {
        // `://` is part of an address, not a comment.
        Some(at) if !line[..at].ends_with(':') => line[..at].to_owned(),
        _ => line.to_owned(),
    };
    text.lines().map(uncommented).collect::<Vec<_>>().join("\n")
}

/// The first segments of what follows a path prefix: `a::b` gives a, `{a::b, c}` gives a and c.
fn heads(rest: &str) -> Vec<String> {
    let identifier = |text: &str| -> String {
        text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect()
    };
    let Some(group) = rest.trim_start().strip_prefix('{') else { return vec![identifier(rest)] };
    let (mut depth, mut start, mut heads) = (0, 0, Vec::new());
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(identifier(&group[start..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(identifier(&group[start..at]));
                start = at + 1;
            }
            _ => {}
        }
    }
    heads
}

/// The rooms that a file names, by `crate::`, by `nsys_attrib::` or by climbing out with `super::`.
fn rooms_named(file: &str, text: &str) -> Vec<String> {
    let code = code(text);
    let stands_alone = |at: usize| {
        !code[..at].chars().next_back().is_some_and(|c| c.is_alphanumeric() || "_:".contains(c))
    };
    let mut named = Vec::new();
    for prefix in ["crate::", "nsys_attrib::"] {
        for (at, _) in code.match_indices(prefix).filter(|(at, _)| stands_alone(*at)) {
            named.extend(heads(&code[at + prefix.len()..]));
        }
    }
    let module = file.trim_end_matches(".rs").trim_end_matches("/mod");
    let depth = module.split('/').count();
    for (at, _) in code.match_indices("super::").filter(|(at, _)| stands_alone(*at)) {
        let mut rest = &code[at..];
        let mut climbed = 0;
        while let Some(after) = rest.strip_prefix("super::") {
            rest = after;
            climbed += 1;
        }
        if climbed >= depth {
            named.extend(heads(rest));
        }
    }
    named.retain(|name| ROOMS.iter().any(|room| room.name == name));
    named.sort();
    named.dedup();
    named
}

fn broken_promises(file: &str, text: &str) -> Vec<String> {
    let Some(own) = room_of(file) else { return Vec::new() };
    let Some(room) = ROOMS.iter().find(|room| room.name == own) else {
        return vec![format!(
            "src/{file}: `{own}` is no room of the house; its table is in tests/rooms.rs"
        )];
    };
    let everyone: &[&str] = match own {
        "units" => &[],
        "finding" => &EVERYONE[..1],
        _ => &EVERYONE,
    };
    rooms_named(file, text)
        .into_iter()
        .filter(|used| used != own)
        .filter(|used| !everyone.contains(&used.as_str()))
        .filter(|used| !room.may_use.contains(&used.as_str()))
        .map(|used| {
            let may = [everyone, room.may_use].concat().join(", ");
            format!(
                "src/{file} uses `{used}`. `{own}/` promises: {}. It may use: {may}",
                room.promise
            )
        })
        .collect()
}

fn sql_outside(file: &str, text: &str) -> Vec<String> {
    if room_of(file).is_some_and(|room| SQL_ROOMS.contains(&room)) {
        return Vec::new();
    }
    let code = code(text);
    SQL.iter()
        .filter(|word| code.contains(**word))
        .map(|word| format!("src/{file} has `{}`: only {SQL_ROOMS:?} know SQL", word.trim()))
        .collect()
}

fn badly_kept(file: &str, text: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST_FILE && !FLAT_LISTS.contains(&file) {
        faults.push(format!(
            "src/{file}: {lines} lines; one concept a file, {LONGEST_FILE} lines at most"
        ));
    }
    if let Some(name) = file.trim_end_matches(".rs").split('/').find(|part| NO_NAMES.contains(part))
    {
        faults.push(format!("src/{file}: `{name}` names no concept"));
    }
    if let Some(name) = NO_NAMES.iter().find(|name| code(text).contains(&format!("mod {name} {{")))
    {
        faults.push(format!("src/{file}: a module `{name}` names no concept"));
    }
    if !text.starts_with("//!") {
        faults.push(format!("src/{file}: does not open with the question it answers (`//!`)"));
    }
    faults
}

#[track_caller]
fn none(faults: &[String]) {
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}

#[test]
fn every_room_uses_only_what_it_may() {
    none(&house().iter().flat_map(|(file, text)| broken_promises(file, text)).collect::<Vec<_>>());
}

#[test]
fn only_trace_knows_sql() {
    none(&house().iter().flat_map(|(file, text)| sql_outside(file, text)).collect::<Vec<_>>());
}

#[test]
fn files_are_short_named_and_introduced() {
    none(&house().iter().flat_map(|(file, text)| badly_kept(file, text)).collect::<Vec<_>>());
}

#[test]
fn the_table_is_in_order() {
    for (index, room) in ROOMS.iter().enumerate() {
        for used in room.may_use {
            let above = ROOMS[..index].iter().any(|other| other.name == *used);
            assert!(above, "`{}` may use `{used}`, which is not above it", room.name);
        }
    }
}

#[test]
fn the_checks_see_what_they_should() {
    let broken = |file: &str, text: &str| broken_promises(file, text).len();
    assert_eq!(broken("windows/spec.rs", "use crate::trace::Nvtx;"), 0);
    assert_eq!(broken("trace/rows.rs", "use crate::windows::Window;"), 1);
    assert_eq!(broken("trace/rows.rs", "use crate::{units::Nanos, report::{a, b}, windows};"), 2);
    assert_eq!(broken("trace/source/mod.rs", "fn f() { crate::cli::run() }"), 1);
    assert_eq!(broken("trace/mod.rs", "use super::attribution::X;"), 1);
    assert_eq!(broken("trace/source/open.rs", "use super::super::super::stats::mean;"), 1);
    assert_eq!(broken("trace/source/open.rs", "use super::windows;"), 0, "its own sibling");
    assert_eq!(broken("trace/mod.rs", "//! See [`crate::windows`].\n// crate::cli"), 0);
    assert_eq!(broken("units/time.rs", "use crate::finding::Finding;"), 1);
    assert_eq!(broken("finding.rs", "use crate::units::Nanos;"), 0);
    assert_eq!(broken("main.rs", "use nsys_attrib::cli;"), 0);
    assert_eq!(broken("helpers/mod.rs", ""), 1, "not a room");
    let message = &broken_promises("collect/mod.rs", "use crate::attribution::X;")[0];
    assert!(message.contains("knows nothing of analysis"), "{message}");

    assert_eq!(sql_outside("report/text.rs", "let x = \"SELECT a FROM b\";").len(), 1);
    assert_eq!(sql_outside("report/text.rs", "use rusqlite::Connection; // SELECT x").len(), 1);
    assert_eq!(sql_outside("trace/rows.rs", "\"SELECT a FROM b\"").len(), 0);

    assert_eq!(badly_kept("trace/utils.rs", "//! x").len(), 1);
    assert_eq!(badly_kept("trace/x.rs", &"//! x\n".repeat(601)).len(), 1);
    assert_eq!(badly_kept("trace/x.rs", "use x;").len(), 1);
}
