//! `wno-infer data`: generates Darcy samples.

use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail};
use indicatif::{ProgressBar, ProgressStyle};
use wno_infer::darcy::{self, Recipe};
use wno_infer::dataset::Dataset;
use wno_infer::formats::write_dataset;

/// Generates pairs of coefficient and solution of Darcy flow
///
/// -div(a grad u) = 1 on the unit square, u = 0 on its edge; a is 12 or 3 by the sign of a Gaussian field.
/// The same seed gives the same samples on any number of threads, and the first N of a longer file are the
/// same N. Train and test sets want different seeds. The data are synthetic.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  wno-infer data --samples 1000 --size 85 --seed 0 -o train.npz
  wno-infer data --samples 700 --solve-at 85 --every 3 --seed 0 -o small.safetensors   (29x29)")]
pub(crate) struct DataArgs {
    /// Number of samples
    #[arg(long, value_name = "N")]
    samples: usize,
    /// Nodes in each direction of the fields that are written [default: 85, or by --solve-at and --every]
    #[arg(long, value_name = "S")]
    size: Option<usize>,
    /// Nodes in each direction of the grid on which the equation is solved [default: --size]
    #[arg(long, value_name = "S")]
    solve_at: Option<usize>,
    /// Of the solved nodes, keep every n-th in both directions [default: 1]
    #[arg(long, value_name = "N")]
    every: Option<usize>,
    /// Which random fields
    #[arg(long, value_name = "K", default_value_t = 0)]
    seed: u64,
    /// Threads that generate samples [default: all processors]
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u16).range(1..=1024))]
    threads: Option<u16>,
    /// File to write, .npz or .safetensors; variables `coeff` and `sol`, F32, (sample, height, width)
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

pub(crate) fn run(args: &DataArgs) -> anyhow::Result<ExitCode> {
    let recipe = args.recipe()?;
    recipe.check()?;
    let ending = args.output.extension().map(|e| e.to_string_lossy().to_lowercase());
    if !matches!(ending.as_deref(), Some("npz" | "safetensors")) {
        bail!(
            "{}: data is written as .npz or .safetensors; end the name so",
            args.output.display()
        );
    }
    let bar = progress(recipe.samples);
    let dataset = darcy::generate(&recipe, args.threads.map(usize::from), &|| bar.inc(1))?;
    bar.finish_and_clear();
    let about = [
        ("format", "wno-infer-data-1".to_owned()),
        ("origin", "synthetic Darcy flow, wno-infer data".to_owned()),
        ("recipe", serde_json::to_string(&recipe).context("recipe")?),
    ];
    write_dataset(&args.output, &dataset, &about)?;
    summary(args, &recipe, &dataset)?;
    Ok(ExitCode::SUCCESS)
}

impl DataArgs {
    /// Any two of size, solver's size and step give the third.
    fn recipe(&self) -> anyhow::Result<Recipe> {
        let (solve_at, every) = match (self.size, self.solve_at, self.every) {
            (size, None, None) => (size.unwrap_or(85), 1),
            (size, None, Some(every)) => {
                let steps = size.unwrap_or(85).saturating_sub(1).checked_mul(every);
                (steps.context("--size times --every is too large")?.saturating_add(1), every)
            }
            (None, Some(solve_at), every) => (solve_at, every.unwrap_or(1)),
            (Some(size), Some(solve_at), None) => (solve_at, step(size, solve_at)?),
            (Some(size), Some(solve_at), Some(every)) => {
                if every == 0 || step(size, solve_at)? != every {
                    bail!(
                        "every {every}th node of {solve_at} are not {size} nodes; leave one of --size, --solve-at, --every out"
                    );
                }
                (solve_at, every)
            }
        };
        Ok(Recipe { samples: self.samples, solve_at, every, seed: self.seed })
    }
}

fn step(size: usize, solve_at: usize) -> anyhow::Result<usize> {
    if size < 2 || solve_at < size || !(solve_at - 1).is_multiple_of(size - 1) {
        bail!(
            "{size} nodes are not a sub-sampling of {solve_at}: {solve_at} - 1 must be a multiple of {size} - 1"
        );
    }
    Ok((solve_at - 1) / (size - 1))
}

/// A bar on a terminal, nothing elsewhere.
fn progress(samples: usize) -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} samples, {eta} left");
    ProgressBar::new(samples as u64)
        .with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

#[allow(clippy::cast_precision_loss)]
fn summary(args: &DataArgs, recipe: &Recipe, dataset: &Dataset) -> anyhow::Result<()> {
    let coeff = &dataset.coeff.values;
    let sol = &dataset.sol.values;
    let high = coeff.iter().filter(|&&a| f64::from(a) == darcy::HIGH).count();
    let most = sol.iter().copied().fold(0.0_f32, f32::max);
    let mean = sol.iter().map(|&u| f64::from(u)).sum::<f64>() / sol.len() as f64;
    writeln!(
        std::io::stdout().lock(),
        "{}: {} samples of {size}x{size}, solved at {at}x{at}, seed {}; a = 12 at {:.1} % of the nodes, u up to {most:.5}, mean {mean:.5}",
        args.output.display(),
        recipe.samples,
        recipe.seed,
        100.0 * high as f64 / coeff.len() as f64,
        size = recipe.size(),
        at = recipe.solve_at,
    )?;
    Ok(())
}
