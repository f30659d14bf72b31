//! Samplers: a tree of files plays a Jetson, a library plays NVML, scripts play tegrastats and
//! nvidia-smi; what is logged is what `power` reads; a sampler that dies is told.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "a test may fail and talk")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::rig::{Rig, fake_jetson, requests};

fn power_document(rig: &Rig, log: &str) -> Value {
    let said = rig.run(&["power", log, "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    serde_json::from_str(&said.out).unwrap()
}

/// Means by rail, from the rows themselves.
fn mean_mw(rig: &Rig, log: &str, rail: &str) -> f64 {
    let text = fs::read_to_string(rig.path(log)).unwrap();
    let rows = text
        .lines()
        .filter(|line| !line.starts_with(['#', 'm']))
        .map(|line| line.split(',').collect::<Vec<_>>());
    let of_rail: Vec<f64> =
        rows.filter(|row| row[3] == rail).map(|row| row[6].parse().unwrap()).collect();
    of_rail.iter().sum::<f64>() / of_rail.len() as f64
}

#[test]
fn a_jetson_is_read_rail_by_rail() {
    let rig = Rig::new();
    fake_jetson(&rig.path("board"));
    let mut command =
        rig.command(&["sample", "--out", "logs", "--power-period", "5ms", "--for", "600ms"]);
    let said = rig.finish(command.env("NSYS_ATTRIB_ROOT", rig.path("board")));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("VDD_IN, VDD_CPU_GPU_CV, VDD_SOC"), "{}", said.err);
    for (rail, mw) in [("VDD_IN", 4824.512), ("VDD_CPU_GPU_CV", 518.336), ("VDD_SOC", 1475.264)] {
        assert!((mean_mw(&rig, "logs/power-ina3221.csv", rail) - mw).abs() < 1e-6, "{rail}");
    }
    let document = power_document(&rig, "logs/power-ina3221.csv");
    assert!(document.to_string().contains("VDD_IN"), "{document}");
    let text = fs::read_to_string(rig.path("logs/power-ina3221.csv")).unwrap();
    assert!(text.contains("update_interval_ms=7 averages=1"), "{}", &text[..300]);
    assert!(text.matches("# clock mono_ns=").count() >= 2);
}

#[test]
fn jetpack_4_disabled_rails_and_agx_boards_are_read() {
    let rig = Rig::new();
    let put = |name: &str, text: &str| {
        let path = rig.path("board").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    let old = "sys/bus/i2c/drivers/ina3221x/6-0040/iio:device0";
    for (name, text) in [
        ("rail_name_0", "POM_5V_IN"),
        ("in_voltage0_input", "5000"),
        ("in_current0_input", "204"),
        ("in_power0_input", "1022"),
        ("rail_name_1", "NC"),
        ("in_voltage1_input", "0"),
        ("in_current1_input", "0"),
    ] {
        put(&format!("{old}/{name}"), text);
    }
    let agx = "sys/class/hwmon/hwmon1";
    for (name, text) in [
        ("name", "ina3221"),
        ("in1_label", "VDD_GPU_SOC"),
        ("in1_input", "19000"),
        ("curr1_input", "-8 ma"),
        ("in2_label", "VDD_CPU_CV"),
        ("in2_enable", "0"),
        ("in2_input", "1"),
        ("curr2_input", "1"),
        ("in3_label", "NC"),
    ] {
        put(&format!("{agx}/{name}"), text);
    }
    put("sys/class/hwmon/hwmon0/name", "tmp451");
    let mut command =
        rig.command(&["sample", "--power", "ina3221", "--out", "logs", "--for", "100ms"]);
    let said = rig.finish(command.env("NSYS_ATTRIB_ROOT", rig.path("board")));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        (mean_mw(&rig, "logs/power-ina3221.csv", "POM_5V_IN") - 1022.0).abs() < 1e-9,
        "direct power is preferred"
    );
    assert!(
        (mean_mw(&rig, "logs/power-ina3221.csv", "VDD_GPU_SOC") + 152.0).abs() < 1e-9,
        "negative is kept"
    );
    let text = fs::read_to_string(rig.path("logs/power-ina3221.csv")).unwrap();
    assert!(
        !text.contains("VDD_CPU_CV") && !text.contains("NC"),
        "disabled and unconnected channels are none"
    );
}

#[test]
fn a_monitor_that_goes_away_is_told() {
    let rig = Rig::new();
    fake_jetson(&rig.path("board"));
    let chip = rig.path("board/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3");
    // The file stays open; what it says is no number any more.
    let script = format!(
        "sleep 0.2; for f in {0}/curr*_input; do echo gone >$f; done; sleep 0.4",
        chip.display()
    );
    let mut command = rig.command(&[
        "profile",
        "--untraced",
        "--power",
        "ina3221",
        "--power-period",
        "10ms",
        "--name",
        "r",
    ]);
    command.args(["--idle-before", "50ms", "--idle-after", "0s", "--", "sh", "-c", &script]);
    let said = rig.finish(command.env("NSYS_ATTRIB_ROOT", rig.path("board")));
    assert_eq!(said.code, 1, "{}", said.err);
    let (kind, codes) = rig.verdict("runs/r");
    assert_eq!((kind.as_str(), codes), ("incomplete", vec!["sampler-died".to_owned()]));
    let power = &rig.manifest("runs/r")["power"][0];
    assert!(power["died"].as_str().unwrap().contains("`gone` is no number"), "{power}");
    assert!(power["samples"].as_i64().unwrap() > 5 && power["lost"].as_i64().unwrap() >= 10);
}

#[test]
fn thirty_seconds_lose_nothing_and_cost_little() {
    let rig = Rig::new();
    fake_jetson(&rig.path("board"));
    let mut command = rig.command(&[
        "profile",
        "--untraced",
        "--power",
        "auto",
        "--idle-before",
        "1s",
        "--idle-after",
        "1s",
    ]);
    command.args(["--name", "r", "--", "sleep", "28"]).env("NSYS_ATTRIB_ROOT", rig.path("board"));
    let said = rig.finish(&mut command);
    assert_eq!(said.code, 0, "{}", said.err);
    let manifest = rig.manifest("runs/r");
    let power = &manifest["power"][0];
    let (samples, lost) = (power["samples"].as_i64().unwrap(), power["lost"].as_i64().unwrap());
    let cpu = power["cpu_ns"].as_i64().unwrap() as f64 / 30e9;
    eprintln!(
        "{samples} readings, {lost} lost, {:.3} % of a core; {}",
        cpu * 100.0,
        power["jitter"]
    );
    assert!((560..=640).contains(&samples), "30 s at 50 ms: {samples}");
    // A machine that is busy with other tests may hold a thread back for 100 ms now and then.
    assert!(lost * 100 <= samples, "{lost}");
    assert!(cpu < 0.01, "{cpu}");
    // Who may raise a priority does: the superuser, as sensors often ask for.
    let nice = power["nice"].as_i64().unwrap();
    assert!(nice == if rustix::process::geteuid().is_root() { -10 } else { nice }, "{nice}");
    let histogram: Vec<i64> = power["jitter"]["histogram"]
        .as_array()
        .unwrap()
        .iter()
        .map(|bin| bin.as_i64().unwrap())
        .collect();
    assert_eq!(histogram.iter().sum::<i64>(), samples - 1);
    assert!(histogram[8..=11].iter().sum::<i64>() * 10 > samples * 8, "{histogram:?}");
}

/// What the processor has done for a process so far, in ns: its own threads, not its children.
fn worked_ns(pid: u32) -> u64 {
    let Ok(tasks) = fs::read_dir(format!("/proc/{pid}/task")) else { return 0 };
    tasks
        .flatten()
        .filter_map(|task| fs::read_to_string(task.path().join("schedstat")).ok())
        .filter_map(|text| text.split(' ').next()?.parse::<u64>().ok())
        .sum()
}

#[test]
fn a_sync_pulse_is_seen_by_the_sensor_and_places_the_log() {
    let rig = Rig::new();
    fake_jetson(&rig.path("board"));
    let current = rig.path("board/sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3/curr1_input");
    let mut command = rig.command(&[
        "profile",
        "--untraced",
        "--power",
        "auto",
        "--power-period",
        "10ms",
        "--sync-pulse",
        "--idle-before",
        "500ms",
        "--idle-after",
        "500ms",
        "--name",
        "r",
        "--",
    ]);
    command.args([requests(), "--count", "40", "--busy-us", "40000", "--gap-us", "20000"]);
    let child = command.env("NSYS_ATTRIB_ROOT", rig.path("board")).spawn().unwrap();
    // The board draws more while the driver itself works hard, which it does in its pulses only.
    let pid = child.id();
    let (mut done, mut child) = (None, child);
    let (mut before, mut high) = (worked_ns(pid), false);
    while done.is_none() {
        std::thread::sleep(std::time::Duration::from_millis(10));
        let now = worked_ns(pid);
        let busy = now.saturating_sub(before) > 3_000_000;
        before = now;
        if busy != high {
            high = busy;
            // Written in one step, so that no reading finds half a number.
            let fresh = current.with_extension("fresh");
            fs::write(&fresh, if high { "2968\n" } else { "0968\n" }).unwrap();
            fs::copy(&fresh, &current).unwrap();
        }
        done = child.try_wait().unwrap();
    }
    let said = support::rig::Said::of(&child.wait_with_output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    let manifest = rig.manifest("runs/r");
    let phases: Vec<(&str, i64)> = manifest["phases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|phase| {
            let at = |key: &str| phase[key].as_i64().unwrap();
            (phase["name"].as_str().unwrap(), at("end_unix_ns") - at("start_unix_ns"))
        })
        .collect();
    let names: Vec<&str> = phases.iter().map(|phase| phase.0).collect();
    assert_eq!(names, ["idle-before", "power-sync", "program", "power-sync", "idle-after"]);
    for (_, ns) in phases.iter().filter(|phase| phase.0 == "power-sync") {
        assert!((1_000_000_000..1_300_000_000).contains(ns), "{ns}");
    }
    let said = rig.run(&["energy", "runs/r", "--align", "pulse", "--format", "json"]);
    assert_eq!(said.code, 0, "{}", said.err);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    let alignment = &document["sets"][0]["energy"][0]["alignment"];
    let method = alignment["method"].as_str().unwrap();
    assert!(method.contains("2 sync pulses"), "{alignment}");
    // One clock, so nothing is to be moved but what the board above is late: a look takes 10 ms.
    let offset = alignment["offset_ns"].as_i64().unwrap();
    assert!(offset.abs() < 40_000_000, "{alignment}");
}

/// A library that plays NVML: two GPUs, of which one knows its power of the moment.
fn fake_nvml(rig: &Rig) -> PathBuf {
    let library = rig.path("libnvidia-ml.so.1");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/fake_nvml.rs");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let built = Command::new(rustc)
        .args(["--crate-type=cdylib", "--edition=2024", "-o"])
        .arg(&library)
        .arg(source)
        .status()
        .unwrap();
    assert!(built.success());
    library
}

#[test]
fn gpus_are_read_through_nvml_and_described() {
    let rig = Rig::new();
    let library = fake_nvml(&rig);
    for (instant, words) in
        [("1", "field=instant"), ("0", "field=average trailing_avg_ns=1000000000")]
    {
        let name = format!("r{instant}");
        let mut command = rig.command(&[
            "profile",
            "--untraced",
            "--power",
            "nvml",
            "--power-period",
            "10ms",
            "--name",
            &name,
        ]);
        command.args(["--idle-before", "100ms", "--idle-after", "0s", "--", "sleep", "0.2"]);
        command.env("NSYS_ATTRIB_NVML", &library).env("FAKE_NVML_INSTANT", instant);
        let said = rig.finish(&mut command);
        assert_eq!(said.code, 0, "{}", said.err);
        let manifest = rig.manifest(&format!("runs/{name}"));
        assert_eq!(manifest["machine"]["gpu"][1]["name"], "Fake GPU 1");
        assert_eq!(manifest["machine"]["driver"], "550.54.15");
        assert_eq!(manifest["machine"]["cuda"], "12.4");
        assert_eq!(manifest["machine"]["temperature_c"]["gpu0"], 41.0);
        assert_eq!(manifest["machine"]["clocks"]["gpu0.sm_mhz"], "1410");
        let log = format!("runs/{name}/power-nvml.csv");
        let text = fs::read_to_string(rig.path(&log)).unwrap();
        assert!(text.contains(words), "{}", &text[..200]);
        let expected = if instant == "1" { 61_500.0 } else { 60_000.0 };
        assert!((mean_mw(&rig, &log, "GPU0") - expected).abs() < 1e-6);
        let last = text.lines().rfind(|line| line.contains("GPU1")).unwrap();
        assert!(
            last.split(',').nth(7).unwrap().parse::<u64>().unwrap() > 0,
            "the energy counter: {last}"
        );
        let kinds = power_document(&rig, &log).to_string();
        assert_eq!(kinds.contains("mean of the last"), instant == "0", "{kinds}");
    }
}

#[test]
fn counters_of_the_processor_are_read_without_wraps() {
    let rig = Rig::new();
    let put = |name: &str, text: &str| {
        let path = rig.path("board/sys/class/powercap").join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put("intel-rapl:0/name", "package-0\n");
    put("intel-rapl:0/energy_uj", "262143000000\n");
    put("intel-rapl:0/max_energy_range_uj", "262143328850\n");
    put("intel-rapl:0:0/name", "core\n");
    put("intel-rapl:0:0/energy_uj", "5\n");
    put("intel-rapl:0:1/name", "dram\n");
    put("intel-rapl:0:1/energy_uj", "7\n");
    let counter = rig.path("board/sys/class/powercap/intel-rapl:0/energy_uj");
    let mut command = rig.command(&[
        "sample",
        "--power",
        "rapl",
        "--power-period",
        "10ms",
        "--out",
        "logs",
        "--",
    ]);
    command.args([
        "sh",
        "-c",
        &format!("sleep 0.2; echo 500000 >{}; sleep 0.2", counter.display()),
    ]);
    let said = rig.finish(command.env("NSYS_ATTRIB_ROOT", rig.path("board")));
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("package-0, package-0-dram ("), "{}", said.err);
    let text = fs::read_to_string(rig.path("logs/power-rapl.csv")).unwrap();
    let last = text.lines().rfind(|line| line.contains(",package-0,")).unwrap();
    assert!(last.ends_with(",828850"), "{last}");
}

#[test]
fn tools_are_followed_and_their_death_is_told() {
    let rig = Rig::new();
    let line = "RAM 3452/7620MB (lfb 25x4MB) CPU [1%@1420] GR3D_FREQ 0% VDD_IN 4824mW/4824mW VDD_SOC 1475mW/1475mW";
    rig.script(
        "bin/tegrastats",
        &format!("#!/bin/sh\nwhile :; do echo '{line}'; sleep 0.1; done\n"),
    );
    rig.script("bin/nvidia-smi", "#!/bin/sh\necho 'timestamp, index, uuid, power.draw [W]'\necho '2026/03/07 00:20:37.071, 0, GPU-1, 76.78 W'\nsleep 0.3\nexit 9\n");
    let path = format!("{}:{}", rig.path("bin").display(), std::env::var("PATH").unwrap());
    let mut command =
        rig.command(&["profile", "--untraced", "--power", "tegrastats,nvidia-smi", "--name", "r"]);
    command
        .args(["--idle-before", "0s", "--idle-after", "0s", "--", "sleep", "1"])
        .env("PATH", path);
    let said = rig.finish(&mut command);
    assert_eq!(said.code, 1, "{}", said.err);
    let manifest = rig.manifest("runs/r");
    assert!(
        manifest["power"][0]["died"].is_null()
            && manifest["power"][0]["samples"].as_i64().unwrap() >= 5
    );
    assert!(
        manifest["power"][1]["died"].as_str().unwrap().contains("exit status: 9"),
        "{}",
        manifest["power"][1]
    );
    let document = power_document(&rig, "runs/r/power-tegrastats.log");
    assert!(
        document.to_string().contains("VDD_IN"),
        "the lines have a time that `power` reads: {document}"
    );
    power_document(&rig, "runs/r/power-nvidia-smi.csv");
}

#[test]
fn auto_takes_what_there_is_and_says_when_there_is_nothing() {
    let rig = Rig::new();
    fs::create_dir(rig.path("empty")).unwrap();
    let mut command =
        rig.command(&["profile", "--untraced", "--power", "auto", "--name", "r", "--", "true"]);
    command
        .env("NSYS_ATTRIB_ROOT", rig.path("empty"))
        .env("NSYS_ATTRIB_NVML", rig.path("none.so"))
        .env("PATH", "/usr/bin:/bin");
    let said = rig.finish(&mut command);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(rig.verdict("runs/r"), ("completed".into(), vec!["no-power-source".into()]));
    assert!(said.err.contains("ina3221: there is no INA3221"), "{}", said.err);
}

#[test]
fn the_doctor_names_every_source_with_what_helps() {
    let rig = Rig::new();
    fake_jetson(&rig.path("board"));
    let nsys = rig.fake_nsys("", "").display().to_string();
    let mut command = rig.command(&["doctor", "--nsys", &nsys, "--format", "json"]);
    let said = rig.finish(command.env("NSYS_ATTRIB_ROOT", rig.path("board")));
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
    let checks: Vec<Value> = serde_json::from_str(&said.out).unwrap();
    let named = |name: &str| {
        checks
            .iter()
            .find(|check| check["name"] == name)
            .unwrap_or_else(|| panic!("{name}: {checks:?}"))
    };
    assert_eq!(named("power: ina3221")["seen"], "VDD_IN, VDD_CPU_GPU_CV, VDD_SOC");
    assert_eq!(named("nsys")["state"], "good");
    assert_eq!(named("power: rapl")["state"], "limited");
    assert!(named("importer")["remedy"].is_string());
    assert!(named("disk")["seen"].as_str().unwrap().contains("free in"));

    let said = rig.run(&["doctor", "--nsys", "./missing"]);
    assert_eq!(said.code, 1, "{}", said.out);
    assert!(
        said.out.contains("BAD") && said.out.contains("install Nsight Systems"),
        "{}",
        said.out
    );
}
