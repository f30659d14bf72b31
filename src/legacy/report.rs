//! Which report is it? By its name, older and newer; by the title of its table; by its file's name; by
//! its columns.
//!
//! | nsys up to 2022 | since 2023 | holds |
//! |---|---|---|
//! | `cudaapisum` | `cuda_api_sum` | CUDA calls |
//! | `gpukernsum` | `cuda_gpu_kern_sum`, with grid and block `cuda_gpu_kern_gb_sum` | kernels |
//! | `gpumemtimesum` | `cuda_gpu_mem_time_sum` | copies and memsets |
//! | `gpusum` | `cuda_gpu_sum` | kernels, copies and memsets |
//! | `apigpusum` | `cuda_api_gpu_sum` | all three |
//! | `nvtxsum`, `nvtxppsum`, `nvtxsesum` | `nvtx_sum`, `nvtx_pushpop_sum`, `nvtx_startend_sum` | NVTX ranges |

/// What a report's rows are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// CUDA calls.
    Api,
    /// Kernels, one row a name.
    Kernels,
    /// Kernels, one row a name, grid and block.
    KernelGrids,
    /// Copies and memsets by time.
    MemoryTime,
    /// Kernels, copies and memsets, told apart by a column.
    Gpu,
    /// Calls, kernels, copies and memsets, told apart by a column.
    ApiGpu,
    /// NVTX ranges.
    Ranges,
    /// Anything else that nsys prints.
    Other,
}

const NAMES: [(&str, Kind); 15] = [
    ("cuda_api_sum", Kind::Api),
    ("cudaapisum", Kind::Api),
    ("cuda_gpu_kern_sum", Kind::Kernels),
    ("gpukernsum", Kind::Kernels),
    ("cuda_gpu_kern_gb_sum", Kind::KernelGrids),
    ("cuda_gpu_mem_time_sum", Kind::MemoryTime),
    ("gpumemtimesum", Kind::MemoryTime),
    ("cuda_gpu_sum", Kind::Gpu),
    ("gpusum", Kind::Gpu),
    ("cuda_api_gpu_sum", Kind::ApiGpu),
    ("apigpusum", Kind::ApiGpu),
    ("nvtx_sum", Kind::Ranges),
    ("nvtxsum", Kind::Ranges),
    ("nvtx_pushpop_sum", Kind::Ranges),
    ("nvtxppsum", Kind::Ranges),
];

/// Titles of tables that are printed without a report's name.
const TITLES: [(&str, &str); 5] = [
    ("CUDA API Statistics", "cudaapisum"),
    ("CUDA API Summary", "cudaapisum"),
    ("CUDA Kernel Statistics", "gpukernsum"),
    ("CUDA GPU Kernel Summary", "gpukernsum"),
    ("CUDA Memory Operation Statistics (by time)", "gpumemtimesum"),
];

/// What the rows of a report of this name are.
pub(super) fn kind(name: &str) -> Kind {
    NAMES.iter().find(|(known, _)| *known == name).map_or(Kind::Other, |(_, kind)| *kind)
}

/// The report that prints this title.
pub(super) fn by_title(title: &str) -> Option<&'static str> {
    TITLES.iter().find(|(known, _)| *known == title).map(|(_, name)| *name)
}

/// The report that a file's name names: `run_cuda_api_sum.csv`, `run.cudaapisum.csv`; with the options
/// that nsys adds (`run_cuda_gpu_kern_sum_base.csv`).
pub(super) fn by_file(path: &str) -> Option<(&'static str, Option<String>)> {
    let file = path.rsplit(['/', '\\']).next().unwrap_or(path);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    let found = |(name, _): &(&'static str, Kind)| {
        let at = stem.rfind(name)?;
        let (before, after) = (&stem[..at], &stem[at + name.len()..]);
        let apart = |end: Option<char>| end.is_none_or(|c| !c.is_ascii_alphanumeric());
        let whole = apart(before.chars().next_back()) && apart(after.chars().next());
        let options = after.trim_start_matches(['_', '.', '-', '(']).trim_end_matches(')');
        whole.then(|| (*name, (!options.is_empty()).then(|| options.to_owned())))
    };
    // The longest name wins: cuda_gpu_kern_gb_sum is no other report with a prefix.
    NAMES.iter().filter_map(found).max_by_key(|(name, _)| name.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_its_report() {
        assert_eq!(by_file("a/run_cuda_api_sum.csv"), Some(("cuda_api_sum", None)));
        assert_eq!(by_file("run-nsys2024.5.cuda_gpu_kern_sum.csv").unwrap().0, "cuda_gpu_kern_sum");
        assert_eq!(by_file("r_gpukernsum_base.csv"), Some(("gpukernsum", Some("base".to_owned()))));
        assert_eq!(by_file("saxpy_nvtxppsum.csv").unwrap().0, "nvtxppsum");
        assert_eq!(by_file("osrt_sum.csv"), None);
        assert_eq!(by_file("mygpusum2.csv"), None);
    }
}
