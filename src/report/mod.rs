//! Documents as text: terminal tables, Markdown, CSV.
//!
//! A document becomes [`Table`]s once ([`analysis`]); the renderers only differ in how a cell is
//! written. Writers take any `Write`; nothing here opens files or looks at the terminal.

pub mod analysis;
mod csv;
mod markdown;
mod table;
mod terminal;

pub use csv::{write_csv, write_tidy};
pub use markdown::write_markdown;
pub use table::{Cell, Column, Table};
pub use terminal::{Style, write_findings, write_lines, write_table};
