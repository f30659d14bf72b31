//! What a user types to say which spans are measured.
//!
//! A bare word is an NVTX range name. A known prefix before `:` is a specification, but a range that
//! has exactly that text wins, and so does an exact match over every reading of special characters;
//! only the reserved words `all`, `profiler` and `periodic` win over a range of that name
//! (`nvtx:all` reaches it).

use regex::Regex;

use super::error::WindowError;
use super::explicit::{self, ExplicitSpan};

/// Which spans are measured.
#[derive(Clone, Debug)]
pub enum WindowSpec {
    /// NVTX ranges by message.
    Ranges(RangePattern),
    /// Each instance of another specification, moved to the GPU work that it launched.
    Projected(Box<WindowSpec>),
    /// Uninterrupted runs of matching kernels on a stream.
    KernelRuns(Regex),
    /// Calls of one API function.
    Calls(String),
    /// From `cudaProfilerStart` to `cudaProfilerStop`.
    Profiler,
    /// Iterations found from the order of launches.
    Periodic,
    /// Spans given by the user.
    Explicit(Vec<ExplicitSpan>),
    /// Everything.
    All,
}

/// Which NVTX ranges.
#[derive(Clone, Debug)]
pub struct RangePattern {
    /// The message.
    pub text: TextPattern,
    /// The domain; `None` for ranges of any domain.
    pub domain: Option<String>,
}

/// How a message is compared.
#[derive(Clone, Debug)]
pub enum TextPattern {
    /// Exactly this text.
    Exact(String),
    /// Anything in which the expression matches.
    Matching(Regex),
}

impl TextPattern {
    /// Whether `text` is meant.
    pub fn accepts(&self, text: &str) -> bool {
        match self {
            Self::Exact(wanted) => wanted == text,
            Self::Matching(pattern) => pattern.is_match(text),
        }
    }
}

/// What parsing needs to know of the world.
pub struct Surroundings<'a> {
    /// Every NVTX message of the trace.
    pub messages: &'a [String],
    /// Reads a file that a specification names (`file:windows.csv`).
    pub read_file: &'a dyn Fn(&str) -> std::io::Result<String>,
}

impl Surroundings<'_> {
    fn has_message(&self, text: &str) -> bool {
        self.messages.iter().any(|message| message == text)
    }
}

impl WindowSpec {
    /// Reads a specification as the user typed it.
    ///
    /// # Errors
    /// [`WindowError`] when a regular expression, a time or a file cannot be read.
    pub fn parse(text: &str, around: &Surroundings<'_>) -> Result<Self, WindowError> {
        match text {
            "all" => return Ok(Self::All),
            "profiler" => return Ok(Self::Profiler),
            "periodic" => return Ok(Self::Periodic),
            _ => {}
        }
        if around.has_message(text) {
            return Ok(Self::exactly(text));
        }
        complete(text)?;
        match text.split_once(':') {
            Some(("nvtx", rest)) => Self::ranges(rest, around),
            Some(("gpu", rest)) => match Self::parse(rest, around)? {
                Self::Projected(_) => {
                    Err(WindowError::MovedTwice { spec: text.to_owned(), once: rest.to_owned() })
                }
                inner => Ok(Self::Projected(Box::new(inner))),
            },
            Some(("kernels", rest)) => Ok(Self::KernelRuns(regex(text, strip_slashes(rest))?)),
            Some(("api", rest)) => Ok(Self::Calls(rest.to_owned())),
            Some(("time", rest)) => Ok(Self::Explicit(vec![explicit::trace_times(text, rest)?])),
            Some(("utc", rest)) => Ok(Self::Explicit(vec![explicit::utc_times(text, rest)?])),
            Some(("file", rest)) => {
                let content = (around.read_file)(rest)
                    .map_err(|cause| WindowError::File { path: rest.to_owned(), cause })?;
                Ok(Self::Explicit(explicit::from_csv(rest, &content)?))
            }
            _ => Self::ranges(text, around),
        }
    }

    fn exactly(text: &str) -> Self {
        Self::Ranges(RangePattern { text: TextPattern::Exact(text.to_owned()), domain: None })
    }

    /// `NAME`, `/REGEX/`, either with `@DOMAIN`; `\@` is a literal `@`.
    fn ranges(text: &str, around: &Surroundings<'_>) -> Result<Self, WindowError> {
        if around.has_message(text) {
            return Ok(Self::exactly(text));
        }
        let (name, domain) = split_domain(text);
        let pattern = match name.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')) {
            Some(expression) => TextPattern::Matching(regex(text, expression)?),
            None => TextPattern::Exact(name.replace("\\@", "@")),
        };
        Ok(Self::Ranges(RangePattern { text: pattern, domain }))
    }

    /// Whether this is the whole trace: no head, no tail, no verdict, and rule `overlap`.
    pub fn is_whole_trace(&self) -> bool {
        match self {
            Self::All => true,
            Self::Projected(inner) => inner.is_whole_trace(),
            _ => false,
        }
    }
}

