//! Which tables and columns this export has.
//!
//! The schema changed with nearly every release of Nsight Systems, exports before 2022 carry no
//! version at all, and users add columns and views of their own. So nothing is read by position and
//! nothing is inferred from the version: a table or a column is either there or not.

use std::collections::BTreeMap;

use rusqlite::Connection;

/// A table or view of the export.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    /// The name as the database spells it.
    pub(crate) name: String,
    /// Whether it is a view that somebody added.
    pub(crate) is_view: bool,
    columns: Vec<String>,
}

impl Table {
    /// Whether the column is there (SQLite compares names without case).
    pub(crate) fn has(&self, column: &str) -> bool {
        self.columns.iter().any(|name| name.eq_ignore_ascii_case(column))
    }

    /// The columns in the order of the table.
    pub(crate) fn columns(&self) -> &[String] {
        &self.columns
    }
}

/// All tables of an export by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schema {
    tables: BTreeMap<String, Table>,
}

impl Schema {
    /// Reads the list of tables and their columns.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare(
            "SELECT m.name, m.type, p.name FROM sqlite_schema m JOIN pragma_table_info(m.name) p \
             WHERE m.type IN ('table', 'view') AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, p.cid",
        )?;
        let mut rows = statement.query([])?;
        let mut tables: BTreeMap<String, Table> = BTreeMap::new();
        while let Some(row) = rows.next()? {
            let (name, kind, column): (String, String, String) =
                (row.get(0)?, row.get(1)?, row.get(2)?);
            let entry = tables.entry(name.clone()).or_insert_with(|| Table {
                name,
                is_view: kind == "view",
                columns: Vec::new(),
            });
            entry.columns.push(column);
        }
        Ok(Self { tables })
    }

    /// The table of that name, if the export has it.
    pub(crate) fn table(&self, name: &str) -> Option<&Table> {
        self.tables.get(name)
    }

    /// The first of several names under which a table is known.
    pub(crate) fn first_of(&self, names: &[&str]) -> Option<&Table> {
        names.iter().find_map(|name| self.table(name))
    }

    /// All tables in the order of their names.
    pub(crate) fn tables(&self) -> impl Iterator<Item = &Table> {
        self.tables.values()
    }
}
