//! What the window would take if something were cheaper.
//!
//! A window is read as a program: per thread the calls and the host's time between them, per stream the order
//! of operations, and what waits for what. Run unchanged it must give what was recorded; run with a change it
//! says what the change would give. Shares alone cannot: half of the kernel time may be worth nothing where
//! launching is what takes long.
//!
//! The idea is that of Daydream (Zhu et al., USENIX ATC 2020), dPRO (Hu et al., MLSys 2022) and Lumos (Liang et
//! al., MLSys 2025), here for one window of inference. The rules, and where they end, are in `docs/replay.md`.

mod answer;
mod apply;
mod change;
mod composition;
mod costs;
mod critical_path;
pub mod document;
mod extract;
mod identity;
mod model;
mod program;
mod record;
mod robust;
mod schedule;
mod sensitivity;
pub mod sensitivity_document;
mod spikes;
mod waits;
mod whatif;

pub use change::{Change, ChangeError, Cost, Name, Select, What};
pub use extract::LeftOut;
pub use identity::{Identity, LARGEST_ERROR, LEAST_RECOMPUTED, identities};
pub use model::{Machine, Model};
pub use sensitivity::{RunOf, sensitivity};
pub use spikes::LayerRates;
pub use whatif::{Question, whatif};
