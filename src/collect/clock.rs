//! What time is it, on each of the machine's clocks?
//!
//! Monotonic time places readings beside each other whatever happens to the wall clock; real time ties
//! them to other machines and to the trace; boot time shows a suspend between two stamps.

use rustix::thread::clock_nanosleep_absolute;
use rustix::time::{ClockId, Timespec, clock_gettime};

/// One instant on three clocks, in ns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instants {
    /// CLOCK_MONOTONIC.
    pub mono_ns: i64,
    /// CLOCK_REALTIME.
    pub real_ns: i64,
    /// CLOCK_BOOTTIME.
    pub boot_ns: i64,
}

/// All three clocks; the wall clock is taken between two readings of the monotonic one.
pub fn now() -> Instants {
    let before = mono_ns();
    let real_ns = real_ns();
    let after = mono_ns();
    Instants {
        mono_ns: i64::midpoint(before, after),
        real_ns,
        boot_ns: ns(clock_gettime(ClockId::Boottime)),
    }
}

/// CLOCK_MONOTONIC in ns.
pub fn mono_ns() -> i64 {
    ns(clock_gettime(ClockId::Monotonic))
}

/// CLOCK_REALTIME in ns since 1970.
pub fn real_ns() -> i64 {
    ns(clock_gettime(ClockId::Realtime))
}

/// Processor time of the calling thread in ns.
pub(crate) fn thread_cpu_ns() -> i64 {
    ns(clock_gettime(ClockId::ThreadCPUTime))
}

/// Sleeps until an instant of CLOCK_MONOTONIC; returns early when a signal arrives.
pub(crate) fn sleep_until(mono_ns: i64) {
    let until = Timespec {
        tv_sec: mono_ns.div_euclid(1_000_000_000),
        tv_nsec: mono_ns.rem_euclid(1_000_000_000),
    };
    let _ = clock_nanosleep_absolute(ClockId::Monotonic, &until);
}

const fn ns(time: Timespec) -> i64 {
    time.tv_sec * 1_000_000_000 + time.tv_nsec
}
