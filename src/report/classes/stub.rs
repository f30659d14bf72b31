//! A rules file to begin with, for kernels that no rule knows.
//!
//! Each rule fits one function exactly: the name of the function without return type, template
//! arguments and parameters, escaped. The class is left to the user, as a name that says so.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::document::ClassesDocument;
use crate::classify::UNCLASSIFIED;
use crate::units::plain;

/// How many functions the stub holds.
const LONGEST: usize = 10;
/// The class that is to be replaced; a valid class name, so that the file can be tried at once.
const TODO: &str = "mine";

/// The rules file; nothing when every kernel has a class.
pub fn stub(document: &ClassesDocument) -> Option<String> {
    let mut seen = BTreeSet::new();
    let mut text = String::new();
    for kernel in document.kernels.iter().filter(|kernel| kernel.class == UNCLASSIFIED) {
        let function = function_of(&kernel.name);
        if function.is_empty() || !seen.insert(function.clone()) || seen.len() > LONGEST {
            continue;
        }
        let share = kernel.share.map_or_else(|| "–".to_owned(), |share| share.to_string());
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "\n[[rule]]  # {share} of kernel time\nclass = \"{TODO}\"  # family or family/kind\npattern = {}\nreason = \"{}\"\nexamples = [{}]\n",
            quoted(&pattern_of(&function)),
            "What it does.",
            quoted(&kernel.name),
        );
    }
    if text.is_empty() {
        return None;
    }
    let more = seen.len().saturating_sub(LONGEST);
    let tail = if more > 0 {
        format!("\n# {more} more functions are unclassified\n")
    } else {
        String::new()
    };
    Some(format!("extends = \"default\"\n{text}{tail}"))
}

/// Fits the function and no longer word around it.
fn pattern_of(function: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let before = if function.starts_with(in_word) { "\\b" } else { "" };
    let after = if function.ends_with(in_word) { "\\b" } else { "" };
    format!("{before}{}{after}", regex::escape(function))
}

/// `void ns::kernel<float>(int)` → `ns::kernel`.
fn function_of(name: &str) -> String {
    let name = name.trim();
    let head = name.find(['<', '(']).filter(|at| *at > 0).map_or(name, |at| &name[..at]);
    let word = head.trim().rsplit(' ').next().unwrap_or(head);
    word.chars().take(120).collect()
}

/// A TOML string: literal where the text allows it.
fn quoted(text: &str) -> String {
    let text: String = text.chars().take(400).collect();
    if !text.contains('\'') && !text.chars().any(char::is_control) {
        return format!("'{}'", plain(&text, 400));
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(quoted, "\\u{:04X}", u32::from(c));
            }
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_function_is_what_stands_before_arguments() {
        assert_eq!(function_of("void ns::kernel<float, 4>(int, T2)"), "ns::kernel");
        assert_eq!(function_of("saxpy(float*, int)"), "saxpy");
        assert_eq!(function_of("ptxcall_anonymous1_2"), "ptxcall_anonymous1_2");
        assert_eq!(function_of("<unnamed>::k(int)"), "<unnamed>::k(int)");
    }

    #[test]
    fn strings_are_toml() {
        for name in ["plain", "it's", "a\u{1b}[31m\"b\"\\", "tab\tend"] {
            let table: toml::Table = format!("x = {}", quoted(name)).parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(name));
        }
    }
}
