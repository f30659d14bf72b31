//! What critical paths are made of, summed over windows, and what bounds them.

use std::collections::BTreeMap;

use super::critical_path::{self, Piece, Stretch};
use super::document::{Bound, PathPart, PathStretch};
use super::model::Model;
use super::program::{OpKind, Program};
use super::schedule::Run;
use crate::units::Nanos;

/// Time on the critical path by piece, in ns.
#[derive(Clone, Debug, Default)]
pub(crate) struct Composition {
    by_piece: BTreeMap<Piece, i64>,
}

impl Composition {
    /// Adds the path of a run.
    pub(crate) fn add(&mut self, program: &Program, run: &Run) {
        for stretch in critical_path::path(program, run) {
            *self.by_piece.entry(stretch.piece).or_default() += stretch.to - stretch.from;
        }
    }

    /// Adds another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (piece, time) in &other.by_piece {
            *self.by_piece.entry(*piece).or_default() += time;
        }
    }

    fn total(&self) -> i64 {
        self.by_piece.values().sum()
    }

    /// Time that passes on the CPU.
    pub(crate) fn on_cpu(&self) -> i64 {
        let on_cpu = |piece: &Piece| {
            matches!(piece, Piece::Dispatch | Piece::Host | Piece::Call(_) | Piece::Return(_))
        };
        self.by_piece.iter().filter(|(piece, _)| on_cpu(piece)).map(|(_, time)| time).sum()
    }

    /// The parts, the longest first.
    pub(crate) fn parts(&self, model: &Model<'_>) -> Vec<PathPart> {
        let total = self.total();
        let mut named: BTreeMap<(String, Option<String>), i64> = BTreeMap::new();
        for (piece, time) in &self.by_piece {
            *named.entry(words(model, *piece)).or_default() += time;
        }
        let mut parts: Vec<PathPart> = named
            .into_iter()
            .map(|((kind, name), time)| PathPart {
                kind,
                name,
                time_ns: Nanos::from_ns(time),
                share: (total > 0).then(|| time as f64 / total as f64),
            })
            .collect();
        parts.sort_by_key(|part| std::cmp::Reverse(part.time_ns));
        parts
    }

    /// Which resource has the largest part.
    pub(crate) fn bound(&self, model: &Model<'_>) -> Bound {
        let mut by: BTreeMap<&'static str, i64> = BTreeMap::new();
        for (piece, time) in &self.by_piece {
            *by.entry(resource(model, *piece)).or_default() += time;
        }
        let total = self.total();
        let largest = by.into_iter().max_by_key(|(name, time)| (*time, std::cmp::Reverse(*name)));
        let (name, time) = largest.unwrap_or(("host", 0));
        Bound { by: name.to_owned(), share: (total > 0).then(|| time as f64 / total as f64) }
    }
}

/// The kind of a piece and what it is called.
fn words(model: &Model<'_>, piece: Piece) -> (String, Option<String>) {
    let function = |at: u32| Some(model.trace().calls.names()[at as usize].text.clone());
    let (kind, name) = match piece {
        Piece::Dispatch => ("dispatch", None),
        Piece::Host => ("host", None),
        Piece::Call(at) if launches(model, at) => ("launch", function(at)),
        Piece::Call(at) => ("api", function(at)),
        Piece::Kernel(class) => {
            let name = class.map(|class| model.rules.class_name(class).to_owned());
            ("kernel", name)
        }
        Piece::Memory(OpKind::Graph) => ("kernel", Some("graph".to_owned())),
        Piece::Memory(kind) => ("copy", Some(copy_name(kind).to_owned())),
        Piece::Latency => ("latency", None),
        Piece::Gap => ("gap", None),
        Piece::Return(at) => ("return", function(at)),
        Piece::Before => ("before", None),
    };
    (kind.to_owned(), name)
}

fn launches(model: &Model<'_>, function: u32) -> bool {
    model.trace().calls.names()[function as usize].launches
}

const fn copy_name(kind: OpKind) -> &'static str {
    match kind {
        OpKind::Upload => "Host-to-Device",
        OpKind::Download => "Device-to-Host",
        OpKind::OtherCopy => "other copies",
        OpKind::Memset => "Memset",
        OpKind::Kernel | OpKind::Graph => "",
    }
}

/// The resource that a piece takes up.
fn resource(model: &Model<'_>, piece: Piece) -> &'static str {
    match piece {
        Piece::Dispatch | Piece::Latency => "launch-path",
        Piece::Call(at) if launches(model, at) => "launch-path",
        Piece::Call(_) | Piece::Return(_) => "api",
        Piece::Host => "host",
        Piece::Memory(kind) if kind != OpKind::Graph => "copies",
        Piece::Kernel(_) | Piece::Memory(_) | Piece::Gap | Piece::Before => "gpu",
    }
}

/// The path of one run, for a lane plot.
pub(crate) fn stretches(model: &Model<'_>, program: &Program, run: &Run) -> Vec<PathStretch> {
    critical_path::path(program, run)
        .into_iter()
        .map(|Stretch { from, to, piece, op, thread }| {
            let (kind, name) = words(model, piece);
            let trace = model.trace();
            let threads = trace.identities.threads();
            let stream = op.map(|op| trace.operations.queue(program.ops[op as usize].id).stream);
            PathStretch {
                from_ns: Nanos::from_ns(from),
                to_ns: Nanos::from_ns(to),
                kind,
                name,
                thread: thread.and_then(|at| threads[at as usize].tid),
                stream,
            }
        })
        .collect()
}
