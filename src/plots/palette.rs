//! One colour for each thing, in every figure.
//!
//! Kernel classes, causes of idle time and API functions keep their colour from figure to figure.
//! Hues began as Paul Tol's and Okabe and Ito's; each was then moved until every two colours that can
//! touch in a figure are apart for normal sight and for each kind of colour blindness, and until black or
//! white can be read on each. The distances are demanded, and the method is written, in `sight.rs`; a new
//! colour has to keep them. Thirty-six colours can be told apart side by side, not named from memory: so
//! figures separate neighbours with a line of paper, list the parts in the order in which they are stacked,
//! and write names and shares into them where there is room.

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
pub const COPY: Rgb = Rgb(0x68, 0x73, 0xA9);
/// Memsets.
pub const MEMSET: Rgb = Rgb(0xB3, 0xBC, 0xB0);
/// Whole CUDA graphs.
pub const GRAPH: Rgb = Rgb(0x46, 0x25, 0xBA);
/// Idle before the first operation of a window.
pub const HEAD: Rgb = Rgb(0x9D, 0x9A, 0xF3);
/// Idle after the last operation of a window.
pub const TAIL: Rgb = Rgb(0xBD, 0xD0, 0xEA);
/// NVTX ranges.
pub const RANGE: Rgb = Rgb(0xC9, 0xD6, 0xC0);
/// Windows behind readings of power.
pub const WINDOW: Rgb = Rgb(0xF6, 0xD9, 0x9A);
/// What a figure wants to be seen first.
pub const ACCENT: Rgb = Rgb(0xB2, 0x18, 0x2B);

/// Groups, traces, runs: in the order in which they were named.
const GROUPS: [Rgb; 7] = [
    Rgb(0x00, 0x49, 0x73),
    Rgb(0xF0, 0x76, 0x00),
    Rgb(0x4A, 0xB6, 0x84),
    Rgb(0xD0, 0x91, 0xB1),
    Rgb(0x86, 0x63, 0x1B),
    Rgb(0x19, 0x7D, 0xB2),
    Rgb(0x40, 0x40, 0x40),
];

/// Classes and their colours; a family stands for its other kinds.
const CLASSES: [(&str, Rgb); 32] = [
    ("conv/plain", Rgb(0x01, 0x21, 0x56)),
    ("conv/winograd", Rgb(0x1C, 0x3E, 0x59)),
    ("conv/fft", Rgb(0x03, 0x60, 0xAD)),
    ("conv/transposed", Rgb(0x38, 0x72, 0xD9)),
    ("conv/depthwise", Rgb(0x79, 0xC5, 0xFD)),
    ("conv/helper", Rgb(0xCE, 0xEB, 0xFA)),
    ("conv", Rgb(0x5B, 0x94, 0xD1)),
    ("gemm/plain", Rgb(0x83, 0x46, 0x61)),
    ("gemm/batched", Rgb(0xAA, 0x31, 0x7E)),
    ("gemm/complex", Rgb(0x4C, 0x06, 0x2E)),
    ("gemm/helper", Rgb(0xD5, 0x9E, 0xD0)),
    ("gemm", Rgb(0x90, 0x62, 0x6E)),
    ("fft", Rgb(0x7A, 0xA5, 0xA0)),
    ("elementwise", Rgb(0xF2, 0xDF, 0x81)),
    ("reduce", Rgb(0x9B, 0x9D, 0x51)),
    ("norm", Rgb(0x30, 0x70, 0x37)),
    ("softmax", Rgb(0xAC, 0x0C, 0x18)),
    ("attention", Rgb(0x8D, 0x00, 0x7E)),
    ("pool", Rgb(0xC6, 0xD9, 0x09)),
    ("index", Rgb(0xED, 0x92, 0x82)),
    ("copy", Rgb(0x95, 0x88, 0xA7)),
    ("fill", Rgb(0xF9, 0xEE, 0xDC)),
    ("sort", Rgb(0x71, 0x7C, 0x28)),
    ("rng", Rgb(0xCB, 0xB2, 0xC3)),
    ("sparse", Rgb(0xB2, 0x58, 0x86)),
    ("comm", Rgb(0x5E, 0x06, 0x00)),
    ("wavelet", Rgb(0x37, 0x59, 0x3B)),
    ("spiking", Rgb(0xCF, 0xA7, 0x2D)),
    ("runtime", Rgb(0x85, 0x8B, 0x80)),
    ("unclassified", Rgb(0x41, 0x41, 0x3D)),
    ("mixed", Rgb(0x7F, 0x75, 0x5E)),
    ("other", OTHER),
];

