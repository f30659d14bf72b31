//! A shape and its elements in C order, as read from any container.

/// A dense array in C order. The product of `shape` is the length of `values`.
#[derive(Debug, Clone, PartialEq)]
pub struct Array<T = f32> {
    /// Extent of each axis, outermost first.
    pub shape: Vec<usize>,
    /// Elements, last axis fastest.
    pub values: Vec<T>,
}

impl<T> Array<T> {
    /// An array of `shape` over `values`, or nothing where their lengths differ.
    #[must_use]
    pub fn new(shape: Vec<usize>, values: Vec<T>) -> Option<Self> {
        (shape.iter().product::<usize>() == values.len()).then_some(Self { shape, values })
    }
}
