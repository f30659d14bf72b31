//! Text and tables for LaTeX: booktabs rules, siunitx columns, a plain pdflatex.
//!
//! Whatever comes from a trace is printed, never run: every character that TeX reads as more than
//! itself is written as a command for its glyph, ligatures are broken, and what the T1 fonts lack is
//! written as its code point. A table is a `tabular` alone, so that caption and float are the author's.

use std::fmt::Write as _;

use super::shown::{ColumnKind, MISSING, ShownCell, ShownColumn, ShownTable, Unit};
use crate::units::{Distinct, distinct, plain};

/// Characters of a name in a table.
const LONGEST_NAME: usize = 110;
/// Characters of a hash in a table.
const SHOWN_HASH: usize = 13;
/// Columns of names up to this length do not wrap.
const SHORT_NAME: usize = 34;
/// Characters that fit into a line of a table in small print.
const LINE: f64 = 112.0;
/// Letters of a name without a joint after which it may be broken all the same.
const LONGEST_PIECE: usize = 24;

/// Text that typesets as itself.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        match c {
            '\\' => safe.push_str(r"\textbackslash{}"),
            '{' => safe.push_str(r"\{"),
            '}' => safe.push_str(r"\}"),
            '$' | '&' | '#' | '%' | '_' => {
                // A number and its unit stay together.
                if c == '%' && safe.ends_with(' ') {
                    safe.pop();
                    safe.push('~');
                }
                safe.push('\\');
                safe.push(c);
            }
            '~' => safe.push_str(r"\textasciitilde{}"),
            '^' => safe.push_str(r"\textasciicircum{}"),
            '<' => safe.push_str(r"\textless{}"),
            '>' => safe.push_str(r"\textgreater{}"),
            '|' => safe.push_str(r"\textbar{}"),
            '"' => safe.push_str(r"\textquotedbl{}"),
            '\'' => safe.push_str(r"\textquotesingle{}"),
            '`' => safe.push_str(r"\textasciigrave{}"),
            // Behind `\\` these would be read as its argument; two hyphens would become a dash.
            '[' | ']' | '*' => {
                let _ = write!(safe, "{{{c}}}");
            }
            '-' => safe.push_str("-{}"),
            c => safe.push_str(&glyph(c)),
        }
    }
    safe
}

/// The other characters: ASCII as it is, known signs by their commands, the rest by its code point.
fn glyph(c: char) -> String {
    let known = match c {
        ' '..='~' => return c.to_string(),
        '\n' | '\r' | '\t' | '\u{a0}' => " ",
        '–' => "--",
        '—' => "---",
        '…' => r"\dots{}",
        '“' => r"\textquotedblleft{}",
        '”' => r"\textquotedblright{}",
        '·' => r"\textperiodcentered{}",
        '×' => r"\texttimes{}",
        '±' => r"\textpm{}",
        'µ' | 'μ' => r"\textmu{}",
        '°' => r"\textdegree{}",
        '≥' => r"\ensuremath{\geq}",
        '≤' => r"\ensuremath{\leq}",
        '→' => r"\textrightarrow{}",
        'Δ' => r"\ensuremath{\Delta}",
        '−' => r"\ensuremath{-}",
        c if c.is_control() => return format!(r"\textbackslash{{}}u\{{{:x}\}}", c as u32),
        c => return format!(r"\ensuremath{{\langle}}U+{:04X}\ensuremath{{\rangle}}", c as u32),
    };
    known.to_owned()
}

/// A name in typewriter type that may be broken where C++ names have joints.
pub fn code(name: &str, longest: usize) -> String {
    typewriter(&plain(name, longest))
}

fn typewriter(text: &str) -> String {
    format!(r"\texttt{{{}}}", breakable(text))
}

/// Text whose long words may be broken, at the joints of C++ names or after so many letters.
fn breakable(text: &str) -> String {
    let mut broken = String::new();
    let mut piece = String::new();
    let mut since_space = 0;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        piece.push(c);
        since_space = if c == ' ' { 0 } else { since_space + 1 };
        let joint = match c {
            ':' => characters.peek() != Some(&':'),
            '<' | ',' | '(' | '_' | '/' | '…' => true,
            _ => since_space >= LONGEST_PIECE,
        };
        if joint {
            broken += &escaped(&piece);
            broken += r"\allowbreak{}";
            piece.clear();
            // The rest of a long word may be broken more often.
            since_space = if since_space >= LONGEST_PIECE { 2 * LONGEST_PIECE / 3 } else { 0 };
        }
    }
    broken + &escaped(&piece)
}

/// Text of sentences: what stands between backticks is in typewriter type, long words (paths, hashes, names) may be
/// broken as names are.
pub fn flowing(text: &str) -> String {
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return sentence(text);
    }
    let set = parts.iter().enumerate().map(|(at, part)| match at % 2 {
        1 => typewriter(part),
        _ => sentence(part),
    });
    set.collect()
}

