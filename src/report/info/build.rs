//! From an outline of a trace and the list of its tables to the document.

use super::document::{Info, ProcessInfo, RangeInfo, SCHEMA, TableInfo, ThreadInfo};
use super::{capture, next, recorded};
use crate::attribution::document::{DeviceAbout, Tool, TraceAbout};
use crate::attribution::trace_findings;
use crate::finding::{Finding, Severity};
use crate::trace::{Inventory, Trace, TraceError};
use crate::units::SessionClock;
use crate::windows::{RangeSummary, range_summaries};

/// What was read of a trace.
#[derive(Debug)]
pub struct Read<'a> {
    /// As the user named it.
    pub path: &'a str,
    /// Of the file, in hex; nothing when it was not read whole.
    pub sha256: Option<String>,
    /// An outline, or everything.
    pub trace: &'a Trace,
    /// The tables.
    pub inventory: &'a Inventory,
    /// Whether `trace` holds every row and `inventory` counts.
    pub exact: bool,
    /// Whether every process and thread is known.
    pub identities_complete: bool,
    /// What could not be read.
    pub unreadable: &'a [TraceError],
    /// Doubts that arose before the trace was read.
    pub findings: &'a [Finding],
}

/// Says what a trace holds.
pub fn info(read: &Read<'_>) -> Info {
    let about = &read.trace.about;
    let ranges = by_time(range_summaries(read.trace));
    let domains = ranges.iter().flat_map(|range| range.domain.iter().cloned()).collect();
    let mut findings = read.findings.to_vec();
    findings.extend(read.unreadable.iter().map(unreadable));
    findings.extend(trace_findings(read.trace));
    crate::finding::sort(&mut findings);
    let nvtx_was_read = !read.trace.present.nvtx || read.unreadable.is_empty();
    let mut info = Info {
        schema: SCHEMA.to_owned(),
        tool: Tool {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        trace: trace_about(read),
        exact: read.exact,
        utc_offset_s: about.utc_offset_s,
        processes: processes(read.trace),
        processes_complete: read.identities_complete,
        capture: capture::options(&about.capture),
        recorded: recorded::kinds(read.inventory, &about.capture, &domains),
        ranges: nvtx_was_read.then(|| ranges.iter().map(range_info).collect()),
        tables: tables(read.inventory),
        next: Vec::new(),
        findings,
    };
    info.next = next::commands(&info, next::best_range(&ranges));
    info
}

fn unreadable(error: &TraceError) -> Finding {
    Finding::new(
        "table-unreadable",
        Severity::Error,
        error.to_string(),
        "the other tables were read; nothing that needs this one can be analysed",
    )
}

fn trace_about(read: &Read<'_>) -> TraceAbout {
    let about = &read.trace.about;
    TraceAbout {
        path: read.path.to_owned(),
        sha256: read.sha256.clone(),
        exporter_version: about.exporter_version.clone(),
        schema_version: about.schema_version.clone(),
        session_start_unix_ns: about.session.map(SessionClock::start),
        duration_ns: about.duration,
        devices: about
            .devices
            .iter()
            .map(|device| DeviceAbout { id: device.id, name: device.name.clone() })
            .collect(),
        processes: Some(read.trace.identities.processes().len()),
    }
}

fn processes(trace: &Trace) -> Vec<ProcessInfo> {
    let identities = &trace.identities;
    let of = |id| {
        let process = identities.process(id);
        let threads = identities.threads().iter().filter(|thread| thread.process == Some(id));
        ProcessInfo {
            pid: process.pid,
            name: process.name.clone(),
            threads: threads
                .filter_map(|thread| {
                    Some(ThreadInfo { tid: thread.tid?, name: thread.name.clone() })
                })
                .collect(),
        }
    };
    identities.process_ids().map(of).collect()
}

fn range_info(range: &RangeSummary) -> RangeInfo {
    RangeInfo {
        name: range.name.clone(),
        domains: range.domain.iter().cloned().collect(),
        count: range.count,
        unclosed: range.unclosed,
        mean_ns: range.mean,
        total_ns: range.mean.map(|_| range.total),
    }
}

/// The longest summed time first: requests before their layers, and ranges never closed at the end.
fn by_time(mut ranges: Vec<RangeSummary>) -> Vec<RangeSummary> {
    ranges.sort_by(|a, b| {
        b.total.cmp(&a.total).then(b.count.cmp(&a.count)).then_with(|| a.name.cmp(&b.name))
    });
    ranges
}

fn tables(inventory: &Inventory) -> Vec<TableInfo> {
    let of = |table: &crate::trace::TableRows| TableInfo {
        name: table.name.clone(),
        is_view: table.is_view,
        rows: table.rows,
        exact: table.exact,
    };
    inventory.tables().iter().map(of).collect()
}
