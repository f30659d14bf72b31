//! Where is the program that the plan names?
//!
//! Looked for: the environment variable of the plan, the plan's folders, `PATH`.

use std::env;
use std::path::{Path, PathBuf};

use super::error::StudyError;
use super::plan::StudyPlan;
use crate::collect::is_program;

/// The file of the plan's program.
///
/// # Errors
/// [`StudyError::Program`] with where it was looked for.
pub(super) fn find(plan: &StudyPlan) -> Result<PathBuf, StudyError> {
    let spec = &plan.program;
    let fault = |looked: String| StudyError::Program {
        name: spec.name.clone(),
        looked,
        variable: spec.variable.clone(),
    };
    if let Some(named) = env::var_os(&spec.variable).filter(|named| !named.is_empty()) {
        let named = PathBuf::from(named);
        if is_program(&named) {
            return Ok(absolute(&named));
        }
        return Err(fault(format!("{} names {}", spec.variable, named.display())));
    }
    let below = spec.look_in.iter().map(|folder| plan.folder.join(folder).join(&spec.name));
    let on_path = env::var_os("PATH").unwrap_or_default();
    let on_path: Vec<PathBuf> =
        env::split_paths(&on_path).map(|folder| folder.join(&spec.name)).collect();
    let found = below.chain(on_path).find(|path| is_program(path));
    found.map(|path| absolute(&path)).ok_or_else(|| {
        let folders: Vec<String> =
            spec.look_in.iter().map(|f| plan.folder.join(f).display().to_string()).collect();
        fault(format!(
            "{} is not set; neither in {} nor on PATH",
            spec.variable,
            folders.join(", ")
        ))
    })
}

/// Commands are run in the plan's folder.
fn absolute(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}
