//! CUDA API calls: rows of `CUPTI_ACTIVITY_KIND_RUNTIME` that are calls, as sorted columns.
//!
//! Runtime calls have eventClass 0, driver calls 1. With CUDA backtraces on, nsys stores a call a
//! second time with eventClass 67, around the real row and with the same correlation id; those twins
//! never count. A twin without its call, and rows of any other class, are counted and reported.
//!
//! Order: start, then the longer first, so that an enclosing call comes before those inside it.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::api_name::ApiName;
use super::error::TraceError;
use super::identity::{Identities, ProcessId, ThreadId, process_bits};
use super::order;
use super::scan::{Row, Rows, optional, required};
use super::schema::Table;
use super::spans::Spans;
use super::strings::{Interner, StringTable, append_renumbered, canonical_order, distinct};
use crate::units::{Span, TraceTime};

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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Calls {
    spans: Spans,
    /// 0 where the export has none: CUPTI's own "no id".
    correlation: Vec<u32>,
    /// Thread and name together, which take few values: an index into `makers`.
    maker: Vec<u32>,
    /// Thread and name, in order.
    makers: Vec<(ThreadId, u32)>,
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
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Every call, by start.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = CallId> + use<> {
        (0..self.spans.len() as u32).map(CallId)
    }

    /// From entry to return.
    pub fn span(&self, call: CallId) -> Span {
        Span::from_ns(self.spans.start(call.index()), self.spans.end(call.index()))
    }

    /// When it was entered.
    pub fn start(&self, call: CallId) -> TraceTime {
        TraceTime::from_ns(self.spans.start(call.index()))
    }

    /// The thread that made it.
    pub fn thread(&self, call: CallId) -> ThreadId {
        self.makers[self.maker[call.index()] as usize].0
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
        self.makers[self.maker[call.index()] as usize].1 as usize
    }

    /// Thread and function together, as a small number.
    pub(crate) fn maker_index(&self, call: CallId) -> usize {
        self.maker[call.index()] as usize
    }

    /// The process of each maker.
    pub(crate) fn processes_by_maker(&self, identities: &Identities) -> Vec<Option<ProcessId>> {
        self.makers.iter().map(|(thread, _)| identities.thread(*thread).process).collect()
    }

    /// The function of each maker.
    pub(crate) fn names_by_maker(&self) -> impl Iterator<Item = &ApiName> + '_ {
        self.makers.iter().map(|(_, name)| &self.names[*name as usize])
    }

    /// Thread and function, as an index, of each maker.
    pub(crate) fn makers(&self) -> &[(ThreadId, u32)] {
        &self.makers
    }

    /// Every function that occurs, in the order of the names.
    pub fn names(&self) -> &[ApiName] {
        &self.names
    }
}

/// Columns as they are stored, before identities are known.
pub(super) struct RawCalls {
    spans: Spans,
    correlation: Vec<u32>,
    maker: Vec<u32>,
    /// `globalTid` and `nameId`.
    makers: Interner<(Option<i64>, i64)>,
    /// Process, correlation id and length of the backtrace rows.
    backtraces: Vec<(i64, u32, i64)>,
    census: CallCensus,
}

impl RawCalls {
    pub(super) fn none() -> Self {
        Self {
            spans: Spans::default(),
            correlation: Vec::new(),
            maker: Vec::new(),
            makers: Interner::new(),
            backtraces: Vec::new(),
            census: CallCensus::default(),
        }
    }

    /// Reads the table.
    pub(super) fn read(rows: Rows<'_>, table: &Table) -> Result<Self, TraceError> {
        let columns = [
            required("start"),
            required("end"),
            optional("eventClass"),
            optional("globalTid"),
            optional("correlationId"),
            required("nameId"),
        ];
        let raw = rows.fold(table, columns, Self::none, Self::push, Self::append)?;
        order::check_count(rows, table, raw.spans.len())?;
        Ok(raw)
    }

