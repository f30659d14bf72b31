//! Drift of a log's clock against the trace's, from two or more anchors.

/// More than any oscillator drifts: the anchors are wrong.
const MOST_PPM: f64 = 500.0;

/// Parts per million by least squares over anchors `(time s, offset s)`; `None` below two anchors, at
/// one time, or when the drift is more than a clock can have.
pub fn ppm(anchors: &[(f64, f64)]) -> Option<f64> {
    let count = anchors.len() as f64;
    if anchors.len() < 2 {
        return None;
    }
    let mean_t = anchors.iter().map(|anchor| anchor.0).sum::<f64>() / count;
    let mean_o = anchors.iter().map(|anchor| anchor.1).sum::<f64>() / count;
    let square: f64 = anchors.iter().map(|anchor| (anchor.0 - mean_t).powi(2)).sum();
    let cross: f64 = anchors.iter().map(|(t, o)| (t - mean_t) * (o - mean_o)).sum();
    let ppm = cross / square * 1e6;
    (square > 0.0 && ppm.abs() <= MOST_PPM).then_some(ppm)
}
