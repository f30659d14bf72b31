//! Documents to figures that go into a paper without retouching.
//!
//! One figure, one file: [`shares`] of API time, classes and kernels, [`distribution`]s of latency and
//! launch delay, the [`spectrum`] of kernel durations, the [`timeline`] of a window, the [`waterfall`]
//! of its time, [`power_trace`], latency against energy ([`trade`]), and [`ranges`]: forest plots and
//! tornadoes, such as that of a [`replay`]. Each takes documents, is composed in millimetres ([`scene`]) with the embedded [`font`] and
//! one [`palette`], and gives a [`Figure`], which writes itself as SVG, PNG and PDF, the same bytes
//! every time, with its caption beside it. Nothing here opens a file.

pub mod axis;
mod canvas;
mod caption;
pub mod distribution;
mod figure;
pub mod font;
pub mod forest;
mod group;
mod legend;
pub mod palette;
mod panel;
mod pdf;
mod png;
pub mod power_trace;
pub mod ranges;
pub mod replay;
pub mod scene;
pub mod shares;
pub mod size;
pub mod spectrum;
mod strip;
mod svg;
pub mod timeline;
pub mod trade;
pub mod waterfall;

pub use figure::{Figure, PlotError};
pub use group::Group;
pub use size::Width;
pub use svg::{SvgFont, font_face};
