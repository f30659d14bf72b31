//! The shipped kernel classes against kernel names of real traces.
//!
//! The traces belong to other people and lie outside this repository, in `../shared/traces` or where
//! `NSYS_ATTRIB_SHARED` points. Without them these tests say so and pass; on CI a variable that
//! points nowhere fails. What they hold: shares of kernel time, so that a rule which loses a kernel
//! that matters is noticed.
// Helper functions of an integration test are test code, which clippy sees in `#[test]` only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stderr)]

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};

use nsys_attrib::classify::{Assignment, Classifier, ContextOp, ContextRule};
use rusqlite::{Connection, OpenFlags};

/// Traces of deep-learning programs and the share of their kernel time that may stay unclassified.
/// Flux is Julia: its own kernels are called `ptxcall_anonymous…`, which means nothing.
const LEARNING: [(&str, f64); 7] = [
    ("resnet-pytorch-a4500-nsys2024.6-nvtx", 0.05),
    ("keras-darknet53-gtx1650-qdrep2020-export2022.4", 0.05),
    ("flux-darknet53-gtx1650-qdrep2020-export2022.4", 0.20),
    ("dnn-multistream-titanrtx-export2022.4", 0.05),
    ("tensorrt-conv-rtx3090-nsys2023.1-nvtx", 0.05),
    ("nccl-2xh100-nsys2026.2-slice", 0.05),
    ("train-2xh100-nsys2026.2-1s-slice", 0.05),
];

/// Traces whose kernels are an application's own: nothing in their names is a class of ours.
const APPLICATIONS: [&str; 8] = [
    "cloverleaf-a100-nsys2024.5",
    "ssb-rtx6000-nsys2020-noversion",
    "ssb-rtx6000-nsys2021-noversion",
    "openmp-heat-t4-nsys2023.3-driverapi",
    "vecadd-4streams-t4-nsys2022.4",
    "vecadd-rtx3060-nsys2025.5.2",
    "unifiedmem-rtx3060-nsys2024.5",
    "saxpy-mpi-a100-nsys2022.2-cudabacktrace",
];

/// The shared folder, or a loud line and nothing.
fn shared(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("NSYS_ATTRIB_SHARED").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared");
    let folder = named.clone().unwrap_or(beside);
    if folder.join("traces").is_dir() {
        return Some(folder);
    }
    let on_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
    assert!(!(on_ci && named.is_some()), "NSYS_ATTRIB_SHARED = {} has no traces", folder.display());
    eprintln!("SKIPPED: {test}: no real traces in {}", folder.display());
    None
}

/// A trace of the shared folder, opened read-only; the folder keeps a decompressed copy alive.
struct Trace {
    db: Connection,
    _copy: Option<tempfile::NamedTempFile>,
}

fn open(shared: &Path, name: &str) -> Trace {
    let plain = shared.join("traces").join(format!("{name}.sqlite"));
    let packed = shared.join("traces").join(format!("{name}.sqlite.zst"));
    let copy = (!plain.exists()).then(|| {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        let reader = std::fs::File::open(&packed).unwrap();
        zstd::stream::copy_decode(reader, &mut file).unwrap();
        file
    });
    let path = copy.as_ref().map_or(plain.as_path(), |file| file.path());
    let db = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY).unwrap();
    Trace { db, _copy: copy }
}

/// Demangled name, short name, time in ns.
type Named = (String, String, i64);

fn kernel_times(trace: &Trace) -> Vec<Named> {
    let sql = "SELECT d.value, s.value, sum(k.end - k.start) FROM CUPTI_ACTIVITY_KIND_KERNEL k \
               JOIN StringIds d ON d.id = k.demangledName JOIN StringIds s ON s.id = k.shortName \
               GROUP BY 1, 2 ORDER BY 3 DESC, 1";
    let mut statement = trace.db.prepare(sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?))).unwrap();
    rows.map(Result::unwrap).collect()
}

fn unclassified_share(rules: &Classifier, kernels: &[Named]) -> f64 {
    let total: i64 = kernels.iter().map(|(_, _, time)| time).sum();
    let unknown = |(demangled, short, _): &&Named| rules.classify(demangled, short).rule.is_none();
    let lost: i64 = kernels.iter().filter(unknown).map(|(_, _, time)| time).sum();
    lost as f64 / total as f64
}

fn print_table(rules: &Classifier, trace: &str, kernels: &[Named]) {
    let total: i64 = kernels.iter().map(|(_, _, time)| time).sum();
    let mut classes: BTreeMap<&str, i64> = BTreeMap::new();
    for (demangled, short, time) in kernels {
        let class = rules.classify(demangled, short).class;
        *classes.entry(rules.class_name(class)).or_default() += time;
    }
    eprintln!("{trace}: {:.2} % unclassified", 100.0 * unclassified_share(rules, kernels));
    for (class, time) in classes {
        eprintln!("  {:5.1} %  {class}", 100.0 * time as f64 / total as f64);
    }
}

