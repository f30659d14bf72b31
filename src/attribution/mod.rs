//! Time inside windows: by call, by kernel and class, and by cause of idleness.
//!
//! [`Analyzer`] takes a trace and a set of windows and fills the document [`document::Analysis`].
//! Each file here answers one question of that document: [`api`](self) calls, kernels under three
//! rules, busy time, the causes of idle time, the verdict, and the doubts. The definitions are in
//! [`definitions`]; the interval algebra is in [`crate::windows::intervals`].

mod analyze;
mod api;
mod busy;
pub mod busy_split;
pub mod class_groups;
mod class_times;
mod classes;
mod contained;
pub mod definitions;
mod delays;
pub mod document;
pub mod energy_document;
mod gpu_time;
mod idle;
mod idle_stretch;
pub mod imported;
mod in_order;
pub mod kernel_samples;
mod lanes;
pub mod lanes_document;
mod launch_windows;
mod launches;
pub mod provenance;
pub mod requests;
mod rule;
mod scope;
mod timeline;
mod trace_doubts;
mod verdict;
mod window_doubts;
mod window_items;

pub use analyze::{Analyzer, Options};
pub use classes::KernelClasses;
pub use document::Analysis;
pub use idle_stretch::{Cause, Place};
pub use kernel_samples::KernelSamples;
pub use lanes_document::Lanes;
pub use rule::Rule;
pub use timeline::Doing;
pub use trace_doubts::trace_findings;
pub use window_items::{ApiItem, CopyItem, KernelItem, WindowItems};
