//! One run: a fresh folder, the program in it under nsys or bare, and a manifest that tells the truth.
//!
//! ```text
//! folder ─> manifest (running) ─> [samplers, idle] ─> nsys … PROGRAM ─> export ─> verify ─> manifest
//! ```
//! The first manifest stays if the driver is killed: it says that the run never ended. A small reserve on
//! the disk makes room for the last one when the disk has filled up meanwhile.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::beside::{Account, Around};
use super::clock;
use super::cooldown::duration;
use super::error::CollectError;
use super::host::{self, Host};
use super::nsys::Nsys;
use super::options;
use super::outcome::{self, Evidence};
use super::output::{Piece, Splitter};
use super::plan::{Length, PowerPlan, TracePlan};
use super::process::{self, Ended, Launch, Stop, Stream};
use super::sampler::nvml::Gpus;
use super::verify::{Asked, Unusable, verify};
use super::{export, machine, program};
use crate::finding::{self, Finding, Severity};
use crate::runs::manifest::{
    self, FileAbout, Manifest, NsysUsed, Outcome, OutcomeKind, Place, ToolUsed,
};
use crate::runs::{self, MANIFEST, SIDECAR, SIDECAR_VARIABLE};
use crate::units::{Nanos, UnixTime};

/// What the wrapper says of its run.
pub const ACCOUNT: &str = ".account.json";
const RESERVE: &str = ".reserve";
const RESERVE_BYTES: usize = 1 << 18;
/// Less than this and the disk counts as full.
const LEAST_FREE_BYTES: u64 = 1 << 18;

