//! Results of others on the same kind of machine: tables that `nsys stats` printed, beside the study's shares.
//!
//! Such tables hold sums of a whole capture, without windows ([`crate::legacy`]): their shares are comparable in
//! kind, and only where the capture holds little beside requests. The plan names the files; they stay where they
//! are.

use super::document::CrossReference;
use super::error::StudyError;
use super::measures;
use super::plan::OtherResult;
use super::traced::Rules;
use crate::legacy;

/// The shares of each capture, in the order of the plan.
///
/// # Errors
/// When a file cannot be read, or is no output of `nsys stats`.
pub(super) fn read(
    others: &[OtherResult],
    rules: &Rules,
) -> Result<Vec<CrossReference>, StudyError> {
    let of = |other: &OtherResult| {
        let found = legacy::read(&other.files, &rules.classifier, rules.about.clone())?;
        let shares = measures::shares(&found).into_iter();
        let names = other.files.iter().filter_map(|file| file.file_name());
        Ok(CrossReference {
            label: other.label.clone(),
            files: names.map(|name| name.to_string_lossy().into_owned()).collect(),
            source: other.source.clone(),
            calls: found.api.as_ref().map(|api| api.calls),
            launches: found.api.as_ref().map(|api| api.launch.calls),
            kernels: found.kernels.as_ref().map(|kernels| kernels.count),
            shares: shares.map(|(what, value)| (what.quantity, value)).collect(),
        })
    };
    others.iter().map(of).collect()
}
