//! From the lines of files to reports with tables of cells.
//!
//! ```text
//!   Processing [x.sqlite] with [/opt/…/2024.5.4/…/reports/cuda_api_sum.py](base)...    name, options, version
//!   [4/8] Executing 'cuda_api_sum' stats report                                        name
//!   SKIPPED: x.sqlite does not contain CUDA trace data.                                no table, and why
//!    ** CUDA API Summary (cuda_api_sum):                                               title and name
//!    Time (%)  Total Time (ns)  …  Name                 columns: cut at the dashes below the header
//!    --------  ---------------  …  -------
//!   +----------+                                        a box: cut at the bars
//!   Time (%),Total Time (ns),…,Name                     CSV: with commas, semicolons or tabs
//! ```
//! A table ends at an empty line or where the next report begins.

use std::sync::LazyLock;

use regex::Regex;

use super::report::{self, Kind};
use super::{StatsError, StatsFile};

/// Everything that the files hold.
#[derive(Debug, Default)]
pub(super) struct Printed {
    /// What nsys was given.
    pub(super) capture: Option<String>,
    /// The version of nsys that printed.
    pub(super) version: Option<String>,
    pub(super) reports: Vec<Report>,
}

/// One report.
#[derive(Debug)]
pub(super) struct Report {
    pub(super) name: String,
    pub(super) kind: Kind,
    pub(super) options: Option<String>,
    pub(super) path: String,
    /// Of the header or the notice, from 1.
    pub(super) line: usize,
    /// Its table, or why there is none.
    pub(super) table: Result<Table, String>,
}

/// Cells as they were printed.
#[derive(Debug, Default)]
pub(super) struct Table {
    pub(super) header: Vec<String>,
    pub(super) rows: Vec<Row>,
    /// Whether names may be cut, as in text tables.
    pub(super) is_text: bool,
}

/// One row.
#[derive(Debug)]
pub(super) struct Row {
    pub(super) line: usize,
    pub(super) cells: Vec<String>,
}

static PROCESSING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^Processing \[(.*?)\] with \[(.*?)\](?:\(([^)]*)\))?(?: to \[.*\])?").ok()
});
static EXECUTING: LazyLock<Option<Regex>> =
    LazyLock::new(|| Regex::new(r"^\[\d+/\d+\] Executing '([A-Za-z0-9_]+)(?::([^']*))?'").ok());
static TITLE: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"^\s*(?:\*\* )?(.*?)(?: \(([a-z0-9_]+)(?::([^()]*))?\))?:\s*$").ok()
});
static VERSION: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?i)nsight[-_ ]systems[-_/ ](?:cli[-_/])?(20\d\d\.\d+\.\d+)").ok()
});

fn find<'t>(pattern: &LazyLock<Option<Regex>>, text: &'t str) -> Option<regex::Captures<'t>> {
    pattern.as_ref().and_then(|pattern| pattern.captures(text))
}

/// What was said of the next table.
#[derive(Clone, Debug, Default)]
struct Announced {
    name: Option<String>,
    options: Option<String>,
}

impl Printed {
    /// Adds the reports of a file.
    pub(super) fn add(&mut self, file: &StatsFile) -> Result<(), StatsError> {
        let by_file = report::by_file(&file.path);
        if file.bytes.iter().all(u8::is_ascii_whitespace) {
            // nsys leaves an empty file where a report has no data.
            if let Some((name, options)) = by_file {
                let announced = Announced { name: Some(name.to_owned()), options };
                self.push(file, &announced, 1, Err("nsys wrote an empty file".to_owned()));
                return Ok(());
            }
            return Err(StatsError::Empty { path: file.path.clone() });
        }
        let text = decode(&file.bytes);
        let lines: Vec<&str> = text.lines().collect();
        let known = self.reports.len();
        let mut announced = Announced::default();
        let mut at = 0;
        while at < lines.len() {
            at = self.line(file, &lines, at, &mut announced)?;
        }
        if self.reports.len() == known {
            let hint = hint(&file.bytes);
            return Err(StatsError::NotStats { path: file.path.clone(), hint });
        }
        Ok(())
    }

