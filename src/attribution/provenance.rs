//! Under which conditions were these numbers made? What was asked of the trace, and what is known of
//! the run that it records. Types only: whoever reads files fills them (`--skip 5` of a command line,
//! manifest and sidecar of a run folder), so that two documents can be told comparable or not.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What was asked of the trace beside the window specification and the rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Asked {
    /// Instances left out at the beginning.
    pub skip: usize,
    /// Most instances taken after that; null for all.
    pub take: Option<usize>,
    /// Only instances of this process.
    pub process: Option<String>,
    /// Only instances of this thread.
    pub thread: Option<String>,
    /// Whose calls and operations count; null for the instance's own process.
    pub attribute_process: Option<String>,
    /// Whether ranges that were never closed were ended at the last event.
    pub clip_unclosed: bool,
    /// Whether only API calls of the window's own thread count.
    pub own_thread: bool,
    /// The rules that gave kernels their classes.
    pub classes: ClassFile,
}

/// A file of kernel-class rules.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ClassFile {
    /// As it was named; null for the shipped rules.
    pub path: Option<String>,
    /// SHA-256 of its text, in hex.
    pub sha256: String,
}

/// What is known of the run: from the manifest and the sidecar of a run folder.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct RunAbout {
    /// The run folder, as it was named, of a run without a trace; the trace says it otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// The program, as it names itself.
    pub program: Option<String>,
    /// Its software stack.
    pub stack: Option<String>,
    /// The device that it computed on.
    pub device: Option<String>,
    /// The model.
    pub model: Option<String>,
    /// The trained weights; what `--pair-by checkpoint` pairs by.
    pub checkpoint: Option<String>,
    /// `reference` or `request`.
    pub path: Option<String>,
    /// GPUs of the machine.
    pub gpu: Vec<String>,
    /// Version of the driver.
    pub driver: Option<String>,
    /// Version of CUDA.
    pub cuda: Option<String>,
    /// Power mode of the board.
    pub power_mode: Option<String>,
    /// Clock settings, by name.
    pub clocks: BTreeMap<String, String>,
    /// Version of nsys.
    pub nsys: Option<String>,
    /// The options that nsys was given.
    pub nsys_options: Vec<String>,
}
