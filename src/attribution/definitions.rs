//! One definition for each number, printed with `--explain` and carried in the JSON.

use std::collections::BTreeMap;

/// Key of the document and what it means.
pub const DEFINITIONS: &[(&str, &str)] = &[
    (
        "imported",
        "Only in analyses made by `import-stats`: sums of a whole capture as `nsys stats` printed them, warm-up and loading included. No windows, idle time or verdict follow from them; kernels have the class of their name alone.",
    ),
    (
        "windows",
        "The spans that are measured, half-open, in time order. A range counts when it was closed; an instance inside another one of the same specification on the same thread is dropped. Percentiles interpolate linearly, the standard deviation divides by n - 1.",
    ),
    (
        "windows.contained_share",
        "Share of the time of all operations launched in the windows that lies inside the operation's own window. Low: the windows measure the issuing of work, not its latency.",
    ),
    (
        "api.total_ns",
        "CUDA runtime and driver calls of the attributed process (backtrace twins, eventClass 67, excluded), each clipped to the window, summed over calls and windows. Windows moved by gpu: keep their CPU spans for all API numbers: calls are clipped to those, not to the spans of GPU work.",
    ),
    (
        "api.by_name.share",
        "Time of the function / time of all counted calls, both summed over all windows, or the CPU spans of those that gpu: moved (a ratio of sums, not a mean of shares). Runtime names lose their _vNNNN suffix.",
    ),
    (
        "api.by_name.self_ns",
        "Time of the function without counted calls nested inside it on the same thread.",
    ),
    (
        "api.launch.share",
        "The same ratio for all functions that put work on the GPU (cudaLaunchKernel, cuLaunchKernel, cooperative and graph launches; the names found are listed).",
    ),
    (
        "api.launch.blocked_ns",
        "Time of launches that last over 10 times the median launch of their process while that process keeps the GPU busy for at least 95 % of the call: the launch queue was full.",
    ),
    (
        "api.launch.first_use_ns",
        "Time of equally long launches while the GPU is idle for at least 95 % of the call: modules being loaded.",
    ),
    (
        "api.cover_share",
        "Union of the window thread's API calls / length of the windows: how much of the wall the CPU spent inside CUDA at all. The calls of other threads are in api.total_ns, not here. Where gpu: moved the windows, both are of their CPU spans: the wall in which the calls were made, not that of the GPU work. Windows without a thread use the calls of all attributed processes.",
    ),
    (
        "kernels.rule",
        "launched: the API call (same process and correlation id) starts in the window, whole duration. started: the kernel starts in the window, whole duration. overlap: the part of the kernel inside the window.",
    ),
    (
        "kernels.total_ns",
        "Sum of the counted durations; with overlapping streams it exceeds the busy time.",
    ),
    (
        "kernels.by_class.share",
        "Kernel time of the class / kernel time. The class comes from the first rule that matches the demangled, then the short name, unless the kernels around it decide (by_context_ns).",
    ),
    (
        "kernels.groups",
        "Classes joined for a headline; every reading of where the line is drawn is given.",
    ),
    ("kernels.orphans", "Kernels that meet a window and whose API call is not in the export."),
    (
        "kernels.tklqt_ns",
        "Sum of the launch delays of the counted kernels; overlapping waits are summed, so it may exceed the wall and is never a share.",
    ),
    (
        "launch_delay",
        "Start of a kernel on the GPU minus start of its launch call, over the counted kernels whose call is in the export.",
    ),
    ("copies", "Copies and memsets under the rule of the kernels, by kind."),
    (
        "graphs",
        "CUDA graphs traced whole: one row for each launch, no kernels inside. Record with --cuda-graph-trace=node to see them.",
    ),
    (
        "gpu.busy_ns",
        "Union over the windows of every kernel, copy, memset and whole-graph row of the attributed process, whoever launched it and whenever, at least one device busy.",
    ),
    (
        "gpu.by_name",
        "Busy time divided by operation, and by class in windows.instances.busy_class_ns: each busy instant belongs to the running operation that started first, so that the parts add up to gpu.busy_ns exactly. transfer: copies and memsets; graph: graphs traced whole.",
    ),
    (
        "gpu.foreign_busy_ns",
        "Union of the operations of other processes on the same devices inside the windows. It is no part of gpu.busy_ns: it lies in what is idle of the attributed process, or beside its work.",
    ),
    (
        "idle",
        "wall = busy + none + head + tail + launch + queue + api + sync + host + unknown, exactly. Idle is what no operation of the attributed process fills, whatever other processes run meanwhile (gpu.foreign_busy_ns). Each idle instant is charged to what the thread that launches the next operation is doing: queue: the call has returned, the operation has not started; launch, api: that call or another one is running; sync: the thread waits for the GPU (by name, or a copy that returns no earlier than its operation ends); host: outside CUDA; unknown: the next operation has no call. none: no operation meets the window; head, tail: before the first and after the last operation (by kind in head_by, tail_by).",
    ),
    (
        "idle.dispatch_ns",
        "The part of host in gaps under 1 ms between two consecutive CUDA calls of the thread: framework overhead between launches.",
    ),
    (
        "verdict",
        "GPU busy >= 80 % of wall: gpu-bound (copy-bound if copies alone cover over half of busy). Otherwise the largest of launch path (launch + queue + dispatch), host (host - dispatch), sync and api, head and tail by their kinds, if it is >= 40 % of wall and >= 1.5 times the next; else mixed. None for the whole trace, without operations, or where the windows contain less than half of the work that they launched (gpu: windows do); nor gpu-bound or copy-bound of kernels: windows, which are busy by construction.",
    ),
    (
        "energy.total_mj",
        "Mean energy of a window on the named rail, integrated without extrapolation and without bridging gaps in the log (over 3 periods and 250 ms). The 95 % interval is statistical: between windows, blocks or readings, joined with the error of the idle power.",
    ),
    (
        "energy.dynamic_mj",
        "total minus idle power times the windows' length. Which idle time was taken is in idle_how; published standards do not subtract idle, so total is always beside it.",
    ),
    (
        "energy.systematic_mj",
        "What more windows do not shrink: gain of the sensor (5 % NVML, 1 % INA3221), its step where nothing averages it out, the alignment, and what the gaps between windows draw. Null when the sensor's gain is not known.",
    ),
    (
        "energy.estimator",
        "direct: each window's own integral, windows of at least 5 effective periods. block: trains of windows integrated as one and divided, at least 5 blocks of 10 effective periods. samples: readings inside windows whose phase passes a test. regression: intervals of the sensor on busy time.",
    ),
    (
        "energy.refused",
        "Why there is no energy per window: the windows are shorter than what a reading stands for and no train is long enough, readings locked to the work (p < 0.01), less than 95 % of the time covered, or windows that do not contain their work.",
    ),
];

/// The definitions as the document carries them.
pub fn definitions() -> BTreeMap<String, String> {
    DEFINITIONS.iter().map(|(key, text)| ((*key).to_owned(), (*text).to_owned())).collect()
}
