//! Is a dataset what its commits say? Every file is read and hashed, every footer held against the layout,
//! and what belongs to nobody is named. Nothing is changed.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{Engine, col, lit};

use super::ABOUT;
use super::commit::{COMMITS, Commits};
use super::error::DatasetError;
use super::folder::{Dataset, EMPTY, STAGING};
use super::layout::{self, TABLES};
use super::parquet;
use crate::finding::{self, Finding, Severity};

/// What was looked at, and what is wrong.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Checked {
    /// Inputs that count.
    pub inputs: usize,
    /// Those of them that could not be analysed.
    pub failed: usize,
    /// Files that count.
    pub files: usize,
    /// Their rows, by table.
    pub rows: BTreeMap<String, u64>,
    /// Their length.
    pub bytes: u64,
    /// What is wrong or doubtful.
    pub findings: Vec<Finding>,
}

impl Dataset {
    /// What the commits say, without a look at the files.
    ///
    /// # Errors
    /// When a commit cannot be read.
    pub fn summary(&self) -> Result<Checked, DatasetError> {
        Ok(summary(&Commits::read(&self.root)?))
    }

    /// Holds every file against its commit and the layout.
    ///
    /// # Errors
    /// When the folder or a commit cannot be read.
    pub fn check(&self) -> Result<Checked, DatasetError> {
        let _reading = self.reading()?;
        let commits = Commits::read(&self.root)?;
        let mut checked = summary(&commits);
        let found = &mut checked.findings;
        self.check_files(&commits, found)?;
        self.check_strangers(&commits, found)?;
        let damaged = found.iter().any(|finding| finding.severity > Severity::Warning);
        if !damaged {
            self.check_twice(&commits, found)?;
        }
        finding::sort(found);
        Ok(checked)
    }

    fn check_files(&self, commits: &Commits, found: &mut Vec<Finding>) -> Result<(), DatasetError> {
        for table in &TABLES {
            let path = format!("{}/{EMPTY}", table.name);
            if let Some(problem) = self.problem(&path, table, 0)? {
                found.push(wrong("dataset-file-damaged", &path, &problem));
            }
        }
        let files = commits.active.iter().flat_map(|commit| &commit.files);
        for file in files {
            let path = self.root.join(&file.path);
            if !path.is_file() {
                found.push(wrong("dataset-file-missing", &file.path, "is not there"));
                continue;
            }
            let (bytes, sha256) = parquet::hash(&path)?;
            if (bytes, &sha256) != (file.bytes, &file.sha256) {
                found.push(wrong("dataset-file-changed", &file.path, "is not what was written"));
                continue;
            }
            let problem = match layout::table(&file.table) {
                Some(table) => parquet::differs(&path, table, file.rows),
                None => Some(format!("belongs to a table `{}`, which no layout has", file.table)),
            };
            found.extend(problem.map(|problem| wrong("dataset-file-layout", &file.path, &problem)));
        }
        Ok(())
    }

    fn problem(
        &self,
        path: &str,
        table: &layout::Table,
        rows: u64,
    ) -> Result<Option<String>, DatasetError> {
        let path = self.root.join(path);
        Ok(if path.is_file() {
            parquet::differs(&path, table, rows)
        } else {
            Some("is not there".into())
        })
    }

    /// What no commit names.
    fn check_strangers(
        &self,
        commits: &Commits,
        found: &mut Vec<Finding>,
    ) -> Result<(), DatasetError> {
        let files = |commits: &[super::document::Commit]| -> BTreeSet<String> {
            commits.iter().flat_map(|commit| &commit.files).map(|file| file.path.clone()).collect()
        };
        let (active, replaced) = (files(&commits.active), files(&commits.replaced));
        let mut leftovers = 0_usize;
        for table in &TABLES {
            for month in parquet::names(&self.root.join(table.name))? {
                let folder = format!("{}/{month}", table.name);
                for name in parquet::names(&self.root.join(&folder))? {
                    let path = format!("{folder}/{name}");
                    if replaced.contains(&path) && !active.contains(&path) {
                        leftovers += 1;
                    } else if !active.contains(&path) && path != format!("{}/{EMPTY}", table.name) {
                        found.push(orphan(&path));
                    }
                }
            }
        }
        if leftovers > 0 {
            found.push(half_compacted(leftovers));
        }
        let staged = parquet::names(&self.root.join(STAGING))?.len();
        if staged > 0 {
            found.push(staging(staged));
        }
        let known = |name: &str| {
            layout::table(name).is_some() || name == ABOUT || [COMMITS, STAGING].contains(&name)
        };
        for name in parquet::names(&self.root)? {
            // Locks begin with `_` as well; other engines pass over such names.
            if !known(&name) && !name.starts_with('_') {
                found.push(wrong("dataset-stranger", &name, "is no part of a dataset"));
            }
        }
        Ok(())
    }

