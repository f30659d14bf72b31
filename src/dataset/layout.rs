//! Which tables does a dataset hold, and what does each column mean?
//!
//! The contract with every engine that reads the files: `docs/dataset.md` is made from this list, and
//! `dataset check` holds each file against it. Tables are tidy: one row is one window × one item, units
//! stand in the column names (`_ns`, `_mj`, `_mw`, `_bytes`, `_share` for 0..1), missing is NULL and never 0.
//! Four types only, which all engines agree on.

/// The version of the layout: changes when a column changes its meaning or goes away. Columns may be added.
pub const LAYOUT: u32 = 1;
/// The column that names of folders give: when a trace was captured, `2026-11`, or `unknown`.
pub const MONTH: &str = "month";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// UTF-8 text.
    Text,
    /// A signed integer of 64 bits.
    Int,
    /// A float of 64 bits.
    Float,
    /// True or false.
    Bool,
}

impl Kind {
    /// As SQL calls it.
    pub const fn sql(self) -> &'static str {
        match self {
            Self::Text => "VARCHAR",
            Self::Int => "BIGINT",
            Self::Float => "DOUBLE",
            Self::Bool => "BOOLEAN",
        }
    }
}

/// One column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, with the unit.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// What it means.
    pub what: &'static str,
}

/// One table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name, which is that of its folder.
    pub name: &'static str,
    /// What a row is.
    pub row: &'static str,
    /// The columns, in order.
    pub columns: &'static [Column],
}

const fn text(name: &'static str, what: &'static str) -> Column {
    Column { name, kind: Kind::Text, what }
}
const fn int(name: &'static str, what: &'static str) -> Column {
    Column { name, kind: Kind::Int, what }
}
const fn float(name: &'static str, what: &'static str) -> Column {
    Column { name, kind: Kind::Float, what }
}
const fn flag(name: &'static str, what: &'static str) -> Column {
    Column { name, kind: Kind::Bool, what }
}

const RUN: Column = text("run_id", "the analysis, as in `runs`");
const WINDOW: Column = int(
    "window_index",
    "the window, as in `windows`; NULL when the row stands for all windows of the analysis together",
);

/// The tables, in the order in which they are written; `runs` is what the others refer to.
pub const TABLES: [Table; 11] =
    [WINDOWS, API, KERNELS, BUSY, IDLE, COPIES, ENERGY, FINDINGS, TAGS, DOCUMENTS, RUNS];

/// The table of a name.
pub fn table(name: &str) -> Option<&'static Table> {
    TABLES.iter().find(|table| table.name == name)
}

