//! The templates' engine: which templates there are, and how each format escapes what it prints.
//!
//! Escaping is automatic and follows the name of the template: `.tex`, `.md`, `.html`; `.csv` and
//! `.txt` get text without control characters. A template can be careless, a name from a trace is
//! inert all the same. What prints ready-made pieces is a filter.

use minijinja::value::Value;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, Output, State, UndefinedBehavior};
use serde::Deserialize;

use super::shown::ShownTable;
use super::{html, latex, meaning};
use crate::report::markdown;
use crate::report::table::grouped;
use crate::units::plain;

/// Characters of a text that a template prints without saying how.
const LONGEST: usize = 4_000;
/// Characters of a name in the running text of LaTeX.
const LONGEST_CODE: usize = 400;

/// The templates that come with the program.
const SHIPPED: &[(&str, &str)] = &[
    ("page.html", include_str!("../../../templates/report/page.html")),
    ("macros.html", include_str!("../../../templates/report/macros.html")),
    ("paper.html", include_str!("../../../templates/report/paper.html")),
    ("notebook.html", include_str!("../../../templates/report/notebook.html")),
    ("brief.html", include_str!("../../../templates/report/brief.html")),
    ("page.tex", include_str!("../../../templates/report/page.tex")),
    ("macros.tex", include_str!("../../../templates/report/macros.tex")),
    ("paper.tex", include_str!("../../../templates/report/paper.tex")),
    ("notebook.tex", include_str!("../../../templates/report/notebook.tex")),
    ("brief.tex", include_str!("../../../templates/report/brief.tex")),
    ("macros.md", include_str!("../../../templates/report/macros.md")),
    ("paper.md", include_str!("../../../templates/report/paper.md")),
    ("notebook.md", include_str!("../../../templates/report/notebook.md")),
    ("brief.md", include_str!("../../../templates/report/brief.md")),
];

/// Sets of templates that can be named.
pub const NAMES: [&str; 3] = ["paper", "notebook", "brief"];

/// What the tables need in a preamble.
pub(super) const PREAMBLE: &str = include_str!("../../../templates/report/preamble.tex");
/// The page's looks.
pub(super) const STYLE: &str = include_str!("../../../templates/report/page.css");
/// The page's scripts: tables and tips, then the timeline.
pub(super) const SCRIPT: &str = concat!(
    include_str!("../../../templates/report/page.js"),
    include_str!("../../../templates/report/timeline.js")
);

/// An engine that knows the shipped templates, the filters and the escaping.
///
/// # Errors
/// When a shipped template cannot be parsed, which tests rule out.
pub(super) fn engine() -> Result<Environment<'static>, Error> {
    let mut engine = Environment::new();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|name| AutoEscape::Custom(format_of(name).into()));
    engine.set_formatter(print);
    engine.add_filter("html_table", |table: Value| ready(html::table(&read(table)?)));
    engine.add_filter("latex_table", |table: Value, top: usize| {
        ready(latex::tabular(&read(table)?, top))
    });
    engine.add_filter("markdown_table", |table: Value, top: usize| {
        ready(markdown::shown_table(&read(table)?, top))
    });
    engine.add_filter("definition", |key: String| {
        crate::units::without_keys(meaning::text(&key).unwrap_or_default())
    });
    engine.add_filter("defined", |words: String, key: Option<String>| {
        Value::from_safe_string(html::defined(&words, key.as_deref()))
    });
    engine.add_filter("svg", svg);
    engine.add_filter("code", code);
    engine.add_filter("file", file);
    engine.add_filter("grouped", |count: u64| grouped(count));
    engine.add_filter("short", |number: Value| short(&number));
    for (name, text) in SHIPPED {
        engine.add_template(name, text)?;
    }
    Ok(engine)
}

/// The format that a template writes: the ending of its name, `.j2` and `.jinja` aside.
pub fn format_of(name: &str) -> &'static str {
    let name = name.strip_suffix(".j2").or_else(|| name.strip_suffix(".jinja")).unwrap_or(name);
    let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
    ["html", "tex", "md", "csv"].into_iter().find(|known| *known == ending).unwrap_or("txt")
}

