//! Which program was run, from which sources, with which environment?
//!
//! The file is found as a shell would find it, before anything is started. Of the environment only
//! variables that change what CUDA programs do are kept; a home folder becomes `~`.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::error::CollectError;
use super::nsys::{is_program, on_path};
use crate::runs::manifest::{FileAbout, Git, ProgramFile};

/// Environment that is worth keeping and safe to publish.
const ALLOWED: [&str; 22] = [
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_CACHE_DISABLE",
    "CUDA_DEVICE_MAX_CONNECTIONS",
    "CUDA_DEVICE_ORDER",
    "CUDA_LAUNCH_BLOCKING",
    "CUDA_MODULE_LOADING",
    "CUDA_VISIBLE_DEVICES",
    "CUDNN_BENCHMARK",
    "MKL_NUM_THREADS",
    "NVIDIA_TF32_OVERRIDE",
    "NVIDIA_VISIBLE_DEVICES",
    "OMP_NUM_THREADS",
    "OMP_PROC_BIND",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "PYTORCH_CUDA_ALLOC_CONF",
    "RAYON_NUM_THREADS",
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_XLA_FLAGS",
    "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE",
    "TORCH_CUDNN_V8_API_DISABLED",
    "XLA_FLAGS",
];

/// Files named on the command line up to this size are hashed.
const LARGEST_INPUT: u64 = 2 << 30;

/// Finds the program that would be run.
///
/// # Errors
/// [`CollectError::Program`] when there is none, or it may not be executed.
pub(super) fn find(program: &str, workdir: Option<&Path>) -> Result<PathBuf, CollectError> {
    let fault = |problem| CollectError::Program { program: program.to_owned(), problem };
    let path = Path::new(program);
    if path.components().count() <= 1 {
        return on_path(OsStr::new(program))
            .ok_or_else(|| fault("no program of this name is on PATH"));
    }
    let path = workdir
        .filter(|_| path.is_relative())
        .map_or_else(|| path.to_path_buf(), |below| below.join(path));
    if !path.exists() {
        return Err(fault("there is no such file"));
    }
    if !is_program(&path) {
        return Err(fault("this is no program that may be executed"));
    }
    Ok(path.canonicalize().unwrap_or(path))
}

/// The program's file, and the other files that the command names.
pub(super) fn describe(
    found: &Path,
    command: &[String],
    workdir: Option<&Path>,
) -> (ProgramFile, Vec<FileAbout>) {
    let inputs: Vec<(PathBuf, &str)> = command
        .iter()
        .skip(1)
        .map(|word| {
            word.split_once('=')
                .filter(|_| word.starts_with('-'))
                .map_or(word.as_str(), |(_, value)| value)
        })
        .map(|word| (workdir.map_or_else(|| PathBuf::from(word), |below| below.join(word)), word))
        .filter(|(path, _)| {
            path.metadata().is_ok_and(|about| about.is_file() && about.len() <= LARGEST_INPUT)
        })
        .collect();
    // An interpreter's revision says nothing; that of the script does.
    let folders = [Some(found), inputs.first().map(|(path, _)| path.as_path())];
    let git = folders.into_iter().flatten().filter_map(Path::parent).find_map(revision);
    let sha256 = FileAbout::of(found, "").ok().map(|about| about.sha256);
    let program = ProgramFile { path: tilde(&found.display().to_string()), sha256, git };
    let inputs =
        inputs.iter().filter_map(|(path, word)| FileAbout::of(path, &tilde(word)).ok()).collect();
    (program, inputs)
}

/// The environment of the allow-list, and the names that were set for the run.
pub(super) fn environment(set: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let allowed =
        ALLOWED.iter().filter_map(|name| Some(((*name).to_owned(), std::env::var(name).ok()?)));
    allowed.chain(set.clone()).map(|(name, value)| (name, tilde(&value))).collect()
}

/// The text with the home folder written `~`.
pub(super) fn tilde(text: &str) -> String {
    match std::env::var("HOME") {
        Ok(home) if home.len() > 1 => text.replace(&home, "~"),
        _ => text.to_owned(),
    }
}

/// The commit of the repository around a folder.
fn revision(folder: &Path) -> Option<Git> {
    let git = |words: &[&str]| {
        let output = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(words)
            .stdin(Stdio::null())
            .output()
            .ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let revision = git(&["rev-parse", "HEAD"])?;
    let dirty =
        git(&["status", "--porcelain", "--untracked-files=no"]).map(|changes| !changes.is_empty());
    Some(Git { revision, dirty })
}
