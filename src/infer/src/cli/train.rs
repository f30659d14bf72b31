//! `wno-infer train`: trains a network, or goes on where a training stopped.

use std::collections::BTreeMap;
use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use wno_infer::checkpoint::Checkpoint;
use wno_infer::formats::{Selection, read_dataset};
use wno_infer::model::config::{ModelConfig, Sites, Variant};
use wno_infer::stack::Surrogate;
use wno_infer::train::{self, EpochLog, Fields, Recipe, Schedule, Session, Trained, Watch};
use wno_infer::whole::{make_folder_of, write_whole};

use super::device::DeviceArgs;
use super::network::Kind;

/// Trains a dense or spiking network
///
/// Stores its state after every epoch beside the checkpoint (OUT.state) and goes on from there when called
/// again. The same seed and thread count give the same weights on the same machine.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  wno-infer data --samples 600 --solve-at 85 --every 3 --seed 1 -o train.npz
  wno-infer data --samples 100 --solve-at 85 --every 3 --seed 2 -o test.npz
  wno-infer train --model vs --train train.npz --test test.npz --seed 0 -o vs-0.safetensors
  wno-infer train --model dense --published --train train.npz --test test.npz -o dense.safetensors   (85x85; use a GPU)")]
pub(crate) struct TrainArgs {
    /// Network
    #[arg(long, value_enum)]
    model: Kind,
    /// Training samples
    #[arg(long, value_name = "FILE")]
    train: PathBuf,
    /// Test samples
    #[arg(long, value_name = "FILE")]
    test: PathBuf,
    /// Checkpoint to write; its log is written beside it (OUT.csv)
    #[arg(short, long = "out", value_name = "OUT")]
    out: PathBuf,
    /// Seed of initial weights and of the order of samples
    #[arg(long, value_name = "K", default_value_t = 0)]
    seed: u64,
    /// The published network and recipe: width 64, db6, 85x85 points, 500 epochs, 1e-3 halved every 50
    #[arg(long)]
    published: bool,
    /// Configuration (JSON) in place of the small one (width 12, db4, 29x29 points)
    #[arg(long, value_name = "FILE", conflicts_with = "published")]
    config: Option<PathBuf>,
    /// Where the neurons sit
    #[arg(long, value_enum)]
    sites: Option<SitesArg>,
    /// Spike time steps
    #[arg(long, value_name = "T")]
    steps: Option<usize>,
    /// Epochs in all
    #[arg(long, value_name = "N")]
    epochs: Option<usize>,
    /// Samples a step
    #[arg(long, value_name = "N")]
    batch: Option<usize>,
    /// Adam's rate: initial, or the largest of one cycle
    #[arg(long, value_name = "R")]
    rate: Option<f64>,
    /// Course of the rate: `one-cycle`, or `step:EVERY:FACTOR` in epochs
    #[arg(long, value_name = "COURSE", value_parser = parse_schedule)]
    schedule: Option<Schedule>,
    /// Weights of the layers' spike rates in the loss, one for all or one each
    #[arg(long, value_name = "W", value_delimiter = ',')]
    rate_weights: Vec<f64>,
    /// Derivative that stands in for that of a firing step
    #[arg(long, value_enum, default_value = "fast-sigmoid")]
    surrogate: SurrogateArg,
    /// Test the network every N epochs
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    test_every: u32,
    /// Store kernels as F32 instead of F16
    #[arg(long)]
    full_precision: bool,
    #[command(flatten)]
    device: DeviceArgs,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum SitesArg {
    Activations,
    Blocks,
}

#[derive(clap::ValueEnum, Clone, Copy)]
enum SurrogateArg {
    FastSigmoid,
    Arctangent,
}

fn parse_schedule(text: &str) -> Result<Schedule, String> {
    let wrong = || "give `one-cycle` or `step:EVERY:FACTOR`, as in step:50:0.5".to_string();
    if text == "one-cycle" {
        return Ok(Schedule::OneCycle);
    }
    let (every, factor) =
        text.strip_prefix("step:").and_then(|t| t.split_once(':')).ok_or_else(wrong)?;
    match (every.parse(), factor.parse::<f64>()) {
        (Ok(every), Ok(factor)) if every > 0 && factor > 0.0 => {
            Ok(Schedule::Step { every, factor })
        }
        _ => Err(wrong()),
    }
}

pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<ExitCode> {
    let recipe = args.recipe()?;
    let train = read_dataset(&args.train, &Selection::default())?;
    let test = read_dataset(&args.test, &Selection::default())?;
    let fields = Fields::new(&train, &test).with_context(|| {
        format!(
            "{} samples of {:?} to train on and {} of {:?} to test: at least 2 and 1, of one size, are needed",
            train.samples(),
            train.size(),
            test.samples(),
            test.size()
        )
    })?;
    let (state, csv) = (beside(&args.out, "state"), beside(&args.out, "csv"));
    let session =
        Session { state: &state, test_every: args.test_every as usize, half: !args.full_precision };
    let mut watch = Progress { bar: ProgressBar::hidden(), log: Log::new(&recipe), csv };
    let trained = train::train(args.device.choice()?, &recipe, &fields, session, &mut watch)?;
    watch.bar.finish_and_clear();
    checkpoint(&recipe, &fields, &trained)?.write(&args.out, !args.full_precision)?;
    let (reached, rates) = (trained.reached.error, rates(&trained.reached.rates));
    let out = args.out.display();
    writeln!(std::io::stdout(), "{out}: relative L2 {:.4} %{rates}", reached * 100.0)?;
    Ok(ExitCode::SUCCESS)
}

fn checkpoint(recipe: &Recipe, fields: &Fields, trained: &Trained) -> anyhow::Result<Checkpoint> {
    let metadata = [
        ("config", serde_json::to_string(&recipe.config)?),
        ("format", "wno-infer-checkpoint-1".into()),
        ("recipe", serde_json::to_string(&recipe.record())?),
        ("stack", trained.stack.into()),
        ("test_rel_l2", format!("{:.6}", trained.reached.error)),
        ("test_spike_rates", serde_json::to_string(&trained.reached.rates)?),
        ("version", env!("CARGO_PKG_VERSION").into()),
    ];
    Ok(Checkpoint {
        config: recipe.config.clone(),
        arrays: trained.arrays.clone(),
        normaliser: Some(fields.normaliser.clone()),
        extra: BTreeMap::new(),
        metadata: metadata.into_iter().map(|(k, v)| (k.to_string(), v)).collect(),
        sha256: String::new(),
    })
}

/// A bar on a terminal, and the log on disk.
struct Progress {
    bar: ProgressBar,
    log: Log,
    csv: PathBuf,
}

impl Watch for Progress {
    fn begin(&mut self, epoch: usize, done: usize, total: usize) -> std::io::Result<()> {
        if epoch > 0 {
            self.log = Log(std::fs::read_to_string(&self.csv)?);
            self.log.keep(epoch);
        }
        self.bar = bar(total, done);
        Ok(())
    }

