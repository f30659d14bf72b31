//! Checks for build servers: JUnit XML, and annotations of GitHub Actions.
//!
//! Text from a trace is escaped for its target: XML has no control characters, an annotation ends at the
//! end of its line and `::` begins another one.

use std::io::{self, Write};

use crate::compare::Comparison;
use crate::compare::document::{Check, Outcome};
use crate::finding::Severity;
use crate::units::plain;

/// Writes the checks as one JUnit test suite.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_junit(out: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    let count = |outcome: Outcome| {
        comparison.checks.iter().filter(|check| check.outcome == outcome).count()
    };
    let name = format!(
        "{} against {}, window {}",
        comparison.b.label, comparison.a.label, comparison.b.window
    );
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    writeln!(
        out,
        "<testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"{}\">",
        xml(&name),
        comparison.checks.len(),
        count(Outcome::Failed),
        count(Outcome::Unknown)
    )?;
    for check in &comparison.checks {
        test_case(out, check)?;
    }
    doubts(out, comparison)?;
    writeln!(out, "</testsuite>")
}

fn test_case(out: &mut dyn Write, check: &Check) -> io::Result<()> {
    let (name, message) = (xml(&check.rule), xml(&check.message));
    write!(out, "  <testcase classname=\"nsys-attrib.compare\" name=\"{name}\">")?;
    match check.outcome {
        Outcome::Passed => write!(out, "<system-out>{message}</system-out>")?,
        Outcome::Failed => {
            write!(out, "<failure type=\"limit\" message=\"{message}\">{message}</failure>")?;
        }
        Outcome::Unknown => {
            write!(out, "<error type=\"unknown\" message=\"{message}\">{message}</error>")?;
        }
    }
    writeln!(out, "</testcase>")
}

/// What gives reason to doubt the comparison, a line each: a limit that is held says nothing of it.
fn doubts(out: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    let doubts = comparison.findings.iter().filter(|finding| finding.severity > Severity::Info);
    let lines: Vec<String> = doubts
        .map(|doubt| {
            let text = format!("{} [{}]: {}", doubt.severity, doubt.code, doubt.message);
            format!("    {}\n", xml(&text))
        })
        .collect();
    if lines.is_empty() {
        return Ok(());
    }
    writeln!(out, "  <system-err>\n{}  </system-err>", lines.concat())
}

/// Text of an element or an attribute.
fn xml(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in plain(text, 2_000).chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&apos;"),
            // Neither of them is a character of XML.
            '\u{fffe}' | '\u{ffff}' => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// Writes checks and doubts as workflow commands: what failed as errors, doubts as warnings.
///
/// # Errors
/// When `out` cannot be written.
pub fn write_annotations(out: &mut dyn Write, comparison: &Comparison) -> io::Result<()> {
    for check in &comparison.checks {
        let level = match check.outcome {
            Outcome::Passed => "notice",
            Outcome::Failed | Outcome::Unknown => "error",
        };
        annotation(out, level, &check.rule, &check.message)?;
    }
    for finding in comparison.findings.iter().filter(|f| f.severity > Severity::Info) {
        let message = format!("{} → {}", finding.message, finding.remedy);
        annotation(out, "warning", &finding.code, &message)?;
    }
    Ok(())
}

fn annotation(out: &mut dyn Write, level: &str, title: &str, message: &str) -> io::Result<()> {
    let escaped = |text: &str| {
        plain(text, 2_000).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
    };
    let property = |text: &str| escaped(text).replace(':', "%3A").replace(',', "%2C");
    writeln!(out, "::{level} title={}::{}", property(title), escaped(message))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_inert_in_both() {
        assert_eq!(xml("a<b>&\"\u{1b}[0m"), "a&lt;b&gt;&amp;&quot;\\u{1b}[0m");
        let mut out = Vec::new();
        annotation(&mut out, "error", "a:b,c", "50 %\n::error::x").unwrap();
        let said = String::from_utf8(out).unwrap();
        assert_eq!(said, "::error title=a%3Ab%2Cc::50 %25\\u{a}::error::x\n");
    }
}