    fn push(&mut self, row: &Row<'_, 6>) -> Result<(), TraceError> {
        let (start, end) = (row.some_int(0)?, row.some_int(1)?);
        if order::is_bad_time(start, end) {
            self.census.bad_times += 1;
            return Ok(());
        }
        let (thread, correlation) = (row.int(3)?, row.correlation(4)?.unwrap_or(0));
        match row.int(2)?.unwrap_or(RUNTIME) {
            RUNTIME | DRIVER => {
                self.maker.push(self.makers.id((thread, row.some_int(5)?)));
                self.spans.push(start, end);
                self.correlation.push(correlation);
                self.census.without_thread += u64::from(thread.is_none());
            }
            BACKTRACE => {
                let process = process_bits(thread.unwrap_or(0));
                self.backtraces.push((process, correlation, end - start));
            }
            class => {
                let entry = self.census.other_classes.entry(class).or_default();
                entry.0 += 1;
                entry.1 += end - start;
            }
        }
        Ok(())
    }

    fn append(&mut self, later: &mut Self) {
        let number = self.makers.adopt(&mut later.makers);
        append_renumbered(&mut self.maker, &mut later.maker, &number);
        self.spans.append(&mut later.spans);
        self.correlation.append(&mut later.correlation);
        self.backtraces.append(&mut later.backtraces);
        let census = std::mem::take(&mut later.census);
        self.census.bad_times += census.bad_times;
        self.census.without_thread += census.without_thread;
        for (class, (rows, ns)) in census.other_classes {
            let entry = self.census.other_classes.entry(class).or_default();
            entry.0 += rows;
            entry.1 += ns;
        }
    }

    /// Every `globalTid` that occurs.
    pub(super) fn threads(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        self.makers.keys().iter().map(|(thread, _)| *thread)
    }

    /// Names resolved, identities numbered; the rows are still to be sorted.
    pub(super) fn finish(
        mut self,
        identities: &Identities,
        strings: &StringTable<'_>,
    ) -> rusqlite::Result<(Calls, CallCensus)> {
        self.count_twins();
        let mut spellings: Interner<String> = Interner::new();
        let mut makers: Vec<(ThreadId, u32)> = Vec::with_capacity(self.makers.keys().len());
        for (global, id) in self.makers.keys() {
            let name = ApiName::from_export(&strings.get(*id)?);
            let thread = identities.thread_of_global(*global).unwrap_or(ThreadId(0));
            makers.push((thread, spellings.id(name.text)));
        }
        let (name_order, name_place) = canonical_order(spellings.keys());
        for (_, name) in &mut makers {
            *name = name_place[*name as usize];
        }
        let (makers, place) = distinct(&makers);
        for maker in &mut self.maker {
            *maker = place[*maker as usize];
        }
        let calls = Calls {
            spans: self.spans,
            correlation: self.correlation,
            maker: self.maker,
            makers,
            names: name_order
                .iter()
                .map(|old| ApiName::from_export(&spellings.keys()[*old as usize]))
                .collect(),
        };
        Ok((calls, self.census))
    }

    fn count_twins(&mut self) {
        if self.backtraces.is_empty() {
            return;
        }
        let process: Vec<i64> = self.threads().map(|tid| process_bits(tid.unwrap_or(0))).collect();
        let mut keys: Vec<(i64, u32)> = (0..self.spans.len())
            .map(|row| (process[self.maker[row] as usize], self.correlation[row]))
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
    /// Puts the rows into order.
    pub(super) fn sort(&mut self) {
        let compare = |a: usize, b: usize| -> Ordering {
            (self.spans.start(a).cmp(&self.spans.start(b)))
                .then_with(|| self.spans.end(b).cmp(&self.spans.end(a)))
                .then_with(|| {
                    let key = |row: usize| {
                        let (thread, name) = self.makers[self.maker[row] as usize];
                        (thread, self.correlation[row], name)
                    };
                    key(a).cmp(&key(b))
                })
        };
        if let Some(order) = order::sorting(self.len(), compare) {
            self.spans.apply(&order);
            order::apply(&mut self.correlation, &order);
            order::apply(&mut self.maker, &order);
        }
    }

    /// The process of a call's thread.
    pub fn process(&self, call: CallId, identities: &Identities) -> Option<ProcessId> {
        identities.thread(self.thread(call)).process
    }
}
