//! What is known of windows without a trace: when each began and ended.
//!
//! The requests of a program that nsys did not record. Times are ns on the clock of whoever timed them; what
//! only a trace can say is zero in an instance, and null in the blocks of the document.

use std::collections::BTreeMap;

use super::definitions::definitions;
use super::document::{Analysis, Idle, Instance, SCHEMA, Tool, Windows};
use crate::units::{Nanos, TraceTime};

/// An analysis of windows alone: every block that only a trace can fill is null.
pub fn untraced(tool: Tool, windows: Windows) -> Analysis {
    Analysis {
        schema: SCHEMA.to_owned(),
        tool,
        trace: None,
        asked: None,
        run: None,
        imported: None,
        windows,
        api: None,
        kernels: None,
        copies: None,
        graphs: None,
        launch_delay: None,
        gpu: None,
        idle: None,
        verdict: None,
        energy: None,
        definitions: definitions(),
        findings: Vec::new(),
    }
}

/// A request from `start` to `end`, ns.
pub fn request(index: usize, (start, end): (i64, i64)) -> Instance {
    Instance {
        index,
        start_ns: TraceTime::from_ns(start),
        end_ns: TraceTime::from_ns(end),
        cpu_start_ns: None,
        cpu_end_ns: None,
        process: None,
        thread: None,
        label: "request".to_owned(),
        calls: 0,
        api_ns: Nanos::ZERO,
        launches: 0,
        launch_ns: Nanos::ZERO,
        kernels: 0,
        kernel_ns: Nanos::ZERO,
        busy_ns: Nanos::ZERO,
        idle: Idle::default(),
        class_ns: BTreeMap::new(),
        busy_class_ns: BTreeMap::new(),
    }
}
