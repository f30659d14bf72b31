//! Which analysis of one group belongs to which of the other?
//!
//! By checkpoint: both ran the same trained weights (the sidecar of the run says which). By order: the
//! i-th with the i-th. Groups that belong together in neither way are independent.

use std::collections::BTreeMap;

use thiserror::Error;

use crate::attribution::Analysis;
use crate::units::plain;

/// How the members of two groups are paired.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairBy {
    /// The same checkpoint.
    Checkpoint,
    /// The same place in the list.
    Order,
}

impl PairBy {
    /// As it is typed.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Order => "order",
        }
    }
}

/// Why two groups cannot be compared.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum PairError {
    /// A group has no member.
    #[error("a side without any analysis: name inputs before --vs and after it")]
    Empty,
    /// A group's windows have no instance of positive length.
    #[error("{path}: no window of `{window}` has a length: there is nothing to compare")]
    NoWindows {
        /// The trace.
        path: String,
        /// The specification.
        window: String,
    },
    /// A group holds the same windows twice.
    #[error(
        "side {side} holds the same windows of {path} twice: a copy is no repeat, so that no interval follows from \
         it; name each input once, and several runs for the variation between runs"
    )]
    Repeated {
        /// `A` or `B`.
        side: &'static str,
        /// The input.
        path: String,
    },
    /// Different counts.
    #[error("--pair-by order needs as many inputs on both sides; there are {a} and {b}")]
    Counts {
        /// Members of the base.
        a: usize,
        /// Members of the other.
        b: usize,
    },
    /// A member does not say which checkpoint it ran.
    #[error(
        "{path}: it does not say which checkpoint it ran (only run folders whose program wrote a sidecar do, \
         and documents made from them): use --pair-by order"
    )]
    NoCheckpoint {
        /// The trace.
        path: String,
    },
    /// A checkpoint occurs twice on one side.
    #[error(
        "checkpoint `{checkpoint}` is there twice on one side: pair by order, or leave one out"
    )]
    Twice {
        /// The checkpoint.
        checkpoint: String,
    },
    /// A checkpoint occurs on one side only.
    #[error("checkpoint `{checkpoint}` is on one side only: leave it out, or add its partner")]
    Alone {
        /// The checkpoint.
        checkpoint: String,
    },
    /// One pair has no spread.
    #[error("pairs need at least two inputs a side: with one, leave --pair-by out")]
    OnePair,
}

/// Puts the partners at the same places.
pub(super) fn pair(
    a: Vec<Analysis>,
    b: Vec<Analysis>,
    by: Option<PairBy>,
) -> Result<(Vec<Analysis>, Vec<Analysis>), PairError> {
    if a.is_empty() || b.is_empty() {
        return Err(PairError::Empty);
    }
    for analysis in a.iter().chain(&b).filter(|analysis| analysis.imported.is_none()) {
        if analysis.windows.instances.iter().all(|window| window.start_ns == window.end_ns) {
            let window = plain(&analysis.windows.spec, 80);
            return Err(PairError::NoWindows { path: path(analysis), window });
        }
    }
    match by {
        Some(_) if a.len() == 1 && b.len() == 1 => Err(PairError::OnePair),
        Some(PairBy::Order) if a.len() != b.len() => {
            Err(PairError::Counts { a: a.len(), b: b.len() })
        }
        None | Some(PairBy::Order) => Ok((a, b)),
        Some(PairBy::Checkpoint) => {
            let (mut a, mut b) = (by_checkpoint(a)?, by_checkpoint(b)?);
            let alone = a.keys().find(|key| !b.contains_key(*key));
            if let Some(key) = alone.or_else(|| b.keys().find(|key| !a.contains_key(*key))) {
                return Err(PairError::Alone { checkpoint: plain(key, 80) });
            }
            let keys: Vec<String> = a.keys().cloned().collect();
            let of = |side: &mut BTreeMap<String, Analysis>| {
                keys.iter().filter_map(|key| side.remove(key)).collect()
            };
            Ok((of(&mut a), of(&mut b)))
        }
    }
}

fn by_checkpoint(side: Vec<Analysis>) -> Result<BTreeMap<String, Analysis>, PairError> {
    let mut found = BTreeMap::new();
    for analysis in side {
        let Some(checkpoint) = analysis.run.as_ref().and_then(|run| run.checkpoint.clone()) else {
            return Err(PairError::NoCheckpoint { path: path(&analysis) });
        };
        if found.insert(checkpoint.clone(), analysis).is_some() {
            return Err(PairError::Twice { checkpoint: plain(&checkpoint, 80) });
        }
    }
    Ok(found)
}

/// How messages name an analysis.
pub(super) fn path(analysis: &Analysis) -> String {
    analysis.source().map_or_else(|| "an untraced run".to_owned(), str::to_owned)
}
