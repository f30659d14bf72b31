//! Documents as JSON text, indented by two spaces a level.
//!
//! The text is that of serde_json's own pretty printer, byte for byte, but a line break and its
//! indentation are written in one piece, and the instances of an analysis, which are most of a large
//! one, by several threads:
//!
//! ```text
//!   head  [ instances 0.. | 64.. | 128.. | … ]  tail     written in this order
//!           any thread, while those before are written
//! ```

use std::io::{self, Write};
use std::num::NonZeroUsize;

use rayon::prelude::*;
use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::Formatter;

use crate::attribution::Analysis;
use crate::attribution::document::Instance;

/// A separator, a line break and the indentation of deep levels.
const BREAK: &[u8; 66] = b",\n                                                                ";
/// The empty list of instances, where it stands in a document: two levels deep.
const NO_INSTANCES: &[u8] = b"\n    \"instances\": []";
/// How deep its elements stand.
const INSTANCE_DEPTH: usize = 3;
/// How many instances a thread writes at a time.
const CHUNK: usize = 64;
/// How many chunks of text there are for each thread at a time.
const AHEAD: usize = 4;

/// Writes a document, without a line break behind it.
pub(super) fn write(out: impl Write, document: &impl Serialize) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(out, Lines::at(0));
    Ok(document.serialize(&mut serializer)?)
}

/// The same for an analysis, with so many threads.
pub(super) fn write_analysis(
    out: &mut impl Write,
    mut analysis: Analysis,
    jobs: NonZeroUsize,
) -> io::Result<()> {
    let instances = std::mem::take(&mut analysis.windows.instances);
    let mut text = Vec::new();
    write(&mut text, &analysis)?;
    let place = text.windows(NO_INSTANCES.len()).position(|part| part == NO_INSTANCES);
    let Some(place) = place.filter(|_| !instances.is_empty()) else {
        analysis.windows.instances = instances;
        return write(out, &analysis);
    };
    let (head, tail) = text.split_at(place + NO_INSTANCES.len() - 1);
    out.write_all(head)?;
    write_instances(out, &instances, jobs.get())?;
    out.write_all(b"\n    ")?;
    out.write_all(tail)?;
    // The program ends here: nobody needs the memory of its many small parts.
    std::mem::forget(instances);
    Ok(())
}

/// Writes the elements of the list: while some are written, the next ones become text.
fn write_instances(out: &mut impl Write, instances: &[Instance], jobs: usize) -> io::Result<()> {
    let mut batches = instances.chunks(CHUNK * AHEAD * jobs);
    let (mut ready, mut next) = (Vec::new(), Vec::new());
    let mut made = batches.next().map_or(Ok(()), |batch| texts(batch, &mut ready));
    // The first element has no comma before it.
    let mut skip = 1;
    while !ready.is_empty() {
        std::mem::replace(&mut made, Ok(()))?;
        rayon::in_place_scope(|tasks| {
            let (next, made) = (&mut next, &mut made);
            match batches.next() {
                Some(batch) => tasks.spawn(move |_| *made = texts(batch, next)),
                None => next.clear(),
            }
            let mut write = |text: &Vec<u8>| out.write_all(&text[std::mem::take(&mut skip)..]);
            ready.iter().try_for_each(&mut write)
        })?;
        std::mem::swap(&mut ready, &mut next);
    }
    Ok(())
}

/// Turns instances into text, chunk by chunk, in place of other texts whose memory is used again.
fn texts(batch: &[Instance], texts: &mut Vec<Vec<u8>>) -> io::Result<()> {
    let chunks = batch.chunks(CHUNK);
    texts.resize_with(chunks.len(), Vec::new);
    texts.par_iter_mut().zip(batch.par_chunks(CHUNK)).try_for_each(|(text, chunk)| {
        text.clear();
        elements(text, chunk)
    })
}

/// Writes elements, each behind a comma and a line break.
fn elements(text: &mut Vec<u8>, chunk: &[Instance]) -> io::Result<()> {
    for instance in chunk {
        break_line(text, INSTANCE_DEPTH, true)?;
        let mut serializer = Serializer::with_formatter(&mut *text, Lines::at(INSTANCE_DEPTH));
        instance.serialize(&mut serializer)?;
    }
    Ok(())
}

