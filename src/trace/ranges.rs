//! NVTX ranges and marks, as sorted columns.
//!
//! Table `NVTX_EVENTS`: eventType 59 is a push/pop range, 60 a start/end range, 34 a mark, 75 creates
//! a domain (its text names the domain of that id, per process). The message is in `text`, or, for a
//! registered string, in `textId`; both forms occur inside one file. `end` is NULL for a range that
//! was never closed. Order: start, then the longer first, then thread, text and domain.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::error::TraceError;
use super::identity::{Identities, ProcessId, ThreadId, process_bits};
use super::order;
use super::scan::{Rows, optional, required};
use super::schema::Table;
use super::strings::{Interner, StringTable, canonical_order};
use crate::units::TraceTime;

/// eventType of a mark.
const MARK: i64 = 34;
/// eventType of a range that one thread pushes and pops.
const PUSH_POP: i64 = 59;
/// eventType of a range that is started and ended, perhaps on another thread.
const START_END: i64 = 60;
/// eventType of the creation of a domain.
const DOMAIN_CREATE: i64 = 75;
/// Stands for an end that is NULL.
const OPEN: i64 = i64::MAX;

/// A range, by its place in [`Ranges`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RangeId(pub(crate) u32);

impl RangeId {
    /// The place in the columns.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// How a range was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RangeStyle {
    /// Pushed and popped on one thread.
    PushPop,
    /// Started and ended, perhaps by different threads.
    StartEnd,
}

/// A mark: an instant with a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// When.
    pub at: TraceTime,
    /// The thread that made it.
    pub thread: ThreadId,
    /// The message.
    pub text: String,
}

/// All NVTX ranges, sorted by start.
#[derive(Clone, Debug, Default)]
pub struct Ranges {
    start: Vec<i64>,
    end: Vec<i64>,
    thread: Vec<ThreadId>,
    text: Vec<u32>,
    domain: Vec<u32>,
    style: Vec<RangeStyle>,
    texts: Vec<String>,
    domains: Vec<Option<String>>,
    marks: Vec<Mark>,
    bad_times: u64,
}

impl Ranges {
    /// How many ranges were dropped because they end before they start, or lie at 0..0.
    pub fn bad_times(&self) -> u64 {
        self.bad_times
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.start.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.start.is_empty()
    }

    /// Every range, by start.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = RangeId> + use<> {
        (0..self.start.len() as u32).map(RangeId)
    }

    /// When it was opened.
    pub fn start(&self, range: RangeId) -> TraceTime {
        TraceTime::from_ns(self.start[range.index()])
    }

    /// When it was closed, as the export says; `None` when it never was. See
    /// [`Ranges::last_instant`] for ends that the importer made up.
    pub fn end(&self, range: RangeId) -> Option<TraceTime> {
        Some(self.end[range.index()]).filter(|end| *end != OPEN).map(TraceTime::from_ns)
    }

    /// The thread that opened it.
    pub fn thread(&self, range: RangeId) -> ThreadId {
        self.thread[range.index()]
    }

    /// The message.
    pub fn text(&self, range: RangeId) -> &str {
        &self.texts[self.text_index(range)]
    }

    /// The message, as an index into [`Ranges::texts`].
    pub fn text_index(&self, range: RangeId) -> usize {
        self.text[range.index()] as usize
    }

    /// Every message that occurs, in order.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }

    /// The name of its domain; `None` in the default domain.
    pub fn domain(&self, range: RangeId) -> Option<&str> {
        self.domains[self.domain[range.index()] as usize].as_deref()
    }

    /// Push/pop or start/end.
    pub fn style(&self, range: RangeId) -> RangeStyle {
        self.style[range.index()]
    }

    /// All marks, by time.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The latest end of any range that has one.
    pub fn last_instant(&self) -> Option<TraceTime> {
        self.end.iter().copied().filter(|end| *end != OPEN).max().map(TraceTime::from_ns)
    }

    fn sort(&mut self) {
        let key = |i: usize| {
            (
                self.start[i],
                Reverse(self.end[i]),
                self.thread[i],
                self.text[i],
                self.domain[i],
                self.style[i],
            )
        };
        if let Some(order) = order::sorting(self.len(), key) {
            order::apply(&mut self.start, &order);
            order::apply(&mut self.end, &order);
            order::apply(&mut self.thread, &order);
            order::apply(&mut self.text, &order);
            order::apply(&mut self.domain, &order);
            order::apply(&mut self.style, &order);
        }
    }
}

/// Columns as they are stored, before identities are known.
pub(super) struct RawRanges {
    start: Vec<i64>,
    end: Vec<i64>,
    thread: Vec<u32>,
    text: Vec<u32>,
    domain: Vec<u32>,
    style: Vec<RangeStyle>,
    marks: Vec<(i64, u32, u32)>,
    threads: Interner<Option<i64>>,
    texts: Texts,
    domains: Interner<(i64, i64)>,
    domain_names: HashMap<(i64, i64), u32>,
    bad_times: u64,
}

/// A message as a row holds it.
#[derive(Clone, Debug, PartialEq, Eq)]
enum RawText {
    Inline(String),
    Registered(i64),
    None,
}

/// Messages under numbers; an inline message costs an allocation only when it is new.
struct Texts {
    inline: HashMap<String, u32>,
    registered: HashMap<i64, u32>,
    all: Vec<RawText>,
}

