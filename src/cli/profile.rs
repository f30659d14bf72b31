//! `nsys-attrib profile`: a program, or a plan of programs, run under nsys; run folders come out.

use std::collections::BTreeMap;
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, bail};
use clap::Args;

use super::{interrupt, sample};
use crate::collect::experiment::{self, carry_out, steps};
use crate::collect::plan::{
    Cooldown, Length, Mode, Order, Plan, PowerPlan, ProgramPlan, TracePlan,
};
use crate::collect::process::Stream;
use crate::collect::{CollectError, Done, Driver, Event, Nsys, Recipe, Stop};
use crate::finding::Severity;
use crate::runs::Manifest;
use crate::runs::manifest::OutcomeKind;

/// A check failed: a run did not leave what was asked for.
const CHECK_FAILED: u8 = 1;
/// Between programs on the command line.
const NEXT: &str = "---";

#[derive(Args, Debug)]
#[command(
    about = "Run a program under Nsight Systems and come back with a run folder",
    long_about = "Run a program under Nsight Systems and come back with a run folder.\n\n\
        The folder holds the verified export, the program's output, power logs, its sidecar if it wrote one \
        (NSYS_ATTRIB_SIDECAR names the file), and manifest.json, which says what was run, how it ended and what is \
        missing. `analyze` and `energy` take the folder wherever they take a trace. Nothing is ever overwritten. \
        With --repeat, --both, several programs or --plan, an experiment is made: run it again after an \
        interruption, and only what is missing, broken or changed is made again.\n\n\
        The exit code is the program's own when it failed, 1 when something that was asked for is missing, 2 \
        when it could not be run.\n\n\
        Examples:\n  nsys-attrib profile -- ./infer --model vs\n  \
        nsys-attrib profile --power auto --both --repeat 5 -- python infer.py\n  \
        nsys-attrib profile --interleave --repeat 5 --cooldown-to 45 -- ./infer dense --- ./infer vs\n  \
        nsys-attrib profile --plan study.toml\n  nsys-attrib profile --print -- ./infer"
)]
pub(super) struct ProfileArgs {
    /// Where run folders go [default: runs, or what the plan says]
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Name of the run folder or the experiment [default: the program's, numbered]
    #[arg(long, value_name = "NAME", conflicts_with = "plan")]
    name: Option<String>,
    /// The window to analyse later [default: latency, if the program makes it]
    #[arg(long, short, value_name = "SPEC", conflicts_with = "plan")]
    window: Option<String>,
    /// End a run that takes longer
    #[arg(long, value_name = "TIME", conflicts_with = "plan")]
    timeout: Option<Length>,
    /// Environment of the program, beside the inherited one; kept in the manifest
    #[arg(long, value_name = "NAME=VALUE", conflicts_with = "plan")]
    env: Vec<String>,
    /// Print the commands that would be run, and run nothing
    #[arg(long)]
    print: bool,
    /// Do not show the program's output
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    trace: TraceArgs,
    #[command(flatten)]
    experiment: ExperimentArgs,
    #[command(flatten)]
    power: PowerArgs,
    /// Program and arguments; `---` before each further program
    #[arg(
        last = true,
        value_name = "PROGRAM",
        required_unless_present = "plan",
        conflicts_with = "plan"
    )]
    program: Vec<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Tracing")]
