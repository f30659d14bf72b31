//! Tables of `nsys stats` as inputs: made here in every form that nsys prints, printed by a real nsys from
//! a bundled trace and from real ones (sums must be those of the whole trace), and the published tables of
//! a dense neural operator on a Jetson.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

mod support;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use support::rig::real_nsys;
use support::shared::{shared_folder, shared_trace, skipped};
use support::words::{Said, run};

/// Name, calls, summed ns.
type Rows<'a> = &'a [(&'a str, u64, u64)];

const CALLS: Rows<'_> = &[
    ("cudaLaunchKernel", 78_163, 1_299_464_704),
    ("cudaStreamSynchronize", 3_099, 90_804_672),
    ("cudaStreamIsCapturing_v10000", 10, 83_264),
    ("cuLaunchKernel", 2, 8_192),
];
const LONG: &str = "void at::native::elementwise_kernel<(int)128, (int)2, void at::native::gpu_kernel_impl_nocast<at::native::direct_copy_kernel_cuda(at::TensorIteratorBase &)::[lambda(float)]>>(int, T3)";
const KERNELS: Rows<'_> = &[
    ("void cudnn::detail::dgrad_engine<float, (int)512>(int, T1)", 26_880, 909_565_952),
    (LONG, 7_393, 98_948_096),
    ("ampere_sgemm_128x32_tn", 43_892, 18_628_416),
];
const COPIES: Rows<'_> =
    &[("[CUDA memcpy Host-to-Device]", 3_099, 6_207_488), ("[CUDA memset]", 2, 6_720)];

const HEAD: [&str; 9] = [
    "Time (%)",
    "Total Time (ns)",
    "",
    "Avg (ns)",
    "Med (ns)",
    "Min (ns)",
    "Max (ns)",
    "StdDev (ns)",
    "Name",
];

/// Cells of a table as nsys computes them; the spread is made up.
fn cells(count: &str, name: &str, rows: Rows<'_>) -> Vec<Vec<String>> {
    let total: u64 = rows.iter().map(|row| row.2).sum();
    let mut head: Vec<String> = HEAD.iter().map(|cell| (*cell).to_owned()).collect();
    head[2] = count.to_owned();
    head[8] = name.to_owned();
    let row = |(name, count, ns): &(&str, u64, u64)| {
        let (ns_f, count_f) = (*ns as f64, *count as f64);
        vec![
            format!("{:.1}", ns_f / total as f64 * 100.0),
            ns.to_string(),
            count.to_string(),
            format!("{:.1}", ns_f / count_f),
            format!("{:.1}", ns_f / count_f * 0.9),
            (ns / count / 2).to_string(),
            (ns / count * 3).to_string(),
            "12.5".to_owned(),
            (*name).to_owned(),
        ]
    };
    std::iter::once(head).chain(rows.iter().map(row)).collect()
}

/// The widths of columns; names end at 100 characters.
fn widths(cells: &[Vec<String>]) -> Vec<usize> {
    let of = |i: usize| cells.iter().map(|row| row[i].chars().count()).max().unwrap().min(100);
    (0..cells[0].len()).map(of).collect()
}

fn fitted(cell: &str, width: usize, right: bool) -> String {
    if cell.chars().count() > width {
        return cell.chars().take(width - 1).chain(['…']).collect();
    }
    if right { format!("{cell:>width$}") } else { format!("{cell:<width$}") }
}

fn line(row: &[String], widths: &[usize], between: &str) -> String {
    let last = row.len() - 1;
    let cell = |(i, cell): (usize, &String)| fitted(cell, widths[i], i != last);
    row.iter().enumerate().map(cell).collect::<Vec<_>>().join(between)
}

/// A text table below its title.
fn columns(title: &str, report: &str, cells: &[Vec<String>]) -> String {
    let widths = widths(cells);
    let mut text = format!("\n ** {title} ({report}):\n\n {}\n", line(&cells[0], &widths, "  "));
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
    writeln!(text, " {}", rule.join("  ")).unwrap();
    for row in &cells[1..] {
        writeln!(text, " {}", line(row, &widths, "  ")).unwrap();
    }
    text + "\n"
}

