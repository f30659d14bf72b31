//! Processes, threads and GPU queues of a trace, under small numbers.
//!
//! nsys packs identity into 64 bits: a thread's `globalTid` holds host, process and thread; with
//! its low 24 bits cleared it is the process, equal to `globalPid` of the GPU rows.
//!
//! ```text
//!   globalTid  | hw (8) | vm (8) | pid (24) | tid (24) |
//!   globalPid  | hw (8) | vm (8) | pid (24) |    0     |
//! ```

/// The bits of a `globalTid` that hold the thread.
const THREAD_BITS: i64 = 0xff_ffff;

/// A process, by its place in [`Identities::processes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProcessId(pub(crate) u32);

/// A thread, by its place in [`Identities::threads`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ThreadId(pub(crate) u32);

impl ProcessId {
    /// The place in [`Identities::processes`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

impl ThreadId {
    /// The place in [`Identities::threads`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// A process that made a CUDA call, an NVTX event or a GPU operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// nsys' `globalPid`.
    pub global: i64,
    /// The operating system's process id.
    pub pid: i64,
    /// The name in table `PROCESSES`, when it has one.
    pub name: Option<String>,
}

/// A thread of a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Thread {
    /// nsys' `globalTid`; `None` stands for rows that carry none.
    pub global: Option<i64>,
    /// Its process; `None` for rows without identity.
    pub process: Option<ProcessId>,
    /// The operating system's thread id.
    pub tid: Option<i64>,
    /// The name in table `ThreadNames`, when it has one.
    pub name: Option<String>,
}

/// Every process and thread that occurs in the event tables, in the order of their global ids.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identities {
    pub(crate) processes: Vec<Process>,
    pub(crate) threads: Vec<Thread>,
}

impl Identities {
    /// All processes, in the order of `globalPid`.
    pub fn processes(&self) -> &[Process] {
        &self.processes
    }

    /// All threads, in the order of `globalTid`.
    pub fn threads(&self) -> &[Thread] {
        &self.threads
    }

    /// One process.
    pub fn process(&self, id: ProcessId) -> &Process {
        &self.processes[id.index()]
    }

    /// One thread.
    pub fn thread(&self, id: ThreadId) -> &Thread {
        &self.threads[id.index()]
    }

    /// Every process id.
    pub fn process_ids(&self) -> impl Iterator<Item = ProcessId> + use<> {
        (0..self.processes.len() as u32).map(ProcessId)
    }

    pub(crate) fn process_of_global(&self, global_pid: i64) -> Option<ProcessId> {
        self.processes
            .binary_search_by_key(&global_pid, |process| process.global)
            .ok()
            .map(|index| ProcessId(index as u32))
    }

    /// `name (pid)` for messages.
    pub fn describe(&self, id: ProcessId) -> String {
        let process = self.process(id);
        match &process.name {
            Some(name) => format!("{name} (pid {})", process.pid),
            None => format!("pid {}", process.pid),
        }
    }

    /// Builds both lists from every id that occurred.
    pub(crate) fn from_globals(threads: &[Option<i64>], processes: &[Option<i64>]) -> Self {
        let mut pids: Vec<i64> = threads
            .iter()
            .flatten()
            .map(|tid| process_bits(*tid))
            .chain(processes.iter().flatten().map(|pid| process_bits(*pid)))
            .collect();
        pids.sort_unstable();
        pids.dedup();
        let mut tids = threads.to_vec();
        tids.sort_unstable();
        tids.dedup();
        let mut all = Self {
            processes: pids
                .into_iter()
                .map(|global| Process { global, pid: (global >> 24) & THREAD_BITS, name: None })
                .collect(),
            threads: Vec::new(),
        };
        all.threads = tids
            .into_iter()
            .map(|global| Thread {
                global,
                process: global.and_then(|tid| all.process_of_global(process_bits(tid))),
                tid: global.map(|tid| tid & THREAD_BITS),
                name: None,
            })
            .collect();
        all
    }

    pub(crate) fn thread_of_global(&self, global_tid: Option<i64>) -> Option<ThreadId> {
        self.threads
            .binary_search_by_key(&global_tid, |thread| thread.global)
            .ok()
            .map(|index| ThreadId(index as u32))
    }
}

/// A `globalTid` without its thread: the `globalPid`.
pub(crate) const fn process_bits(global_tid: i64) -> i64 {
    global_tid & !THREAD_BITS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_belongs_to_the_process_of_its_upper_bits() {
        let tid = (1 << 56) | (7 << 24) | 9;
        let all = Identities::from_globals(&[Some(tid), None], &[Some(process_bits(tid))]);
        assert_eq!(all.processes.len(), 1);
        assert_eq!(all.processes[0].pid, 7);
        let thread = all.thread_of_global(Some(tid)).unwrap();
        assert_eq!(all.thread(thread).tid, Some(9));
        assert_eq!(all.thread(thread).process, Some(ProcessId(0)));
        assert_eq!(all.thread(all.thread_of_global(None).unwrap()).process, None);
    }
}