struct TraceArgs {
    /// The nsys to use [default: NSYS_ATTRIB_NSYS, PATH, the usual folders]
    #[arg(long, value_name = "PATH")]
    nsys: Option<PathBuf>,
    /// What is traced [default: cuda,nvtx,osrt, and cudnn,cublas where nsys knows them]
    #[arg(long, value_name = "APIS", value_delimiter = ',', conflicts_with = "plan")]
    trace: Vec<String>,
    /// Trace CUDA graphs whole (graph) or by their nodes (node)
    #[arg(long, value_name = "HOW", conflicts_with = "plan")]
    graph_trace: Option<String>,
    /// Record only inside `profiler` (cudaProfilerStart to Stop) or `nvtx:RANGE[@DOMAIN]`
    #[arg(long, value_name = "RANGE", conflicts_with = "plan")]
    capture: Option<String>,
    /// Begin to record so late
    #[arg(long, value_name = "TIME", conflicts_with = "plan")]
    delay: Option<Length>,
    /// Record so long, then end the program
    #[arg(long, value_name = "TIME", conflicts_with = "plan")]
    duration: Option<Length>,
    /// Sample the CPU too, which disturbs what is measured
    #[arg(long, conflicts_with = "plan")]
    sample: bool,
    /// A further option of `nsys profile`, as it is: --nsys-option=--gpu-metrics-device=0
    #[arg(long, value_name = "OPTION", allow_hyphen_values = true, conflicts_with = "plan")]
    nsys_option: Vec<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Experiments")]
struct ExperimentArgs {
    /// Carry out the experiment that this file describes
    #[arg(long, value_name = "FILE")]
    plan: Option<PathBuf>,
    /// Run each program so often
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "plan")]
    repeat: u32,
    /// Runs of each program that come first and are not kept
    #[arg(long, value_name = "N", default_value_t = 0, conflicts_with = "plan")]
    warmup: u32,
    /// Take turns, every other round backwards (A B B A), instead of one program after the other
    #[arg(long, conflicts_with = "plan")]
    interleave: bool,
    /// Run without nsys: for latency and energy
    #[arg(long, conflicts_with_all = ["both", "plan"])]
    untraced: bool,
    /// Run each time with and without nsys, and say what tracing costs
    #[arg(long, conflicts_with = "plan")]
    both: bool,
    /// Wait so long before each run
    #[arg(long, value_name = "TIME", conflicts_with = "plan")]
    cooldown: Option<Length>,
    /// Wait before each run until the hottest sensor is below this, in °C
    #[arg(long, value_name = "CELSIUS", conflicts_with = "plan")]
    cooldown_to: Option<f64>,
    /// Look at this sensor only
    #[arg(long, value_name = "NAME", requires = "cooldown_to")]
    cooldown_sensor: Option<String>,
}

#[derive(Args, Debug)]
#[command(next_help_heading = "Power")]
struct PowerArgs {
    /// Read power beside the program: auto, or any of ina3221, nvml, rapl, tegrastats, nvidia-smi
    #[arg(long, value_name = "NAMES", value_delimiter = ',', conflicts_with = "plan")]
    power: Vec<String>,
    /// Time between readings; each is moved by up to a tenth
    #[arg(long, value_name = "TIME", default_value = "50ms")]
    power_period: Length,
    /// Idle time before the program, while power is read
    #[arg(long, value_name = "TIME", default_value = "10s")]
    idle_before: Length,
    /// Idle time after the program, while power is read
    #[arg(long, value_name = "TIME", default_value = "10s")]
    idle_after: Length,
    /// Write each reading into the trace, on its own clock
    #[arg(long, requires = "power")]
    power_in_trace: bool,
    /// A second of full load between idle seconds, before and after the program
    #[arg(long, conflicts_with = "plan")]
    sync_pulse: bool,
}

pub(super) fn run(args: &ProfileArgs) -> Result<ExitCode> {
    let plan = match &args.experiment.plan {
        Some(file) => Plan::read(file)?,
        None => plan(args)?,
    };
    let stop = Stop::default();
    let (host, nvml) = sample::machine();
    let traced = plan.modes.contains(&Mode::Traced);
    let driver = Driver {
        host,
        nvml,
        nsys: if traced { Some(Nsys::find(args.trace.nsys.as_deref())?) } else { None },
        myself: std::env::current_exe().ok(),
        stop: stop.clone(),
    };
    let single = args.experiment.plan.is_none() && steps(&plan).len() == 1;
    let out =
        args.out.clone().or_else(|| plan.out.clone()).unwrap_or_else(|| PathBuf::from("runs"));
    let in_plan = args.experiment.plan.is_some();
    let out = if single || in_plan { out } else { out.join(&plan.name) };
    if args.print {
        return print(&driver, &plan, &out, single);
    }
    interrupt::forward(&stop);
    let mut show = Show::new(args.quiet, io::stderr().is_terminal());
    let done = if single {
        vec![single_run(&driver, &plan, &out, args.name.is_some(), &mut |event| show.see(&event))?]
    } else {
        carry_out(&driver, &plan, &out, &mut |event| show.see(&event))?
    };
    show.clear();
    say(&done, &out);
    Ok(exit_code(&done, single, steps(&plan).len(), stop.signal()))
}

