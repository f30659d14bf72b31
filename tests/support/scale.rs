//! An export of any size, streamed into the file: requests of a made-up model, one after the other.
//!
//! ```text
//!   latency   [layer0 [op0 launch launch …)[op1 …))[layer1 …)     … synchronize)
//!   GPU                   [kernel)[kernel) …                         [copy)
//! ```
//!
//! Every number comes from a seeded generator, so the same size gives the same rows.

use std::fs;
use std::path::Path;

use rusqlite::types::Value;
use rusqlite::{Connection, Statement, params_from_iter};

use super::random::Dice;
use super::schema::Generation;
use super::spec::{process, thread};

const GENERATION: Generation = Generation::V3_16_1;

/// `StringIds`: calls first, then kernels with their mean time in ns.
const STRINGS: [(&str, i64); 12] = [
    ("cudaLaunchKernel_v7000", 0),
    ("cudaMemcpyAsync_v3020", 0),
    ("cudaStreamSynchronize_v3020", 0),
    ("void cudnn::cnn::conv2d_grouped_direct_kernel<float, int>(float)", 21_000),
    ("void cudnn::winograd_nonfused::winogradForwardData4x4<float>(int)", 9_000),
    ("ampere_sgemm_128x32_tn", 17_000),
    (
        "void at::native::vectorized_elementwise_kernel<4, at::native::AddFunctor<float>>(int)",
        2_500,
    ),
    ("void at::native::elementwise_kernel<128, 2, at::native::copy_kernel>(int)", 3_100),
    ("void at::native::reduce_kernel<512, 1, at::native::ReduceOp<float>>(int)", 5_200),
    ("void dwt_rows_kernel<float, 8>(float const*, float*, int)", 6_100),
    ("void idwt_rows_kernel<float, 8>(float const*, float*, int)", 6_300),
    ("void fft2d_r2c_32x32<float>(float2*, float const*)", 8_000),
];

/// Layers of a request, and operations of a layer: with 200 launches, 31 ranges a request.
const LAYERS: i64 = 10;
const OPS: i64 = 2;

/// How large the export is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scale {
    /// Requests, each a window named `latency`.
    pub requests: i64,
    /// Kernel launches of a request.
    pub launches: i64,
}

impl Scale {
    /// About this many calls and operations together.
    pub fn of_events(events: i64) -> Self {
        let launches = 200;
        Self { requests: (events / (2 * launches + 5)).max(1), launches }
    }

    /// Writes the export, replacing what is there.
    pub fn write(self, path: &Path) {
        let _ = fs::remove_file(path);
        let db = Connection::open(path).unwrap();
        db.execute_batch("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN;").unwrap();
        let mut tables = Tables::new(&db);
        let mut dice = Dice::new(7);
        let mut at = 1_000_000;
        for request in 0..self.requests {
            at = self.request(&mut tables, &mut dice, at, request);
        }
        drop(tables);
        db.execute_batch("COMMIT;").unwrap();
        db.close().unwrap();
    }

    /// Writes the request that begins at `at`; answers when the next one may.
    fn request(self, tables: &mut Tables<'_>, dice: &mut Dice, at: i64, request: i64) -> i64 {
        let (mut cpu, mut gpu) = (at + 2_000, at);
        let mut id = request * (self.launches + 3) + 1;
        let op_length = (self.launches / (LAYERS * OPS)).max(1);
        let (mut layer_start, mut op_start) = (cpu, cpu);
        for launch in 0..self.launches {
            let took = 2_000 + dice.below(4_000);
            let start = cpu;
            tables.call(0, start, start + took, id);
            let kernel = 3 + dice.below(9) as usize;
            let mean = STRINGS[kernel].1;
            gpu = gpu.max(start + took + 1_500) + dice.below(400);
            let end = gpu + mean / 2 + dice.below(mean);
            tables.kernel(kernel as i64, gpu, end, id);
            gpu = end;
            id += 1;
            cpu += took + 500 + dice.below(1_500);
            let (op, last) = (launch / op_length, launch + 1 == self.launches);
            if (launch + 1) % op_length == 0 || last {
                tables.range(&format!("op{}", op % OPS), op_start, cpu);
                op_start = cpu;
                if (op + 1) % OPS == 0 || last {
                    tables.range(&format!("layer{}", op / OPS), layer_start, cpu);
                    layer_start = cpu;
                }
            }
        }
        tables.call(1, cpu, cpu + 4_000, id);
        gpu = gpu.max(cpu + 5_000);
        tables.copy(gpu, gpu + 12_000, id);
        let end = (gpu + 12_000).max(cpu + 5_000) + 3_000;
        tables.call(2, cpu + 5_000, end, id + 1);
        tables.range("latency", at, end + 1_000);
        end + 50_000 + dice.below(100_000)
    }
}

