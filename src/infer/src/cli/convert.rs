//! `wno-infer convert`: brings data and weights of other programs into the native form.

use std::io::Write;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use serde::de::DeserializeOwned;
use wno_infer::checkpoint::Checkpoint;
use wno_infer::convert::{self, Hints, Tidy};
use wno_infer::formats::{
    NamedArrays, Selection, read_arrays, read_dataset, read_dataset_pair, write_dataset,
};
use wno_infer::model::config::{Activation, ModelConfig, Sites};
use wno_infer::model::weights::parameter_count;
use wno_infer::normaliser::{Normaliser, Statistics};
use wno_infer::wavelet::Wavelet;

/// Converts data or weights of other programs
#[derive(clap::Args)]
pub(crate) struct ConvertArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(clap::Subcommand)]
enum What {
    Data(DataArgs),
    Weights(Box<WeightsArgs>),
}

/// Coefficients and solutions: .mat (v5 to v7.3), HDF5, .npz, .npy, .safetensors
///
/// Variables are `coeff` and `sol`, or `x` and `y`, of shape (sample, height, width).
#[derive(clap::Args)]
#[command(after_help = "Example: the public Darcy file at 85x85
  wno-infer convert data piececonst_r421_N1024_smooth1.mat --samples 1000 --every 5 -o train.npz")]
struct DataArgs {
    /// File with both variables, or with the coefficients alone
    input: PathBuf,
    /// File with the solutions, where INPUT has the coefficients alone
    #[arg(long, value_name = "FILE")]
    sol: Option<PathBuf>,
    #[command(flatten)]
    part: Part,
    /// File to write, .npz or .safetensors
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(clap::Args)]
struct Part {
    /// Samples to leave out at the start
    #[arg(long, value_name = "N", default_value_t = 0)]
    first: usize,
    /// Samples to take [default: all that follow]
    #[arg(long, value_name = "N")]
    samples: Option<usize>,
    /// Take every n-th node in both directions
    #[arg(long, value_name = "N", default_value_t = 1)]
    every: usize,
}

impl Part {
    fn selection(&self) -> Selection {
        Selection { first: self.first, samples: self.samples, every: self.every }
    }
}

/// Weights: files of torch.save (a state_dict, or the whole model), .safetensors, .npz
///
/// The network is read off names and shapes; what they leave open must be named. A torch file holds no
/// normaliser: give the training data, or the checkpoint gives no errors.
#[derive(clap::Args)]
#[command(after_help = "Example: a published v2 model, trained on the first 1000 samples at 85x85
  wno-infer convert weights WNO_darcy --wavelet db6 --level 4 --train-data train.npz -o dense.safetensors")]
struct WeightsArgs {
    /// File with the weights
    input: PathBuf,
    /// Which set of weights, where a torch file has several
    #[arg(long, value_name = "NAME")]
    key: Option<String>,
    /// Configuration (JSON) in place of what is read off
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Wavelet: haar, db2, db4, db6
    #[arg(long, value_parser = word::<Wavelet>)]
    wavelet: Option<Wavelet>,
    /// Levels of the transform
    #[arg(long, value_name = "N")]
    level: Option<usize>,
    /// Grid points of the training data, as in 85x85 [default: those of --train-data]
    #[arg(long, value_name = "HxW", value_parser = size)]
    size: Option<[usize; 2]>,
    /// Rows and columns appended before the blocks [default: 1]
    #[arg(long, value_name = "N")]
    padding: Option<usize>,
    /// Activation after blocks: gelu, mish, relu, identity [default: that of the published version]
    #[arg(long, value_parser = word::<Activation>)]
    act: Option<Activation>,
    /// Activation in the head [default: that of the published version]
    #[arg(long, value_parser = word::<Activation>)]
    head_act: Option<Activation>,
    /// Mode divisor of v3
    #[arg(long, value_name = "N")]
    omega: Option<usize>,
    /// Where the neurons sit: activations, blocks
    #[arg(long, value_parser = word::<Sites>)]
    sites: Option<Sites>,
    /// Function of firing neurons [default: identity]
    #[arg(long, value_parser = word::<Activation>)]
    phi: Option<Activation>,
    /// Spike time steps [default: 1]
    #[arg(long, value_name = "T")]
    steps: Option<usize>,
    /// Training data, for the normaliser
    #[arg(long, value_name = "FILE")]
    train_data: Option<PathBuf>,
    #[command(flatten)]
    part: Part,
    /// Store kernels in half precision
    #[arg(long)]
    half: bool,
    /// Checkpoint to write, .safetensors
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

/// A word of a configuration.
fn word<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    serde_json::from_value(serde_json::Value::from(text)).map_err(|e| e.to_string())
}

fn size(text: &str) -> Result<[usize; 2], String> {
    let pair = text.split_once('x').and_then(|(h, w)| Some([h.parse().ok()?, w.parse().ok()?]));
    pair.ok_or_else(|| "give height and width, as in 85x85".to_owned())
}

pub(crate) fn run(args: &ConvertArgs) -> anyhow::Result<ExitCode> {
    match &args.what {
        What::Data(args) => data(args),
        What::Weights(args) => weights(args),
    }
}

