//! What is the study? Models × checkpoints × paths × repeats, and how they are measured and shown.
//!
//! ```toml
//! name = "dense-vs-spiking"
//! repeat = 2
//! order = "interleave"              # A B, next checkpoint B A, second repeat backwards; or "sequence"
//! window = "latency"
//! base = "dense"                    # what the other models are compared with
//!
//! [program]
//! name = "wno-infer"                # looked for: the variable, `look_in`, PATH
//! variable = "NSYS_ATTRIB_WNO_INFER"
//! look_in = ["../../src/infer/target/release"]
//! args = ["run", "--model", "{model}", "--path", "{path}"]
//!
//! [[model]]                         # its args follow those of the program
//! name = "dense"
//! [[checkpoint]]                    # paired between the models by their name
//! name = "seed-0"
//! args = ["--seed", "0"]
//! [[path]]
//! name = "request"                  # or "reference"
//! args = ["--warmup", "20", "--repeat", "200"]
//! modes = ["untraced", "traced"]
//! ```
//! Results of others, as tables of `nsys stats`, stand beside the study's own shares:
//! ```toml
//! [[cross_reference]]
//! label = "WNO of others, Orin Nano"
//! files = ["others.stats.txt"]      # of one capture: one text, or a CSV file for each report
//! source = "where they are published"
//! ```
//! `[trace]`, `[power]`, `[env]`, `cooldown` and `timeout` are those of plans of `profile`
//! ([`crate::collect::plan`]). Paths are taken from the plan's own folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::error::StudyError;
use crate::collect::Plan;
use crate::collect::plan::{
    Cooldown, Length, Mode, Order, PowerPlan, ProgramPlan, TracePlan, is_folder_name,
};
use crate::runs::sidecar::ExecutionPath;

/// A study: what is run, how it is measured, what is compared, how it is shown.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StudyPlan {
    /// Its name; folders are named by it.
    pub name: String,
    /// Title of the report.
    #[serde(default)]
    pub title: Option<String>,
    /// A sentence for the paragraph on methods: what data, which machine, in which state.
    #[serde(default)]
    pub note: Option<String>,
    /// How often each model and checkpoint is run in each mode.
    #[serde(default = "once")]
    pub repeat: u32,
    /// Runs of each model and checkpoint that come first and are not kept.
    #[serde(default)]
    pub warmup: u32,
    /// In which order.
    #[serde(default)]
    pub order: Order,
    /// The window whose time is attributed.
    #[serde(default = "latency")]
    pub window: String,
    /// Kernel-class rules instead of, or in front of, the shipped ones.
    #[serde(default)]
    pub classes: Option<PathBuf>,
    /// The model with which the others are compared [default: the first].
    #[serde(default)]
    pub base: Option<String>,
    /// The template of the report: `paper`, `notebook`, `brief`.
    #[serde(default = "paper")]
    pub template: String,
    /// Published numbers to stand beside the measured ones.
    #[serde(default)]
    pub published: Option<PathBuf>,
    /// Results of others on the same kind of machine: tables of `nsys stats`.
    #[serde(default)]
    pub cross_reference: Vec<OtherResult>,
    /// What comes before each run.
    #[serde(default)]
    pub cooldown: Option<Cooldown>,
    /// A run that takes longer is ended.
    #[serde(default)]
    pub timeout: Option<Length>,
    /// How nsys records.
    #[serde(default)]
    pub trace: TracePlan,
    /// What is read beside untraced runs of the request path.
    #[serde(default)]
    pub power: PowerPlan,
    /// How a power log becomes energy.
    #[serde(default)]
    pub energy: EnergyPlan,
    /// Environment of the program.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The program.
    pub program: ProgramSpec,
    /// The models.
    pub model: Vec<Variant>,
    /// The checkpoints, which every model has.
    pub checkpoint: Vec<Variant>,
    /// The paths.
    pub path: Vec<PathSpec>,
    /// The plan's own folder.
    #[serde(skip)]
    pub folder: PathBuf,
}

