//! Writes a [`TraceSpec`] as an SQLite export, and nothing a real exporter would not write.
//!
//! Rows are given by column name; a column that the generation lacks is dropped, one that it demands
//! and nobody gave is 0 or ''. So one description serves every generation.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Seek, SeekFrom, Write};
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::schema::Generation;
use super::spec::{Text, TraceSpec, Work};

type Row = Vec<(&'static str, Value)>;

/// SQLite writes its own version into the header; fixtures carry this one instead, so that they do
/// not change when the library does.
const HEADER_VERSION: u32 = 3_045_000;

impl TraceSpec {
    /// Writes the export, replacing what is there.
    pub fn write_sqlite(&self, path: &Path) {
        let _ = fs::remove_file(path);
        let db = Connection::open(path).unwrap();
        db.execute_batch(&format!(
            "PRAGMA page_size={}; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;",
            self.page_size
        ))
        .unwrap();
        let tables = Tables::of(self);
        for table in self.generation.tables() {
            let rows = tables.rows.get(table).map_or(&[][..], Vec::as_slice);
            let wanted = !rows.is_empty() || !self.generation.lazy() || self.empty.contains(&table);
            if wanted && !self.absent.contains(&table) {
                write_table(&db, self.generation, table, rows);
            }
        }
        db.execute_batch("COMMIT;").unwrap();
        if self.compact {
            db.execute_batch("VACUUM;").unwrap();
        }
        db.close().unwrap();
        if self.compact {
            fix_header(path);
        }
    }

    /// The same description with every row of the event tables elsewhere.
    pub fn shuffled(&self, seed: u64) -> Self {
        Self { shuffle: Some(seed), ..self.clone() }
    }
}

fn write_table(db: &Connection, generation: Generation, table: &str, rows: &[Row]) {
    let columns = generation.columns(table).unwrap();
    db.execute_batch(&generation.ddl(table).unwrap()).unwrap();
    let marks = vec!["?"; columns.len()].join(",");
    let mut insert = db.prepare(&format!("INSERT INTO {table} VALUES ({marks})")).unwrap();
    for row in rows {
        let values = columns.iter().map(|column| {
            let given = row.iter().find(|(name, _)| *name == column.name);
            match given {
                Some((_, value)) => value.clone(),
                None if !column.not_null => Value::Null,
                None if column.sql_type == "TEXT" => Value::Text(String::new()),
                None => Value::Integer(0),
            }
        });
        insert.execute(params_from_iter(values)).unwrap();
    }
}

fn fix_header(path: &Path) {
    let mut file = fs::OpenOptions::new().write(true).open(path).unwrap();
    file.seek(SeekFrom::Start(96)).unwrap();
    file.write_all(&HEADER_VERSION.to_be_bytes()).unwrap();
}

/// Rows by table, and the string ids that they use.
struct Tables {
    rows: BTreeMap<&'static str, Vec<Row>>,
    strings: BTreeMap<String, i64>,
    order: Vec<String>,
}

impl Tables {
    fn of(spec: &TraceSpec) -> Self {
        let mut tables =
            Self { rows: BTreeMap::new(), strings: BTreeMap::new(), order: vec!["[null]".into()] };
        tables.calls(spec);
        tables.ops(spec);
        tables.ranges(spec);
        tables.synchronization(spec);
        if let Some(seed) = spec.shuffle {
            for (index, rows) in tables.rows.values_mut().enumerate() {
                shuffle(rows, seed.wrapping_add(index as u64));
            }
        }
        tables.target(spec);
        tables.session(spec);
        let strings = tables.order.clone();
        for (id, value) in strings.iter().enumerate() {
            tables.push("StringIds", vec![("id", int(id as i64)), ("value", text(value))]);
        }
        tables
    }

    fn push(&mut self, table: &'static str, row: Row) {
        self.rows.entry(table).or_default().push(row);
    }

    fn string(&mut self, value: &str) -> Value {
        if let Some(id) = self.strings.get(value) {
            return int(*id);
        }
        let id = self.order.len() as i64;
        self.order.push(value.to_owned());
        self.strings.insert(value.to_owned(), id);
        int(id)
    }

    fn calls(&mut self, spec: &TraceSpec) {
        for call in &spec.calls {
            let row = vec![
                ("start", int(call.start)),
                ("end", int(call.end)),
                ("eventClass", int(call.class)),
                ("globalTid", maybe(call.thread)),
                ("correlationId", maybe(call.correlation)),
                ("nameId", self.string(&call.name)),
                ("returnValue", int(call.return_value)),
            ];
            self.push("CUPTI_ACTIVITY_KIND_RUNTIME", row);
        }
    }

    fn ops(&mut self, spec: &TraceSpec) {
        for (index, op) in spec.ops.iter().enumerate() {
            let mut row = vec![
                ("start", int(op.start)),
                ("end", int(op.end)),
                ("deviceId", int(op.device)),
                ("contextId", int(op.context)),
                ("streamId", int(op.stream)),
                ("correlationId", maybe(op.correlation)),
                ("globalPid", maybe(op.process)),
            ];
            self.work(&op.work, index as i64, &mut row);
            self.push(op.work.table(), row);
        }
    }

    /// Fills in the columns that the kind of work has of its own.
    fn work(&mut self, work: &Work, index: i64, row: &mut Row) {
        match work {
            Work::Kernel { name, short, grid, block, node } => {
                row.extend([
                    ("demangledName", self.string(name)),
                    ("shortName", self.string(short)),
                    ("launchType", int(1)),
                    ("registersPerThread", int(32)),
                    ("gridX", int(grid[0])),
                    ("gridY", int(grid[1])),
                    ("gridZ", int(grid[2])),
                    ("blockX", int(block[0])),
                    ("blockY", int(block[1])),
                    ("blockZ", int(block[2])),
                    ("gridId", int(index + 1)),
                    ("graphNodeId", maybe(*node)),
                ]);
            }
            Work::Copy { kind, bytes } => {
                row.extend([("bytes", int(*bytes)), ("copyKind", int(*kind))]);
                row.extend([("srcKind", int(0)), ("dstKind", int(2)), ("copyCount", int(1))]);
            }
            Work::Memset { value, bytes } => {
                row.extend([("bytes", int(*bytes)), ("value", int(*value)), ("memKind", int(2))]);
            }
            Work::Graph { graph, exec } => {
                row.extend([("graphId", int(*graph)), ("graphExecId", int(*exec))]);
            }
        }
    }

    fn ranges(&mut self, spec: &TraceSpec) {
        for range in &spec.ranges {
            let (inline, registered) = match &range.text {
                Text::Inline(name) => (text(name), Value::Null),
                Text::Registered(name) => (Value::Null, self.string(name)),
                Text::Missing => (Value::Null, Value::Null),
            };
            let row = vec![
                ("start", int(range.start)),
                ("end", maybe(range.end)),
                ("eventType", int(range.event_type)),
                ("text", inline),
                ("textId", registered),
                ("globalTid", maybe(range.thread)),
                ("endGlobalTid", maybe(range.end_thread)),
                ("domainId", int(range.domain)),
            ];
            self.push("NVTX_EVENTS", row);
        }
    }

    fn synchronization(&mut self, spec: &TraceSpec) {
        for sync in &spec.syncs {
            let row = vec![
                ("contextId", int(1)),
                ("streamId", int(sync.stream.unwrap_or(NO_STREAM))),
                ("correlationId", int(sync.correlation)),
                ("globalPid", int(sync.process)),
                ("syncType", int(sync.kind)),
                ("eventId", int(sync.event.unwrap_or(NO_STREAM))),
            ];
            self.push("CUPTI_ACTIVITY_KIND_SYNCHRONIZATION", row);
        }
        for event in &spec.events {
            let row = vec![
                ("contextId", int(1)),
                ("streamId", int(event.stream)),
                ("correlationId", int(event.correlation)),
                ("globalPid", int(event.process)),
                ("eventId", int(event.event)),
            ];
            self.push("CUPTI_ACTIVITY_KIND_CUDA_EVENT", row);
        }
    }

    fn target(&mut self, spec: &TraceSpec) {
        for (process, name) in &spec.processes {
            let pid = (process >> 24) & 0xff_ffff;
            let row = vec![("globalPid", int(*process)), ("pid", int(pid)), ("name", text(name))];
            self.push("PROCESSES", row);
        }
        for (thread, name) in &spec.threads {
            let row = vec![("nameId", self.string(name)), ("globalTid", int(*thread))];
            self.push("ThreadNames", row);
        }
        for gpu in &spec.gpus {
            let row = vec![
                ("id", int(gpu.id)),
                ("name", text(&gpu.name)),
                ("busLocation", text(&format!("0000:0{}:00.0", gpu.id + 1))),
                ("isDiscrete", int(i64::from(gpu.discrete))),
                ("uuid", text("00000000-0000-0000-0000-000000000000")),
                ("cuDevice", int(gpu.id)),
            ];
            self.push(spec.generation.gpu_table(), row);
        }
    }

    fn session(&mut self, spec: &TraceSpec) {
        if let Some(start) = spec.session_start {
            let row = vec![("utcEpochNs", int(start)), ("systemClockNs", int(1_000_000_000))];
            self.push("TARGET_INFO_SESSION_START_TIME", row);
        }
        if let Some(duration) = spec.duration {
            let row = vec![
                ("duration", int(duration)),
                ("startTime", int(1_000_000_000)),
                ("stopTime", int(1_000_000_000 + duration)),
            ];
            self.push("ANALYSIS_DETAILS", row);
        }
        for event in &spec.diagnostics {
            let row = vec![
                ("timestamp", int(event.timestamp)),
                ("severity", int(event.severity)),
                ("text", text(&event.text)),
                ("globalPid", maybe(event.process)),
            ];
            self.push("DIAGNOSTIC_EVENT", row);
        }
        for overhead in &spec.overheads {
            let row = vec![
                ("start", int(overhead.start)),
                ("end", int(overhead.end)),
                ("globalTid", maybe(overhead.thread)),
                ("nameId", self.string(&overhead.name)),
            ];
            self.push("CUPTI_ACTIVITY_KIND_OVERHEAD", row.clone());
            self.push("PROFILER_OVERHEAD", row);
        }
        for (table, id, name, label) in ENUMS {
            let row = vec![("id", int(id)), ("name", text(name)), ("label", text(label))];
            self.push(table, row);
        }
        if let Some(((schema, product), table)) =
            spec.generation.version().zip(spec.generation.metadata_table())
        {
            self.metadata(table, schema, product);
        }
    }

    fn metadata(&mut self, table: &'static str, schema: &str, product: &str) {
        let mut parts = schema.split('.');
        let mut part = || parts.next().unwrap_or("0").to_owned();
        let (major, minor, micro) = (part(), part(), part());
        for (name, value) in [
            ("EXPORT_PRODUCT_NAME", "NVIDIA Nsight Systems"),
            ("EXPORT_PRODUCT_VERSION", product),
            ("EXPORT_SCHEMA_VERSION", schema),
            ("EXPORT_SCHEMA_VERSION_MAJOR", &major),
            ("EXPORT_SCHEMA_VERSION_MINOR", &minor),
            ("EXPORT_SCHEMA_VERSION_MICRO", &micro),
            ("EXPORT_INPUT_FILE", "synthetic"),
        ] {
            self.push(table, vec![("name", text(name)), ("value", text(value))]);
        }
    }
}

/// Fisher and Yates, over a multiplicative generator: the same order for the same seed everywhere.
fn shuffle(rows: &mut [Row], seed: u64) {
    let mut state = seed | 1;
    for last in (1..rows.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        rows.swap(last, (state >> 33) as usize % (last + 1));
    }
}

fn int(value: i64) -> Value {
    Value::Integer(value)
}

fn maybe(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Integer)
}

