//! Puts a [`Question`] to the built program, the one place that knows its command line.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::oracle::{Question, Rule, Which, Whose};

/// The analysis document, or the exit status with what was said.
pub fn analyze_json(program: &str, trace: &Path, args: &[String]) -> Result<Value, (i32, String)> {
    let output = Command::new(program)
        .arg("analyze")
        .arg(trace)
        .args(args)
        .args(["--format", "json"])
        .output()
        .unwrap();
    if output.status.success() {
        return Ok(serde_json::from_slice(&output.stdout).unwrap());
    }
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    Err((output.status.code().unwrap_or(-1), said))
}

/// Whether the program does anything yet.
pub fn is_stub(program: &str) -> bool {
    Command::new(program).arg("--version").output().is_ok_and(|output| output.stdout.is_empty())
}

/// The words of a question; explicit spans are written to a file in `folder`.
pub fn words(question: &Question, folder: &Path) -> Vec<String> {
    let window = match &question.which {
        Which::Named(name) => name.clone(),
        Which::Projected(name) => format!("gpu:{name}"),
        Which::All => "all".into(),
        Which::Spans(spans) => {
            let path = folder.join("windows.csv");
            let rows: Vec<String> = spans.iter().map(|(s, e)| format!("{s},{e}\n")).collect();
            std::fs::write(&path, format!("start_ns,end_ns\n{}", rows.concat())).unwrap();
            format!("file:{}", path.display())
        }
    };
    let mut words = vec!["--window".into(), window];
    let mut option = |name: &str, value: String| words.extend([format!("--{name}"), value]);
    if let Some(rule) = question.rule {
        let name = match rule {
            Rule::Launched => "launched",
            Rule::Started => "started",
            Rule::Overlap => "overlap",
        };
        option("attribute", name.into());
    }
    if let Some(process) = question.process {
        option("process", pid(process));
    }
    if let Some(thread) = question.thread {
        // Thread ids of different processes may be equal in random traces; the process tells apart.
        if question.process.is_none() {
            option("process", pid(super::spec::process_of(thread)));
        }
        option("thread", (thread & 0xff_ffff).to_string());
    }
    match question.whose {
        Whose::Own => {}
        Whose::Any => option("attribute-process", "any".into()),
        Whose::Process(process) => option("attribute-process", pid(process)),
    }
    if question.skip > 0 {
        option("skip", question.skip.to_string());
    }
    if let Some(take) = question.take {
        option("take", take.to_string());
    }
    if question.clip_unclosed {
        option("unclosed", "clip".into());
    }
    if question.own_thread {
        words.push("--own-thread".into());
    }
    words
}

fn pid(process: i64) -> String {
    ((process >> 24) & 0xff_ffff).to_string()
}