    fn batch(&mut self) {
        self.bar.inc(1);
    }

    fn epoch(&mut self, log: &EpochLog) -> std::io::Result<()> {
        self.bar.set_message(describe(log));
        self.log.push(log);
        make_folder_of(&self.csv)?;
        write_whole(&self.csv, |file| file.write_all(self.log.0.as_bytes()))
    }
}

impl TrainArgs {
    fn recipe(&self) -> anyhow::Result<Recipe> {
        let base = match (&self.config, self.published) {
            (Some(path), _) => {
                let text =
                    std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
                ModelConfig::parse(&text).with_context(|| path.display().to_string())?
            }
            (None, true) => ModelConfig::published(Variant::V2),
            (None, false) => ModelConfig::small(),
        };
        let mut config = ModelConfig { spiking: self.model == Kind::Vs, ..base };
        if let Some(sites) = self.sites {
            config.sites = match sites {
                SitesArg::Activations => Sites::Activations,
                SitesArg::Blocks => Sites::Blocks,
            };
        }
        if let Some(steps) = self.steps {
            config.steps = steps;
        }
        config.check()?;
        if self.rate_weights.iter().any(|w| !w.is_finite() || *w < 0.0) {
            bail!("--rate-weights: give finite numbers of at least 0");
        }
        let mut recipe = Recipe::small(config, self.seed);
        if self.published {
            recipe.epochs = 500;
            recipe.rate = 1e-3;
            recipe.schedule = Schedule::Step { every: 50, factor: 0.5 };
        }
        recipe.epochs = self.epochs.unwrap_or(recipe.epochs);
        recipe.batch = self.batch.unwrap_or(recipe.batch);
        recipe.rate = self.rate.unwrap_or(recipe.rate);
        recipe.schedule = self.schedule.unwrap_or(recipe.schedule);
        recipe.rate_weights.clone_from(&self.rate_weights);
        recipe.surrogate = match self.surrogate {
            SurrogateArg::FastSigmoid => Surrogate::default(),
            SurrogateArg::Arctangent => Surrogate::Arctangent,
        };
        Ok(recipe)
    }
}

fn beside(out: &Path, ending: &str) -> PathBuf {
    let mut name = out.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

fn bar(length: usize, done: usize) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(Some(length as u64), ProgressDrawTarget::stderr());
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    if let Ok(style) =
        ProgressStyle::with_template("{bar:30} {pos}/{len} batches, {eta} left  {msg}")
    {
        bar.set_style(style);
    }
    bar.set_position(done as u64);
    bar.reset_eta();
    bar
}

fn describe(epoch: &EpochLog) -> String {
    let test =
        epoch.test.as_ref().map(|t| format!(", test {:.2} %{}", t.error * 100.0, rates(&t.rates)));
    format!(
        "epoch {}: train {:.2} %{}",
        epoch.epoch,
        epoch.train_error * 100.0,
        test.unwrap_or_default()
    )
}

fn rates(rates: &[f64]) -> String {
    if rates.is_empty() {
        return String::new();
    }
    let list: Vec<String> = rates.iter().map(|r| format!("{:.1}", r * 100.0)).collect();
    format!(", spike rates {} %", list.join(" "))
}

/// The log of a training, one line for each epoch.
struct Log(String);

impl Log {
    fn new(recipe: &Recipe) -> Self {
        let layers = (1..=recipe.config.spiking_layers()).map(|i| format!(",spike_rate_{i}"));
        Self(format!("epoch,rate,train_rel_l2,test_rel_l2{}\n", layers.collect::<String>()))
    }

    /// Drops what is not of the first `epochs` epochs: a run may stop between its log and its state.
    fn keep(&mut self, epochs: usize) {
        let lines: Vec<&str> = self.0.lines().take(epochs + 1).collect();
        self.0 = lines.join("\n") + "\n";
    }

    fn push(&mut self, epoch: &EpochLog) {
        let head = format!("{},{:.6e},{:.6}", epoch.epoch, epoch.rate, epoch.train_error);
        let columns = self.0.lines().next().map_or(0, |line| line.split(',').count());
        let mut cells = vec![head];
        match &epoch.test {
            None => cells.extend(vec![String::new(); columns.saturating_sub(3)]),
            Some(test) => {
                cells.push(format!("{:.6}", test.error));
                cells.extend(test.rates.iter().map(|r| format!("{r:.6}")));
            }
        }
        self.0.push_str(&cells.join(","));
        self.0.push('\n');
    }
}