/// One analysis: one input and one window specification.
pub const RUNS: Table = Table {
    name: "runs",
    row: "one analysis: one input × one window specification; or one input that could not be analysed",
    columns: &[
        text(
            "run_id",
            "its identity: hash of the input's content and of the options, and a number",
        ),
        text("input_id", "the same for every analysis that was made from one input"),
        text("status", "`ok`, or `failed` for an input that could not be analysed"),
        text("error", "why it could not; NULL when it could"),
        text("input_path", "the input, as it was named"),
        text("input_kind", "`trace`, `run` (folder), `analysis` or `energy` (documents)"),
        text(
            "input_sha256",
            "of the file that was named; of names and hashes of its files for a run folder",
        ),
        text("options", "what was asked, as JSON"),
        text("tool_version", "version of nsys-attrib that made the analysis"),
        text("window_spec", "the window specification"),
        text("rule", "which operations belong to a window: `launched`, `started`, `overlap`"),
        text("trace_path", "the trace, as the analysis names it"),
        text("trace_sha256", "of the trace"),
        text("nsys_version", "version of nsys that exported the trace"),
        text("trace_schema_version", "version of the export's schema"),
        int(
            "captured_unix_ns",
            "wall clock at trace time 0; of a run without a trace the start of its first request",
        ),
        text("captured_utc", "the same as RFC 3339 in UTC, to the second; sorts by time"),
        int("duration_ns", "length of the collection"),
        text("gpu", "names of the GPUs, joined by `; `"),
        text("program", "the program, as its sidecar or manifest says"),
        text("stack", "its software stack"),
        text("device", "what it computed on"),
        text("model", "the model"),
        text("checkpoint", "the trained weights"),
        text("path", "`reference` or `request`"),
        text("driver", "version of the driver"),
        text("cuda", "version of CUDA"),
        text("power_mode", "power mode of the board"),
        int("windows", "instances"),
        int("total_ns", "their summed length"),
        int("union_ns", "time covered by at least one"),
        int("mean_ns", "mean length"),
        int("stddev_ns", "standard deviation (n − 1)"),
        int("min_ns", "shortest"),
        int("p50_ns", "median length"),
        int("p90_ns", "90th percentile"),
        int("p95_ns", "95th percentile"),
        int("p99_ns", "99th percentile"),
        int("max_ns", "longest"),
        float("contained_share", "share of the launched work that ran inside its own window"),
        int("api_ns", "CUDA API time; NULL without an API table"),
        int("api_calls", "API calls"),
        float("api_cover_share", "part of the wall inside any API call"),
        int("launch_ns", "time of the launch family"),
        int("launch_calls", "its calls"),
        int("launch_blocked_ns", "time of launches that waited because the queue was full"),
        int("kernel_ns", "counted kernel time; NULL without a kernel table"),
        int("kernels", "counted kernels"),
        int("orphan_kernels", "kernels inside windows whose call is not in the export"),
        int("launch_delay_p50_ns", "median time from a kernel's launch call to its start"),
        int("launch_delay_p95_ns", "95th percentile of it"),
        int("busy_ns", "time in which the GPU was busy; NULL without any GPU table"),
        int("idle_ns", "the rest of the windows"),
        int("foreign_busy_ns", "time in which another process used the same devices"),
        text("verdict", "what bounds the windows: `launch-bound`, `gpu-bound`, …"),
        int("findings", "doubts, as in `findings`"),
        text("worst_severity", "the most severe of them"),
    ],
};

/// One window.
pub const WINDOWS: Table = Table {
    name: "windows",
    row: "one window",
    columns: &[
        RUN,
        int("window_index", "its number in time order"),
        text("label", "the range's message, or what stands for it"),
        int("process", "process id of its owner"),
        int("thread", "thread id of its owner"),
        int("start_ns", "start, on trace time"),
        int("start_unix_ns", "start on the wall clock; NULL when the export has none"),
        int("length_ns", "its length"),
        int("calls", "CUDA API calls that meet it; NULL without an API table"),
        int("api_ns", "their time inside it"),
        int("launches", "launch-family calls among them"),
        int("launch_ns", "their time inside it"),
        int("kernels", "counted kernels; NULL without a kernel table"),
        int("kernel_ns", "their counted time"),
        int("busy_ns", "GPU busy time; NULL without any GPU table"),
        int("idle_ns", "GPU idle time"),
    ],
};

/// Calls by window and function.
pub const API: Table = Table {
    name: "api",
    row: "one window × one CUDA API function that occurs in it",
    columns: &[
        RUN,
        WINDOW,
        text("name", "the function, without a version suffix"),
        flag("launches", "whether it belongs to the launch family"),
        int("calls", "calls that meet the window"),
        int("time_ns", "their time inside it"),
        int("self_ns", "the same without calls nested on the same thread"),
    ],
};

/// Kernels by window and name.
pub const KERNELS: Table = Table {
    name: "kernels",
    row: "one window × one kernel (name and class) that counts in it",
    columns: &[
        RUN,
        WINDOW,
        text("name", "the demangled name"),
        text("class", "its class, `family/kind`"),
        int("count", "how many the rule counts"),
        int("time_ns", "their counted time; a sum, which exceeds busy time where kernels overlap"),
    ],
};

