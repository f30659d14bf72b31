//! What nsys does when things go wrong, played by a fake one: nothing stale is taken, nothing is
//! overwritten, nothing is left running, and the manifest tells the truth.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::process::Command;

use support::rig::{Rig, kill, wait_for};

/// A bundled export, whose session is of another time.
fn any_export() -> String {
    support::words::repository()
        .join("fixtures/traces/no-gpu-work/api-only.sqlite")
        .display()
        .to_string()
}

fn profile(rig: &Rig, after: &str, export: &str, program: &[&str]) -> support::rig::Said {
    let nsys = rig.fake_nsys(after, export);
    let nsys = nsys.display().to_string();
    rig.run(&[&["profile", "--nsys", &nsys, "--name", "r", "--"], program].concat())
}

const GENERATES: &str = r#"echo "Generating '/tmp/nsys-report-none.qdstrm'""#;

#[test]
fn no_report_at_all_is_incomplete_although_nsys_exits_0() {
    let rig = Rig::new();
    let said = profile(&rig, GENERATES, "", &["true"]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert_eq!(rig.verdict("runs/r"), ("incomplete".into(), vec!["no-trace".into()]));
    assert!(said.err.contains("left less than was asked for"), "{}", said.err);
}

#[test]
fn a_missing_importer_leaves_the_raw_capture_and_says_so() {
    let rig = Rig::new();
    let after = r#"echo raw >"$out.qdstrm"; echo "Generating '$out.qdstrm'"; echo "The importer binary and its dependencies were not found""#;
    // No importer may be found beside the fake one; that of the machine must not be used either.
    let said = profile(&rig, after, "", &["true"]);
    let (kind, codes) = rig.verdict("runs/r");
    assert_eq!((said.code, kind.as_str()), (1, "incomplete"), "{}", said.err);
    assert!(codes == ["importer-missing"] || codes == ["no-trace"], "{codes:?}");
    assert!(rig.path("runs/r/trace.qdstrm").exists());
    assert!(rig.manifest("runs/r")["trace"].is_null());
}

#[test]
fn what_nsys_does_not_import_is_imported_and_exported_by_hand() {
    let rig = Rig::new();
    let importer = "#!/bin/bash\nwhile [[ $1 != -o ]]; do shift; done\necho report >\"$2\"\n";
    rig.script("fake/host-linux-x64/QdstrmImporter", importer);
    let after = r#"echo raw >"$out.qdstrm"; echo "Generating '$out.qdstrm'""#;
    // What comes out is an export of another time: everything is done, and then it is seen to be stale.
    let said = profile(&rig, after, &format!("cp {} \"$to\"; exit 0", any_export()), &["true"]);
    let (kind, codes) = rig.verdict("runs/r");
    assert_eq!(kind, "incomplete", "{}", said.err);
    assert_eq!(codes, ["stale-export", "imported-by-hand"]);
    assert!(
        rig.path("runs/r/trace.nsys-rep").exists() && !rig.path("runs/r/trace.qdstrm").exists()
    );
    assert!(!rig.path("runs/r/trace.sqlite").exists(), "a stale export must not be analysed");
}

#[test]
fn an_export_of_another_time_is_set_aside_by_its_age_and_by_its_session() {
    for (touch, why) in [("-d 2020-01-01", "older than the run"), ("", "its session started at")] {
        let rig = Rig::new();
        let after = format!(
            "{GENERATES}; cp {} \"$out.sqlite\"; touch {touch} \"$out.sqlite\"",
            any_export()
        );
        let said = profile(&rig, &after, "", &["true"]);
        let manifest = rig.manifest("runs/r");
        assert_eq!(manifest["outcome"]["kind"], "incomplete", "{}", said.err);
        let message = manifest["findings"].to_string();
        assert!(message.contains(why), "{message}");
        assert!(rig.path("runs/r/stale-trace.sqlite").exists());
        assert!(!rig.path("runs/r/trace.sqlite").exists());
        assert!(manifest["trace"].is_null());
        let said = rig.run(&["analyze", "runs/r"]);
        assert_eq!(said.code, 2, "{}", said.out);
    }
}

#[test]
fn a_report_that_was_put_elsewhere_is_brought_back() {
    let rig = Rig::new();
    let after = r#"echo "Generating '/tmp/x.qdstrm'"; mkdir -p "$TMPDIR"; echo report >"$TMPDIR/nsys-report-1.nsys-rep"
        printf 'Generated:\n    %s\n' "$TMPDIR/nsys-report-1.nsys-rep""#;
    let nsys = rig.fake_nsys(after, "echo 'exportation error' >&2; exit 1");
    let mut command = rig.command(&["profile", "--name", "r", "--nsys"]);
    command.arg(nsys).args(["--", "true"]).env("TMPDIR", rig.path("elsewhere"));
    fs::create_dir(rig.path("elsewhere")).unwrap();
    let said = rig.finish(&mut command);
    let (kind, codes) = rig.verdict("runs/r");
    assert_eq!(kind, "incomplete", "{}", said.err);
    assert_eq!(codes, ["no-trace", "report-elsewhere"]);
    assert!(rig.path("runs/r/trace.nsys-rep").exists());
    assert!(rig.manifest("runs/r")["findings"].to_string().contains("exportation error"));
}

#[test]
fn a_damaged_export_is_set_aside() {
    let rig = Rig::new();
    let after = format!(
        "{GENERATES}; head -c 8000 {} >\"$out.sqlite\"; truncate -s 5000 \"$out.sqlite\"",
        any_export()
    );
    profile(&rig, &after, "", &["true"]);
    let (kind, codes) = rig.verdict("runs/r");
    assert_eq!((kind.as_str(), codes), ("incomplete", vec!["damaged-export".to_owned()]));
    assert!(rig.path("runs/r/damaged-trace.sqlite").exists());
}

#[test]
fn the_programs_own_end_is_told_and_its_code_kept() {
    for (script, code, kind, signal) in [
        ("exit 3", 3, "failed", None),
        ("kill -SEGV $$", 139, "signalled", Some(11)),
        ("kill -KILL $$", 137, "signalled", Some(9)),
    ] {
        let rig = Rig::new();
        let said = profile(&rig, GENERATES, "", &["sh", "-c", script]);
        assert_eq!(said.code, code, "{}", said.err);
        let outcome = &rig.manifest("runs/r")["outcome"];
        assert_eq!(outcome["kind"], kind);
        assert_eq!(outcome["signal"].as_i64(), signal);

        let rig = Rig::new();
        let said = rig.run(&["profile", "--untraced", "--name", "r", "--", "sh", "-c", script]);
        assert_eq!(said.code, code, "{}", said.err);
        assert_eq!(rig.manifest("runs/r")["outcome"]["kind"], kind, "without nsys");
        assert_eq!(rig.manifest("runs/r")["traced"], false);
    }
}

#[test]
fn what_cannot_be_started_leaves_nothing() {
    let rig = Rig::new();
    for (words, told) in [
        (
            vec!["profile", "--untraced", "--", "no-such-program-here"],
            "no program of this name is on PATH",
        ),
        (vec!["profile", "--untraced", "--", "./missing"], "there is no such file"),
        (vec!["profile", "--untraced", "--", "/etc/passwd"], "no program that may be executed"),
        (vec!["profile", "--nsys", "/bin/true", "--", "true"], "this is no nsys"),
        (vec!["profile", "--nsys", "./none", "--", "true"], "it cannot be run"),
        (
            vec!["profile", "--untraced", "--power", "watts", "--", "true"],
            "there is no such source",
        ),
        (
            vec!["profile", "--untraced", "--power", "tegrastats", "--", "true"],
            "tegrastats is not on PATH",
        ),
        (vec!["profile", "--untraced", "--repeat", "0", "--", "true"], "nothing would be run"),
    ] {
        let said = rig.run(&words);
        assert_eq!(said.code, 2, "{words:?}: {}", said.err);
        assert!(said.err.contains(told), "{words:?}: {}", said.err);
    }
    assert!(!rig.path("runs").exists());
}

#[test]
fn a_run_that_is_there_is_never_overwritten() {
    let rig = Rig::new();
    let first = rig.run(&["profile", "--untraced", "--name", "r", "--", "sh", "-c", "echo one"]);
    assert_eq!((first.code, first.out.as_str()), (0, "one\n"), "{}", first.err);
    let before = fs::read(rig.path("runs/r/manifest.json")).unwrap();
    let second = rig.run(&["profile", "--untraced", "--name", "r", "--", "sh", "-c", "echo two"]);
    assert_eq!(second.code, 2);
    assert!(second.err.contains("never overwritten"), "{}", second.err);
    assert_eq!(fs::read(rig.path("runs/r/manifest.json")).unwrap(), before);
    assert_eq!(fs::read_to_string(rig.path("runs/r/stdout.txt")).unwrap(), "one\n");
    for number in ["001", "002"] {
        rig.run(&["profile", "--untraced", "--", "true"]);
        assert!(rig.path(&format!("runs/true-{number}/manifest.json")).exists());
    }
}

#[test]
fn a_signal_to_the_driver_ends_the_program_and_the_manifest_says_so() {
    for (name, number) in [("TERM", 15), ("INT", 2)] {
        for traced in [true, false] {
            let rig = Rig::new();
            let nsys = rig.fake_nsys(GENERATES, "").display().to_string();
            let how: &[&str] = if traced { &["--nsys", &nsys] } else { &["--untraced"] };
            let words =
                [&["profile", "--name", "r"], how, &["--", "sh", "-c", "echo up; exec sleep 60"]]
                    .concat();
            let child = rig.command(&words).spawn().unwrap();
            wait_for("the program", || {
                fs::read_to_string(rig.path("runs/r/stdout.txt"))
                    .is_ok_and(|text| text.contains("up"))
            });
            assert_eq!(rig.manifest("runs/r")["outcome"]["kind"], "running");
            kill(name, child.id());
            let said = support::rig::Said::of(&child.wait_with_output().unwrap());
            assert_eq!(said.code, 128 + number, "{name} {traced}: {}", said.err);
            rig.nothing_runs();
            assert_eq!(rig.verdict("runs/r").0, "interrupted", "{name} {traced}");
        }
    }
}

#[test]
fn a_killed_driver_leaves_no_child_and_a_manifest_that_says_running() {
    for traced in [true, false] {
        let rig = Rig::new();
        let nsys = rig.fake_nsys(GENERATES, "").display().to_string();
        let how: &[&str] = if traced { &["--nsys", &nsys] } else { &["--untraced"] };
        let words =
            [&["profile", "--name", "r"], how, &["--", "sh", "-c", "echo up; exec sleep 60"]]
                .concat();
        let mut child = rig.command(&words).spawn().unwrap();
        wait_for("the program", || {
            fs::read_to_string(rig.path("runs/r/stdout.txt")).is_ok_and(|text| text.contains("up"))
        });
        kill("KILL", child.id());
        child.wait().unwrap();
        rig.nothing_runs();
        assert_eq!(rig.manifest("runs/r")["outcome"]["kind"], "running");
    }
}

#[test]
fn time_that_is_over_ends_the_program() {
    let rig = Rig::new();
    let said = rig.run(&[
        "profile",
        "--untraced",
        "--timeout",
        "300ms",
        "--name",
        "r",
        "--",
        "sleep",
        "60",
    ]);
    assert_eq!(rig.verdict("runs/r").0, "timed-out");
    assert_eq!(said.code, 143, "{}", said.err);
    let said = rig.run(&[
        "profile",
        "--untraced",
        "--duration",
        "300ms",
        "--name",
        "d",
        "--",
        "sleep",
        "60",
    ]);
    assert_eq!((said.code, rig.verdict("runs/d").0.as_str()), (143, "timed-out"));
}

#[test]
fn processes_that_a_program_leaves_are_ended_and_told() {
    let rig = Rig::new();
    let script = "setsid sleep 60 >/dev/null 2>&1 & echo left";
    let said = rig.run(&["profile", "--untraced", "--name", "r", "--", "sh", "-c", script]);
    assert_eq!((said.code, said.out.as_str()), (0, "left\n"), "{}", said.err);
    assert_eq!(rig.verdict("runs/r"), ("completed".into(), vec!["left-running".into()]));
}

#[test]
fn a_full_disk_is_told_and_the_manifest_is_whole() {
    let rig = Rig::new();
    fs::create_dir(rig.path("small")).unwrap();
    let tmpfs = |script: &str| {
        let mount = format!(
            "mount -t tmpfs -o size=1m none small && {script}; code=$?; cp -r small/runs kept 2>/dev/null; exit $code"
        );
        let mut command = Command::new("unshare");
        command.args(["-m", "sh", "-c", &mount]).current_dir(rig.folder.path());
        command
    };
    if !tmpfs("true").status().is_ok_and(|status| status.success()) {
        support::shared::skipped("a full disk: no right to mount a small file system");
        return;
    }
    let nsys =
        rig.fake_nsys(&format!("{GENERATES}; head -c 3000000 /dev/zero >\"$out.sqlite\""), "");
    let script = format!(
        "{} profile --nsys {} --out small/runs --name r -- sh -c 'head -c 2000000 /dev/zero; echo done >&2'",
        env!("CARGO_BIN_EXE_nsys-attrib"),
        nsys.display()
    );
    let output = tmpfs(&script).output().unwrap();
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    let (kind, codes) = rig.verdict("kept/r");
    assert_eq!(kind, "incomplete", "{err}");
    assert!(codes.contains(&"output-not-kept".to_owned()), "{codes:?}");
    assert!(codes.contains(&"disk-full".to_owned()), "{codes:?}");
    // An export of which nothing or a part was written is no export.
    let told = ["damaged-export", "no-trace"];
    assert!(codes.iter().any(|code| told.contains(&code.as_str())), "{codes:?}");
    assert_eq!(output.stdout.len(), 2_000_000, "the terminal still gets everything");
}
