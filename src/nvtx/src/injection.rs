//! How does a profiler come in? Through the injection interface of NVTX 3.
//!
//! ```text
//! NVTX_INJECTION64_PATH ─dlopen─> InitializeInjectionNvtx2(get_table)
//!                                   └─ get_table(CALLBACKS) ─> module_slots(CORE | CORE2)
//!                                        └─ the profiler stores its functions in the slots
//! ```
//! Module, table and slot numbers are those of NVTX's `nvtxTypes.h`. The profiler writes into the slots
//! only while it is initialised; they are atomics all the same, read relaxed, which costs nothing.

use std::env;
use std::ffi::{CString, OsString, c_char, c_int, c_uint, c_void};
use std::mem::{size_of, transmute};
use std::os::unix::ffi::OsStringExt;
use std::ptr;
use std::sync::Once;
use std::sync::atomic::{AtomicPtr, AtomicU8, Ordering};

use crate::event::{Attributes, Event, terminated};

/// NVTX's handle of a domain; null is the default domain.
pub(crate) type DomainHandle = *mut c_void;

const VARIABLE: &str = "NVTX_INJECTION64_PATH";
const INITIALIZE: &std::ffi::CStr = c"InitializeInjectionNvtx2";

/// NVTX_VERSION.
const NVTX_VERSION: u32 = 3;

// NvtxExportTableID
const TABLE_CALLBACKS: u32 = 1;
const TABLE_VERSION: u32 = 3;

// NvtxCallbackModule
const MODULE_CORE: c_int = 1;
const MODULE_CORE2: c_int = 5;

/// NVTX_CBID_CORE_SIZE and NVTX_CBID_CORE2_SIZE.
const SLOTS: usize = 16;

// NvtxCallbackIdCore2; each takes a domain, and null means the default one.
const DOMAIN_MARK: usize = 1;
const DOMAIN_START: usize = 2;
const DOMAIN_END: usize = 3;
const DOMAIN_PUSH: usize = 4;
const DOMAIN_POP: usize = 5;
const DOMAIN_REGISTER: usize = 10;
const DOMAIN_CREATE: usize = 12;

// NvtxCallbackIdCore
const MARK: usize = 1;
const START: usize = 4;
const END: usize = 7;
const PUSH: usize = 8;
const POP: usize = 11;
const NAME_THREAD: usize = 14;

type Slot = AtomicPtr<c_void>;

static CORE: [Slot; SLOTS] = [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];
static CORE2: [Slot; SLOTS] = [const { AtomicPtr::new(ptr::null_mut()) }; SLOTS];

/// Pointers to the slots, as the profiler asks for them; the ends are null, as in NVTX's own client.
struct Table([AtomicPtr<Slot>; SLOTS + 1]);

static CORE_TABLE: Table = Table([const { AtomicPtr::new(ptr::null_mut()) }; SLOTS + 1]);
static CORE2_TABLE: Table = Table([const { AtomicPtr::new(ptr::null_mut()) }; SLOTS + 1]);

const UNKNOWN: u8 = 0;
const NOBODY: u8 = 1;
const ATTACHED: u8 = 2;

static STATE: AtomicU8 = AtomicU8::new(UNKNOWN);
static FIRST_USE: Once = Once::new();

#[repr(C)]
struct Callbacks {
    size: usize,
    module_slots: extern "C" fn(c_int, *mut *const Table, *mut c_uint) -> c_int,
}

#[repr(C)]
struct VersionInfo {
    size: usize,
    version: u32,
    reserved: u32,
    set_injection_version: extern "C" fn(u32),
}

static CALLBACKS: Callbacks = Callbacks { size: size_of::<Callbacks>(), module_slots };
static VERSION: VersionInfo = VersionInfo {
    size: size_of::<VersionInfo>(),
    version: NVTX_VERSION,
    reserved: 0,
    set_injection_version,
};

type GetTable = extern "C" fn(u32) -> *const c_void;

/// Whether a profiler listens; loads it on first use.
#[inline]
pub(crate) fn is_active() -> bool {
    match STATE.load(Ordering::Acquire) {
        NOBODY => false,
        ATTACHED => true,
        _ => first_use(),
    }
}

#[cold]
fn first_use() -> bool {
    FIRST_USE.call_once(|| {
        let state = if attach().is_some() { ATTACHED } else { NOBODY };
        STATE.store(state, Ordering::Release);
    });
    STATE.load(Ordering::Acquire) == ATTACHED
}

/// Loads the profiler's library and lets it fill the slots; `None` when there is none that can.
fn attach() -> Option<()> {
    let path: OsString = env::var_os(VARIABLE).filter(|path| !path.is_empty())?;
    let path = CString::new(path.into_vec()).ok()?;
    link_tables();
    // SAFETY: the path is terminated. Loading runs the library's constructors: that is what the person
    // who set the variable asked for.
    let library = unsafe { libc::dlopen(path.as_ptr(), libc::RTLD_LAZY) };
    if library.is_null() {
        return None;
    }
    // SAFETY: the library was loaded, the name is terminated.
    let symbol = unsafe { libc::dlsym(library, INITIALIZE.as_ptr()) };
    if symbol.is_null() {
        return None;
    }
    // SAFETY: NVTX defines the symbol of this name with this type.
    let initialize: extern "C" fn(GetTable) -> c_int = unsafe { transmute(symbol) };
    (initialize(get_table) != 0).then_some(())
    // The library stays loaded: its functions are in the slots.
}

