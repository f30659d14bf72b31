//! One Parquet file: how it is written, and whether it is what the layout says.
//!
//! Zstandard pages, row groups of [`ROW_GROUP`] rows: small enough for an engine with little memory, large
//! enough to be read quickly. The same rows give the same bytes.

use std::fs::{self, File};
use std::io::{BufWriter, Read, Write};
use std::path::Path;

use polars::prelude::{
    ArrowSchema, DataFrame, ParquetCompression, ParquetReader, ParquetWriter, SerReader,
};
use sha2::{Digest, Sha256};

use super::error::DatasetError;
use super::layout::Table;
use super::rows;

/// Rows of a row group.
pub(super) const ROW_GROUP: usize = 1 << 18;

/// Writes a table to a new file that is on the disk when this returns.
///
/// # Errors
/// When the file cannot be written.
pub(super) fn write(path: &Path, frame: &mut DataFrame) -> Result<(), DatasetError> {
    let file = File::create(path).map_err(DatasetError::file(path))?;
    let mut buffer = BufWriter::new(file);
    ParquetWriter::new(&mut buffer)
        .with_compression(ParquetCompression::Zstd(None))
        .with_row_group_size(Some(ROW_GROUP))
        .set_parallel(false)
        .finish(frame)
        .map_err(DatasetError::parquet(path))?;
    buffer.flush().map_err(DatasetError::file(path))?;
    buffer.get_ref().sync_data().map_err(DatasetError::file(path))
}

/// A table without rows.
pub(super) fn empty(table: &Table) -> DataFrame {
    DataFrame::empty_with_schema(&rows::schema(table))
}

/// Length and SHA-256 of a file, in hex.
///
/// # Errors
/// When it cannot be read.
pub(super) fn hash(path: &Path) -> Result<(u64, String), DatasetError> {
    let mut file = File::open(path).map_err(DatasetError::file(path))?;
    let mut hash = Sha256::new();
    let mut block = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        match file.read(&mut block).map_err(DatasetError::file(path))? {
            0 => break,
            count => {
                hash.update(&block[..count]);
                bytes += count as u64;
            }
        }
    }
    Ok((bytes, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()))
}

/// What is wrong with a file that should hold rows of a table; nothing when it is right.
pub(super) fn differs(path: &Path, table: &Table, rows: u64) -> Option<String> {
    let looked = (|| {
        let file = File::open(path)?;
        let mut reader = ParquetReader::new(file);
        Ok::<_, polars::prelude::PolarsError>((reader.schema()?, reader.num_rows()?))
    })();
    match looked {
        Err(error) => Some(format!("cannot be read as Parquet: {error}")),
        Ok((_, count)) if count as u64 != rows => {
            Some(format!("holds {count} rows, and its commit says {rows}"))
        }
        Ok((schema, _)) => other_columns(&schema, table),
    }
}

fn other_columns(schema: &ArrowSchema, table: &Table) -> Option<String> {
    let known = rows::schema(table);
    for (name, dtype) in known.iter() {
        match schema.get(name) {
            None => return Some(format!("has no column `{name}`")),
            Some(field) => {
                let found = polars::prelude::DataType::from_arrow_dtype(field.dtype());
                if found != *dtype {
                    return Some(format!("`{name}` is {found}, not {dtype}"));
                }
            }
        }
    }
    None
}

/// Reads a whole file.
///
/// # Errors
/// When it cannot be read.
pub(super) fn read(path: &Path) -> Result<DataFrame, DatasetError> {
    let file = File::open(path).map_err(DatasetError::file(path))?;
    ParquetReader::new(file).finish().map_err(DatasetError::parquet(path))
}

/// Makes what was renamed into a folder last through a loss of power.
///
/// # Errors
/// What the system says.
pub(super) fn settle(folder: &Path) -> Result<(), DatasetError> {
    let file = File::open(folder).map_err(DatasetError::file(folder))?;
    file.sync_all().map_err(DatasetError::file(folder))
}

/// Files in a folder by name, without temporary ones; none when there is no folder.
pub(super) fn names(folder: &Path) -> Result<Vec<String>, DatasetError> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(DatasetError::file(folder)(error)),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(DatasetError::file(folder))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.retain(|name| !name.starts_with('.'));
    names.sort();
    Ok(names)
}