fn boxed(cells: &[Vec<String>]) -> String {
    let widths = widths(cells);
    let rule: Vec<String> = widths.iter().map(|width| "-".repeat(width + 2)).collect();
    let rule = format!("+{}+\n", rule.join("+"));
    let row = |row: &Vec<String>| format!("| {} |\n", line(row, &widths, " | "));
    let rows: String = cells[1..].iter().map(row).collect();
    format!("{rule}{}{rule}{rows}{rule}\n", row(&cells[0]))
}

fn csv(cells: &[Vec<String>], delimiter: &str) -> String {
    let quoted = |cell: &String| match cell.contains([',', ';', '"']) {
        true => format!("\"{cell}\""),
        false => cell.clone(),
    };
    let row = |row: &Vec<String>| row.iter().map(quoted).collect::<Vec<_>>().join(delimiter) + "\n";
    cells.iter().map(row).collect()
}

fn processing(report: &str) -> String {
    format!(
        "Processing [run.sqlite] with [/opt/nvidia/nsight-systems/2024.5.4/host-linux-armv8/reports/{report}.py]... \n"
    )
}

/// Everything as `nsys stats` prints it to a terminal, with the newer or the older names.
fn whole_text(names: [&str; 3]) -> String {
    let [api, kernels, copies] = names;
    format!(
        "Generating SQLite file run.sqlite from run.nsys-rep\n{}SKIPPED: run.sqlite does not contain NV Tools Extension (NVTX) data.\n\n{}{}{}{}{}{}",
        processing("nvtx_sum"),
        processing(api),
        columns("CUDA API Summary", api, &cells("Num Calls", "Name", CALLS)),
        processing(kernels),
        columns("CUDA GPU Kernel Summary", kernels, &cells("Instances", "Name", KERNELS)),
        processing(copies),
        columns("CUDA GPU MemOps Summary (by Time)", copies, &cells("Count", "Operation", COPIES)),
    )
}

const NEWER: [&str; 3] = ["cuda_api_sum", "cuda_gpu_kern_sum", "cuda_gpu_mem_time_sum"];
const OLDER: [&str; 3] = ["cudaapisum", "gpukernsum", "gpumemtimesum"];

/// Files in a folder of their own.
struct Files(tempfile::TempDir);

impl Files {
    fn of(files: &[(&str, String)]) -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        for (name, text) in files {
            fs::write(folder.0.path().join(name), text).unwrap();
        }
        folder
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).display().to_string()
    }

    fn import(&self, names: &[&str]) -> Said {
        let paths: Vec<String> = names.iter().map(|name| self.path(name)).collect();
        let mut words = vec!["import-stats", "--format", "json"];
        words.extend(paths.iter().map(String::as_str));
        run(&words)
    }

    fn document(&self, names: &[&str]) -> Value {
        let said = self.import(names);
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }
}

/// Names, counts and times of everything that is added up.
fn sums(document: &Value) -> Vec<(String, u64, u64)> {
    let blocks = [
        (&document["api"]["by_name"], "name", "calls"),
        (&document["kernels"]["by_name"], "name", "count"),
        (&document["copies"], "kind", "count"),
    ];
    let mut all = Vec::new();
    for (block, name, count) in blocks {
        for one in block.as_array().into_iter().flatten() {
            all.push((
                one[name].as_str().unwrap().to_owned(),
                one[count].as_u64().unwrap(),
                one["time_ns"].as_u64().unwrap(),
            ));
        }
    }
    all.sort();
    all
}

/// The sums that the tables above hold, as an analysis names them.
fn expected() -> Vec<(String, u64, u64)> {
    let named = |name: &str| match name {
        "cudaStreamIsCapturing_v10000" => "cudaStreamIsCapturing".to_owned(),
        "[CUDA memset]" => "Memset".to_owned(),
        "[CUDA memcpy Host-to-Device]" => "Host-to-Device".to_owned(),
        other => other.to_owned(),
    };
    let all = CALLS.iter().chain(KERNELS).chain(COPIES);
    let mut all: Vec<_> = all.map(|(name, count, ns)| (named(name), *count, *ns)).collect();
    all.sort();
    all
}

fn codes(document: &Value) -> Vec<&str> {
    let all = document["findings"].as_array().unwrap();
    all.iter().map(|finding| finding["code"].as_str().unwrap()).collect()
}

fn classes(document: &Value) -> Vec<(&str, &str)> {
    let all = document["kernels"]["by_name"].as_array().unwrap();
    all.iter().map(|one| (one["name"].as_str().unwrap(), one["class"].as_str().unwrap())).collect()
}

