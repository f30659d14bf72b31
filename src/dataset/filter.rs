//! Which analyses of a dataset are meant? `commit=abc,power_mode=15W`: all of these hold.
//!
//! A key is a tag, else a column of text of `runs`. The documents of the analyses that are left are what
//! `compare` and `report` work on, as if they had been named one by one.

use std::collections::{BTreeMap, BTreeSet};

use polars::prelude::{DataFrame, Engine, IntoLazy, LazyFrame, col, lit};

use super::commit::Commits;
use super::error::DatasetError;
use super::folder::Dataset;
use super::layout::{self, Kind, Table};
use crate::attribution::Analysis;

/// Conditions that all hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    text: String,
    conditions: Vec<(String, String)>,
}

impl Filter {
    /// Reads `key=value,key=value`; an empty text means everything.
    ///
    /// # Errors
    /// When a part is no `key=value`.
    pub fn parse(text: &str) -> Result<Self, DatasetError> {
        let condition = |part: &str| match part.split_once('=') {
            Some((key, value)) if !key.trim().is_empty() => {
                Ok((key.trim().to_owned(), value.trim().to_owned()))
            }
            _ => Err(DatasetError::Filter {
                text: text.to_owned(),
                problem: format!("`{part}` is no key=value; write tag=value,tag=value"),
            }),
        };
        let parts = text.split(',').filter(|part| !part.trim().is_empty());
        Ok(Self {
            text: text.to_owned(),
            conditions: parts.map(condition).collect::<Result<_, _>>()?,
        })
    }

    fn fault(&self, problem: String) -> DatasetError {
        DatasetError::Filter { text: self.text.clone(), problem }
    }
}

/// What is known of an analysis, for the choice among many.
struct Run {
    captured: Option<i64>,
    path: String,
    id: String,
}

impl Dataset {
    /// The analyses that a filter leaves, in the order in which they were captured. Energies without an
    /// analysis are not among them.
    ///
    /// # Errors
    /// When the filter names what there is not or leaves nothing, or a file cannot be read.
    pub fn analyses(&self, filter: &Filter) -> Result<Vec<Analysis>, DatasetError> {
        let _reading = self.reading()?;
        let commits = Commits::read(&self.root)?;
        let chosen = self.chosen(&commits, filter)?;
        let ids: Vec<String> = chosen.iter().map(|run| run.id.clone()).collect();
        let wanted =
            DataFrame::new(ids.len(), vec![polars::prelude::Column::new("run_id".into(), ids)])?;
        let documents = self.scan_of(&commits, &layout::DOCUMENTS)?;
        let documents = documents.semi_join(wanted.lazy(), col("run_id"), col("run_id"));
        let documents = collected(documents)?;
        let mut by_run: BTreeMap<&str, &str> = BTreeMap::new();
        let (ids, texts) = (documents.column("run_id")?.str()?, documents.column("json")?.str()?);
        for (id, text) in ids.iter().zip(texts.iter()) {
            by_run.extend(id.zip(text));
        }
        let mut analyses = Vec::new();
        for run in &chosen {
            let Some(text) = by_run.get(run.id.as_str()) else { continue };
            let failed =
                |source| DatasetError::Document { path: self.root.join(&run.path), source };
            analyses.push(serde_json::from_str::<Analysis>(text).map_err(failed)?);
        }
        Ok(analyses)
    }

    /// The runs of analyses that a filter leaves.
    fn chosen(&self, commits: &Commits, filter: &Filter) -> Result<Vec<Run>, DatasetError> {
        let ok = col("status").eq(lit("ok")).and(col("input_kind").neq(lit("energy")));
        let runs = collected(self.scan_of(commits, &layout::RUNS)?.filter(ok))?;
        let tags = collected(self.scan_of(commits, &layout::TAGS)?)?;
        let ids = runs.column("run_id")?.str()?;
        let mut left: BTreeSet<&str> = ids.iter().flatten().collect();
        for (key, value) in &filter.conditions {
            let holds = match with_tag(&tags, key, value)? {
                Some(holds) => holds,
                None => with_column(&runs, key, value)?.ok_or_else(|| {
                    filter.fault(format!(
                        "no tag `{key}` in {}, and no column of text `{key}` in `runs`",
                        self.root.display()
                    ))
                })?,
            };
            left.retain(|id| holds.contains(*id));
        }
        if left.is_empty() {
            return Err(filter.fault(format!(
                "no analysis in {} has it; `nsys-attrib dataset ls` shows what there is",
                self.root.display()
            )));
        }
        let (paths, captured) =
            (runs.column("input_path")?.str()?, runs.column("captured_unix_ns")?.i64()?);
        let all = ids.iter().zip(paths.iter()).zip(captured.iter());
        let mut chosen: Vec<Run> = all
            .filter_map(|((id, path), captured)| {
                let id = id.filter(|id| left.contains(id))?.to_owned();
                Some(Run { captured, path: path.unwrap_or_default().to_owned(), id })
            })
            .collect();
        chosen.sort_by(|a, b| (a.captured, &a.path, &a.id).cmp(&(b.captured, &b.path, &b.id)));
        Ok(chosen)
    }
}

fn collected(frame: LazyFrame) -> Result<DataFrame, DatasetError> {
    Ok(frame.collect_with_engine(Engine::Streaming)?.unwrap_single())
}

/// The runs with a tag of this value; `None` when no run has such a tag at all.
fn with_tag(
    tags: &DataFrame,
    key: &str,
    value: &str,
) -> Result<Option<BTreeSet<String>>, DatasetError> {
    let (ids, keys) = (tags.column("run_id")?.str()?, tags.column("tag")?.str()?);
    let values = tags.column("value")?.str()?;
    let mut known = false;
    let mut holds = BTreeSet::new();
    for ((id, tag), found) in ids.iter().zip(keys.iter()).zip(values.iter()) {
        if tag != Some(key) {
            continue;
        }
        known = true;
        if found == Some(value) {
            holds.extend(id.map(str::to_owned));
        }
    }
    Ok(known.then_some(holds))
}

/// The same for a column of `runs`; `None` when it has none of that name.
fn with_column(
    runs: &DataFrame,
    key: &str,
    value: &str,
) -> Result<Option<BTreeSet<String>>, DatasetError> {
    let known = |table: &Table| {
        table.columns.iter().any(|column| column.name == key && column.kind == Kind::Text)
    };
    if !known(&layout::RUNS) && key != layout::MONTH {
        return Ok(None);
    }
    let (ids, found) = (runs.column("run_id")?.str()?, runs.column(key)?.str()?);
    let same = ids.iter().zip(found.iter()).filter(|(_, found)| *found == Some(value));
    Ok(Some(same.filter_map(|(id, _)| id.map(str::to_owned)).collect()))
}

#[cfg(test)]
mod tests {
    use super::Filter;

    #[test]
    fn parts_are_told_apart() {
        let filter = Filter::parse("commit=abc, power_mode=15W").unwrap();
        let both = [("commit", "abc"), ("power_mode", "15W")];
        assert_eq!(filter.conditions, both.map(|(k, v)| (k.to_owned(), v.to_owned())));
        assert!(Filter::parse("").unwrap().conditions.is_empty());
        assert!(Filter::parse("abc").unwrap_err().to_string().contains("no key=value"));
    }
}
