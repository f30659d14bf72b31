//! Which files hold arrays, and how are they read and written? Every container is read into the same
//! [`Array`]: a shape and its elements in C order.

mod array;
pub mod safetensors;

pub use array::Array;
