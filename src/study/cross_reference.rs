//! Results of others on the same kind of machine: tables that `nsys stats` printed, beside the study's shares.
//!
//! Such tables hold sums of a whole capture, without windows ([`crate::legacy`]): their shares are comparable in
//! kind, and only where the capture holds little beside requests. The plan names the files; they stay where they
//! are.

use std::path::PathBuf;

use super::document::CrossReference;
use super::error::StudyError;
use super::measures;
use super::traced::Rules;
use crate::legacy;

/// The shares of each file, in the order of the plan.
///
/// # Errors
/// When a file cannot be read, or is no output of `nsys stats`.
pub(super) fn read(files: &[PathBuf], rules: &Rules) -> Result<Vec<CrossReference>, StudyError> {
    let of = |file: &PathBuf| {
        let found =
            legacy::read(std::slice::from_ref(file), &rules.classifier, rules.about.clone())?;
        let shares = measures::shares(&found).into_iter();
        let file = file.file_name().map(|name| name.to_string_lossy().into_owned());
        Ok(CrossReference {
            file: file.unwrap_or_default(),
            calls: found.api.as_ref().map(|api| api.calls),
            launches: found.api.as_ref().map(|api| api.launch.calls),
            kernels: found.kernels.as_ref().map(|kernels| kernels.count),
            shares: shares.map(|(what, value)| (what.quantity, value)).collect(),
        })
    };
    files.iter().map(of).collect()
}
