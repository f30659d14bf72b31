//! The project file `nsys-attrib.toml`: words for daily use, where nothing else was typed.
//!
//! It is looked for in the working directory and its parents, up to the folder that holds `.git` or to
//! the root. Whatever is typed wins; what is taken from the file is said on standard error.
//!
//! ```toml
//! window = "latency"              # or a list
//! classes = "kernel-rules.toml"   # relative to this file
//! rail = "VDD_GPU_SOC"            # for energy
//! ```

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::args::WindowArgs;
use super::input::TraceOptions;
use crate::units::plain;

/// The name of the file.
const NAME: &str = "nsys-attrib.toml";
/// What it may hold, for messages.
const KEYS: &str = "window, classes, rail";

/// What the project file says; empty when there is none.
#[derive(Debug, Default)]
pub(super) struct Project {
    path: PathBuf,
    words: Words,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Words {
    window: Option<OneOrMany>,
    classes: Option<PathBuf>,
    rail: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged, expecting = "expected a string or a list of strings")]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

impl Project {
    /// Reads the file that counts in the working directory.
    pub(super) fn find() -> Result<Self> {
        let start = std::env::current_dir().context("the working directory cannot be read")?;
        for (depth, folder) in start.ancestors().enumerate() {
            let file = folder.join(NAME);
            if file.is_file() {
                let shown: PathBuf = std::iter::repeat_n("..", depth).chain([NAME]).collect();
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("{} cannot be read", shown.display()))?;
                return Ok(Self { words: parse(&text, &shown)?, path: shown });
            }
            if folder.join(".git").exists() {
                break;
            }
        }
        Ok(Self::default())
    }

    /// Fills the windows in where none was typed.
    pub(super) fn fill_window(&self, args: &mut WindowArgs) {
        let Some(window) = self.words.window.as_ref().filter(|_| args.window.is_empty()) else {
            return;
        };
        let words = match window {
            OneOrMany::One(word) => std::slice::from_ref(word),
            OneOrMany::Many(words) => words.as_slice(),
        };
        args.window = words.iter().map(|word| self.beside(word)).collect();
        self.say("window", &words.join(", "));
    }

    /// Fills windows and rules file in where none was typed, and notes where they come from.
    pub(super) fn fill_options(&self, options: &mut TraceOptions) {
        let (window, classes) = (options.windows.window.is_empty(), options.classes.is_none());
        self.fill_window(&mut options.windows);
        self.fill_classes(&mut options.classes);
        options.windows_of_project = window;
        options.classes_of_project = classes;
    }

    /// Fills the rules file in where none was typed.
    pub(super) fn fill_classes(&self, classes: &mut Option<PathBuf>) {
        if let Some(file) = self.words.classes.as_ref().filter(|_| classes.is_none()) {
            *classes = Some(self.folder().join(file));
            self.say("classes", &file.display().to_string());
        }
    }

    /// Fills the rail in where none was typed.
    pub(super) fn fill_rail(&self, rail: &mut Option<String>) {
        if let Some(name) = self.words.rail.as_ref().filter(|_| rail.is_none()) {
            *rail = Some(name.clone());
            self.say("rail", name);
        }
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new(""))
    }

    /// `file:windows.csv` names a file beside the project file.
    fn beside(&self, window: &str) -> String {
        for prefix in ["gpu:file:", "file:"] {
            if let Some(file) = window.strip_prefix(prefix) {
                return format!("{prefix}{}", self.folder().join(file).display());
            }
        }
        window.to_owned()
    }

    fn say(&self, what: &str, value: &str) {
        eprintln!("nsys-attrib: using {what} {} from {}", plain(value, 120), self.path.display());
    }
}

fn parse(text: &str, path: &Path) -> Result<Words> {
    match toml::from_str(text) {
        Ok(words) => Ok(words),
        Err(error) => {
            let line = error
                .span()
                .map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            bail!(
                "{}:{line}: {}; the known keys are {KEYS} (--no-project ignores the file)",
                path.display(),
                error.message().trim_end()
            )
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_a_word_or_a_list() {
        let words = parse("window = ['a', 'b']\nrail = 'VDD_IN'", Path::new(NAME)).unwrap();
        assert!(matches!(words.window, Some(OneOrMany::Many(list)) if list == ["a", "b"]));
        assert_eq!(words.rail.as_deref(), Some("VDD_IN"));
        assert!(parse("", Path::new(NAME)).unwrap().window.is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line() {
        let told = |text| parse(text, Path::new(NAME)).unwrap_err().to_string();
        let unknown = told("window = 'a'\nwindows = 'b'");
        assert!(unknown.starts_with("nsys-attrib.toml:2: unknown field `windows`"), "{unknown}");
        assert!(unknown.contains("the known keys are window, classes, rail"), "{unknown}");
        assert!(told("window = 3").starts_with("nsys-attrib.toml:1: expected a string"));
        assert!(told("\nwindow = [").starts_with("nsys-attrib.toml:2: "));
    }
}