#[test]
fn a_text_of_several_reports_is_a_limited_analysis() {
    for names in [NEWER, OLDER] {
        let files = Files::of(&[("stats.txt", whole_text(names))]);
        let document = files.document(&["stats.txt"]);
        let cut: String = LONG.chars().take(99).chain(['…']).collect();
        let mut wanted = expected();
        for row in wanted.iter_mut().filter(|row| row.0 == LONG) {
            row.0.clone_from(&cut);
        }
        wanted.sort();
        assert_eq!(sums(&document), wanted);
        let api = &document["api"];
        assert_eq!(
            (api["total_ns"].as_u64(), api["calls"].as_u64()),
            (Some(1_390_360_832), Some(81_274))
        );
        assert_eq!(api["launch"]["calls"], 78_165, "cuLaunchKernel launches too");
        assert_eq!(document["trace"]["exporter_version"], "2024.5.4");
        assert_eq!(document["imported"]["capture"], "run.sqlite");
        for missing in ["gpu", "idle", "verdict", "launch_delay", "energy", "run", "graphs"] {
            assert!(document[missing].is_null(), "{missing}");
        }
        for (block, key) in
            [("windows", "total_ns"), ("windows", "mean_ns"), ("api", "cover_share")]
        {
            assert!(document[block][key].is_null(), "{block}.{key}");
        }
        assert_eq!(codes(&document), ["imported-sums", "names-cut", "classes-by-name-only"]);
        // The cut took what says that the kernel copies.
        assert!(classes(&document).contains(&(&cut, "elementwise")), "{:?}", classes(&document));
        let cut =
            document["findings"].as_array().unwrap().iter().find(|f| f["code"] == "names-cut");
        assert_eq!(cut.unwrap()["numbers"]["time_ns"], 98_948_096);
        let reports = document["imported"]["reports"].as_array().unwrap();
        assert_eq!(
            reports[0]["skipped"],
            "run.sqlite does not contain NV Tools Extension (NVTX) data."
        );
        let median = &document["imported"]["rows"][0]["median_ns"];
        assert_eq!(median.as_u64(), Some(14_963), "14962.5 in the table");
    }
}

#[test]
fn csv_files_say_the_same_and_cut_nothing() {
    let parts = [
        ("run_cuda_api_sum.csv", csv(&cells("Num Calls", "Name", CALLS), ",")),
        ("run_cuda_gpu_kern_sum.csv", csv(&cells("Instances", "Name", KERNELS), ",")),
        ("run_cuda_gpu_mem_time_sum.csv", csv(&cells("Count", "Operation", COPIES), ",")),
        ("run_nvtx_sum.csv", String::new()),
    ];
    let files = Files::of(&parts);
    let names: Vec<&str> = parts.iter().map(|part| part.0).collect();
    let document = files.document(&names);
    assert_eq!(sums(&document), expected());
    assert_eq!(codes(&document), ["imported-sums", "classes-by-name-only"]);
    assert!(classes(&document).contains(&(LONG, "copy")), "{:?}", classes(&document));
    assert!(document["trace"]["exporter_version"].is_null(), "CSV does not say it");
    // Under other names the columns say which report it is.
    let renamed = Files::of(&[("a", parts[0].1.clone()), ("b", parts[1].1.clone())]);
    assert_eq!(sums(&renamed.document(&["a", "b"])).len(), 7);
    // All in one, as `nsys stats --format csv` prints to a terminal.
    let one: String =
        NEWER.iter().zip(&parts).map(|(name, part)| processing(name) + &part.1 + "\n").collect();
    assert_eq!(sums(&Files::of(&[("all", one)]).document(&["all"])), expected());
}

/// Every integer and decimal of a table, written by another locale.
fn respelled(cells: &[Vec<String>], group: &str, decimal: &str) -> Vec<Vec<String>> {
    let grouped = |digits: &str| -> String {
        let mut out = String::new();
        for (i, digit) in digits.chars().enumerate() {
            if i > 0 && (digits.len() - i).is_multiple_of(3) {
                out += group;
            }
            out.push(digit);
        }
        out
    };
    let number = |cell: &String| match cell.split_once('.') {
        Some((whole, rest)) => format!("{}{decimal}{rest}", grouped(whole)),
        None => grouped(cell),
    };
    let row = |row: &Vec<String>| {
        let mut row = row.clone();
        let last = row.len() - 1;
        row[..last].iter_mut().for_each(|cell| *cell = number(cell));
        row
    };
    std::iter::once(cells[0].clone()).chain(cells[1..].iter().map(row)).collect()
}