fn sentence(text: &str) -> String {
    let mut set = String::with_capacity(text.len() + 16);
    let mut short = String::new();
    for word in text.split_inclusive(' ') {
        if word.trim_end().chars().count() > LONGEST_PIECE {
            set += &escaped(&std::mem::take(&mut short));
            set += &breakable(word);
        } else {
            short += word;
        }
    }
    set + &escaped(&short)
}

/// How siunitx writes a unit.
const fn unit_command(unit: Unit) -> &'static str {
    match unit {
        Unit::Nanosecond => r"\si{\nano\second}",
        Unit::Microsecond => r"\si{\micro\second}",
        Unit::Millisecond => r"\si{\milli\second}",
        Unit::Second => r"\si{\second}",
        Unit::Percent => r"\si{\percent}",
        Unit::Point => "pp",
        Unit::Byte => "B",
        Unit::Kilobyte => "kB",
        Unit::Megabyte => "MB",
        Unit::Gigabyte => "GB",
        Unit::Milliwatt => r"\si{\milli\watt}",
        Unit::Watt => r"\si{\watt}",
        Unit::Millijoule => r"\si{\milli\joule}",
        Unit::Joule => r"\si{\joule}",
    }
}

/// The table as a `tabular` with at most `top` rows; needs booktabs, siunitx and array.
pub fn tabular(table: &ShownTable, top: usize) -> String {
    let rows = &table.rows[..table.rows.len().min(top)];
    let is_code = |at: usize| table.columns[at].key == "name" || table.columns[at].key == "code";
    // Hashes are for machines, which read them in the CSV file.
    let limit =
        |at: usize| if table.columns[at].key == "sha256" { SHOWN_HASH } else { LONGEST_NAME };
    let names: Vec<Distinct> = (0..table.columns.len())
        .map(|at| distinct(rows.iter().map(|row| row[at].text.as_str()), limit(at)))
        .collect();
    let widths: Vec<usize> = (0..table.columns.len())
        .map(|at| {
            let lengths = rows.iter().map(|row| row[at].text.chars().count());
            lengths.max().unwrap_or(0).min(limit(at))
        })
        .collect();
    let wraps = |at: usize| table.columns[at].kind == ColumnKind::Text && widths[at] > SHORT_NAME;
    let wrapped = (0..widths.len()).filter(|at| wraps(*at)).count();
    let room_with = |stacked| room(table, &widths, &wraps, stacked);
    let enough = if wrapped > 0 { 0.25 } else { 0.0 };
    let stacked = room_with(false) < enough;
    let room = room_with(stacked);
    let width = room.clamp(0.25, 0.8) / wrapped.max(1) as f64;
    let mut text = String::new();
    // What is too wide even so is set smaller.
    if room < enough {
        text += "\\resizebox{\\linewidth}{!}{";
    }
    text += "\\begin{tabular}{@{}\n";
    for (at, column) in table.columns.iter().enumerate() {
        let _ = match column.kind {
            ColumnKind::Text if wraps(at) => {
                writeln!(text, "  >{{\\raggedright\\arraybackslash}}p{{{width:.3}\\linewidth}}")
            }
            ColumnKind::Text => writeln!(text, "  l"),
            ColumnKind::Mixed => writeln!(text, "  r"),
            ColumnKind::Number => writeln!(text, "  {}", number_column(column, rows, at)),
        };
    }
    text += "@{}}\n\\toprule\n";
    let headings: Vec<String> =
        table.columns.iter().map(|column| heading(column, stacked)).collect();
    let _ = writeln!(text, "{} \\\\\n\\midrule", headings.join(" & "));
    for (place, row) in rows.iter().enumerate() {
        let name = |at: usize| names[at].shown[place].as_str();
        let cells: Vec<String> = row
            .iter()
            .enumerate()
            .map(|(at, cell)| shown(cell, table.columns[at].kind, is_code(at), name(at)))
            .collect();
        let _ = writeln!(text, "{} \\\\", cells.join(" & "));
    }
    text += "\\bottomrule\n\\end{tabular}";
    text += if room < enough { "}\n" } else { "\n" };
    text
}

/// The part of the line that the columns leave which do not wrap; below 0 when they are too wide.
fn room(table: &ShownTable, widths: &[usize], wraps: &dyn Fn(usize) -> bool, stacked: bool) -> f64 {
    let mut taken = 0;
    for (at, column) in table.columns.iter().enumerate() {
        if !wraps(at) {
            let unit = column.unit.map_or(0, |unit| unit.symbol().len() + 2);
            let words = column.heading.split(' ').map(|word| word.chars().count());
            let heading = if stacked && column.kind != ColumnKind::Text {
                words.max().unwrap_or(0).max(unit)
            } else {
                column.heading.chars().count() + unit
            };
            taken += widths[at].max(heading);
        }
        // The space between columns.
        taken += 2;
    }
    1.0 - taken as f64 / LINE
}

