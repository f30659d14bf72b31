//! MATLAB's MAT files of version 7.3, which are HDF5 after a user block of 512 bytes, and any other HDF5.
//!
//! MATLAB writes its column-major arrays with all axes reversed, so that (sample, height, width) is stored
//! as (width, height, sample); it marks each variable with the attribute `MATLAB_class`. An HDF5 file
//! without that mark (h5py's, say) is taken as it stands. Read slab by slab, chunked, deflated or shuffled
//! as it may be.

use std::path::Path;

use hdf5_pure::{Chunk, ChunkIndex, DType, Dataset, File};

use super::Array;
use super::element::{fits, product};
use super::error::{FormatError, Origin};
use super::fields::{begin, pick};
use super::gather::Selection;

/// Numbers decoded at a time: 32 MB.
const SLAB: u64 = 1 << 22;

/// As many where chunks are so deep that fewer would inflate each of them again: 256 MB.
const DEEP_SLAB: u64 = 1 << 25;

/// Reads the first of the `wanted` variables, or the only one.
pub(super) fn read_fields(
    path: &Path,
    wanted: &[&str],
    selection: &Selection,
) -> Result<Array<f32>, FormatError> {
    let origin = Origin(path);
    let file = File::open_streaming(path)
        .map_err(|e| origin.malformed("HDF5 container", e.to_string()))?;
    let names =
        file.root().datasets().map_err(|e| origin.malformed("root group", e.to_string()))?;
    let name = pick(wanted, &names).ok_or_else(|| origin.missing(wanted, &names))?;
    let part = format!("variable `{name}`");
    let failed = |e: hdf5_pure::Error| origin.malformed(&*part, e.to_string());
    let dataset = file.dataset(&name).map_err(failed)?;
    let numeric = dataset.dtype().map_err(failed)?;
    if !is_number(&numeric) {
        return Err(
            origin.malformed(&*part, format!("has elements of type {numeric:?}, not numbers"))
        );
    }
    let stored = dataset.shape().map_err(failed)?;
    let matlab = dataset.attrs().map_err(failed)?.contains_key("MATLAB_class");
    let mut shape = stored.clone();
    if matlab {
        shape.reverse();
    }
    check_size(origin, &part, &dataset, path)?;
    let mut gather = begin(origin, &part, &shape, matlab, selection)?;
    let rows_total = stored.first().copied().unwrap_or(0);
    let slab = slab_rows(&stored, dataset.chunk_shape().map_err(failed)?.as_deref());
    let mut row = 0;
    while row < rows_total {
        let rows = slab.min(rows_total - row);
        let wanted =
            (row..row + rows).any(|r| usize::try_from(r).is_ok_and(|r| gather.keeps_slowest(r)));
        if wanted {
            let numbers = dataset.read_f64_rows(row, rows).map_err(failed)?;
            if !gather.push(&numbers) {
                break;
            }
        } else {
            (0..rows).for_each(|_| gather.skip_slowest());
        }
        row += rows;
    }
    Ok(gather.finish())
}

fn is_number(kind: &DType) -> bool {
    matches!(
        kind,
        DType::F32
            | DType::F64
            | DType::I8
            | DType::I16
            | DType::I32
            | DType::I64
            | DType::U8
            | DType::U16
            | DType::U32
            | DType::U64
    )
}

/// Rows that are read at once: whole chunks, a bounded number of values.
fn slab_rows(stored: &[u64], chunk: Option<&[u64]>) -> u64 {
    let row = product(&stored[1.min(stored.len())..]).unwrap_or(u64::MAX).max(1);
    let deep = chunk.and_then(|c| c.first()).copied().unwrap_or(1).max(1);
    let rows = (SLAB / row).max(1);
    if rows >= deep {
        rows / deep * deep
    } else if deep.saturating_mul(row) <= DEEP_SLAB {
        deep
    } else {
        rows
    }
}

/// A shape or a chunk may be larger than the file only as far as deflating explains it: the library
/// allocates a chunk before it reads it.
fn check_size(
    origin: Origin<'_>,
    part: &str,
    dataset: &Dataset,
    path: &Path,
) -> Result<(), FormatError> {
    let failed = |e: hdf5_pure::Error| origin.malformed(part, e.to_string());
    let length = std::fs::metadata(path).map_err(|e| origin.io(e))?.len();
    let width = usize::try_from(dataset.element_size().map_err(failed)?).unwrap_or(usize::MAX);
    let chunk = dataset.chunk_shape().map_err(failed)?.unwrap_or_default();
    for (what, extents) in [("shape", dataset.shape().map_err(failed)?), ("chunk", chunk)] {
        if !fits(product(&extents).unwrap_or(u64::MAX), width, length, true) {
            return Err(origin
                .malformed(part, format!("{what} {extents:?} is larger than the file can hold")));
        }
    }
    // Sizes of stored chunks are allocated too. One kind of index cannot be listed; its sizes are at most 4 GB.
    let chunks = match dataset.chunk_index().map_err(failed)? {
        None | Some(ChunkIndex::BTreeV2) => Vec::new(),
        Some(_) => dataset.chunks().map_err(failed)?,
    };
    let beyond = |c: &Chunk| c.address.checked_add(c.storage_size).is_none_or(|end| end > length);
    match chunks.iter().find(|c| beyond(c)) {
        Some(c) => {
            Err(origin.malformed(part, format!("the chunk at {:?} ends beyond the file", c.offset)))
        }
        None => Ok(()),
    }
}
