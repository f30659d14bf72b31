//! The `nsys-attrib` command.

fn main() {}