impl Texts {
    fn id(&mut self, text: Option<&str>, id: Option<i64>) -> u32 {
        let next = self.all.len() as u32;
        match (text, id) {
            (Some(text), _) => {
                if let Some(id) = self.inline.get(text) {
                    return *id;
                }
                self.inline.insert(text.to_owned(), next);
                self.all.push(RawText::Inline(text.to_owned()));
            }
            (None, Some(id)) => {
                if let Some(id) = self.registered.get(&id) {
                    return *id;
                }
                self.registered.insert(id, next);
                self.all.push(RawText::Registered(id));
            }
            (None, None) => {
                if let Some(at) = self.all.iter().position(|text| *text == RawText::None) {
                    return at as u32;
                }
                self.all.push(RawText::None);
            }
        }
        next
    }
}

impl RawRanges {
    pub(super) fn none() -> Self {
        Self {
            start: Vec::new(),
            end: Vec::new(),
            thread: Vec::new(),
            text: Vec::new(),
            domain: Vec::new(),
            style: Vec::new(),
            marks: Vec::new(),
            threads: Interner::new(),
            texts: Texts { inline: HashMap::new(), registered: HashMap::new(), all: Vec::new() },
            domains: Interner::new(),
            domain_names: HashMap::new(),
            bad_times: 0,
        }
    }

    /// Reads the table.
    pub(super) fn read(rows: Rows<'_>, table: &Table) -> Result<Self, TraceError> {
        let mut raw = Self::none();
        let columns = [
            required("start"),
            optional("end"),
            required("eventType"),
            optional("text"),
            optional("textId"),
            optional("globalTid"),
            optional("domainId"),
        ];
        rows.each(table, columns, |row| {
            let style = match row.some_int(2)? {
                PUSH_POP => Some(RangeStyle::PushPop),
                START_END => Some(RangeStyle::StartEnd),
                MARK | DOMAIN_CREATE => None,
                _ => return Ok(()),
            };
            let text = raw.texts.id(row.text(3)?.as_deref(), row.int(4)?);
            let tid = row.int(5)?;
            let domain = (process_bits(tid.unwrap_or(0)), row.int(6)?.unwrap_or(0));
            let start = row.some_int(0)?;
            let Some(style) = style else {
                if row.some_int(2)? == MARK {
                    let thread = raw.threads.id(tid);
                    raw.marks.push((start, thread, text));
                } else {
                    raw.domain_names.insert(domain, text);
                }
                return Ok(());
            };
            let end = row.int(1)?.unwrap_or(OPEN);
            if order::is_bad_time(start, end) {
                raw.bad_times += 1;
                return Ok(());
            }
            raw.start.push(start);
            raw.end.push(end);
            raw.thread.push(raw.threads.id(tid));
            raw.text.push(text);
            raw.domain.push(raw.domains.id(domain));
            raw.style.push(style);
            Ok(())
        })?;
        order::check_count(rows, table, raw.start.len())?;
        Ok(raw)
    }

    /// Every `globalTid` that occurs.
    pub(super) fn threads(&self) -> &[Option<i64>] {
        self.threads.keys()
    }

    /// Messages resolved, identities numbered, rows in order.
    pub(super) fn finish(
        self,
        identities: &Identities,
        strings: &StringTable<'_>,
    ) -> rusqlite::Result<Ranges> {
        let mut messages: Interner<String> = Interner::new();
        let mut message_of = Vec::with_capacity(self.texts.all.len());
        for text in &self.texts.all {
            message_of.push(messages.id(match text {
                RawText::Inline(text) => text.clone(),
                RawText::Registered(id) => strings.get(*id)?,
                RawText::None => String::new(),
            }));
        }
        let (text_order, text_place) = canonical_order(messages.keys());
        let message = |text: u32| text_place[message_of[text as usize] as usize];
        let names: Vec<Option<String>> = self
            .domains
            .keys()
            .iter()
            .map(|key| {
                let name = self.domain_names.get(key)?;
                Some(messages.keys()[message_of[*name as usize] as usize].clone())
            })
            .collect();
        let mut domains: Interner<Option<String>> = Interner::new();
        let domain_of: Vec<u32> = names.into_iter().map(|name| domains.id(name)).collect();
        let (domain_order, domain_place) = canonical_order(domains.keys());
        let thread_of: Vec<ThreadId> = self
            .threads
            .keys()
            .iter()
            .map(|global| identities.thread_of_global(*global).unwrap_or(ThreadId(0)))
            .collect();
        let texts: Vec<String> =
            text_order.iter().map(|old| messages.keys()[*old as usize].clone()).collect();
        let mut marks: Vec<Mark> = self
            .marks
            .iter()
            .map(|(at, thread, text)| Mark {
                at: TraceTime::from_ns(*at),
                thread: thread_of[*thread as usize],
                text: texts[message(*text) as usize].clone(),
            })
            .collect();
        marks.sort_by(|a, b| (a.at, a.thread, &a.text).cmp(&(b.at, b.thread, &b.text)));
        let mut ranges = Ranges {
            text: self.text.iter().map(|text| message(*text)).collect(),
            domain: self
                .domain
                .iter()
                .map(|id| domain_place[domain_of[*id as usize] as usize])
                .collect(),
            thread: self.thread.iter().map(|id| thread_of[*id as usize]).collect(),
            start: self.start,
            end: self.end,
            style: self.style,
            domains: domain_order.iter().map(|old| domains.keys()[*old as usize].clone()).collect(),
            texts,
            marks,
            bad_times: self.bad_times,
        };
        ranges.sort();
        Ok(ranges)
    }
}

impl Ranges {
    /// The process that opened the range.
    pub fn process(&self, range: RangeId, identities: &Identities) -> Option<ProcessId> {
        identities.thread(self.thread(range)).process
    }
}