/// Prints a value as the format of the template needs it.
fn print(out: &mut Output<'_>, state: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let text = match value.as_str() {
        Some(text) if value.is_safe() => text.to_owned(),
        _ if value.is_none() => String::new(),
        _ => {
            let text = value.to_string();
            match format(state) {
                "html" => html::escaped(&text),
                "tex" => latex::flowing(&plain(&text, LONGEST)),
                "md" => markdown::escaped(&plain(&text, LONGEST)),
                "csv" => crate::report::csv::field(&text),
                _ => plain(&text, LONGEST),
            }
        }
    };
    out.write_str(&text).map_err(|_| Error::new(ErrorKind::WriteFailure, "no more room"))
}

/// The format of the template that is being printed.
fn format<'a>(state: &'a State<'_, '_>) -> &'a str {
    match state.auto_escape() {
        AutoEscape::Custom(name) => name.as_ref(),
        _ => "txt",
    }
}

fn read(table: Value) -> Result<ShownTable, Error> {
    ShownTable::deserialize(table).map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "this is no table").with_source(error)
    })
}

fn ready(text: String) -> Result<Value, Error> {
    Ok(Value::from_safe_string(text))
}

/// A drawing of this program, which is an `svg` element and holds no script.
fn svg(drawing: String) -> Result<Value, Error> {
    let lower = drawing.to_ascii_lowercase();
    if !lower.starts_with("<svg") || lower.contains("<script") {
        return Err(Error::new(ErrorKind::InvalidOperation, "this is no drawing"));
    }
    ready(drawing)
}

/// A fraction with four digits that count; whole numbers and what is no number stay as they are.
fn short(value: &Value) -> Value {
    let Ok(number) = f64::try_from(value.clone()) else { return value.clone() };
    if value.is_integer() || number.fract() == 0.0 || !number.is_finite() {
        return value.clone();
    }
    let size = number.abs().log10().floor() as i32;
    Value::from(match usize::try_from((3 - size).max(0)) {
        Ok(digits) if digits < 9 => format!("{number:.digits$}"),
        _ => format!("{number:.2e}"),
    })
}

/// A name of a file or an anchor that this program made, as it is.
fn file(name: String) -> Result<Value, Error> {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '/' | '.' | '_');
    if !name.chars().all(safe) {
        return Err(Error::new(ErrorKind::InvalidOperation, "this is no name of a file"));
    }
    ready(name)
}

/// A name as code.
fn code(state: &State<'_, '_>, name: &str) -> Value {
    Value::from_safe_string(match format(state) {
        "html" => format!("<code>{}</code>", html::escaped(name)),
        "tex" => latex::code(name, LONGEST_CODE),
        "md" => markdown::escaped(&plain(name, LONGEST)),
        _ => plain(name, LONGEST),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fractions_are_short_and_whole_numbers_whole() {
        let shown = |number: Value| short(&number).to_string();
        assert_eq!(shown(Value::from(0.315_843_892)), "0.3158");
        assert_eq!(shown(Value::from(-12.345_678)), "-12.35");
        assert_eq!(shown(Value::from(123_456.75)), "123457");
        assert_eq!(shown(Value::from(1.234e-12)), "1.23e-12");
        assert_eq!(shown(Value::from(1_763_851_018)), "1763851018");
        assert_eq!(shown(Value::from("text")), "text");
    }

    #[test]
    fn every_format_escapes_by_itself() {
        let engine = engine().unwrap();
        let name = "<script>\\input{x}|=cmd\u{1b}";
        let shown = |template: &str| {
            engine.render_named_str(template, "{{ name }}", minijinja::context! { name }).unwrap()
        };
        assert_eq!(shown("a.html"), "&lt;script&gt;\\input{x}|=cmd\u{fffd}");
        // A long word may be broken behind a joint.
        let tex = shown("a.tex").replace(r"\allowbreak{}", "");
        assert!(
            tex.starts_with(r"\textless{}script\textgreater{}\textbackslash{}input\{x"),
            "{tex}"
        );
        assert!(shown("a.md.j2").starts_with("&lt;script&gt;\\\\input{x}\\|=cmd\\\\u{1b}"));
        assert!(!shown("a.txt").contains('\u{1b}'));
    }

    #[test]
    fn an_unknown_variable_is_an_error() {
        assert!(engine().unwrap().render_str("{{ nothing }}", ()).is_err());
    }
}
