//! What shall be run? A plan: programs, repetitions, order, tracing, power.
//!
//! The command line makes one; a file in TOML holds one that can be repeated:
//!
//! ```toml
//! name = "dense-vs-spiking"
//! repeat = 5
//! warmup = 1
//! order = "interleave"                  # A B B A A B …; or "sequence"
//! modes = ["traced", "untraced"]        # shares from the first, latency and energy from the second
//! window = "latency"
//! cooldown = { pause = "10s", below_c = 45.0 }
//!
//! [trace]
//! apis = ["cuda", "nvtx", "osrt"]
//! [power]
//! sources = ["auto"]
//! period = "50ms"
//!
//! [[program]]
//! name = "dense"
//! command = ["./wno-infer", "run", "--model", "dense"]
//! [[program]]
//! name = "spiking"
//! command = ["./wno-infer", "run", "--model", "vs"]
//! env = { RAYON_NUM_THREADS = "1" }
//! ```
//! Paths are taken from the plan's own folder. Lengths of time carry their unit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::error::CollectError;
use crate::units::Nanos;

/// An experiment: programs and how they are run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan {
    /// The experiment's name.
    pub name: String,
    /// Where its run folders go (default: `runs/<name>` beside the plan).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub out: Option<PathBuf>,
    /// How often each program is run in each mode.
    #[serde(default = "once")]
    pub repeat: u32,
    /// Runs of each program that come first and are not kept.
    #[serde(default)]
    pub warmup: u32,
    /// In which order.
    #[serde(default)]
    pub order: Order,
    /// Traced, untraced or both.
    #[serde(default = "traced_only")]
    pub modes: Vec<Mode>,
    /// The window to analyse when none is named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<String>,
    /// What comes before each run.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cooldown: Option<Cooldown>,
    /// A run that takes longer is ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Length>,
    /// How nsys records.
    #[serde(default)]
    pub trace: TracePlan,
    /// What is read beside the program.
    #[serde(default)]
    pub power: PowerPlan,
    /// Environment of all programs.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
    /// The programs.
    pub program: Vec<ProgramPlan>,
}

/// A program and its arguments.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramPlan {
    /// Its name in the experiment; part of folder names.
    pub name: String,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Where it runs [default: the plan's folder].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workdir: Option<PathBuf>,
    /// Its environment, beside that of the plan.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub env: BTreeMap<String, String>,
}

/// In which order programs are run.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Order {
    /// All runs of the first program, then those of the next: A A B B.
    #[default]
    Sequence,
    /// Rounds, every other one backwards, so that a drift hits all alike: A B B A.
    Interleave,
}

/// Whether nsys records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// T: under nsys, for attribution.
    Traced,
    /// E: without, for latency and energy.
    Untraced,
}

/// What comes before each run, so that no run inherits the heat of the one before.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cooldown {
    /// Wait this long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause: Option<Length>,
    /// Wait until the hottest sensor is below this, in °C.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub below_c: Option<f64>,
    /// Look at this sensor only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sensor: Option<String>,
    /// Give up waiting for the temperature after this long [default: 10 min].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_most: Option<Length>,
}

/// How nsys records.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TracePlan {
    /// What is traced [default: cuda, nvtx, osrt, and cudnn and cublas where this nsys knows them].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apis: Vec<String>,
    /// CUDA graphs by `graph` or by `node`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub graph: Option<String>,
    /// Record only inside `profiler` (cudaProfilerStart to Stop) or `nvtx:RANGE[@DOMAIN]`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capture: Option<String>,
    /// Start recording so late.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay: Option<Length>,
    /// Record so long, then end the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Length>,
    /// CPU sampling, which disturbs what is measured.
    #[serde(default)]
    pub sample: bool,
    /// Further options of `nsys profile`, as they are.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
}

/// What is read beside the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PowerPlan {
    /// `auto`, or any of ina3221, nvml, rapl, tegrastats, nvidia-smi; none when empty.
    #[serde(default)]
    pub sources: Vec<String>,
    /// Time between readings; each is moved by up to a tenth.
    #[serde(default = "default_period")]
    pub period: Length,
    /// Idle time before the program.
    #[serde(default = "ten_seconds")]
    pub idle_before: Length,
    /// Idle time after the program.
    #[serde(default = "ten_seconds")]
    pub idle_after: Length,
    /// Write each reading into the trace as an NVTX mark.
    #[serde(default)]
    pub in_trace: bool,
    /// A second of full load between idle seconds, before and after the program.
    #[serde(default)]
    pub sync_pulse: bool,
    /// Read nothing beside traced runs: energies come from untraced ones, and idle times take long.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub only_untraced: bool,
}

