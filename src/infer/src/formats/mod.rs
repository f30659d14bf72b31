//! Which files hold arrays, and how are they read and written? Every container is read into the same
//! [`Array`]: a shape and its elements in C order.
//!
//! A malformed file is an error with its name and the part of it; no length or shape that a file claims is
//! allocated before it is held against the size of the file.

mod array;
mod arrays;
mod container;
mod element;
mod error;
mod fields;
mod gather;
mod matv5;
mod matv73;
mod npy;
mod npz;
mod pickle;
pub mod safetensors;
pub mod torch;

pub use array::Array;
pub use arrays::{NamedArrays, read_arrays};
pub use container::{Container, container};
pub use error::FormatError;
pub use fields::{read_dataset, read_dataset_pair, write_dataset};
pub use gather::Selection;
