//! One colour for each thing, in every figure.
//!
//! Kernel classes, causes of idle time and API functions keep their colour from figure to figure.
//! Hues come from Paul Tol's and Okabe and Ito's palettes, which people with any kind of colour
//! blindness can tell apart; the kinds of convolution are steps of one blue. There are more classes
//! than eyes can tell apart, so every figure also names what it shows.

use crate::attribution::Cause;

/// A colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// Text and axes.
pub const INK: Rgb = Rgb(0x22, 0x22, 0x22);
/// Less important text.
pub const GREY: Rgb = Rgb(0x66, 0x66, 0x66);
/// Grid lines, shading.
pub const PALE: Rgb = Rgb(0xE3, 0xE3, 0xE3);
/// Paper.
pub const PAPER: Rgb = Rgb(0xFF, 0xFF, 0xFF);
/// The GPU at work.
pub const BUSY: Rgb = Rgb(0x33, 0x3F, 0x48);
/// Everything that is not shown on its own.
pub const OTHER: Rgb = Rgb(0xD9, 0xD9, 0xD9);
/// Copies between host and device.
pub const COPY: Rgb = Rgb(0x7F, 0x8F, 0xA6);
/// Memsets.
pub const MEMSET: Rgb = Rgb(0xB8, 0xC2, 0xCF);
/// Whole CUDA graphs.
pub const GRAPH: Rgb = Rgb(0x5D, 0x3A, 0x9B);
/// NVTX ranges.
pub const RANGE: Rgb = Rgb(0xC9, 0xD6, 0xC0);
/// What a figure wants to be seen first.
pub const ACCENT: Rgb = Rgb(0xB2, 0x18, 0x2B);

/// Groups, traces, runs: in the order in which they were named.
const GROUPS: [Rgb; 7] = [
    Rgb(0x00, 0x72, 0xB2),
    Rgb(0xD5, 0x5E, 0x00),
    Rgb(0x00, 0x9E, 0x73),
    Rgb(0xCC, 0x79, 0xA7),
    Rgb(0x99, 0x72, 0x00),
    Rgb(0x3F, 0xA0, 0xD0),
    Rgb(0x44, 0x44, 0x44),
];

/// Classes and their colours; a family stands for its other kinds.
const CLASSES: [(&str, Rgb); 32] = [
    ("conv/plain", Rgb(0x08, 0x30, 0x6B)),
    ("conv/winograd", Rgb(0x08, 0x51, 0x9C)),
    ("conv/fft", Rgb(0x21, 0x71, 0xB5)),
    ("conv/transposed", Rgb(0x42, 0x92, 0xC6)),
    ("conv/depthwise", Rgb(0x7F, 0xB8, 0xDA)),
    ("conv/helper", Rgb(0xB5, 0xD4, 0xE9)),
    ("conv", Rgb(0x21, 0x71, 0xB5)),
    ("gemm/plain", Rgb(0x88, 0x22, 0x55)),
    ("gemm/batched", Rgb(0xA8, 0x4A, 0x79)),
    ("gemm/complex", Rgb(0x6A, 0x1B, 0x4D)),
    ("gemm/helper", Rgb(0xE0, 0xB3, 0xCB)),
    ("gemm", Rgb(0xC4, 0x7A, 0xA2)),
    ("fft", Rgb(0x44, 0xAA, 0x99)),
    ("elementwise", Rgb(0xDD, 0xCC, 0x77)),
    ("reduce", Rgb(0x99, 0x99, 0x33)),
    ("norm", Rgb(0x11, 0x77, 0x33)),
    ("softmax", Rgb(0xCC, 0x66, 0x77)),
    ("attention", Rgb(0xAA, 0x44, 0x99)),
    ("pool", Rgb(0xBB, 0xCC, 0x33)),
    ("index", Rgb(0xEE, 0x88, 0x66)),
    ("copy", Rgb(0xA3, 0xA3, 0xA3)),
    ("fill", Rgb(0xC4, 0xC4, 0xC4)),
    ("sort", Rgb(0x7A, 0x7A, 0x00)),
    ("rng", Rgb(0xFF, 0xAA, 0xBB)),
    ("sparse", Rgb(0xEE, 0x66, 0x77)),
    ("comm", Rgb(0x66, 0x11, 0x00)),
    ("wavelet", Rgb(0x22, 0x55, 0x22)),
    ("spiking", Rgb(0xF0, 0xA2, 0x02)),
    ("runtime", Rgb(0x85, 0x85, 0x85)),
    ("unclassified", Rgb(0x55, 0x55, 0x55)),
    ("mixed", Rgb(0x70, 0x70, 0x70)),
    ("other", OTHER),
];