/// The event tables, ready for rows.
struct Tables<'a> {
    calls: Statement<'a>,
    kernels: Statement<'a>,
    copies: Statement<'a>,
    ranges: Statement<'a>,
}

impl<'a> Tables<'a> {
    fn new(db: &'a Connection) -> Self {
        let mut strings = insert(db, "StringIds", &["id", "value"]);
        for (id, (value, _)) in STRINGS.iter().enumerate() {
            strings.execute((id as i64, value)).unwrap();
        }
        let mut versions = insert(db, "META_DATA_EXPORT", &["name", "value"]);
        versions.execute(("EXPORT_SCHEMA_VERSION", "3.16.1")).unwrap();
        let own = ["start", "end", "globalTid", "correlationId", "nameId"];
        let shared =
            ["start", "end", "correlationId", "globalPid", "deviceId", "contextId", "streamId"];
        let with = |own: &[&'static str]| [&shared[..], own].concat();
        Self {
            calls: insert(db, "CUPTI_ACTIVITY_KIND_RUNTIME", &own),
            kernels: insert(
                db,
                "CUPTI_ACTIVITY_KIND_KERNEL",
                &with(&["demangledName", "shortName", "gridX", "gridY", "gridZ", "blockX"]),
            ),
            copies: insert(db, "CUPTI_ACTIVITY_KIND_MEMCPY", &with(&["bytes", "copyKind"])),
            ranges: insert(
                db,
                "NVTX_EVENTS",
                &["start", "end", "eventType", "text", "globalTid", "domainId"],
            ),
        }
    }

    fn call(&mut self, name: i64, start: i64, end: i64, id: i64) {
        self.calls.execute((start, end, thread(77, 78), id, name)).unwrap();
    }

    fn kernel(&mut self, name: i64, start: i64, end: i64, id: i64) {
        let row =
            [start, end, id, process(77), 0, 1, 7, name, name, 64 * name, 1 + name % 3, 1, 128];
        self.kernels.execute(params_from_iter(row.map(Value::Integer))).unwrap();
    }

    fn copy(&mut self, start: i64, end: i64, id: i64) {
        self.copies.execute((start, end, id, process(77), 0, 1, 7, 65_536 + id % 5, 2)).unwrap();
    }

    fn range(&mut self, text: &str, start: i64, end: i64) {
        self.ranges.execute((start, end, 59, text, thread(77, 78), 0)).unwrap();
    }
}

/// Makes a table and the statement that fills these columns; the others are 0 where they must be
/// something.
fn insert<'a>(db: &'a Connection, table: &str, columns: &[&str]) -> Statement<'a> {
    db.execute_batch(&GENERATION.ddl(table).unwrap()).unwrap();
    let all = GENERATION.columns(table).unwrap();
    let values: Vec<String> = all
        .iter()
        .map(|column| match columns.iter().position(|name| *name == column.name) {
            Some(place) => format!("?{}", place + 1),
            None if !column.not_null => "NULL".into(),
            None if column.sql_type == "TEXT" => "''".into(),
            None => "0".into(),
        })
        .collect();
    db.prepare(&format!("INSERT INTO {table} VALUES ({})", values.join(","))).unwrap()
}