/// Ends a line, with a comma or without, and indents the next one.
fn break_line(out: &mut (impl Write + ?Sized), depth: usize, comma: bool) -> io::Result<()> {
    let from = usize::from(!comma);
    let spaces = 2 * depth;
    let most = BREAK.len() - 2;
    out.write_all(&BREAK[from..2 + spaces.min(most)])?;
    for _ in most..spaces {
        out.write_all(b" ")?;
    }
    Ok(())
}

/// Writes every element and every key on a line of its own.
struct Lines {
    depth: usize,
    /// Whether the list or map that ends next has anything in it.
    filled: bool,
}

impl Lines {
    /// Inside so many lists and maps.
    const fn at(depth: usize) -> Self {
        Self { depth, filled: false }
    }

    fn open(&mut self) {
        self.depth += 1;
        self.filled = false;
    }

    fn close<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.depth -= 1;
        if self.filled { break_line(out, self.depth, false) } else { Ok(()) }
    }
}

impl Formatter for Lines {
    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open();
        out.write_all(b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out)?;
        out.write_all(b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        break_line(out, self.depth, !first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.open();
        out.write_all(b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.close(out)?;
        out.write_all(b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        break_line(out, self.depth, !first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        out.write_all(b": ")
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.filled = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use serde_json::json;

    use super::*;
    use crate::attribution::{Analyzer, Options};
    use crate::classify::Classifier;
    use crate::trace::{Trace, source};
    use crate::windows::{Selection, Surroundings, WindowSpec, select};

    fn text(document: &impl Serialize) -> String {
        let mut text = Vec::new();
        write(&mut text, document).unwrap();
        String::from_utf8(text).unwrap()
    }

    #[test]
    fn the_text_is_that_of_serde_json() {
        let mut deep = json!([1, {"a": []}]);
        for _ in 0..50 {
            deep = json!({ "": [deep, {}] });
        }
        let odd = json!({"\"\n\u{1f600}\\": -0.1, "n": null, "i": [i64::MIN, u64::MAX, 1e300], "e": [[], [[]]]});
        for document in [json!({}), json!([]), json!("x"), odd, deep] {
            assert_eq!(text(&document), serde_json::to_string_pretty(&document).unwrap());
        }
    }
    /// An analysis of a fixture, with as many instances as wanted.
    fn analysis(count: usize) -> Analysis {
        let path = Path::new("fixtures/traces/wno-request/eager-450.sqlite.zst");
        let open = source::open(path).unwrap();
        let trace = Trace::read(path, open.connection()).unwrap();
        let rules = Classifier::shipped().unwrap();
        let around =
            Surroundings { messages: trace.ranges.texts(), read_file: &|_| unreachable!() };
        let spec = WindowSpec::parse("latency", &around).unwrap();
        let set = select(&trace, "latency", &spec, &Selection::default()).unwrap();
        let mut analysis = Analyzer::new(&trace, &rules).analyze(&set, &Options::default());
        let some = analysis.windows.instances.clone();
        analysis.windows.instances = some.into_iter().cycle().take(count).collect();
        analysis
    }

    #[test]
    fn an_analysis_is_the_same_text_for_every_number_of_threads() {
        for count in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 10 * CHUNK + 7] {
            let analysis = analysis(count);
            let expected = serde_json::to_string_pretty(&analysis).unwrap();
            for jobs in [1, 2, 3, 16] {
                let mut text = Vec::new();
                let jobs = NonZeroUsize::new(jobs).unwrap();
                write_analysis(&mut text, analysis.clone(), jobs).unwrap();
                assert!(text == expected.as_bytes(), "{count} instances, {jobs} threads");
            }
        }
    }

    /// Takes so many bytes and then no more, as a closed pipe does.
    struct Closing(usize);

    impl Write for Closing {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_goes_away_ends_all_threads() {
        let jobs = NonZeroUsize::new(3).unwrap();
        for bytes in [0, 10_000, 300_000] {
            let error = write_analysis(&mut Closing(bytes), analysis(5_000), jobs).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::BrokenPipe);
        }
    }
}
