//! Documents as text: terminal tables, Markdown, CSV; and reports with LaTeX and HTML ([`paper`]).
//!
//! A document becomes [`Table`]s once ([`analysis`]); the renderers only differ in how a cell is
//! written. Writers take any `Write`; nothing here opens files or looks at the terminal.

pub mod analysis;
pub mod answer;
mod checks;
mod chrome;
pub mod classes;
pub mod comparison;
mod csv;
pub mod energy;
pub mod info;
pub mod line;
mod markdown;
mod notes;
pub mod paper;
mod perfetto;
pub mod power;
pub mod replay;
pub mod sensitivity;
pub mod summary;
mod table;
mod terminal;
mod tracks;
pub mod windows;

pub use checks::{write_annotations, write_junit};
pub use chrome::write_chrome;
pub use csv::{write_csv, write_tidy};
pub use markdown::write_markdown;
pub use notes::{shell_word, write_heading, write_notes};
pub use perfetto::write_perfetto;
pub use table::{Cell, Column, Table};
pub use terminal::{Style, write_findings, write_lines, write_table};
