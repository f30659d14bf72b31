//! Drives `profile` as a user does: a folder of its own, a program that can be measured, a real or a fake
//! nsys, and a look at whether anything is left running.

use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Cargo names the program to tests only; examples include this file, too.
const PROGRAM: Option<&str> = option_env!("CARGO_BIN_EXE_nsys-attrib");
/// In the environment of everything that a rig starts.
const MARK: &str = "NSYS_ATTRIB_TEST_RIG";

/// A folder in which the program is run.
pub struct Rig {
    pub folder: TempDir,
    mark: String,
}

impl Default for Rig {
    fn default() -> Self {
        Self::new()
    }
}

impl Rig {
    pub fn new() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        Self {
            folder: tempfile::tempdir().unwrap(),
            mark: format!("{}-{number}", std::process::id()),
        }
    }

    pub fn path(&self, below: &str) -> PathBuf {
        self.folder.path().join(below)
    }

    /// nsys-attrib with these words, in the folder. No nsys of the machine's environment is used.
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(PROGRAM.unwrap());
        command.current_dir(self.folder.path()).args(words).env(MARK, &self.mark);
        command.env_remove("NSYS_ATTRIB_NSYS").stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs it and makes sure that nothing is left running.
    pub fn run(&self, words: &[&str]) -> Said {
        self.finish(&mut self.command(words))
    }

    pub fn finish(&self, command: &mut Command) -> Said {
        let said = Said::of(&command.output().unwrap());
        self.nothing_runs();
        said
    }

    /// Processes that were started here and still run.
    pub fn running(&self) -> Vec<String> {
        let line = format!("{MARK}={}", self.mark);
        let mut found = Vec::new();
        for entry in fs::read_dir("/proc").unwrap().flatten() {
            let Ok(environment) = fs::read(entry.path().join("environ")) else { continue };
            if environment.split(|byte| *byte == 0).any(|entry| entry == line.as_bytes()) {
                let command = fs::read(entry.path().join("cmdline")).unwrap_or_default();
                found.push(String::from_utf8_lossy(&command).replace('\0', " "));
            }
        }
        found
    }

    #[track_caller]
    pub fn nothing_runs(&self) {
        let since = Instant::now();
        while !self.running().is_empty() && since.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(50));
        }
        assert_eq!(self.running(), Vec::<String>::new(), "left running");
    }

    pub fn manifest(&self, run: &str) -> Value {
        let text = fs::read(self.path(run).join("manifest.json")).unwrap();
        serde_json::from_slice(&text).unwrap()
    }

    /// The kind of the outcome, and the codes of the findings.
    pub fn verdict(&self, run: &str) -> (String, Vec<String>) {
        let manifest = self.manifest(run);
        let codes = manifest["findings"].as_array().unwrap().iter();
        let codes = codes.map(|finding| finding["code"].as_str().unwrap().to_owned()).collect();
        (manifest["outcome"]["kind"].as_str().unwrap().to_owned(), codes)
    }

    /// A script in the folder that can be executed.
    pub fn script(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    /// A fake nsys: runs the program, says what nsys says, and then does `after` with `$out` as the stem of
    /// its output and `$code` as the program's exit code; `export` does `export` with `$to` and `$from`.
    pub fn fake_nsys(&self, after: &str, export: &str) -> PathBuf {
        let text = format!(
            r#"#!/bin/bash
if [[ $1 == --version ]]; then echo "NVIDIA Nsight Systems version 2023.9.9.9-fake"; exit 0; fi
if [[ $1 == status ]]; then echo "CPU Profiling Environment: OK"; exit 0; fi
if [[ $1 == export ]]; then
  while [[ $1 != -o ]]; do shift; done
  to=$2 from=$3
  {export}
  exit 1
fi
shift
if [[ $1 == --help ]]; then
  printf -- "--output=\n--trace=\n 'cuda', 'nvtx', 'osrt'\n--sample=\n--cpuctxsw=\n--capture-range=\n"; exit 0
fi
for word; do
  [[ $word == --* ]] || break
  [[ $word != --output=* ]] || out=${{word#--output=}}
  shift
done
trap 'kill -TERM $child 2>/dev/null' TERM INT
"$@" & child=$!
wait $child; code=$?
while kill -0 $child 2>/dev/null; do wait $child; code=$?; done
{after}
exit $code
"#
        );
        self.script("fake/target-linux-x64/nsys", &text)
    }
}

/// What nsys-attrib said.
#[derive(Debug)]
pub struct Said {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Said {
    pub fn of(output: &Output) -> Self {
        Self {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            err: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

/// Tests that capture wait for each other: two nsys that start at once can disturb one another.
static CAPTURES: Mutex<()> = Mutex::new(());

thread_local! {
    /// The turn of this test, until its thread ends.
    static TURN: RefCell<Option<MutexGuard<'static, ()>>> = const { RefCell::new(None) };
}

/// The nsys of this machine, for this test alone; none, with a line that says so, where there is none.
pub fn real_nsys(what: &str) -> Option<String> {
    TURN.with(|turn| {
        turn.borrow_mut()
            .get_or_insert_with(|| CAPTURES.lock().unwrap_or_else(PoisonError::into_inner));
    });
    let nsys = std::env::var("NSYS_ATTRIB_NSYS").unwrap_or_else(|_| "nsys".to_owned());
    if Command::new(&nsys).arg("--version").output().is_ok_and(|output| output.status.success()) {
        return Some(nsys);
    }
    super::shared::skipped(&format!("{what}: no nsys on PATH (.ci/setup-nsys installs one)"));
    None
}

/// `examples/requests.rs`, built beside the tests.
pub fn requests() -> &'static str {
    static BUILT: OnceLock<String> = OnceLock::new();
    BUILT.get_or_init(|| {
        let program = Path::new(PROGRAM.unwrap()).parent().unwrap().join("examples/requests");
        if !program.exists() {
            // A single test target was asked for: cargo has not built the examples.
            let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
            let built = Command::new(cargo)
                .args(["build", "--quiet", "--example", "requests", "--manifest-path"])
                .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml"))
                .status()
                .unwrap();
            assert!(built.success());
        }
        program.display().to_string()
    })
}

/// Waits until something is true.
#[track_caller]
pub fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let since = Instant::now();
    while !is_so() {
        assert!(since.elapsed() < Duration::from_secs(60), "waited a minute for {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// Sends a signal by name.
pub fn kill(signal: &str, pid: u32) {
    let status =
        Command::new("kill").args([&format!("-{signal}"), &pid.to_string()]).status().unwrap();
    assert!(status.success());
}

/// The board of a Jetson Orin Nano as a tree of files: one INA3221 with three rails, a thermal zone.
pub fn fake_jetson(root: &Path) {
    let chip = root.join("sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon3");
    let put = |path: PathBuf, text: &str| {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    put(chip.join("name"), "ina3221\n");
    for (channel, label, mv, ma) in [
        (1, "VDD_IN", "4984", "968"),
        (2, "VDD_CPU_GPU_CV", "4984", "104"),
        (3, "VDD_SOC", "4984", "296"),
    ] {
        put(chip.join(format!("in{channel}_label")), &format!("{label}\n"));
        put(chip.join(format!("in{channel}_input")), &format!("{mv}\n"));
        put(chip.join(format!("curr{channel}_input")), &format!("{ma}\n"));
    }
    put(chip.join("in7_label"), "sum of shunt voltages\n");
    put(chip.join("in7_input"), "0\n");
    put(chip.join("curr4_input"), "0\n");
    put(chip.join("update_interval"), "7\n");
    put(chip.join("samples"), "1\n");
    put(root.join("sys/class/thermal/thermal_zone0/type"), "tj-thermal\n");
    put(root.join("sys/class/thermal/thermal_zone0/temp"), "48968\n");
    put(root.join("proc/device-tree/model"), "NVIDIA Jetson Orin Nano Developer Kit\0");
    put(root.join("var/lib/nvpmodel/status"), "pmode:0002\n");
    put(root.join("sys/class/devfreq/17000000.gpu/cur_freq"), "306000000\n");
}