/// Splits at the last `@` that is not written `\@`. A regular expression may hold `@` itself, so
/// there the domain must follow the closing slash.
fn split_domain(text: &str) -> (&str, Option<String>) {
    let from = if text.starts_with('/') { text.rfind('/').unwrap_or(0) } else { 0 };
    let found = text[from..]
        .char_indices()
        .map(|(at, c)| (at + from, c))
        .rfind(|(at, c)| *c == '@' && !text[..*at].ends_with('\\'));
    match found {
        Some((at, _)) if at > 0 => (&text[..at], Some(text[at + 1..].replace("\\@", "@"))),
        _ => (text, None),
    }
}

/// Refuses a specification that stops after its prefix: an empty expression would match everything.
fn complete(text: &str) -> Result<(), WindowError> {
    let wanted = match text {
        "" => "give a range name, or one of the specifications that `--help` lists",
        "nvtx:" => "a range name or /REGEX/ follows `nvtx:`",
        "gpu:" => "another specification follows `gpu:`, as in gpu:latency",
        "kernels:" | "kernels://" => "/REGEX/ follows `kernels:`",
        "api:" => "the name of a CUDA function follows `api:`",
        "file:" => "the name of a CSV file follows `file:`",
        _ => return Ok(()),
    };
    Err(WindowError::Incomplete { spec: text.to_owned(), wanted })
}

fn strip_slashes(text: &str) -> &str {
    text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/')).unwrap_or(text)
}

fn regex(spec: &str, expression: &str) -> Result<Regex, WindowError> {
    Regex::new(expression).map_err(|cause| WindowError::Regex { spec: spec.to_owned(), cause })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str, messages: &[&str]) -> WindowSpec {
        let messages: Vec<String> = messages.iter().map(|name| (*name).to_owned()).collect();
        let around = Surroundings {
            messages: &messages,
            read_file: &|_| Ok("start_ns,end_ns\n1,2\n".to_owned()),
        };
        WindowSpec::parse(text, &around).unwrap()
    }

    fn exact(spec: &WindowSpec) -> (&str, Option<&str>) {
        match spec {
            WindowSpec::Ranges(RangePattern { text: TextPattern::Exact(text), domain }) => {
                (text, domain.as_deref())
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_bare_word_is_a_range() {
        assert_eq!(exact(&parse("latency", &[])), ("latency", None));
        assert_eq!(exact(&parse("latency@wno", &[])), ("latency", Some("wno")));
        assert_eq!(exact(&parse("user\\@host", &[])), ("user@host", None));
    }

    #[test]
    fn an_exact_name_wins_over_special_characters_and_prefixes() {
        assert_eq!(exact(&parse("a@b", &["a@b"])), ("a@b", None));
        assert_eq!(exact(&parse("/x/", &["/x/"])), ("/x/", None));
        assert_eq!(exact(&parse("gpu:step", &["gpu:step"])), ("gpu:step", None));
        assert_eq!(exact(&parse("nvtx:gpu:step", &["gpu:step"])), ("gpu:step", None));
        assert!(matches!(parse("gpu:step", &["step"]), WindowSpec::Projected(_)));
    }

    #[test]
    fn windows_are_moved_once() {
        let around = Surroundings { messages: &[], read_file: &|_| Ok(String::new()) };
        let twice = WindowSpec::parse("gpu:gpu:latency", &around).unwrap_err().to_string();
        assert!(twice.contains("write `gpu:latency`"), "{twice}");
        let named = ["gpu:latency".to_owned()];
        let around = Surroundings { messages: &named, ..around };
        assert!(WindowSpec::parse("gpu:gpu:latency", &around).is_ok(), "a range has that name");
    }

    #[test]
    fn reserved_words_win_and_nvtx_reaches_behind_them() {
        assert!(matches!(parse("all", &["all"]), WindowSpec::All));
        assert!(matches!(parse("profiler", &["profiler"]), WindowSpec::Profiler));
        assert!(matches!(parse("periodic", &["periodic"]), WindowSpec::Periodic));
        assert_eq!(exact(&parse("nvtx:all", &["all"])), ("all", None));
    }

    #[test]
    fn expressions_may_hold_an_at_sign() {
        let WindowSpec::Ranges(pattern) = parse("nvtx:/a@b/@dom", &[]) else { panic!() };
        assert!(pattern.text.accepts("xa@bx"));
        assert_eq!(pattern.domain.as_deref(), Some("dom"));
    }
}
