//! Windows for chrome://tracing and for every viewer that reads its JSON (Trace Event Format).
//!
//! Complete events (`ph: X`) on named tracks, flows from calls to operations. That format counts in
//! microseconds: times are written with three decimals, which is exact.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde_json::{Value, json};

use super::tracks::{Home, Place, Slice, Track, tracks};
use crate::attribution::Lanes;

/// Writes the windows as a JSON object of trace events.
///
/// # Errors
/// Whatever the writer refuses.
pub fn write_chrome(out: &mut dyn Write, windows: &[Lanes]) -> io::Result<()> {
    let tracks = tracks(windows);
    let pids = pids(&tracks);
    write!(out, "{{\"displayTimeUnit\":\"ns\",\"traceEvents\":[")?;
    let mut events = Events { out, first: true };
    for (home, pid) in &pids {
        events.meta(*pid, 0, "process_name", &json!({ "name": home_name(home) }))?;
        events.meta(*pid, 0, "process_sort_index", &json!({ "sort_index": pid }))?;
    }
    for (tid, track) in (1_i64..).zip(&tracks) {
        let pid = pids.get(&track.home).copied().unwrap_or_default();
        events.meta(pid, tid, "thread_name", &json!({ "name": track.name }))?;
        events.meta(pid, tid, "thread_sort_index", &json!({ "sort_index": tid }))?;
        for slice in &track.slices {
            events.slice(pid, tid, slice)?;
            if let Some(flow) = slice.flow {
                events.flow(pid, tid, slice, flow, matches!(track.place, Place::Thread { .. }))?;
            }
        }
    }
    writeln!(out, "\n]}}")
}

/// Numbers for the homes: the viewer's "processes".
fn pids(tracks: &[Track]) -> BTreeMap<&Home, i64> {
    let mut pids = BTreeMap::new();
    for track in tracks {
        let next = pids.len() as i64 + 1;
        pids.entry(&track.home).or_insert(next);
    }
    pids
}

fn home_name(home: &Home) -> String {
    match home {
        Home::Findings => "nsys-attrib".to_owned(),
        Home::Process { pid, name } if name.is_empty() => format!("process {pid}"),
        Home::Process { pid, name } => format!("{name} (process {pid})"),
        Home::Gpu { device, name } => format!("GPU {device} {name}").trim_end().to_owned(),
    }
}

/// Microseconds with all their nanoseconds.
fn micros(ns: i64) -> String {
    let sign = if ns < 0 { "-" } else { "" };
    let ns = ns.unsigned_abs();
    format!("{sign}{}.{:03}", ns / 1000, ns % 1000)
}

struct Events<'a> {
    out: &'a mut dyn Write,
    first: bool,
}

impl Events<'_> {
    fn start(&mut self) -> io::Result<()> {
        let comma = if std::mem::take(&mut self.first) { "" } else { "," };
        writeln!(self.out, "{comma}")
    }

    fn meta(&mut self, pid: i64, tid: i64, what: &str, args: &Value) -> io::Result<()> {
        self.start()?;
        let event = json!({ "ph": "M", "pid": pid, "tid": tid, "name": what, "args": args });
        write!(self.out, "{event}")
    }

    fn slice(&mut self, pid: i64, tid: i64, slice: &Slice) -> io::Result<()> {
        self.start()?;
        let name = Value::from(slice.name.as_str());
        let notes: BTreeMap<&str, &str> =
            slice.notes.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (start, length) = (micros(slice.start), micros(slice.end() - slice.start));
        write!(
            self.out,
            "{{\"ph\":\"X\",\"pid\":{pid},\"tid\":{tid},\"ts\":{start},\"dur\":{length},\"cat\":\"{}\",\"name\":{name},\
             \"args\":{}}}",
            slice.category,
            json!(notes)
        )
    }

    /// From inside the call to inside the operation.
    fn flow(&mut self, pid: i64, tid: i64, slice: &Slice, id: u64, call: bool) -> io::Result<()> {
        self.start()?;
        let (phase, bind) = if call { ("s", "") } else { ("f", ",\"bp\":\"e\"") };
        write!(
            self.out,
            "{{\"ph\":\"{phase}\",\"pid\":{pid},\"tid\":{tid},\"ts\":{},\"id\":{id},\"cat\":\"launch\",\"name\":\"launch\"{bind}}}",
            micros(slice.start)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn microseconds_keep_every_nanosecond() {
        assert_eq!(micros(1_234_567), "1234.567");
        assert_eq!(micros(5), "0.005");
        assert_eq!(micros(-1_002), "-1.002");
    }
}