/// What is told while a run is made.
#[derive(Debug)]
pub enum Event<'a> {
    /// The program is started.
    Started {
        /// The run's folder.
        folder: &'a Path,
        /// Program and arguments.
        command: &'a [String],
        /// Whether nsys records.
        traced: bool,
    },
    /// The program wrote something.
    Output(Stream, &'a [u8]),
    /// nsys is so far with its report.
    Progress(&'a str),
    /// Idle time, a pulse or a cool-down of this length begins.
    Pause(&'a str, Nanos),
    /// A run is there already, complete and unchanged.
    Kept(&'a Path),
    /// A run is made again; why.
    Again(&'a Path, &'a str),
}

/// Who hears what happens.
pub type Watcher<'a> = dyn FnMut(Event<'_>) + 'a;

/// Makes runs.
#[derive(Clone, Debug)]
pub struct Driver {
    /// The machine.
    pub host: Host,
    /// NVML's library, where it is not in its usual place.
    pub nvml: Option<PathBuf>,
    /// The nsys for traced runs.
    pub nsys: Option<Nsys>,
    /// The executable that knows `launch` and `sample`; without it a killed driver may leave a child, and
    /// nothing can be written into a trace.
    pub myself: Option<PathBuf>,
    /// Asked to stop?
    pub stop: Stop,
}

/// One run that shall be made.
#[derive(Clone, Debug)]
pub struct Recipe {
    /// Its folder, which must not exist.
    pub folder: PathBuf,
    /// Program and arguments.
    pub command: Vec<String>,
    /// Where it runs.
    pub workdir: Option<PathBuf>,
    /// Its environment, beside the inherited one.
    pub env: BTreeMap<String, String>,
    /// Whether nsys records.
    pub traced: bool,
    /// How.
    pub trace: TracePlan,
    /// What is read beside it.
    pub power: PowerPlan,
    /// The window to analyse.
    pub window: Option<String>,
    /// A run that takes longer is ended.
    pub timeout: Option<Length>,
    /// Its place in an experiment.
    pub place: Option<Place>,
}

/// What was seen of the program.
struct Seen {
    ended: Ended,
    said: Splitter,
    lost_output: Option<String>,
}

impl Driver {
    /// The command that would be run: nsys and its options, or the bare program.
    ///
    /// # Errors
    /// [`CollectError`] when nsys is missing or does not know an option.
    pub fn command(&self, recipe: &Recipe) -> Result<Vec<String>, CollectError> {
        if !recipe.traced {
            return Ok(recipe.command.clone());
        }
        let nsys = self.nsys()?;
        let options = options::options(nsys, &recipe.trace)?;
        let program = if recipe.power.needs_wrapper() {
            self.wrapped(recipe)?
        } else {
            recipe.command.clone()
        };
        Ok(options::command(nsys, &options, &absolute(&recipe.folder), &program))
    }

    /// Makes a run. A program that fails is no error: the manifest says how it ended.
    ///
    /// # Errors
    /// [`CollectError`] when the run cannot be made at all, or its manifest not be written.
    pub fn run(
        &self,
        recipe: &Recipe,
        watcher: &mut Watcher<'_>,
    ) -> Result<Manifest, CollectError> {
        let found = program::find(&recipe.command[0], recipe.workdir.as_deref())?;
        let command = self.command(recipe)?;
        self.check_power(recipe)?;
        make_folder(&recipe.folder)?;
        let mut manifest = self.first_manifest(recipe, &found)?;
        let path = recipe.folder.join(MANIFEST);
        runs::write_document(&path, &manifest)?;
        reserve(&recipe.folder);
        watcher(Event::Started {
            folder: &recipe.folder,
            command: &recipe.command,
            traced: recipe.traced,
        });
        let started = SystemTime::now();
        let made = self.around(recipe, &command, watcher);
        let (seen, account) = match made {
            Ok(made) => made,
            Err(error) => {
                let never =
                    Outcome { kind: OutcomeKind::NotStarted, exit_code: None, signal: None };
                self.close(recipe, &mut manifest, never);
                let _ = runs::write_document(&path, &manifest);
                return Err(error);
            }
        };
        self.collect(recipe, &seen, account, started, &mut manifest);
        runs::write_document(&path, &manifest)?;
        Ok(manifest)
    }

    /// Runs the command with what belongs around it.
    fn around(
        &self,
        recipe: &Recipe,
        command: &[String],
        watcher: &mut Watcher<'_>,
    ) -> Result<(Seen, Account), CollectError> {
        if recipe.traced && recipe.power.needs_wrapper() {
            let seen = self.watch(recipe, command, watcher)?;
            return Ok((seen, wrapper_account(&recipe.folder)));
        }
        let around = Around {
            power: &recipe.power,
            folder: &recipe.folder,
            host: &self.host,
            nvml: self.nvml.as_deref(),
            marks: false,
            stop: &self.stop,
        };
        // Idle times are told before and after the program, its output meanwhile: one at a time.
        let watcher = std::cell::RefCell::new(watcher);
        let mut pause =
            |name: &str, length: Nanos| (*watcher.borrow_mut())(Event::Pause(name, length));
        around.run(&mut pause, |_| self.watch(recipe, command, &mut **watcher.borrow_mut()))
    }

    /// Runs the command, keeps its output and shows it.
    fn watch(
        &self,
        recipe: &Recipe,
        command: &[String],
        watcher: &mut Watcher<'_>,
    ) -> Result<Seen, CollectError> {
        let running = process::start(&Launch {
            command,
            workdir: recipe.workdir.as_deref(),
            env: environment(recipe),
            launcher: self.myself.as_deref(),
            inherit: false,
        })?;
        let mut kept = Kept::create(&recipe.folder)?;
        let limit = recipe.timeout.or(recipe.trace.duration.filter(|_| !recipe.traced));
        let mut splitters = [Splitter::default(), Splitter::default()];
        let traced = recipe.traced;
        let ended = running.wait(
            limit.map(|limit| duration(limit.0)),
            &self.stop,
            &mut |stream, bytes| {
                let mut pass = |piece: Piece<'_>| match piece {
                    Piece::Program(bytes) => {
                        kept.write(stream, bytes);
                        watcher(Event::Output(stream, bytes));
                    }
                    Piece::Progress(step) => watcher(Event::Progress(step)),
                };
                if traced {
                    splitters[stream as usize].push(bytes, &mut pass);
                } else {
                    pass(Piece::Program(bytes));
                }
            },
        )?;
        for (stream, splitter) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&mut splitters) {
            splitter.finish(&mut |piece| {
                if let Piece::Program(bytes) = piece {
                    kept.write(stream, bytes);
                    watcher(Event::Output(stream, bytes));
                }
            });
        }
        let [mut said, errors] = splitters;
        said.raw = said.raw.or(errors.raw);
        said.generated.extend(errors.generated);
        said.said.extend(errors.said);
        Ok(Seen { ended, said, lost_output: kept.finish() })
    }

    /// Brings everything that the run left into the manifest.
    fn collect(
        &self,
        recipe: &Recipe,
        seen: &Seen,
        account: Account,
        started: SystemTime,
        manifest: &mut Manifest,
    ) {
        let ended = self.end_times(manifest, &account);
        let elapsed = Nanos::from_ns(ended - manifest.started_mono_ns.unwrap_or(ended));
        manifest.power = account.power;
        manifest.phases = account.phases;
        manifest.findings.extend(account.findings);
        manifest.findings.extend(seen.lost_output.as_deref().map(output_lost));
        manifest.findings.extend(disk_full(&recipe.folder));
        if seen.ended.stragglers > 0 {
            manifest.findings.push(left_running(seen.ended.stragglers));
        }
        if recipe.traced {
            self.bring_trace(recipe, seen, started, manifest);
        } else if recipe.window.is_none() && recipe.folder.join(SIDECAR).exists() {
            manifest.window_default = Some("latency".to_owned());
        }
        let evidence = Evidence {
            ended: &seen.ended,
            interrupted: self.stop.signal(),
            traced: recipe.traced,
            has_report: seen.said.raw.is_some()
                || !seen.said.generated.is_empty()
                || manifest.trace.is_some(),
            duration: recipe.trace.duration.map(|length| length.0),
            elapsed,
            whole: (!recipe.traced || manifest.trace.is_some())
                && manifest.power.iter().all(|power| power.died.is_none()),
        };
        let outcome = outcome::judge(&evidence);
        if outcome.kind == OutcomeKind::NotStarted {
            manifest.findings.retain(|finding| finding.code != "no-trace");
            manifest.findings.push(outcome::nsys_failed(&recipe.folder));
        }
        if let Some(nsys) = &mut manifest.nsys {
            nsys.exit_code = seen.ended.status.code();
        }
        self.close(recipe, manifest, outcome);
    }

    fn bring_trace(
        &self,
        recipe: &Recipe,
        seen: &Seen,
        started: SystemTime,
        manifest: &mut Manifest,
    ) {
        let Some(nsys) = &self.nsys else { return };
        let findings = &mut manifest.findings;
        let Some(path) = export::secure(&recipe.folder, nsys, &seen.said, started, findings) else {
            return;
        };
        let apis = manifest.nsys.iter().flat_map(|nsys| &nsys.options);
        let apis = apis
            .filter_map(|option| option.strip_prefix("--trace="))
            .flat_map(|list| list.split(','));
        let apis: Vec<String> = apis.map(str::to_owned).collect();
        let end = manifest.ended_unix_ns.unwrap_or(manifest.started_unix_ns);
        let asked = Asked {
            apis: &apis,
            window: recipe.window.as_deref(),
            during: (manifest.started_unix_ns, end),
            capture: recipe.trace.capture.as_deref(),
        };
        match verify(&path, &asked, &self.host, findings) {
            Ok(verified) => {
                manifest.window_default = verified.window;
                manifest.trace = Some(verified.seen);
            }
            Err(Unusable::Stale(why)) => {
                let _ = fs::rename(&path, path.with_file_name("stale-trace.sqlite"));
                findings.push(export::stale(&why));
            }
            Err(Unusable::Unreadable(why)) => {
                let _ = fs::rename(&path, path.with_file_name("damaged-trace.sqlite"));
                findings.push(damaged(&why));
            }
        }
    }

    /// Wall and monotonic clock at the program's end; returns the latter.
    fn end_times(&self, manifest: &mut Manifest, account: &Account) -> i64 {
        let now = clock::now();
        // The program's own span, where idle time came after it.
        let program = account.phases.iter().find(|phase| phase.name == "program");
        let late = program.map_or(0, |phase| now.real_ns - phase.end_unix_ns.as_unix_ns());
        if let Some(phase) = program {
            let early = phase.start_unix_ns.as_unix_ns() - manifest.started_unix_ns.as_unix_ns();
            manifest.started_unix_ns = phase.start_unix_ns;
            manifest.started_mono_ns = manifest.started_mono_ns.map(|mono| mono + early);
        }
        manifest.ended_unix_ns = Some(UnixTime::from_unix_ns(now.real_ns - late));
        manifest.ended_mono_ns = Some(now.mono_ns - late);
        now.mono_ns - late
    }

    /// Outcome, temperatures and files: the last things to be known.
    fn close(&self, recipe: &Recipe, manifest: &mut Manifest, outcome: Outcome) {
        let now = clock::now();
        manifest.ended_unix_ns.get_or_insert(UnixTime::from_unix_ns(now.real_ns));
        manifest.ended_mono_ns.get_or_insert(now.mono_ns);
        let gpus = Gpus::open(self.nvml.as_deref()).ok();
        manifest.machine.temperature_after_c = machine::temperatures(&self.host, gpus.as_ref());
        manifest.outcome = outcome;
        let _ = fs::remove_file(recipe.folder.join(RESERVE));
        let _ = fs::remove_file(recipe.folder.join(ACCOUNT));
        manifest.files = files(&recipe.folder);
        finding::sort(&mut manifest.findings);
        manifest.findings.dedup();
    }

    fn first_manifest(&self, recipe: &Recipe, found: &Path) -> Result<Manifest, CollectError> {
        let nsys = if recipe.traced { Some(self.nsys_used(recipe)?) } else { None };
        let (program, inputs) =
            program::describe(found, &recipe.command, recipe.workdir.as_deref());
        let gpus = Gpus::open(self.nvml.as_deref()).ok();
        let machine = machine::describe(&self.host, gpus.as_ref());
        let now = clock::now();
        Ok(Manifest {
            schema: manifest::SCHEMA.to_owned(),
            tool: ToolUsed {
                name: "nsys-attrib".to_owned(),
                version: env!("CARGO_PKG_VERSION").to_owned(),
            },
            experiment: recipe.place.clone(),
            command: recipe.command.iter().map(|word| program::tilde(word)).collect(),
            outcome: Outcome { kind: OutcomeKind::Running, exit_code: None, signal: None },
            started_unix_ns: UnixTime::from_unix_ns(now.real_ns),
            ended_unix_ns: None,
            started_mono_ns: Some(now.mono_ns),
            ended_mono_ns: None,
            traced: recipe.traced,
            nsys,
            trace: None,
            machine,
            program,
            inputs,
            environment: program::environment(&recipe.env),
            window_default: recipe.window.clone(),
            phases: Vec::new(),
            power: Vec::new(),
            files: Vec::new(),
            overhead: None,
            findings: Vec::new(),
        })
    }

    fn nsys_used(&self, recipe: &Recipe) -> Result<NsysUsed, CollectError> {
        let nsys = self.nsys()?;
        let options = options::options(nsys, &recipe.trace)?;
        let options = options.iter().map(|option| program::tilde(option)).collect();
        let capture_range = recipe.trace.capture.clone();
        Ok(NsysUsed { version: nsys.version.clone(), options, capture_range, exit_code: None })
    }

    fn nsys(&self) -> Result<&Nsys, CollectError> {
        let looked = "it was not looked for".to_owned();
        self.nsys.as_ref().ok_or(CollectError::NoNsys { looked })
    }

    /// Power that was asked for by name must be there before the program is started.
    fn check_power(&self, recipe: &Recipe) -> Result<(), CollectError> {
        super::sampler::choose(&recipe.power.sources, &self.host, self.nvml.as_deref()).map(drop)
    }

    /// Our own program around the one that is measured, inside the traced process tree.
    fn wrapped(&self, recipe: &Recipe) -> Result<Vec<String>, CollectError> {
        let Some(myself) = &self.myself else {
            return Err(CollectError::Power {
                name: "in the trace".to_owned(),
                problem: "the program nsys-attrib itself is not known here".to_owned(),
                remedy: "Run it from the command line".to_owned(),
            });
        };
        let power = &recipe.power;
        let length = |length: Length| format!("{}ns", length.0.as_ns());
        let folder = absolute(&recipe.folder);
        let mut words =
            vec![myself.display().to_string(), "sample".to_owned(), "--marks".to_owned()];
        words.extend(["--out".to_owned(), folder.display().to_string()]);
        words.extend(["--account".to_owned(), folder.join(ACCOUNT).display().to_string()]);
        words.extend(["--power-period".to_owned(), length(power.period)]);
        words.extend(["--idle-before".to_owned(), length(power.idle_before)]);
        words.extend(["--idle-after".to_owned(), length(power.idle_after)]);
        for source in &power.sources {
            words.extend(["--power".to_owned(), source.clone()]);
        }
        if power.sync_pulse {
            words.push("--sync-pulse".to_owned());
        }
        words.push("--".to_owned());
        words.extend(recipe.command.iter().cloned());
        Ok(words)
    }
}

