//! Dense and variable-spiking wavelet neural operators (WNO, VS-WNO), their data, and the two paths on
//! which they are executed: the programs whose latency windows the analyzer attributes.
//!
//! The networks are those of arXiv 2205.02191 (WNO) and arXiv 2311.14710 (VS-WNO); the comparison that
//! asks for them is arXiv 2604.17040. Nothing here uses the analyzer; what passes between the two is
//! text: the command line, NVTX range names, the sidecar document.

pub mod checkpoint;
pub mod convert;
pub mod darcy;
pub mod dataset;
pub mod formats;
pub mod model;
pub mod neuron;
pub mod normaliser;
pub mod paths;
pub mod sidecar;
pub mod stack;
pub mod train;
pub mod verify;
pub mod wavelet;
pub mod whole;
