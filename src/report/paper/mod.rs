//! Reports: a folder of pages, tables and documents, ready for a paper, a notebook or a referee.
//!
//! ```text
//! documents -> Section (section, overview) -> Report (model) -> templates -> files (render)
//!                         ShownTable (shown): one unit a column   latex, html, ../markdown, ../csv
//!                         Timeline (timeline): events of windows, for the page
//!                         Figure (figures): drawn by the room `plots`
//! ```
//!
//! Everything here is text in memory; who writes files and what from is the caller's. A report of
//! another kind fills [`Report`] and its [`Section`]s and renders with the same engine. The variables
//! of templates are described in `docs/report-templates.md`.

mod comparison;
mod figures;
pub mod html;
pub mod latex;
pub mod meaning;
mod model;
mod overview;
mod provenance;
mod quantities;
mod render;
mod replay;
mod section;
mod shown;
mod template;
pub mod timeline;

pub use comparison::of_comparison;
pub use figures::{
    of_analyses as figures_of_analyses, of_comparison as figures_of_comparison,
    of_energies as figure_of_energies, of_lanes as figure_of_lanes, of_power as figure_of_power,
    of_replay as figure_of_replay, ready as drawn,
};
pub use model::{
    Definition, Fact, Figure, InputAbout, Line, Part, Report, ReportFinding, Section, unique_id,
};
pub use overview::overview;
pub use provenance::{Difference, FileAbout, Provenance, SCHEMA, differences, hash};
pub use render::{PageKind, ReportError, ReportFile, Template, render};
pub use replay::{of_replay, of_sensitivity};
pub use section::{of_analysis, of_energy};
pub use shown::{ColumnKind, ShownCell, ShownColumn, ShownTable, Unit};
pub use template::{NAMES as TEMPLATE_NAMES, format_of};
