//! What to type next: the commands that fit this trace, with the range that looks most like a request.

use super::document::{Info, State};
use crate::report::notes::shell_word;
use crate::windows::RangeSummary;

/// Names that a specification does not reach as a bare word.
const RESERVED: [&str; 3] = ["all", "profiler", "periodic"];
/// Nobody types a longer name.
const LONGEST_NAME: usize = 60;

/// The range to suggest: `latency`; else the name whose closed ranges cover the most time, names that
/// occur at least twice first, since one range has no distribution.
pub(super) fn best_range(ranges: &[RangeSummary]) -> Option<&RangeSummary> {
    let closed = |range: &RangeSummary| range.count - range.unclosed;
    let can_be_typed = |range: &&RangeSummary| {
        closed(range) > 0
            && !range.name.is_empty()
            && range.name.chars().count() <= LONGEST_NAME
            && !range.name.chars().any(|c| c.is_control() || c == '\u{202e}')
    };
    let key = |range: &&RangeSummary| {
        let time =
            range.mean.map_or(0, |mean| i128::from(mean.as_ns()) * i128::from(closed(range)));
        (range.name == "latency", closed(range) > 1, time)
    };
    let candidates = || ranges.iter().filter(can_be_typed);
    let best = candidates().map(|range| key(&range)).max()?;
    candidates().find(|range| key(range) == best)
}

/// The commands, most useful first.
pub(super) fn commands(info: &Info, best: Option<&RangeSummary>) -> Vec<String> {
    let has = |kind: &str| {
        info.recorded.iter().any(|found| found.kind == kind && found.state == State::Recorded)
    };
    let trace = shell_word(&info.trace.path);
    let window = best.map(|range| {
        let reserved = RESERVED.contains(&range.name.as_str());
        shell_word(&if reserved { format!("nvtx:{}", range.name) } else { range.name.clone() })
    });
    let gpu_work = has("kernels") || has("copies") || has("graphs");
    let mut commands = Vec::new();
    if has("cuda-api") || gpu_work {
        let window = window.as_deref().unwrap_or("all");
        commands.push(format!("nsys-attrib analyze {trace} --window {window}"));
    }
    if let Some(window) = &window {
        commands.push(format!("nsys-attrib windows {trace} --window {window}"));
    }
    if has("kernels") {
        commands.push(format!("nsys-attrib classes {trace}"));
    }
    if !(has("cuda-api") || gpu_work) {
        commands.push(
            "nsys profile --trace=cuda,nvtx --cuda-graph-trace=node --output trace PROGRAM ARGS"
                .to_owned(),
        );
        commands.push("nsys export --type sqlite --output trace.sqlite trace.nsys-rep".to_owned());
    }
    commands
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Nanos;

    fn range(name: &str, count: u64, unclosed: u64, mean_ns: i64) -> RangeSummary {
        let mean = (count > unclosed).then(|| Nanos::from_ns(mean_ns));
        let total = Nanos::from_ns(mean_ns * (count - unclosed) as i64);
        RangeSummary { name: name.to_owned(), domain: None, count, unclosed, mean, total }
    }

    fn best(ranges: &[RangeSummary]) -> Option<&str> {
        best_range(ranges).map(|range| range.name.as_str())
    }

    #[test]
    fn repeated_ranges_that_cover_the_most_time_look_like_requests() {
        let (epoch, step, layer) =
            (range("epoch", 1, 0, 9_000), range("step", 10, 0, 800), range("layer", 100, 0, 10));
        assert_eq!(best(&[layer.clone(), step.clone(), epoch.clone()]), Some("step"));
        assert_eq!(best(&[epoch]), Some("epoch"));
        assert_eq!(best(&[step, range("latency", 2, 0, 1)]), Some("latency"));
        assert_eq!(best(&[range("open", 5, 5, 0)]), None);
        assert_eq!(best(&[range("\u{1b}[31m", 5, 0, 9), layer]), Some("layer"));
    }
}