/// Busy time by window and class.
pub const BUSY: Table = Table {
    name: "busy",
    row: "one window × one class of kernels, `transfer` or `graph`, that kept the GPU busy in it",
    columns: &[
        RUN,
        WINDOW,
        text("class", "each busy instant belongs to the operation that started first"),
        int("busy_ns", "adds up to `windows.busy_ns`"),
    ],
};

/// Idle time by window and cause.
pub const IDLE: Table = Table {
    name: "idle",
    row: "one window × one cause for which the GPU was idle in it",
    columns: &[
        RUN,
        WINDOW,
        text(
            "cause",
            "`none`, `head`, `tail`, `launch`, `queue`, `api`, `sync`, `host`, `unknown`",
        ),
        int("idle_ns", "adds up to `windows.idle_ns`"),
        int(
            "dispatch_ns",
            "of `host`: the part in gaps under 1 ms between consecutive calls; NULL elsewhere",
        ),
    ],
};

/// Copies by window and kind.
pub const COPIES: Table = Table {
    name: "copies",
    row: "one window × one kind of copy or memset",
    columns: &[
        RUN,
        WINDOW,
        text("kind", "`Host-to-Device`, `Memset`, …"),
        int("count", "how many the rule counts"),
        int("time_ns", "their counted time"),
        int("moved_bytes", "what they moved"),
    ],
};

/// Energy per window, by rail.
pub const ENERGY: Table = Table {
    name: "energy",
    row: "one analysis × one rail of a power log; energies are means per window",
    columns: &[
        RUN,
        text("rail", "the rail, or the rails that were added up"),
        text("source", "the format of the log"),
        text("estimator", "how it was estimated; NULL when refused before one was chosen"),
        text("traced", "`traced` when nsys traced meanwhile, else `untraced`"),
        int("windows_used", "windows that entered the estimate"),
        float("total_mj", "mean energy of a window; NULL when refused"),
        float("total_low_mj", "lower end of its 95 % interval"),
        float("total_high_mj", "upper end"),
        float("dynamic_mj", "the same above idle power"),
        float("dynamic_low_mj", "lower end of its 95 % interval"),
        float("dynamic_high_mj", "upper end"),
        float("systematic_mj", "systematic uncertainty"),
        float("mean_power_mw", "mean power inside the windows"),
        float("idle_mw", "idle power"),
        float("coverage_share", "integrated time between readings that are close enough"),
        int("samples_inside", "readings inside the windows"),
        text("refused", "code of the reason why there is no energy; NULL when there is one"),
    ],
};

/// Doubts.
pub const FINDINGS: Table = Table {
    name: "findings",
    row: "one doubt about one analysis, or the reason why an input could not be analysed",
    columns: &[
        RUN,
        text("code", "its stable name"),
        text("severity", "`info`, `warning`, `data-loss` or `error`"),
        text("message", "what was seen"),
        text("remedy", "what to do"),
        text("numbers", "the numbers behind it, as JSON"),
    ],
};

/// What the user says of a run.
pub const TAGS: Table = Table {
    name: "tags",
    row: "one analysis × one tag (`--tag key=value`)",
    columns: &[RUN, text("tag", "the key"), text("value", "the value")],
};

/// The documents themselves.
pub const DOCUMENTS: Table = Table {
    name: "documents",
    row: "one analysis, whole: what `compare` and `report` work on",
    columns: &[
        RUN,
        text("json", "the document `nsys-attrib/analysis/1` or `nsys-attrib/energy/1`"),
    ],
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart() {
        for table in TABLES {
            let mut names: Vec<&str> = table.columns.iter().map(|column| column.name).collect();
            let count = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), count, "{}", table.name);
            assert!(names.contains(&"run_id") && !names.contains(&MONTH), "{}", table.name);
        }
    }

    #[test]
    fn integers_of_time_carry_their_unit() {
        for column in TABLES.iter().flat_map(|table| table.columns) {
            let says = |word: &str| column.what.contains(word);
            let time = says(" time") && column.kind == Kind::Int && !says("time order");
            assert!(!time || column.name.ends_with("_ns"), "{}", column.name);
        }
    }
}
