//! What does something private look like in a piece of text?
//!
//! E-mail addresses, tokens with a known prefix, `password=…`, long random words, UUIDs, network
//! addresses, home folders, absolute paths, and the host and user names that the trace itself names.
//! Names of functions are never judged by the random-word rule: mangled names are long and weird.

use std::borrow::Cow;
use std::collections::BTreeSet;

use regex::Regex;

/// What stands in the place of everything that was removed.
pub(super) const REDACTED: &str = "REDACTED";

const EMAIL: &str = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}\b";
const TOKEN: &str = concat!(
    r"\bgh[pousr]_[A-Za-z0-9]{16,}|\bgithub_pat_\w{16,}|\b(?:AKIA|ASIA)[0-9A-Z]{12,}",
    r"|\bsk-[A-Za-z0-9_-]{16,}|\bhf_[A-Za-z0-9]{16,}|\bxox[abprs]-[A-Za-z0-9-]{10,}",
    r"|\bglpat-[A-Za-z0-9_-]{16,}|\bAIza[0-9A-Za-z_-]{30,}|\bnvapi-[A-Za-z0-9_-]{16,}",
    r"|\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*",
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*|\bBearer\s+[A-Za-z0-9._~+/-]{8,}=*",
    r"|://[^/\s:@]+:[^/\s@]+@",
    r#"|(?i:\b[\w.-]*(?:api_?key|access_?key|token|secret|passw(?:or)?d|passwd|credential)s?["']?\s*[=:]\s*["']?[^\s"',;]+)"#,
);
const HEX: &str = r"\b[0-9a-fA-F]{32,}\b";
const RANDOM: &str = r"[A-Za-z0-9+_-]{40,}={0,2}";
const UUID: &str = r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b";
const MAC: &str = r"\b(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}\b";
/// Preceded by a delimiter, so that no part of a version number is taken.
const IPV4: &str = r#"(?P<before>^|[\s="'/@\[(,])(?:\d{1,3}\.){3}\d{1,3}(?P<after>$|[\s:"'/\]),])"#;
const HOME: &str =
    r#"(?P<before>/home/|/Users/|/homes/(?:[a-z]/)?|[A-Za-z]:\\Users\\)(?P<user>[^/\\\s"':;,]+)"#;
const PATH: &str = r#"(?P<before>^|[\s="'(\[,:])(?:[A-Za-z]:\\|~?/)[^\s"'()\[\],;:]+"#;
const VARIABLE: &str = r"^[A-Za-z_][A-Za-z0-9_.]*(?:\(\))?=";
const OPTION: &str = r"\s--?[A-Za-z]";

/// Where libraries lie on every machine; a path there says nothing about its user.
const SYSTEM: [&str; 12] = [
    "/usr/",
    "/lib/",
    "/lib64/",
    "/bin/",
    "/sbin/",
    "/opt/",
    "/proc/",
    "/dev/",
    "/sys/",
    "/tmp/nvidia/",
    "/var/tmp/nvidia/",
    "C:\\Windows\\",
];

/// Words that stand for no one.
const NOBODY: [&str; 14] = [
    "root",
    "user",
    "users",
    "admin",
    "ubuntu",
    "nobody",
    "localhost",
    "unknown",
    "local",
    "none",
    "redacted",
    "nvidia",
    "jetson",
    "shared",
];

/// The compiled patterns, with the names learnt from one trace.
#[derive(Debug)]
pub(super) struct Patterns {
    replaced: Vec<Regex>,
    address: Regex,
    random: Regex,
    path: Regex,
    variable: Regex,
    option: Regex,
    email: Regex,
    token: Regex,
    home: Regex,
    people: Option<Regex>,
}

