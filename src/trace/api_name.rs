//! CUDA API names: one spelling for each function, and what kind of call it is.
//!
//! nsys stores runtime names with the version of their first prototype (`cudaLaunchKernel_v7000`).
//! That suffix is dropped from `cuda*` names only: `_v2` at the end of a driver name (`cuMemAlloc_v2`)
//! is part of the function's identity.

use std::sync::LazyLock;

use regex::Regex;

/// Calls that put work on the GPU (`cudaLaunchHostFunc` runs on the host and is not one).
const LAUNCH: &str = r"^cu(da)?(Launch(Kernel(ExC|Ex)?|CooperativeKernel(MultiDevice)?|Grid(Async)?|Device)?|GraphLaunch)(_pts[zd])?$";
/// Calls that wait for the GPU by their nature; blocking copies are found by measurement instead.
const SYNCHRONISING: &str = r"^cu(da)?(Stream|Event|Device|Ctx)Synchronize(_pts[zd])?$";
const VERSIONED: &str = r"^(cuda.+)_v[0-9]{4,5}$";

/// A CUDA API function as results name it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiName {
    /// The name without a runtime version suffix.
    pub text: String,
    /// Whether it belongs to the launch family.
    pub launches: bool,
    /// Whether it waits for a stream, an event, a device or a context.
    pub synchronises: bool,
}

impl ApiName {
    /// Reads a name as the export spells it.
    pub fn from_export(name: &str) -> Self {
        let text = without_version(name);
        Self {
            launches: matches(&LAUNCH_RE, text),
            synchronises: matches(&SYNC_RE, text),
            text: text.to_owned(),
        }
    }
}

static LAUNCH_RE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(LAUNCH).ok());
static SYNC_RE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(SYNCHRONISING).ok());
static VERSION_RE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(VERSIONED).ok());

fn matches(pattern: &LazyLock<Option<Regex>>, text: &str) -> bool {
    pattern.as_ref().is_some_and(|pattern| pattern.is_match(text))
}

/// `cudaMalloc_v3020` → `cudaMalloc`; anything else unchanged.
pub(crate) fn without_version(name: &str) -> &str {
    VERSION_RE
        .as_ref()
        .and_then(|pattern| pattern.captures(name))
        .and_then(|found| found.get(1))
        .map_or(name, |stem| stem.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runtime_names_lose_their_version_and_driver_names_keep_theirs() {
        assert_eq!(without_version("cudaLaunchKernel_v7000"), "cudaLaunchKernel");
        assert_eq!(without_version("cudaStreamIsCapturing_v10000"), "cudaStreamIsCapturing");
        assert_eq!(without_version("cudaMemcpyAsync_ptsz_v7000"), "cudaMemcpyAsync_ptsz");
        assert_eq!(without_version("cuMemAlloc_v2"), "cuMemAlloc_v2");
        assert_eq!(without_version("cudaFoo_v12"), "cudaFoo_v12");
    }

    #[test]
    fn the_launch_family_is_launches_only() {
        for name in [
            "cudaLaunch",
            "cudaLaunchKernel_v7000",
            "cudaLaunchKernel_ptsz_v7000",
            "cudaLaunchKernelExC_v11060",
            "cuLaunchKernel",
            "cuLaunchKernelEx",
            "cuLaunchGrid",
            "cuLaunchGridAsync",
            "cuLaunchCooperativeKernel",
            "cudaLaunchCooperativeKernelMultiDevice_v9000",
            "cudaGraphLaunch_v10000",
            "cuGraphLaunch_ptsz",
            "cudaLaunchDevice",
        ] {
            assert!(ApiName::from_export(name).launches, "{name}");
        }
        for name in [
            "cudaLaunchHostFunc_v10000",
            "cuLaunchHostFunc",
            "cudaGraphInstantiate",
            "cudaMemcpy",
            "xcudaLaunch",
        ] {
            assert!(!ApiName::from_export(name).launches, "{name}");
        }
    }

    #[test]
    fn synchronising_calls_by_name() {
        for name in [
            "cudaStreamSynchronize_v3020",
            "cuCtxSynchronize",
            "cudaDeviceSynchronize",
            "cuEventSynchronize",
        ] {
            assert!(ApiName::from_export(name).synchronises, "{name}");
        }
        assert!(!ApiName::from_export("cudaMemcpy_v3020").synchronises);
        assert!(!ApiName::from_export("cudaEventQuery").synchronises);
    }
}
