//! A sign of life on the terminal for whatever takes longer than a second.

use std::io::IsTerminal;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// How long nothing is shown.
const PATIENCE: Duration = Duration::from_secs(1);
/// How often the sign moves.
const BEAT: Duration = Duration::from_millis(100);

/// Shown from one second after it was started until it is dropped, on standard error, and only there
/// when that is a terminal.
pub(super) struct Progress {
    shown: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Progress {
    /// Starts waiting; `what` is being done.
    pub(super) fn start(what: String) -> Self {
        if !std::io::stderr().is_terminal() {
            return Self { shown: None };
        }
        let (done, waiting) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            if waiting.recv_timeout(PATIENCE) != Err(RecvTimeoutError::Timeout) {
                return;
            }
            let bar = ProgressBar::new_spinner().with_message(what);
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed} {msg}") {
                bar.set_style(style);
            }
            bar.set_elapsed(PATIENCE);
            bar.enable_steady_tick(BEAT);
            let _ = waiting.recv();
            bar.finish_and_clear();
        });
        Self { shown: Some((done, thread)) }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some((done, thread)) = self.shown.take() {
            drop(done);
            let _ = thread.join();
        }
    }
}