    /// Takes what begins at a line; gives the line after it.
    fn line(
        &mut self,
        file: &StatsFile,
        lines: &[&str],
        at: usize,
        announced: &mut Announced,
    ) -> Result<usize, StatsError> {
        let line = lines[at];
        if let Some(found) = find(&PROCESSING, line) {
            self.processing(&found)?;
            let stem = found[2].rsplit(['/', '\\']).next().unwrap_or_default();
            announced.name = Some(stem.trim_end_matches(".py").to_owned());
            announced.options = found.get(3).map(|options| options.as_str().to_owned());
        } else if let Some(found) = find(&EXECUTING, line) {
            announced.name = Some(found[1].to_owned());
            announced.options = found.get(2).map(|options| options.as_str().to_owned());
        } else if let Some(why) = line.strip_prefix("SKIPPED: ") {
            let announced = std::mem::take(announced);
            self.push(file, &announced, at + 1, Err(why.trim().to_owned()));
        } else if let Some(why) = line.strip_prefix("ERROR: ").filter(|_| announced.name.is_some())
        {
            let announced = std::mem::take(announced);
            self.push(file, &announced, at + 1, Err(why.trim().to_owned()));
        } else if let Some((table, end)) = table_at(lines, at) {
            let announced = std::mem::take(announced);
            self.push(file, &announced, at + 1, Ok(table));
            return Ok(end);
        } else if let Some(found) = find(&TITLE, line) {
            let named = found.get(2).map(|name| name.as_str().to_owned());
            let by_title = || report::by_title(found[1].trim()).map(str::to_owned);
            if let Some(name) = named.or_else(by_title) {
                // The notice before may know options that the title does not repeat.
                let options = found.get(3).map(|options| options.as_str().to_owned());
                if announced.name.as_ref() != Some(&name) || options.is_some() {
                    announced.options = options;
                }
                announced.name = Some(name);
            }
        }
        Ok(at + 1)
    }

    fn processing(&mut self, found: &regex::Captures<'_>) -> Result<(), StatsError> {
        let capture = found[1].to_owned();
        match &self.capture {
            Some(known) if *known != capture => {
                return Err(StatsError::Captures { first: known.clone(), second: capture });
            }
            _ => self.capture = Some(capture),
        }
        if let Some(version) = find(&VERSION, &found[2]) {
            self.version = Some(version[1].to_owned());
        }
        Ok(())
    }

    fn push(
        &mut self,
        file: &StatsFile,
        announced: &Announced,
        line: usize,
        table: Result<Table, String>,
    ) {
        let by_file = report::by_file(&file.path);
        let of_columns = || table.as_ref().ok().and_then(by_columns);
        let (name, options) = match (&announced.name, by_file) {
            (Some(name), _) => (name.clone(), announced.options.clone()),
            (None, Some((name, options))) => (name.to_owned(), options),
            (None, None) => (of_columns().unwrap_or("unknown").to_owned(), None),
        };
        self.reports.push(Report {
            kind: report::kind(&name),
            name,
            options,
            path: file.path.clone(),
            line,
            table,
        });
    }
}

/// The report that prints such columns; CUDA calls and those of the operating system look the same,
/// but for the names.
fn by_columns(table: &Table) -> Option<&'static str> {
    let has = |names: &[&str]| {
        table.header.iter().any(|column| names.contains(&super::tabular::key(column).0.as_str()))
    };
    let last = |row: &Row| row.cells.last().is_some_and(|name| name.starts_with("cu"));
    if !has(&["totaltime"]) {
        return None;
    }
    Some(match () {
        () if has(&["category"])
            && table.rows.iter().any(|row| row.cells.iter().any(|c| c == "CUDA_API")) =>
        {
            "cuda_api_gpu_sum"
        }
        () if has(&["category"]) => "cuda_gpu_sum",
        () if has(&["range"]) => "nvtx_sum",
        () if has(&["operation"]) => "cuda_gpu_mem_time_sum",
        () if has(&["instances"]) && has(&["gridxyz"]) => "cuda_gpu_kern_gb_sum",
        () if has(&["instances"]) => "cuda_gpu_kern_sum",
        () if has(&["numcalls", "calls"]) && table.rows.iter().any(last) => "cuda_api_sum",
        () => return None,
    })
}

fn decode(bytes: &[u8]) -> String {
    // A shell of Windows writes UTF-16 with a mark; older tables are in its code page.
    if let Some((encoding, mark)) = encoding_rs::Encoding::for_bom(bytes) {
        return encoding.decode_without_bom_handling(&bytes[mark..]).0.into_owned();
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => encoding_rs::WINDOWS_1252.decode_without_bom_handling(bytes).0.into_owned(),
    }
}

fn hint(bytes: &[u8]) -> String {
    let is_trace = bytes.starts_with(b"SQLite format 3\0")
        || bytes.starts_with(b"NVIDIA Tegra Profiler Report")
        || bytes.starts_with(b"\x28\xb5\x2f\xfd");
    if is_trace {
        return "; it is a trace: `nsys-attrib analyze` reads it, and says more".to_owned();
    }
    if bytes.trim_ascii_start().starts_with(b"{") || bytes.trim_ascii_start().starts_with(b"[") {
        return "; JSON is not read: print the reports with `nsys stats --format csv`".to_owned();
    }
    String::new()
}

