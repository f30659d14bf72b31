//! Named arrays and string metadata in a safetensors file: the native form of weights, normalisers and
//! data. F16, BF16, F32, F64 and the integer types are read and computed in the caller's type.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use super::Array;

/// Why a safetensors file could not be read.
#[derive(Debug, thiserror::Error)]
pub enum SafetensorsError {
    /// The file could not be opened or read.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The bytes are not a safetensors container.
    #[error("{}: not a safetensors file ({reason}); convert it with `wno-infer convert`", path.display())]
    Format {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// A tensor has an element type that no network uses.
    #[error("{}: tensor `{tensor}` has elements of type {dtype}; known are F16, BF16, F32, F64, U8, I32, I64", path.display())]
    Dtype {
        /// The file.
        path: PathBuf,
        /// The tensor.
        tensor: String,
        /// Its type.
        dtype: String,
    },
}

/// The content of a safetensors file, elements widened to f64 (exact for every float type).
#[derive(Debug, Clone, Default)]
pub struct SafetensorsFile {
    /// Arrays by name.
    pub tensors: BTreeMap<String, Array<f64>>,
    /// The header's string metadata.
    pub metadata: BTreeMap<String, String>,
}

/// Reads a whole file.
///
/// # Errors
/// When the file cannot be read, is not a safetensors container, or holds an unknown element type.
pub fn read(path: &Path) -> Result<SafetensorsFile, SafetensorsError> {
    let bytes =
        std::fs::read(path).map_err(|source| SafetensorsError::Io { path: path.into(), source })?;
    parse(&bytes, path)
}

/// The same from bytes; `path` only names the source in errors.
///
/// # Errors
/// As [`read`].
pub fn parse(bytes: &[u8], path: &Path) -> Result<SafetensorsFile, SafetensorsError> {
    let format = |reason: String| SafetensorsError::Format { path: path.into(), reason };
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|e| format(e.to_string()))?;
    let file = SafeTensors::deserialize(bytes).map_err(|e| format(e.to_string()))?;
    let mut out = SafetensorsFile::default();
    for (key, value) in header.metadata().iter().flatten() {
        out.metadata.insert(key.clone(), value.clone());
    }
    for (name, view) in file.tensors() {
        let values = widen(&view).ok_or_else(|| SafetensorsError::Dtype {
            path: path.into(),
            tensor: name.clone(),
            dtype: format!("{:?}", view.dtype()),
        })?;
        out.tensors.insert(name, Array { shape: view.shape().to_vec(), values });
    }
    Ok(out)
}

fn widen(view: &TensorView<'_>) -> Option<Vec<f64>> {
    let data = view.data();
    Some(match view.dtype() {
        Dtype::F64 => each(data, f64::from_le_bytes),
        Dtype::F32 => each(data, |b| f64::from(f32::from_le_bytes(b))),
        Dtype::F16 => each(data, |b| half::f16::from_le_bytes(b).to_f64()),
        Dtype::BF16 => each(data, |b| half::bf16::from_le_bytes(b).to_f64()),
        Dtype::U8 => data.iter().map(|&b| f64::from(b)).collect(),
        Dtype::I32 => each(data, |b| f64::from(i32::from_le_bytes(b))),
        #[allow(clippy::cast_precision_loss)]
        Dtype::I64 => each(data, |b| i64::from_le_bytes(b) as f64),
        _ => return None,
    })
}

fn each<const N: usize>(data: &[u8], read: impl Fn([u8; N]) -> f64) -> Vec<f64> {
    data.as_chunks::<N>().0.iter().map(|&b| read(b)).collect()
}

/// Element type of a written tensor.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// As computed.
    F32,
    /// Rounded to half precision.
    F16,
}

/// Writes tensors and string metadata in the order given. Own writer, because the library's takes the
/// metadata from a hash map: the same content would not be the same bytes twice.
///
/// # Errors
/// When the target does not take the bytes.
pub fn write(
    target: &mut dyn Write,
    tensors: &[(&str, &Array<f32>, Stored)],
    metadata: &[(&str, String)],
) -> io::Result<()> {
    let mut entries = Vec::new();
    if !metadata.is_empty() {
        let pairs: Vec<String> =
            metadata.iter().map(|(k, v)| format!("{}:{}", json(k), json(v))).collect();
        entries.push(format!("\"__metadata__\":{{{}}}", pairs.join(",")));
    }
    let mut begin = 0;
    for (name, array, stored) in tensors {
        let (dtype, width) = match stored {
            Stored::F32 => ("F32", 4),
            Stored::F16 => ("F16", 2),
        };
        let end = begin + array.values.len() * width;
        let (name, shape) = (json(name), &array.shape);
        entries.push(format!(
            "{name}:{{\"dtype\":\"{dtype}\",\"shape\":{shape:?},\"data_offsets\":[{begin},{end}]}}"
        ));
        begin = end;
    }
    let mut header = format!("{{{}}}", entries.join(","));
    header.push_str(&" ".repeat(header.len().next_multiple_of(8) - header.len()));
    target.write_all(&(header.len() as u64).to_le_bytes())?;
    target.write_all(header.as_bytes())?;
    for (_, array, stored) in tensors {
        for block in array.values.chunks(1 << 14) {
            let bytes: Vec<u8> = match stored {
                Stored::F32 => block.iter().flat_map(|v| v.to_le_bytes()).collect(),
                Stored::F16 => {
                    block.iter().flat_map(|v| half::f16::from_f32(*v).to_le_bytes()).collect()
                }
            };
            target.write_all(&bytes)?;
        }
    }
    Ok(())
}

fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
