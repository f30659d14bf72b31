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
    /// Reads the list of tables and their columns. A view that somebody added and that does not work
    /// (it may name tables which this export lacks) is left out: nobody asked for it.
    pub(crate) fn read(connection: &Connection) -> rusqlite::Result<Self> {
        let mut statement = connection.prepare(
            "SELECT name, type = 'view' FROM sqlite_schema \
             WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite@_%' ESCAPE '@' ORDER BY name",
        )?;
        let found: Vec<(String, bool)> = statement
            .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
            .collect::<Result<_, _>>()?;
        let mut tables = BTreeMap::new();
        for (name, is_view) in found {
            match columns(connection, &name) {
                Ok(columns) => {
                    tables.insert(name.clone(), Table { name, is_view, columns });
                }
                Err(_) if is_view => {}
                Err(error) => return Err(error),
            }
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

fn columns(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement =
        connection.prepare_cached("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    statement.query_map([table], |row| row.get(0))?.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_that_does_not_work_is_left_out() {
        let connection = Connection::open_in_memory().unwrap();
        connection
            .execute_batch(
                "CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT);
                 CREATE VIEW good AS SELECT id FROM StringIds;
                 CREATE VIEW broken AS SELECT * FROM CUPTI_ACTIVITY_KIND_KERNEL;",
            )
            .unwrap();
        let schema = Schema::read(&connection).unwrap();
        let names: Vec<(&str, bool)> =
            schema.tables().map(|table| (table.name.as_str(), table.is_view)).collect();
        assert_eq!(names, [("StringIds", false), ("good", true)]);
        assert_eq!(schema.table("good").unwrap().columns(), ["id"]);
    }
}
