//! The words about power logs and energy, as clap sees them.

use std::path::PathBuf;

use clap::Args;

use super::args::{Format, WINDOW_HELP, WindowArgs};

/// Refused below this share of integrated time, unless another is typed.
const MIN_COVERAGE: f64 = 0.95;

/// What a power log does not say itself.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "How to read logs")]
pub(super) struct LogArgs {
    /// The format of the logs, instead of what their content says
    #[arg(long, value_name = "NAME")]
    pub(super) log_format: Option<String>,
    /// Names of the columns by position, for a file without a header: timestamp,index,power.draw
    #[arg(long, value_name = "NAMES")]
    pub(super) columns: Option<String>,
    /// The column that holds the time
    #[arg(long, value_name = "COLUMN")]
    pub(super) time_col: Option<String>,
    /// What it holds: unix_s, unix_ms, unix_us, unix_ns, rel_s, rel_ms, civil
    #[arg(long, value_name = "NAME")]
    pub(super) time_format: Option<String>,
    /// Power columns and their units: COLUMN=mW,COLUMN=W, or V=COLUMN,I=COLUMN
    #[arg(long, value_name = "COLUMN=UNIT")]
    pub(super) power_col: Option<String>,
    /// When a Prometheus scrape without stamps was taken (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(super) scrape_time: Option<String>,
    /// power.draw is the value of the moment: a GPU before Ampere, A100 or A30
    #[arg(long)]
    pub(super) instant_gpu: bool,
    /// Sort readings that were written out of order
    #[arg(long)]
    pub(super) sort: bool,
}

/// Power logs beside a trace, and how they become energy.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Power and energy")]
pub(super) struct EnergyOptions {
    /// Power log of the run; may be given several times
    #[arg(long, value_name = "LOG")]
    pub(super) power: Vec<PathBuf>,
    /// The rail, or rails that may be added up (A+B) [default: the board's total]
    #[arg(long, value_name = "NAME")]
    pub(super) rail: Option<String>,
    /// Where idle power is taken: seconds before and after the activity, or a window specification
    /// [default: ranges or phases named idle, else everything outside the activity]
    #[arg(long, value_name = "SPEC|SECONDS")]
    pub(super) idle: Option<String>,
    /// auto, direct, block, samples or regression [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(super) estimator: Option<String>,
    /// Refuse below this share of integrated time
    #[arg(long, value_name = "SHARE", default_value_t = MIN_COVERAGE)]
    pub(super) min_coverage: f64,
    /// The power belongs to a run without the profiler
    #[arg(long)]
    pub(super) untraced: bool,
    /// Zone of local times in logs: +02:00, Europe/Berlin [default: the zone of the trace]
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub(super) log_tz: Option<String>,
    /// Time of the first line of a log without times (RFC 3339)
    #[arg(long, value_name = "TIME")]
    pub(super) log_start: Option<String>,
    /// Local date of the first line of a log with times of day (2025-05-19)
    #[arg(long, value_name = "DATE")]
    pub(super) log_date: Option<String>,
    /// Interval of the logger: 100ms
    #[arg(long, value_name = "TIME")]
    pub(super) log_period: Option<String>,
    /// How the clocks are tied: auto, stamps, marks, pulse or correlation [default: auto]
    #[arg(long, value_name = "NAME")]
    pub(super) align: Option<String>,
    /// Added to the times of the logs: -35ms
    #[arg(long, value_name = "TIME", allow_hyphen_values = true)]
    pub(super) offset: Option<String>,
    #[command(flatten)]
    pub(super) read: LogArgs,
}

impl Default for EnergyOptions {
    /// Nothing typed.
    fn default() -> Self {
        Self {
            power: Vec::new(),
            rail: None,
            idle: None,
            estimator: None,
            min_coverage: MIN_COVERAGE,
            untraced: false,
            log_tz: None,
            log_start: None,
            log_date: None,
            log_period: None,
            align: None,
            offset: None,
            read: LogArgs::default(),
        }
    }
}

#[derive(Args, Debug)]
#[command(
    about = "Energy per window from a power log, with an honest interval, or why there is none",
    after_long_help = WINDOW_HELP,
    long_about = "Energy per window from a power log, with an honest interval, or why there is none.\n\n\
        The log is placed on the trace's clock through the trace's own time zone, clock marks and sync pulses; the \
        estimator is chosen by what the sensor can resolve. A refusal is a result: exit 0, or 1 with --strict.\n\n\
        An INPUT is a trace in any form, or a run folder. Without --power the logs of the run folder are taken, \
        else the readings inside the trace. A run without a trace takes its windows from its sidecar: \
        energies that are published should come from such a run, since tracing costs energy.\n\n\
        Examples:\n  nsys-attrib energy trace.sqlite --power tegrastats.log --window latency\n  \
        nsys-attrib energy runs/untraced-1\n  \
        nsys-attrib energy trace.sqlite --power gpu.csv -w latency --idle 10 --format json\n  \
        nsys-attrib energy trace.sqlite --power tegrastats.log --rail VDD_CPU_GPU_CV --log-tz +02:00\n  \
        nsys-attrib energy --decompose 228.0mJ/59.6ms 180.7mJ/53.2ms"
)]
pub(super) struct EnergyArgs {
    /// A trace, or a run folder
    #[arg(value_name = "INPUT", required_unless_present = "decompose")]
    pub(super) input: Option<PathBuf>,
    /// Take two energies and latencies apart: energy ratio = latency ratio x power ratio
    #[arg(long, num_args = 2, value_names = ["ENERGY/LATENCY", "ENERGY/LATENCY"], conflicts_with_all = ["input", "power"])]
    pub(super) decompose: Vec<String>,
    #[command(flatten)]
    pub(super) windows: WindowArgs,
    #[command(flatten)]
    pub(super) energy: EnergyOptions,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    /// Exit 1 when an energy is refused
    #[arg(long)]
    pub(super) strict: bool,
}

#[derive(Args, Debug)]
#[command(
    about = "Say what is in a power log: format, rails, total, period, gaps, doubts",
    long_about = "Say what is in a power log: format, rails, total, period, gaps, doubts.\n\n\
        The format is found from the content: tegrastats, nvidia-smi csv and dmon, jtop, dcgmi, Zeus, \
        CodeCarbon, Prometheus, Monsoon, recordings of INA3221 and RAPL files, the sampler's own file, and any csv whose header names a time and \
        a power with its unit.\n\n\
        Examples:\n  nsys-attrib power tegrastats.log\n  \
        nsys-attrib power gpu.csv --columns timestamp,power.draw,memory.used\n  \
        nsys-attrib power meter.csv --time-format unix_ms --power-col V=v,I=i"
)]
pub(super) struct PowerArgs {
    /// Power logs
    #[arg(required = true, value_name = "LOG")]
    pub(super) logs: Vec<PathBuf>,
    /// How to write the result [default: table]
    #[arg(long, value_name = "FORMAT")]
    pub(super) format: Option<Format>,
    #[command(flatten)]
    pub(super) read: LogArgs,
}
