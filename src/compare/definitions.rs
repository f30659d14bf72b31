//! What each number of a comparison means, printed with `--explain` and carried in the JSON.

use std::collections::BTreeMap;

/// Key of the document and what it means.
pub const DEFINITIONS: &[(&str, &str)] = &[
    (
        "sides",
        "A is the base, B what is compared with it. Every difference is B minus A, every ratio B over A.",
    ),
    (
        "unit",
        "traces: a side has several; each trace is one unit, its value the mean over its windows (a share: the ratio of sums over them). windows: each side is one trace; its windows are the units, and the interval says nothing of run-to-run variation.",
    ),
    (
        "interval",
        "95 %. Below 20 traces a side Student's t (Welch's for independent groups, within pairs when paired), on logarithms for ratios; from 20 on BCa bootstrap. Windows of one trace: moving-block bootstrap from 20 windows a side, below that Welch's t which takes them for independent. Medians and percentiles: BCa bootstrap. Each interval stands alone: of twenty rows, one misses the truth.",
    ),
    (
        "ratio",
        "Where traces are the units, the ratio of the geometric means of the traces; inside one trace a side, the ratio of the means.",
    ),
    (
        "effect",
        "Hedges' g: the difference of the means in pooled standard deviations of the units, corrected for few units.",
    ),
    (
        "decompositions",
        "The difference of the mean window length as a sum, exact to the nanosecond: GPU busy time (whole, by class, or by kernel; a busy instant belongs to the running operation that started first) and idle time by cause; or self time of CUDA API functions and the time beside them.",
    ),
    (
        "matched",
        "How a kernel was found on the other side: name (the same), template (the same function with other template arguments or parameters), tile (the same but for numbers), similar (most similar name of the same class, Jaro-Winkler from 0.85). Kernels that fall together are added up.",
    ),
    (
        "energy",
        "Energy ratio = latency ratio x power ratio, power being energy per window over mean window length.",
    ),
    ("time(CLASS)", "Counted kernel time of the class per window, under the rule of the analyses."),
    (
        "share(CLASS)",
        "Kernel time of the class / kernel time, ratio of sums over windows; share(GROUP) is the group's headline reading, share(GROUP/READING) another one; share(launch) is launch time / API time, share(busy) is busy time / wall.",
    ),
];

/// The definitions as the document carries them.
pub fn definitions() -> BTreeMap<String, String> {
    DEFINITIONS.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}
