//! How the trace was captured, as far as it matters to the numbers.
//!
//! Table META_DATA_CAPTURE (nsys 2023.3 and newer) lists some hundred options, the environment and the
//! command line among them. Only the options named here are ever shown: the rest is private or says
//! nothing about attribution. Options of a process are called `PROCESS_0:CUDA_…` up to nsys 2025.

use std::collections::BTreeMap;

use super::document::CaptureOption;

/// An option: the ending of its name, the value for which it is worth a sentence (any where it is
/// empty), and the sentence, with the value in place of `{}`.
const WORTH_KNOWING: &[(&str, &str, &str)] = &[
    ("CAPTURE_EVENT_TYPE", "", "asked for: {}"),
    (
        "CUDA_GRAPH_TRACE_OPTIONS:MODE",
        "Graph",
        "CUDA graphs, if any, are one row each, without their kernels (--cuda-graph-trace=graph)",
    ),
    (
        "CUDA_GRAPH_TRACE_OPTIONS:MODE",
        "Node",
        "CUDA graphs, if any, are traced by node, which slows them down (--cuda-graph-trace=node)",
    ),
    (
        "CUDA_SKIP_SOME_API_CALLS",
        "true",
        "nsys left out CUDA API calls that it takes for unimportant (its default)",
    ),
    ("COLLECT_GPU_MEMORY_USAGE", "true", "GPU memory was tracked, which slows allocations down"),
    ("COLLECT_UVM_CPU_PAGE_FAULTS", "true", "CPU page faults of unified memory were recorded"),
    ("COLLECT_UVM_GPU_PAGE_FAULTS", "true", "GPU page faults of unified memory were recorded"),
    ("OS_RUNTIME_OPTIONS:DURATION_THRESHOLD_NS", "", "OS calls shorter than {} ns were left out"),
    ("NVTX_OPTIONS:NVTX_DOMAIN_FILTER_STRING", "", "NVTX domains were filtered by `{}`"),
    ("START_TRIGGER", "CudaProfilerApi", "recorded from cudaProfilerStart on"),
    ("START_TRIGGER", "Nvtx", "recorded from an NVTX range on"),
];

/// The options worth knowing, in the order of the list above.
pub(super) fn options(capture: &BTreeMap<String, Vec<String>>) -> Vec<CaptureOption> {
    let mut found = Vec::new();
    for (ending, wanted, meaning) in WORTH_KNOWING {
        let is_it = |name: &str| {
            name == *ending || name.strip_suffix(ending).is_some_and(|rest| rest.ends_with(':'))
        };
        for (name, values) in capture.iter().filter(|(name, _)| is_it(name)) {
            let mut values: Vec<&str> =
                values.iter().map(String::as_str).filter(|value| !value.is_empty()).collect();
            values.sort_unstable();
            values.dedup();
            let fits = wanted.is_empty() || values.iter().any(|value| value == wanted);
            if !values.is_empty() && fits {
                found.push(CaptureOption {
                    name: name.clone(),
                    value: values.join(", "),
                    meaning: meaning.replace("{}", &values.join(", ")),
                });
            }
        }
    }
    found
}

/// Whether an event kind was asked for; `None` when the export does not say.
pub(super) fn asked_for(capture: &BTreeMap<String, Vec<String>>, kind: &str) -> Option<bool> {
    let kinds = capture.get("CAPTURE_EVENT_TYPE")?;
    Some(kinds.iter().any(|asked| asked == kind))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_settings_are_never_shown() {
        let capture: BTreeMap<String, Vec<String>> = [
            ("PROCESS_0:ENVIRONMENT_VARIABLE", "TOKEN=x"),
            ("PROCESS_0:CUDA_GRAPH_TRACE_OPTIONS:MODE", "Graph"),
            ("CAPTURE_EVENT_TYPE", "Cuda"),
            ("NVTX_OPTIONS:NVTX_DOMAIN_FILTER_STRING", ""),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), vec![value.to_owned()]))
        .collect();
        let names: Vec<String> = options(&capture).into_iter().map(|option| option.name).collect();
        assert_eq!(names, ["CAPTURE_EVENT_TYPE", "PROCESS_0:CUDA_GRAPH_TRACE_OPTIONS:MODE"]);
        assert_eq!(asked_for(&capture, "Cuda"), Some(true));
        assert_eq!(asked_for(&capture, "NvtxEvents"), Some(false));
        assert_eq!(asked_for(&BTreeMap::new(), "Cuda"), None);
    }
}