fn heading(column: &ShownColumn, stacked: bool) -> String {
    let words = escaped(&column.heading);
    let unit = column.unit.map(|unit| format!("({})", unit_command(unit)));
    if !stacked || column.kind == ColumnKind::Text {
        return format!(
            "{{{}}}",
            [Some(words), unit].into_iter().flatten().collect::<Vec<_>>().join(" ")
        );
    }
    // `B − A` stays on one line.
    let words = words.replace(r" \ensuremath{-} ", r"~\ensuremath{-}~");
    let lines: Vec<String> = words.split(' ').map(str::to_owned).chain(unit).collect();
    format!("{{\\begin{{tabular}}[b]{{@{{}}c@{{}}}}{}\\end{{tabular}}}}", lines.join(r"\\"))
}

/// `S[table-format=3.1]` for the longest number of the column.
fn number_column(column: &ShownColumn, rows: &[Vec<ShownCell>], at: usize) -> String {
    let digits = |cell: &ShownCell| {
        let whole = cell.text.split('.').next().unwrap_or("");
        whole.trim_start_matches(['-', '+']).len()
    };
    let cells = || rows.iter().filter_map(|row| row.get(at));
    let whole = cells().map(digits).max().unwrap_or(1).max(1);
    let sign = if cells().any(|cell| cell.text.starts_with(['-', '+'])) { "-" } else { "" };
    // Of a difference the plus is part of what it says.
    let plus = cells().any(|cell| cell.text.starts_with('+'));
    let plus = if plus { ", retain-explicit-plus" } else { "" };
    format!("S[table-format={sign}{whole}.{}{plus}]", column.decimals)
}

fn shown(cell: &ShownCell, kind: ColumnKind, is_code: bool, name: &str) -> String {
    if cell.text == MISSING {
        return "{--}".to_owned();
    }
    match kind {
        ColumnKind::Number => cell.text.clone(),
        ColumnKind::Text if is_code => typewriter(name),
        ColumnKind::Text if name.contains('`') => flowing(name),
        ColumnKind::Text => breakable(name),
        ColumnKind::Mixed => {
            let text = match cell.text.strip_prefix('-').filter(|_| cell.value.is_some()) {
                Some(rest) => format!("−{rest}"),
                None => cell.text.clone(),
            };
            escaped(&text).replace(' ', "~")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_and_escapes_become_glyphs() {
        assert_eq!(escaped(r"\input{x}"), r"\textbackslash{}input\{x\}");
        assert_eq!(escaped("a_b&c%d#e$f"), r"a\_b\&c\%d\#e\$f");
        assert_eq!(escaped("^^M~"), r"\textasciicircum{}\textasciicircum{}M\textasciitilde{}");
        assert_eq!(escaped("[2pt]*--"), "{[}2pt{]}{*}-{}-{}");
        assert_eq!(
            escaped("Ж\u{1b}"),
            r"\ensuremath{\langle}U+0416\ensuremath{\rangle}\textbackslash{}u\{1b\}"
        );
    }

    #[test]
    fn long_words_of_sentences_may_be_broken() {
        assert_eq!(flowing("up by 5 % [−1, 2]"), r"up by 5~\% {[}\ensuremath{-}1, 2{]}");
        let set = flowing("of traces/a_long_folder/trace_of_a_run.sqlite, 5 % of it");
        assert!(set.contains(r"traces/\allowbreak{}a\_\allowbreak{}long"), "{set}");
        assert!(set.ends_with(r" 5~\% of it"), "{set}");
        assert_eq!(flowing("windows `a_b`, 5 %"), r"windows \texttt{a\_\allowbreak{}b}, 5~\%");
        assert_eq!(flowing("one ` alone"), r"one \textasciigrave{} alone");
    }

    #[test]
    fn a_number_with_its_unit_has_a_minus_sign() {
        let cell = |text: &str, value: Option<f64>| {
            let cell = ShownCell { text: text.to_owned(), value, defined_by: None };
            shown(&cell, ColumnKind::Mixed, false, text)
        };
        assert_eq!(cell("-5.0 µs", Some(-5e3)), r"\ensuremath{-}5.0~\textmu{}s");
        assert_eq!(cell("-x", None), "-{}x");
    }

    #[test]
    fn names_break_at_their_joints_only() {
        let long = code(&"x".repeat(50), 99);
        assert_eq!(long.matches(r"\allowbreak{}").count(), 4);
        assert_eq!(escaped("5 %"), r"5~\%");
        assert_eq!(
            code("a::b<c>", 99),
            r"\texttt{a::\allowbreak{}b\textless{}\allowbreak{}c\textgreater{}}"
        );
    }
}
