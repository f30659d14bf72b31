//! A stand-in for a profiler's library: writes each call to the file that NVTX_FAKE_LOG names. Built by
//! the tests with `rustc --crate-type cdylib`; written from NVTX's interface, not from the client.
#![allow(non_snake_case, clippy::missing_safety_doc, clippy::undocumented_unsafe_blocks)]

use std::ffi::{CStr, c_char, c_int, c_uint, c_void};
use std::io::Write;

#[repr(C)]
struct Callbacks {
    size: usize,
    module: extern "C" fn(c_int, *mut *mut *mut *const c_void, *mut c_uint) -> c_int,
}

#[repr(C)]
pub struct Attributes {
    version: u16,
    size: u16,
    category: u32,
    color_type: i32,
    color: u32,
    payload_type: i32,
    reserved: i32,
    payload: u64,
    message_type: i32,
    message: *const c_char,
}

fn log(line: &str) {
    let path = std::env::var_os("NVTX_FAKE_LOG").unwrap();
    let mut file = std::fs::OpenOptions::new().append(true).create(true).open(path).unwrap();
    writeln!(file, "{line}").unwrap();
}

fn text(at: *const c_char) -> String {
    unsafe { CStr::from_ptr(at) }.to_string_lossy().into_owned()
}

fn event(at: *const Attributes) -> String {
    let a = unsafe { &*at };
    assert_eq!((a.version, usize::from(a.size), a.reserved), (2, 48, 0));
    let message = match a.message_type {
        1 => text(a.message),
        3 => format!("#{}", a.message as usize),
        other => format!("message type {other}"),
    };
    let payload = match a.payload_type {
        0 => String::new(),
        3 => format!(" f64={}", f64::from_bits(a.payload)),
        2 => format!(" i64={}", a.payload as i64),
        kind => format!(" kind{kind}={}", a.payload),
    };
    let color = if a.color_type == 1 { format!(" color={:08x}", a.color) } else { String::new() };
    let category = if a.category == 0 { String::new() } else { format!(" category={}", a.category) };
    format!("{message}{payload}{category}{color}")
}

extern "C" fn mark(a: *const Attributes) { log(&format!("mark {}", event(a))) }
extern "C" fn start(a: *const Attributes) -> u64 { log(&format!("start {}", event(a))); 77 }
extern "C" fn end(id: u64) { log(&format!("end {id}")) }
extern "C" fn push(a: *const Attributes) -> c_int { log(&format!("push {}", event(a))); 0 }
extern "C" fn pop() -> c_int { log("pop"); 0 }
extern "C" fn name_thread(_: u32, name: *const c_char) { log(&format!("thread {}", text(name))) }
extern "C" fn domain_mark(d: *mut c_void, a: *const Attributes) { log(&format!("{} mark {}", d as usize, event(a))) }
extern "C" fn domain_start(d: *mut c_void, a: *const Attributes) -> u64 { log(&format!("{} start {}", d as usize, event(a))); 88 }
extern "C" fn domain_end(d: *mut c_void, id: u64) { log(&format!("{} end {id}", d as usize)) }
extern "C" fn domain_push(d: *mut c_void, a: *const Attributes) -> c_int { log(&format!("{} push {}", d as usize, event(a))); 0 }
extern "C" fn domain_pop(d: *mut c_void) -> c_int { log(&format!("{} pop", d as usize)); 0 }
extern "C" fn register(d: *mut c_void, t: *const c_char) -> *const c_void { log(&format!("{} register {}", d as usize, text(t))); 5 as *const c_void }
extern "C" fn create(t: *const c_char) -> *mut c_void { log(&format!("create {}", text(t))); 3 as *mut c_void }

#[unsafe(no_mangle)]
pub extern "C" fn InitializeInjectionNvtx2(get: extern "C" fn(u32) -> *const c_void) -> c_int {
    let version = get(3) as *const u32;
    let callbacks = unsafe { &*get(1).cast::<Callbacks>() };
    assert!(get(2).is_null() && callbacks.size >= 16);
    assert_eq!(unsafe { *version.add(2) }, 3, "NVTX version");
    let core: [(usize, *const c_void); 6] = [
        (1, mark as *const c_void), (4, start as _), (7, end as _), (8, push as _), (11, pop as _), (14, name_thread as _),
    ];
    let core2: [(usize, *const c_void); 7] = [
        (1, domain_mark as *const c_void), (2, domain_start as _), (3, domain_end as _), (4, domain_push as _),
        (5, domain_pop as _), (10, register as _), (12, create as _),
    ];
    for (module, functions) in [(1, &core[..]), (5, &core2[..])] {
        let (mut table, mut count) = (std::ptr::null_mut(), 0);
        assert_eq!((callbacks.module)(module, &mut table, &mut count), 1);
        assert_eq!(count, 16);
        for (at, function) in functions {
            unsafe { **table.add(*at) = *function };
        }
        assert!(unsafe { (*table).is_null() && (*table.add(16)).is_null() }, "ends of the table");
    }
    assert_eq!((callbacks.module)(2, std::ptr::null_mut(), std::ptr::null_mut()), 0, "no CUDA module");
    i32::from(std::env::var_os("NVTX_FAKE_REFUSES").is_none())
}