#[test]
fn separators_boxes_encodings_and_old_notices() {
    let calls = cells("Num Calls", "Name", CALLS);
    let wanted = {
        let csv = Files::of(&[("x_cuda_api_sum.csv", csv(&calls, ","))]);
        sums(&csv.document(&["x_cuda_api_sum.csv"]))
    };
    for (group, decimal) in [(",", "."), (".", ","), ("\u{202f}", ","), ("'", "."), (" ", ",")] {
        let table = respelled(&calls, group, decimal);
        let text = columns("CUDA API Summary", "cuda_api_sum", &table);
        let files = Files::of(&[("t.txt", text), ("s_cuda_api_sum.csv", csv(&table, ";"))]);
        for name in ["t.txt", "s_cuda_api_sum.csv"] {
            let document = files.document(&[name]);
            assert_eq!(sums(&document), wanted, "{name} with `{group}` and `{decimal}`");
            assert!(!codes(&document).contains(&"shares-disagree"), "{:?}", codes(&document));
        }
    }
    let text = format!("\n ** CUDA API Summary (cudaapisum):\n\n{}", boxed(&calls));
    let utf16: Vec<u8> =
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect();
    let files = Files::of(&[("box.txt", text.clone())]);
    fs::write(files.path("utf16.txt"), utf16).unwrap();
    fs::write(files.path("dos.txt"), text.replace('\n', "\r\n")).unwrap();
    for name in ["box.txt", "utf16.txt", "dos.txt"] {
        assert_eq!(sums(&files.document(&[name])), wanted, "{name}");
    }
    // As `nsys profile --stats=true` announces its reports.
    let table = columns("x", "y", &calls);
    let table = table.split_once(":\n\n").unwrap().1;
    let text = format!(
        "[3/4] Executing 'nvtx_sum' stats report\nSKIPPED: /tmp/r.sqlite does not contain NV Tools Extension (NVTX) data.\n[4/4] Executing 'cuda_api_sum' stats report\n\n{table}"
    );
    assert_eq!(sums(&Files::of(&[("p.txt", text)]).document(&["p.txt"])), wanted);
    // Before 2021 titles had no report's name.
    let text = format!("\nCUDA API Statistics:\n\n{table}");
    assert_eq!(sums(&Files::of(&[("o.txt", text)]).document(&["o.txt"])), wanted);
}