/// The table that begins at a line, and the line after it.
fn table_at(lines: &[&str], at: usize) -> Option<(Table, usize)> {
    let below = lines.get(at + 1).copied().unwrap_or_default();
    if is_rule(below) && lines[at].contains("Time") {
        return Some(columns(lines, at));
    }
    if lines[at].trim_start().starts_with("+--") && below.trim_start().starts_with('|') {
        return Some(boxed(lines, at));
    }
    separated(lines, at)
}

/// A line of groups of dashes.
fn is_rule(line: &str) -> bool {
    let mut groups = line.split_whitespace();
    line.matches("--").count() > 0 && groups.all(|group| group.bytes().all(|b| b == b'-'))
}

fn ends(line: &str) -> bool {
    line.trim().is_empty() || line.starts_with("Processing [") || find(&EXECUTING, line).is_some()
}

fn columns(lines: &[&str], at: usize) -> (Table, usize) {
    let spans = spans(lines[at + 1]);
    let cut = |line: &str| -> Vec<String> {
        let chars: Vec<char> = line.chars().collect();
        let cell = |(i, (from, to)): (usize, &(usize, usize))| {
            // The last column is the name, which ends with the line.
            let to = if i + 1 == spans.len() { chars.len() } else { (*to).min(chars.len()) };
            let from = (*from).min(to);
            chars[from..to].iter().collect::<String>().trim().to_owned()
        };
        spans.iter().enumerate().map(cell).collect()
    };
    let body = lines[at + 2..].iter().take_while(|line| !ends(line));
    let rows: Vec<Row> =
        body.enumerate().map(|(i, line)| Row { line: at + 3 + i, cells: cut(line) }).collect();
    let end = at + 2 + rows.len();
    (Table { header: cut(lines[at]), rows, is_text: true }, end)
}

/// Where the groups of dashes begin and end, in characters.
fn spans(rule: &str) -> Vec<(usize, usize)> {
    let mut found: Vec<(usize, usize)> = Vec::new();
    for (i, c) in rule.chars().enumerate().filter(|(_, c)| *c == '-') {
        debug_assert_eq!(c, '-');
        match found.last_mut() {
            Some((_, to)) if *to == i => *to = i + 1,
            _ => found.push((i, i + 1)),
        }
    }
    found
}

fn boxed(lines: &[&str], at: usize) -> (Table, usize) {
    let bars: Vec<usize> =
        lines[at].chars().enumerate().filter(|(_, c)| *c == '+').map(|(i, _)| i).collect();
    let cut = |line: &str| -> Vec<String> {
        let chars: Vec<char> = line.chars().collect();
        let cell = |pair: &[usize]| {
            let (from, to) = ((pair[0] + 1).min(chars.len()), pair[1].min(chars.len()));
            chars[from..to.max(from)].iter().collect::<String>().trim().to_owned()
        };
        bars.windows(2).map(cell).collect()
    };
    let mut table = Table { header: cut(lines[at + 1]), rows: Vec::new(), is_text: true };
    let mut end = at + 2;
    for line in &lines[at + 2..] {
        if line.trim_start().starts_with('|') {
            table.rows.push(Row { line: end + 1, cells: cut(line) });
        } else if !line.trim_start().starts_with("+--") {
            break;
        }
        end += 1;
    }
    (table, end)
}

fn separated(lines: &[&str], at: usize) -> Option<(Table, usize)> {
    let head = lines[at];
    let first = head.trim_start_matches('"');
    let known = ["Time (%)", "Time(%)", "Total Time", "Total (", "Start (", "PID", "NVTX Range"];
    if !known.iter().any(|word| first.starts_with(word)) {
        return None;
    }
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|mark| head.bytes().filter(|byte| byte == mark).count())?;
    let end = at + 1 + lines[at + 1..].iter().take_while(|line| !ends(line)).count();
    let text = lines[at..end].join("\n");
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .from_reader(text.as_bytes());
    let mut rows = reader.records().filter_map(Result::ok).map(|record| {
        let line = record.position().map_or(0, |place| place.line() as usize);
        Row { line: at + line, cells: record.iter().map(|cell| cell.trim().to_owned()).collect() }
    });
    let header = rows.next()?.cells;
    (header.len() > 2).then(|| (Table { header, rows: rows.collect(), is_text: false }, end))
}
