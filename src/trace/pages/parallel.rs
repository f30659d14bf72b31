//! A table read by several threads, with the same outcome as by one.
//!
//! The leaves are cut into blocks in the order of the table. Threads take the next block, gather its
//! rows, and hand them in; what was handed in is put together in the order of the blocks. So the
//! outcome depends neither on the number of threads nor on which is faster.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

use rusqlite::Connection;

use super::Unread;
use super::file::PageFile;
use super::layout::Layout;
use super::leaf::LeafReader;
use super::record::{Decoder, Record};
use super::tree;
use crate::trace::error::TraceError;

/// Bytes of leaves that a thread reads and decodes at a time: they stay in its cache.
const BLOCK: usize = 1 << 19;
/// Pages of other tables that are read along rather than skipped.
const GAP: u32 = 8;

/// Gathers the rows of `table`: `new` makes an empty accumulator, `visit` adds a row to it, `merge`
/// moves the rows of a later block behind those before and leaves an empty accumulator, which is
/// used again: memory that the system gives out anew costs more than the rows that go into it.
pub(crate) fn fold<A: Send, const N: usize>(
    file: &PageFile,
    (connection, jobs): (&Connection, NonZeroUsize),
    (table, columns): (&str, [&str; N]),
    new: impl Fn() -> A + Sync,
    visit: impl Fn(&mut A, Record<'_, N>) -> Result<(), TraceError> + Sync,
    merge: impl Fn(&mut A, &mut A) + Sync,
) -> Result<A, Unread> {
    let layout = Layout::read(connection, table, columns)?;
    let leaves = tree::leaves(file, layout.root)?;
    let blocks: Vec<&[u32]> = leaves.chunks((BLOCK / file.page_size()).max(1)).collect();
    let decoder = Decoder::new(layout.wanted);
    let (overflow, only) = (AtomicU32::new(file.pages()), leaves.len() == 1);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let whole = Mutex::new(Whole {
        rows: new(),
        blocks: 0,
        early: BTreeMap::new(),
        spare: Vec::new(),
        last_id: None,
        failure: None,
    });
    let work = || {
        let mut buffer = Vec::new();
        let mut reader = LeafReader::new(file, decoder.clone(), &overflow, only);
        let mut spare = None;
        while !stop.load(Ordering::Relaxed) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(leaves) = blocks.get(number) else { break };
            let mut rows = spare.take().unwrap_or_else(&new);
            let read = read_block(file, leaves, &mut buffer, |page| {
                reader.read(page, |record| visit(&mut rows, record))
            });
            let block = read.map(|()| Block { rows, ids: reader.take_ids() });
            let mut whole = whole.lock().unwrap_or_else(PoisonError::into_inner);
            if !whole.hand_in(number, block, &merge) {
                stop.store(true, Ordering::Relaxed);
            }
            spare = whole.spare.pop();
        }
    };
    thread::scope(|scope| {
        for _ in 1..jobs.get().min(blocks.len()) {
            scope.spawn(work);
        }
        work();
    });
    let whole = whole.into_inner().unwrap_or_else(PoisonError::into_inner);
    whole.failure.map_or(Ok(whole.rows), |(_, failure)| Err(failure))
}

/// Visits the pages of a block in order; pages that lie together in the file are read together.
fn read_block(
    file: &PageFile,
    leaves: &[u32],
    buffer: &mut Vec<u8>,
    mut visit: impl FnMut(&[u8]) -> Result<(), Unread>,
) -> Result<(), Unread> {
    let size = file.page_size();
    let most = (BLOCK / size).max(1);
    let mut rest = leaves;
    while let Some(&first) = rest.first() {
        let together = |pair: &[u32]| {
            pair[0] < pair[1] && pair[1] - pair[0] <= GAP && ((pair[1] - first) as usize) < most
        };
        let count = 1 + rest.windows(2).take_while(|pair| together(pair)).count();
        let (run, after) = rest.split_at(count);
        let pages = (run[count - 1] - first) as usize + 1;
        buffer.resize(pages * size, 0);
        file.read(first, buffer)?;
        for page in run {
            let at = (page - first) as usize * size;
            visit(&buffer[at..at + size])?;
        }
        rest = after;
    }
    Ok(())
}

/// The rows of one block, with its first and last row id.
struct Block<A> {
    rows: A,
    ids: Option<(i64, i64)>,
}

/// What has been put together so far.
struct Whole<A> {
    rows: A,
    /// How many blocks are in `rows`.
    blocks: usize,
    /// Blocks that came before those that belong before them.
    early: BTreeMap<usize, Block<A>>,
    /// Accumulators that have been emptied.
    spare: Vec<A>,
    last_id: Option<i64>,
    /// The failure of the earliest block that failed, whichever thread was faster.
    failure: Option<(usize, Unread)>,
}

impl<A> Whole<A> {
    /// Takes a block; answers whether it is worth going on.
    fn hand_in(
        &mut self,
        number: usize,
        block: Result<Block<A>, Unread>,
        merge: impl Fn(&mut A, &mut A),
    ) -> bool {
        match block {
            Ok(block) => self.early.insert(number, block),
            Err(failure) => {
                self.fail(number, failure);
                return false;
            }
        };
        while let Some(mut block) = self.early.remove(&self.blocks) {
            if let Some((first, last)) = block.ids {
                if self.last_id.is_some_and(|before| before >= first) {
                    let failure = Unread::Damaged("the row ids of a table are not in order");
                    self.fail(self.blocks, failure);
                }
                self.last_id = Some(last);
            }
            merge(&mut self.rows, &mut block.rows);
            self.spare.push(block.rows);
            self.blocks += 1;
        }
        self.failure.is_none()
    }

    fn fail(&mut self, number: usize, failure: Unread) {
        if self.failure.as_ref().is_none_or(|(earliest, _)| number < *earliest) {
            self.failure = Some((number, failure));
        }
    }
}