/// A plan from the command line.
fn plan(args: &ProfileArgs) -> Result<Plan> {
    let commands: Vec<Vec<String>> =
        args.program.split(|word| word == NEXT).map(<[String]>::to_vec).collect();
    let Some(first) = commands.first().and_then(|command| command.first()) else {
        bail!("no program was named")
    };
    let name = args.name.clone().unwrap_or_else(|| plain_name(first));
    let mut plan = Plan::of(&name, Vec::new());
    plan.program = programs(commands);
    let experiment = &args.experiment;
    plan.repeat = experiment.repeat;
    plan.warmup = experiment.warmup;
    plan.order = if experiment.interleave { Order::Interleave } else { Order::Sequence };
    plan.modes = match (experiment.untraced, experiment.both) {
        (true, _) => vec![Mode::Untraced],
        (_, true) => vec![Mode::Traced, Mode::Untraced],
        _ => vec![Mode::Traced],
    };
    if experiment.cooldown.is_some() || experiment.cooldown_to.is_some() {
        plan.cooldown = Some(Cooldown {
            pause: experiment.cooldown,
            below_c: experiment.cooldown_to,
            sensor: experiment.cooldown_sensor.clone(),
            at_most: None,
        });
    }
    plan.window.clone_from(&args.window);
    plan.timeout = args.timeout;
    plan.env = environment(&args.env)?;
    plan.trace = trace(&args.trace);
    plan.power = power(&args.power);
    plan.check().map_err(anyhow::Error::msg)?;
    Ok(plan)
}

fn trace(args: &TraceArgs) -> TracePlan {
    TracePlan {
        apis: args.trace.clone(),
        graph: args.graph_trace.clone(),
        capture: args.capture.clone(),
        delay: args.delay,
        duration: args.duration,
        sample: args.sample,
        options: args.nsys_option.clone(),
    }
}

fn power(args: &PowerArgs) -> PowerPlan {
    PowerPlan {
        sources: args.power.iter().filter(|name| *name != "none").cloned().collect(),
        period: args.power_period,
        idle_before: args.idle_before,
        idle_after: args.idle_after,
        in_trace: args.power_in_trace,
        sync_pulse: args.sync_pulse,
        only_untraced: false,
    }
}

/// Each program under its file's name, numbered where two are alike.
fn programs(commands: Vec<Vec<String>>) -> Vec<ProgramPlan> {
    let mut taken: BTreeMap<String, u32> = BTreeMap::new();
    let named = commands.into_iter().map(|command| {
        let name = plain_name(command.first().map_or("", String::as_str));
        let count = taken.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { name } else { format!("{name}-{count}") };
        ProgramPlan { name, command, workdir: None, env: BTreeMap::new() }
    });
    named.collect()
}

fn plain_name(program: &str) -> String {
    let name = Path::new(program)
        .file_stem()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default();
    let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') { c } else { '-' };
    let name: String = name.chars().map(plain).take(60).collect();
    if name.is_empty() { "run".to_owned() } else { name }
}

fn environment(words: &[String]) -> Result<BTreeMap<String, String>> {
    let split = |word: &String| {
        let (name, value) =
            word.split_once('=').with_context(|| format!("--env {word}: write NAME=VALUE"))?;
        Ok((name.to_owned(), value.to_owned()))
    };
    words.iter().map(split).collect()
}

/// One run: under the name that was given, or the first free number.
fn single_run(
    driver: &Driver,
    plan: &Plan,
    out: &Path,
    named: bool,
    watcher: &mut dyn FnMut(Event<'_>),
) -> Result<Done, CollectError> {
    let mut number = 1;
    loop {
        let recipe = single_recipe(plan, out, named, number);
        match driver.run(&recipe, watcher) {
            // Another driver may have been faster; the next number is free.
            Err(CollectError::Exists { .. }) if !named => number += 1,
            Err(error) => return Err(error),
            Ok(manifest) => return Ok(Done { folder: recipe.folder, manifest, kept: false }),
        }
    }
}

fn single_recipe(plan: &Plan, out: &Path, named: bool, number: u32) -> Recipe {
    let mut recipe = experiment::recipe(plan, steps(plan)[0], 1, out);
    let name = if named { plan.name.clone() } else { format!("{}-{number:03}", plan.name) };
    recipe.folder = out.join(name);
    recipe.place = None;
    recipe
}

/// `--print`: what would be typed by hand.
fn print(driver: &Driver, plan: &Plan, out: &Path, single: bool) -> Result<ExitCode> {
    for (position, step) in (1..).zip(steps(plan)) {
        let recipe = if single {
            single_recipe(plan, out, true, 1)
        } else {
            experiment::recipe(plan, step, position, out)
        };
        let words = driver.command(&recipe)?;
        println!("{}", words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" "));
    }
    Ok(ExitCode::SUCCESS)
}

