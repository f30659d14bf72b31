//! The language of changes: what a user types after `--change`.
//!
//! | change | what becomes cheaper |
//! |---|---|
//! | `scale WHICH 0.5` | the selected kernels take half as long; they are launched as before |
//! | `remove WHICH` | the selected kernels are gone, with their launches and the dispatch before them |
//! | `launch-cost 5us`, `launch-cost x0.5` | a launch call takes that long (module loads stay) |
//! | `host x0` | the host's time between calls |
//! | `graph` | the window is one graph launch, and waits once |
//! | `fuse WHICH` | runs of adjacent small kernels become one with their summed time |
//! | `overlap-copies` | uploads were made ahead, downloads run beside later work |
//! | `gpu-clock x1.2` | kernels run so much faster |
//! | `spikes` | kernels of a layer's range take the layer's spike rate of their time |
//!
//! `WHICH` is `group:NAME` (its headline reading, or `group:NAME/READING`), `class:FAMILY` or
//! `class:FAMILY/KIND`, `kernel:NAME` or `kernel:/REGEX/`.

use std::fmt;

use regex::Regex;

use crate::classify::{ClassId, Classifier};
use crate::trace::Label;
use crate::units::Nanos;

/// A change that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeError {
    /// It is none of the changes.
    #[error(
        "change `{0}` is none that is known: scale WHICH F, remove WHICH, launch-cost TIME, launch-cost xF, \
         host xF, graph, fuse WHICH, overlap-copies, gpu-clock xF, spikes"
    )]
    Unknown(String),
    /// A word is missing or too many.
    #[error("change `{typed}`: {wanted}")]
    Form {
        /// As typed.
        typed: String,
        /// What it should look like.
        wanted: &'static str,
    },
    /// No class, group or reading of that name.
    #[error("change `{typed}`: there is no {kind} `{name}`; there are: {present}")]
    NoSuch {
        /// As typed.
        typed: String,
        /// `class`, `group` or `reading`.
        kind: &'static str,
        /// The name.
        name: String,
        /// Those that there are.
        present: String,
    },
    /// A regular expression does not parse.
    #[error("change `{typed}`: {cause}")]
    Regex {
        /// As typed.
        typed: String,
        /// What is wrong with it.
        cause: regex::Error,
    },
}

/// Which kernels.
#[derive(Clone, Debug)]
pub enum Select {
    /// Those of some classes.
    Classes(Vec<ClassId>),
    /// Those whose name is or matches this.
    Named(Name),
}

/// A kernel by name.
#[derive(Clone, Debug)]
pub enum Name {
    /// Exactly this short or demangled name.
    Exact(String),
    /// Anything in which the expression matches.
    Matching(Regex),
}

impl Select {
    /// Whether a kernel is meant.
    pub(crate) fn accepts(&self, class: Option<ClassId>, label: &Label) -> bool {
        let Label::Kernel { demangled, short } = label else { return false };
        match self {
            Self::Classes(classes) => class.is_some_and(|class| classes.contains(&class)),
            Self::Named(Name::Exact(name)) => name == short || name == demangled,
            Self::Named(Name::Matching(pattern)) => {
                pattern.is_match(demangled) || pattern.is_match(short)
            }
        }
    }
}

/// What a launch costs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cost {
    /// So long.
    Absolute(Nanos),
    /// So many times what it costs.
    Times(f64),
}

/// What is done to a window.
#[derive(Clone, Debug)]
pub enum What {
    /// Kernels take so many times as long.
    Scale(Select, f64),
    /// Kernels are gone.
    Remove(Select),
    /// Launch calls cost so much.
    LaunchCost(Cost),
    /// The host takes so many times as long between calls.
    Host(f64),
    /// One graph launch for the whole window.
    Graph,
    /// Runs of small kernels become one.
    Fuse(Select),
    /// Copies run beside kernels.
    OverlapCopies,
    /// Kernels run so many times as fast.
    GpuClock(f64),
    /// Kernels of a layer take the layer's spike rate of their time.
    Spikes,
}

/// A change, with the words that asked for it.
#[derive(Clone, Debug)]
pub struct Change {
    /// As typed, spaces made single.
    pub typed: String,
    /// What it does.
    pub what: What,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.typed)
    }
}

impl Change {
    /// Reads a change as it was typed.
    ///
    /// # Errors
    /// [`ChangeError`] when it is no change, or names a class or group that the rules do not have.
    pub fn parse(text: &str, rules: &Classifier) -> Result<Self, ChangeError> {
        let typed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (verb, rest) = typed.split_once(' ').unwrap_or((&typed, ""));
        let form = |wanted: &'static str| ChangeError::Form { typed: typed.clone(), wanted };
        let alone = |what: What| {
            if rest.is_empty() { Ok(what) } else { Err(form("it takes no further word")) }
        };
        let select = |rest: &str| select(&typed, rest, rules);
        let what = match verb {
            "scale" => {
                let wanted = "scale WHICH FACTOR, as in scale group:dense-convolution 0.5";
                let (selected, factor) = rest.rsplit_once(' ').ok_or_else(|| form(wanted))?;
                let factor =
                    times(factor).or_else(|| number(factor)).ok_or_else(|| form(wanted))?;
                What::Scale(select(selected)?, factor)
            }
            "remove" => What::Remove(select(rest)?),
            "fuse" => What::Fuse(select(rest)?),
            "launch-cost" => {
                let cost = times(rest).map(Cost::Times).or_else(|| time(rest).map(Cost::Absolute));
                What::LaunchCost(
                    cost.ok_or_else(|| form("launch-cost 5us (ns, us, ms) or launch-cost x0.5"))?,
                )
            }
            "host" => What::Host(times(rest).ok_or_else(|| form("host x0, host x0.5"))?),
            "gpu-clock" => What::GpuClock(
                times(rest)
                    .filter(|factor| *factor > 0.0)
                    .ok_or_else(|| form("gpu-clock x1.2, a factor above 0"))?,
            ),
            "graph" => alone(What::Graph)?,
            "overlap-copies" => alone(What::OverlapCopies)?,
            "spikes" => alone(What::Spikes)?,
            _ => return Err(ChangeError::Unknown(typed)),
        };
        Ok(Self { typed, what })
    }
}

