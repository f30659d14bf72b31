//! All named arrays of a file, whatever they are: weights of other programs.

use std::collections::BTreeMap;
use std::path::Path;

use super::container::{Container, container};
use super::element::stream;
use super::error::{FormatError, Origin};
use super::npz::Npz;
use super::{Array, safetensors, torch};

/// Arrays by name, and what the file says about itself.
#[derive(Debug, Clone, Default)]
pub struct NamedArrays {
    /// Arrays in C order; complex ones with a trailing axis of 2.
    pub arrays: BTreeMap<String, Array<f64>>,
    /// String metadata of a safetensors header.
    pub metadata: BTreeMap<String, String>,
    /// How they lay in the file, for a message.
    pub source: String,
}

/// Reads a safetensors, torch or .npz file; `key` chooses among several sets of a torch file.
///
/// # Errors
/// When the file is of another kind, or malformed.
pub fn read_arrays(path: &Path, key: Option<&str>) -> Result<NamedArrays, FormatError> {
    match container(path)? {
        Container::Safetensors => {
            let file = safetensors::read(path)?;
            let source = "safetensors".to_owned();
            Ok(NamedArrays { arrays: file.tensors, metadata: file.metadata, source })
        }
        Container::Torch => {
            let file = torch::read(path, key)?;
            let kind = if file.module { "a whole torch module" } else { "a torch state_dict" };
            let place = if file.prefix.is_empty() { String::new() } else { format!(" at `{}`", file.prefix) };
            let source = format!("{kind}{place}");
            Ok(NamedArrays { arrays: file.tensors, source, ..NamedArrays::default() })
        }
        Container::Npz => Ok(NamedArrays { arrays: read_npz(path)?, source: "npz".to_owned(), ..NamedArrays::default() }),
        Container::Npy | Container::MatV5 | Container::Hdf5 => Err(Origin(path).unsupported(
            "container",
            "weights are read from torch, safetensors and .npz files; save a state_dict() with torch.save",
        )),
    }
}

fn read_npz(path: &Path) -> Result<BTreeMap<String, Array<f64>>, FormatError> {
    let origin = Origin(path);
    let mut archive = Npz::open(path)?;
    let mut arrays = BTreeMap::new();
    for name in archive.names() {
        let part = format!("variable `{name}`");
        let (header, mut source) = archive.variable(&name)?;
        let mut values = Vec::new();
        let kind = (header.element, header.endian);
        stream(&mut source, header.count, kind, (origin, &part), &mut |numbers| {
            values.extend_from_slice(numbers);
            true
        })?;
        let shape: Option<Vec<usize>> =
            header.shape.iter().map(|&e| usize::try_from(e).ok()).collect();
        let shape =
            shape.ok_or_else(|| origin.malformed(&*part, "is too large for this machine"))?;
        let values = if header.fortran { row_major(&shape, &values) } else { values };
        arrays.insert(name, Array { shape, values });
    }
    Ok(arrays)
}

/// Column-major values in row-major order.
fn row_major(shape: &[usize], values: &[f64]) -> Vec<f64> {
    let from = |flat: usize| {
        let (mut rest, mut at) = (flat, 0);
        for axis in (0..shape.len()).rev() {
            let stride: usize = shape[..axis].iter().product();
            at += rest % shape[axis] * stride;
            rest /= shape[axis];
        }
        values[at]
    };
    (0..values.len()).map(from).collect()
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_become_rows() {
        // [[0, 1, 2], [3, 4, 5]] stored column by column.
        assert_eq!(
            super::row_major(&[2, 3], &[0.0, 3.0, 1.0, 4.0, 2.0, 5.0]),
            [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]
        );
        assert_eq!(super::row_major(&[], &[7.0]), [7.0]);
    }
}
