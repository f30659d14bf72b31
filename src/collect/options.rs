//! Which options does `nsys profile` get?
//!
//! No sampling and no context switches unless asked for: both disturb the CPU side, which is what is
//! measured. `--force-overwrite=true` always, into a folder that is fresh: without it nsys exits 0 and
//! leaves an old file in place. Options that a version does not know are left out when they only state
//! a default, and are an error when they were asked for.

use std::path::Path;

use super::error::CollectError;
use super::nsys::Nsys;
use super::plan::TracePlan;
use crate::units::Nanos;

/// The stem of the trace's files.
pub(crate) const STEM: &str = "trace";

/// What is traced by default, when nsys knows it.
const APIS: [&str; 5] = ["cuda", "nvtx", "osrt", "cudnn", "cublas"];

/// The options of `nsys profile`, without the output and the program.
///
/// # Errors
/// [`CollectError::Option`] for what this nsys cannot do.
pub fn options(nsys: &Nsys, plan: &TracePlan) -> Result<Vec<String>, CollectError> {
    let apis = apis(nsys, plan)?;
    let mut options: Vec<String> =
        (!apis.is_empty()).then(|| format!("--trace={}", apis.join(","))).into_iter().collect();
    let sampling = if plan.sample { "process-tree" } else { "none" };
    for (option, value) in [("--sample", sampling), ("--cpuctxsw", "none")] {
        if nsys.knows(option) {
            options.push(format!("{option}={value}"));
        }
    }
    if let Some(graph) = &plan.graph {
        demand(
            nsys,
            "--cuda-graph-trace",
            "CUDA graphs cannot be traced by node before nsys 2021.5",
        )?;
        options.push(format!("--cuda-graph-trace={graph}"));
    }
    if let Some(capture) = &plan.capture {
        options.extend(capture_range(nsys, capture)?);
    }
    if let Some(delay) = plan.delay {
        options.push(format!("--delay={}", seconds(delay.0)));
    }
    if let Some(duration) = plan.duration {
        options.push(format!("--duration={}", seconds(duration.0)));
    }
    options.extend(plan.options.iter().cloned());
    Ok(options)
}

/// The whole command: `nsys profile … -o FOLDER/trace PROGRAM ARGS`.
pub(super) fn command(
    nsys: &Nsys,
    options: &[String],
    folder: &Path,
    program: &[String],
) -> Vec<String> {
    let mut words = vec![nsys.path.display().to_string(), "profile".to_owned()];
    words.extend(options.iter().cloned());
    words.extend(["--export=sqlite".to_owned(), "--force-overwrite=true".to_owned()]);
    words.push(format!("--output={}", folder.join(STEM).display()));
    words.extend(program.iter().cloned());
    words
}

fn apis(nsys: &Nsys, plan: &TracePlan) -> Result<Vec<String>, CollectError> {
    if plan.apis.is_empty() {
        let known = APIS.into_iter().filter(|api| nsys.traces(api)).map(str::to_owned);
        return Ok(known.collect());
    }
    match plan.apis.iter().find(|api| !nsys.traces(api)) {
        None => Ok(plan.apis.clone()),
        Some(api) => Err(CollectError::Option {
            version: nsys.version.clone(),
            option: format!("--trace={api}"),
            remedy: format!("`{} profile --help` lists what it traces", nsys.path.display()),
        }),
    }
}

