//! Attribution from Rust: `cargo run --example attribute -- TRACE [WINDOW]`.

use std::error::Error;
use std::path::Path;

use nsys_attrib::attribution::{Analyzer, Options};
use nsys_attrib::classify::Classifier;
use nsys_attrib::trace::{Trace, source};
use nsys_attrib::windows::{Selection, Surroundings, WindowSpec, select};

#[allow(clippy::print_stdout, reason = "an example shows something")]
fn main() -> Result<(), Box<dyn Error>> {
    let mut words = std::env::args().skip(1);
    let path = words.next().ok_or("usage: attribute TRACE [WINDOW]")?;
    let window = words.next().unwrap_or_else(|| "latency".to_owned());

    // A trace in memory: calls, operations and ranges as sorted columns.
    let open = source::open(Path::new(&path))?;
    let trace = Trace::read(open.path(), open.connection())?;

    // Which spans are measured.
    let around = Surroundings {
        messages: trace.ranges.texts(),
        read_file: &|path| std::fs::read_to_string(path),
    };
    let spec = WindowSpec::parse(&window, &around)?;
    let windows = select(&trace, &window, &spec, &Selection::default())?;

    // Everything about them, as the document that `--format json` prints.
    let rules = Classifier::shipped()?;
    let analysis =
        Analyzer::new(&trace, &rules).analyze(&windows, &Options { path, ..Options::default() });

    // Missing is `None`: an analysis of windows always has their total.
    if let Some(total) = analysis.windows.total_ns {
        println!("{} windows, {total} in all", analysis.windows.count);
    }
    if let Some(api) = &analysis.api {
        for function in api.by_name.iter().take(3) {
            println!("{:>12}  {}", function.time_ns.to_string(), function.name);
        }
    }
    if let Some(verdict) = &analysis.verdict {
        println!("{}: {}", verdict.kind, verdict.detail);
    }
    Ok(())
}
