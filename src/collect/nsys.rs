//! Which nsys is here, which version, and which options does it know?
//!
//! Looked for: what was named, `NSYS_ATTRIB_NSYS`, `PATH`, the folders into which NVIDIA's and Debian's
//! packages install. Versions of 2020 to 2026 differ in options; `nsys profile --help` is the authority.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::LazyLock;

use regex::Regex;

use super::error::CollectError;
use super::host;

/// The environment variable that names an nsys.
const VARIABLE: &str = "NSYS_ATTRIB_NSYS";

// The pattern is a constant; `None` can only be a slip that the tests would show.
static VERSION: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"\b(20\d\d)\.(\d+)(?:\.\d+)*\S*").ok());

/// An nsys that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nsys {
    /// The program.
    pub path: PathBuf,
    /// As it states it: `2022.4.2.1-df9881f`.
    pub version: String,
    help: String,
}

impl Nsys {
    /// Finds an nsys and asks for its version and options.
    ///
    /// # Errors
    /// [`CollectError::NoNsys`] with where it was looked for; [`CollectError::NotNsys`] when what was named
    /// is something else.
    pub fn find(named: Option<&Path>) -> Result<Self, CollectError> {
        let variable =
            std::env::var_os(VARIABLE).filter(|name| !name.is_empty()).map(PathBuf::from);
        if let Some(named) = named.map(Path::to_path_buf).or(variable) {
            let found = on_path(named.as_os_str()).unwrap_or(named);
            return Self::ask(&found);
        }
        let installed = on_path(OsStr::new("nsys")).into_iter().chain(usual_places());
        installed.into_iter().find_map(|path| Self::ask(&path).ok()).ok_or_else(|| CollectError::NoNsys {
            looked: format!("not on PATH, not in /opt/nvidia, /usr/local/cuda or /usr/lib, and {VARIABLE} is not set"),
        })
    }

    /// Asks a program whether it is nsys.
    ///
    /// # Errors
    /// [`CollectError::NotNsys`].
    pub fn ask(path: &Path) -> Result<Self, CollectError> {
        let not = |problem: String| CollectError::NotNsys { path: path.to_path_buf(), problem };
        let said = said(path, &["--version"])
            .map_err(|error| not(format!("it cannot be run ({error})")))?;
        let version = VERSION
            .as_ref()
            .and_then(|pattern| pattern.find(&said))
            .ok_or_else(|| not("asked for its version, it names none".to_owned()))?;
        let help = said_help(path);
        Ok(Self { path: path.to_path_buf(), version: version.as_str().to_owned(), help })
    }

    /// An nsys of that version whose `profile --help` prints `help`.
    pub fn known(path: impl Into<PathBuf>, version: &str, help: &str) -> Self {
        Self { path: path.into(), version: version.to_owned(), help: help.to_owned() }
    }

    /// Whether `profile` knows the option (`--cuda-graph-trace`). Without a help text, everything is
    /// believed to be known, and nsys itself will say otherwise.
    pub fn knows(&self, option: &str) -> bool {
        self.help.is_empty() || self.help.contains(option)
    }

    /// Whether `--trace` may be given that value.
    pub fn traces(&self, api: &str) -> bool {
        // The option is mentioned in the texts of others as well.
        let mut places = self.help.match_indices("--trace=").map(|(at, _)| &self.help[at..]);
        let possible =
            |text: &str| text.lines().take(12).any(|line| line.contains(&format!("'{api}'")));
        self.help.is_empty() || places.any(possible)
    }

    /// The program that turns a raw capture into a report, where there is one.
    pub fn importer(&self) -> Option<PathBuf> {
        let real = self.path.canonicalize().unwrap_or_else(|_| self.path.clone());
        let beside = real.ancestors().skip(1).take(3).flat_map(host::list);
        let folders = beside
            .chain(versions_of("/opt/nvidia/nsight-systems"))
            .chain(host::list(Path::new("/usr/lib/nsight-systems")));
        folders
            .filter(|folder| host::name(folder).to_lowercase().starts_with("host-linux"))
            .map(|folder| folder.join("QdstrmImporter"))
            .find(|importer| importer.is_file())
    }
}

/// The file that a shell would run for `name`.
pub(crate) fn on_path(name: &OsStr) -> Option<PathBuf> {
    if Path::new(name).components().count() > 1 {
        return Some(PathBuf::from(name)).filter(|path| is_program(path));
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| is_program(path))
}

/// Whether it is a file with a right to be executed.
pub fn is_program(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
}

fn versions_of(folder: &str) -> impl Iterator<Item = PathBuf> {
    // The newest first: versions sort as text within the years that matter.
    host::list(Path::new(folder)).into_iter().rev().flat_map(|version| host::list(&version))
}

fn usual_places() -> impl Iterator<Item = PathBuf> {
    let nvidia =
        host::list(Path::new("/opt/nvidia/nsight-systems")).into_iter().rev().flat_map(|version| {
            let targets = host::list(&version)
                .into_iter()
                .filter(|at| host::name(at).starts_with("target-linux"));
            let targets = targets.map(|target| target.join("nsys")).collect::<Vec<_>>();
            [version.join("bin/nsys")].into_iter().chain(targets)
        });
    let cuda = host::list(Path::new("/usr/local")).into_iter().rev();
    let cuda = cuda.filter(|at| host::name(at).starts_with("cuda")).map(|at| at.join("bin/nsys"));
    nvidia
        .chain(cuda)
        .chain([PathBuf::from("/usr/lib/nsight-systems/bin/nsys")])
        .filter(|path| is_program(path))
}

/// What a program prints.
fn said(path: &Path, words: &[&str]) -> std::io::Result<String> {
    let output = Command::new(path).args(words).stdin(Stdio::null()).output()?;
    let both = [output.stdout, output.stderr].concat();
    Ok(String::from_utf8_lossy(&both).into_owned())
}

fn said_help(path: &Path) -> String {
    said(path, &["profile", "--help"])
        .ok()
        .filter(|help| help.contains("--output"))
        .unwrap_or_default()
}