#[test]
fn units_rows_that_repeat_and_rows_that_are_gone() {
    let mut table = cells("Num Calls", "Name", CALLS);
    for cell in &mut table[0] {
        *cell = cell.replace("(ns)", "(ms)");
    }
    for row in &mut table[1..] {
        row[1] = format!("{:.4}", row[1].parse::<f64>().unwrap() / 1e6);
    }
    let files = Files::of(&[("x_cuda_api_sum.csv", csv(&table, ","))]);
    let document = files.document(&["x_cuda_api_sum.csv"]);
    assert_eq!(document["api"]["by_name"][0]["time_ns"], 1_299_464_700, "0.1 us of rounding");
    assert!(codes(&document).contains(&"rounded-times"));

    // Backtraces: functions twice, with one count and nearly one time.
    let twice: Rows<'_> = &[
        ("cudaMemcpy", 15, 374_343_896),
        ("cudaMemcpy", 15, 374_336_827),
        ("cudaHostRegister", 9, 316_427_763),
        // Two functions of one name after their version is dropped are no twins.
        ("cudaFree_v3020", 3, 5_807_903),
        ("cudaFree", 4, 806_261),
    ];
    let files = Files::of(&[("x_cudaapisum.csv", csv(&cells("Num Calls", "Name", twice), ","))]);
    let document = files.document(&["x_cudaapisum.csv"]);
    assert_eq!(document["api"]["total_ns"], 374_336_827 + 316_427_763 + 5_807_903 + 806_261);
    assert!(codes(&document).contains(&"backtrace-twins-dropped"));

    // A table that lost its tail does not add up to its own shares.
    let whole = csv(&cells("Num Calls", "Name", CALLS), ",");
    let cut: String = whole.lines().take(2).map(|line| format!("{line}\n")).collect();
    let files = Files::of(&[("x_cuda_api_sum.csv", cut)]);
    let document = files.document(&["x_cuda_api_sum.csv"]);
    let finding = &document["findings"][0];
    assert_eq!(
        (finding["code"].as_str(), finding["severity"].as_str()),
        (Some("shares-disagree"), Some("data-loss"))
    );

    // One row for each grid: the rows of a name are one kernel.
    let grids = "Time (%),Total Time (ns),Instances,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),GridXYZ,BlockXYZ,Name\n\
        75.0,300,3,100.0,100.0,100,100,0.0, 196    1    1, 256    1    1,\"k(int, T1)\"\n\
        25.0,100,1,100.0,100.0,100,100,, 8    1    1, 256    1    1,\"k(int, T1)\"\n";
    let files = Files::of(&[("x_cuda_gpu_kern_gb_sum.csv", grids.to_owned())]);
    let document = files.document(&["x_cuda_gpu_kern_gb_sum.csv"]);
    assert_eq!(sums(&document), [("k(int, T1)".to_owned(), 4, 400)]);
    assert_eq!(document["imported"]["rows"].as_array().unwrap().len(), 2);
    assert!(document["api"].is_null() && codes(&document).contains(&"report-missing"));

    // Kernels, copies and calls of one report.
    let mixed = "Time (%),Total Time (ns),Instances,Avg (ns),Med (ns),Min (ns),Max (ns),StdDev (ns),Category,Operation\n\
        50.0,500,5,100.0,100.0,100,100,0.0,CUDA_API,cudaLaunchKernel\n30.0,300,3,100.0,100.0,100,100,0.0,CUDA_KERNEL,k\n\
        20.0,200,2,100.0,100.0,100,100,0.0,MEMORY_OPER,[CUDA memcpy HtoD]\n";
    let document = Files::of(&[("m.csv", mixed.to_owned())]).document(&["m.csv"]);
    assert_eq!(sums(&document).len(), 3);
    assert!(codes(&document).contains(&"short-kernel-names"));
}

#[test]
fn what_cannot_be_used_is_refused_with_its_place() {
    let api = csv(&cells("Num Calls", "Name", CALLS), ",");
    let text = whole_text(NEWER);
    let clipped = text.replace("1299464704", "129946470…");
    let osrt = "Time (%),Total Time (ns),Num Calls,Avg (ns),Name\n100.0,5,1,5.0,poll\n";
    let skipped = format!(
        "{}SKIPPED: run.sqlite does not contain CUDA trace data.\n\n",
        processing("cuda_api_sum")
    );
    let other = text.replace("[run.sqlite]", "[other.sqlite]");
    let files = Files::of(&[
        ("notes.txt", "Total Time was long\n".to_owned()),
        ("x.json", "[{\"Time (%)\": 77.9}]".to_owned()),
        ("empty", String::new()),
        ("skipped.txt", skipped),
        ("osrt_sum.csv", osrt.to_owned()),
        ("clipped.txt", clipped),
        ("a_cuda_api_sum.csv", api.clone()),
        ("b_cuda_api_sum.csv", api.clone()),
        ("short_cuda_api_sum.csv", api.replace(",16625.1,", ",")),
        ("x_cuda_api_sum.csv", api.replace("Total Time (ns)", "Total Time (weeks)")),
        ("run.txt", text),
        ("other.txt", other),
        ("trace.sqlite", "SQLite format 3\0...".to_owned()),
    ]);
    for (names, told) in [
        (&["notes.txt"][..], "not output of `nsys stats`"),
        (&["x.json"], "JSON is not read: print the reports with `nsys stats --format csv`"),
        (&["empty"], "an empty file"),
        (&["skipped.txt"], "does not contain CUDA trace data"),
        (&["osrt_sum.csv"], "print cuda_api_sum and cuda_gpu_kern_sum"),
        (
            &["clipped.txt"],
            "`129946470…` under `Total Time (ns)` is not a number: the table cut it",
        ),
        (&["a_cuda_api_sum.csv", "b_cuda_api_sum.csv"], "cuda_api_sum is there twice"),
        (&["short_cuda_api_sum.csv"], "line 2: the row does not fit"),
        (&["x_cuda_api_sum.csv"], "no column `Total Time`"),
        (&["run.txt", "other.txt"], "tables of two captures, `run.sqlite` and `other.sqlite`"),
        (&["trace.sqlite"], "it is a trace: `nsys-attrib analyze` reads it"),
        (&["missing.txt"], "cannot be read"),
    ] {
        let said = files.import(names);
        assert_eq!((said.code, said.out.as_str()), (2, ""), "{names:?}: {}", said.err);
        assert!(said.err.contains(told), "{names:?}: {}", said.err);
    }
    let said = run(&["analyze", &files.path("run.txt")]);
    assert!(said.err.contains("nsys-attrib import-stats"), "{}", said.err);
}

