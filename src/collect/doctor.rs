//! Can this machine profile, and read power? Each answer with what helps.

use std::path::Path;
use std::process::{Command, Stdio};

use schemars::JsonSchema;
use serde::Serialize;

use super::host::Host;
use super::machine;
use super::nsys::{Nsys, on_path};
use super::sampler::choose;
use super::sampler::nvml::Gpus;

/// How an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// In order.
    Good,
    /// Some things cannot be done.
    Limited,
    /// Profiling is not possible.
    Bad,
}

/// One question and its answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Check {
    /// What was looked at.
    pub name: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub seen: String,
    /// What helps; `None` when nothing needs help.
    pub remedy: Option<String>,
}

const GIB: u64 = 1 << 30;

/// Asks everything. `out` is where runs would be written.
pub fn examine(
    host: &Host,
    nsys: &Result<Nsys, String>,
    nvml: Option<&Path>,
    out: &Path,
) -> Vec<Check> {
    let gpus = Gpus::open(nvml);
    let mut checks = vec![found(nsys)];
    if let Ok(nsys) = nsys {
        checks.push(importer(nsys));
        checks.push(environment(nsys));
    }
    checks.push(paranoia(host));
    checks.push(gpu(host, &gpus));
    checks.extend(counters(host));
    checks.extend(power(host, nvml));
    checks.push(clock_source(host));
    checks.push(synchronised(host));
    checks.extend(power_mode(host));
    checks.push(disk(out));
    checks
}

fn check(name: &str, state: State, seen: impl Into<String>, remedy: &str) -> Check {
    let remedy = (!remedy.is_empty()).then(|| remedy.to_owned());
    Check { name: name.to_owned(), state, seen: seen.into(), remedy }
}

fn found(nsys: &Result<Nsys, String>) -> Check {
    match nsys {
        Ok(nsys) => {
            check("nsys", State::Good, format!("{} ({})", nsys.version, nsys.path.display()), "")
        }
        Err(why) => check(
            "nsys",
            State::Bad,
            why.clone(),
            "install Nsight Systems (Debian: nsight-systems in non-free; Jetson: nvidia-nsight-sys), or name it with --nsys",
        ),
    }
}

fn importer(nsys: &Nsys) -> Check {
    match nsys.importer() {
        Some(path) => {
            let real = nsys.path.canonicalize().unwrap_or_else(|_| nsys.path.clone());
            let beside = real.parent().and_then(Path::parent).is_some_and(|folder| {
                super::host::list(folder)
                    .iter()
                    .any(|at| super::host::name(at).starts_with("host-linux"))
            });
            if beside {
                return check("importer", State::Good, path.display().to_string(), "");
            }
            let seen =
                format!("{}, which nsys itself does not find; it is run by hand", path.display());
            check(
                "importer",
                State::Limited,
                seen,
                "link the host-linux-… folder beside nsys's own target-linux-… folder",
            )
        }
        None => check(
            "importer",
            State::Limited,
            "no QdstrmImporter: captures cannot be turned into reports here",
            "install the host part of Nsight Systems, or import trace.qdstrm on another machine",
        ),
    }
}

/// What nsys says of its own environment.
fn environment(nsys: &Nsys) -> Check {
    let output =
        Command::new(&nsys.path).args(["status", "--environment"]).stdin(Stdio::null()).output();
    let said = output
        .map(|output| String::from_utf8_lossy(&output.stdout).into_owned())
        .unwrap_or_default();
    let lines = said.lines().map(str::trim);
    let bad: Vec<&str> =
        lines.filter(|line| line.ends_with("Fail") || line.ends_with("Not Available")).collect();
    if said.is_empty() {
        return check(
            "nsys status",
            State::Limited,
            "nsys says nothing of its environment",
            "run `nsys status -e` by hand",
        );
    }
    if bad.is_empty() {
        return check("nsys status", State::Good, "CPU profiling environment OK", "");
    }
    check(
        "nsys status",
        State::Good,
        format!("{} (needed for CPU sampling only)", bad.join("; ")),
        "",
    )
}

fn paranoia(host: &Host) -> Check {
    let level =
        host.text("proc/sys/kernel/perf_event_paranoid").and_then(|text| text.parse::<i32>().ok());
    match level {
        Some(level) if level > 2 => check(
            "perf_event_paranoid",
            State::Limited,
            format!(
                "{level}: CPU sampling and context switches are refused; CUDA and NVTX are not affected"
            ),
            "sudo sysctl kernel.perf_event_paranoid=2, should you need --sample",
        ),
        Some(level) => check("perf_event_paranoid", State::Good, level.to_string(), ""),
        None => check("perf_event_paranoid", State::Good, "not there", ""),
    }
}

