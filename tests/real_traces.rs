//! Figures of real traces, exact to the nanosecond.
//!
//! The values are in the table of expected figures beside the shared traces: some were printed by
//! other tools and agree, some are where those tools are wrong and a plain SQL statement is right.
//! Without the shared folder every test here says that it was skipped.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use serde_json::Value;
use support::ask::analyze_json;
use support::shared::shared_trace;

const PROGRAM: &str = env!("CARGO_BIN_EXE_nsys-attrib");

/// The analysis of a shared trace; `None` when the folder is missing, which has been said then.
fn analyze(trace: &str, words: &[&str]) -> Option<Value> {
    let path = shared_trace(trace)?;
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    Some(analyze_json(PROGRAM, &path, &words).unwrap())
}

fn function<'a>(analysis: &'a Value, name: &str) -> &'a Value {
    let all = analysis["api"]["by_name"].as_array().unwrap();
    all.iter().find(|entry| entry["name"] == name).unwrap()
}

fn codes(analysis: &Value) -> Vec<(&str, &str)> {
    let all = analysis["findings"].as_array().unwrap();
    all.iter()
        .map(|finding| (finding["code"].as_str().unwrap(), finding["severity"].as_str().unwrap()))
        .collect()
}

fn count_time(block: &Value) -> (u64, i64) {
    (block["count"].as_u64().unwrap(), block["time_ns"].as_i64().unwrap())
}

#[test]
fn cloverleaf_whole_trace() {
    let Some(found) = analyze("cloverleaf-a100-nsys2024.5", &["--window", "all"]) else { return };
    assert_eq!(found["api"]["total_ns"], 571_656_984);
    assert_eq!(found["api"]["calls"], 3048);
    assert_eq!(found["kernels"]["total_ns"], 294_404_540);
    assert_eq!(found["kernels"]["count"], 1312);
    assert_eq!(found["kernels"]["rule"], "overlap");
    let launch = function(&found, "cudaLaunchKernel");
    assert_eq!((&launch["time_ns"], &launch["calls"]), (&5_473_753.into(), &1312.into()));
    assert!(found["verdict"].is_null(), "the whole trace has no verdict");
}

#[test]
fn saxpy_counts_each_call_once_although_backtraces_repeat_it() {
    let trace = "saxpy-mpi-a100-nsys2022.2-cudabacktrace";
    let Some(found) = analyze(trace, &["--window", "all"]) else { return };
    assert_eq!(found["api"]["total_ns"], 703_104_119);
    assert_eq!(found["api"]["calls"], 57);
    assert_eq!(function(&found, "cudaMemcpy")["time_ns"], 374_336_827);
    let share = function(&found, "cudaMemcpy")["share"].as_f64().unwrap();
    assert!((share - 0.532).abs() < 0.0005, "{share}");
    assert!(codes(&found).contains(&("backtrace-twins-dropped", "info")));

    let window = analyze(trace, &["--window", "saxpy"]).unwrap();
    assert_eq!(count_time(&window["kernels"]["rules"]["launched"]), (5, 88_573_480));
    assert!(window["verdict"].is_null(), "none of its work lies inside the window");
}

#[test]
fn resnet_forward_measures_issuing_not_latency() {
    let trace = "resnet-pytorch-a4500-nsys2024.6-nvtx";
    let Some(found) = analyze(trace, &["--window", "forward"]) else { return };
    assert_eq!(found["windows"]["count"], 10);
    assert_eq!(found["api"]["total_ns"], 157_679_972);
    assert_eq!(found["api"]["calls"], 1310);
    let launch = function(&found, "cudaLaunchKernel");
    assert_eq!((&launch["time_ns"], &launch["calls"]), (&137_054_859.into(), &1080.into()));
    assert_eq!(count_time(&found["kernels"]["rules"]["launched"]), (1240, 170_195_924));
    assert_eq!(found["windows"]["contained_share"], 0.0);
    assert!(codes(&found).contains(&("window-does-not-contain-its-work", "data-loss")));
    assert!(codes(&found).contains(&("launch-queue-full", "warning")));
    assert!(found["verdict"].is_null(), "{}", found["verdict"]);
    assert!(codes(&found).contains(&("no-verdict", "warning")));
    // Where the work is, there is a verdict.
    let Some(moved) = analyze(trace, &["--window", "gpu:forward"]) else { return };
    assert_eq!(moved["verdict"]["kind"], "gpu-bound");
    let share = found["api"]["launch"]["share"].as_f64().unwrap();
    assert!((share - 0.999).abs() < 0.0005, "{share}");
}

