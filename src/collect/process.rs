//! How does a program run, and how does it end, with nothing left behind?
//!
//! The child gets a process group of its own, so that Ctrl-C at the terminal reaches the driver alone,
//! which passes the signal on once; a second one, or a program that does not end, is answered with
//! SIGKILL to that group. A token in its environment marks the child and all that it starts: what is
//! left with that token after the end is ended too, and nothing else ever is. Where the driver's own
//! executable is known, it starts the child through it (`launch`), so that the kernel ends the child
//! should the driver be killed.

use std::ffi::OsString;
use std::fs;
use std::io::{IsTerminal, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process, kill_process_group};

use super::error::CollectError;
use crate::units::Nanos;

/// Marks a run's processes.
pub(crate) const TOKEN: &str = "NSYS_ATTRIB_RUN";

/// How long the main loop waits for output before it looks at signals and the clock.
const TICK: Duration = Duration::from_millis(20);
/// How long a child that was asked to end may take before it is made to (nsys may import meanwhile).
const GRACE: Duration = Duration::from_secs(600);
/// How long output is waited for after the end, and how long a straggler may take to end.
const LINGER: Duration = Duration::from_secs(2);

/// A request to stop, by signal number; 0 for none. Set by whoever listens for signals.
#[derive(Clone, Debug, Default)]
pub struct Stop(Arc<Signals>);

#[derive(Debug, Default)]
struct Signals {
    number: AtomicI32,
    count: AtomicI32,
}

impl Stop {
    /// Asks the driver to stop.
    pub fn request(&self, signal: i32) {
        self.0.number.store(signal, Ordering::SeqCst);
        self.0.count.fetch_add(1, Ordering::SeqCst);
    }

    /// The signal that asked to stop.
    pub fn signal(&self) -> Option<i32> {
        Some(self.0.number.load(Ordering::SeqCst)).filter(|number| *number != 0)
    }

    /// Sleeps so long, or without end, until asked to stop.
    pub fn sleep(&self, length: Option<Nanos>) {
        let length = length.map_or(Duration::MAX, super::cooldown::duration);
        super::cooldown::sleep(length, self);
    }

    fn requests(&self) -> i32 {
        self.0.count.load(Ordering::SeqCst)
    }
}

/// Where a program wrote something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// What to start.
#[derive(Debug)]
pub(crate) struct Launch<'a> {
    pub(crate) command: &'a [String],
    pub(crate) workdir: Option<&'a Path>,
    pub(crate) env: Vec<(OsString, OsString)>,
    /// Our own executable, which knows `launch`.
    pub(crate) launcher: Option<&'a Path>,
    /// Whether the program keeps our own standard streams.
    pub(crate) inherit: bool,
}

/// How a child ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// Its time was over.
    pub(crate) timed_out: bool,
    /// Processes that it left running and that were ended.
    pub(crate) stragglers: usize,
}

/// A child that runs.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    pieces: Receiver<(Stream, Vec<u8>)>,
    /// Of a run that is our own to clean up after.
    token: Option<String>,
}

/// Starts a child.
///
/// # Errors
/// [`CollectError::Start`].
pub(crate) fn start(what: &Launch<'_>) -> Result<Running, CollectError> {
    let [program, arguments @ ..] = what.command else {
        return Err(CollectError::Program {
            program: String::new(),
            problem: "there is no command",
        });
    };
    let mut command = match what.launcher {
        Some(launcher) => {
            let mut command = Command::new(launcher);
            command.args(["launch", "--"]).arg(program);
            command
        }
        None => Command::new(program),
    };
    // A program that keeps our streams stays in our group, and belongs to the run that we belong to.
    let token = (!what.inherit).then(token);
    command.args(arguments);
    if let Some(token) = &token {
        command.process_group(0).env(TOKEN, token);
    }
    command.envs(what.env.iter().map(|(name, value)| (name, value)));
    if let Some(folder) = what.workdir {
        command.current_dir(folder);
    }
    if what.inherit {
        command.stdin(Stdio::inherit()).stdout(Stdio::inherit()).stderr(Stdio::inherit());
    } else {
        // A terminal belongs to the foreground group: a child of another group that read it would stop.
        let terminal = std::io::stdin().is_terminal();
        command.stdin(if terminal { Stdio::null() } else { Stdio::inherit() });
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
    }
    let failed = |source| CollectError::Start { program: program.clone(), source };
    let mut child = command.spawn().map_err(failed)?;
    let (send, pieces) = sync_channel(64);
    if let Some(out) = child.stdout.take() {
        read_into(Stream::Stdout, out, send.clone());
    }
    if let Some(out) = child.stderr.take() {
        read_into(Stream::Stderr, out, send);
    }
    Ok(Running { child, pieces, token })
}

