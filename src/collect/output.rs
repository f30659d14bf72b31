//! Which lines are the program's, and which are nsys's own?
//!
//! nsys lets the program's output through and adds its own lines to standard output:
//!
//! ```text
//! Generating '/tmp/nsys-report-a411.qdstrm'
//! ␍[1/2] [=====35%     ] trace.nsys-rep␍[1/2] …
//! Generated:
//!     /runs/x/trace.nsys-rep
//! ```
//! These are taken out by their exact form; everything else is passed on, byte by byte, as it came. The
//! paths are where the results really are: nsys falls back to the temporary folder without a word.

use std::path::PathBuf;

/// How many of nsys's last lines are kept for messages.
const KEPT: usize = 30;
/// A partial line longer than this is not nsys's.
const LONGEST: usize = 4096;

/// Whole lines that nsys adds on its way; the last two with a capture range.
const NOTICES: [&str; 4] = [
    "Collecting data...",
    "Processing events...",
    "Capture range started in the application.",
    "Capture range ended in the application.",
];

/// Takes nsys's own lines out of a stream.
#[derive(Debug, Default)]
pub(super) struct Splitter {
    held: Vec<u8>,
    listing: bool,
    /// The raw capture that was being made into a report.
    pub(super) raw: Option<PathBuf>,
    /// The files that nsys says it made.
    pub(super) generated: Vec<PathBuf>,
    /// The last lines since the program ended, for messages.
    pub(super) said: Vec<String>,
}

