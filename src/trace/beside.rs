//! Timed rows beside calls and operations: convolution calls of cuDNN, and the profiler's own work.
//!
//! Tables `CUDNN_EVENTS` (when cuDNN was traced), `PROFILER_OVERHEAD` and
//! `CUPTI_ACTIVITY_KIND_OVERHEAD`. A kernel launched inside a `cudnnConvolution*` call is a
//! convolution whatever its name; profiler overhead inside a window is time that would not pass
//! without the profiler.

use super::error::TraceError;
use super::identity::{Identities, ProcessId, ThreadId};
use super::order;
use super::scan::{Row, Rows, optional, required};
use super::schema::Schema;
use super::strings::StringTable;
use crate::units::Span;

/// A call of cuDNN that computes a convolution.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvolutionCall {
    /// The thread that made it.
    pub thread: ThreadId,
    /// From entry to return.
    pub span: Span,
}

/// A stretch in which the profiler worked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Overhead {
    /// The process that it held up, when known.
    pub process: Option<ProcessId>,
    /// From start to end.
    pub span: Span,
}

/// Reads the convolution calls, by start.
pub(super) fn convolution_calls(
    rows: Rows<'_>,
    schema: &Schema,
    strings: &StringTable<'_>,
    identities: &Identities,
) -> Result<Vec<ConvolutionCall>, TraceError> {
    let Some(table) = schema.table("CUDNN_EVENTS") else { return Ok(Vec::new()) };
    let columns = [required("start"), required("end"), optional("globalTid"), required("nameId")];
    let visit = |found: &mut Vec<(i64, i64, Option<i64>, i64)>, row: &Row<'_, 4>| {
        found.push((row.some_int(0)?, row.some_int(1)?, row.int(2)?, row.some_int(3)?));
        Ok(())
    };
    let found = rows.fold(table, columns, Vec::new, visit, Vec::append)?;
    let mut names: Vec<i64> = found.iter().map(|row| row.3).collect();
    names.sort_unstable();
    names.dedup();
    let mut convolutions = Vec::new();
    for id in names {
        let name = strings.get(id).map_err(|source| rows.sqlite_error("StringIds", source))?;
        if name.starts_with("cudnnConvolution") {
            convolutions.push(id);
        }
    }
    let mut calls: Vec<ConvolutionCall> = found
        .into_iter()
        .filter(|(start, end, _, name)| {
            !order::is_bad_time(*start, *end) && convolutions.binary_search(name).is_ok()
        })
        .filter_map(|(start, end, tid, _)| {
            Some(ConvolutionCall {
                thread: identities.thread_of_global(tid)?,
                span: Span::from_ns(start, end),
            })
        })
        .collect();
    calls.sort_by_key(|call| (call.span, call.thread));
    Ok(calls)
}

/// Reads the profiler's own work, by start.
pub(super) fn overheads(
    rows: Rows<'_>,
    schema: &Schema,
    identities: &Identities,
) -> Result<Vec<Overhead>, TraceError> {
    let mut found = Vec::new();
    for name in ["PROFILER_OVERHEAD", "CUPTI_ACTIVITY_KIND_OVERHEAD"] {
        let Some(table) = schema.table(name) else { continue };
        let columns = [required("start"), required("end"), optional("globalTid")];
        let visit = |found: &mut Vec<Overhead>, row: &Row<'_, 3>| {
            let (start, end) = (row.some_int(0)?, row.some_int(1)?);
            if !order::is_bad_time(start, end) {
                let process = row.int(2)?.and_then(|tid| {
                    identities.process_of_global(super::identity::process_bits(tid))
                });
                found.push(Overhead { process, span: Span::from_ns(start, end) });
            }
            Ok(())
        };
        found.append(&mut rows.fold(table, columns, Vec::new, visit, Vec::append)?);
    }
    found.sort_by_key(|overhead| (overhead.span, overhead.process));
    Ok(found)
}
