//! What must be known before imported sums are believed: what they lack, names that the table cut, rows
//! that are missing, and what nsys itself counts twice.

use super::choose::{Choice, Chosen};
use super::report::Kind;
use super::scan::Printed;
use super::tabular::Sum;
use crate::attribution::document::{Api, Kernels};
use crate::finding::{Finding, Severity};
use crate::units::{Nanos, Share, plain};

/// Shares are printed with one decimal.
const ROUNDING: f64 = 0.06;

/// Launches and kernels of one capture may differ by this share before it is said: a launch may fail, and a
/// capture may end between the two.
const COUNTS: f64 = 0.01;

/// Tables of one capture have a kernel for each launch. Graphs launch many at once, and what is launched
/// while a stream is captured does not run: with either, the counts say nothing.
pub(super) fn counts_disagree(api: &Api, kernels: &Kernels) -> Option<Finding> {
    let graphs = api
        .by_name
        .iter()
        .any(|one| ["GraphLaunch", "BeginCapture"].iter().any(|word| one.name.contains(word)));
    let (launches, count) = (api.launch.calls, kernels.count);
    let apart = launches.abs_diff(count) as f64;
    if graphs || launches == 0 || count == 0 || apart <= COUNTS * launches.max(count) as f64 {
        return None;
    }
    let finding = Finding::new(
        "counts-disagree",
        Severity::Warning,
        format!(
            "the table of calls has {launches} launches, the table of kernels {count} kernels: one of them is not of the whole \
             capture (printed with a filter, by range or time), or they are of two captures"
        ),
        "print both tables of the same capture without a filter; until then compare neither with the other, nor with a whole capture",
    );
    Some(finding.with("launches", launches).with("kernels", count))
}

/// Everything but what the sums themselves tell.
pub(super) fn findings(
    printed: &Printed,
    choice: &Choice,
    kernels: Option<&Kernels>,
) -> Vec<Finding> {
    let mut found = vec![limited()];
    found.extend(absent(printed, choice));
    let all = [&choice.api, &choice.kernels, &choice.copies];
    for chosen in all.into_iter().flatten() {
        found.extend(shares_disagree(printed, chosen));
        found.extend(filtered(printed, chosen));
    }
    found.extend(rounded(choice));
    if let (Some(chosen), Some(kernels)) = (&choice.kernels, kernels) {
        found.push(by_name_only());
        found.extend(names_cut(chosen, kernels));
        found.extend(short_names(chosen));
    }
    found
}

fn limited() -> Finding {
    Finding::new(
        "imported-sums",
        Severity::Warning,
        "sums of a whole capture as `nsys stats` printed them, with start-up, loading of modules and warm-up in them: no windows, \
         latency, API cover, GPU busy, idle causes or verdict, since the tables hold no times of single events",
        "where the .nsys-rep or .sqlite still exists, `nsys-attrib analyze` with --window says what happens inside a request",
    )
}

/// Blocks that are null, and why.
fn absent(printed: &Printed, choice: &Choice) -> Vec<Finding> {
    let blocks = [
        ("CUDA calls", "cuda_api_sum", Kind::Api, choice.api.is_none(), Severity::Warning),
        (
            "kernels",
            "cuda_gpu_kern_sum",
            Kind::Kernels,
            choice.kernels.is_none(),
            Severity::Warning,
        ),
        (
            "copies",
            "cuda_gpu_mem_time_sum",
            Kind::MemoryTime,
            choice.copies.is_none(),
            Severity::Info,
        ),
    ];
    let absent = blocks.into_iter().filter(|(_, _, _, missing, _)| *missing);
    absent
        .map(|(what, report, kind, _, severity)| {
            let printed = printed.reports.iter().find(|report| report.kind == kind);
            let message = match printed.map(|report| report.table.as_ref().err()) {
                Some(Some(why)) => format!("no sums of {what}: nsys says “{}”", plain(why, 200)),
                Some(None) => format!("no sums of {what}: the table has no rows"),
                None => format!("no sums of {what}: the files hold no report {report}"),
            };
            Finding::new(
                "report-missing",
                severity,
                message,
                format!("print {report} of the same capture too, if it recorded {what}"),
            )
        })
        .collect()
}

/// The printed shares of a whole table are those of its sums.
fn shares_disagree(printed: &Printed, chosen: &Chosen) -> Option<Finding> {
    let total: i64 = chosen.rows.iter().map(|sum| sum.row.total_ns.as_ns()).sum();
    if !chosen.alone || total <= 0 {
        return None;
    }
    let share = |sum: &Sum| sum.row.total_ns.as_ns() as f64 / total as f64 * 100.0;
    let off = |sum: &Sum| Some((sum.percent? - share(sum)).abs());
    let worst = chosen.rows.iter().filter_map(|sum| Some((off(sum)?, sum)));
    let (off, sum) = worst.max_by(|a, b| a.0.total_cmp(&b.0)).filter(|(off, _)| *off > ROUNDING)?;
    let report = &printed.reports[chosen.report];
    let finding = Finding::new(
        "shares-disagree",
        Severity::DataLoss,
        format!(
            "{}: the table says {:.1} % for `{}`, its rows add up to {:.1} %: rows are missing, or were edited",
            plain(&report.name, 40),
            sum.percent.unwrap_or_default(),
            plain(&sum.row.name, 80),
            share(sum)
        ),
        "import the whole table",
    );
    Some(finding.with("points", off).with("rows", chosen.rows.len()))
}