/// The program's output on the disk.
struct Kept {
    files: [File; 2],
    failed: Option<String>,
}

impl Kept {
    fn create(folder: &Path) -> Result<Self, CollectError> {
        let make = |name: &str| {
            let path = folder.join(name);
            File::create_new(&path).map_err(|source| CollectError::Unwritable { path, source })
        };
        Ok(Self { files: [make("stdout.txt")?, make("stderr.txt")?], failed: None })
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) {
        if self.failed.is_none()
            && let Err(error) = self.files[stream as usize].write_all(bytes)
        {
            self.failed = Some(error.to_string());
        }
    }

    fn finish(self) -> Option<String> {
        self.failed
    }
}

fn environment(recipe: &Recipe) -> Vec<(OsString, OsString)> {
    let sidecar = absolute(&recipe.folder).join(SIDECAR);
    let set = recipe.env.iter().map(|(name, value)| (name.into(), value.into()));
    set.chain([(SIDECAR_VARIABLE.into(), sidecar.into_os_string())]).collect()
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf())
}

fn make_folder(folder: &Path) -> Result<(), CollectError> {
    let unwritable =
        |path: &Path, source| CollectError::Unwritable { path: path.to_path_buf(), source };
    if let Some(above) = folder.parent() {
        fs::create_dir_all(above).map_err(|source| unwritable(above, source))?;
    }
    fs::create_dir(folder).map_err(|source| match source.kind() {
        std::io::ErrorKind::AlreadyExists => CollectError::Exists { path: folder.to_path_buf() },
        _ => unwritable(folder, source),
    })
}

