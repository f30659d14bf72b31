//! A rules file to begin with, for kernels that no rule knows.
//!
//! Each rule fits one function: the name without return type, template arguments and parameters. Where
//! several kernels share a function (`par_for<PdV(…)::[lambda]>`), the functor that it is given stays.
//! The class is left to the user, as a name that can be tried at once.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::document::{ClassesDocument, ClassifiedKernel};
use crate::classify::UNCLASSIFIED;
use crate::units::{Share, plain};

/// How many functions the stub holds.
const LONGEST: usize = 10;
/// Characters of a function's name, and of an example, that are enough to tell it.
const ENOUGH: (usize, usize) = (120, 200);
/// Template arguments that are no functors.
const TYPES: [&str; 12] = [
    "float", "double", "int", "unsigned", "long", "short", "char", "bool", "half", "__half",
    "const", "void",
];

/// The rules file; nothing when every kernel has a class.
pub fn stub(document: &ClassesDocument) -> Option<String> {
    let unknown: Vec<&ClassifiedKernel> =
        document.kernels.iter().filter(|kernel| kernel.class == UNCLASSIFIED).collect();
    let functions = functions(&unknown);
    if functions.is_empty() {
        return None;
    }
    let mut text = String::from("extends = \"default\"\n");
    for (name, kernels) in functions.iter().take(LONGEST) {
        let time: i64 = kernels.iter().map(|kernel| kernel.time_ns.as_ns()).sum();
        let share = Share::of(time, document.total_ns.as_ns())
            .map_or_else(|| "–".to_owned(), |share| share.to_string());
        let example: String = kernels
            .first()
            .map_or("", |kernel| kernel.name.as_str())
            .chars()
            .take(ENOUGH.1)
            .collect();
        // Writing into a string cannot fail.
        let _ = write!(
            text,
            "\n[[rule]]  # {share} of kernel time\nclass = \"mine\"  # family or family/kind\n\
             pattern = {}\nreason = \"What it does.\"\nexamples = [{}]\n",
            quoted(&pattern_of(name)),
            quoted(&example),
        );
    }
    let more = functions.len().saturating_sub(LONGEST);
    if more > 0 {
        let _ = write!(text, "\n# {more} more functions are unclassified\n");
    }
    Some(text)
}

/// Functions with their kernels, in the order of the kernels: the longest time first.
fn functions<'a>(unknown: &[&'a ClassifiedKernel]) -> Vec<(String, Vec<&'a ClassifiedKernel>)> {
    let mut users: BTreeMap<&str, usize> = BTreeMap::new();
    for kernel in unknown {
        *users.entry(function_of(&kernel.name)).or_default() += 1;
    }
    let mut found: Vec<(String, Vec<&ClassifiedKernel>)> = Vec::new();
    for kernel in unknown {
        let function = function_of(&kernel.name);
        let functor = if users[function] > 1 { functor_of(&kernel.name, function) } else { None };
        let name = functor.map_or_else(|| function.to_owned(), |with| format!("{function}<{with}"));
        match found.iter_mut().find(|(known, _)| *known == name) {
            Some((_, kernels)) => kernels.push(kernel),
            None => found.push((name, vec![kernel])),
        }
    }
    found.retain(|(name, _)| !name.is_empty());
    found
}

/// `void ns::kernel<float>(int)` → `ns::kernel`. Names of namespaces without a name stay.
fn function_of(name: &str) -> &str {
    const NAMELESS: [&str; 3] = ["<unnamed>", "(anonymous namespace)", "(anonymous)"];
    let name = name.trim();
    let mut end = 0;
    while let Some(at) = name[end..].find(['<', '(']).map(|at| at + end) {
        match NAMELESS.iter().find(|nameless| name[at..].starts_with(*nameless)) {
            Some(nameless) => end = at + nameless.len(),
            None if at == 0 => end = 1,
            None => return last_word(&name[..at], end),
        }
    }
    last_word(name, end)
}

/// Cuts the return type off; `from` is the end of the last namespace, which may hold a space.
fn last_word(head: &str, from: usize) -> &str {
    let space = if from > 0 { head.find(' ').filter(|at| *at < from) } else { head.rfind(' ') };
    let is_type = |at: &usize| !head[..*at].contains(['<', '(', ':']);
    space.filter(is_type).map_or(head, |at| &head[at + 1..])
}

/// `ns::kernel<step(int)::[lambda]>` → `step`, when the first template argument names a function.
fn functor_of<'a>(name: &'a str, function: &str) -> Option<&'a str> {
    let (_, rest) = name.split_once(function)?;
    let rest = rest.strip_prefix('<')?;
    let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "_:".contains(c)))?;
    let word = &rest[..end];
    let is_name = word.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    (is_name && !TYPES.contains(&word)).then_some(word)
}

/// Fits the function and no longer word around it.
fn pattern_of(function: &str) -> String {
    let in_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = function.chars().take(ENOUGH.0).collect();
    let before = if name.starts_with(in_word) { "\\b" } else { "" };
    let whole = name.len() == function.len();
    let after = if whole && name.ends_with(in_word) { "\\b" } else { "" };
    format!("{before}{}{after}", regex::escape(&name))
}

/// A TOML string: literal where the text allows it.
fn quoted(text: &str) -> String {
    let is_plain = plain(text, usize::MAX / 8) == text;
    if is_plain && !text.contains('\'') {
        return format!("'{text}'");
    }
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if plain(c.encode_utf8(&mut [0; 4]), 1).chars().ne([c]) => {
                let _ = write!(quoted, "\\U{:08X}", u32::from(c));
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
        assert_eq!(function_of("<unnamed>::k(int)"), "<unnamed>::k");
        assert_eq!(function_of("void a::<unnamed>::k<int>(T1)"), "a::<unnamed>::k");
        let nameless = "void a::(anonymous namespace)::k<int>(T1)";
        assert_eq!(function_of(nameless), "a::(anonymous namespace)::k");
    }

    #[test]
    fn functors_tell_kernels_of_one_function_apart() {
        let name = "void ns::each<PdV(bool, int)::[lambda(int)]>(T1)";
        assert_eq!(functor_of(name, "ns::each"), Some("PdV"));
        assert_eq!(functor_of("void ns::each<float, 4>(T1)", "ns::each"), None);
        assert_eq!(functor_of("void ns::each<(int)4>(T1)", "ns::each"), None);
        assert_eq!(pattern_of("ns::each<PdV"), "\\bns::each<PdV\\b");
    }

    #[test]
    fn strings_are_toml() {
        for name in ["plain", "it's", "a\u{1b}[31m\"b\"\\", "tab\tend", "\u{202e}right"] {
            let written = quoted(name);
            assert!(!written.chars().any(char::is_control), "{written:?}");
            let table: toml::Table = format!("x = {written}").parse().unwrap();
            assert_eq!(table["x"].as_str(), Some(name));
        }
    }
}
