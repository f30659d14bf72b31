//! Energy counters of the processor, through the powercap tree.
//!
//! `/sys/class/powercap/intel-rapl:<package>[:<part>]/{name,energy_uj,max_energy_range_uj}`. `package-0`
//! contains `core` and `uncore`, so only packages, `dram` and `psys` are taken. Counters wrap at their
//! range; the log holds them without wraps. Since 2020 only root may read them.

use std::fs::File;
use std::os::unix::fs::FileExt;

use super::{Reading, Source, timed};
use crate::collect::host::{self, Host};

/// Every counter that may be read.
#[derive(Debug)]
pub(super) struct Rapl {
    counters: Vec<Counter>,
}

#[derive(Debug)]
struct Counter {
    name: String,
    file: File,
    range_uj: u64,
    last: Option<u64>,
    total: u64,
}

impl Rapl {
    /// Finds the counters.
    ///
    /// # Errors
    /// Why there is none: no tree, or no right to read it.
    pub(super) fn open(host: &Host) -> Result<Self, String> {
        let mut counters: Vec<Counter> = Vec::new();
        let mut refused = false;
        let mut package = String::new();
        for zone in host.list("sys/class/powercap") {
            let Some(name) = host::text(&zone.join("name")) else { continue };
            if name.starts_with("package") {
                package.clone_from(&name);
            } else if name != "dram" && name != "psys" {
                continue;
            }
            // Each package has its own memory.
            let name = if name == "dram" { format!("{package}-dram") } else { name };
            let path = zone.join("energy_uj");
            let Ok(file) = File::open(&path) else {
                refused |= path.exists();
                continue;
            };
            let range =
                host::text(&zone.join("max_energy_range_uj")).and_then(|text| text.parse().ok());
            counters.push(Counter {
                name,
                file,
                range_uj: range.unwrap_or(u64::MAX),
                last: None,
                total: 0,
            });
        }
        match (counters.is_empty(), refused) {
            (false, _) => Ok(Self { counters }),
            (true, true) => Err("its counters may be read by root only".to_owned()),
            (true, false) => Err("there is no /sys/class/powercap with RAPL counters".to_owned()),
        }
    }
}

impl Source for Rapl {
    fn name(&self) -> &'static str {
        "rapl"
    }

    fn rails(&self) -> Vec<String> {
        self.counters.iter().map(|counter| counter.name.clone()).collect()
    }

    fn about(&self) -> Vec<String> {
        Vec::new()
    }

    fn read(&mut self, readings: &mut Vec<Reading>) -> Result<(), String> {
        let mut problem = None;
        for (at, counter) in self.counters.iter_mut().enumerate() {
            let (value, stamp) = timed(|| read(&counter.file));
            match value {
                Ok(now) => {
                    let energy_uj = Some(counter.advance(now));
                    readings.push(Reading { rail: at, energy_uj, ..stamp });
                }
                Err(why) => problem = Some(format!("{}: {why}", counter.name)),
            }
        }
        problem.filter(|_| readings.is_empty()).map_or(Ok(()), Err)
    }
}

impl Counter {
    /// The sum since the first reading.
    fn advance(&mut self, now: u64) -> u64 {
        if let Some(last) = self.last.replace(now) {
            self.total +=
                if now >= last { now - last } else { (self.range_uj - last).saturating_add(now) };
        }
        self.total
    }
}

fn read(file: &File) -> Result<u64, String> {
    let mut bytes = [0; 32];
    let count = file.read_at(&mut bytes, 0).map_err(|error| error.to_string())?;
    let text = std::str::from_utf8(&bytes[..count]).unwrap_or_default().trim();
    text.parse().map_err(|_| format!("`{text}` is no counter"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrap_is_taken_out() {
        let file = File::open("/dev/null").unwrap();
        let mut counter =
            Counter { name: String::new(), file, range_uj: 262_143_328_850, last: None, total: 0 };
        assert_eq!(counter.advance(262_143_000_000), 0);
        assert_eq!(counter.advance(500_000), 828_850);
        assert_eq!(counter.advance(600_000), 928_850);
    }
}
