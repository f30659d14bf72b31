//! The command line of `wno-infer`.

use std::process::ExitCode;

mod cli;

fn main() -> ExitCode {
    keep_freed_memory();
    cli::main()
}

/// Tensors of a pass are freed and made again with the same sizes. glibc would give such blocks back to the system and
/// fetch them again, page by page, inside each request; LibTorch's own allocator does not, so neither do we.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
fn keep_freed_memory() {
    // The most that glibc takes for the first of the two.
    const LARGE: libc::c_int = 32 << 20;
    // SAFETY: sets two parameters of the allocator before any other thread runs.
    unsafe {
        libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
        libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
    }
}

#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
fn keep_freed_memory() {}
