//! Analyses under the names by which figures show them side by side.

use crate::attribution::Analysis;

use super::font::printable;

/// One or several analyses that are shown as one: repeats, checkpoints.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Its analyses, in the order in which they were named.
    pub analyses: Vec<Analysis>,
}

impl Group {
    /// One group for each analysis, named by its trace, and by its windows, its folder, its instances or a
    /// number where that is needed to tell them apart.
    pub fn each(analyses: Vec<Analysis>) -> Vec<Self> {
        let traces: Vec<String> = analyses.iter().map(trace_name).collect();
        let name = |i: usize, analysis: &Analysis| {
            let same = traces.iter().filter(|trace| **trace == traces[i]).count() > 1;
            if same && traces.iter().all(|trace| *trace == traces[0]) {
                printable(&analysis.windows.spec)
            } else if same {
                format!("{} {}", traces[i], printable(&analysis.windows.spec))
            } else {
                traces[i].clone()
            }
        };
        let mut names: Vec<String> = analyses.iter().enumerate().map(|(i, a)| name(i, a)).collect();
        tell_apart(&mut names, &|i, name| match folder_name(&analyses[i]) {
            Some(folder) => format!("{folder}/{name}"),
            None => name.to_owned(),
        });
        tell_apart(&mut names, &|i, name| match analyses[i].windows.instances.as_slice() {
            [first, .., last] => format!("{name} {}–{}", first.index, last.index),
            [one] => format!("{name} {}", one.index),
            [] => name.to_owned(),
        });
        tell_apart(&mut names, &|i, name| format!("{name} ({})", i + 1));
        names
            .into_iter()
            .zip(analyses)
            .map(|(name, one)| Self { name, analyses: vec![one] })
            .collect()
    }

    /// The analyses of one name become one group; names count in the order of the analyses.
    pub fn named(analyses: Vec<Analysis>, names: &[String]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for (i, analysis) in analyses.into_iter().enumerate() {
            let name = names.get(i).map_or_else(|| trace_name(&analysis), |name| printable(name));
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.analyses.push(analysis),
                None => groups.push(Self { name, analyses: vec![analysis] }),
            }
        }
        groups
    }

    /// Lengths of all instances, ns.
    pub(super) fn lengths(&self) -> Vec<f64> {
        let instances = self.analyses.iter().flat_map(|analysis| &analysis.windows.instances);
        instances.map(|one| (one.end_ns - one.start_ns).as_ns() as f64).collect()
    }
}

/// Gives names that occur more than once another form, where that makes a difference between them.
fn tell_apart(names: &mut [String], other: &dyn Fn(usize, &str) -> String) {
    let before = names.to_vec();
    for (i, name) in before.iter().enumerate() {
        let alike = (0..before.len()).filter(|at| before[*at] == *name);
        let forms: Vec<String> = alike.map(|at| other(at, name)).collect();
        if forms.iter().any(|form| *form != forms[0]) {
            names[i] = other(i, name);
        }
    }
}

/// The folder in which the input lies.
fn folder_name(analysis: &Analysis) -> Option<String> {
    let path = analysis.source()?.trim_end_matches('/');
    let (folder, _) = path.rsplit_once('/')?;
    let name = folder.rsplit('/').next().unwrap_or(folder);
    (!name.is_empty()).then(|| printable(name))
}

/// The file's name without its endings.
fn trace_name(analysis: &Analysis) -> String {
    let path = analysis.source().unwrap_or("run").trim_end_matches('/');
    let file = path.rsplit('/').next().unwrap_or(path);
    let endings = [".zst", ".gz", ".sqlite", ".nsys-rep", ".qdrep", ".json", ".txt", ".csv"];
    let stem = endings.iter().fold(file, |name, ending| name.strip_suffix(ending).unwrap_or(name));
    printable(stem)
}
