//! Why no windows could be selected, with what to type instead.

use crate::units::TraceTime;

/// A time as a specification takes it.
fn seconds(time: TraceTime) -> String {
    time.to_string().replace(' ', "")
}

/// A window specification could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// A regular expression does not parse.
    #[error("window `{spec}`: {cause}")]
    Regex {
        /// As typed.
        spec: String,
        /// What is wrong with it.
        cause: regex::Error,
    },
    /// A time does not parse.
    #[error("window `{spec}`: `{found}` is not {expected}")]
    Time {
        /// As typed.
        spec: String,
        /// The part that does not parse.
        found: String,
        /// What it should be.
        expected: &'static str,
    },
    /// A span ends before it starts.
    #[error("window `{spec}` ends before it starts: give the earlier time first")]
    Reversed {
        /// As typed, or the label of the row.
        spec: String,
    },
    /// Nothing of what was given lies in what was recorded.
    #[error(
        "window `{spec}`: from {from} to {to} of trace time nothing was recorded: this trace runs from {first} \
         to {last}. Give times inside it, such as `time:{}..{}`; `nsys-attrib windows TRACE --window all` shows \
         when its work happens",
        seconds(*first),
        seconds(*last)
    )]
    Beyond {
        /// As typed.
        spec: String,
        /// The start of the first span that was given.
        from: TraceTime,
        /// Its end.
        to: TraceTime,
        /// The start of what was recorded.
        first: TraceTime,
        /// Its end.
        last: TraceTime,
    },
    /// A file of windows cannot be opened.
    #[error("windows file `{path}` cannot be read: {cause}")]
    File {
        /// The file.
        path: String,
        /// Why.
        cause: std::io::Error,
    },
    /// A file of windows has a bad row.
    #[error(
        "windows file {path}:{line}: {problem}. Expected the header `start_ns,end_ns[,label]` (trace \
         time) or `start_unix_ns,end_unix_ns[,label]` (wall clock) and whole nanoseconds"
    )]
    Csv {
        /// The file.
        path: String,
        /// The line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// A wall-clock window on a trace that does not know when it started.
    #[error(
        "window `{spec}` is on the wall clock, but this export has no TARGET_INFO_SESSION_START_TIME \
         (layouts of 2020 and 2021 lack it); give the window on trace time (`time:A..B`)"
    )]
    NoSessionStart {
        /// As typed, or the label of the row.
        spec: String,
    },
    /// No thread repeats what it launches.
    #[error(
        "window `{spec}`: no thread repeats the kernels that it launches: a period must match for at least 95 % of \
         the launches over at least 5 periods. {candidates}. Mark the iterations with NVTX ranges, or use \
         `kernels:/REGEX/` or `time:A..B`"
    )]
    NotPeriodic {
        /// As typed.
        spec: String,
        /// The best periods of each thread.
        candidates: String,
    },
    /// Nothing stands behind a prefix.
    #[error("window `{spec}` is not complete: {wanted}")]
    Incomplete {
        /// As typed.
        spec: String,
        /// What should follow.
        wanted: &'static str,
    },
    /// A name that stands for several threads, where one is needed.
    #[error("{count} threads are called `{wanted}`; name one by its id: {present}")]
    SeveralThreads {
        /// As typed.
        wanted: String,
        /// How many.
        count: usize,
        /// Their ids.
        present: String,
    },
    /// A process or thread that does not occur.
    #[error("no {kind} `{wanted}` in this trace; there are: {present}")]
    NoSuchOwner {
        /// `process` or `thread`.
        kind: &'static str,
        /// As typed.
        wanted: String,
        /// Those that occur.
        present: String,
    },
    /// The whole trace was asked for and holds nothing.
    #[error(
        "this export holds no CUDA API call and no GPU operation: there is nothing to attribute. Record \
         with `nsys profile --trace=cuda,nvtx` while the program uses the GPU; `nsys-attrib info` shows \
         what was recorded. {present}"
    )]
    NothingRecorded {
        /// The NVTX names that are there.
        present: String,
    },
    /// What matches was left out.
    #[error("no window `{spec}` is left: {reason}")]
    NoneTaken {
        /// As typed.
        spec: String,
        /// By what.
        reason: String,
    },
    /// `gpu:` before `gpu:`.
    #[error(
        "window `{spec}` has `gpu:` twice: instances are moved to their GPU work once; write `{once}`"
    )]
    MovedTwice {
        /// As typed.
        spec: String,
        /// With one of them.
        once: String,
    },
    /// Nothing matches.
    #[error("no window `{spec}` in this trace{reason}. {present}")]
    NoInstance {
        /// As typed.
        spec: String,
        /// Why instances were left out, if any were.
        reason: String,
        /// The names that are there, nearest spelling first.
        present: String,
    },
}