fn text(value: &str) -> Value {
    Value::Text(value.to_owned())
}

/// CUPTI's "no such stream or event".
const NO_STREAM: i64 = 0xffff_ffff;

const CLASS: &str = "ENUM_NSYS_EVENT_CLASS";
const OPER: &str = "ENUM_CUDA_MEMCPY_OPER";

const ENUMS: [(&str, i64, &str, &str); 10] = [
    (CLASS, 0, "TRACE_PROCESS_EVENT_CUDA_RUNTIME", "CUDA runtime"),
    (CLASS, 1, "TRACE_PROCESS_EVENT_CUDA_DRIVER", "CUDA driver"),
    (CLASS, 13, "TRACE_PROCESS_EVENT_CUDA_EGL_DRIVER", "CUDA EGL driver"),
    (CLASS, 67, "TRACE_PROCESS_EVENT_CUDABACKTRACE", "CUDA backtrace"),
    (OPER, 1, "CUDA_MEMCPY_KIND_HTOD", "Host-to-Device"),
    (OPER, 2, "CUDA_MEMCPY_KIND_DTOH", "Device-to-Host"),
    (OPER, 8, "CUDA_MEMCPY_KIND_DTOD", "Device-to-Device"),
    (OPER, 10, "CUDA_MEMCPY_KIND_PTOP", "Peer-to-Peer"),
    (OPER, 11, "CUDA_MEMCPY_KIND_UVM_HTOD", "Unified Host-to-Device"),
    (OPER, 12, "CUDA_MEMCPY_KIND_UVM_DTOH", "Unified Device-to-Host"),
];
