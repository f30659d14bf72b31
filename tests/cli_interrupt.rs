//! An interrupted program leaves no file behind, finished or not.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

fn entries(folder: &Path) -> Vec<String> {
    let list = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    list.map(|name| name.to_string_lossy().into_owned()).collect()
}

#[test]
fn an_interrupted_scrub_leaves_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (temporary, results) = (folder.path().join("tmp"), folder.path().join("results"));
    fs::create_dir(&temporary).unwrap();
    fs::create_dir(&results).unwrap();
    let trace = "fixtures/traces/wno-request/looped-1860.sqlite.zst";
    // Wherever the signal falls, from before the first file to after the last one.
    for delay_ms in [5, 20, 40, 80, 160, 320] {
        let out = results.join("out.sqlite.zst");
        let mut child = Command::new(env!("CARGO_BIN_EXE_nsys-attrib"))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("TMPDIR", &temporary)
            .args(["scrub", trace])
            .arg(&out)
            .output_to_nothing()
            .spawn()
            .unwrap();
        thread::sleep(Duration::from_millis(delay_ms));
        let pid = child.id().to_string();
        let _ = Command::new("kill").args(["-INT", &pid]).status();
        let status = child.wait().unwrap();
        let finished = status.success();
        assert!(
            finished || status.code() == Some(130) || status.code().is_none(),
            "{delay_ms} ms: {status}"
        );
        // Before the handler is there, the signal ends the program at once: with nothing made yet.
        let expected: &[String] = if out.exists() { &["out.sqlite.zst".to_owned()] } else { &[] };
        assert_eq!(entries(&results), expected, "{delay_ms} ms");
        assert_eq!(entries(&temporary), [""; 0], "{delay_ms} ms");
        let _ = fs::remove_file(&out);
    }
}

trait Quiet {
    fn output_to_nothing(&mut self) -> &mut Self;
}

impl Quiet for Command {
    fn output_to_nothing(&mut self) -> &mut Self {
        self.stdout(std::process::Stdio::null()).stderr(std::process::Stdio::null())
    }
}
