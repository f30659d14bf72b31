//! What was run, on what, when, and how did it end? The document `nsys-attrib/manifest/1`.
//!
//! Written by the driver when the run starts (outcome `running`) and again when it is over. It never
//! claims more than was checked: files are listed with hashes, the export with what it was seen to hold.
//! No user or host name is in it; of the environment only variables of an allow-list; a home folder in a
//! path is written `~`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::document::Document;
use crate::finding::Finding;
use crate::units::{Bytes, Nanos, UnixTime};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/manifest/1";

/// One run of one program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Manifest {
    /// Always `nsys-attrib/manifest/1`.
    pub schema: String,
    /// What wrote it.
    pub tool: ToolUsed,
    /// The run's place in an experiment; null for a single run.
    #[serde(default)]
    pub experiment: Option<Place>,
    /// Program and arguments, as they were run.
    pub command: Vec<String>,
    /// How the program ended.
    pub outcome: Outcome,
    /// Wall clock when the program was started.
    pub started_unix_ns: UnixTime,
    /// Wall clock when it had ended; null while it runs.
    pub ended_unix_ns: Option<UnixTime>,
    /// Monotonic clock when the program was started.
    #[serde(default)]
    pub started_mono_ns: Option<i64>,
    /// Monotonic clock when it had ended.
    #[serde(default)]
    pub ended_mono_ns: Option<i64>,
    /// Whether nsys recorded the run.
    pub traced: bool,
    /// Which nsys, and how; null for a run that was not traced.
    pub nsys: Option<NsysUsed>,
    /// What the export was seen to hold; null without a verified export.
    #[serde(default)]
    pub trace: Option<TraceSeen>,
    /// The machine before the run.
    pub machine: Machine,
    /// The program's file.
    pub program: ProgramFile,
    /// Other files named on the command line.
    #[serde(default)]
    pub inputs: Vec<FileAbout>,
    /// Environment variables of the allow-list.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The window to analyse when none is named.
    pub window_default: Option<String>,
    /// Spans that the driver made: `idle-before`, `program`, `idle-after`, `power-sync`.
    #[serde(default)]
    pub phases: Vec<Phase>,
    /// Power logs.
    pub power: Vec<PowerAbout>,
    /// Every file of the folder but this one.
    pub files: Vec<FileAbout>,
    /// What tracing cost, where a traced and an untraced run can be compared.
    pub overhead: Option<Overhead>,
    /// Doubts, the most severe first.
    pub findings: Vec<Finding>,
}

/// What wrote a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ToolUsed {
    /// `nsys-attrib`.
    pub name: String,
    /// Its version.
    pub version: String,
}

/// A run's place in an experiment.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The experiment's name.
    pub experiment: String,
    /// Which of its programs.
    pub program: String,
    /// Which repetition, from 1.
    pub repeat: u32,
    /// Which run of the whole experiment, in the order in which they were made, from 1.
    pub position: u32,
    /// Identity of what was asked for; a run with another one is made again.
    pub fingerprint: String,
}

/// How a program ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Outcome {
    /// In a word.
    pub kind: OutcomeKind,
    /// The program's own exit code.
    pub exit_code: Option<i32>,
    /// The signal that ended it.
    pub signal: Option<i32>,
}

/// How a program ended, in a word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum OutcomeKind {
    /// It had not ended when the manifest was written.
    Running,
    /// Exit code 0, and everything that was asked for is there.
    Completed,
    /// Exit code 0, and something that was asked for is not there (see the findings).
    Incomplete,
    /// Another exit code.
    Failed,
    /// Ended by a signal.
    Signalled,
    /// The driver was interrupted and ended it.
    Interrupted,
    /// Ended because its time was over.
    TimedOut,
    /// It could not be started.
    NotStarted,
}

/// Which nsys recorded a run, and how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NsysUsed {
    /// Its version.
    pub version: String,
    /// The options of `nsys profile`, in order.
    pub options: Vec<String>,
    /// What started and stopped the collection (`nvtx:warm@*`, `cudaProfilerApi`); null for the whole run.
    pub capture_range: Option<String>,
    /// What nsys itself returned.
    #[serde(default)]
    pub exit_code: Option<i32>,
}

/// What an export was seen to hold.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TraceSeen {
    /// Its file in the folder.
    pub file: String,
    /// Version of nsys that exported it.
    pub exporter_version: Option<String>,
    /// NVTX push/pop and start/end ranges; null without their table.
    pub ranges: Option<u64>,
    /// CUDA API calls; null without their table.
    pub calls: Option<u64>,
    /// Kernels; null without their table.
    pub kernels: Option<u64>,
    /// Instances of the default window; null when none is named.
    pub windows: Option<u64>,
}

/// The machine before a run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Machine {
    /// GPUs.
    pub gpu: Vec<Gpu>,
    /// Version of the NVIDIA driver.
    pub driver: Option<String>,
    /// Version of CUDA that the driver supports.
    pub cuda: Option<String>,
    /// The processor's name, or the board's.
    pub cpu: Option<String>,
    /// Version of the Linux kernel.
    pub kernel: Option<String>,
    /// Power mode of a Jetson (`nvpmodel`).
    pub power_mode: Option<String>,
    /// Clock settings by name (`gpu0.sm_mhz`, `cpu0.governor`, `jetson_clocks`).
    pub clocks: BTreeMap<String, String>,
    /// Temperatures by sensor before the run, in °C.
    pub temperature_c: BTreeMap<String, f64>,
    /// Temperatures by sensor after the run, in °C.
    #[serde(default)]
    pub temperature_after_c: BTreeMap<String, f64>,
}

