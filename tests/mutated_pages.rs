//! Damaged pages: no panic, no hang, no memory beyond the size of the file, and never a number that
//! SQLite does not give as well.
//!
//! Pages of the event tables are damaged by a seeded generator, several to a file, and the file is read
//! by both readers. `NSYS_ATTRIB_MUTATED_PAGES` says how many pages; `.ci/long mutate` takes ten million.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::num::NonZeroUsize;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{Duration, Instant};

use nsys_attrib::trace::{ReadOptions, Reader, Trace, TraceError};
use rusqlite::{Connection, OpenFlags};
use support::random::Dice;
use support::schema::Generation;
use support::shared::skipped;
use support::spec::{TraceSpec, process, thread};

/// How many pages are damaged in every test run.
const PAGES: u64 = 20_000;
/// No reading of so small a file may take longer.
const HANG: Duration = Duration::from_secs(20);
/// The most memory that the whole test may take, in KiB.
const MEMORY_KIB: u64 = 256 << 10;

const TABLES: [&str; 3] =
    ["CUPTI_ACTIVITY_KIND_RUNTIME", "CUPTI_ACTIVITY_KIND_KERNEL", "NVTX_EVENTS"];

/// A small export with trees of two and three levels, and texts that overflow.
fn export(path: &Path, page_size: u32) {
    let mut spec = TraceSpec::new(Generation::V3_16_1);
    spec.page_size = page_size;
    for i in 0..i64::from(page_size) / 4 {
        let (p, t, at) = (process(1 + i % 2), thread(1 + i % 2, 1), i * 70_000);
        spec.call(t, "cudaLaunchKernel_v7000", at, at + 9_000, i);
        spec.kernel(p, "k", at + 10_000, at + 20_000, i);
        let text =
            if i % 40 == 0 { "long ".repeat(page_size as usize / 2) } else { format!("op{i}") };
        spec.range(t, &text, at, at + 60_000);
    }
    spec.write_sqlite(path);
}

/// The pages of the event tables.
fn pages_of_tables(path: &Path, page_size: usize) -> Vec<usize> {
    let db = Connection::open(path).unwrap();
    let bytes = fs::read(path).unwrap();
    let mut found = BTreeSet::new();
    for table in TABLES {
        let sql = "SELECT rootpage FROM sqlite_schema WHERE name = ?1";
        let mut open =
            vec![db.query_row(sql, [table], |row| row.get::<_, u32>(0)).unwrap() as usize];
        while let Some(page) = open.pop() {
            found.insert(page);
            let page = &bytes[(page - 1) * page_size..page * page_size];
            if page[0] == 5 {
                let word = |at: usize| u32::from_be_bytes(page[at..at + 4].try_into().unwrap());
                let count = usize::from(u16::from_be_bytes([page[3], page[4]]));
                let cell = |i: usize| u16::from_be_bytes([page[12 + 2 * i], page[13 + 2 * i]]);
                open.extend((0..count).map(|i| word(usize::from(cell(i))) as usize));
                open.push(word(8) as usize);
            }
        }
    }
    found.into_iter().collect()
}

/// Damages a page in one of the ways in which a page can lie.
fn damage(page: &mut [u8], dice: &mut Dice, pages: usize) {
    let size = page.len() as i64;
    let byte = |dice: &mut Dice| dice.pick(&[0, 1, 2, 4, 5, 12, 13, 127, 128, 255, 129, 64]);
    match dice.below(9) {
        0 => {
            for _ in 0..=dice.below(8) {
                let at = dice.below(size) as usize;
                page[at] = dice.below(256) as u8;
            }
        }
        1 => page[dice.below(size) as usize] ^= 1 << dice.below(8),
        // The header: kind, number of cells, right-most child.
        2 => page[dice.below(12) as usize] = byte(dice),
        // A cell pointer.
        3 => {
            let at = 8 + 2 * dice.below(20) as usize;
            page[at..at + 2].copy_from_slice(&(dice.below(size + 9) as u16).to_be_bytes());
        }
        // The start of a cell: lengths, row ids, header sizes, types, child pages.
        4 | 5 => {
            let at = 8 + 2 * dice.below(20) as usize;
            let cell = usize::from(u16::from_be_bytes([page[at], page[at + 1]]));
            for _ in 0..=dice.below(3) {
                let at = cell + dice.below(12) as usize;
                if let Some(place) = page.get_mut(at) {
                    *place = byte(dice);
                }
            }
        }
        // A child or an overflow page that exists.
        6 => {
            let at = dice.below(size - 4) as usize;
            let page_number = 1 + dice.below(pages as i64 + 1) as u32;
            page[at..at + 4].copy_from_slice(&page_number.to_be_bytes());
        }
        7 => {
            let from = dice.below(size) as usize;
            page[from..].fill(byte(dice));
        }
        _ => {
            let (from, to) = (dice.below(size / 2) as usize, dice.below(size / 2) as usize);
            page.copy_within(from..from + size as usize / 4, to);
        }
    }
}