/// The program that is measured.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProgramSpec {
    /// Its name.
    pub name: String,
    /// The environment variable that may name its file.
    #[serde(default = "variable")]
    pub variable: String,
    /// Folders in which it may lie, before `PATH` is looked at.
    #[serde(default)]
    pub look_in: Vec<PathBuf>,
    /// Its first arguments; `{model}`, `{checkpoint}` and `{path}` stand for the names.
    #[serde(default)]
    pub args: Vec<String>,
}

/// A model or a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name.
    pub name: String,
    /// How the report calls it [default: its name].
    #[serde(default)]
    pub label: Option<String>,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Its environment.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

/// One of the two execution paths.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PathSpec {
    /// Which.
    pub name: ExecutionPath,
    /// Its arguments.
    #[serde(default)]
    pub args: Vec<String>,
    /// Traced, untraced or both.
    #[serde(default = "untraced_only")]
    pub modes: Vec<Mode>,
    /// How often, where it is another number than that of the study.
    #[serde(default)]
    pub repeat: Option<u32>,
    /// How long one run was seen to take, for the estimate of time; on which machine says `expected_on`.
    #[serde(default)]
    pub expected: Option<Length>,
    /// Where `expected` was measured.
    #[serde(default)]
    pub expected_on: Option<String>,
}

/// Tables that `nsys stats` printed of one capture of others.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OtherResult {
    /// How the report calls it.
    pub label: String,
    /// The files: one text with several reports, or a CSV file for each report.
    pub files: Vec<PathBuf>,
    /// Where they are published.
    #[serde(default)]
    pub source: Option<String>,
}

/// How a power log becomes energy.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EnergyPlan {
    /// The rail, or rails that may be added up [default: the board's total].
    #[serde(default)]
    pub rail: Option<String>,
    /// Idle power is taken so long before and after the activity [default: phases named idle, else
    /// everything outside it].
    #[serde(default)]
    pub idle: Option<Length>,
}

const fn once() -> u32 {
    1
}

fn latency() -> String {
    "latency".to_owned()
}

fn paper() -> String {
    "paper".to_owned()
}

fn variable() -> String {
    "NSYS_ATTRIB_PROGRAM".to_owned()
}

fn untraced_only() -> Vec<Mode> {
    vec![Mode::Untraced]
}

impl StudyPlan {
    /// Reads a plan.
    ///
    /// # Errors
    /// [`StudyError::Plan`] with line and column, or with what cannot be carried out.
    pub fn read(path: &Path) -> Result<Self, StudyError> {
        let fault = |problem: String| StudyError::Plan { path: path.to_path_buf(), problem };
        let text =
            fs::read_to_string(path).map_err(|error| fault(format!("cannot be read: {error}")))?;
        let mut plan: Self = toml::from_str(&text)
            .map_err(|error| fault(error.to_string().trim_end().to_owned()))?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        plan.folder = folder.unwrap_or(Path::new(".")).to_path_buf();
        let others = plan.cross_reference.iter_mut().flat_map(|other| &mut other.files);
        for below in plan.published.iter_mut().chain(&mut plan.classes).chain(others) {
            *below = plan.folder.join(&*below);
        }
        plan.check().map_err(fault)?;
        Ok(plan)
    }

    /// What cannot be carried out, in a sentence with its remedy.
    fn check(&self) -> Result<(), String> {
        if !is_folder_name(&self.name) {
            return Err(format!(
                "`{}` is no name for a study: letters, digits, `-`, `_` and `.` are",
                self.name
            ));
        }
        for (what, variants) in [("model", &self.model), ("checkpoint", &self.checkpoint)] {
            let mut names = BTreeSet::new();
            if variants.is_empty() {
                return Err(format!("there is no [[{what}]]"));
            }
            for name in variants.iter().map(|variant| &variant.name) {
                if !is_folder_name(name) {
                    return Err(format!(
                        "`{name}` is no name for a {what}: letters, digits, `-`, `_` and `.` are"
                    ));
                }
                if !names.insert(name) {
                    return Err(format!("two [[{what}]] are called `{name}`"));
                }
            }
        }
        let programs: BTreeSet<String> =
            self.cells().map(|(m, c)| self.program_name(m, c)).collect();
        if programs.len() < self.model.len() * self.checkpoint.len() {
            return Err(
                "two pairs of model and checkpoint would give folders of one name: rename one"
                    .to_owned(),
            );
        }
        if let Some(base) = self.base.as_ref().filter(|base| self.model_named(base).is_none()) {
            return Err(format!("`base = \"{base}\"` is none of the models"));
        }
        if self.repeat == 0 {
            return Err("nothing would be run: `repeat` is 0".to_owned());
        }
        if let Some(other) = self.cross_reference.iter().find(|other| other.files.is_empty()) {
            return Err(format!("[[cross_reference]] `{}` names no `files`", other.label));
        }
        self.check_paths()
    }

