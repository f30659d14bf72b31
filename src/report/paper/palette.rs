//! One colour for each part of the wall time, each kind of call and each family of kernels.

use crate::attribution::Doing;

/// NVTX ranges.
pub const RANGE: &str = "#9fb3c8";
/// Power.
pub const POWER: &str = "#c2185b";

/// The colour of a part of the wall time.
pub fn idle(name: &str) -> &'static str {
    match name {
        "busy" => "#2f7d5b",
        "launch" => "#d1662b",
        "dispatch" => "#e9a23b",
        "queue" => "#b5476d",
        "api" => "#7b5ea7",
        "sync" => "#3f78b5",
        "host" => "#8a8f98",
        "head" => "#b9c0c9",
        "tail" => "#cfd5dc",
        "none" => "#dfe3e8",
        _ => "#5b6068",
    }
}

/// What a call does, and its colour.
pub const fn call(doing: Doing) -> (&'static str, &'static str) {
    match doing {
        Doing::Launch => ("launch call", "#d1662b"),
        Doing::Sync => ("waiting call", "#3f78b5"),
        Doing::Api => ("other call", "#7b5ea7"),
    }
}

/// The colour of a class of kernels or a kind of copy.
pub fn class(name: &str) -> &'static str {
    match name.split('/').next().unwrap_or(name) {
        "conv" => "#1f6f8b",
        "gemm" => "#3b9ab2",
        "elementwise" => "#e1af00",
        _ => "#78909c",
    }
}

/// Black or white, whichever can be read on a colour.
pub fn ink_on(color: &str) -> &'static str {
    let part = |at: usize| {
        color.get(at..at + 2).and_then(|hex| u32::from_str_radix(hex, 16).ok()).unwrap_or(0)
    };
    let light = 299 * part(1) + 587 * part(3) + 114 * part(5);
    if light > 140_000 { "#14181c" } else { "#ffffff" }
}

#[cfg(test)]
mod tests {
    use super::ink_on;

    #[test]
    fn words_can_be_read_on_their_colour() {
        assert_eq!((ink_on("#e9a23b"), ink_on("#2f7d5b")), ("#14181c", "#ffffff"));
    }
}
