//! Damaged pages, one by one: an error or rows, never a panic, and no more work than the file is long.
//!
//! `NSYS_ATTRIB_MUTATED_PAGES` says how many; `.ci/long mutate` takes ten million. What whole files
//! with damaged pages give is compared with SQLite in `tests/mutated_pages.rs`.

use std::sync::atomic::AtomicU32;

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::file::PageFile;
use super::layout::Layout;
use super::leaf::LeafReader;
use super::record::Decoder;
use super::tree;

/// How many pages are damaged in every test run.
const PAGES: u64 = 20_000;

/// splitmix64.
struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n.max(1) as u64) as usize
    }

    fn edge(&mut self) -> u8 {
        [0, 1, 5, 9, 10, 12, 13, 127, 128, 129, 254, 255][self.below(12)]
    }
}

/// Damages a page where it can lie: header, cell pointers, the starts of cells, anywhere.
fn damage(page: &mut [u8], dice: &mut Dice) {
    for _ in 0..=dice.below(4) {
        let pointer = 8 + 2 * dice.below(16);
        let cell = usize::from(u16::from_be_bytes([page[pointer], page[pointer + 1]]));
        let at = match dice.below(4) {
            0 => dice.below(12),
            1 => pointer + dice.below(2),
            2 => cell + dice.below(24),
            _ => dice.below(page.len()),
        };
        let value = if dice.below(3) == 0 { dice.below(256) as u8 } else { dice.edge() };
        if let Some(place) = page.get_mut(at) {
            *place = value;
        }
    }
}

struct Sample {
    file: PageFile,
    layout: Layout<4>,
    leaves: Vec<Vec<u8>>,
    interior: Vec<Vec<u8>>,
    _folder: tempfile::TempDir,
}

fn sample(page_size: usize) -> Sample {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("t.sqlite");
    let db = Connection::open(&path).unwrap();
    db.execute_batch(&format!(
        "PRAGMA page_size = {page_size};
         CREATE TABLE t (a INTEGER, b TEXT, skipped, c INTEGER, d INTEGER, e);
         WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)
           INSERT INTO t SELECT i * i * i * 77777, printf('%.*c', CASE i % 50 WHEN 0 THEN {page_size} * 3
             ELSE i % 9 END, 'x'), NULL, i, i % 3, 1.5 FROM n;"
    ))
    .unwrap();
    let file = PageFile::open(&path, &db).unwrap();
    let layout = Layout::read(&db, "t", ["a", "b", "d", "e"]).unwrap();
    let read = |number: u32| {
        let mut page = vec![0; page_size];
        file.read(number, &mut page).unwrap();
        page
    };
    let leaves = tree::leaves(&file, layout.root).unwrap().into_iter().map(read).collect();
    let interior = (2..=file.pages()).map(read).filter(|page| page[0] == 5).collect();
    Sample { file, layout, leaves, interior, _folder: folder }
}

/// Reads every wanted cell; answers whether the page was taken for sound.
fn read_leaf(sample: &Sample, page: &[u8]) -> bool {
    let overflow = AtomicU32::new(sample.file.pages());
    let decoder = Decoder::new(sample.layout.wanted);
    let mut reader = LeafReader::new(&sample.file, decoder, &overflow, false);
    let mut rows = 0_usize;
    let read = reader.read(page, |record| {
        rows += 1;
        for i in 0..4 {
            if let ValueRef::Text(text) | ValueRef::Blob(text) = record.value(i) {
                assert!(text.len() as u64 <= sample.file.size());
            }
        }
        Ok(())
    });
    assert!(rows <= page.len() / 6);
    read.is_ok()
}

#[test]
fn damaged_pages_are_refused_or_read() {
    let asked = std::env::var("NSYS_ATTRIB_MUTATED_PAGES").ok();
    let pages: u64 = asked.map_or(PAGES, |text| text.parse().unwrap());
    let samples = [512, 1024, 4096].map(sample);
    let seed = std::env::var("NSYS_ATTRIB_SEED").map_or(1, |text| text.parse().unwrap());
    let mut dice = Dice(seed);
    let (mut sound, mut refused) = (0_u64, 0_u64);
    for number in 0..pages {
        let sample = &samples[dice.below(samples.len())];
        let from = if number % 8 == 0 { &sample.interior } else { &sample.leaves };
        let mut page = from[dice.below(from.len())].clone();
        damage(&mut page, &mut dice);
        let taken = if page[0] == 5 {
            tree::fuzz_children(&page[..sample.file.usable()], sample.file.pages())
        } else {
            read_leaf(sample, &page)
        };
        sound += u64::from(taken);
        refused += u64::from(!taken);
    }
    assert!(sound > pages / 100 && refused > pages / 100, "{sound} sound, {refused} refused");
}

/// A tree that leads back into itself, or nowhere, is refused at once.
#[test]
fn trees_that_go_round_are_refused() {
    let sample = sample(512);
    let root = sample.layout.root;
    assert!(tree::leaves(&sample.file, root).is_ok());
    assert!(tree::leaves(&sample.file, sample.file.pages() + 1).is_err());
    assert!(tree::leaves(&sample.file, 0).is_err());
    let page = sample.interior.first().unwrap();
    let mut round = page.clone();
    let cell = usize::from(u16::from_be_bytes([page[12], page[13]]));
    let right: [u8; 4] = page[8..12].try_into().unwrap();
    round[cell..cell + 4].copy_from_slice(&right);
    assert!(tree::fuzz_children(page, sample.file.pages()));
    assert!(!tree::fuzz_children(&round, sample.file.pages()));
}