impl Running {
    /// Waits for the end, passing output on as it comes, signals to the child, and the time to nobody:
    /// after `limit` the child is asked to end.
    ///
    /// # Errors
    /// [`CollectError::Start`] when the system has lost the child.
    pub(crate) fn wait(
        mut self,
        limit: Option<Duration>,
        stop: &Stop,
        output: &mut dyn FnMut(Stream, &[u8]),
    ) -> Result<Ended, CollectError> {
        let started = Instant::now();
        let mut asked: Option<(Instant, i32)> = None;
        let mut timed_out = false;
        let status = loop {
            self.pass(output, TICK);
            let waited = self.child.try_wait();
            let lost = |source| CollectError::Start { program: "the child".to_owned(), source };
            if let Some(status) = waited.map_err(lost)? {
                break status;
            }
            match asked {
                None => {
                    if let Some(signal) = stop.signal() {
                        self.signal(signal);
                        asked = Some((Instant::now(), stop.requests()));
                    } else if limit.is_some_and(|limit| started.elapsed() >= limit) {
                        timed_out = true;
                        self.signal(Signal::TERM.as_raw());
                        asked = Some((Instant::now(), stop.requests()));
                    }
                }
                Some((since, requests)) => {
                    if stop.requests() > requests || since.elapsed() > GRACE {
                        self.kill_group();
                    }
                }
            }
        };
        let stragglers = self.finish(output);
        Ok(Ended { status, timed_out, stragglers })
    }

    /// Passes on what arrives within `time`; returns whether the streams are closed.
    fn pass(&self, output: &mut dyn FnMut(Stream, &[u8]), time: Duration) -> bool {
        let until = Instant::now() + time;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.pieces.recv_timeout(left) {
                Ok((stream, bytes)) => output(stream, &bytes),
                Err(RecvTimeoutError::Timeout) => return false,
                Err(RecvTimeoutError::Disconnected) => {
                    thread::sleep(left.min(TICK));
                    return true;
                }
            }
            if left.is_zero() {
                return false;
            }
        }
    }

    /// Ends what is left and reads the rest of the output.
    fn finish(&self, output: &mut dyn FnMut(Stream, &[u8])) -> usize {
        let Some(token) = &self.token else { return 0 };
        // What the child's own helpers still do is given a moment.
        let mut waited = Instant::now();
        while !marked(token).is_empty() && waited.elapsed() < LINGER {
            self.pass(output, TICK);
        }
        let left = marked(token);
        for pid in &left {
            let _ = kill_process(*pid, Signal::TERM);
        }
        waited = Instant::now();
        while !left.is_empty() && !marked(token).is_empty() && waited.elapsed() < LINGER {
            self.pass(output, TICK);
        }
        for pid in marked(token) {
            let _ = kill_process(pid, Signal::KILL);
        }
        waited = Instant::now();
        while !self.pass(output, TICK) && waited.elapsed() < LINGER {}
        left.len()
    }

    fn signal(&self, number: i32) {
        if let (Some(pid), Some(signal)) = (self.pid(), Signal::from_named_raw(number)) {
            let _ = kill_process(pid, signal);
        }
    }

    fn kill_group(&self) {
        match self.pid() {
            Some(group) if self.token.is_some() => drop(kill_process_group(group, Signal::KILL)),
            Some(child) => drop(kill_process(child, Signal::KILL)),
            None => {}
        }
    }

    fn pid(&self) -> Option<Pid> {
        Pid::from_raw(i32::try_from(self.child.id()).ok()?)
    }
}

impl Drop for Running {
    /// A driver that fails on the way leaves no child either.
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.kill_group();
            let _ = self.child.wait();
        }
    }
}

impl Ended {
    /// Exit code and signal. nsys passes a program's signal on as 128 + its number.
    pub(crate) fn exit(&self) -> (Option<i32>, Option<i32>) {
        let signal = self.status.signal();
        match self.status.code() {
            Some(code) if (129..=192).contains(&code) => (Some(code), Some(code - 128)),
            code => (code, signal),
        }
    }
}

fn read_into(
    stream: Stream,
    mut from: impl Read + Send + 'static,
    to: SyncSender<(Stream, Vec<u8>)>,
) {
    thread::spawn(move || {
        let mut block = vec![0; 64 * 1024];
        while let Ok(count) = from.read(&mut block) {
            if count == 0 || to.send((stream, block[..count].to_vec())).is_err() {
                break;
            }
        }
    });
}

/// A text that no other run has.
fn token() -> String {
    use std::sync::atomic::AtomicU64;
    static NUMBER: AtomicU64 = AtomicU64::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    format!("{}-{}-{number}", std::process::id(), super::clock::real_ns())
}

/// Living processes with the token in their environment.
fn marked(token: &str) -> Vec<Pid> {
    let line = format!("{TOKEN}={token}");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(number) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        let Ok(environment) = fs::read(entry.path().join("environ")) else { continue };
        if environment.split(|byte| *byte == 0).any(|entry| entry == line.as_bytes()) {
            found.extend(Pid::from_raw(number));
        }
    }
    found
}

/// Runs a program on our own streams and returns its exit code, 128 + n for signal n.
///
/// # Errors
/// [`CollectError::Start`] when it cannot be started.
pub fn run_inherited(command: &[String], stop: &Stop) -> Result<i32, CollectError> {
    let launch = Launch { command, workdir: None, env: Vec::new(), launcher: None, inherit: true };
    let ended = start(&launch)?.wait(None, stop, &mut |_, _| {})?;
    let (code, signal) = ended.exit();
    Ok(signal.map_or_else(|| code.unwrap_or(1), |signal| 128 + signal))
}

/// Becomes another program, to be ended when the parent is: what the hidden command `launch` does.
///
/// # Errors
/// What the system says when that cannot be; on success it does not return.
pub fn become_program(words: &[OsString]) -> std::io::Error {
    let Some((program, arguments)) = words.split_first() else {
        return std::io::Error::other("no program was named");
    };
    // The child's own children are nsys's to end.
    let _ = rustix::process::set_parent_process_death_signal(Some(Signal::TERM));
    Command::new(PathBuf::from(program)).args(arguments).exec()
}