fn read(path: &Path, reader: Reader) -> Result<Trace, TraceError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = Connection::open_with_flags(path, flags).unwrap();
    let how = ReadOptions { reader, jobs: NonZeroUsize::new(1) };
    Trace::read_with(path, &db, path, &how)
}

/// What became of the damaged files.
#[derive(Debug, Default)]
struct Tally {
    files: u64,
    pages: u64,
    fast: u64,
    slow: u64,
    refused: u64,
}

fn run(page_size: u32, pages: u64, seed: u64) -> Tally {
    let folder = tempfile::tempdir_in(memory_folder()).unwrap();
    let path = folder.path().join("trace.sqlite");
    export(&path, page_size);
    let size = page_size as usize;
    let sound = fs::read(&path).unwrap();
    let places = pages_of_tables(&path, size);
    assert!(places.len() > 20, "{page_size}: {} pages", places.len());
    let file = File::options().write(true).open(&path).unwrap();
    let mut dice = Dice::new(seed);
    let mut tally = Tally::default();
    while tally.pages < pages {
        let mut damaged = BTreeSet::new();
        // Many files with one wrong page, some with many.
        let count = if dice.once_in(3) { dice.below(60) } else { dice.below(3) };
        for _ in 0..=count {
            damaged.insert(dice.pick(&places));
        }
        for page in &damaged {
            let at = (page - 1) * size;
            let mut bytes = sound[at..at + size].to_vec();
            damage(&mut bytes, &mut dice, sound.len() / size);
            file.write_all_at(&bytes, at as u64).unwrap();
        }
        check(&path, &mut tally, seed);
        tally.files += 1;
        tally.pages += damaged.len() as u64;
        for page in &damaged {
            let at = (page - 1) * size;
            file.write_all_at(&sound[at..at + size], at as u64).unwrap();
        }
    }
    tally
}

fn check(path: &Path, tally: &mut Tally, seed: u64) {
    let start = Instant::now();
    match read(path, Reader::Pages) {
        Err(_) => tally.refused += 1,
        Ok(mut found) => {
            let slow = !std::mem::take(&mut found.read_notes).is_empty();
            tally.slow += u64::from(slow);
            tally.fast += u64::from(!slow);
            match read(path, Reader::Sqlite) {
                Ok(expected) => assert!(found == expected, "seed {seed}, file {}", tally.files),
                Err(error) => panic!("seed {seed}, file {}: SQLite refuses: {error}", tally.files),
            }
        }
    }
    assert!(start.elapsed() < HANG, "seed {seed}, file {}: {:?}", tally.files, start.elapsed());
}

/// A folder in memory where there is one: millions of small files are written.
fn memory_folder() -> std::path::PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }
}

/// The most memory that this process ever had, in KiB.
fn peak_kib() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn damaged_pages_give_the_numbers_of_sqlite_or_none() {
    let asked = std::env::var("NSYS_ATTRIB_MUTATED_PAGES").ok();
    let pages = asked.map_or(PAGES, |text| text.parse().unwrap());
    let seed = std::env::var("NSYS_ATTRIB_SEED").map_or(1, |text| text.parse().unwrap());
    let start = Instant::now();
    for (page_size, share) in [(512, 60), (1024, 30), (4096, 10)] {
        let tally = run(page_size, pages * share / 100, seed);
        assert!(tally.fast > 0 && tally.slow + tally.refused > 0, "{tally:?}");
        println!("pages of {page_size} bytes: {tally:?}, {:.0?} so far", start.elapsed());
    }
    match peak_kib() {
        Some(peak) => assert!(peak < MEMORY_KIB, "{peak} KiB"),
        None => skipped("memory of damaged pages: no /proc"),
    }
}
