//! Is a run that lies there the one that is asked for, wherever it was made?
//!
//! What is asked for: the program by its content, its words (files by their content), its environment, the
//! options of nsys, the window, the time limit, and the logs of power. Where the program and its files lie
//! does not count, so that a folder of runs may be copied to another place or machine. Logs of power are a
//! part of their own: a run that has them stays where they cannot be had.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::error::CollectError;
use super::program;
use super::run::Recipe;
use crate::runs::RunFolder;
use crate::runs::manifest::{FileAbout, Manifest, OutcomeKind, ProgramFile};
use crate::units::plain;

/// Characters of a hash in a message.
const SHOWN_HASH: usize = 12;

/// The files behind a recipe: the program and what its words name.
fn files(recipe: &Recipe) -> (ProgramFile, Vec<FileAbout>) {
    let workdir = recipe.workdir.as_deref();
    let found = program::find(&recipe.command[0], workdir).unwrap_or_default();
    program::describe(&found, &recipe.command, workdir)
}

/// Identity of what is asked for, in two parts: everything else, and the logs of power.
pub(super) fn fingerprint(recipe: &Recipe) -> String {
    let (program, inputs) = files(recipe);
    let mut asked = rest(recipe);
    asked["program"] = json!(program.sha256.unwrap_or_else(|| recipe.command[0].clone()));
    asked["words"] = json!(by_content(&recipe.command, &inputs));
    format!("{}-{}", hash(&asked), hash(&json!(recipe.power)))
}

/// What neither names a file nor a log of power.
fn rest(recipe: &Recipe) -> Value {
    json!({
        "env": recipe.env,
        "traced": recipe.traced,
        "trace": recipe.traced.then_some(&recipe.trace),
        "window": recipe.window,
        "timeout": recipe.timeout,
    })
}

/// As versions before 0.1 was published made it: with places.
fn with_places(
    recipe: &Recipe,
    command: &[String],
    inputs: &[FileAbout],
    sha256: Option<&str>,
) -> String {
    let mut asked = rest(recipe);
    asked["command"] = json!(command);
    asked["power"] = json!(recipe.power);
    asked["program"] = json!(sha256);
    asked["inputs"] = json!(inputs);
    hash(&asked)
}

