//! What does the program say of its own run? The document `nsys-attrib/sidecar/1`, which the analyzer reads
//! beside a trace or in place of one: integer nanoseconds, missing is null, spike rates between 0 and 1.

use std::path::Path;

use serde::Serialize;

use crate::checkpoint::Checkpoint;
use crate::dataset::Dataset;
use crate::model::config::Sites;
use crate::model::weights::parameter_count;
use crate::model::{Dispatch, ModelConfig, Work};
use crate::paths::reference::ReferenceRun;
use crate::paths::request::RequestRun;
use crate::whole::{make_folder_of, write_whole};

/// The document.
#[derive(Debug, Serialize)]
pub struct Sidecar {
    schema: &'static str,
    program: Program,
    model: Model,
    path: &'static str,
    dispatch: &'static str,
    data: Data,
    layers: Vec<Layer>,
    phases: Vec<Phase>,
    requests: Vec<Request>,
    samples: Vec<Sample>,
    spikes: Vec<Spikes>,
    #[serde(skip_serializing_if = "Option::is_none")]
    sparse_work: Option<SparseWork>,
}

#[derive(Debug, Serialize)]
struct Program {
    name: &'static str,
    version: &'static str,
    stack: &'static str,
    device: &'static str,
}

#[derive(Debug, Serialize)]
struct Model {
    name: &'static str,
    config: ModelConfig,
    parameters: usize,
    checkpoint: CheckpointId,
}

#[derive(Debug, Serialize)]
struct CheckpointId {
    id: String,
    sha256: Option<String>,
    seed: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Data {
    samples: usize,
    size: [usize; 2],
    synthetic: Option<bool>,
}

#[derive(Debug, Serialize)]
struct Layer {
    index: usize,
    name: String,
    nvtx: Option<String>,
}

#[derive(Debug, Serialize)]
struct Phase {
    name: &'static str,
    start_unix_ns: i64,
    end_unix_ns: i64,
}

#[derive(Debug, Serialize)]
struct Request {
    index: usize,
    sample: usize,
    start_unix_ns: i64,
    start_mono_ns: i64,
    latency_ns: i64,
    spike_rates: Option<Vec<f64>>,
}

#[derive(Debug, Serialize)]
struct Sample {
    index: usize,
    rel_l2: f64,
}

#[derive(Debug, Serialize)]
struct Spikes {
    layer: usize,
    count: u64,
    elements: u64,
    rate: Option<f64>,
}

#[derive(Debug, Serialize)]
struct SparseWork {
    multiply_adds: u64,
    multiply_adds_unskipped: u64,
}

/// What a sidecar is about.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// The checkpoint.
    pub checkpoint: &'a Checkpoint,
    /// What pairs a dense and a spiking checkpoint: the file's name without its model, or a seed.
    pub id: &'a str,
    /// Name of the device.
    pub device: &'static str,
    /// How it was carried out.
    pub dispatch: Dispatch,
    /// What it ran on.
    pub data: &'a Dataset,
    /// Whether the data are known to be synthetic.
    pub synthetic: Option<bool>,
    /// Whether the parts of a pass had ranges.
    pub layer_ranges: bool,
}

impl Subject<'_> {
    fn document(&self, path: &'static str, stack: &'static str) -> Sidecar {
        let Checkpoint { config, metadata, sha256, .. } = self.checkpoint;
        let recipe: Option<serde_json::Value> =
            metadata.get("recipe").and_then(|text| serde_json::from_str(text).ok());
        let seed = recipe.and_then(|recipe| recipe.get("seed")?.as_u64());
        Sidecar {
            schema: "nsys-attrib/sidecar/1",
            program: Program {
                name: "wno-infer",
                version: env!("CARGO_PKG_VERSION"),
                stack,
                device: self.device,
            },
            model: Model {
                name: if config.spiking { "vs" } else { "dense" },
                config: config.clone(),
                parameters: parameter_count(config),
                checkpoint: CheckpointId {
                    id: self.id.into(),
                    sha256: (!sha256.is_empty()).then(|| sha256.clone()),
                    seed,
                },
            },
            path,
            dispatch: self.dispatch.name(),
            data: Data {
                samples: self.data.samples(),
                size: self.data.size(),
                synthetic: self.synthetic,
            },
            layers: layers(config, self.layer_ranges),
            phases: vec![],
            requests: vec![],
            samples: vec![],
            spikes: vec![],
            sparse_work: None,
        }
    }

    /// Of a reference run.
    #[must_use]
    pub fn reference(&self, run: &ReferenceRun) -> Sidecar {
        let mut out = self.document("reference", run.stack);
        let samples = run.errors.iter().enumerate();
        out.samples = samples.map(|(index, &rel_l2)| Sample { index, rel_l2 }).collect();
        out.spikes = run
            .counts
            .layers
            .iter()
            .enumerate()
            .map(|(layer, spikes)| Spikes {
                layer,
                count: spikes.count,
                elements: spikes.elements,
                rate: spikes.rate(),
            })
            .collect();
        let Work { done, full } = run.counts.work;
        out.sparse_work =
            (full > 0).then_some(SparseWork { multiply_adds: done, multiply_adds_unskipped: full });
        out
    }

    /// Of a request run.
    #[must_use]
    pub fn request(&self, run: &RequestRun) -> Sidecar {
        let mut out = self.document("request", run.stack);
        out.phases = run
            .phases
            .iter()
            .map(|p| Phase {
                name: p.name,
                start_unix_ns: p.start_unix_ns,
                end_unix_ns: p.end_unix_ns,
            })
            .collect();
        out.requests = run
            .requests
            .iter()
            .enumerate()
            .map(|(index, r)| Request {
                index,
                sample: r.sample,
                start_unix_ns: r.start_unix_ns,
                start_mono_ns: r.start_mono_ns,
                latency_ns: r.latency_ns,
                spike_rates: r.spike_rates.clone(),
            })
            .collect();
        out
    }
}

/// The spiking layers: after blocks, then the head's.
fn layers(config: &ModelConfig, ranges: bool) -> Vec<Layer> {
    (0..config.spiking_layers())
        .map(|index| {
            let in_head = config.sites == Sites::Activations && config.head_site() == Some(index);
            let (name, range) = if in_head {
                ("head".to_string(), "head".to_string())
            } else {
                (format!("block{index}"), format!("block{index}.act"))
            };
            Layer { index, name, nvtx: ranges.then_some(range) }
        })
        .collect()
}

impl Sidecar {
    /// Writes the document whole or not at all.
    ///
    /// # Errors
    /// When the folder cannot be written.
    pub fn write(&self, path: &Path) -> std::io::Result<()> {
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        make_folder_of(path)?;
        write_whole(path, |file| {
            file.write_all(text.as_bytes())?;
            file.write_all(b"\n")
        })
    }
}
