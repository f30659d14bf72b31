//! The bundled fixtures: which there are and how each is made. All synthetic.
//!
//! `examples/build_fixtures.rs` writes them, a test makes them again and compares.

use std::path::Path;

use super::schema::Generation;
use super::spec::{Text, TraceSpec, Work, process, thread};
use super::wno::{Shape, wno_request};

/// Path below `fixtures/traces` and the trace; `.zst` is written compressed.
pub fn fixtures() -> Vec<(&'static str, TraceSpec)> {
    vec![
        ("wno-request/eager-450.sqlite.zst", wno_request(Shape::Eager450, 20, 3, 450)),
        ("wno-request/looped-1860.sqlite.zst", wno_request(Shape::Looped1860, 10, 3, 1860)),
        ("graphs/whole-graph.sqlite", whole_graph()),
        ("graphs/graph-nodes.sqlite", graph_nodes()),
        ("multi-process/colliding-ids.sqlite", colliding_ids()),
        ("hostile-names/hostile-names.sqlite", hostile_names()),
        ("windows/never-closed.sqlite", never_closed()),
        ("windows/issues-only.sqlite", issues_only()),
        ("backtrace-twins/twins.sqlite", twins()),
        ("no-gpu-work/api-only.sqlite", api_only()),
    ]
}

/// The bytes of the SQLite file.
pub fn bytes(spec: &TraceSpec) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("trace.sqlite");
    spec.write_sqlite(&path);
    std::fs::read(path).unwrap()
}

/// What lies in a fixture file, decompressed.
pub fn stored(path: &Path) -> std::io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    if path.extension().is_some_and(|ext| ext == "zst") {
        return zstd::decode_all(&bytes[..]);
    }
    Ok(bytes)
}

const P: i64 = process(77);
const T: i64 = thread(77, 77);
const LAUNCH: &str = "cudaLaunchKernel_v7000";
const SYNC: &str = "cudaStreamSynchronize_v3020";
const KERNEL: &str = "void at::native::vectorized_elementwise_kernel<(int)4, \
    at::native::CUDAFunctor_add<float>, at::detail::Array<char *, (int)3>>(int, T2, T3)";

fn small(generation: Generation) -> TraceSpec {
    let mut spec = TraceSpec::new(generation);
    (spec.page_size, spec.compact) = (512, true);
    spec.processes.push((P, "program (synthetic)".into()));
    spec.threads.push((T, "main".into()));
    spec.duration = Some(10_000_000);
    spec
}

/// Two requests of one graph launch each; the GPU side is a single row (graph-level tracing).
fn whole_graph() -> TraceSpec {
    let mut spec = small(Generation::V3_24_0);
    for request in 0..2 {
        let t = 1_000_000 + request * 500_000;
        let id = 10 * (request + 1);
        spec.range(T, "latency", t, t + 300_000);
        spec.call(T, "cudaGraphLaunch_v10000", t + 5_000, t + 25_000, id);
        spec.op(P, Work::Graph { graph: 1, exec: 2 }, t + 30_000, t + 230_000, id);
        spec.call(T, SYNC, t + 26_000, t + 240_000, id + 1);
    }
    spec
}

/// The same requests traced by node: kernels that share the correlation id of the launch.
fn graph_nodes() -> TraceSpec {
    let mut spec = small(Generation::V3_24_0);
    for request in 0..2 {
        let t = 1_000_000 + request * 500_000;
        let id = 10 * (request + 1);
        spec.range(T, "latency", t, t + 300_000);
        spec.call(T, "cudaGraphLaunch_v10000", t + 5_000, t + 25_000, id);
        for node in 0..4 {
            let start = t + 30_000 + node * 50_000;
            let mut work = Work::kernel(KERNEL);
            if let Work::Kernel { node: slot, .. } = &mut work {
                *slot = Some(7 + node);
            }
            spec.op(P, work, start, start + 48_000, id);
        }
        spec.call(T, SYNC, t + 26_000, t + 240_000, id + 1);
    }
    spec
}