fn gpu(host: &Host, gpus: &Result<Gpus, String>) -> Check {
    let described = machine::describe(host, gpus.as_ref().ok());
    if !described.gpu.is_empty() {
        let names: Vec<&str> = described.gpu.iter().map(|gpu| gpu.name.as_str()).collect();
        let driver = described.driver.unwrap_or_else(|| "unknown".to_owned());
        return check("GPU", State::Good, format!("{}, driver {driver}", names.join(", ")), "");
    }
    let tegra = host.path("sys/module/nvgpu").exists() || host.path("dev/nvhost-gpu").exists();
    if tegra {
        let board = described.cpu.unwrap_or_else(|| "Tegra".to_owned());
        return check("GPU", State::Good, format!("integrated, {board}"), "");
    }
    let why = gpus.as_ref().err().cloned().unwrap_or_default();
    check(
        "GPU",
        State::Limited,
        format!("none: {why}"),
        "windows can be timed and nothing attributed to a GPU; install the NVIDIA driver if there is one",
    )
}

/// Counters of GPUs are for administrators only unless the driver is told otherwise.
fn counters(host: &Host) -> Option<Check> {
    let text = host.text("proc/driver/nvidia/params")?;
    let line = text.lines().find_map(|line| line.strip_prefix("RmProfilingAdminOnly:"))?;
    Some(if line.trim() == "0" {
        check("GPU counters", State::Good, "open to all users", "")
    } else {
        check(
            "GPU counters",
            State::Limited,
            "for root only (needed for --gpu-metrics-device, not for CUDA traces)",
            "options nvidia NVreg_RestrictProfilingToAdminUsers=0 in /etc/modprobe.d, then reboot",
        )
    })
}

fn power(host: &Host, nvml: Option<&Path>) -> Vec<Check> {
    let Ok(choice) = choose(&["auto".to_owned()], host, nvml) else { return Vec::new() };
    let there = choice.samplers.iter().map(|sampler| {
        let rails = sampler.rails();
        let seen = if rails.is_empty() { "present".to_owned() } else { rails.join(", ") };
        check(&format!("power: {}", sampler.name()), State::Good, seen, "")
    });
    let absent = choice.absent.iter().map(|(name, why)| {
        let remedy = if *name == "rapl" && why.contains("root") {
            "sudo chmod a+r /sys/class/powercap/*/energy_uj"
        } else {
            ""
        };
        check(&format!("power: {name}"), State::Limited, why.clone(), remedy)
    });
    let mut checks: Vec<Check> = there.chain(absent).collect();
    if choice.samplers.is_empty() {
        checks.push(check(
            "power",
            State::Limited,
            "no source can be read",
            "log an external meter, and give its log to `energy --power`",
        ));
    }
    checks
}

fn clock_source(host: &Host) -> Check {
    let source = host.text("sys/devices/system/clocksource/clocksource0/current_clocksource");
    match source.as_deref() {
        Some(slow @ ("hpet" | "acpi_pm" | "jiffies")) => check(
            "clock source",
            State::Limited,
            format!("{slow}: reading the time is slow, which shows in every recorded call"),
            "find out why the kernel gave up its faster clock (dmesg | grep -i clocksource)",
        ),
        Some(source) => check("clock source", State::Good, source, ""),
        None => check("clock source", State::Good, "not stated", ""),
    }
}

fn synchronised(host: &Host) -> Check {
    let marker =
        host.path("run/systemd/timesync/synchronized").exists() || host.path("run/chrony").exists();
    let asked = || {
        let program = on_path("timedatectl".as_ref())?;
        let output = Command::new(program)
            .args(["show", "-p", "NTPSynchronized", "--value"])
            .stdin(Stdio::null())
            .output()
            .ok()?;
        Some(String::from_utf8_lossy(&output.stdout).trim() == "yes")
    };
    if marker || asked() == Some(true) {
        return check("wall clock", State::Good, "synchronised", "");
    }
    check(
        "wall clock",
        State::Limited,
        "not known to be synchronised: logs of other machines cannot be placed by it",
        "nothing for logs of this machine; else start chrony or systemd-timesyncd before the run, not during it",
    )
}

fn power_mode(host: &Host) -> Option<Check> {
    let mode = machine::describe(host, None).power_mode?;
    Some(check("power mode", State::Good, mode, ""))
}

fn disk(out: &Path) -> Check {
    let mut folder = std::path::absolute(out).unwrap_or_else(|_| out.to_path_buf());
    while !folder.exists() && folder.pop() {}
    let Ok(about) = rustix::fs::statvfs(&folder) else {
        return check(
            "disk",
            State::Limited,
            format!("{} cannot be asked", folder.display()),
            "choose another --out",
        );
    };
    let free = about.f_bavail.saturating_mul(about.f_frsize);
    let seen = format!("{} free in {}", crate::units::Bytes::new(free), folder.display());
    let state = if free < GIB / 4 {
        State::Bad
    } else if free < 2 * GIB {
        State::Limited
    } else {
        State::Good
    };
    let remedy = if state == State::Good {
        ""
    } else {
        "make room: a traced run of a minute may need a GB, and as much in the temporary folder"
    };
    check("disk", state, seen, remedy)
}