    fn check_paths(&self) -> Result<(), String> {
        let of = |path| self.path.iter().filter(|spec| spec.name == path).count();
        if of(ExecutionPath::Request) != 1 || of(ExecutionPath::Reference) > 1 {
            return Err(
                "a study has one [[path]] called `request`, and at most one called `reference`"
                    .to_owned(),
            );
        }
        for spec in &self.path {
            // What `profile` would refuse is refused before anything is run.
            let plan = self.experiment(spec, "program", &spec.modes, &PowerPlan::default());
            plan.check().map_err(|why| format!("path `{}`: {why}", path_name(spec.name)))?;
        }
        if self.power.period.0.as_ns() < 1_000_000 {
            return Err(format!("power period {} is below 1 ms", self.power.period.0));
        }
        Ok(())
    }

    /// Places of model and checkpoint, in the order of the plan: pairs stand side by side.
    pub fn cells(&self) -> impl Iterator<Item = (usize, usize)> + '_ {
        (0..self.checkpoint.len()).flat_map(|c| (0..self.model.len()).map(move |m| (m, c)))
    }

    /// The same in the order in which they are run. In turns, every other checkpoint has its models backwards
    /// (A B, B A, …), so that no model always comes first, even when nothing is repeated.
    fn turns(&self) -> Vec<(usize, usize)> {
        let models = self.model.len();
        let turned = |c: usize| self.order == Order::Interleave && !c.is_multiple_of(2);
        let turn = |(m, c): (usize, usize)| (if turned(c) { models - 1 - m } else { m }, c);
        self.cells().map(turn).collect()
    }

    /// The name of a model and checkpoint in its experiment: `dense-seed-0`.
    pub fn program_name(&self, model: usize, checkpoint: usize) -> String {
        format!("{}-{}", self.model[model].name, self.checkpoint[checkpoint].name)
    }

    /// The experiment of a path: `vs-wno-cpu-request`.
    pub fn experiment_name(&self, path: ExecutionPath) -> String {
        format!("{}-{}", self.name, path_name(path))
    }

    /// The place of a model.
    pub fn model_named(&self, name: &str) -> Option<usize> {
        self.model.iter().position(|model| model.name == name)
    }

    /// The place of the model with which the others are compared.
    pub fn base(&self) -> usize {
        self.base.as_ref().and_then(|base| self.model_named(base)).unwrap_or(0)
    }

    /// How often the runs of a path are made.
    pub fn repeats(&self, spec: &PathSpec) -> u32 {
        spec.repeat.unwrap_or(self.repeat)
    }

    /// The runs of one path as an experiment of `profile`; `program` is the file to run.
    pub fn experiment(
        &self,
        spec: &PathSpec,
        program: &str,
        modes: &[Mode],
        power: &PowerPlan,
    ) -> Plan {
        let programs =
            self.turns().into_iter().map(|(m, c)| self.one(spec, program, m, c)).collect();
        let mut plan = Plan::of(&self.experiment_name(spec.name), Vec::new());
        plan.repeat = self.repeats(spec);
        plan.warmup = self.warmup;
        plan.order = self.order;
        plan.modes = modes.to_vec();
        plan.window = Some(self.window.clone());
        plan.cooldown.clone_from(&self.cooldown);
        plan.timeout = self.timeout;
        plan.trace = self.trace.clone();
        plan.power = power.clone();
        plan.env.clone_from(&self.env);
        plan.program = programs;
        plan
    }

    fn one(&self, spec: &PathSpec, program: &str, model: usize, checkpoint: usize) -> ProgramPlan {
        let (m, c) = (&self.model[model], &self.checkpoint[checkpoint]);
        let fill = |word: &String| {
            word.replace("{model}", &m.name)
                .replace("{checkpoint}", &c.name)
                .replace("{path}", path_name(spec.name))
        };
        let args = [&self.program.args, &m.args, &c.args, &spec.args];
        let words = args.into_iter().flatten().map(fill);
        let mut env = m.env.clone();
        env.extend(c.env.clone());
        ProgramPlan {
            name: self.program_name(model, checkpoint),
            command: std::iter::once(program.to_owned()).chain(words).collect(),
            workdir: Some(self.folder.clone()),
            env,
        }
    }
}

