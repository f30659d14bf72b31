//! Plays NVML for the sampler: two GPUs with fixed values. Built by a test as a shared library, written
//! from NVML's documented interface. FAKE_NVML_INSTANT=1: field 186 is known.
#![allow(non_snake_case, missing_docs, unsafe_code)]

use std::ffi::{c_char, c_int, c_uint, c_ulonglong, c_void};

const SUCCESS: c_int = 0;
const NOT_SUPPORTED: c_int = 3;

fn put(text: &str, to: *mut c_char, length: c_uint) -> c_int {
    let bytes = text.as_bytes();
    assert!(bytes.len() < length as usize);
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast(), to, bytes.len());
        *to.add(bytes.len()) = 0;
    }
    SUCCESS
}

#[repr(C)]
pub struct FieldValue {
    id: c_uint,
    scope: c_uint,
    timestamp: i64,
    latency: i64,
    kind: c_uint,
    result: c_int,
    value: u64,
}

#[unsafe(no_mangle)]
pub extern "C" fn nvmlInit_v2() -> c_int { SUCCESS }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlShutdown() -> c_int { SUCCESS }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetCount_v2(count: *mut c_uint) -> c_int { unsafe { *count = 2 }; SUCCESS }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetHandleByIndex_v2(index: c_uint, device: *mut *mut c_void) -> c_int {
    unsafe { *device = (index as usize + 1) as *mut c_void };
    SUCCESS
}
#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetDriverVersion(to: *mut c_char, length: c_uint) -> c_int { put("550.54.15", to, length) }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetCudaDriverVersion(version: *mut c_int) -> c_int { unsafe { *version = 12040 }; SUCCESS }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlSystemGetCudaDriverVersion_v2(version: *mut c_int) -> c_int { unsafe { *version = 12040 }; SUCCESS }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetName(device: *mut c_void, to: *mut c_char, length: c_uint) -> c_int {
    put(&format!("Fake GPU {}", device as usize - 1), to, length)
}
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetPowerUsage(_: *mut c_void, mw: *mut c_uint) -> c_int { unsafe { *mw = 60_000 }; SUCCESS }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetTotalEnergyConsumption(_: *mut c_void, mj: *mut c_ulonglong) -> c_int {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    unsafe { *mj = since.as_millis() as u64 * 60 };
    SUCCESS
}
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetTemperature(_: *mut c_void, _: c_uint, degrees: *mut c_uint) -> c_int { unsafe { *degrees = 41 }; SUCCESS }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetClockInfo(_: *mut c_void, _: c_uint, mhz: *mut c_uint) -> c_int { unsafe { *mhz = 1410 }; SUCCESS }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetApplicationsClock(_: *mut c_void, _: c_uint, _: *mut c_uint) -> c_int { NOT_SUPPORTED }
#[unsafe(no_mangle)]
pub extern "C" fn nvmlDeviceGetFieldValues(_: *mut c_void, count: c_int, values: *mut FieldValue) -> c_int {
    let known = std::env::var("FAKE_NVML_INSTANT").is_ok_and(|value| value == "1");
    for at in 0..count as usize {
        let value = unsafe { &mut *values.add(at) };
        let is_power = value.id == 186;
        value.kind = 1;
        value.result = if known && is_power { SUCCESS } else { NOT_SUPPORTED };
        value.value = 61_500;
    }
    SUCCESS
}
