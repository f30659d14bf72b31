//! Spans that the user gives: on trace time, on the wall clock, or in a CSV file.
//!
//! `time:1.25s..3s`, `utc:2025-04-24T19:58:59Z..2025-04-24T19:59:01Z`, and a file with the header
//! `start_ns,end_ns[,label]` (trace time) or `start_unix_ns,end_unix_ns[,label]` (wall clock).

use super::error::WindowError;
use crate::units::{SessionClock, Span, TraceTime, UnixTime};

/// A span as it was given, on one of the two clocks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExplicitSpan {
    /// What to call it; the specification or the row's label.
    pub label: String,
    clock: ClockSpan,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClockSpan {
    Trace(TraceTime, TraceTime),
    Wall(UnixTime, UnixTime),
}

impl ExplicitSpan {
    /// The span on trace time. Wall-clock spans need the start of the session.
    pub(crate) fn on_trace(&self, session: Option<SessionClock>) -> Result<Span, WindowError> {
        match self.clock {
            ClockSpan::Trace(start, end) => Span::new(start, end),
            ClockSpan::Wall(start, end) => session
                .ok_or_else(|| WindowError::NoSessionStart { spec: self.label.clone() })?
                .span_to_trace(start, end),
        }
        .ok_or_else(|| WindowError::Reversed { spec: self.label.clone() })
    }
}

/// `A..B` on trace time, each with a unit.
pub(super) fn trace_times(spec: &str, text: &str) -> Result<ExplicitSpan, WindowError> {
    let (start, end) = bounds(spec, text)?;
    let time = |text: &str| {
        duration_ns(text).map(TraceTime::from_ns).ok_or_else(|| WindowError::Time {
            spec: spec.to_owned(),
            found: text.to_owned(),
            expected: "a number with a unit (ns, us, ms or s) below 292 years",
        })
    };
    Ok(ExplicitSpan { label: spec.to_owned(), clock: ClockSpan::Trace(time(start)?, time(end)?) })
}

/// `A..B` on the wall clock, in RFC 3339.
pub(super) fn utc_times(spec: &str, text: &str) -> Result<ExplicitSpan, WindowError> {
    let (start, end) = bounds(spec, text)?;
    let time = |text: &str| {
        let stamp: jiff::Timestamp = text.parse().map_err(|_| WindowError::Time {
            spec: spec.to_owned(),
            found: text.to_owned(),
            expected: "an RFC 3339 time such as 2025-04-24T19:58:59.5Z",
        })?;
        let ns = i64::try_from(stamp.as_nanosecond()).map_err(|_| WindowError::Time {
            spec: spec.to_owned(),
            found: text.to_owned(),
            expected: "a time between the years 1678 and 2262",
        })?;
        Ok(UnixTime::from_unix_ns(ns))
    };
    Ok(ExplicitSpan { label: spec.to_owned(), clock: ClockSpan::Wall(time(start)?, time(end)?) })
}

fn bounds<'t>(spec: &str, text: &'t str) -> Result<(&'t str, &'t str), WindowError> {
    text.split_once("..").ok_or_else(|| WindowError::Time {
        spec: spec.to_owned(),
        found: text.to_owned(),
        expected: "two times with .. between them",
    })
}

/// `1.25s` → 1250000000, exactly: the digits are shifted, not multiplied.
fn duration_ns(text: &str) -> Option<i64> {
    let at = text.find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '-'))?;
    let (number, unit) = text.split_at(at);
    let digits = match unit.trim() {
        "ns" => 0,
        "us" | "µs" => 3,
        "ms" => 6,
        "s" => 9,
        _ => return None,
    };
    let (negative, number) = match number.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, number),
    };
    let (whole, part) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() || part.len() > digits || part.contains('.') {
        return None;
    }
    let value: i64 = format!("{whole}{part:0<digits$}").parse().ok()?;
    Some(if negative { -value } else { value })
}

/// The rows of a windows file.
pub(super) fn from_csv(path: &str, content: &str) -> Result<Vec<ExplicitSpan>, WindowError> {
    let fail =
        |line: u64, problem: String| WindowError::Csv { path: path.to_owned(), line, problem };
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(content.as_bytes());
    let header = reader.headers().map_err(|error| fail(1, error.to_string()))?.clone();
    let names: Vec<&str> = header.iter().collect();
    let wall = match names.as_slice() {
        ["start_ns", "end_ns"] | ["start_ns", "end_ns", "label"] => false,
        ["start_unix_ns", "end_unix_ns"] | ["start_unix_ns", "end_unix_ns", "label"] => true,
        _ => {
            let problem = format!("the header is `{}`", names.join(","));
            return Err(fail(1, problem));
        }
    };
    let mut spans = Vec::new();
    for record in reader.records() {
        let line_of = |position: Option<&csv::Position>| position.map_or(0, csv::Position::line);
        let record = record.map_err(|error| fail(line_of(error.position()), error.to_string()))?;
        let line = line_of(record.position());
        let cell = |i: usize| {
            let text = record.get(i).unwrap_or("");
            text.parse::<i64>()
                .map_err(|_| fail(line, format!("`{text}` is not a whole number of nanoseconds")))
        };
        let (start, end) = (cell(0)?, cell(1)?);
        if end < start {
            return Err(fail(line, format!("the end {end} lies before the start {start}")));
        }
        let label = record.get(2).filter(|text| !text.is_empty());
        spans.push(ExplicitSpan {
            label: label.map_or_else(|| format!("{path}:{line}"), str::to_owned),
            clock: if wall {
                ClockSpan::Wall(UnixTime::from_unix_ns(start), UnixTime::from_unix_ns(end))
            } else {
                ClockSpan::Trace(TraceTime::from_ns(start), TraceTime::from_ns(end))
            },
        });
    }
    Ok(spans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_and_need_a_unit() {
        assert_eq!(duration_ns("1.25s"), Some(1_250_000_000));
        assert_eq!(duration_ns("0.1s"), Some(100_000_000));
        assert_eq!(duration_ns("17ms"), Some(17_000_000));
        assert_eq!(duration_ns("-1.88s"), Some(-1_880_000_000));
        assert_eq!(duration_ns("1.5ns"), None);
        assert_eq!(duration_ns("12"), None);
        assert_eq!(duration_ns("1.2.3s"), None);
    }

    #[test]
    fn a_file_says_its_clock_in_the_header() {
        let spans = from_csv("w.csv", "start_ns,end_ns,label\n10,20,first\n30,40,\n").unwrap();
        assert_eq!(spans[0].label, "first");
        assert_eq!(spans[1].label, "w.csv:3");
        assert_eq!(spans[0].on_trace(None).unwrap(), Span::from_ns(10, 20));
        let wall = from_csv("w.csv", "start_unix_ns,end_unix_ns\n1010,1020\n").unwrap();
        assert!(wall[0].on_trace(None).is_err());
        let session = SessionClock::starting_at(UnixTime::from_unix_ns(1000));
        assert_eq!(wall[0].on_trace(Some(session)).unwrap(), Span::from_ns(10, 20));
    }

    #[test]
    fn a_bad_row_is_named_by_its_line() {
        let error = from_csv("w.csv", "start_ns,end_ns\n1,2\nx,4\n").unwrap_err().to_string();
        assert!(error.contains("w.csv:3") && error.contains("`x`"), "{error}");
        assert!(from_csv("w.csv", "from,to\n1,2\n").is_err());
        assert!(from_csv("w.csv", "start_ns,end_ns\n5,2\n").is_err());
    }
}