#[test]
fn deep_learning_traces_are_classified() {
    let Some(shared) = shared("deep_learning_traces_are_classified") else { return };
    let rules = Classifier::shipped().unwrap();
    for (name, limit) in LEARNING {
        let kernels = kernel_times(&open(&shared, name));
        print_table(&rules, name, &kernels);
        assert!(unclassified_share(&rules, &kernels) < limit, "{name}");
        for (demangled, short, _) in &kernels {
            let meaningless = demangled.starts_with("ptxcall_anonymous");
            let known = rules.classify(demangled, short).rule.is_some();
            assert!(known != meaningless, "{name}: {demangled}");
        }
    }
}

#[test]
fn kernels_of_applications_stay_unclassified() {
    let Some(shared) = shared("kernels_of_applications_stay_unclassified") else { return };
    let rules = Classifier::shipped().unwrap();
    for name in APPLICATIONS {
        for (demangled, short, _) in kernel_times(&open(&shared, name)) {
            let said = rules.classify(&demangled, &short);
            let why = said.rule.map(|index| &rules.rules()[index].pattern);
            assert_eq!(why, None, "{name}: {demangled}");
        }
    }
    let darknet = kernel_times(&open(&shared, "darknet-xavier-jetson-export2022.4"));
    let said = rules.classify(&darknet[0].0, &darknet[0].1);
    assert_eq!(rules.class_name(said.class), "fill", "a kernel called fill_kernel fills");
}

/// Names and times of the kernel table in the text that `nsys stats` prints.
fn kernel_table(text: &str) -> Vec<(String, i64)> {
    let section = text.split("(cuda_gpu_kern_sum):").nth(1).expect("a kernel table");
    let rows = section.lines().skip_while(|line| !line.contains("--------")).skip(1);
    rows.take_while(|line| !line.trim().is_empty())
        .map(|line| {
            let mut words = line.split_whitespace();
            let time = words.nth(1).unwrap().parse().unwrap();
            let name = words.skip(6).collect::<Vec<_>>().join(" ");
            (name, time)
        })
        .collect()
}

#[test]
fn the_public_wno_has_four_readings_of_dense_convolution() {
    let Some(shared) = shared("the_public_wno_has_four_readings") else { return };
    let file = shared.join("traces/nsys-stats/wno-darcy141-orinnano-nsys2024.5.stats.txt");
    let table = kernel_table(&std::fs::read_to_string(file).unwrap());
    assert_eq!(table.len(), 21);
    let rules = Classifier::shipped().unwrap();
    let total: i64 = table.iter().map(|(_, time)| time).sum();
    let group = rules.groups().iter().find(|group| group.name == "dense-convolution").unwrap();
    assert_eq!(group.headline, "strict");
    let expected = [("narrow", 1.1), ("strict", 54.7), ("arithmetic", 67.1), ("wide", 80.6)];
    assert_eq!(group.readings.len(), expected.len());
    for (reading, (name, percent)) in group.readings.iter().zip(expected) {
        let counts = |name: &str| reading.contains(rules.classify(name, "").class);
        let time: i64 = table.iter().filter(|(name, _)| counts(name)).map(|(_, time)| time).sum();
        let got = 100.0 * time as f64 / total as f64;
        eprintln!("dense-convolution, {}: {got:.2} %", reading.name);
        assert_eq!(reading.name, name);
        assert!((got - percent).abs() < 0.1, "{name}: {got}");
    }
    assert!(table.iter().all(|(name, _)| rules.classify(name, "").rule.is_some()));
}

#[test]
fn neural_operators_on_the_seeds_board_are_classified() {
    let Some(shared) = shared("neural_operators_on_the_seeds_board") else { return };
    let rules = Classifier::shipped().unwrap();
    for name in ["fno", "sp2gno", "deeponet"] {
        let file = format!("traces/nsys-stats/{name}-darcy141-orinnano-nsys2024.5.stats.txt");
        let table = kernel_table(&std::fs::read_to_string(shared.join(file)).unwrap());
        let kernels: Vec<Named> =
            table.into_iter().map(|(name, time)| (name, String::new(), time)).collect();
        print_table(&rules, name, &kernels);
        for (kernel, _, _) in &kernels {
            assert!(rules.classify(kernel, "").rule.is_some(), "{name}: {kernel}");
        }
    }
}

/// Spans of the cudnnConvolution calls by thread; they do not nest, so sorted starts are enough.
fn convolution_calls(trace: &Trace) -> HashMap<i64, Vec<(i64, i64)>> {
    let sql = "SELECT c.globalTid, c.start, c.end FROM CUDNN_EVENTS c JOIN StringIds s \
               ON s.id = c.nameId WHERE s.value GLOB 'cudnnConvolution*' ORDER BY c.start";
    let mut calls: HashMap<i64, Vec<(i64, i64)>> = HashMap::new();
    let Ok(mut statement) = trace.db.prepare(sql) else { return calls };
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let span = (row.get(1).unwrap(), row.get(2).unwrap());
        calls.entry(row.get(0).unwrap()).or_default().push(span);
    }
    calls
}