impl Variant {
    /// How the report calls it.
    pub fn shown(&self) -> &str {
        self.label.as_deref().unwrap_or(&self.name)
    }
}

/// As it is typed.
pub const fn path_name(path: ExecutionPath) -> &'static str {
    match path {
        ExecutionPath::Reference => "reference",
        ExecutionPath::Request => "request",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAN: &str = r#"
name = "s"
[program]
name = "p"
args = ["run", "--model", "{model}"]
[[model]]
name = "dense"
[[model]]
name = "vs"
args = ["--spike-rates"]
[[checkpoint]]
name = "seed-0"
args = ["--weights", "{model}-0"]
[[path]]
name = "request"
args = ["--path", "{path}"]
"#;

    fn plan(change: impl Fn(String) -> String) -> Result<StudyPlan, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("plan.toml");
        fs::write(&path, change(PLAN.to_owned())).unwrap();
        StudyPlan::read(&path).map_err(|error| error.to_string())
    }

    #[test]
    fn names_are_filled_in_and_pairs_stand_side_by_side() {
        let plan = plan(|text| text).unwrap();
        let made = plan.experiment(&plan.path[0], "/bin/p", &[Mode::Untraced], &plan.power);
        let commands: Vec<String> = made.program.iter().map(|p| p.command.join(" ")).collect();
        assert_eq!(
            commands,
            [
                "/bin/p run --model dense --weights dense-0 --path request",
                "/bin/p run --model vs --spike-rates --weights vs-0 --path request"
            ]
        );
        assert_eq!((made.name.as_str(), made.program[1].name.as_str()), ("s-request", "vs-seed-0"));
    }

    #[test]
    fn in_turns_no_model_always_comes_first() {
        let two =
            |text: String| text.replace("[[path]]", "[[checkpoint]]\nname = \"seed-1\"\n[[path]]");
        let names = |order: &'static str| -> Vec<String> {
            let plan = plan(move |text| {
                two(text).replacen("name", &format!("order = \"{order}\"\nname"), 1)
            });
            let plan = plan.unwrap();
            let made = plan.experiment(&plan.path[0], "/bin/p", &[Mode::Untraced], &plan.power);
            made.program.into_iter().map(|program| program.name).collect()
        };
        assert_eq!(names("interleave"), ["dense-seed-0", "vs-seed-0", "vs-seed-1", "dense-seed-1"]);
        assert_eq!(names("sequence"), ["dense-seed-0", "vs-seed-0", "dense-seed-1", "vs-seed-1"]);
    }

    #[test]
    fn what_cannot_be_carried_out_is_told() {
        let told = |from: &'static str, to: &'static str| {
            plan(move |text| text.replacen(from, to, 1)).unwrap_err()
        };
        assert!(
            told("name = \"s\"", "name = \"s\"\nrepeats = 3").contains("unknown field `repeats`")
        );
        assert!(told("name = \"s\"", "name = \"s\"\nbase = \"x\"").contains("none of the models"));
        assert!(told("name = \"vs\"", "name = \"dense\"").contains("two [[model]]"));
        let none = "name = \"s\"\n[[cross_reference]]\nlabel = \"o\"\nfiles = []";
        assert!(told("name = \"s\"", none).contains("`o` names no `files`"));
        assert!(told("name = \"request\"", "name = \"reference\"").contains("one [[path]]"));
        assert!(told("name = \"s\"", "name = \"a/b\"").contains("no name for a study"));
    }
}