/// A part of the stream.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Piece<'a> {
    /// The program wrote this.
    Program(&'a [u8]),
    /// nsys is so far with this file.
    Progress(&'a str),
}

impl Splitter {
    /// Takes the next bytes and passes the pieces on.
    pub(super) fn push(&mut self, bytes: &[u8], pass: &mut dyn FnMut(Piece<'_>)) {
        self.held.extend_from_slice(bytes);
        let held = std::mem::take(&mut self.held);
        let mut rest = held.as_slice();
        while let Some(at) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
            let (line, after) = rest.split_at(at + 1);
            self.line(line, pass);
            rest = after;
        }
        if rest.len() < LONGEST && self.may_be_nsys(rest) {
            self.held = rest.to_vec();
        } else {
            pass(Piece::Program(rest));
        }
    }

    /// The stream has ended.
    pub(super) fn finish(&mut self, pass: &mut dyn FnMut(Piece<'_>)) {
        let held = std::mem::take(&mut self.held);
        if !held.is_empty() {
            self.line(&held, pass);
        }
    }

    /// A line with its end.
    fn line(&mut self, line: &[u8], pass: &mut dyn FnMut(Piece<'_>)) {
        let text = String::from_utf8_lossy(line);
        let text = text.trim_end_matches(['\n', '\r']);
        if let Some(path) =
            text.strip_prefix("Generating '").and_then(|rest| rest.strip_suffix('\''))
        {
            self.raw = Some(PathBuf::from(path));
            return;
        }
        if text == "Generated:" {
            self.listing = true;
            return;
        }
        if self.listing
            && let Some(path) = listed(text)
        {
            self.generated.push(path);
            return;
        }
        self.listing = false;
        if let Some((step, after)) = progress(text) {
            pass(Piece::Progress(step));
            // The program may go on while a capture that has ended is made into a report.
            if !after.is_empty() {
                pass(Piece::Program(line.get(step.len()..).unwrap_or_default()));
            }
            return;
        }
        if is_notice(text) {
            return;
        }
        if self.raw.is_some() {
            // The progress bar begins with an empty line of its own.
            if text.is_empty() {
                return;
            }
            self.said.push(text.chars().take(300).collect());
            if self.said.len() > KEPT {
                self.said.remove(0);
            }
        }
        pass(Piece::Program(line));
    }

    /// Whether an unfinished line could still become one of nsys's.
    fn may_be_nsys(&self, line: &[u8]) -> bool {
        let starts = ["Generating '", "Generated:", "["].into_iter().chain(NOTICES);
        let begins = |start: &str| {
            let start = start.as_bytes();
            line.len() < start.len() && start.starts_with(line) || line.starts_with(start)
        };
        line.is_empty() || self.listing || starts.into_iter().any(begins)
    }
}

/// `    /folder/trace.sqlite`
fn listed(text: &str) -> Option<PathBuf> {
    let indented = text.starts_with([' ', '\t']);
    let path = text.trim();
    (indented && path.starts_with('/')).then(|| PathBuf::from(path))
}

/// `[1/2] [=====35%     ] trace.nsys-rep`, and what follows it on the same line.
fn progress(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix('[')?;
    let (step, rest) = rest.split_once("] [")?;
    let (bar, file) = rest.split_once(']')?;
    let ends = [".nsys-rep", ".qdrep", ".sqlite"];
    let end = ends.iter().filter_map(|end| Some(file.find(end)? + end.len())).min()?;
    let whole = text.len() - file.len() + end;
    let numbers = step.split_once('/')?;
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let drawn = bar.contains('%')
        && bar.chars().all(|c| matches!(c, '=' | ' ' | '%') || c.is_ascii_digit());
    (digits(numbers.0) && digits(numbers.1) && drawn).then(|| text.split_at(whole))
}

fn is_notice(text: &str) -> bool {
    NOTICES.contains(&text)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NSYS: &str = "Generating '/tmp/nsys-report-a411.qdstrm'\n\r[1/2] [0%      ] a.nsys-rep\
        \r[1/2] [===50%  ] a.nsys-rep\n\r[2/2] [=====100%] a.sqlite\nGenerated:\n    /r/a.nsys-rep\n\t/r/a b.sqlite\n";

    fn split(chunks: &[&[u8]]) -> (Splitter, String, usize) {
        let mut splitter = Splitter::default();
        let (mut program, mut steps) = (Vec::new(), 0);
        let mut pass = |piece: Piece<'_>| match piece {
            Piece::Program(bytes) => program.extend_from_slice(bytes),
            Piece::Progress(_) => steps += 1,
        };
        for chunk in chunks {
            splitter.push(chunk, &mut pass);
        }
        splitter.finish(&mut pass);
        (splitter, String::from_utf8_lossy(&program).into_owned(), steps)
    }

    #[test]
    fn nsys_lines_are_taken_out_however_they_arrive() {
        let program = "hello\nGenerating heat\n[1/2] done\n    /indented\npartial";
        let range = "Capture range started in the application.\n";
        let whole = format!("Collecting data...\n{range}{program}\n{NSYS}");
        for size in [1, 2, 3, 7, whole.len()] {
            let chunks: Vec<&[u8]> = whole.as_bytes().chunks(size).collect();
            let (splitter, passed, steps) = split(&chunks);
            assert_eq!(passed, format!("{program}\n"), "chunks of {size}");
            assert_eq!(steps, 3);
            assert_eq!(splitter.raw.as_deref(), Some("/tmp/nsys-report-a411.qdstrm".as_ref()));
            let generated: Vec<_> =
                splitter.generated.iter().map(|path| path.to_str().unwrap()).collect();
            assert_eq!(generated, ["/r/a.nsys-rep", "/r/a b.sqlite"]);
        }
    }

    #[test]
    fn a_program_that_outlives_its_capture_is_heard() {
        // As nsys 2022.4 printed it, with a capture range that ends before the program does.
        let text = b"Generating '/tmp/x.qdstrm'\n\r[2/2] [3%   ] trace.sqlite\r[2/2] [4%   ] \
            trace.sqlite40 requests\xff\n\r[2/2] [5%   ] trace.sqlite\nGenerated:\n    /r/trace.sqlite\n";
        let (mut splitter, mut program) = (Splitter::default(), Vec::new());
        let mut pass = |piece: Piece<'_>| {
            if let Piece::Program(bytes) = piece {
                program.extend_from_slice(bytes);
            }
        };
        splitter.push(text, &mut pass);
        splitter.finish(&mut pass);
        assert_eq!(program, b"40 requests\xff\n");
        assert_eq!(splitter.generated.len(), 1);
    }

    #[test]
    fn a_prompt_is_passed_at_once_and_bytes_stay_bytes() {
        let mut splitter = Splitter::default();
        let mut program = Vec::new();
        splitter.push(b"name? \xff\x00", &mut |piece| {
            if let Piece::Program(bytes) = piece {
                program.extend_from_slice(bytes);
            }
        });
        assert_eq!(program, b"name? \xff\x00");
    }

    #[test]
    fn what_nsys_complains_about_is_kept_for_messages() {
        let text = b"Generating '/tmp/x.qdstrm'\nThe importer binary and its dependencies were not found\n";
        let (splitter, passed, _) = split(&[text]);
        assert_eq!(splitter.said, ["The importer binary and its dependencies were not found"]);
        assert!(passed.starts_with("The importer"), "nothing is swallowed");
    }
}