/// A GPU.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Gpu {
    /// The driver's number.
    pub index: u32,
    /// Its name.
    pub name: String,
}

/// The file of the program that was run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ProgramFile {
    /// Where it was found.
    pub path: String,
    /// Of its bytes; null when it could not be read.
    pub sha256: Option<String>,
    /// Revision of the git repository around it; null outside of one.
    pub git: Option<Git>,
}

/// The state of a git repository.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Git {
    /// The commit.
    pub revision: String,
    /// Whether tracked files differed from it; null when that could not be told.
    pub dirty: Option<bool>,
}

/// A file of the folder, or one that was named.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct FileAbout {
    /// Relative to the folder, or as it was named.
    pub name: String,
    /// Of its bytes.
    pub sha256: String,
    /// Its length.
    pub bytes: Bytes,
}

/// A span of wall time that the driver made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Phase {
    /// `idle-before`, `program`, `idle-after`, `power-sync`.
    pub name: String,
    /// Its start.
    pub start_unix_ns: UnixTime,
    /// Its end.
    pub end_unix_ns: UnixTime,
}

/// A power log of the run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct PowerAbout {
    /// `ina3221`, `nvml`, `rapl`, `tegrastats`, `nvidia-smi`.
    pub source: String,
    /// The log in the folder.
    pub file: String,
    /// Rails, in the order in which they are read.
    pub rails: Vec<String>,
    /// The period that was asked for.
    pub period_ns: Nanos,
    /// Readings that failed or came later than one period.
    pub lost: u64,
    /// Times at which the rails were read.
    #[serde(default)]
    pub samples: u64,
    /// How far the distances of neighbouring readings lie from the period: bins of a tenth of the period.
    #[serde(default)]
    pub jitter: Option<Jitter>,
    /// Processor time of the sampler.
    #[serde(default)]
    pub cpu_ns: Option<Nanos>,
    /// The nice value of the sampler's thread: below 0 where it may be raised.
    #[serde(default)]
    pub nice: Option<i32>,
    /// Why it stopped before its time; null when it did not.
    #[serde(default)]
    pub died: Option<String>,
}

/// Distances of neighbouring readings, as shares of the period.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Jitter {
    /// Smallest distance.
    pub min_ns: Option<Nanos>,
    /// Middle distance.
    pub p50_ns: Option<Nanos>,
    /// 99 of 100 are shorter.
    pub p99_ns: Option<Nanos>,
    /// Largest distance.
    pub max_ns: Option<Nanos>,
    /// Counts by tenths of the period: `[0, 0.1)`, `[0.1, 0.2)`, …; the last holds everything from 2.0 on.
    pub histogram: Vec<u64>,
}

/// What tracing cost.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Overhead {
    /// Median latency of the traced run over that of the untraced one.
    pub latency_traced_over_untraced: f64,
    /// Folder of the other run, beside this one.
    #[serde(default)]
    pub other: Option<String>,
}

impl Document for Manifest {
    const SCHEMA: &'static str = SCHEMA;
    const REMEDY: &'static str = "The driver writes this file whole; if it was edited, undo that, or remove it to use the folder without";

    fn contradiction(&self) -> Option<(String, String)> {
        let fault = |at: &str, problem: &str| Some((at.to_owned(), problem.to_owned()));
        if self.command.is_empty() {
            return fault("command", "is empty");
        }
        if self.ended_unix_ns.is_none() && self.outcome.kind != OutcomeKind::Running {
            return fault("ended_unix_ns", "is missing for a run that is over");
        }
        if self.ended_mono_ns < self.started_mono_ns && self.ended_mono_ns.is_some() {
            return fault("ended_mono_ns", "lies before started_mono_ns");
        }
        if self.traced != self.nsys.is_some() {
            return fault("nsys", "must be there for a traced run, and for no other");
        }
        let inside = |name: &str| {
            let mut parts = std::path::Path::new(name).components();
            parts.all(|part| matches!(part, std::path::Component::Normal(_)))
        };
        let outside = self.power.iter().map(|log| &log.file);
        let outside = outside.chain(self.files.iter().map(|file| &file.name));
        let outside = outside.chain(self.trace.iter().map(|trace| &trace.file));
        let bad = outside.into_iter().find(|name| !inside(name))?;
        Some(("files".to_owned(), format!("`{bad}` does not lie in the folder")))
    }
}

impl OutcomeKind {
    /// Whether the program ran to its end with exit code 0 and left what was asked for.
    pub const fn is_complete(self) -> bool {
        matches!(self, Self::Completed)
    }

    /// In words: `was interrupted`.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Running => "had not ended when its driver stopped",
            Self::Completed => "ran to its end",
            Self::Incomplete => "ended well and left less than was asked for",
            Self::Failed => "failed",
            Self::Signalled => "was ended by a signal",
            Self::Interrupted => "was interrupted",
            Self::TimedOut => "was ended because its time was over",
            Self::NotStarted => "could not be started",
        }
    }
}