fn hash(asked: &Value) -> String {
    let hash = Sha256::digest(asked.to_string().as_bytes());
    hash.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The words behind the program, those that name a file by its content.
fn by_content(command: &[String], inputs: &[FileAbout]) -> Vec<String> {
    let named = |word: &str| {
        let (option, value) = match word.split_once('=').filter(|_| word.starts_with('-')) {
            Some((option, value)) => (format!("{option}="), value),
            None => (String::new(), word),
        };
        let value = program::tilde(value);
        let file = inputs.iter().find(|file| file.name == value)?;
        Some(format!("{option}sha256:{}", file.sha256))
    };
    command.iter().skip(1).map(|word| named(word).unwrap_or_else(|| program::tilde(word))).collect()
}

/// Why a run that lies there is made again; nothing when it can stay. Its files are not read.
pub fn why_again(run: &RunFolder, recipe: &Recipe) -> Option<String> {
    let Some(manifest) = &run.manifest else { return Some("it has no manifest".to_owned()) };
    let kind = manifest.outcome.kind;
    if kind != OutcomeKind::Completed {
        return Some(format!("the program {}", kind.words()));
    }
    differences(manifest, recipe)
}

/// The same, and whether its files are those of its manifest.
pub(super) fn why_again_in_full(
    run: &RunFolder,
    recipe: &Recipe,
) -> Result<Option<String>, CollectError> {
    if let Some(why) = why_again(run, recipe) {
        return Ok(Some(why));
    }
    Ok(run.verify()?.into_iter().next().map(|finding| finding.message))
}

/// What was asked for then and is not now, in words.
fn differences(manifest: &Manifest, recipe: &Recipe) -> Option<String> {
    let was = manifest.experiment.as_ref().map(|place| place.fingerprint.as_str());
    let is = recipe.place.as_ref().map(|place| place.fingerprint.as_str());
    let (Some(was), Some(is)) = (was, is) else {
        return (was != is).then(|| "it belongs to no experiment".to_owned());
    };
    if was == is {
        return None;
    }
    let (program, inputs) = files(recipe);
    let mut said = Vec::new();
    said.extend(other_program(&manifest.program, &program));
    let then = by_content(&manifest.command, &manifest.inputs);
    let now = by_content(&recipe.command, &inputs);
    if then != now {
        said.push(other_words((manifest, &then), (&recipe.command, &now)));
    }
    for (name, value) in &recipe.env {
        let (value, then) = (program::tilde(value), manifest.environment.get(name));
        if then != Some(&value) {
            let then =
                then.map_or_else(|| "not set".to_owned(), |then| format!("`{}`", plain(then, 60)));
            said.push(format!("{name} was {then}, is `{}`", plain(&value, 60)));
        }
    }
    if manifest.window_default != recipe.window {
        let name = |window: &Option<String>| {
            window
                .as_ref()
                .map_or_else(|| "none".to_owned(), |name| format!("`{}`", plain(name, 60)))
        };
        said.push(format!(
            "the window was {}, is {}",
            name(&manifest.window_default),
            name(&recipe.window)
        ));
    }
    if said.is_empty() && is_same_elsewhere((manifest, was), (recipe, is), &program) {
        return None;
    }
    if said.is_empty() {
        let then: Vec<&str> = manifest.power.iter().map(|log| log.source.as_str()).collect();
        said.push(format!(
            "the options of nsys, the logs of power (then {}), the time limit or a variable of the environment is \
             another one now",
            if then.is_empty() { "none".to_owned() } else { plain(&then.join(", "), 80) }
        ));
    }
    Some(said.join("; "))
}

/// Whether only places differ, or logs of power that cannot be had here.
fn is_same_elsewhere(
    (manifest, was): (&Manifest, &str),
    (recipe, is): (&Recipe, &str),
    program: &ProgramFile,
) -> bool {
    if let (Some((was, _)), Some((is, _))) = (was.split_once('-'), is.split_once('-')) {
        return was == is && !recipe.power.is_on() && !manifest.power.is_empty();
    }
    let home = std::env::var("HOME").unwrap_or_default();
    let words: Vec<String> =
        manifest.command.iter().map(|word| word.replacen('~', &home, 1)).collect();
    let sha256 = program.sha256.as_deref();
    [manifest.command.as_slice(), &words, &recipe.command]
        .into_iter()
        .any(|command| with_places(recipe, command, &manifest.inputs, sha256) == was)
}

fn other_program(then: &ProgramFile, now: &ProgramFile) -> Option<String> {
    let short = |hash: &str| hash.chars().take(SHOWN_HASH).collect::<String>();
    match (&then.sha256, &now.sha256) {
        (Some(was), Some(is)) if was != is => Some(format!(
            "the program is another file (sha256 {}… then, {}… now)",
            short(was),
            short(is)
        )),
        _ => None,
    }
}

/// The words that differ, as they are written; a file that has other bytes is named.
fn other_words(
    (then, was): (&Manifest, &[String]),
    (command, is): (&[String], &[String]),
) -> String {
    if was.len() == is.len() {
        let words = was.iter().zip(is).zip(then.command.iter().skip(1).zip(command.iter().skip(1)));
        let differing = words.filter(|((was, is), _)| was != is).map(|(_, (then, now))| {
            let (then, now) = (plain(then, 80), plain(&program::tilde(now), 80));
            if then == now {
                format!("the file {now} has other bytes")
            } else {
                format!("`{then}` was typed, now `{now}`")
            }
        });
        return differing.collect::<Vec<_>>().join("; ");
    }
    format!(
        "the words were `{}`, are `{}`",
        plain(&then.command[1.min(then.command.len())..].join(" "), 200),
        plain(&command[1..].join(" "), 200)
    )
}
