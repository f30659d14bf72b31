//! Plans: order, resuming after a kill, what is made again and what is kept, the lock, cool-down.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::fs;
use std::time::{Duration, Instant};

use support::rig::{Rig, Said, fake_jetson, kill, requests, wait_for};

/// Two programs, ten rounds, without nsys: twenty runs. Every run takes a note of itself.
fn plan_of_twenty(rig: &Rig) {
    let script = "echo $1 >>\"$NOTES\"; exec sleep 0.15";
    let program = |name: &str| {
        format!(
            "[[program]]\nname = \"{name}\"\ncommand = [\"sh\", \"-c\", '{script}', \"sh\", \"{name}\"]\n"
        )
    };
    let text = format!(
        "name = \"twenty\"\nout = \"out\"\nrepeat = 10\norder = \"interleave\"\nmodes = [\"untraced\"]\n{}{}",
        program("a"),
        program("b")
    );
    fs::write(rig.path("plan.toml"), text).unwrap();
}

fn carry_out(rig: &Rig) -> std::process::Command {
    let mut command = rig.command(&["profile", "--plan", "plan.toml"]);
    command.env("NOTES", rig.path("notes"));
    command
}

fn notes(rig: &Rig) -> Vec<String> {
    fs::read_to_string(rig.path("notes")).unwrap_or_default().lines().map(str::to_owned).collect()
}

#[test]
fn a_killed_driver_resumes_and_repeats_only_the_broken_run() {
    let rig = Rig::new();
    plan_of_twenty(&rig);
    let mut child = carry_out(&rig).spawn().unwrap();
    wait_for("the eighth run", || notes(&rig).len() >= 8);
    kill("KILL", child.id());
    child.wait().unwrap();
    rig.nothing_runs();
    let before = notes(&rig).len();
    assert!(before < 20, "{before}");
    let folder = |run: usize| {
        let (round, first) = (run / 2, run.is_multiple_of(2));
        let name = if first == round.is_multiple_of(2) { "a" } else { "b" };
        format!("out/{name}-untraced-{:02}", round + 1)
    };
    let broken = folder(before - 1);
    assert_eq!(rig.verdict(&broken).0, "running", "the manifest of the broken run tells the truth");
    let kept = fs::read(rig.path(&folder(0)).join("manifest.json")).unwrap();

    let said = rig.finish(&mut carry_out(&rig));
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(said.err.matches("complete, kept").count(), before - 1);
    assert_eq!(said.err.matches("made again").count(), 1, "{}", said.err);
    assert!(
        said.err.contains(&format!("{broken}: made again: the program had not ended")),
        "{}",
        said.err
    );
    assert_eq!(notes(&rig).len(), 21, "twenty runs, and the broken one twice");
    assert_eq!(fs::read(rig.path(&folder(0)).join("manifest.json")).unwrap(), kept);
    assert!(rig.path(&format!("{broken}.broken-1")).is_dir(), "what was there is moved aside");

    let mut order = notes(&rig);
    order.remove(before - 1);
    assert_eq!(order.join(""), "abbaabbaabbaabbaabba");

    let said = rig.finish(&mut carry_out(&rig));
    assert_eq!((said.code, said.err.matches("complete, kept").count()), (0, 20));
    assert_eq!(notes(&rig).len(), 21);
}

#[test]
fn what_has_changed_is_made_again() {
    let rig = Rig::new();
    let program = rig.script("program", "#!/bin/sh\necho one\n");
    let plan = |window: &str| {
        let text = format!(
            "name = \"p\"\nmodes = [\"untraced\"]\nwindow = \"{window}\"\n[[program]]\nname = \"p\"\ncommand = [\"./program\", \"input.txt\"]\n"
        );
        fs::write(rig.path("plan.toml"), text).unwrap();
    };
    plan("latency");
    fs::write(rig.path("input.txt"), "1").unwrap();
    let carry = || rig.run(&["profile", "--plan", "plan.toml"]);
    assert_eq!(carry().code, 0);
    let run = "runs/p/p-untraced-01";
    assert_eq!(rig.manifest(run)["inputs"][0]["name"], "input.txt");
    assert!(carry().err.contains("complete, kept"));

    fs::write(rig.path("input.txt"), "2").unwrap();
    assert!(carry().err.contains("the file input.txt has other bytes"), "an input file");
    fs::write(&program, "#!/bin/sh\necho two\n").unwrap();
    assert!(carry().err.contains("the program is another file"), "the program");
    plan("other");
    assert!(carry().err.contains("the window was `latency`, is `other`"), "the options");
    fs::write(rig.path(run).join("stdout.txt"), "TWO\n").unwrap();
    assert!(carry().err.contains("`stdout.txt` is not the file"), "a result");
    fs::remove_file(rig.path(run).join("stdout.txt")).unwrap();
    assert!(carry().err.contains("not in the folder"), "a missing result");
    assert!(carry().err.contains("complete, kept"));
}

#[test]
fn a_second_driver_is_kept_out() {
    let rig = Rig::new();
    plan_of_twenty(&rig);
    let child = carry_out(&rig).spawn().unwrap();
    wait_for("the first run", || !notes(&rig).is_empty());
    let second = Said::of(&carry_out(&rig).output().unwrap());
    assert_eq!(second.code, 2, "{}", second.err);
    assert!(second.err.contains(&format!("process {}", child.id())), "{}", second.err);
    kill("TERM", child.id());
    let first = Said::of(&child.wait_with_output().unwrap());
    assert_eq!(first.code, 143, "{}", first.err);
    rig.nothing_runs();
    assert!(notes(&rig).len() < 20, "it stopped");
}