    /// The same trace with the same windows from two inputs: the trace and a document made from it.
    fn check_twice(&self, commits: &Commits, found: &mut Vec<Finding>) -> Result<(), DatasetError> {
        let frame = self
            .scan_of(commits, &layout::RUNS)?
            .filter(col("status").eq(lit("ok")).and(col("input_kind").neq(lit("energy"))))
            .select([col("trace_sha256"), col("window_spec"), col("rule"), col("input_path")])
            .collect_with_engine(Engine::Streaming)?
            .unwrap_single();
        let text = |name: &str| Ok::<_, DatasetError>(frame.column(name)?.str()?.clone());
        let (traces, specs) = (text("trace_sha256")?, text("window_spec")?);
        let (rules, paths) = (text("rule")?, text("input_path")?);
        let mut by_trace: BTreeMap<(&str, &str, &str), Vec<&str>> = BTreeMap::new();
        let all = traces.iter().zip(specs.iter()).zip(rules.iter().zip(paths.iter()));
        for ((trace, spec), (rule, path)) in all {
            if let Some(trace) = trace {
                let key = (trace, spec.unwrap_or_default(), rule.unwrap_or_default());
                by_trace.entry(key).or_default().push(path.unwrap_or_default());
            }
        }
        for ((_, spec, _), mut paths) in by_trace.into_iter().filter(|(_, paths)| paths.len() > 1) {
            paths.sort_unstable();
            found.push(Finding::new(
                "dataset-trace-twice",
                Severity::Warning,
                format!("the windows `{spec}` of one trace are in more than once: {}", paths.join(", ")),
                "sums count them as often; filter in queries by `input_path` or `options`, or add one of them to a new dataset",
            ));
        }
        Ok(())
    }
}

fn summary(commits: &Commits) -> Checked {
    let mut checked = Checked::default();
    for commit in &commits.active {
        checked.inputs += commit.inputs.len();
        checked.failed += commit.inputs.iter().filter(|input| input.status != "ok").count();
        checked.files += commit.files.len();
        for file in &commit.files {
            *checked.rows.entry(file.table.clone()).or_default() += file.rows;
            checked.bytes += file.bytes;
        }
    }
    checked
}

fn wrong(code: &str, path: &str, problem: &str) -> Finding {
    Finding::new(
        code,
        Severity::Error,
        format!("{path} {problem}"),
        "remove the commit that names it from `_commits` and add its input again, or restore the file",
    )
}

fn orphan(path: &str) -> Finding {
    Finding::new(
        "dataset-orphan",
        Severity::Warning,
        format!("{path} belongs to no commit: a writer was interrupted, or is at work"),
        "add the same input again, or remove the file when no writer runs; queries of this program leave it out, those of other engines do not",
    )
}

fn half_compacted(count: usize) -> Finding {
    Finding::new(
        "dataset-half-compacted",
        Severity::Warning,
        format!("{count} files are replaced by others and still there: a compaction was interrupted, or is at work"),
        "run `nsys-attrib dataset compact`; until then other engines count their rows twice",
    )
    .with("files", count)
}

fn staging(count: usize) -> Finding {
    Finding::new(
        "dataset-staging",
        Severity::Info,
        format!("{count} writers are at work, or were interrupted"),
        "the next `dataset add` removes what is left of those that are no more",
    )
    .with("writers", count)
}
