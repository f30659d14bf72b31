//! Windows for the Perfetto UI (ui.perfetto.dev): a trace of track events, as protobuf.
//!
//! Field numbers are those of Perfetto's `trace.proto`, `track_descriptor.proto` and `track_event.proto`;
//! the encoding needs nothing but lengths and varints. Every track is named, every slice that begins
//! ends, ends come before begins of the same instant. Timestamps are trace time in ns.

use std::collections::BTreeMap;
use std::io::{self, Write};

use super::tracks::{Home, Slice, Track, tracks};
use crate::attribution::Lanes;

/// Fields of `TracePacket`.
mod packet {
    pub(super) const PACKET: u64 = 1;
    pub(super) const TIMESTAMP: u64 = 8;
    pub(super) const SEQUENCE: u64 = 10;
    pub(super) const TRACK_EVENT: u64 = 11;
    pub(super) const SEQUENCE_FLAGS: u64 = 13;
    pub(super) const TRACK_DESCRIPTOR: u64 = 60;
}

/// Fields of `TrackDescriptor`, `ProcessDescriptor` and `ThreadDescriptor`.
mod descriptor {
    pub(super) const UUID: u64 = 1;
    pub(super) const NAME: u64 = 2;
    pub(super) const PROCESS: u64 = 3;
    pub(super) const PARENT: u64 = 5;
    pub(super) const CHILD_ORDERING: u64 = 11;
    pub(super) const RANK: u64 = 12;
    pub(super) const PROCESS_PID: u64 = 1;
    pub(super) const PROCESS_NAME: u64 = 6;
    /// Children stand in the order of their ranks.
    pub(super) const EXPLICIT: u64 = 3;
}

/// Fields of `TrackEvent` and `DebugAnnotation`.
mod event {
    pub(super) const ANNOTATIONS: u64 = 4;
    pub(super) const TYPE: u64 = 9;
    pub(super) const TRACK: u64 = 11;
    pub(super) const CATEGORIES: u64 = 22;
    pub(super) const NAME: u64 = 23;
    pub(super) const FLOWS: u64 = 47;
    pub(super) const BEGIN: u64 = 1;
    pub(super) const END: u64 = 2;
    pub(super) const ANNOTATION_STRING: u64 = 6;
    pub(super) const ANNOTATION_NAME: u64 = 10;
}

/// All packets are of one sequence.
const SEQUENCE: u64 = 1;
/// The first packet starts it.
const STATE_CLEARED: u64 = 1;

/// Writes the windows as a Perfetto trace.
///
/// # Errors
/// Whatever the writer refuses.
pub fn write_perfetto(out: &mut dyn Write, windows: &[Lanes]) -> io::Result<()> {
    let mut writer = Packets { out, first: true };
    let tracks = tracks(windows);
    let mut homes: BTreeMap<&Home, u64> = BTreeMap::new();
    let mut last = 0_u64;
    let mut uuid = || {
        last += 1;
        last
    };
    for track in &tracks {
        if !homes.contains_key(&track.home) {
            let id = uuid();
            writer.descriptor(&home(&track.home, id))?;
            homes.insert(&track.home, id);
        }
    }
    for (rank, track) in tracks.iter().enumerate() {
        let id = uuid();
        let mut message = Message::default();
        message.number(descriptor::UUID, id);
        message.text(descriptor::NAME, &track.name);
        message.number(descriptor::PARENT, homes.get(&track.home).copied().unwrap_or_default());
        message.number(descriptor::RANK, rank as u64);
        writer.descriptor(&message)?;
        writer.slices(track, id)?;
    }
    Ok(())
}

fn home(home: &Home, id: u64) -> Message {
    let mut message = Message::default();
    message.number(descriptor::UUID, id);
    match home {
        Home::Findings => message.text(descriptor::NAME, "nsys-attrib"),
        Home::Gpu { device, name } => {
            message.text(descriptor::NAME, format!("GPU {device} {name}").trim_end());
        }
        Home::Process { pid, name } => {
            let mut process = Message::default();
            process.number(descriptor::PROCESS_PID, *pid as u64);
            process.text(descriptor::PROCESS_NAME, name);
            message.message(descriptor::PROCESS, &process);
        }
    }
    message.number(descriptor::CHILD_ORDERING, descriptor::EXPLICIT);
    message
}

