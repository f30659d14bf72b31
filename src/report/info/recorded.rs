//! Which kinds of event a trace has, what each is good for, and how a missing one is recorded.
//!
//! An absent table and an empty one are different facts, and so are "not asked for" and "asked for,
//! but none occurred"; exports of nsys 2023.3 and newer say what was asked for.

use std::collections::{BTreeMap, BTreeSet};

use super::capture;
use super::document::{Recorded, State};
use crate::trace::Inventory;

struct Kind {
    key: &'static str,
    what: &'static str,
    tables: &'static [&'static str],
    gives: &'static str,
    option: &'static str,
    /// As CAPTURE_EVENT_TYPE spells it.
    event: Option<&'static str>,
}

const KINDS: &[Kind] = &[
    Kind {
        key: "cuda-api",
        what: "CUDA API calls",
        tables: &["CUPTI_ACTIVITY_KIND_RUNTIME"],
        gives: "API time, launch share, API cover; `api:NAME` windows",
        option: "--trace=cuda",
        event: Some("Cuda"),
    },
    Kind {
        key: "kernels",
        what: "kernels",
        tables: &["CUPTI_ACTIVITY_KIND_KERNEL"],
        gives: "kernel time, classes, GPU busy and idle, verdict; `kernels:` and `gpu:` windows",
        option: "--trace=cuda",
        event: Some("Cuda"),
    },
    Kind {
        key: "copies",
        what: "copies and memsets",
        tables: &["CUPTI_ACTIVITY_KIND_MEMCPY", "CUPTI_ACTIVITY_KIND_MEMSET"],
        gives: "copy time and bytes, part of GPU busy",
        option: "--trace=cuda",
        event: Some("Cuda"),
    },
    Kind {
        key: "nvtx",
        what: "NVTX events",
        tables: &["NVTX_EVENTS"],
        gives: "windows by range name",
        option: "--trace=cuda,nvtx",
        event: Some("NvtxEvents"),
    },
    Kind {
        key: "graphs",
        what: "whole CUDA graphs",
        tables: &["CUPTI_ACTIVITY_KIND_GRAPH_TRACE"],
        gives: "part of GPU busy; the kernels inside are in no kernel share",
        option: "--cuda-graph-trace=node",
        event: None,
    },
    Kind {
        key: "cudnn",
        what: "cuDNN calls",
        tables: &["CUDNN_EVENTS"],
        gives: "convolutions told by the call that launched them",
        option: "--trace=cuda,nvtx,cudnn",
        event: Some("CuDNN"),
    },
    Kind {
        key: "cublas",
        what: "cuBLAS calls",
        tables: &["CUBLAS_EVENTS"],
        gives: "nothing here yet",
        option: "--trace=cuda,nvtx,cublas",
        event: Some("CuBLAS"),
    },
    Kind {
        key: "osrt",
        what: "OS runtime calls",
        tables: &["OSRT_API"],
        gives: "nothing here yet; in nsys-ui, what the host waited for",
        option: "--trace=cuda,nvtx,osrt",
        event: Some("OSRuntime"),
    },
    Kind {
        key: "gpu-metrics",
        what: "GPU metrics",
        tables: &["GPU_METRICS"],
        gives: "nothing here yet; in nsys-ui, SM and memory use over time",
        option: "--gpu-metrics-devices=all",
        event: None,
    },
    Kind {
        key: "wall-clock",
        what: "wall clock",
        tables: &["TARGET_INFO_SESSION_START_TIME"],
        gives: "`utc:` windows, alignment with power logs",
        option: "",
        event: None,
    },
];

/// Every kind, in a fixed order; `domains` are the NVTX domains.
pub(super) fn kinds(
    inventory: &Inventory,
    capture: &BTreeMap<String, Vec<String>>,
    domains: &BTreeSet<String>,
) -> Vec<Recorded> {
    let mut found: Vec<Recorded> =
        KINDS.iter().map(|kind| look(kind, inventory, capture)).collect();
    // Newer versions of nsys leave the calls of these libraries in NVTX domains of that name.
    for (key, domain) in [("cudnn", "cuDNN"), ("cublas", "cuBLAS")] {
        let missing = |kind: &&mut Recorded| kind.kind == key && kind.state != State::Recorded;
        if let Some(kind) = found.iter_mut().find(missing).filter(|_| domains.contains(domain)) {
            kind.state = State::Recorded;
            kind.gives = format!("as NVTX ranges of domain {domain}: windows by range name");
            kind.remedy = None;
        }
    }
    // Then the kernels may well have been there.
    let has_graphs =
        found.iter().any(|kind| kind.kind == "graphs" && kind.state == State::Recorded);
    let no_kernels = |kind: &&mut Recorded| kind.kind == "kernels" && kind.state != State::Recorded;
    if let Some(kind) = found.iter_mut().find(no_kernels).filter(|_| has_graphs) {
        kind.remedy = Some(
            "those of CUDA graphs are hidden in whole-graph rows; record with `nsys profile \
             --trace=cuda,nvtx --cuda-graph-trace=node`"
                .to_owned(),
        );
    }
    found
}

fn look(kind: &Kind, inventory: &Inventory, capture: &BTreeMap<String, Vec<String>>) -> Recorded {
    let present: Vec<_> = kind.tables.iter().filter_map(|name| inventory.table(name)).collect();
    let rows = present.iter().map(|table| table.rows).sum::<Option<u64>>();
    let state = match (present.is_empty(), rows) {
        (true, _) => State::Absent,
        (false, Some(0)) => State::Empty,
        (false, _) => State::Recorded,
    };
    let asked = kind.event.and_then(|event| capture::asked_for(capture, event));
    let remedy = match (state, kind.key) {
        (State::Recorded, "graphs") => Some(with_option(kind.option) + " to see their kernels"),
        (State::Recorded, _) => None,
        (_, "graphs") => Some(
            "none; a program that launches graphs needs `--cuda-graph-trace=node` to show their kernels"
                .to_owned(),
        ),
        (_, "wall-clock") => Some(
            "the export does not say when it began; export the report with nsys 2022 or newer".to_owned(),
        ),
        _ => Some(missing(kind, asked)),
    };
    Recorded {
        kind: kind.key.to_owned(),
        what: kind.what.to_owned(),
        state,
        rows: if present.is_empty() { None } else { rows },
        exact: present.iter().all(|table| table.exact),
        gives: kind.gives.to_owned(),
        remedy,
    }
}

fn missing(kind: &Kind, asked: Option<bool>) -> String {
    match (asked, kind.key) {
        (Some(true), "kernels" | "copies") => {
            "asked for, but none was recorded: the program started none while nsys recorded, or its \
             driver did not let CUPTI see them"
                .to_owned()
        }
        (Some(true), _) => "asked for, but none occurred while nsys recorded".to_owned(),
        (Some(false), _) => format!("not asked for; {}", with_option(kind.option)),
        (None, "nvtx") => format!("{}, and mark the request with a range", with_option(kind.option)),
        (None, _) => with_option(kind.option),
    }
}

fn with_option(option: &str) -> String {
    format!("record with `nsys profile {option}`")
}
