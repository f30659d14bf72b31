//! (room under construction)
pub mod scrub;
pub mod source;