fn link_tables() {
    for (table, slots) in [(&CORE_TABLE, &CORE), (&CORE2_TABLE, &CORE2)] {
        for (entry, slot) in table.0.iter().zip(slots).skip(1) {
            entry.store(ptr::from_ref(slot).cast_mut(), Ordering::Relaxed);
        }
    }
}

/// NvtxGetExportTableFunc_t: called by the profiler while it is initialised.
extern "C" fn get_table(id: u32) -> *const c_void {
    match id {
        TABLE_CALLBACKS => (&raw const CALLBACKS).cast(),
        TABLE_VERSION => (&raw const VERSION).cast(),
        _ => ptr::null(),
    }
}

/// GetModuleFunctionTable: where the slots of a module are, and how many.
extern "C" fn module_slots(module: c_int, table: *mut *const Table, count: *mut c_uint) -> c_int {
    let found = match module {
        MODULE_CORE => &raw const CORE_TABLE,
        MODULE_CORE2 => &raw const CORE2_TABLE,
        _ => return 0,
    };
    if !table.is_null() {
        // SAFETY: NVTX's interface: a pointer that is not null takes the table.
        unsafe { table.write(found) };
    }
    if !count.is_null() {
        // SAFETY: as above, for the number of slots.
        unsafe { count.write(SLOTS as c_uint) };
    }
    1
}

extern "C" fn set_injection_version(_version: u32) {}

#[inline]
fn slot(slots: &[Slot; SLOTS], at: usize) -> Option<*mut c_void> {
    let function = slots[at].load(Ordering::Relaxed);
    (!function.is_null()).then_some(function)
}

type EventCall<R> = extern "C" fn(*const Attributes) -> R;
type DomainEventCall<R> = extern "C" fn(DomainHandle, *const Attributes) -> R;

/// Calls the slot for an event, of the default domain or of another one.
fn call<R>(domain: DomainHandle, event: &Event<'_>, core: usize, core2: usize) -> Option<R> {
    if domain.is_null() {
        let function = slot(&CORE, core)?;
        // SAFETY: the profiler stored a function of this type in this slot.
        let function: EventCall<R> = unsafe { transmute(function) };
        Some(event.with_attributes(|attributes| function(attributes)))
    } else {
        let function = slot(&CORE2, core2)?;
        // SAFETY: as above.
        let function: DomainEventCall<R> = unsafe { transmute(function) };
        Some(event.with_attributes(|attributes| function(domain, attributes)))
    }
}

pub(crate) fn push(domain: DomainHandle, event: &Event<'_>) {
    let _: Option<c_int> = call(domain, event, PUSH, DOMAIN_PUSH);
}

pub(crate) fn start(domain: DomainHandle, event: &Event<'_>) -> u64 {
    call(domain, event, START, DOMAIN_START).unwrap_or(0)
}

pub(crate) fn mark(domain: DomainHandle, event: &Event<'_>) {
    let _: Option<()> = call(domain, event, MARK, DOMAIN_MARK);
}

pub(crate) fn pop(domain: DomainHandle) {
    if domain.is_null() {
        let Some(function) = slot(&CORE, POP) else { return };
        // SAFETY: the profiler stored a function of this type in this slot.
        let function: extern "C" fn() -> c_int = unsafe { transmute(function) };
        function();
    } else {
        let Some(function) = slot(&CORE2, DOMAIN_POP) else { return };
        // SAFETY: as above.
        let function: extern "C" fn(DomainHandle) -> c_int = unsafe { transmute(function) };
        function(domain);
    }
}

pub(crate) fn end(domain: DomainHandle, id: u64) {
    if domain.is_null() {
        let Some(function) = slot(&CORE, END) else { return };
        // SAFETY: the profiler stored a function of this type in this slot.
        let function: extern "C" fn(u64) = unsafe { transmute(function) };
        function(id);
    } else {
        let Some(function) = slot(&CORE2, DOMAIN_END) else { return };
        // SAFETY: as above.
        let function: extern "C" fn(DomainHandle, u64) = unsafe { transmute(function) };
        function(domain, id);
    }
}

pub(crate) fn create_domain(name: &str) -> DomainHandle {
    if !is_active() {
        return ptr::null_mut();
    }
    let Some(function) = slot(&CORE2, DOMAIN_CREATE) else { return ptr::null_mut() };
    // SAFETY: the profiler stored a function of this type in this slot.
    let function: extern "C" fn(*const c_char) -> DomainHandle = unsafe { transmute(function) };
    terminated(name, |name| function(name))
}

pub(crate) fn register(domain: DomainHandle, text: &str) -> *const c_void {
    let Some(function) = slot(&CORE2, DOMAIN_REGISTER) else { return ptr::null() };
    // SAFETY: the profiler stored a function of this type in this slot.
    let function: extern "C" fn(DomainHandle, *const c_char) -> *const c_void =
        unsafe { transmute(function) };
    terminated(text, |text| function(domain, text))
}

pub(crate) fn name_thread(name: &str) {
    if !is_active() {
        return;
    }
    let Some(function) = slot(&CORE, NAME_THREAD) else { return };
    // SAFETY: the profiler stored a function of this type in this slot.
    let function: extern "C" fn(u32, *const c_char) = unsafe { transmute(function) };
    // SAFETY: gettid has no preconditions.
    let thread = unsafe { libc::syscall(libc::SYS_gettid) };
    terminated(name, |name| function(thread as u32, name));
}