/// `x0.5`
fn times(text: &str) -> Option<f64> {
    text.strip_prefix('x').or_else(|| text.strip_prefix('×')).and_then(number)
}

/// A finite number that is not negative.
fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite() && *number >= 0.0)
}

/// `5us`
fn time(text: &str) -> Option<Nanos> {
    let units = [("ns", 1.0), ("us", 1e3), ("µs", 1e3), ("ms", 1e6)];
    let (digits, unit) =
        units.iter().find_map(|(unit, ns)| text.strip_suffix(unit).map(|digits| (digits, *ns)))?;
    number(digits).map(|digits| Nanos::from_ns((digits * unit).round() as i64))
}

fn select(typed: &str, text: &str, rules: &Classifier) -> Result<Select, ChangeError> {
    let text = text.trim_matches(|c| c == '\'' || c == '"');
    let no_such = |kind: &'static str, name: &str, present: Vec<String>| ChangeError::NoSuch {
        typed: typed.to_owned(),
        kind,
        name: name.to_owned(),
        present: present.join(", "),
    };
    match text.split_once(':') {
        Some(("class", name)) => {
            let family = name.strip_suffix("/*").unwrap_or(name);
            let classes: Vec<ClassId> = rules
                .class_names()
                .iter()
                .filter(|class| class.as_str() == name || class.split('/').next() == Some(family))
                .filter_map(|class| rules.class(class))
                .collect();
            if classes.is_empty() {
                return Err(no_such("class", name, rules.class_names().to_vec()));
            }
            Ok(Select::Classes(classes))
        }
        Some(("group", name)) => {
            let (group, reading) = name.split_once('/').unwrap_or((name, ""));
            let found =
                rules.groups().iter().find(|known| known.name == group).ok_or_else(|| {
                    no_such("group", group, rules.groups().iter().map(|g| g.name.clone()).collect())
                })?;
            let wanted = if reading.is_empty() { &found.headline } else { reading };
            let chosen =
                found.readings.iter().find(|known| known.name == wanted).ok_or_else(|| {
                    let names = found.readings.iter().map(|reading| reading.name.clone());
                    no_such("reading", wanted, names.collect())
                })?;
            Ok(Select::Classes(chosen.classes.clone()))
        }
        Some(("kernel", name)) if !name.is_empty() => {
            let name = match name.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
                None => Name::Exact(name.to_owned()),
                Some(pattern) => Name::Matching(
                    Regex::new(pattern)
                        .map_err(|cause| ChangeError::Regex { typed: typed.to_owned(), cause })?,
                ),
            };
            Ok(Select::Named(name))
        }
        _ => Err(ChangeError::Form {
            typed: typed.to_owned(),
            wanted: "say which kernels: group:NAME, group:NAME/READING, class:FAMILY, class:FAMILY/KIND, kernel:NAME, \
                     kernel:/REGEX/",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Change, ChangeError> {
        Change::parse(text, &Classifier::shipped().unwrap())
    }

    #[test]
    fn every_change_of_the_language_is_read() {
        for text in [
            "scale group:dense-convolution 0.5",
            "scale group:dense-convolution/wide x0.5",
            "scale kernel:/sgemm/ 0",
            "remove class:conv/helper",
            "remove kernel:my_kernel",
            "launch-cost 5us",
            "launch-cost x0.5",
            "host x0",
            "graph",
            "fuse 'class:elementwise'",
            "overlap-copies",
            "gpu-clock x1.2",
            "spikes",
        ] {
            parse(text).unwrap();
        }
    }

    #[test]
    fn a_family_stands_for_its_kinds() {
        let Ok(Change { what: What::Remove(Select::Classes(family)), .. }) =
            parse("remove class:conv")
        else {
            panic!()
        };
        assert!(family.len() > 3, "{family:?}");
    }

    #[test]
    fn what_is_no_change_says_what_would_be() {
        for (text, part) in [
            ("speed-up", "none that is known"),
            ("scale group:dense 0.5", "dense-convolution"),
            ("scale class:conv/plane 0.5", "conv/plain"),
            ("scale group:dense-convolution/strictly 0.5", "strict"),
            ("scale group:dense-convolution", "FACTOR"),
            ("launch-cost five", "5us"),
            ("gpu-clock x0", "above 0"),
            ("host -1", "host x0"),
            ("graph now", "no further word"),
            ("remove conv", "say which kernels"),
            ("remove kernel:/(/", "unclosed group"),
        ] {
            let message = parse(text).unwrap_err().to_string();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
