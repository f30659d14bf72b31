//! Do the readings look at the work at independent times?
//!
//! A 100 ms sampler beside a 100 ms loop always sees the same instant of it: the mean is then the busy
//! power or the gap's, whatever the number of readings. The phases of the readings within their window
//! must look uniform (Kolmogorov and Smirnov); below 1 % they are refused.

/// Below this probability the readings are locked to the work.
pub const LEAST_P: f64 = 0.01;

/// Probability of phases (0..1) at least this uneven if they were uniform; `None` for too few.
pub fn uniformity(phases: &[f64]) -> Option<f64> {
    const LEAST: usize = 8;
    if phases.len() < LEAST {
        return None;
    }
    let mut sorted = phases.to_vec();
    sorted.sort_by(f64::total_cmp);
    let count = sorted.len() as f64;
    let distance = sorted
        .iter()
        .enumerate()
        .map(|(i, phase)| {
            (phase - i as f64 / count).abs().max(((i + 1) as f64 / count - phase).abs())
        })
        .fold(0.0, f64::max);
    let scaled = (count.sqrt() + 0.12 + 0.11 / count.sqrt()) * distance;
    Some(kolmogorov(scaled))
}

/// The upper tail of Kolmogorov's distribution.
fn kolmogorov(x: f64) -> f64 {
    if x < 0.2 {
        return 1.0;
    }
    let sum: f64 = (1..=100)
        .map(|k| {
            let k = f64::from(k);
            let sign = if k % 2.0 == 1.0 { 1.0 } else { -1.0 };
            sign * (-2.0 * k * k * x * x).exp()
        })
        .sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

/// Phases of `times` within the spans that hold them; spans in time order.
pub fn phases(times: &[i64], spans: &[(i64, i64)]) -> Vec<f64> {
    let mut found = Vec::new();
    for (start, end) in spans {
        let from = times.partition_point(|time| time < start);
        let inside = times[from..].iter().take_while(|time| *time < end);
        found.extend(inside.map(|time| (time - start) as f64 / (end - start) as f64));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn i18_a_locked_sampler_is_seen_and_an_even_one_is_not() {
        let spans: Vec<(i64, i64)> = (0..1000).map(|i| (i * 100, (i + 1) * 100)).collect();
        let locked: Vec<i64> = (0..1000).map(|i| i * 100 + 7).collect();
        assert!(uniformity(&phases(&locked, &spans)).unwrap() < LEAST_P);
        let even: Vec<i64> = (0..1000).map(|i| i * 100 + (i * 61) % 100).collect();
        assert!(uniformity(&phases(&even, &spans)).unwrap() > 0.5);
        assert_eq!(uniformity(&[0.1, 0.2]), None);
    }
}