/// Short names and context operations of a trace, in start order.
fn context_ops(rules: &Classifier, trace: &Trace) -> (Vec<String>, Vec<ContextOp>) {
    let sql = "SELECT k.globalPid, k.deviceId, k.streamId, k.demangledName, k.gridX, k.gridY, \
               k.gridZ, d.value, s.value, r.globalTid, r.start FROM CUPTI_ACTIVITY_KIND_KERNEL k \
               JOIN StringIds d ON d.id = k.demangledName JOIN StringIds s ON s.id = k.shortName \
               LEFT JOIN CUPTI_ACTIVITY_KIND_RUNTIME r ON r.correlationId = k.correlationId \
               AND r.globalTid & ~0xffffff = k.globalPid ORDER BY k.start, k.correlationId";
    let calls = convolution_calls(trace);
    let mut streams: HashMap<(i64, i64, i64), u32> = HashMap::new();
    let mut known: HashMap<String, Assignment> = HashMap::new();
    let (mut names, mut ops) = (Vec::new(), Vec::new());
    let mut statement = trace.db.prepare(sql).unwrap();
    let mut rows = statement.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let next = u32::try_from(streams.len()).unwrap();
        let key = (row.get(0).unwrap(), row.get(1).unwrap(), row.get(2).unwrap());
        let stream = *streams.entry(key).or_insert(next);
        let (demangled, short): (String, String) = (row.get(7).unwrap(), row.get(8).unwrap());
        let said = || rules.classify(&demangled, &short);
        let by_name = *known.entry(demangled.clone()).or_insert_with(said);
        let thread: Option<i64> = row.get(9).unwrap();
        let inside = thread.and_then(|thread| calls.get(&thread)).is_some_and(|calls| {
            let at: i64 = row.get(10).unwrap();
            let before = calls.partition_point(|(start, _)| *start <= at);
            before.checked_sub(1).is_some_and(|last| at < calls[last].1)
        });
        ops.push(ContextOp {
            stream,
            name: row.get(3).unwrap(),
            grid: (row.get(4).unwrap(), row.get(5).unwrap(), row.get(6).unwrap()),
            by_name,
            in_cudnn_convolution: inside,
        });
        names.push(short);
    }
    (names, ops)
}

/// How often each context rule moved each kernel, by short name and new class.
fn moved(rules: &Classifier, trace: &Trace) -> BTreeMap<(ContextRule, String, String), usize> {
    let (names, ops) = context_ops(rules, trace);
    let mut counts = BTreeMap::new();
    for (name, verdict) in names.into_iter().zip(rules.reclassify_in_context(ops.iter().copied())) {
        if let Some(found) = verdict {
            let class = rules.class_name(found.class).to_owned();
            *counts.entry((found.rule, name, class)).or_default() += 1;
        }
    }
    for ((rule, name, class), count) in &counts {
        eprintln!("  {count:5} x {name} -> {class} by {}", rule.name());
    }
    counts
}

#[test]
fn fft_convolutions_of_keras_are_found_by_context() {
    let Some(shared) = shared("fft_convolutions_of_keras_are_found_by_context") else { return };
    let rules = Classifier::shipped().unwrap();
    let trace = open(&shared, "keras-darknet53-gtx1650-qdrep2020-export2022.4");
    let counts = moved(&rules, &trace);
    let by = |rule, name: &str, class: &str| {
        counts.get(&(rule, name.to_owned(), class.to_owned())).copied()
    };
    use ContextRule::{CudnnCall, CudnnCallHelper, CudnnCallProduct, FftProduct};
    assert_eq!(by(FftProduct, "volta_gcgemm_32x32_nt", "conv/fft"), Some(332));
    // cuDNN spreads these over three streams; two of them hold no transform.
    assert_eq!(by(FftProduct, "fermiCgemm_v3_kernel", "conv/fft"), Some(72));
    assert_eq!(by(CudnnCallProduct, "fermiCgemm_v3_kernel", "conv/fft"), Some(504));
    assert_eq!(by(CudnnCall, "volta_sgemm_128x128_nn", "conv/plain"), Some(6));
    let helper = by(CudnnCallHelper, "transpose_readWrite_alignment_kernel", "conv/helper");
    assert_eq!(helper, Some(30));
}

#[test]
fn order_alone_finds_the_products_of_fft_convolutions() {
    let Some(shared) = shared("order_alone_finds_the_products") else { return };
    let rules = Classifier::shipped().unwrap();
    let trace = open(&shared, "dnn-multistream-titanrtx-export2022.4");
    let counts = moved(&rules, &trace);
    let fft = |(rule, _, _): &&(ContextRule, String, String)| *rule == ContextRule::FftProduct;
    let products: usize = counts.keys().filter(fft).map(|key| counts[key]).sum();
    assert_eq!(products, 126, "16 gcgemm, 16 and 94 complex gemv");
    assert_eq!(products, counts.values().sum::<usize>(), "nothing else changes its class");
}