/// A length of time, in text `50ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Length(pub Nanos);

const fn once() -> u32 {
    1
}

fn traced_only() -> Vec<Mode> {
    vec![Mode::Traced]
}

const fn default_period() -> Length {
    Length(Nanos::from_ns(50_000_000))
}

const fn ten_seconds() -> Length {
    Length(Nanos::from_ns(10_000_000_000))
}

impl Default for PowerPlan {
    fn default() -> Self {
        Self {
            sources: Vec::new(),
            period: default_period(),
            idle_before: ten_seconds(),
            idle_after: ten_seconds(),
            in_trace: false,
            sync_pulse: false,
            only_untraced: false,
        }
    }
}

impl PowerPlan {
    /// Whether anything is read at all.
    pub const fn is_on(&self) -> bool {
        !self.sources.is_empty()
    }

    /// Whether something of ours must run inside the traced process tree.
    pub const fn needs_wrapper(&self) -> bool {
        self.in_trace || self.sync_pulse
    }
}

impl Plan {
    /// A plan that runs one program once, traced.
    pub fn of(name: &str, command: Vec<String>) -> Self {
        let program =
            ProgramPlan { name: name.to_owned(), command, workdir: None, env: BTreeMap::new() };
        Self {
            name: name.to_owned(),
            out: None,
            repeat: 1,
            warmup: 0,
            order: Order::default(),
            modes: traced_only(),
            window: None,
            cooldown: None,
            timeout: None,
            trace: TracePlan::default(),
            power: PowerPlan::default(),
            env: BTreeMap::new(),
            program: vec![program],
        }
    }

    /// Reads a plan and makes its paths independent of the working directory.
    ///
    /// # Errors
    /// [`CollectError::Plan`] with line and column, or with what cannot be carried out.
    pub fn read(path: &Path) -> Result<Self, CollectError> {
        let fault = |problem: String| CollectError::Plan { path: path.to_path_buf(), problem };
        let text =
            fs::read_to_string(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
        let mut plan: Self = toml::from_str(&text)
            .map_err(|error| fault(error.to_string().trim_end().to_owned()))?;
        let folder =
            path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        plan.out =
            Some(folder.join(plan.out.unwrap_or_else(|| Path::new("runs").join(&plan.name))));
        for program in &mut plan.program {
            program.workdir = Some(
                program
                    .workdir
                    .as_ref()
                    .map_or_else(|| folder.to_path_buf(), |below| folder.join(below)),
            );
        }
        plan.check().map_err(fault)?;
        Ok(plan)
    }

    /// What cannot be carried out, in a sentence with its remedy.
    ///
    /// # Errors
    /// The sentence.
    pub fn check(&self) -> Result<(), String> {
        if self.program.is_empty() {
            return Err(
                "there is no program. Add a [[program]] with a name and a command".to_owned()
            );
        }
        if self.repeat == 0 || self.modes.is_empty() {
            return Err("nothing would be run: `repeat` is 0 or `modes` is empty".to_owned());
        }
        let mut names = BTreeSet::new();
        for program in &self.program {
            let name = &program.name;
            if !is_folder_name(name) {
                return Err(format!(
                    "`{name}` is no name for a program: letters, digits, `-`, `_` and `.` are"
                ));
            }
            if !names.insert(name) {
                return Err(format!(
                    "two programs are called `{name}`. Names tell their runs apart"
                ));
            }
            if program.command.first().is_none_or(String::is_empty) {
                return Err(format!("program `{name}`: `command` is empty"));
            }
        }
        if self.power.period.0.as_ns() < 1_000_000 {
            return Err(format!("power period {} is below 1 ms", self.power.period.0));
        }
        let modes: BTreeSet<Mode> = self.modes.iter().copied().collect();
        if modes.len() < self.modes.len() {
            return Err("`modes` names one twice".to_owned());
        }
        Ok(())
    }
}

/// Whether a text can name a folder anywhere.
pub fn is_folder_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    !name.is_empty() && name.len() <= 100 && name.chars().all(plain) && !name.starts_with('.')
}

impl Mode {
    /// `traced`, `untraced`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Traced => "traced",
            Self::Untraced => "untraced",
        }
    }
}

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Length {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&format!("{}ns", self.0.as_ns()))
    }
}

impl std::str::FromStr for Length {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let length: Nanos = text.parse()?;
        if length.as_ns() < 0 {
            return Err(format!("`{text}` is negative"));
        }
        Ok(Self(length))
    }
}
