//! One piece of idle time, and who takes it.
//!
//! The rule that says why the GPU was idle ([`super::idle`]) hands every piece to a ledger: the
//! analysis adds them up, a timeline keeps them. Times are trace time in ns, half-open.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::trace::OpId;

/// Why the GPU was idle.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// No operation meets the window at all.
    None,
    /// The next operation's launch call was running.
    Launch,
    /// The next operation was submitted but had not started.
    Queue,
    /// Another API call was running.
    Api,
    /// The thread waited for the GPU.
    Sync,
    /// The thread was outside CUDA.
    Host,
    /// The next operation has no call in the export.
    Unknown,
}

impl Cause {
    /// All causes, in the order in which figures stack them.
    pub const ALL: [Self; 7] =
        [Self::Launch, Self::Queue, Self::Host, Self::Api, Self::Sync, Self::Unknown, Self::None];

    /// The word for it, as in the documents.
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Launch => "launch",
            Self::Queue => "queue",
            Self::Api => "api",
            Self::Sync => "sync",
            Self::Host => "host",
            Self::Unknown => "unknown",
        }
    }
}

/// Where in the window the piece lies.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Place {
    /// Before the first operation.
    Head,
    /// Between operations.
    Middle,
    /// After the last operation.
    Tail,
}

/// A piece of idle time of one window; never without length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) cause: Cause,
    pub(super) place: Place,
    /// Whether it is a part of `host` in a gap under 1 ms between consecutive calls.
    pub(super) dispatch: bool,
    /// The operation that the GPU waited for, where there is one.
    pub(super) next: Option<OpId>,
}

/// Takes the idle time of one window, piece by piece in the order of time.
pub(super) trait Ledger {
    /// Takes a piece.
    fn enter(&mut self, stretch: Stretch);
}

/// Keeps the pieces; one that goes on where an alike one ended makes it longer.
impl Ledger for Vec<Stretch> {
    fn enter(&mut self, stretch: Stretch) {
        match self.last_mut() {
            Some(last) if last.to == stretch.from && last.is_like(&stretch) => last.to = stretch.to,
            _ => self.push(stretch),
        }
    }
}

impl Stretch {
    fn is_like(&self, other: &Self) -> bool {
        (self.cause, self.place, self.dispatch, self.next)
            == (other.cause, other.place, other.dispatch, other.next)
    }
}