#[test]
fn resnet_launches_are_blocked_by_a_full_queue() {
    let found = analyze("resnet-pytorch-a4500-nsys2024.6-nvtx", &["--window", "all"]);
    let Some(found) = found else { return };
    let launch = &found["api"]["launch"];
    let blocked = launch["blocked_ns"].as_f64().unwrap() / launch["time_ns"].as_f64().unwrap();
    assert!((blocked - 0.616).abs() < 0.0005, "{blocked}");
}

#[test]
fn resnet_gpu_operations_are_those_of_the_published_trace() {
    let found = analyze("resnet-pytorch-a4500-nsys2024.6-nvtx", &["--window", "all"]);
    let Some(found) = found else { return };
    // `nsys stats -r cuda_gpu_trace:base` of the same trace: 2,685 rows, 344,229,156 ns.
    let (mut count, mut time) = count_time(&found["kernels"]["rules"]["overlap"]);
    for copy in found["copies"].as_array().unwrap() {
        count += copy["count"].as_u64().unwrap();
        time += copy["time_ns"].as_i64().unwrap();
    }
    assert_eq!((count, time), (2685, 344_229_156));
}

#[test]
fn resnet_moved_to_the_gpu_contains_its_work() {
    let found = analyze("resnet-pytorch-a4500-nsys2024.6-nvtx", &["--window", "gpu:forward"]);
    let Some(found) = found else { return };
    assert_eq!(found["windows"]["contained_share"], 1.0);
    assert_eq!(count_time(&found["kernels"]["rules"]["launched"]), (1240, 170_195_924));
    assert_eq!(found["api"]["total_ns"], 157_679_972, "calls stay with the CPU span");
}

#[test]
fn train_has_kernels_without_a_launch() {
    let found = analyze("train-2xh100-nsys2026.2-1s-slice", &["--window", "all"]);
    let Some(found) = found else { return };
    assert_eq!(found["kernels"]["count"], 3442);
    assert_eq!(found["kernels"]["orphans"], 1810);
    assert!(codes(&found).contains(&("orphan-operations", "data-loss")));
}

#[test]
fn nccl_joins_by_process_and_correlation_id() {
    let found = analyze("nccl-2xh100-nsys2026.2-slice", &["--window", "nvtx:/./"]);
    let Some(found) = found else { return };
    // By the correlation id alone it would be 4,270 kernels.
    assert_eq!(count_time(&found["kernels"]["rules_own_thread"]["launched"]), (3986, 516_689_349));
    assert!(codes(&found).contains(&("correlation-ids-collide", "info")));
}

#[test]
fn keras_idle_time_is_explained_by_the_thread_that_launches() {
    let trace = "keras-darknet53-gtx1650-qdrep2020-export2022.4";
    let Some(found) = analyze(trace, &["--window", "Model"]) else { return };
    // The range's own thread launches nothing: seen from there, all idle time would be host time.
    assert_eq!(count_time(&found["kernels"]["rules_own_thread"]["launched"]), (0, 0));
    let idle = &found["idle"];
    let api = idle["api_ns"].as_i64().unwrap();
    assert!(api > idle["host_ns"].as_i64().unwrap(), "{idle}");
    // Overlapping streams: the sum exceeds the busy time.
    let busy = found["gpu"]["busy_ns"].as_i64().unwrap();
    assert!(found["kernels"]["total_ns"].as_i64().unwrap() > busy);
}

#[test]
fn unified_memory_migrations_are_no_orphans() {
    let Some(found) = analyze("unifiedmem-rtx3060-nsys2024.5", &["--window", "all"]) else {
        return;
    };
    assert_eq!(found["kernels"]["orphans"], 0);
    assert!(codes(&found).contains(&("unified-memory-migrations", "info")));
}

#[test]
fn xavier_times_lie_on_a_grid() {
    let Some(found) = analyze("darknet-xavier-jetson-export2022.4", &["--window", "all"]) else {
        return;
    };
    let grid = found["findings"].as_array().unwrap();
    let grid = grid.iter().find(|finding| finding["code"] == "timestamp-grid").unwrap();
    assert_eq!(grid["numbers"]["grid_ns"], 32);
}
