//! CUDA API calls: rows of `CUPTI_ACTIVITY_KIND_RUNTIME` that are calls, as sorted columns.
//!
//! Runtime calls have eventClass 0, driver calls 1. With CUDA backtraces on, nsys stores a call a
//! second time with eventClass 67, around the real row and with the same correlation id; those twins
//! never count. A twin without its call, and rows of any other class, are counted and reported.
//!
//! Order: start, then the longer first, so that an enclosing call comes before those inside it.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::api_name::ApiName;
use super::error::TraceError;
use super::identity::{Identities, ProcessId, ThreadId, process_bits};
use super::order;
use super::scan::{Rows, optional, required};
use super::schema::Table;
use super::strings::{Interner, StringTable, canonical_order};
use crate::units::Span;

/// eventClass of a runtime call.
const RUNTIME: i64 = 0;
/// eventClass of a driver call.
const DRIVER: i64 = 1;
/// eventClass of the backtrace twin of a call.
const BACKTRACE: i64 = 67;

/// A call, by its place in [`Calls`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallId(pub(crate) u32);

impl CallId {
    /// The place in the columns.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// All counted CUDA API calls, sorted by start.
#[derive(Clone, Debug, Default)]
pub struct Calls {
    start: Vec<i64>,
    end: Vec<i64>,
    thread: Vec<ThreadId>,
    /// 0 where the export has none: CUPTI's own "no id".
    correlation: Vec<u32>,
    name: Vec<u32>,
    names: Vec<ApiName>,
}

/// What was read beside the calls.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallCensus {
    /// Backtrace rows whose call is there: dropped.
    pub twins: u64,
    /// Summed time of those twins, in ns.
    pub twins_ns: i64,
    /// Backtrace rows without a call.
    pub lone_backtraces: u64,
    /// Rows of other classes: class → (rows, ns).
    pub other_classes: BTreeMap<i64, (u64, i64)>,
    /// What `ENUM_NSYS_EVENT_CLASS` calls those classes.
    pub class_labels: BTreeMap<i64, String>,
    /// Rows that end before they start, or lie at 0..0.
    pub bad_times: u64,
    /// Rows without a thread.
    pub without_thread: u64,
}

impl Calls {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// Every call, by start.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = CallId> + use<> {
        (0..self.start.len() as u32).map(CallId)
    }

    /// From entry to return.
    pub fn span(&self, call: CallId) -> Span {
        Span::from_ns(self.start[call.index()], self.end[call.index()])
    }

    /// The thread that made it.
    pub fn thread(&self, call: CallId) -> ThreadId {
        self.thread[call.index()]
    }

    /// CUPTI's correlation id, unique within a process.
    pub fn correlation(&self, call: CallId) -> Option<u32> {
        Some(self.correlation[call.index()]).filter(|id| *id != 0)
    }

    /// The function.
    pub fn name(&self, call: CallId) -> &ApiName {
        &self.names[self.name_index(call)]
    }

    /// The function, as an index into [`Calls::names`].
    pub fn name_index(&self, call: CallId) -> usize {
        self.name[call.index()] as usize
    }

    /// Every function that occurs, in the order of the names.
    pub fn names(&self) -> &[ApiName] {
        &self.names
    }
}

/// Columns as they are stored, before identities are known.
pub(super) struct RawCalls {
    start: Vec<i64>,
    end: Vec<i64>,
    thread: Vec<u32>,
    correlation: Vec<u32>,
    name: Vec<u32>,
    threads: Interner<Option<i64>>,
    names: Interner<i64>,
    backtraces: Vec<(i64, u32, i64)>,
    pub(super) census: CallCensus,
}

impl RawCalls {
    pub(super) fn none() -> Self {
        Self {
            start: Vec::new(),
            end: Vec::new(),
            thread: Vec::new(),
            correlation: Vec::new(),
            name: Vec::new(),
            threads: Interner::new(),
            names: Interner::new(),
            backtraces: Vec::new(),
            census: CallCensus::default(),
        }
    }