#[test]
fn a_failing_program_does_not_stop_the_others() {
    let rig = Rig::new();
    let said = rig.run(&[
        "profile",
        "--untraced",
        "--interleave",
        "--repeat",
        "2",
        "--name",
        "e",
        "--",
        "false",
        "---",
        "true",
        "---",
        "true",
    ]);
    assert_eq!(said.code, 1, "{}", said.err);
    for (run, kind) in [("false", "failed"), ("true", "completed"), ("true-2", "completed")] {
        for round in ["01", "02"] {
            assert_eq!(rig.verdict(&format!("runs/e/{run}-untraced-{round}")).0, kind);
        }
    }
    let places: Vec<i64> = ["false-untraced-02", "true-untraced-02", "true-2-untraced-02"]
        .iter()
        .map(|run| {
            rig.manifest(&format!("runs/e/{run}"))["experiment"]["position"].as_i64().unwrap()
        })
        .collect();
    assert_eq!(places, [6, 5, 4], "the second round goes backwards");
}

#[test]
fn plans_are_checked_before_anything_is_run() {
    let cases = [
        ("name = \"p\"\nprogram = []\n", "there is no program"),
        ("name = \"p\"\nrepeats = 3\n", "unknown field `repeats`"),
        (
            "name = \"p\"\n[power]\nperiod = \"50\"\n[[program]]\nname=\"a\"\ncommand=[\"true\"]\n",
            "needs a unit",
        ),
        (
            "name = \"p\"\n[[program]]\nname=\"a/b\"\ncommand=[\"true\"]\n",
            "is no name for a program",
        ),
        ("name = \"p\"\n[[program]]\nname=\"a\"\ncommand=[]\n", "`command` is empty"),
        (
            "name = \"p\"\nmodes=[\"untraced\"]\n[[program]]\nname=\"a\"\ncommand=[\"true\"]\n[[program]]\nname=\"a\"\ncommand=[\"true\"]\n",
            "two programs",
        ),
        (
            "name = \"p\"\nmodes=[\"untraced\"]\n[[program]]\nname=\"a\"\ncommand=[\"true\"]\n[[program]]\nname=\"b\"\ncommand=[\"./none\"]\n",
            "no such file",
        ),
    ];
    for (text, told) in cases {
        let rig = Rig::new();
        fs::write(rig.path("plan.toml"), text).unwrap();
        let said = rig.run(&["profile", "--plan", "plan.toml"]);
        assert_eq!(said.code, 2, "{text}");
        assert!(said.err.contains(told), "{text}: {}", said.err);
        assert!(!rig.path("runs").exists());
    }
}

#[test]
fn runs_wait_until_the_machine_is_cool() {
    let rig = Rig::new();
    fake_jetson(&rig.path("board"));
    let plan = |at_most: &str| {
        let text = format!(
            "name = \"p\"\nmodes = [\"untraced\"]\ncooldown = {{ below_c = 45.0, at_most = \"{at_most}\" }}\n[[program]]\nname = \"p\"\ncommand = [\"true\"]\n"
        );
        fs::write(rig.path("plan.toml"), text).unwrap();
    };
    let carry = || {
        let mut command = rig.command(&["profile", "--plan", "plan.toml"]);
        command.env("NSYS_ATTRIB_ROOT", rig.path("board"));
        command
    };
    plan("1s");
    let said = rig.finish(&mut carry());
    assert!(said.err.contains("tj-thermal was still at 49.0"), "{}", said.err);
    assert_eq!(rig.verdict("runs/p/p-untraced-01").1, ["not-cooled-down"]);

    fs::remove_dir_all(rig.path("runs")).unwrap();
    plan("60s");
    let since = Instant::now();
    let child = carry().spawn().unwrap();
    std::thread::sleep(Duration::from_millis(1200));
    fs::write(rig.path("board/sys/class/thermal/thermal_zone0/temp"), "44000\n").unwrap();
    let said = Said::of(&child.wait_with_output().unwrap());
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(since.elapsed() > Duration::from_secs(1));
    let manifest = rig.manifest("runs/p/p-untraced-01");
    assert_eq!(manifest["machine"]["temperature_c"]["tj-thermal"], 44.0);
    assert_eq!(manifest["machine"]["cpu"], "NVIDIA Jetson Orin Nano Developer Kit");
    assert!(manifest["machine"]["power_mode"].is_string());
    assert_eq!(manifest["machine"]["clocks"]["devfreq.17000000.gpu.cur_freq"], "306000000");
}

#[test]
fn the_program_is_told_where_its_sidecar_goes() {
    let rig = Rig::new();
    let mut command = rig.command(&[
        "profile",
        "--untraced",
        "--name",
        "r",
        "--env",
        "LABEL=x y",
        "--",
        requests(),
        "--count",
        "3",
    ]);
    command.env("OMP_NUM_THREADS", "2").env("SECRET_TOKEN", "hush");
    let said = rig.finish(&mut command);
    assert_eq!(said.code, 0, "{}", said.err);
    let manifest = rig.manifest("runs/r");
    assert_eq!(manifest["window_default"], "latency");
    assert_eq!(manifest["environment"]["LABEL"], "x y");
    assert_eq!(manifest["environment"]["OMP_NUM_THREADS"], "2");
    assert!(!manifest.to_string().contains("hush"), "only the allow-list is kept");
    assert!(manifest["program"]["sha256"].as_str().unwrap().len() == 64);
    assert!(rig.path("runs/r/sidecar.json").exists());
}
