//! The documents `nsys-attrib/energy/1`: the energy of windows, with what they are, and
//! `nsys-attrib/decomposition/1`: two energies taken apart.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::decomposition::Decomposition;
use crate::attribution::document::{Tool, TraceAbout};
use crate::attribution::energy_document::Energy;
use crate::finding::Finding;
use crate::units::{Nanos, Share};

/// The id of this version of the document.
pub const SCHEMA: &str = "nsys-attrib/energy/1";

/// Energies of one trace, for each window specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergyDocument {
    /// Always `nsys-attrib/energy/1`.
    pub schema: String,
    /// What made it.
    pub tool: Tool,
    /// Which trace; null for a run that was not traced.
    pub trace: Option<TraceAbout>,
    /// The run folder of a run that was not traced; its windows are the requests of its sidecar.
    #[serde(default)]
    pub run: Option<String>,
    /// One for each specification, in the order in which they were typed.
    pub sets: Vec<EnergySet>,
}

impl EnergyDocument {
    /// Without any energy, by this version of the program.
    pub fn empty() -> Self {
        Self {
            schema: SCHEMA.to_owned(),
            tool: Tool {
                name: env!("CARGO_PKG_NAME").to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            trace: None,
            run: None,
            sets: Vec::new(),
        }
    }
}

/// The id of this version of a decomposition.
pub const SCHEMA_DECOMPOSITION: &str = "nsys-attrib/decomposition/1";

/// Two energies and latencies taken apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct DecompositionDocument {
    /// Always `nsys-attrib/decomposition/1`.
    pub schema: String,
    /// The parts.
    #[serde(flatten)]
    pub parts: Decomposition,
}

impl DecompositionDocument {
    /// The document of some parts.
    pub fn of(parts: Decomposition) -> Self {
        Self { schema: SCHEMA_DECOMPOSITION.to_owned(), parts }
    }
}

/// The energies of one window specification.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct EnergySet {
    /// The specification, as typed.
    pub spec: String,
    /// Windows.
    pub count: usize,
    /// Mean length.
    pub mean_ns: Option<Nanos>,
    /// Share of the launched work inside its own window.
    pub contained_share: Option<Share>,
    /// One for each log.
    pub energy: Vec<Energy>,
    /// Doubts, the most severe first.
    pub findings: Vec<Finding>,
}