fn data(args: &DataArgs) -> anyhow::Result<ExitCode> {
    let selection = args.part.selection();
    let dataset = match &args.sol {
        Some(sol) => read_dataset_pair(&args.input, sol, &selection)?,
        None => read_dataset(&args.input, &selection)?,
    };
    let name = args.input.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let taken =
        format!("{name}, from sample {}, every {}th node", args.part.first, args.part.every);
    write_dataset(
        &args.output,
        &dataset,
        &[("format", "wno-infer-data-1".into()), ("origin", taken)],
    )?;
    let [h, w] = dataset.size();
    writeln!(
        std::io::stdout().lock(),
        "{}: {} samples of {h}x{w}",
        args.output.display(),
        dataset.samples()
    )?;
    Ok(ExitCode::SUCCESS)
}

fn weights(args: &WeightsArgs) -> anyhow::Result<ExitCode> {
    if args.output.extension().is_none_or(|e| !e.eq_ignore_ascii_case("safetensors")) {
        bail!("{}: checkpoints are .safetensors files; end the name so", args.output.display());
    }
    let file = read_arrays(&args.input, args.key.as_deref())?;
    let shown = || args.input.display().to_string();
    let mut tidy = convert::tidy(file.arrays.clone()).with_context(shown)?;
    let normaliser = args.normaliser(&mut tidy)?;
    let config = args.config(&file, &tidy, normaliser.as_ref()).with_context(shown)?;
    convert::check(&tidy.arrays, &config).with_context(shown)?;
    if let Some(Normaliser { x, .. }) = &normaliser
        && x.mean.shape != config.size
    {
        bail!(
            "the normaliser has {:?} points, the network {:?}; is --every right?",
            x.mean.shape,
            config.size
        );
    }
    let mut metadata = file.metadata;
    metadata.insert("config".into(), serde_json::to_string(&config)?);
    let arrays = std::mem::take(&mut tidy.arrays);
    let checkpoint = Checkpoint {
        config,
        arrays,
        normaliser,
        extra: std::collections::BTreeMap::new(),
        metadata,
        sha256: String::new(),
    };
    checkpoint.write(&args.output, args.half)?;
    report(args, &file.source, &tidy, &checkpoint)?;
    Ok(ExitCode::SUCCESS)
}

impl WeightsArgs {
    /// Of the training data, or of the file.
    #[allow(clippy::cast_possible_truncation)]
    fn normaliser(&self, tidy: &mut Tidy) -> anyhow::Result<Option<Normaliser>> {
        if let Some(path) = &self.train_data {
            let data = read_dataset(path, &self.part.selection())?;
            let both = Statistics::of(&data.coeff).zip(Statistics::of(&data.sol));
            let (x, y) = both.with_context(|| {
                format!("{}: statistics need at least 2 samples", path.display())
            })?;
            return Ok(Some(Normaliser { x, y }));
        }
        let mut take = |name: &str| {
            let array = tidy.extra.remove(&format!("norm.{name}"))?;
            let values = array.values.iter().map(|&v| v as f32).collect();
            Some(wno_infer::formats::Array { shape: array.shape, values })
        };
        let (xm, xs, ym, ys) = (take("x_mean"), take("x_std"), take("y_mean"), take("y_std"));
        let x = xm.zip(xs).map(|(mean, std)| Statistics { mean, std });
        let y = ym.zip(ys).map(|(mean, std)| Statistics { mean, std });
        Ok(x.zip(y).map(|(x, y)| Normaliser { x, y }))
    }

    /// Named by the caller, carried by the file, or read off the weights.
    fn config(
        &self,
        file: &NamedArrays,
        tidy: &Tidy,
        normaliser: Option<&Normaliser>,
    ) -> anyhow::Result<ModelConfig> {
        if let Some(path) = &self.config {
            let text = std::fs::read_to_string(path).with_context(|| path.display().to_string())?;
            return ModelConfig::parse(&text).with_context(|| path.display().to_string());
        }
        if let Some(text) = file.metadata.get("config") {
            return Ok(ModelConfig::parse(text)?);
        }
        let known = normaliser.and_then(|n| <[usize; 2]>::try_from(n.x.mean.shape.clone()).ok());
        let hints = Hints {
            wavelet: self.wavelet,
            level: self.level,
            size: self.size.or(known),
            padding: self.padding,
            act: self.act,
            head_act: self.head_act,
            omega: self.omega,
            sites: self.sites,
            phi: self.phi,
            steps: self.steps,
        };
        Ok(convert::network(&tidy.arrays, &hints)?)
    }
}

fn report(
    args: &WeightsArgs,
    source: &str,
    tidy: &Tidy,
    checkpoint: &Checkpoint,
) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    let config = &checkpoint.config;
    writeln!(
        out,
        "{}: {} parameters, from {source}",
        args.output.display(),
        parameter_count(config)
    )?;
    writeln!(out, "config: {}", serde_json::to_string(config)?)?;
    for (from, to) in &tidy.renamed {
        writeln!(out, "renamed: {from} -> {to}")?;
    }
    let left: Vec<&str> =
        tidy.left_out.iter().chain(tidy.extra.keys()).map(String::as_str).collect();
    if !left.is_empty() {
        writeln!(out, "left out: {}", left.join(", "))?;
    }
    if checkpoint.normaliser.is_none() {
        writeln!(
            out,
            "no normaliser: give the training data with --train-data, or errors cannot be computed"
        )?;
    }
    Ok(())
}
