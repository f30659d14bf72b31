//! Opening what the user named: a trace in memory, with its identity and the doubts met on the way;
//! and, for commands that work on results, the analyses that any INPUT holds ([`Resolver`]).

mod analyses;
pub(super) mod dataset;
pub(super) mod document;
mod energies;
mod late_hash;
mod options;
mod rules;
pub(super) mod run;
mod untraced;

use std::fs::File;
use std::io::Read;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::Result;
use sha2::{Digest, Sha256};

pub(super) use analyses::{Resolver, each_set};
pub(super) use energies::energies_of;
pub(super) use options::TraceOptions;
pub(super) use rules::ClassRules;

use late_hash::LateHash;

use super::args::{Unclosed, WindowArgs};
use super::progress::Progress;
use crate::finding::Finding;
use crate::trace::source::OpenTrace;
use crate::trace::{ReadOptions, Trace, TraceError, source};
use crate::units::plain;
use crate::windows::{Selection, Surroundings, WindowSet, WindowSpec, select};

/// Whether results were named that were made before: a document, or a part of a dataset.
pub(super) fn is_document(path: &Path) -> bool {
    document::schema_of(path).is_some() || dataset::place(path).is_some()
}

/// A trace in memory.
pub(super) struct Input {
    pub(super) trace: Trace,
    pub(super) path: String,
    pub(super) findings: Vec<Finding>,
    hash: LateHash,
}

impl Input {
    /// SHA-256 of the file in hex; waits for it. Nothing for a folder.
    pub(super) fn sha256(&self) -> Option<String> {
        self.hash.wait()
    }
}

/// Opens and reads a trace with so many threads; the file is hashed from then on.
pub(super) fn read(path: &Path, jobs: Option<NonZeroUsize>) -> Result<Input> {
    read_hashed(path, jobs, None)
}

/// The same of a file whose hash may be known already.
pub(super) fn read_hashed(
    path: &Path,
    jobs: Option<NonZeroUsize>,
    sha256: Option<&str>,
) -> Result<Input> {
    let _progress = Progress::start(format!("reading {}", path.display()));
    let open = source::open(path)?;
    let hash = sha256.map_or_else(|| LateHash::of(path), |sha256| LateHash::known(path, sha256));
    let how = ReadOptions { jobs, ..ReadOptions::default() };
    let (connection, database) = (open.connection(), open.database());
    let trace = Trace::read_then(open.path(), connection, database, &how, &|| hash.start())?;
    let (path, findings) = (path.display().to_string(), open.notes().to_vec());
    Ok(Input { trace, path, findings, hash })
}

/// Reads an open trace with so many threads; the result does not depend on their number.
pub(super) fn read_open(open: &OpenTrace, jobs: Option<NonZeroUsize>) -> Result<Trace, TraceError> {
    let how = ReadOptions { jobs, ..ReadOptions::default() };
    Trace::read_with(open.path(), open.connection(), open.database(), &how)
}

/// SHA-256 of a file in hex; nothing for a folder.
pub(super) fn sha256(path: &Path) -> Option<String> {
    // A block stays in the cache between the copy and the hash.
    const BLOCK: usize = 1 << 17;
    let mut file = File::open(path).ok()?;
    let mut hash = Sha256::new();
    let mut block = vec![0; BLOCK];
    loop {
        match file.read(&mut block).ok()? {
            0 => break,
            count => hash.update(&block[..count]),
        }
    }
    Some(hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

/// The window specifications to use: those typed, or `latency` when it is there, or everything.
pub(super) fn specifications(args: &WindowArgs, trace: &Trace) -> (Vec<String>, Option<String>) {
    if !args.window.is_empty() {
        return once(&args.window);
    }
    if trace.ranges.texts().iter().any(|text| text == "latency") {
        return (vec!["latency".to_owned()], None);
    }
    let note = format!(
        "no --window given and no NVTX range named `latency`: taking `all`. {}",
        crate::windows::present_ranges(trace)
    );
    (vec!["all".to_owned()], Some(note))
}

/// Each specification once, in the order typed; and a word about those typed again.
fn once(typed: &[String]) -> (Vec<String>, Option<String>) {
    let (mut specs, mut again): (Vec<String>, Vec<String>) = (Vec::new(), Vec::new());
    for spec in typed {
        if !specs.contains(spec) {
            specs.push(spec.clone());
        } else if !again.contains(spec) {
            again.push(spec.clone());
        }
    }
    let list: Vec<String> = again.iter().map(|spec| format!("`{}`", plain(spec, 80))).collect();
    let note = (!list.is_empty())
        .then(|| format!("--window {} was given more than once; it counts once", list.join(", ")));
    (specs, note)
}

/// Selects the instances of one specification.
pub(super) fn windows(trace: &Trace, text: &str, args: &WindowArgs) -> Result<WindowSet> {
    let around = Surroundings {
        messages: trace.ranges.texts(),
        read_file: &|path| std::fs::read_to_string(path),
    };
    let spec = WindowSpec::parse(text, &around)?;
    let how = Selection {
        process: args.process.clone(),
        thread: args.thread.clone(),
        attribute_process: args.attribute_process.clone(),
        skip: args.skip,
        take: args.take,
        clip_unclosed: args.unclosed == Some(Unclosed::Clip),
    };
    Ok(select(trace, text, &spec, &how)?)
}
