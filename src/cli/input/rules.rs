//! The rules for kernel classes, with the identity of their file for the documents.

use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::attribution::provenance::ClassFile;
use crate::classify::{Classifier, SHIPPED_RULES};

/// Rules that can be used, and which they are.
pub(in crate::cli) struct ClassRules {
    /// The rules.
    pub(in crate::cli) classifier: Classifier,
    /// Their file.
    pub(in crate::cli) about: ClassFile,
}

impl ClassRules {
    /// The shipped rules, or those of a file.
    pub(in crate::cli) fn read(file: Option<&Path>) -> Result<Self> {
        let Some(path) = file else {
            let about = ClassFile { path: None, sha256: hash(SHIPPED_RULES) };
            return Ok(Self { classifier: Classifier::shipped()?, about });
        };
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("class rules {} cannot be read", path.display()))?;
        let shown = path.display().to_string();
        let about = ClassFile { sha256: hash(&text), path: Some(shown.clone()) };
        Ok(Self { classifier: Classifier::from_toml(&text, &shown)?, about })
    }
}

fn hash(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}
