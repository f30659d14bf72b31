//! NVTX ranges and marks, as sorted columns.
//!
//! Table `NVTX_EVENTS`: eventType 59 is a push/pop range, 60 a start/end range, 34 a mark, 75 creates
//! a domain (its text names the domain of that id, per process). The message is in `text`, or, for a
//! registered string, in `textId`; both forms occur inside one file. `end` is NULL for a range that
//! was never closed. Order: start, then the longer first, then thread, text and domain.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use super::error::TraceError;
use super::fast_map::FastMap;
use super::identity::{Identities, ProcessId, ThreadId, process_bits};
use super::order;
use super::scan::{Row, Rows, optional, required};
use super::schema::Table;
use super::spans::Spans;
use super::strings::{Interner, StringTable, append_renumbered, canonical_order, distinct};
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
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ranges {
    spans: Spans,
    text: Vec<u32>,
    /// Thread, domain and style together, which take few values: an index into `origins`.
    origin: Vec<u32>,
    /// Thread, domain and style, in order.
    origins: Vec<(ThreadId, u32, RangeStyle)>,
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
        self.spans.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Every range, by start.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = RangeId> + use<> {
        (0..self.spans.len() as u32).map(RangeId)
    }

    /// When it was opened.
    pub fn start(&self, range: RangeId) -> TraceTime {
        TraceTime::from_ns(self.spans.start(range.index()))
    }

    /// When it was closed, as the export says; `None` when it never was. See
    /// [`Ranges::last_instant`] for ends that the importer made up.
    pub fn end(&self, range: RangeId) -> Option<TraceTime> {
        Some(self.spans.end(range.index())).filter(|end| *end != OPEN).map(TraceTime::from_ns)
    }

    /// The thread that opened it.
    pub fn thread(&self, range: RangeId) -> ThreadId {
        self.origin(range).0
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
        self.domains[self.origin(range).1 as usize].as_deref()
    }

    /// Push/pop or start/end.
    pub fn style(&self, range: RangeId) -> RangeStyle {
        self.origin(range).2
    }

    /// All marks, by time.
    pub fn marks(&self) -> &[Mark] {
        &self.marks
    }

    /// The latest end of any range that has one.
    pub fn last_instant(&self) -> Option<TraceTime> {
        self.spans.ends().filter(|end| *end != OPEN).max().map(TraceTime::from_ns)
    }

    fn origin(&self, range: RangeId) -> (ThreadId, u32, RangeStyle) {
        self.origins[self.origin[range.index()] as usize]
    }

    fn sort(&mut self) {
        let compare = |a: usize, b: usize| -> Ordering {
            (self.spans.start(a).cmp(&self.spans.start(b)))
                .then_with(|| self.spans.end(b).cmp(&self.spans.end(a)))
                .then_with(|| {
                    let key = |row: usize| {
                        let (thread, domain, style) = self.origins[self.origin[row] as usize];
                        (thread, self.text[row], domain, style)
                    };
                    key(a).cmp(&key(b))
                })
        };
        if let Some(order) = order::sorting(self.len(), compare) {
            self.spans.apply(&order);
            order::apply(&mut self.text, &order);
            order::apply(&mut self.origin, &order);
        }
    }
}

/// Columns as they are stored, before identities are known.
pub(super) struct RawRanges {
    spans: Spans,
    text: Vec<u32>,
    origin: Vec<u32>,
    /// Time, `globalTid` and text.
    marks: Vec<(i64, Option<i64>, u32)>,
    mark_threads: Interner<Option<i64>>,
    texts: Texts,
    /// `globalTid`, `domainId` and style.
    origins: Interner<(Option<i64>, i64, RangeStyle)>,
    /// The text that names a domain of a process; the last row counts.
    domain_names: BTreeMap<(i64, i64), u32>,
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
#[derive(Default)]
struct Texts {
    inline: FastMap<String, u32>,
    registered: FastMap<i64, u32>,
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

    /// Numbers the messages of later rows as well: the new number of each of theirs. Leaves those
    /// empty.
    fn adopt(&mut self, later: &mut Self) -> Vec<u32> {
        let number = |text: &RawText| match text {
            RawText::Inline(text) => self.id(Some(text), None),
            RawText::Registered(id) => self.id(None, Some(*id)),
            RawText::None => self.id(None, None),
        };
        let numbers = later.all.iter().map(number).collect();
        *later = Self::default();
        numbers
    }
}

impl RawRanges {
    pub(super) fn none() -> Self {
        Self {
            spans: Spans::default(),
            text: Vec::new(),
            origin: Vec::new(),
            marks: Vec::new(),
            mark_threads: Interner::new(),
            texts: Texts::default(),
            origins: Interner::new(),
            domain_names: BTreeMap::new(),
            bad_times: 0,
        }
    }

    /// Reads the table.
    pub(super) fn read(rows: Rows<'_>, table: &Table) -> Result<Self, TraceError> {
        let columns = [
            required("start"),
            optional("end"),
            required("eventType"),
            optional("text"),
            optional("textId"),
            optional("globalTid"),
            optional("domainId"),
        ];
        let raw = rows.fold(table, columns, Self::none, Self::push, Self::append)?;
        order::check_count(rows, table, raw.spans.len())?;
        Ok(raw)
    }