#[test]
fn the_document_goes_where_an_analysis_goes_unless_windows_are_needed() {
    let files = Files::of(&[
        ("old.txt", whole_text(NEWER)),
        ("new.txt", whole_text(OLDER).replace("909565952", "409565952")),
    ]);
    let old = files.path("old.json");
    let new = files.path("new.json");
    for (from, to) in [("old.txt", &old), ("new.txt", &new)] {
        let said = run(&["import-stats", &files.path(from), "--out", to]);
        assert_eq!(said.code, 0, "{}", said.err);
    }
    let shown = run(&["analyze", &old]);
    assert!(
        shown.out.contains("whole capture of run.sqlite") && shown.out.contains("API cover –"),
        "{}",
        shown.out
    );

    let compared =
        run(&["compare", &old, "--vs", &new, "--fail-on", "share(dense-convolution)<0.85"]);
    assert_eq!(compared.code, 1, "{}{}", compared.out, compared.err);
    assert!(compared.out.contains("share(dense-convolution)"), "{}", compared.out);
    assert!(compared.out.contains("one-capture-a-side"), "{}", compared.out);
    assert!(
        !compared.out.contains("latency") || compared.out.contains("imported-sums"),
        "{}",
        compared.out
    );
    let refused = run(&["compare", &old, "--vs", &new, "--fail-on", "latency>+2%"]);
    assert_eq!(refused.code, 2);
    assert!(refused.err.contains("has no windows: there are shares alone"), "{}", refused.err);
    // Against a trace whose windows are known.
    let trace = "fixtures/traces/wno-request/eager-450.sqlite.zst";
    let mixed = run(&["compare", &old, "--vs", trace, "--window", "all"]);
    assert_eq!(mixed.code, 2, "the document has no window `all`: {}", mixed.out);
    let whole = run(&["analyze", trace, "-w", "all", "--format", "json"]);
    fs::write(files.path("trace.json"), whole.out).unwrap();
    let mixed = run(&["compare", &old, "--vs", &files.path("trace.json"), "--format", "json"]);
    assert_eq!(mixed.code, 0, "{}", mixed.err);
    let document: Value = serde_json::from_str(&mixed.out).unwrap();
    let launch = &document["quantities"][0];
    assert_eq!(launch["name"], "share(launch)");
    assert!((launch["a"].as_f64().unwrap() - 0.934_6).abs() < 1e-3, "{launch}");
    assert!(launch["difference"]["ci95"].is_null(), "{launch}");

    for kind in ["api", "classes", "kernels"] {
        let out = files.path(&format!("{kind}.svg"));
        let said = run(&["plot", kind, &old, &new, "-o", &out]);
        assert_eq!(said.code, 0, "{kind}: {}", said.err);
        let caption = fs::read_to_string(Path::new(&out).with_extension("txt")).unwrap();
        assert!(
            caption.contains("whole capture in old.txt (nsys 2024.5.4) as nsys stats printed it"),
            "{caption}"
        );
    }
    for kind in ["latency", "idle", "energy"] {
        let said = run(&["plot", kind, &old, "-o", &files.path("no.svg")]);
        assert_eq!(said.code, 2, "{kind}");
        assert!(said.err.contains("have no windows, which this figure shows"), "{}", said.err);
    }
    let out = files.path("report");
    let said = run(&["report", &old, &new, "--out", &out]);
    assert_eq!(said.code, 0, "{}", said.err);
    let page = fs::read_to_string(Path::new(&out).join("report.html")).unwrap();
    assert!(page.contains("whole capture"), "the page names what is shown");
    let said = run(&["report", "--check", &out]);
    assert_eq!(said.code, 0, "{}{}", said.out, said.err);
}

