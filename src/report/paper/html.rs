//! Text and tables for an HTML page. Whatever comes from a trace is text, never markup.

use std::fmt::Write as _;

use super::shown::{ColumnKind, MISSING, ShownCell, ShownColumn, ShownTable};

/// Tables with fewer rows need no field to search in.
const SEARCHED_FROM: usize = 9;
/// Tables with more rows scroll in a frame of their own.
const TALL_FROM: usize = 14;
/// Tables with more columns are set closer.
const DENSE_FROM: usize = 8;

/// Names up to this length stay on one line.
const SHORT_NAME: usize = 28;

/// Text for an element or a quoted attribute.
pub fn escaped(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '&' => safe.push_str("&amp;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            '\n' | '\t' => safe.push(c),
            c if c.is_control() => safe.push('\u{fffd}'),
            c => safe.push(c),
        }
    }
    safe
}

/// JSON that cannot end the `script` element which carries it.
pub fn embedded_json(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // Only inside strings can these occur, where the escape means the same.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => {
                let _ = write!(safe, "\\u{:04x}", c as u32);
            }
            c => safe.push(c),
        }
    }
    safe
}

/// The table with headings that sort, names that explain themselves, and bars behind shares.
pub fn table(table: &ShownTable) -> String {
    let mut html = String::new();
    let searched = table.rows.len() >= SEARCHED_FROM;
    let name = escaped(&table.name);
    let _ = writeln!(html, r#"<figure class="table" data-table="{name}">"#);
    let _ = writeln!(html, "<figcaption><span>{}</span>", escaped(&table.title));
    if searched {
        let _ = writeln!(
            html,
            r#"<span class="search"><output></output><input type="search" placeholder="filter rows" aria-label="filter the rows of {name}"></span>"#
        );
    }
    let tall = if table.rows.len() > TALL_FROM { " tall" } else { "" };
    let dense = if table.columns.len() > DENSE_FROM { " dense" } else { "" };
    let _ = write!(html, "</figcaption>\n<div class=\"scroll{tall}{dense}\"><table><thead><tr>");
    for column in &table.columns {
        html += &heading(column);
    }
    html += "</tr></thead>\n<tbody>\n";
    let largest: Vec<Option<f64>> = (0..table.columns.len())
        .map(|at| table.columns[at].key.ends_with("share_pct").then(|| table.largest(at)).flatten())
        .collect();
    for row in &table.rows {
        html += "<tr>";
        for ((cell, column), largest) in row.iter().zip(&table.columns).zip(&largest) {
            html += &shown(cell, column, *largest);
        }
        html += "</tr>\n";
    }
    html += "</tbody></table></div>\n";
    if let Some(note) = &table.note {
        let _ = writeln!(html, r#"<p class="note">{}</p>"#, escaped(note));
    }
    html += "</figure>\n";
    html
}

/// Words that show a definition where they are pointed at.
pub fn defined(words: &str, key: Option<&str>) -> String {
    match key {
        Some(key) => format!(
            r#"<span class="def" tabindex="0" data-def="{}">{}</span>"#,
            escaped(key),
            escaped(words)
        ),
        None => escaped(words),
    }
}

fn heading(column: &ShownColumn) -> String {
    let class = if column.kind == ColumnKind::Text { "" } else { r#" class="n""# };
    let unit = column.unit.map_or_else(String::new, |unit| {
        format!(r#" <span class="unit">{}</span>"#, unit.symbol())
    });
    let def = column
        .defined_by
        .as_ref()
        .map_or_else(String::new, |key| format!(r#" class="def" data-def="{}""#, escaped(key)));
    format!(
        r#"<th{class} scope="col" aria-sort="none" data-key="{}"><button type="button"{def}><span class="words">{}</span>{unit}</button></th>"#,
        escaped(&column.key),
        escaped(&column.heading)
    )
}

fn shown(cell: &ShownCell, column: &ShownColumn, largest: Option<f64>) -> String {
    let value = cell.value.map_or_else(String::new, |value| format!(r#" data-v="{value}""#));
    if column.kind == ColumnKind::Text {
        let class = match column.key.as_str() {
            "class" => r#" class="code whole""#,
            "name" | "code" | "classes" => r#" class="code""#,
            _ => "",
        };
        let class = if class.is_empty() && cell.text.chars().count() <= SHORT_NAME {
            r#" class="whole""#
        } else {
            class
        };
        let text = defined(&cell.text, cell.defined_by.as_deref());
        return format!("<td{class}>{}</td>", clamped(&cell.text, text));
    }
    if cell.text == MISSING {
        return r#"<td class="n">–</td>"#.to_owned();
    }
    let bar = match (cell.value, largest) {
        (Some(value), Some(largest)) if largest > 0.0 => {
            format!(r#" style="--bar-width:{:.2}%""#, (value / largest * 100.0).clamp(0.0, 100.0))
        }
        _ => String::new(),
    };
    let class = if bar.is_empty() { "n" } else { "n bar" };
    format!(r#"<td class="{class}"{value}{bar}>{}</td>"#, escaped(&cell.text))
}

/// A long name takes two lines until it is clicked.
fn clamped(text: &str, html: String) -> String {
    const TWO_LINES: usize = 70;
    if text.chars().count() <= TWO_LINES {
        return html;
    }
    format!(r#"<div class="long" tabindex="0" title="{}">{html}</div>"#, escaped(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text() {
        assert_eq!(escaped("<script>'\"&\u{1b}"), "&lt;script&gt;&#39;&quot;&amp;\u{fffd}");
        assert_eq!(embedded_json("\"</script>\""), "\"\\u003c/script\\u003e\"");
    }
}