struct Packets<'a> {
    out: &'a mut dyn Write,
    first: bool,
}

impl Packets<'_> {
    fn packet(&mut self, mut packet: Message) -> io::Result<()> {
        packet.number(packet::SEQUENCE, SEQUENCE);
        if std::mem::take(&mut self.first) {
            packet.number(packet::SEQUENCE_FLAGS, STATE_CLEARED);
        }
        let mut framed = Message::default();
        framed.message(packet::PACKET, &packet);
        self.out.write_all(&framed.bytes)
    }

    fn descriptor(&mut self, descriptor: &Message) -> io::Result<()> {
        let mut packet = Message::default();
        packet.message(packet::TRACK_DESCRIPTOR, descriptor);
        self.packet(packet)
    }

    /// Begins and ends in the order of time; slices come by start, the longer first, and nest.
    fn slices(&mut self, track: &Track, id: u64) -> io::Result<()> {
        let mut open: Vec<i64> = Vec::new();
        for slice in &track.slices {
            while let Some(end) = open.last().copied().filter(|end| *end <= slice.start) {
                open.pop();
                self.end(id, end)?;
            }
            self.begin(id, slice)?;
            open.push(slice.end());
        }
        while let Some(end) = open.pop() {
            self.end(id, end)?;
        }
        Ok(())
    }

    fn begin(&mut self, track: u64, slice: &Slice) -> io::Result<()> {
        let mut message = Message::default();
        for (name, value) in &slice.notes {
            let mut note = Message::default();
            note.text(event::ANNOTATION_NAME, name);
            note.text(event::ANNOTATION_STRING, value);
            message.message(event::ANNOTATIONS, &note);
        }
        message.number(event::TYPE, event::BEGIN);
        message.number(event::TRACK, track);
        message.text(event::CATEGORIES, slice.category);
        message.text(event::NAME, &slice.name);
        if let Some(flow) = slice.flow {
            message.fixed(event::FLOWS, flow);
        }
        self.event(slice.start, &message)
    }

    fn end(&mut self, track: u64, at: i64) -> io::Result<()> {
        let mut message = Message::default();
        message.number(event::TYPE, event::END);
        message.number(event::TRACK, track);
        self.event(at, &message)
    }

    fn event(&mut self, at: i64, event: &Message) -> io::Result<()> {
        let mut packet = Message::default();
        // Perfetto knows no time before 0; the trace has none that counts.
        packet.number(packet::TIMESTAMP, at.max(0) as u64);
        packet.message(packet::TRACK_EVENT, event);
        self.packet(packet)
    }
}

/// A protobuf message.
#[derive(Default)]
struct Message {
    bytes: Vec<u8>,
}

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.bytes.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.bytes.push(value as u8);
    }

    fn number(&mut self, field: u64, value: u64) {
        self.varint(field << 3);
        self.varint(value);
    }

    fn fixed(&mut self, field: u64, value: u64) {
        self.varint(field << 3 | 1);
        self.bytes.extend(value.to_le_bytes());
    }

    fn text(&mut self, field: u64, value: &str) {
        self.varint(field << 3 | 2);
        self.varint(value.len() as u64);
        self.bytes.extend(value.as_bytes());
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.varint(field << 3 | 2);
        self.varint(message.bytes.len() as u64);
        self.bytes.extend(&message.bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_protobuf_says() {
        let mut message = Message::default();
        message.number(1, 150);
        message.text(2, "testing");
        message.fixed(3, 1);
        assert_eq!(message.bytes[..3], [0x08, 0x96, 0x01]);
        assert_eq!(message.bytes[3..12], [0x12, 7, b't', b'e', b's', b't', b'i', b'n', b'g']);
        assert_eq!(message.bytes[12..], [0x19, 1, 0, 0, 0, 0, 0, 0, 0]);
    }
}
