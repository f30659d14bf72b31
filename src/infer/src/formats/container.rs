//! What kind of file is this? Told by its first bytes, never by its name.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::error::{FormatError, Origin};
use super::npy;
use super::npz::Npz;

/// Kinds of files that are read here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// One NumPy array.
    Npy,
    /// A zip of NumPy arrays.
    Npz,
    /// The native form.
    Safetensors,
    /// MATLAB 5 to 7.2.
    MatV5,
    /// MATLAB 7.3, and any HDF5.
    Hdf5,
    /// What torch.save writes since 1.6.
    Torch,
}

const HDF5: &[u8; 8] = b"\x89HDF\r\n\x1a\n";

/// Tells the container of a file.
///
/// # Errors
/// When the file cannot be read or is of no known kind; the text says what to do.
pub fn container(path: &Path) -> Result<Container, FormatError> {
    let origin = Origin(path);
    let mut file = File::open(path).map_err(|e| origin.io(e))?;
    let mut start = Vec::new();
    file.by_ref().take(512).read_to_end(&mut start).map_err(|e| origin.io(e))?;
    if start.starts_with(npy::MAGIC) {
        return Ok(Container::Npy);
    }
    if start.starts_with(b"PK") {
        return archive(path);
    }
    if has_hdf5_signature(&mut file) {
        return Ok(Container::Hdf5);
    }
    if let Some(&[major, minor, a, b]) = start.get(124..128).and_then(|v| v.first_chunk()) {
        let little = (a, b) == (b'I', b'M') && (major, minor) == (0, 1);
        let big = (a, b) == (b'M', b'I') && (major, minor) == (1, 0);
        if little || big {
            return Ok(Container::MatV5);
        }
    }
    if start.first_chunk().is_some_and(|&b| u64::from_le_bytes(b) < 1 << 32)
        && start.get(8) == Some(&b'{')
    {
        return Ok(Container::Safetensors);
    }
    if start.starts_with(b"\x80") {
        return Err(origin.unsupported(
            "beginning",
            "a bare pickle, or a file of torch.save before 1.6; load it in Python and save it again with torch.save(model.state_dict(), ...) or as .npz",
        ));
    }
    Err(origin.unsupported(
        "beginning",
        "no known container; known are .npy, .npz, .safetensors, .mat (v5 to v7.3) and files of torch.save. A MATLAB v4 file: save it with `save -v7`",
    ))
}

/// At 0, or after a user block of 512, 1024, 2048 ... bytes.
fn has_hdf5_signature(file: &mut File) -> bool {
    let mut at = 0;
    while at <= 1 << 20 {
        let mut bytes = [0; 8];
        if file.seek(SeekFrom::Start(at)).is_err() || file.read_exact(&mut bytes).is_err() {
            return false;
        }
        if &bytes == HDF5 {
            return true;
        }
        at = if at == 0 { 512 } else { at * 2 };
    }
    false
}

fn archive(path: &Path) -> Result<Container, FormatError> {
    let names = Npz::open(path)?.entries();
    if names.iter().any(|n| n.ends_with(".npy")) {
        return Ok(Container::Npz);
    }
    if names.iter().any(|n| n == "data.pkl" || n.ends_with("/data.pkl")) {
        return Ok(Container::Torch);
    }
    Err(Origin(path).unsupported(
        "archive",
        "neither arrays of NumPy (*.npy) nor a torch file (data.pkl) in it; a TorchScript archive: save its state_dict() with torch.save",
    ))
}