/// Two processes on one GPU that use the same correlation ids, and an orphan.
fn colliding_ids() -> TraceSpec {
    let (q, u) = (process(78), thread(78, 78));
    let mut spec = small(Generation::V3_25_0);
    spec.processes.push((q, "other (synthetic)".into()));
    spec.threads.push((u, "other".into()));
    for id in 1..=4 {
        let t = 1_000_000 + id * 100_000;
        spec.range(T, "latency", t, t + 90_000);
        spec.call(T, LAUNCH, t + 1_000, t + 9_000, id);
        spec.kernel(P, KERNEL, t + 12_000, t + 42_000, id);
        spec.call(T, SYNC, t + 10_000, t + 50_000, 100 + id);
        spec.call(u, LAUNCH, t + 2_000, t + 12_000, id);
        spec.kernel(q, "other_kernel", t + 30_000, t + 70_000, id);
    }
    spec.kernel(P, "orphan_kernel", 1_550_000, 1_560_000, 999);
    spec
}

/// Names that must not become markup, TeX, a formula, a terminal command or a wide table.
fn hostile_names() -> TraceSpec {
    let mut spec = small(Generation::V3_16_1);
    let long = "x".repeat(10_000);
    let names = [
        "<script>alert(1)</script>",
        "\\input{secret} $x_1^2$ 100% & #",
        "=cmd|' /C calc'!A0",
        "\u{1b}[31mred\u{1b}[0m \u{1b}]0;title\u{7}",
        "comma, \"quote\"; tab\tnewline\nend",
        "\u{202e}right to left \u{0416} \u{6ce2} \u{1f30a}",
        "name@domain:with/everything",
        long.as_str(),
    ];
    for (index, name) in names.iter().enumerate() {
        let (t, id) = (1_000_000 + index as i64 * 100_000, index as i64 + 1);
        spec.range(T, "latency", t, t + 50_000);
        spec.range(T, name, t + 100, t + 49_000).text = Text::Registered((*name).into());
        spec.call(T, LAUNCH, t + 1_000, t + 9_000, id);
        spec.kernel(P, name, t + 10_000, t + 30_000, id);
        spec.call(T, SYNC, t + 9_500, t + 32_000, 100 + id);
        spec.threads.push((thread(77, 100 + id), (*name).into()));
    }
    spec.processes[0].1 = names[0].into();
    spec
}

/// Ranges with a NULL end, and ranges that the importer closed at the end of the collection.
fn never_closed() -> TraceSpec {
    let mut spec = small(Generation::V3_16_1);
    for index in 0..4 {
        let (t, id) = (1_000_000 + index * 100_000, index + 1);
        spec.range(T, "latency", t, t + 50_000);
        spec.range(T, &format!("iteration{index}"), t, 10_000_000);
        spec.range(T, "open", t + 10, t + 20).end = None;
        spec.call(T, LAUNCH, t + 1_000, t + 9_000, id);
        spec.kernel(P, KERNEL, t + 10_000, t + 30_000, id);
    }
    spec
}

/// Windows that end before their work begins: they measure issuing, not latency.
fn issues_only() -> TraceSpec {
    let mut spec = small(Generation::V3_16_1);
    for index in 0..4 {
        let (t, id) = (1_000_000 + index * 20_000, index + 1);
        spec.range(T, "forward", t, t + 15_000);
        spec.call(T, LAUNCH, t + 1_000, t + 9_000, id);
        let start = 2_000_000 + index * 60_000;
        spec.kernel(P, KERNEL, start, start + 60_000, id);
    }
    spec.call(T, SYNC, 1_100_000, 2_250_000, 50);
    spec
}

/// Every call has a class-67 twin, one has only that, and one row is of a class of its own.
fn twins() -> TraceSpec {
    let mut spec = small(Generation::V2_9_1);
    spec.range(T, "latency", 1_000_000, 1_500_000);
    for id in 1..=4 {
        let t = 1_000_000 + id * 50_000;
        spec.call(T, LAUNCH, t, t + 10_000, id);
        spec.twin(spec.calls.len() - 1);
        spec.kernel(P, KERNEL, t + 12_000, t + 30_000, id);
    }
    spec.call(T, "cudaMalloc", 1_300_000, 1_310_000, 90).class = 67;
    spec.call(T, "eglStreamConsumerAcquireFrame", 1_320_000, 1_340_000, 91).class = 13;
    spec
}

/// Calls and ranges, and neither a kernel nor a copy table.
fn api_only() -> TraceSpec {
    let mut spec = small(Generation::V3_0_0);
    spec.range(T, "latency", 1_000_000, 1_200_000);
    spec.call(T, "cudaGetDeviceCount_v3020", 1_010_000, 1_050_000, 1);
    spec.call(T, "cudaMalloc_v3020", 1_060_000, 1_100_000, 2);
    spec
}