fn reserve(folder: &Path) {
    // Without room for it there will be an error soon enough.
    let _ = fs::write(folder.join(RESERVE), vec![1; RESERVE_BYTES]);
}

/// Every file of the folder but the manifest, by name.
fn files(folder: &Path) -> Vec<FileAbout> {
    let listed = host::list(folder).into_iter().filter(|path| path.is_file());
    listed
        .map(|path| (host::name(&path), path))
        .filter(|(name, _)| name != MANIFEST && !name.starts_with('.'))
        .filter_map(|(name, path)| FileAbout::of(&path, &name).ok())
        .collect()
}

fn wrapper_account(folder: &Path) -> Account {
    let read = fs::read(folder.join(ACCOUNT)).ok();
    read.and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_else(|| Account {
        findings: vec![Finding::new(
            "sampler-died",
            Severity::DataLoss,
            "the sampler inside the trace ended without an account of what it read",
            "repeat the run; see stderr.txt for what it said",
        )],
        ..Account::default()
    })
}

fn output_lost(why: &str) -> Finding {
    Finding::new(
        "output-not-kept",
        Severity::Warning,
        format!("a part of the program's output could not be kept: {why}"),
        "make room on the disk and repeat the run",
    )
}

/// No room is left where the run was written, or where nsys keeps its raw capture meanwhile.
fn disk_full(folder: &Path) -> Option<Finding> {
    let full = |at: &Path| {
        let about = rustix::fs::statvfs(at).ok()?;
        (about.f_bavail.saturating_mul(about.f_frsize) < LEAST_FREE_BYTES)
            .then(|| program::tilde(&at.display().to_string()))
    };
    let at = full(folder).or_else(|| {
        let temporary =
            std::env::var_os("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from);
        full(&temporary)
    })?;
    Some(Finding::new(
        "disk-full",
        Severity::DataLoss,
        format!("the disk of {at} was full when the program had ended: files may be cut off"),
        "make room and repeat the run",
    ))
}

fn left_running(count: usize) -> Finding {
    Finding::new(
        "left-running",
        Severity::Warning,
        format!("the program ended and left {count} of its processes running; they were ended"),
        "let the program wait for its own processes",
    )
    .with("processes", count)
}

fn damaged(why: &str) -> Finding {
    Finding::new(
        "damaged-export",
        Severity::Error,
        format!("the export cannot be read and was set aside as damaged-trace.sqlite: {why}"),
        "make room on the disk, and export trace.nsys-rep again: nsys export --type sqlite",
    )
}
