//! The documents of a dataset: `nsys-attrib/dataset/1` says which layout a folder has,
//! `nsys-attrib/dataset-commit/1` which files belong together, `nsys-attrib/query/1` is an answer.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The id of the document that makes a folder a dataset.
pub const SCHEMA: &str = "nsys-attrib/dataset/1";
/// The id of a commit.
pub const SCHEMA_COMMIT: &str = "nsys-attrib/dataset-commit/1";
/// The id of an answer.
pub const SCHEMA_QUERY: &str = "nsys-attrib/query/1";

/// Which layout a folder has.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct DatasetAbout {
    /// Always `nsys-attrib/dataset/1`.
    pub schema: String,
    /// Version of the layout of the tables.
    pub layout: u32,
    /// The tables, each a folder of this name.
    pub tables: Vec<String>,
    /// The column that names of folders give.
    pub partitioned_by: String,
}

/// What one input, or a compaction, put into the dataset.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Commit {
    /// Always `nsys-attrib/dataset-commit/1`.
    pub schema: String,
    /// Its name: the id of the input, or one made from those that a compaction joined.
    pub id: String,
    /// The inputs.
    pub inputs: Vec<CommittedInput>,
    /// Commits that this one stands for; they count no more.
    pub replaces: Vec<String>,
    /// The files, by path.
    pub files: Vec<CommittedFile>,
}

/// One input of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommittedInput {
    /// Its identity in the dataset.
    pub input_id: String,
    /// `ok` or `failed`.
    pub status: String,
    /// Tags as they were given, `key=value`.
    pub tags: Vec<String>,
}

/// One file of a commit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommittedFile {
    /// Below the dataset's folder.
    pub path: String,
    /// Which table.
    pub table: String,
    /// How many rows.
    pub rows: u64,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 in hex.
    pub sha256: String,
}

/// The answer to a query.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct QueryDocument {
    /// Always `nsys-attrib/query/1`.
    pub schema: String,
    /// Name of a shipped query; null for a text of the user's.
    pub query: Option<String>,
    /// The text that was run.
    pub sql: String,
    /// The columns, in order.
    pub columns: Vec<QueryColumn>,
    /// The rows; a cell for each column, null where there is no value.
    pub rows: Vec<Vec<Value>>,
}

/// A column of an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QueryColumn {
    /// As the query names it.
    pub name: String,
    /// `text`, `integer`, `float` or `boolean`.
    pub kind: String,
}
