//! The sampler's own log, `nsys-attrib-power/1`.
//!
//! ```text
//! # schema=nsys-attrib-power/1
//! # source=ina3221 period_ns=50000000 update_interval_ms=7
//! # clock mono_ns=… real_ns=… boot_ns=…          every ten seconds, so that a stepped wall clock shows
//! mono_ns,real_ns,dur_ns,rail,mv,ma,mw,energy_uj
//! ```
//! Rows go to the disk every five seconds: a driver that is killed loses no more.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use super::{Pace, Reading, Source};
use crate::collect::clock;
use crate::collect::error::CollectError;

const CLOCK_EVERY_NS: i64 = 10_000_000_000;
const FLUSH_EVERY_NS: i64 = 5_000_000_000;

/// A log that is being written.
#[derive(Debug)]
pub(super) struct Log {
    out: BufWriter<File>,
    name: String,
    line: String,
    next_clock: i64,
    next_flush: i64,
}

impl Log {
    /// Makes `power-<source>.csv`.
    pub(super) fn create(
        folder: &Path,
        source: &dyn Source,
        pace: Pace,
    ) -> Result<Self, CollectError> {
        let name = format!("power-{}.csv", source.name());
        let path = folder.join(&name);
        let unwritable = |source| CollectError::Unwritable { path: path.clone(), source };
        let file = File::create_new(&path).map_err(unwritable)?;
        let mut log = Self {
            out: BufWriter::with_capacity(1 << 18, file),
            name,
            line: String::new(),
            next_clock: 0,
            next_flush: 0,
        };
        let about = source.about().join(" ");
        let period = pace.period.as_ns();
        let head = format!(
            "# schema=nsys-attrib-power/1\n# source={} period_ns={period} {about}\n\
             mono_ns,real_ns,dur_ns,rail,mv,ma,mw,energy_uj\n",
            source.name()
        );
        log.out.write_all(head.as_bytes()).and_then(|()| log.out.flush()).map_err(unwritable)?;
        Ok(log)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Takes the readings of one instant.
    pub(super) fn take(&mut self, rails: &[String], readings: &[Reading]) -> io::Result<()> {
        let now = clock::mono_ns();
        self.line.clear();
        if now >= self.next_clock {
            self.next_clock = now + CLOCK_EVERY_NS;
            self.clock();
        }
        for reading in readings {
            let rail = rails.get(reading.rail).map_or("", String::as_str);
            let Reading { mono_ns, real_ns, dur_ns, mv, ma, mw, .. } = *reading;
            let cell =
                |value: Option<f64>| value.map(|value| value.to_string()).unwrap_or_default();
            let energy = reading.energy_uj.map(|energy| energy.to_string()).unwrap_or_default();
            // Writing into a String does not fail.
            let _ = writeln!(
                self.line,
                "{mono_ns},{real_ns},{dur_ns},{rail},{},{},{},{energy}",
                cell(mv),
                cell(ma),
                cell(mw)
            );
        }
        self.out.write_all(self.line.as_bytes())?;
        if now >= self.next_flush {
            self.next_flush = now + FLUSH_EVERY_NS;
            self.out.flush()?;
        }
        Ok(())
    }

    /// The last clock line, and everything to the disk.
    pub(super) fn finish(mut self) -> io::Result<()> {
        self.line.clear();
        self.clock();
        self.out.write_all(self.line.as_bytes())?;
        self.out.flush()
    }

    fn clock(&mut self) {
        let clock::Instants { mono_ns, real_ns, boot_ns } = clock::now();
        let _ =
            writeln!(self.line, "# clock mono_ns={mono_ns} real_ns={real_ns} boot_ns={boot_ns}");
    }
}
