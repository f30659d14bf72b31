//! Which GPU operations belong to a window.
//!
//! ```text
//!   window           [------------------)
//!   calls        c1    c2       c3
//!   operations     [1----)   [2--)   [3------)
//!   launched     2 and 3, whole      (c1 lies before the window)
//!   started      2 and 3, whole; 1 as well if it starts inside
//!   overlap      1, 2 and 3, the parts inside
//! ```

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One of the three rules.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// Its API call starts inside the window; the whole operation counts.
    Launched,
    /// It starts inside the window; the whole operation counts.
    Started,
    /// It meets the window; the part inside counts.
    Overlap,
}

impl Rule {
    /// All rules, in the order in which they are shown.
    pub const ALL: [Self; 3] = [Self::Launched, Self::Started, Self::Overlap];

    /// The place in [`Rule::ALL`].
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Launched => "launched",
            Self::Started => "started",
            Self::Overlap => "overlap",
        })
    }
}
