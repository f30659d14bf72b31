//! Attribution of latency windows in NVIDIA Nsight Systems exports.
//!
//! The crate answers one question: *where did the latency window's time go?* It reads the SQLite
//! exports of Nsight Systems 2020 to 2026 ([`trace`]), selects the spans that are measured
//! ([`windows`]), names the classes of the kernels ([`classify`]), attributes CUDA API and GPU time
//! inside the windows ([`attribution`]) and shows the result ([`report`]). Data flows in that order;
//! a room uses only rooms before it, and `tests/rooms.rs` holds the table.
//!
//! All trace times are integer nanoseconds since the start of the collection, all spans are
//! half-open. What each number means is written in [`attribution::definitions`] and in
//! `docs/definitions.md`.

pub mod attribution;
pub mod classify;
pub mod cli;
pub mod collect;
pub mod compare;
pub mod dataset;
pub mod finding;
pub mod legacy;
pub mod plots;
pub mod power;
pub mod replay;
pub mod report;
pub mod runs;
pub mod stats;
pub mod study;
pub mod trace;
pub mod units;
pub mod windows;
