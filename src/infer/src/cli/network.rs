//! Which of the two networks is meant.

/// Kind of network
#[derive(clap::ValueEnum, Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Wavelet neural operator
    Dense,
    /// Variable-spiking wavelet neural operator
    Vs,
}