/// Colours for names that no table holds: chosen by the name alone.
const NAMES: [Rgb; 12] = [
    Rgb(0x7F, 0xA4, 0xFF),
    Rgb(0xFF, 0xB5, 0x8F),
    Rgb(0xFF, 0xFD, 0x6B),
    Rgb(0xF8, 0x67, 0x8C),
    Rgb(0xA8, 0xDB, 0xFD),
    Rgb(0x68, 0xF1, 0xB3),
    Rgb(0x78, 0x92, 0x60),
    Rgb(0xA7, 0x90, 0x00),
    Rgb(0x7A, 0x7E, 0xFF),
    Rgb(0x33, 0x3F, 0x47),
    Rgb(0x74, 0x5E, 0x54),
    Rgb(0x7F, 0x17, 0x24),
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
        Cause::Launch => Rgb(0xB9, 0x58, 0x05),
        Cause::Queue => Rgb(0xFA, 0xB1, 0x91),
        Cause::Host if dispatch => Rgb(0x90, 0x35, 0x99),
        Cause::Host => Rgb(0xA2, 0x9D, 0xB4),
        Cause::Api => Rgb(0xC6, 0x8D, 0x00),
        Cause::Sync => Rgb(0x01, 0x81, 0x72),
        Cause::Unknown => Rgb(0xAF, 0x9D, 0x92),
        Cause::None => PALE,
    }
}

/// The colour of an API function: launches and synchronising calls as the idle time that they cause.
pub fn function(name: &str) -> Rgb {
    let is = |words: &[&str]| words.iter().any(|word| name.contains(word));
    match name {
        "cudaLaunchKernel" => idle(Cause::Launch, false),
        "cuLaunchKernel" => Rgb(0xA4, 0x39, 0x00),
        "cudaGraphLaunch" | "cuGraphLaunch" => GRAPH,
        "cudaDeviceSynchronize" | "cuCtxSynchronize" => idle(Cause::Sync, false),
        "cudaStreamSynchronize" | "cuStreamSynchronize" => Rgb(0x00, 0x65, 0x63),
        "cudaEventSynchronize" | "cuEventSynchronize" => Rgb(0x4D, 0xAA, 0xA3),
        "cudaMemcpyAsync" | "cuMemcpyAsync" => COPY,
        "cudaMemcpy" | "cuMemcpy" => Rgb(0x26, 0x44, 0x62),
        _ if is(&["LaunchHostFunc"]) => named(name),
        _ if is(&["LaunchKernel", "LaunchCooperative"]) => Rgb(0xF0, 0x95, 0x57),
        _ if is(&["Memset"]) => MEMSET,
        _ if is(&["Memcpy"]) => Rgb(0xA1, 0xB4, 0xCD),
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
    /// Black or white, whichever can be read better on this colour.
    pub fn contrast(self) -> Self {
        if self.ratio(INK) > self.ratio(PAPER) { INK } else { PAPER }
    }

    /// Contrast of two colours, 1 to 21 (WCAG 2.2, relative luminance of sRGB).
    pub fn ratio(self, other: Self) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        a.max(b) / a.min(b)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// Amounts of light, 0 to 1 (IEC 61966-2-1).
    pub(crate) fn linear(self) -> [f64; 3] {
        [self.0, self.1, self.2].map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        })
    }

    /// `#rrggbb`.
    pub fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }
}

#[cfg(test)]
mod sight;

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