    /// Reads the table.
    pub(super) fn read(rows: Rows<'_>, table: &Table) -> Result<Self, TraceError> {
        let mut raw = Self::none();
        let columns = [
            required("start"),
            required("end"),
            optional("eventClass"),
            optional("globalTid"),
            optional("correlationId"),
            required("nameId"),
        ];
        rows.each(table, columns, |row| {
            let (start, end) = (row.some_int(0)?, row.some_int(1)?);
            if order::is_bad_time(start, end) {
                raw.census.bad_times += 1;
                return Ok(());
            }
            let (thread, correlation) = (row.int(3)?, row.correlation(4)?.unwrap_or(0));
            match row.int(2)?.unwrap_or(RUNTIME) {
                RUNTIME | DRIVER => {
                    raw.start.push(start);
                    raw.end.push(end);
                    raw.thread.push(raw.threads.id(thread));
                    raw.correlation.push(correlation);
                    raw.name.push(raw.names.id(row.some_int(5)?));
                    raw.census.without_thread += u64::from(thread.is_none());
                }
                BACKTRACE => {
                    raw.backtraces.push((
                        process_bits(thread.unwrap_or(0)),
                        correlation,
                        end - start,
                    ));
                }
                class => {
                    let entry = raw.census.other_classes.entry(class).or_default();
                    entry.0 += 1;
                    entry.1 += end - start;
                }
            }
            Ok(())
        })?;
        order::check_count(rows, table, raw.start.len())?;
        Ok(raw)
    }

    /// Every `globalTid` that occurs.
    pub(super) fn threads(&self) -> &[Option<i64>] {
        self.threads.keys()
    }

    /// Names resolved, identities numbered, rows in order.
    pub(super) fn finish(
        mut self,
        identities: &Identities,
        strings: &StringTable<'_>,
    ) -> rusqlite::Result<(Calls, CallCensus)> {
        self.count_twins();
        let mut spellings: Interner<String> = Interner::new();
        let mut of_id = Vec::with_capacity(self.names.keys().len());
        for id in self.names.keys() {
            let name = ApiName::from_export(&strings.get(*id)?);
            of_id.push(spellings.id(name.text));
        }
        let (name_order, name_place) = canonical_order(spellings.keys());
        let thread_of: Vec<ThreadId> = self
            .threads
            .keys()
            .iter()
            .map(|global| identities.thread_of_global(*global).unwrap_or(ThreadId(0)))
            .collect();
        let mut calls = Calls {
            name: self.name.iter().map(|id| name_place[of_id[*id as usize] as usize]).collect(),
            names: name_order
                .iter()
                .map(|old| ApiName::from_export(&spellings.keys()[*old as usize]))
                .collect(),
            thread: self.thread.iter().map(|id| thread_of[*id as usize]).collect(),
            start: self.start,
            end: self.end,
            correlation: self.correlation,
        };
        calls.sort();
        Ok((calls, self.census))
    }

    fn count_twins(&mut self) {
        if self.backtraces.is_empty() {
            return;
        }
        let process: Vec<i64> =
            self.threads.keys().iter().map(|tid| process_bits(tid.unwrap_or(0))).collect();
        let mut keys: Vec<(i64, u32)> = (0..self.start.len())
            .map(|row| (process[self.thread[row] as usize], self.correlation[row]))
            .collect();
        keys.sort_unstable();
        for (process, correlation, length) in &self.backtraces {
            if *correlation != 0 && keys.binary_search(&(*process, *correlation)).is_ok() {
                self.census.twins += 1;
                self.census.twins_ns += length;
            } else {
                self.census.lone_backtraces += 1;
            }
        }
    }
}

impl Calls {
    fn sort(&mut self) {
        let key = |i: usize| {
            (self.start[i], Reverse(self.end[i]), self.thread[i], self.correlation[i], self.name[i])
        };
        if let Some(order) = order::sorting(self.len(), key) {
            order::apply(&mut self.start, &order);
            order::apply(&mut self.end, &order);
            order::apply(&mut self.thread, &order);
            order::apply(&mut self.correlation, &order);
            order::apply(&mut self.name, &order);
        }
    }

    /// The process of a call's thread.
    pub fn process(&self, call: CallId, identities: &Identities) -> Option<ProcessId> {
        identities.thread(self.thread(call)).process
    }
}
