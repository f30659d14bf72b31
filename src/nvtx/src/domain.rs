//! Domains: namespaces of ranges, marks and registered names.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr;

use crate::event::Event;
use crate::injection::{self, DomainHandle};
use crate::{Range, Span};

/// A namespace for ranges and marks. Ranges of different domains nest independently.
///
/// A domain lives until the program ends, so it can be kept in a `static` and copied freely. Make each
/// one once.
#[derive(Clone, Copy, Debug)]
pub struct Domain {
    // Null: the default domain, or no profiler.
    handle: DomainHandle,
    is_default: bool,
}

/// A text that the profiler has been told once. It belongs to the domain that registered it.
#[derive(Clone, Copy, Debug)]
pub struct Name(*const c_void);

// SAFETY: the handle is an opaque token that NVTX allows to be used from every thread.
unsafe impl Send for Domain {}
// SAFETY: as above.
unsafe impl Sync for Domain {}
// SAFETY: as above.
unsafe impl Send for Name {}
// SAFETY: as above.
unsafe impl Sync for Name {}

impl Domain {
    /// The domain of the functions at the top of the crate.
    pub const DEFAULT: Self = Self { handle: ptr::null_mut(), is_default: true };

    /// A domain of that name.
    pub fn new(name: &str) -> Self {
        Self { handle: injection::create_domain(name), is_default: false }
    }

    /// Tells the profiler a text once, for events that occur often.
    pub fn register(self, text: &str) -> Name {
        Name(if self.listens() { injection::register(self.handle, text) } else { ptr::null() })
    }

    /// Begins a range on this thread; it ends when the guard is dropped.
    #[inline]
    pub fn range<'e>(self, event: impl Into<Event<'e>>) -> Range {
        self.push(event);
        Range { domain: self, _thread: PhantomData }
    }

    /// Begins a range on this thread; [`Domain::pop`] ends it.
    #[inline]
    pub fn push<'e>(self, event: impl Into<Event<'e>>) {
        if self.listens() {
            injection::push(self.handle, &event.into());
        }
    }

    /// Ends the range of this domain that was pushed last on this thread.
    #[inline]
    pub fn pop(self) {
        if self.listens() {
            injection::pop(self.handle);
        }
    }

    /// Begins a range that may end on another thread.
    #[inline]
    pub fn start<'e>(self, event: impl Into<Event<'e>>) -> Span {
        let id = if self.listens() { injection::start(self.handle, &event.into()) } else { 0 };
        Span { domain: self, id }
    }

    /// An instant with a text.
    #[inline]
    pub fn mark<'e>(self, event: impl Into<Event<'e>>) {
        if self.listens() {
            injection::mark(self.handle, &event.into());
        }
    }

    #[inline]
    pub(crate) fn end(self, id: u64) {
        if self.listens() {
            injection::end(self.handle, id);
        }
    }

    /// A domain that was made while nobody listened must not fall into the default domain.
    #[inline]
    fn listens(self) -> bool {
        (self.is_default || !self.handle.is_null()) && injection::is_active()
    }
}

impl Name {
    pub(crate) const fn handle(self) -> *const c_void {
        self.0
    }
}
