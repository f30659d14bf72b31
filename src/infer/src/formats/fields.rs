//! Coefficients and solutions from any container: which variables they are, which part of them is taken.
//!
//! Variables are called `coeff` and `sol`, as in the public Darcy files, or `x` and `y`; shape (sample,
//! height, width). A .npy holds one of the two.

use std::fs::File;
use std::io::BufReader;
use std::path::Path;

use super::container::{Container, container};
use super::element::{product, stream};
use super::error::{FormatError, Origin};
use super::gather::{Gather, Order, Selection};
use super::npz::{self, Npz};
use super::safetensors::{self, Stored};
use super::{Array, matv5, matv73, npy};
use crate::dataset::Dataset;
use crate::whole::write_whole;

const COEFF: [&str; 2] = ["coeff", "x"];
const SOL: [&str; 2] = ["sol", "y"];

/// Reads both fields of a file.
///
/// # Errors
/// When the file is of no known kind or malformed, holds no such variables, the two do not fit to each
/// other, or a value is not finite.
pub fn read_dataset(path: &Path, selection: &Selection) -> Result<Dataset, FormatError> {
    let coeff = read_fields(path, &COEFF, selection)?;
    let sol = read_fields(path, &SOL, selection)?;
    paired(path, coeff, sol)
}

/// Reads the fields of two files, each with one variable or with the usual names.
///
/// # Errors
/// As [`read_dataset`].
pub fn read_dataset_pair(
    coeff: &Path,
    sol: &Path,
    selection: &Selection,
) -> Result<Dataset, FormatError> {
    let fields = read_fields(coeff, &COEFF, selection)?;
    paired(sol, fields, read_fields(sol, &SOL, selection)?)
}

fn paired(path: &Path, coeff: Array<f32>, sol: Array<f32>) -> Result<Dataset, FormatError> {
    let origin = Origin(path);
    if coeff.shape != sol.shape {
        let reason = format!("has shape {:?}, the coefficients {:?}", sol.shape, coeff.shape);
        return Err(origin.malformed("solutions", reason));
    }
    for (name, fields) in [("coefficients", &coeff), ("solutions", &sol)] {
        if let Some(at) = fields.values.iter().position(|v| !v.is_finite()) {
            let sample = at / (fields.shape[1] * fields.shape[2]);
            return Err(
                origin.malformed(name, format!("sample {sample} has a value that is not finite"))
            );
        }
    }
    Ok(Dataset { coeff, sol })
}

/// Reads the first of the `wanted` variables that is there.
fn read_fields(
    path: &Path,
    wanted: &[&str],
    selection: &Selection,
) -> Result<Array<f32>, FormatError> {
    match container(path)? {
        Container::Npy => read_npy(path, selection),
        Container::Npz => read_npz(path, wanted, selection),
        Container::Safetensors => read_safetensors(path, wanted, selection),
        Container::MatV5 => matv5::read_fields(path, wanted, selection),
        Container::Hdf5 => matv73::read_fields(path, wanted, selection),
        Container::Torch => Err(Origin(path).unsupported(
            "archive",
            "a torch file holds weights here, not fields; save tensors of fields with numpy.savez(file, coeff=..., sol=...)",
        )),
    }
}

fn read_npy(path: &Path, selection: &Selection) -> Result<Array<f32>, FormatError> {
    let origin = Origin(path);
    let file = File::open(path).map_err(|e| origin.io(e))?;
    let length = file.metadata().map_err(|e| origin.io(e))?.len();
    let mut source = BufReader::with_capacity(1 << 20, file);
    let header = npy::header(&mut source, (origin, "header"), length, false)?;
    let mut gather = begin(origin, "array", &header.shape, header.fortran, selection)?;
    let kind = (header.element, header.endian);
    stream(&mut source, header.count, kind, (origin, "array"), &mut |numbers| {
        gather.push(numbers)
    })?;
    Ok(gather.finish())
}

fn read_npz(
    path: &Path,
    wanted: &[&str],
    selection: &Selection,
) -> Result<Array<f32>, FormatError> {
    let origin = Origin(path);
    let mut archive = Npz::open(path)?;
    let names = archive.names();
    let name = pick(wanted, &names).ok_or_else(|| origin.missing(wanted, &names))?;
    let part = format!("variable `{name}`");
    let (header, mut source) = archive.variable(&name)?;
    let mut gather = begin(origin, &part, &header.shape, header.fortran, selection)?;
    let kind = (header.element, header.endian);
    stream(&mut source, header.count, kind, (origin, &part), &mut |numbers| gather.push(numbers))?;
    Ok(gather.finish())
}

fn read_safetensors(
    path: &Path,
    wanted: &[&str],
    selection: &Selection,
) -> Result<Array<f32>, FormatError> {
    let origin = Origin(path);
    let mut file = safetensors::read(path)?;
    let names: Vec<String> = file.tensors.keys().cloned().collect();
    let name = pick(wanted, &names).ok_or_else(|| origin.missing(wanted, &names))?;
    let array = file.tensors.remove(&name).ok_or_else(|| origin.missing(wanted, &names))?;
    let shape: Vec<u64> = array.shape.iter().map(|&e| e as u64).collect();
    let mut gather = begin(origin, &format!("tensor `{name}`"), &shape, false, selection)?;
    gather.push(&array.values);
    Ok(gather.finish())
}

/// The first wanted name that is there; a single variable needs no name.
pub(super) fn pick(wanted: &[&str], names: &[String]) -> Option<String> {
    let named = wanted.iter().find(|w| names.iter().any(|n| n == *w)).map(|w| (*w).to_owned());
    named.or_else(|| if let [only] = names { Some(only.clone()) } else { None })
}

/// A gather for a variable of `shape`, (sample, height, width) and perhaps trailing ones.
pub(super) fn begin(
    origin: Origin<'_>,
    part: &str,
    shape: &[u64],
    fortran: bool,
    selection: &Selection,
) -> Result<Gather, FormatError> {
    let ones = shape.iter().rev().take_while(|&&e| e == 1).count();
    let kept = &shape[..shape.len().min(3).max(shape.len() - ones)];
    let &[n, h, w] = kept else {
        let reason = format!("has shape {shape:?}; fields are (sample, height, width)");
        return Err(origin.malformed(part, reason));
    };
    if product(shape).is_none() {
        return Err(origin.malformed(part, format!("shape {shape:?} is too large")));
    }
    let order = if fortran { Order::SampleFastest } else { Order::SampleSlowest };
    Gather::new([n, h, w], order, selection).map_err(|reason| origin.malformed(part, reason))
}

/// Writes both fields as F32, as .npz or .safetensors by the name of the file; `about` goes into the header
/// of the latter.
///
/// # Errors
/// When the name has another ending, or the file cannot be written.
pub fn write_dataset(
    path: &Path,
    dataset: &Dataset,
    about: &[(&str, String)],
) -> Result<(), FormatError> {
    let ending = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match ending.as_deref() {
        Some("npz") => npz::write(path, &[("coeff", &dataset.coeff), ("sol", &dataset.sol)]),
        Some("safetensors") => write_whole(path, |target| {
            let tensors =
                [("coeff", &dataset.coeff, Stored::F32), ("sol", &dataset.sol, Stored::F32)];
            safetensors::write(target, &tensors, about)
        })
        .map_err(|error| Origin(path).io(error)),
        _ => Err(Origin(path)
            .unsupported("name", "data is written as .npz or .safetensors; end the name so")),
    }
}