impl Patterns {
    /// Patterns that also know `people`, the host and user names of this trace.
    pub(super) fn new(people: &BTreeSet<String>) -> Result<Self, regex::Error> {
        let words: Vec<String> = people
            .iter()
            .filter(|word| word.chars().count() >= 3)
            .filter(|word| !NOBODY.contains(&word.to_ascii_lowercase().as_str()))
            .map(|word| regex::escape(word))
            .collect();
        let people = match words.is_empty() {
            true => None,
            false => Some(Regex::new(&format!(r"(?i)\b(?:{})\b", words.join("|")))?),
        };
        Ok(Self {
            replaced: [EMAIL, TOKEN, UUID, MAC, HEX]
                .into_iter()
                .map(Regex::new)
                .collect::<Result<_, _>>()?,
            address: Regex::new(IPV4)?,
            random: Regex::new(RANDOM)?,
            path: Regex::new(PATH)?,
            variable: Regex::new(VARIABLE)?,
            option: Regex::new(OPTION)?,
            email: Regex::new(EMAIL)?,
            token: Regex::new(TOKEN)?,
            home: Regex::new(HOME)?,
            people,
        })
    }

    /// The user names in home folders of `text`.
    pub(super) fn home_users<'t>(&self, text: &'t str) -> impl Iterator<Item = &'t str> {
        self.home.captures_iter(text).filter_map(|found| found.name("user").map(|m| m.as_str()))
    }

    /// `text` without the private pieces in it.
    pub(super) fn clean(&self, text: &str) -> String {
        let mut text = Cow::Borrowed(text);
        let mut replace = |pattern: &Regex, by: &str| {
            if let Cow::Owned(changed) = pattern.replace_all(&text, by) {
                text = Cow::Owned(changed);
            }
        };
        self.replaced.iter().for_each(|pattern| replace(pattern, REDACTED));
        replace(&self.home, "${before}REDACTED");
        self.people.iter().for_each(|pattern| replace(pattern, REDACTED));
        let text = self.address.replace_all(&text, |found: &regex::Captures<'_>| {
            let (whole, start) = found.get(0).map_or(("", 0), |m| (m.as_str(), m.start()));
            if text[..start].trim_end().ends_with("ersion") {
                whole.to_owned()
            } else {
                format!("{}{REDACTED}{}", &found["before"], &found["after"])
            }
        });
        self.random
            .replace_all(&text, |found: &regex::Captures<'_>| {
                let word = &found[0];
                if looks_random(word) { REDACTED.to_owned() } else { word.to_owned() }
            })
            .into_owned()
    }

    /// A piece of text that no event refers to: an environment block, a variable or a command line is
    /// replaced as a whole, elsewhere the paths and other private pieces are.
    pub(super) fn clean_free_text(&self, text: &str) -> String {
        let listed =
            text.lines().filter(|line| !line.is_empty()).all(|l| self.variable.is_match(l));
        if text.contains('\0') || (listed && !text.is_empty()) || self.option.is_match(text) {
            return REDACTED.to_owned();
        }
        if text.contains(char::is_whitespace) {
            self.without_paths(text)
        } else {
            self.short_path(text)
        }
    }

    /// `text` with every path outside the system's folders replaced.
    pub(super) fn without_paths(&self, text: &str) -> String {
        let text = self.path.replace_all(text, |found: &regex::Captures<'_>| {
            let whole = &found[0];
            let before = found.name("before").map_or("", |m| m.as_str());
            if is_system(&whole[before.len()..]) {
                whole.to_owned()
            } else {
                format!("{before}{REDACTED}")
            }
        });
        self.clean(&text)
    }

    /// A path of a library: as it is in a system folder, else only its last part.
    pub(super) fn short_path(&self, path: &str) -> String {
        let is_path = path.contains('/') || path.contains('\\');
        if is_path && !path.starts_with('[') && !is_system(path) {
            format!("{REDACTED}/{}", self.clean(basename(path)))
        } else {
            self.clean(path)
        }
    }

    /// Whether a name looks private, and how.
    pub(super) fn suspicion(&self, name: &str) -> Option<&'static str> {
        if self.email.is_match(name) {
            Some("e-mail address")
        } else if self.token.is_match(name) {
            Some("token")
        } else if self.home.is_match(name) {
            Some("home folder")
        } else if self.people.as_ref().is_some_and(|people| people.is_match(name)) {
            Some("host or user name")
        } else {
            None
        }
    }
}

/// The last part of a path of either system.
pub(super) fn basename(path: &str) -> &str {
    path.trim_end_matches(['/', '\\']).rsplit(['/', '\\']).next().unwrap_or(path)
}

