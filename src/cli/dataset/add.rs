//! `nsys-attrib dataset add`: inputs in, one commit for each; what is in already is passed over.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Write as _};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};

use super::args::AddArgs;
use super::source::{self, Source, THREADS_OF_ONE};
use crate::cli::args::EnergyOptions;
use crate::cli::input::Resolver;
use crate::cli::progress::Progress;
use crate::cli::{CHECK_FAILED, COULD_NOT_RUN};
use crate::dataset::{Dataset, Known};
use crate::units::plain;

/// Inputs that failed are named on standard error up to this many; all are in the dataset.
const NAMED: usize = 20;

/// What became of the inputs.
#[derive(Default)]
struct Tally {
    added: usize,
    known: usize,
    failed: usize,
    unreadable: usize,
    other_tags: usize,
    told: usize,
}

pub(super) fn run(args: &AddArgs, jobs: Option<NonZeroUsize>) -> Result<ExitCode> {
    let tags = tags(&args.tag)?;
    let inputs = inputs(args)?;
    // The logs in run folders, and nothing typed about them.
    let energy = EnergyOptions::default();
    let mut resolver = Resolver::new(&args.how, Some(THREADS_OF_ONE))?.with_energy(&energy);
    resolver.quiet = true;
    let options = source::asked(&args.how, &resolver.rules.about.sha256)?;
    let dataset = Dataset::create(&args.dir)?;
    dataset.tidy()?;
    let work = Work {
        known: dataset.inputs()?,
        dataset: &dataset,
        args,
        resolver: &resolver,
        options: &options,
        tags: &tags,
        tally: Mutex::default(),
    };
    let _progress = Progress::start(format!("adding to {}", args.dir.display()));
    work.all(&inputs, jobs)?;
    let tally = work.tally.into_inner().unwrap_or_else(PoisonError::into_inner);
    say(&args.dir, &tally)?;
    Ok(if tally.unreadable > 0 {
        ExitCode::from(COULD_NOT_RUN)
    } else if tally.failed > 0 {
        ExitCode::from(CHECK_FAILED)
    } else {
        ExitCode::SUCCESS
    })
}

/// Everything that the threads share.
struct Work<'a> {
    dataset: &'a Dataset,
    known: BTreeMap<String, Known>,
    args: &'a AddArgs,
    resolver: &'a Resolver<'a>,
    options: &'a str,
    tags: &'a BTreeMap<String, String>,
    tally: Mutex<Tally>,
}