fn quoted(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./=,:@%+~".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// What a person sees meanwhile: the program's output where it belongs, everything else on standard error.
pub(super) struct Show {
    quiet: bool,
    bar: bool,
    drawn: bool,
}

impl Show {
    /// Quiet leaves out the program's output; a bar needs a terminal.
    pub(super) const fn new(quiet: bool, bar: bool) -> Self {
        Self { quiet, bar, drawn: false }
    }

    pub(super) fn see(&mut self, event: &Event<'_>) {
        match event {
            Event::Output(..) if self.quiet => {}
            // Nobody may be listening any more; the files have it all.
            Event::Output(Stream::Stdout, bytes) => {
                drop(io::stdout().write_all(bytes).and_then(|()| io::stdout().flush()));
            }
            Event::Output(Stream::Stderr, bytes) => drop(io::stderr().write_all(bytes)),
            Event::Progress(step) if self.bar => {
                self.drawn = true;
                eprint!("\rnsys {step}   ");
            }
            Event::Progress(_) => {}
            Event::Started { folder, command, traced } => {
                let how = if *traced { "under nsys" } else { "without nsys" };
                self.line(&format!("{}: {} {how}", folder.display(), command.join(" ")));
            }
            Event::Pause(name, length) => self.line(&format!("{name} {length:.0}")),
            Event::Kept(folder) => self.line(&format!("{}: complete, kept", folder.display())),
            Event::Again(folder, why) => {
                self.line(&format!("{}: made again: {why}", folder.display()));
            }
        }
    }

    fn line(&mut self, text: &str) {
        self.clear();
        eprintln!("nsys-attrib: {text}");
    }

    pub(super) fn clear(&mut self) {
        if std::mem::take(&mut self.drawn) {
            eprint!("\r{:70}\r", "");
        }
    }
}

/// How each run ended, what is in it, what to doubt, what to type next.
fn say(done: &[Done], out: &Path) {
    say_each(done);
    let usable = done.iter().find(|run| run.manifest.trace.is_some());
    match (done, usable) {
        ([_], Some(run)) => eprintln!("next: nsys-attrib analyze {}", run.folder.display()),
        (_, Some(_)) => eprintln!("next: nsys-attrib analyze {}/*-traced-??", out.display()),
        _ => {}
    }
}

/// How each run ended that was made now, what is in it, what to doubt.
pub(super) fn say_each(done: &[Done]) {
    for run in done.iter().filter(|run| !run.kept) {
        eprintln!("nsys-attrib: {}: {}", run.folder.display(), summary(&run.manifest));
        for finding in
            run.manifest.findings.iter().filter(|finding| finding.severity > Severity::Info)
        {
            eprintln!("  {}: {}\n    -> {}", finding.severity, finding.message, finding.remedy);
        }
    }
}

fn summary(manifest: &Manifest) -> String {
    let outcome = &manifest.outcome;
    let mut parts = vec![format!("the program {}", outcome.kind.words())];
    match (outcome.exit_code, outcome.signal) {
        (_, Some(signal)) => parts.push(format!("signal {signal}")),
        (Some(code), None) => parts.push(format!("exit code {code}")),
        (None, None) => {}
    }
    if let Some(trace) = &manifest.trace {
        let count = |name: &str, count: Option<u64>| {
            count.filter(|count| *count > 0).map(|count| format!("{count} {name}"))
        };
        parts.extend(count("NVTX ranges", trace.ranges));
        if let (Some(window), Some(windows)) = (&manifest.window_default, trace.windows) {
            parts.push(format!("{windows} windows `{window}`"));
        }
        parts.extend(count("CUDA calls", trace.calls));
        parts.extend(count("kernels", trace.kernels));
    }
    parts.extend(
        manifest.power.iter().map(|power| format!("{} {} readings", power.samples, power.source)),
    );
    if let Some(overhead) = &manifest.overhead {
        parts.push(format!(
            "latency traced / untraced {:.3}",
            overhead.latency_traced_over_untraced
        ));
    }
    parts.join(", ")
}

/// The program's own code for a single run; else whether everything is there.
fn exit_code(done: &[Done], single: bool, wanted: usize, signal: Option<i32>) -> ExitCode {
    let byte = |code: i32| ExitCode::from(u8::try_from(code).unwrap_or(CHECK_FAILED));
    if let Some(signal) = signal {
        return byte(128 + signal);
    }
    if let ([run], true) = (done, single) {
        let outcome = &run.manifest.outcome;
        return match (outcome.kind, outcome.exit_code, outcome.signal) {
            (OutcomeKind::Completed, ..) => ExitCode::SUCCESS,
            (OutcomeKind::NotStarted, ..) => ExitCode::from(super::COULD_NOT_RUN),
            (_, _, Some(signal)) => byte(128 + signal),
            (_, Some(code), None) if code != 0 => byte(code),
            _ => ExitCode::from(CHECK_FAILED),
        };
    }
    let complete = done.iter().filter(|run| run.manifest.outcome.kind.is_complete()).count();
    if complete == wanted { ExitCode::SUCCESS } else { ExitCode::from(CHECK_FAILED) }
}