fn is_system(path: &str) -> bool {
    SYSTEM.iter().any(|folder| path.starts_with(folder))
}

fn looks_random(word: &str) -> bool {
    let has = |kind: fn(&char) -> bool| word.chars().filter(kind).count() >= 3;
    has(char::is_ascii_digit) && has(char::is_ascii_uppercase) && has(char::is_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(people: &[&str]) -> Patterns {
        Patterns::new(&people.iter().map(|&word| word.to_owned()).collect()).unwrap()
    }

    #[test]
    fn private_pieces_go_and_the_rest_stays() {
        let p = patterns(&["thinkstation-7", "ada", "root", "vm"]);
        for (text, cleaned) in [
            ("mail ada.l@example.org now", "mail REDACTED now"),
            ("key ghp_0123456789abcdefABCD", "key REDACTED"),
            ("AKIAIOSFODNN7EXAMPLE", "REDACTED"),
            ("--api-token=abc123 x", "--REDACTED x"),
            ("https://me:pw@host/x", "httpsREDACTEDhost/x"),
            ("uuid 106f19f8-5526-4fe7-7da5-575a754f9be9.", "uuid REDACTED."),
            ("link 00:1A:2b:3c:4d:5e up", "link REDACTED up"),
            ("at 10.0.0.12:22", "at REDACTED:22"),
            ("/home/grace/x and /Users/alan/y", "/home/REDACTED/x and /Users/REDACTED/y"),
            ("on ThinkStation-7 as root", "on REDACTED as root"),
            ("adam is not Ada", "adam is not REDACTED"),
            ("0123456789abcdef0123456789abcdef", "REDACTED"),
            ("dGhpcyBpcyBhIHNlY3JldCB0b2tlbiB0aGF0IGlzIGxvbmc1Mw==", "REDACTED"),
            ("Tracing cuDNN library version 8.9.0.131", "Tracing cuDNN library version 8.9.0.131"),
            ("libcudnn.so.8.9.0.131", "libcudnn.so.8.9.0.131"),
            ("2024.6.2.225", "2024.6.2.225"),
            ("Number of CUDA events collected: 7827.", "Number of CUDA events collected: 7827."),
        ] {
            assert_eq!(p.clean(text), cleaned);
        }
    }

    #[test]
    fn free_text_loses_environments_command_lines_and_paths() {
        let p = patterns(&[]);
        assert_eq!(p.clean_free_text("PATH=/bin\0HOME=/x\0"), REDACTED);
        assert_eq!(p.clean_free_text("SSH_CONNECTION=1 2"), REDACTED);
        assert_eq!(p.clean_free_text("A=1\nB=2\n"), REDACTED);
        assert_eq!(p.clean_free_text("python train.py --lr 3"), REDACTED);
        assert_eq!(p.clean_free_text("see /data/x/a.log and b"), "see REDACTED and b");
        assert_eq!(p.clean_free_text("/scratch/p/bin/run"), "REDACTED/run");
        assert_eq!(p.clean_free_text("/usr/lib/libm.so.6"), "/usr/lib/libm.so.6");
        assert_eq!(p.clean_free_text("[kernel.kallsyms]"), "[kernel.kallsyms]");
        assert_eq!(p.clean_free_text("NVTX profiling started"), "NVTX profiling started");
        assert_eq!(p.clean_free_text(""), "");
    }

    #[test]
    fn versioned_and_mangled_symbols_are_no_secrets() {
        let p = patterns(&[]);
        for name in [
            "pthread_create@@GLIBC_2.2.5",
            "memcpy@GLIBC_2.14",
            "_ZN2at6native29vectorized_elementwise_kernelILi4ENS0_15CUDAFunctor_addIfEE",
            "void token_embedding<float, 4>(int)",
        ] {
            assert_eq!(p.suspicion(name), None, "{name}");
        }
        assert_eq!(p.suspicion("request of ada@example.org"), Some("e-mail address"));
        assert_eq!(p.suspicion("load /home/ada/w.pt"), Some("home folder"));
    }
}
