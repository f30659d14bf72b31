//! What goes into a dataset in one piece: one input, with the analyses that were made from it, or the
//! reason why there are none.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::layout::LAYOUT;
use crate::attribution::document::TraceAbout;
use crate::attribution::{Analysis, WindowItems};
use crate::power::document::EnergySet;
use crate::units::UnixTime;

/// Characters of an id: 96 bits, of which no two collide among fewer than some billions of inputs.
const ID_LENGTH: usize = 24;

/// One input.
#[derive(Clone, Debug)]
pub struct Unit {
    /// Its identity, from [`identity`].
    pub id: String,
    /// As it was named.
    pub path: String,
    /// `trace`, `run`, `analysis` or `energy`.
    pub kind: &'static str,
    /// SHA-256 of its content in hex.
    pub sha256: String,
    /// What was asked, as JSON.
    pub options: String,
    /// What the user says of it.
    pub tags: BTreeMap<String, String>,
    /// One for each window specification, or why there is none.
    pub outcome: Result<Vec<Content>, String>,
}

/// One analysis of an input.
#[derive(Clone, Debug)]
pub enum Content {
    /// Time inside windows, and what each window holds where the trace was at hand. Of a run without a trace,
    /// its requests, on unix time.
    Analysis(Box<Analysis>, Option<WindowItems>),
    /// Energy of windows, from a document of `energy`.
    Energy {
        /// The energies.
        set: Box<EnergySet>,
        /// Version of nsys-attrib that made them.
        tool_version: String,
        /// The trace, when there was one.
        trace: Option<TraceAbout>,
    },
}

/// The identity of an input: the same content with the same options has the same. Neither its name nor
/// its tags nor the version of the program are part of it.
pub fn identity(sha256: &str, options: &str) -> String {
    let mut hash = Sha256::new();
    for part in [&format!("nsys-attrib dataset {LAYOUT}"), sha256, options] {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part.as_bytes());
    }
    let hex: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    hex[..ID_LENGTH].to_owned()
}

/// Wall clock at trace time 0; of a run without a trace, whose instances lie on unix time, the start of its
/// first request.
pub(super) fn started(analysis: &Analysis) -> Option<UnixTime> {
    match &analysis.trace {
        Some(trace) => trace.session_start_unix_ns,
        None => {
            let first = analysis.windows.instances.first()?;
            Some(UnixTime::from_unix_ns(first.start_ns.as_ns()))
        }
    }
}

impl Unit {
    /// The id of its analysis of this number.
    pub(super) fn run_id(&self, number: usize) -> String {
        format!("{}-{number}", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::identity;

    #[test]
    fn content_and_options_decide() {
        let id = identity("ab", "{}");
        assert_eq!(id, identity("ab", "{}"));
        assert_ne!(id, identity("ab{", "}"), "the parts are told apart");
        assert_ne!(id, identity("ab", "{\"skip\":1}"));
        assert_eq!(id.len(), 24);
    }
}