fn filtered(printed: &Printed, chosen: &Chosen) -> Option<Finding> {
    let report = &printed.reports[chosen.report];
    let options = report.options.as_deref()?;
    if !["nvtx=", "start=", "end=", "filter"].iter().any(|word| options.contains(word)) {
        return None;
    }
    Some(Finding::new(
        "filtered-report",
        Severity::Warning,
        format!(
            "{} was printed for a part of the capture only ({})",
            plain(&report.name, 40),
            plain(options, 80)
        ),
        "say so beside the numbers, and compare with the same part only",
    ))
}

fn rounded(choice: &Choice) -> Option<Finding> {
    let all = [&choice.api, &choice.kernels, &choice.copies];
    let unit = all.into_iter().flatten().find_map(|chosen| chosen.rounded_to.as_deref())?;
    Some(Finding::new(
        "rounded-times",
        Severity::Info,
        format!("times were printed in {} and are rounded", plain(unit, 10)),
        "print them in ns (--timeunit ns) for sums that are exact",
    ))
}

fn by_name_only() -> Finding {
    Finding::new(
        "classes-by-name-only",
        Severity::Info,
        "kernels have the class of their name alone: the order of launches, which tells the products inside an FFT convolution \
         and the loops of a grouped one, is not in the tables",
        "name the trace where it exists; docs/kernel-classes.md has the rules of context",
    )
}

/// A rule that looks at the end of a name cannot see what was cut.
fn names_cut(chosen: &Chosen, kernels: &Kernels) -> Option<Finding> {
    let cut: Vec<&Sum> = chosen.rows.iter().filter(|sum| sum.row.name_cut).collect();
    if cut.is_empty() {
        return None;
    }
    let time: Nanos = cut.iter().map(|sum| sum.row.total_ns).sum();
    let share = Share::of(time.as_ns(), kernels.total_ns.as_ns());
    let mut classes: Vec<(&str, i64)> = Vec::new();
    for kernel in &kernels.by_name {
        if cut.iter().any(|sum| sum.row.name == kernel.name) {
            match classes.iter_mut().find(|(class, _)| *class == kernel.class) {
                Some((_, ns)) => *ns += kernel.time_ns.as_ns(),
                None => classes.push((&kernel.class, kernel.time_ns.as_ns())),
            }
        }
    }
    classes.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(b.0)));
    let percent = |ns: i64| {
        Share::of(ns, kernels.total_ns.as_ns()).map_or_else(|| "–".to_owned(), |s| s.to_string())
    };
    let list: Vec<String> =
        classes.iter().take(5).map(|(class, ns)| format!("{class} {}", percent(*ns))).collect();
    let more = if classes.len() > 5 { " and others" } else { "" };
    let finding = Finding::new(
        "names-cut",
        Severity::Warning,
        format!(
            "the table cut {} of {} kernel names, {} of kernel time: a class may rest on the part that was cut, and kernels that \
             differ there only are one; classes of cut names: {}{more}",
            cut.len(),
            chosen.rows.len(),
            share.map_or_else(|| "–".to_owned(), |share| share.to_string()),
            list.join(", ")
        ),
        "print the report as CSV, which cuts nothing, or with --format column:colmax=0",
    );
    let finding = finding.with("names", cut.len()).with("time_ns", time);
    Some(match share {
        Some(share) => finding.with("share", share),
        None => finding,
    })
}

/// Rules look at parameters and template arguments.
fn short_names(chosen: &Chosen) -> Option<Finding> {
    let demangled = chosen.rows.iter().any(|sum| sum.row.name.contains(['(', '<']));
    let mangled = chosen.rows.iter().filter(|sum| sum.row.name.starts_with("_Z")).count();
    if demangled || chosen.rows.is_empty() {
        return None;
    }
    let (what, count) =
        if mangled > 0 { ("mangled", mangled) } else { ("short", chosen.rows.len()) };
    Some(
        Finding::new(
            "short-kernel-names",
            Severity::Warning,
            format!("{count} kernel names are {what}: classes that rest on parameters or template arguments are not found"),
            "print the report without `:base` and `:mangled`; if these names are all there is, the classes stand",
        )
        .with("names", count),
    )
}

/// Rows that count calls a second time were left out.
pub(super) fn twins(rows: usize, time: Nanos) -> Finding {
    Finding::new(
        "backtrace-twins-dropped",
        Severity::Warning,
        format!(
            "{rows} functions were listed twice with the same count and almost the same time: nsys counted the backtrace copies of \
             calls, which last {time}; the shorter row of each pair counts"
        ),
        "shares that `nsys stats` printed of this capture are too small",
    )
    .with("rows", rows)
    .with("time_ns", time)
}
