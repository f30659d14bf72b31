//! The document `nsys-attrib/energy/1`: the energy of windows, with what they are.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

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
    /// Which trace.
    pub trace: Option<TraceAbout>,
    /// One for each specification, in the order in which they were typed.
    pub sets: Vec<EnergySet>,
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