#[test]
fn every_file_of_several_is_in_the_document_and_the_report() {
    let files = Files::of(&[
        ("a_cuda_api_sum.csv", csv(&cells("Num Calls", "Name", CALLS), ",")),
        ("a_cuda_gpu_kern_sum.csv", csv(&cells("Instances", "Name", KERNELS), ",")),
    ]);
    let names = ["a_cuda_api_sum.csv", "a_cuda_gpu_kern_sum.csv"];
    let document = files.document(&names);
    assert_eq!(document["trace"]["sha256"], Value::Null, "one hash does not stand for two files");
    assert_eq!(document["imported"]["files"].as_array().unwrap().len(), 2);
    let old = files.path("old.json");
    fs::write(&old, document.to_string()).unwrap();
    let out = files.path("report");
    assert_eq!(run(&["report", &old, "--out", &out]).code, 0);
    let text = fs::read_to_string(Path::new(&out).join("provenance.json")).unwrap();
    let provenance: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(provenance["sources"], document["imported"]["files"]);
    let page = fs::read_to_string(Path::new(&out).join("report.html")).unwrap();
    for file in document["imported"]["files"].as_array().unwrap() {
        assert!(page.contains(file["sha256"].as_str().unwrap()), "{file}");
    }
    let said = run(&["report", "--check", &out]);
    assert_eq!((said.code, said.out.contains("another file")), (0, false), "{}", said.out);
}

