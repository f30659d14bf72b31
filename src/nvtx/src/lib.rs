//! NVTX for Rust programs: ranges, marks, domains, payloads.
//!
//! A profiler such as Nsight Systems names a library in the environment variable
//! `NVTX_INJECTION64_PATH`. On first use this crate loads it and hands it a table of function slots (the
//! injection interface of NVTX 3); the profiler fills the slots, and from then on each range or mark is
//! one call through a slot. Without a profiler the slots stay empty and every function returns at once:
//! no library is linked, none is needed, no C compiler either.
//!
//! ```
//! for request in 0..3 {
//!     let _latency = nvtx::range("latency"); // ends when it is dropped
//!     // … the work of the request …
//! }
//! nvtx::mark("done");
//!
//! let layers = nvtx::Domain::new("layers");
//! let name = layers.register("spectral 0"); // the profiler keeps the text once
//! let _layer = layers.range(nvtx::Event::new(name).payload(3_u64));
//! ```
//!
//! Push/pop ranges belong to a thread and nest; [`start`] makes ranges that may end elsewhere. Nothing
//! here fails, panics or prints: a profiler that cannot be loaded is no reason to stop the program;
//! [`is_active`] says whether one listens.

mod domain;
mod event;
mod injection;

use std::marker::PhantomData;

pub use domain::{Domain, Name};
pub use event::{Event, Payload};

/// A range on this thread, ended when it is dropped. Ranges of a thread nest.
#[derive(Debug)]
#[must_use = "the range ends when this is dropped; bind it to a name such as `_latency`"]
pub struct Range {
    domain: Domain,
    // A range ends on the thread on which it began.
    _thread: PhantomData<*const ()>,
}

/// A range that may end on another thread, ended when it is dropped.
#[derive(Debug)]
#[must_use = "the range ends when this is dropped; bind it to a name"]
pub struct Span {
    domain: Domain,
    id: u64,
}

/// Whether a profiler listens.
pub fn is_active() -> bool {
    injection::is_active()
}

/// Begins a range on this thread; it ends when the guard is dropped.
///
/// `nvtx::range("latency")`, or with a payload `nvtx::range(Event::new("latency").payload(7_u64))`.
#[inline]
pub fn range<'e>(event: impl Into<Event<'e>>) -> Range {
    Domain::DEFAULT.range(event)
}

/// Begins a range on this thread; [`pop`] ends it. Where a guard fits, [`range`] is safer.
#[inline]
pub fn push<'e>(event: impl Into<Event<'e>>) {
    Domain::DEFAULT.push(event);
}

/// Ends the range that was pushed last on this thread.
#[inline]
pub fn pop() {
    Domain::DEFAULT.pop();
}

/// Begins a range that may end on another thread.
#[inline]
pub fn start<'e>(event: impl Into<Event<'e>>) -> Span {
    Domain::DEFAULT.start(event)
}

/// An instant with a text.
#[inline]
pub fn mark<'e>(event: impl Into<Event<'e>>) {
    Domain::DEFAULT.mark(event);
}

/// Gives the calling thread a name in the profiler.
pub fn name_thread(name: &str) {
    injection::name_thread(name);
}

impl Drop for Range {
    #[inline]
    fn drop(&mut self) {
        self.domain.pop();
    }
}

impl Drop for Span {
    #[inline]
    fn drop(&mut self) {
        self.domain.end(self.id);
    }
}