impl Work<'_> {
    /// Takes one input after the other until there is none.
    fn all(&self, inputs: &[PathBuf], jobs: Option<NonZeroUsize>) -> Result<()> {
        let cores = thread::available_parallelism().map_or(1, NonZeroUsize::get);
        let threads = jobs.map_or(cores, NonZeroUsize::get).min(inputs.len().max(1));
        let next = AtomicUsize::new(0);
        let one = || -> Result<()> {
            while let Some(path) = inputs.get(next.fetch_add(1, Ordering::Relaxed)) {
                if let Err(error) = self.one(path) {
                    // A dataset that cannot be written: the others need not try.
                    next.store(inputs.len(), Ordering::Relaxed);
                    return Err(error);
                }
            }
            Ok(())
        };
        thread::scope(|scope| {
            let workers: Vec<_> = (0..threads).map(|_| scope.spawn(one)).collect();
            workers.into_iter().try_for_each(|worker| match worker.join() {
                Ok(result) => result,
                Err(payload) => std::panic::resume_unwind(payload),
            })
        })
    }

    fn one(&self, path: &Path) -> Result<()> {
        let source = match Source::look(path) {
            Ok(source) => source,
            Err(error) => {
                eprintln!("nsys-attrib: {error:#}");
                self.count(|tally| tally.unreadable += 1);
                return Ok(());
            }
        };
        let known = self.known.get(&source.id(self.options));
        if let Some(known) = known.filter(|known| known.ok || !self.args.retry) {
            let tags: Vec<String> = self.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
            self.count(|tally| {
                tally.known += 1;
                tally.failed += usize::from(!known.ok);
                tally.other_tags += usize::from(known.tags != tags);
            });
            return Ok(());
        }
        let unit = source.unit(self.resolver, self.options, self.tags);
        self.dataset.add(&unit)?;
        self.count(|tally| {
            tally.added += 1;
            if let Err(error) = &unit.outcome {
                tally.failed += 1;
                tally.told += 1;
                if tally.told <= NAMED {
                    eprintln!("nsys-attrib: recorded as failed: {}", plain(error, 600));
                }
            }
        });
        Ok(())
    }

    fn count(&self, change: impl FnOnce(&mut Tally)) {
        change(&mut self.tally.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

fn say(dir: &Path, tally: &Tally) -> Result<()> {
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{}: {} added, {} there already{}",
        dir.display(),
        tally.added,
        tally.known,
        match tally.failed {
            0 => String::new(),
            failed =>
                format!("; {failed} of them could not be analysed and are recorded as failed"),
        }
    )?;
    if tally.told > NAMED {
        eprintln!("nsys-attrib: and {} more; `runs` has the reasons", tally.told - NAMED);
    }
    if tally.other_tags > 0 {
        eprintln!(
            "nsys-attrib: {} inputs are in with other tags than those typed, which stay as they are",
            tally.other_tags
        );
    }
    Ok(())
}

/// What was named, in order and each once; with --shard only a part, chosen by name.
fn inputs(args: &AddArgs) -> Result<Vec<PathBuf>> {
    let mut inputs = args.inputs.clone();
    if let Some(list) = &args.list {
        let reader: Box<dyn BufRead> = if list.as_os_str() == "-" {
            Box::new(io::stdin().lock())
        } else {
            let file = std::fs::File::open(list)
                .with_context(|| format!("--list {} cannot be read", list.display()))?;
            Box::new(BufReader::new(file))
        };
        for line in reader.lines() {
            let line = line.with_context(|| format!("--list {}", list.display()))?;
            if !line.trim().is_empty() {
                inputs.push(PathBuf::from(line));
            }
        }
    }
    let mut once = std::collections::BTreeSet::new();
    inputs.retain(|input| once.insert(input.clone()));
    if let Some(shard) = &args.shard {
        let (part, parts) = parse_shard(shard)?;
        inputs.retain(|input| part_of(input, parts) == part - 1);
    }
    Ok(inputs)
}

fn parse_shard(text: &str) -> Result<(u64, u64)> {
    let parsed = text.split_once('/').and_then(|(i, n)| Some((i.parse().ok()?, n.parse().ok()?)));
    match parsed {
        Some((part, parts)) if part >= 1 && part <= parts => Ok((part, parts)),
        _ => bail!("--shard {}: give the part and how many there are: 1/8 to 8/8", plain(text, 40)),
    }
}

/// The part to which an input belongs. By its name alone: every part decides the same, whatever else is
/// in its list.
fn part_of(input: &Path, parts: u64) -> u64 {
    let hash = Sha256::digest(input.as_os_str().as_encoded_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&hash[..8]);
    u64::from_le_bytes(first) % parts
}

fn tags(typed: &[String]) -> Result<BTreeMap<String, String>> {
    let mut tags = BTreeMap::new();
    for text in typed {
        let (key, value) = match text.split_once('=') {
            Some((key, value)) if is_key(key) && is_value(value) => (key, value),
            _ => bail!(
                "--tag {}: write key=value; the key of letters, digits, `_`, `-` and `.`, the value without commas and \
                 control characters",
                plain(text, 80)
            ),
        };
        if tags.insert(key.to_owned(), value.to_owned()).is_some_and(|other| other != value) {
            bail!("--tag {key}: given twice with different values");
        }
    }
    Ok(tags)
}

fn is_key(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_alphanumeric() || "_-.".contains(c))
}

/// A comma would end the value in a filter.
fn is_value(value: &str) -> bool {
    !value.trim().is_empty() && !value.chars().any(|c| c == ',' || c.is_control())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_take_each_input_once() {
        let inputs: Vec<PathBuf> = (0..200).map(|i| PathBuf::from(format!("run-{i}"))).collect();
        let parts: Vec<u64> = inputs.iter().map(|input| part_of(input, 8)).collect();
        assert!((0..8).all(|part| parts.iter().filter(|found| **found == part).count() > 5));
        assert_eq!(parse_shard("3/8").unwrap(), (3, 8));
        for wrong in ["0/8", "9/8", "3", "a/b", "3/0"] {
            assert!(parse_shard(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn tags_are_words() {
        let said = |text: &str| tags(&[text.to_owned()]);
        assert_eq!(said("commit=abc").unwrap().get("commit").map(String::as_str), Some("abc"));
        assert!(said("power mode=15W").is_err() && said("x=").is_err() && said("x=a,b").is_err());
        let twice = ["a=1".to_owned(), "a=2".to_owned()];
        assert!(tags(&twice).unwrap_err().to_string().contains("given twice"));
    }
}