/// Real nsys, its text and its CSV of a trace, against the analysis of the whole trace.
fn nsys_agrees(nsys: &str, trace: &Path) {
    let folder = tempfile::tempdir().unwrap();
    let copy = folder.path().join("t.sqlite");
    if trace.extension().is_some_and(|ending| ending == "zst") {
        let mut out = fs::File::create(&copy).unwrap();
        zstd::stream::copy_decode(fs::File::open(trace).unwrap(), &mut out).unwrap();
    } else {
        fs::copy(trace, &copy).unwrap();
    }
    let print = |words: &[&str]| {
        let output = Command::new(nsys).arg("stats").args(words).arg(&copy).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let asked = print(&["--help-reports"]);
    let names = if asked.contains("cuda_api_sum") { NEWER } else { OLDER }.join(",");
    let base = folder.path().join("r").display().to_string();
    fs::write(folder.path().join("text.txt"), print(&["-r", &names])).unwrap();
    print(&["-r", &names, "-f", "csv", "-o", &base]);
    let mut csv: Vec<PathBuf> =
        fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect();
    csv.retain(|path| path.extension().is_some_and(|ending| ending == "csv"));
    csv.sort();
    assert_eq!(csv.len(), 3, "{csv:?}");

    let whole = run(&["analyze", copy.to_str().unwrap(), "-w", "all", "--format", "json"]);
    let whole: Value = serde_json::from_str(&whole.out).unwrap();
    let import = |paths: &[&str]| -> Value {
        let said = run(&[&["import-stats", "--format", "json"], paths].concat());
        assert_eq!(said.code, 0, "{}", said.err);
        serde_json::from_str(&said.out).unwrap()
    };
    let csv: Vec<&str> = csv.iter().map(|path| path.to_str().unwrap()).collect();
    let csv = import(&csv);
    assert_eq!(sums(&csv), sums(&whole), "{}", trace.display());
    let text = import(&[folder.path().join("text.txt").to_str().unwrap()]);
    for block in ["api", "kernels"] {
        let total = |document: &Value| document[block]["total_ns"].clone();
        assert_eq!(total(&text), total(&whole), "{block} of {}", trace.display());
    }
    assert!(!codes(&text).contains(&"shares-disagree"), "{:?}", codes(&text));
}

#[test]
fn sums_are_those_of_the_whole_trace() {
    let Some(nsys) = real_nsys("nsys stats against analyze") else { return };
    nsys_agrees(&nsys, Path::new("fixtures/traces/wno-request/eager-450.sqlite.zst"));
    for name in [
        "resnet-pytorch-a4500-nsys2024.6-nvtx",
        "cloverleaf-a100-nsys2024.5",
        "saxpy-mpi-a100-nsys2022.2-cudabacktrace",
        "unifiedmem-rtx3060-nsys2024.5",
    ] {
        if let Some(trace) = shared_trace(name) {
            nsys_agrees(&nsys, &trace);
        }
    }
}

/// A file of the published tables; they stay outside the repository.
fn published(name: &str) -> Option<String> {
    let path = shared_folder().map(|folder| folder.join("traces/nsys-stats").join(name));
    let path = path.filter(|path| path.is_file());
    if path.is_none() {
        skipped(&format!("{name}: no folder of shared traces (set NSYS_ATTRIB_SHARED)"));
    }
    path.map(|path| path.display().to_string())
}

#[test]
fn the_published_dense_operator_gives_its_published_shares() {
    let Some(path) = published("wno-darcy141-orinnano-nsys2024.5.stats.txt") else { return };
    let said = run(&["import-stats", &path, "--format", "json"]);
    let found: Value = serde_json::from_str(&said.out).unwrap();
    let launch = &found["api"]["by_name"][0];
    assert_eq!(
        (launch["name"].as_str(), launch["calls"].as_u64()),
        (Some("cudaLaunchKernel"), Some(78_163))
    );
    let percent = |share: &Value| format!("{:.1}", share.as_f64().unwrap() * 100.0);
    assert_eq!(percent(&launch["share"]), "77.9");
    let groups = found["kernels"]["groups"].as_array().unwrap();
    let group = groups.iter().find(|group| group["name"] == "dense-convolution").unwrap();
    let readings: Vec<(&str, String)> = group["readings"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reading| (reading["name"].as_str().unwrap(), percent(&reading["share"])))
        .collect();
    let wanted = [("narrow", "1.1"), ("strict", "54.7"), ("arithmetic", "67.1"), ("wide", "80.6")];
    assert_eq!(readings, wanted.map(|(name, share)| (name, share.to_owned())));
    assert!(codes(&found).contains(&"names-cut"));
}

#[test]
fn text_and_csv_of_one_published_capture_agree() {
    let stem = "deeponet-darcy141-orinnano-nsys2024.5";
    let Some(text) = published(&format!("{stem}.stats.txt")) else { return };
    let csv = ["cuda_api_sum", "cuda_gpu_kern_sum", "nvtx_sum"]
        .map(|report| published(&format!("{stem}.{report}.csv")).unwrap());
    let import = |paths: &[&str]| -> Value {
        let said = run(&[&["import-stats", "--format", "json"], paths].concat());
        serde_json::from_str(&said.out).unwrap()
    };
    let text = import(&[&text]);
    let csv = import(&csv.each_ref().map(String::as_str));
    assert_eq!(text["api"], csv["api"]);
    let kernels = |document: &Value| document["kernels"]["total_ns"].clone();
    assert_eq!(kernels(&text), kernels(&csv));
    // The text cut the names of 200 copying kernels before the word that says so.
    let of_class = |document: &Value, class: &str| {
        let all = document["kernels"]["by_class"].as_array().unwrap();
        all.iter().find(|one| one["class"] == class).unwrap()["count"].as_u64().unwrap()
    };
    assert_eq!((of_class(&text, "copy"), of_class(&csv, "copy")), (201, 401));
    assert_eq!((of_class(&text, "elementwise"), of_class(&csv, "elementwise")), (1_210, 1_010));
    assert!(codes(&text).contains(&"names-cut") && !codes(&csv).contains(&"names-cut"));
    let range =
        csv["imported"]["rows"].as_array().unwrap().iter().find(|row| row["report"] == "nvtx_sum");
    assert_eq!(range.unwrap()["total_ns"], 814_610_688);
    // A part of the capture, printed with a filter under another name, is not mixed in silently.
    let filtered = published(&format!("{stem}.kern_sum.nvtx-filtered.csv")).unwrap();
    let calls = published(&format!("{stem}.cuda_api_sum.csv")).unwrap();
    let mixed = import(&[&calls, &filtered]);
    assert!(codes(&mixed).contains(&"counts-disagree"), "{:?}", codes(&mixed));
    assert!(!codes(&csv).contains(&"counts-disagree"), "{:?}", codes(&csv));
    for name in ["fno", "sp2gno"] {
        let path = published(&format!("{name}-darcy141-orinnano-nsys2024.5.stats.txt")).unwrap();
        let found = import(&[&path]);
        assert!(found["api"]["launch"]["share"].as_f64().is_some(), "{name}");
        assert!(!codes(&found).contains(&"shares-disagree"), "{name}: {:?}", codes(&found));
    }
}
