//! (room under construction)
pub mod source;