    fn push(&mut self, row: &Row<'_, 7>) -> Result<(), TraceError> {
        let kind = row.some_int(2)?;
        let style = match kind {
            PUSH_POP => Some(RangeStyle::PushPop),
            START_END => Some(RangeStyle::StartEnd),
            MARK | DOMAIN_CREATE => None,
            _ => return Ok(()),
        };
        let text = self.texts.id(row.text(3)?.as_deref(), row.int(4)?);
        let (tid, domain) = (row.int(5)?, row.int(6)?.unwrap_or(0));
        let start = row.some_int(0)?;
        let Some(style) = style else {
            if kind == MARK {
                self.mark_threads.id(tid);
                self.marks.push((start, tid, text));
            } else {
                self.domain_names.insert((process_bits(tid.unwrap_or(0)), domain), text);
            }
            return Ok(());
        };
        let end = row.int(1)?.unwrap_or(OPEN);
        if order::is_bad_time(start, end) {
            self.bad_times += 1;
            return Ok(());
        }
        self.spans.push(start, end);
        self.text.push(text);
        self.origin.push(self.origins.id((tid, domain, style)));
        Ok(())
    }

    fn append(&mut self, later: &mut Self) {
        let number = self.texts.adopt(&mut later.texts);
        let text = |old: u32| number[old as usize];
        append_renumbered(&mut self.text, &mut later.text, &number);
        let origin = self.origins.adopt(&mut later.origins);
        append_renumbered(&mut self.origin, &mut later.origin, &origin);
        self.spans.append(&mut later.spans);
        self.marks.extend(later.marks.drain(..).map(|(at, tid, old)| (at, tid, text(old))));
        self.mark_threads.adopt(&mut later.mark_threads);
        let names = std::mem::take(&mut later.domain_names);
        self.domain_names.extend(names.into_iter().map(|(key, old)| (key, text(old))));
        self.bad_times += std::mem::take(&mut later.bad_times);
    }

    /// Every `globalTid` that occurs.
    pub(super) fn threads(&self) -> impl Iterator<Item = Option<i64>> + '_ {
        let marks = self.mark_threads.keys().iter().copied();
        self.origins.keys().iter().map(|origin| origin.0).chain(marks)
    }

    /// Messages resolved, identities numbered, rows in order.
    pub(super) fn finish(
        mut self,
        identities: &Identities,
        strings: &StringTable<'_>,
    ) -> rusqlite::Result<Ranges> {
        let mut messages: Interner<String> = Interner::new();
        let mut message_of = Vec::with_capacity(self.texts.all.len());
        for text in std::mem::take(&mut self.texts).all {
            message_of.push(messages.id(match text {
                RawText::Inline(text) => text,
                RawText::Registered(id) => strings.get(id)?,
                RawText::None => String::new(),
            }));
        }
        let (text_order, text_place) = canonical_order(messages.keys());
        let texts: Vec<String> =
            text_order.iter().map(|old| messages.keys()[*old as usize].clone()).collect();
        let place: Vec<u32> = message_of.iter().map(|old| text_place[*old as usize]).collect();
        let (domains, origins) = self.named_origins(identities, |id| &texts[place[id] as usize]);
        let (origins, origin_place) = distinct(&origins);
        let thread = |tid| identities.thread_of_global(tid).unwrap_or(ThreadId(0));
        let mark = |(at, tid, text): &(i64, Option<i64>, u32)| Mark {
            at: TraceTime::from_ns(*at),
            thread: thread(*tid),
            text: texts[place[*text as usize] as usize].clone(),
        };
        let mut marks: Vec<Mark> = self.marks.iter().map(mark).collect();
        marks.sort_by(|a, b| (a.at, a.thread, &a.text).cmp(&(b.at, b.thread, &b.text)));
        for text in &mut self.text {
            *text = place[*text as usize];
        }
        for origin in &mut self.origin {
            *origin = origin_place[*origin as usize];
        }
        let mut ranges = Ranges {
            spans: self.spans,
            text: self.text,
            origin: self.origin,
            origins,
            domains,
            texts,
            marks,
            bad_times: self.bad_times,
        };
        ranges.sort();
        Ok(ranges)
    }

    /// The names of the domains in order, and the origins with identities and those names.
    #[allow(clippy::type_complexity, reason = "two lists of what is nowhere else")]
    fn named_origins<'t>(
        &self,
        identities: &Identities,
        text: impl Fn(usize) -> &'t String,
    ) -> (Vec<Option<String>>, Vec<(ThreadId, u32, RangeStyle)>) {
        let names: Vec<Option<&String>> = self
            .origins
            .keys()
            .iter()
            .map(|(tid, domain, _)| {
                let key = (process_bits(tid.unwrap_or(0)), *domain);
                self.domain_names.get(&key).map(|id| text(*id as usize))
            })
            .collect();
        let (domains, place) = distinct(&names);
        let origin = |(key, domain): (&(Option<i64>, i64, RangeStyle), u32)| {
            let thread = identities.thread_of_global(key.0).unwrap_or(ThreadId(0));
            (thread, domain, key.2)
        };
        let origins = self.origins.keys().iter().zip(place).map(origin).collect();
        (domains.into_iter().map(Option::<&String>::cloned).collect(), origins)
    }
}

impl Ranges {
    /// The process that opened the range.
    pub fn process(&self, range: RangeId, identities: &Identities) -> Option<ProcessId> {
        identities.thread(self.thread(range)).process
    }
}