/// Colours for names that no table holds: chosen by the name alone.
const NAMES: [Rgb; 12] = [
    Rgb(0x77, 0xAA, 0xDD),
    Rgb(0xEE, 0x88, 0x66),
    Rgb(0xEE, 0xDD, 0x88),
    Rgb(0xFF, 0xAA, 0xBB),
    Rgb(0x99, 0xDD, 0xFF),
    Rgb(0x44, 0xBB, 0x99),
    Rgb(0xBB, 0xCC, 0x33),
    Rgb(0xAA, 0xAA, 0x00),
    Rgb(0x88, 0x6F, 0xB0),
    Rgb(0x6B, 0x8E, 0x9F),
    Rgb(0xC2, 0x8F, 0x5C),
    Rgb(0x9A, 0x5B, 0x5B),
];

/// The colour of a kernel class: its own, its family's, else one that depends on the name alone.
pub fn class(name: &str) -> Rgb {
    let find = |name: &str| CLASSES.iter().find(|entry| entry.0 == name).map(|entry| entry.1);
    let family = name.split('/').next().unwrap_or(name);
    find(name).or_else(|| find(family)).unwrap_or_else(|| named(name))
}

/// The colour of a cause of idle time; `dispatch` is the part of `host` between launches.
pub const fn idle(cause: Cause, dispatch: bool) -> Rgb {
    match cause {
        Cause::Launch => Rgb(0xD5, 0x5E, 0x00),
        Cause::Queue => Rgb(0xF4, 0xA5, 0x82),
        Cause::Host if dispatch => Rgb(0x7B, 0x32, 0x94),
        Cause::Host => Rgb(0xC2, 0xA5, 0xCF),
        Cause::Api => Rgb(0xB8, 0x86, 0x0B),
        Cause::Sync => Rgb(0x00, 0x9E, 0x8E),
        Cause::Unknown => Rgb(0x99, 0x99, 0x99),
        Cause::None => PALE,
    }
}

/// The colour of an API function: launches and synchronising calls as the idle time that they cause.
pub fn function(name: &str) -> Rgb {
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match name {
        "cudaLaunchKernel" => idle(Cause::Launch, false),
        "cuLaunchKernel" => Rgb(0xB3, 0x4A, 0x00),
        "cudaGraphLaunch" | "cuGraphLaunch" => GRAPH,
        "cudaDeviceSynchronize" | "cuCtxSynchronize" => idle(Cause::Sync, false),
        "cudaStreamSynchronize" | "cuStreamSynchronize" => Rgb(0x00, 0x6D, 0x62),
        "cudaEventSynchronize" | "cuEventSynchronize" => Rgb(0x66, 0xC2, 0xB7),
        "cudaMemcpyAsync" | "cuMemcpyAsync" => COPY,
        "cudaMemcpy" | "cuMemcpy" => Rgb(0x56, 0x64, 0x7A),
        _ if is(&["LaunchHostFunc"]) => named(name),
        _ if is(&["LaunchKernel", "LaunchCooperative"]) => Rgb(0xF0, 0x8C, 0x3A),
        _ if is(&["Memset"]) => MEMSET,
        _ if is(&["Memcpy"]) => Rgb(0x9C, 0xA9, 0xBB),
        _ => named(name),
    }
}

/// The colour of the n-th group.
pub const fn group(n: usize) -> Rgb {
    GROUPS[n % GROUPS.len()]
}

/// A colour that depends on the name alone (FNV-1a).
pub fn named(name: &str) -> Rgb {
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    NAMES[(hash % NAMES.len() as u64) as usize]
}

impl Rgb {
    /// Black or white, whichever can be read on this colour.
    pub fn contrast(self) -> Self {
        let part = |value: u8, weight: f64| (f64::from(value) / 255.0).powf(2.2) * weight;
        let light = part(self.0, 0.2126) + part(self.1, 0.7152) + part(self.2, 0.0722);
        if light > 0.22 { INK } else { PAPER }
    }

    /// `#rrggbb`.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_depend_on_the_name_alone() {
        assert_eq!(class("conv/plain"), class("conv/plain"));
        assert_ne!(class("conv/plain"), class("conv/transposed"));
        assert_eq!(class("norm/layer"), class("norm"));
        assert_eq!(class("my-own/class"), named("my-own/class"));
        assert_eq!(function("cudaLaunchKernel"), idle(Cause::Launch, false));
    }

    #[test]
    fn texts_on_colours_can_be_read() {
        assert_eq!(class("conv/plain").contrast(), PAPER);
        assert_eq!(class("fill").contrast(), INK);
    }
}