/// `profiler`, or `nvtx:RANGE[@DOMAIN]`.
fn capture_range(nsys: &Nsys, capture: &str) -> Result<Vec<String>, CollectError> {
    demand(nsys, "--capture-range", "Record the whole run, and choose windows in the analysis")?;
    if capture == "profiler" {
        return Ok(vec!["--capture-range=cudaProfilerApi".to_owned()]);
    }
    let Some(range) = capture.strip_prefix("nvtx:").filter(|range| !range.is_empty()) else {
        return Err(CollectError::Option {
            version: nsys.version.clone(),
            option: format!("a capture range `{capture}`"),
            remedy: "There are `profiler` and `nvtx:RANGE[@DOMAIN]`".to_owned(),
        });
    };
    // nsys starts on registered strings only unless it is told otherwise; few programs register theirs.
    let mut options = vec![
        "--capture-range=nvtx".to_owned(),
        format!("--nvtx-capture={range}"),
        "--env-var=NSYS_NVTX_PROFILER_REGISTER_ONLY=0".to_owned(),
    ];
    if nsys.knows("--capture-range-end") {
        // By default nsys ends the program with the range; the program should end as it wants to.
        options.push("--capture-range-end=stop".to_owned());
    }
    Ok(options)
}

fn demand(nsys: &Nsys, option: &str, remedy: &str) -> Result<(), CollectError> {
    if nsys.knows(option) {
        return Ok(());
    }
    Err(CollectError::Option {
        version: nsys.version.clone(),
        option: option.to_owned(),
        remedy: remedy.to_owned(),
    })
}

/// nsys takes whole seconds in old versions; fractions only where they are needed.
fn seconds(length: Nanos) -> String {
    let ns = length.as_ns();
    if ns % 1_000_000_000 == 0 {
        (ns / 1_000_000_000).to_string()
    } else {
        format!("{}", ns as f64 / 1e9)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::plan::Length;

    const OLD: &str =
        "--output=\n--trace=\n Possible values are 'cuda', 'nvtx', 'osrt'\n--sample=\n";
    const NEW: &str = "--output=\n--trace=\n 'cuda', 'nvtx', 'osrt', 'cudnn', 'cublas'\n--sample=\n--cpuctxsw=\n\
        --cuda-graph-trace=\n--capture-range=\n--capture-range-end=\n";

    fn words(help: &str, plan: &TracePlan) -> Result<String, CollectError> {
        options(&Nsys::known("nsys", "2020.1", help), plan).map(|words| words.join(" "))
    }

    #[test]
    fn each_version_gets_what_it_knows() {
        let plan = TracePlan::default();
        assert_eq!(words(OLD, &plan).unwrap(), "--trace=cuda,nvtx,osrt --sample=none");
        assert_eq!(
            words(NEW, &plan).unwrap(),
            "--trace=cuda,nvtx,osrt,cudnn,cublas --sample=none --cpuctxsw=none"
        );
    }

    #[test]
    fn what_is_asked_for_and_unknown_is_an_error() {
        let plan = TracePlan { graph: Some("node".into()), ..TracePlan::default() };
        let message = words(OLD, &plan).unwrap_err().to_string();
        assert!(message.contains("--cuda-graph-trace") && message.contains("2020.1"), "{message}");
        assert!(words(NEW, &plan).unwrap().ends_with("--cuda-graph-trace=node"));
        let plan = TracePlan { apis: vec!["vulkan".into()], ..TracePlan::default() };
        assert!(words(NEW, &plan).unwrap_err().to_string().contains("--trace=vulkan"));
        let plan = TracePlan { capture: Some("range".into()), ..TracePlan::default() };
        assert!(words(NEW, &plan).unwrap_err().to_string().contains("nvtx:RANGE"));
    }

    #[test]
    fn a_range_may_start_the_recording() {
        let plan = TracePlan {
            apis: vec!["nvtx".into()],
            capture: Some("nvtx:timed@*".into()),
            delay: Some(Length(Nanos::from_ns(2_000_000_000))),
            duration: Some(Length(Nanos::from_ns(1_500_000_000))),
            ..TracePlan::default()
        };
        assert_eq!(
            words(NEW, &plan).unwrap(),
            "--trace=nvtx --sample=none --cpuctxsw=none --capture-range=nvtx --nvtx-capture=timed@* \
             --env-var=NSYS_NVTX_PROFILER_REGISTER_ONLY=0 --capture-range-end=stop --delay=2 --duration=1.5"
        );
    }
}
