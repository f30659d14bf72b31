//! Tools that print power line by line: tegrastats and nvidia-smi.
//!
//! The fallback where sysfs or NVML cannot be used. tegrastats stamps whole seconds or nothing, so each of
//! its lines gets the unix time of its arrival in front (its readers know that form); nvidia-smi has
//! stamps of its own.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use super::Pace;
use super::jitter::Distances;
use crate::collect::clock;
use crate::collect::error::CollectError;
use crate::runs::manifest::PowerAbout;
use crate::units::Nanos;

/// How often the stop is looked at.
const TICK: Duration = Duration::from_millis(50);
/// Lines go to the disk so often.
const FLUSH: Duration = Duration::from_secs(5);

/// A tool that prints power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChildSource {
    pub(super) name: &'static str,
    pub(super) program: PathBuf,
    pub(super) file: &'static str,
    pub(super) stamp: bool,
}

/// A tool that runs.
#[derive(Debug)]
pub(super) struct Following {
    child: Child,
    lines: Receiver<(i64, Vec<u8>)>,
    out: BufWriter<File>,
    stamp: bool,
    tally: PowerAbout,
    distances: Distances,
}

/// Starts the tool.
pub(super) fn start(
    source: &ChildSource,
    folder: &Path,
    pace: Pace,
) -> Result<Following, CollectError> {
    // Neither tool is made for more than ten lines a second.
    let period = pace.period.max(Nanos::from_ns(100_000_000));
    let path = folder.join(source.file);
    let unwritable = |error| CollectError::Unwritable { path: path.clone(), source: error };
    let out = BufWriter::new(File::create_new(&path).map_err(unwritable)?);
    let mut command = Command::new(&source.program);
    command
        .args(arguments(source.name, period))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let failed = |error| CollectError::Start { program: source.name.to_owned(), source: error };
    let mut child = command.spawn().map_err(failed)?;
    let lines = child.stdout.take().map(arrivals);
    let Some(lines) = lines else { return Err(failed(std::io::Error::other("no output"))) };
    let tally = PowerAbout {
        source: source.name.to_owned(),
        file: source.file.to_owned(),
        period_ns: period,
        ..PowerAbout::default()
    };
    Ok(Following {
        child,
        lines,
        out,
        stamp: source.stamp,
        tally,
        distances: Distances::new(period),
    })
}

fn arguments(name: &str, period: Nanos) -> Vec<String> {
    let ms = (period.as_ns() / 1_000_000).to_string();
    match name {
        "tegrastats" => vec!["--interval".to_owned(), ms],
        _ => vec![
            "--query-gpu=timestamp,index,uuid,power.draw,temperature.gpu,clocks.sm,utilization.gpu"
                .to_owned(),
            "--format=csv".to_owned(),
            "-lms".to_owned(),
            ms,
        ],
    }
}

/// Lines with the unix time of their arrival.
fn arrivals(out: ChildStdout) -> Receiver<(i64, Vec<u8>)> {
    let (send, lines) = channel();
    std::thread::spawn(move || {
        let mut out = BufReader::new(out);
        loop {
            let mut line = Vec::new();
            match out.read_until(b'\n', &mut line) {
                Ok(count) if count > 0 && send.send((clock::real_ns(), line)).is_ok() => {}
                _ => break,
            }
        }
    });
    lines
}

impl Following {
    /// Writes lines until it is told to stop, or the tool ends.
    pub(super) fn follow(mut self, stop: &AtomicBool) -> PowerAbout {
        let mut flushed = Instant::now();
        while !stop.load(Ordering::Relaxed) {
            let failed = match self.lines.recv_timeout(TICK) {
                Ok((at, line)) => self.take(at, &line).err(),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait().map(|status| status.to_string());
                    self.tally.died =
                        Some(format!("it ended by itself: {}", status.unwrap_or_default()));
                    break;
                }
            };
            let failed = failed.or_else(|| {
                (flushed.elapsed() >= FLUSH).then(|| {
                    flushed = Instant::now();
                    self.out.flush().err()
                })?
            });
            if let Some(error) = failed {
                self.tally.died = Some(format!("its log cannot be written: {error}"));
                break;
            }
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Err(error) = self.out.flush() {
            self.tally.died.get_or_insert(format!("its log cannot be written: {error}"));
        }
        self.tally.jitter = self.distances.summary();
        if self.tally.samples == 0 {
            self.tally.died.get_or_insert_with(|| "it printed no line".to_owned());
        }
        std::mem::take(&mut self.tally)
    }

    fn take(&mut self, at: i64, line: &[u8]) -> std::io::Result<()> {
        self.tally.samples += 1;
        self.distances.add(at);
        if self.stamp {
            write!(self.out, "{}.{:09} ", at / 1_000_000_000, at % 1_000_000_000)?;
        }
        self.out.write_all(line)
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
