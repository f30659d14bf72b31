//! Applies the rules to every table of a working copy.
//!
//! Order: who refers to which string; which processes were profiled; which host and user names the
//! trace admits to; then the text columns of every table, then `StringIds`. Columns are found in the
//! schema, so that tables of future versions are scrubbed by their kind.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, params};

use super::patterns::{Patterns, REDACTED, basename};
use super::rules::{self, Reference, Rule};
use super::{ScrubOptions, ScrubReport, Suspicious};

/// An error, and the table at which it happened.
pub(super) type Failed = (String, rusqlite::Error);

/// The process part of a `globalTid`: all but the low 24 bits.
const PROCESS_MASK: i64 = !0x00ff_ffff;

struct Table {
    name: String,
    text: Vec<String>,
    integers: Vec<(String, bool)>,
    is_event: bool,
}

struct Scrubber<'c> {
    connection: &'c Connection,
    options: &'c ScrubOptions,
    patterns: Patterns,
    profiled: BTreeSet<i64>,
    report: ScrubReport,
}

/// Replaces what is private in `connection`'s database.
pub(super) fn redact(
    connection: &Connection,
    options: &ScrubOptions,
) -> Result<ScrubReport, Failed> {
    connection
        .execute_batch("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; BEGIN")
        .map_err(at("schema"))?;
    let tables = tables(connection).map_err(at("schema"))?;
    let references = references(connection, &tables)?;
    let people = people(connection, &tables)?;
    let mut scrubber = Scrubber {
        connection,
        options,
        patterns: compiled(&people)?,
        profiled: profiled(connection, &tables)?,
        report: ScrubReport::default(),
    };
    for table in &tables {
        if table.name != "StringIds" {
            scrubber.table(table).map_err(at(&table.name))?;
        }
    }
    if tables.iter().any(|table| table.name == "StringIds") {
        scrubber.strings(&references).map_err(at("StringIds"))?;
    }
    connection.execute_batch("COMMIT").map_err(at("COMMIT"))?;
    scrubber.report.suspicious.sort();
    Ok(scrubber.report)
}

fn at(table: &str) -> impl Fn(rusqlite::Error) -> Failed {
    move |error| (table.to_owned(), error)
}

/// The patterns are constants and the names are escaped: a failure is a slip in this room's source.
fn compiled(people: &BTreeSet<String>) -> Result<Patterns, Failed> {
    Patterns::new(people)
        .map_err(|error| (String::new(), rusqlite::Error::ToSqlConversionFailure(Box::new(error))))
}

/// A name as SQL wants it.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

fn tables(connection: &Connection) -> rusqlite::Result<Vec<Table>> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite@_%' \
               ESCAPE '@' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name";
    let mut tables = Vec::new();
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, definition): (String, String) = (row.get(0)?, row.get(1)?);
        let mut table = Table { name, text: Vec::new(), integers: Vec::new(), is_event: false };
        let mut columns = connection.prepare("SELECT name, type FROM pragma_table_info(?1)")?;
        let mut columns = columns.query([&table.name])?;
        while let Some(column) = columns.next()? {
            let (column, kind): (String, String) = (column.get(0)?, column.get(1)?);
            table.is_event |= column.eq_ignore_ascii_case("start");
            if matches!(kind.to_ascii_uppercase().as_str(), "INTEGER" | "INT" | "REAL") {
                let declared = declares_reference(&definition, &column);
                table.integers.push((column, declared));
            } else {
                table.text.push(column);
            }
        }
        tables.push(table);
    }
    Ok(tables)
}

/// Whether the line of `column` in a table's definition says `REFERENCES StringIds(id)`.
fn declares_reference(definition: &str, column: &str) -> bool {
    definition.lines().any(|line| {
        line.split_whitespace().next().is_some_and(|word| word.trim_matches('"') == column)
            && line.contains("REFERENCES StringIds(id)")
    })
}

/// For each string that something refers to: the strongest reference, and one who holds it.
fn references(
    connection: &Connection,
    tables: &[Table],
) -> Result<BTreeMap<i64, (Reference, String)>, Failed> {
    let mut references = BTreeMap::new();
    for table in tables {
        for (column, declared) in &table.integers {
            let Some(kind) = rules::reference(&table.name, column, *declared) else { continue };
            let place = format!("{}.{column}", table.name);
            for id in integers(connection, &table.name, column).map_err(at(&table.name))? {
                let known = references.entry(id).or_insert_with(|| (kind, place.clone()));
                if kind > known.0 {
                    *known = (kind, place.clone());
                }
            }
        }
    }
    Ok(references)
}

fn integers(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<Vec<i64>> {
    let (table, column) = (quoted(table), quoted(column));
    let sql = format!("SELECT DISTINCT {column} FROM {table} WHERE typeof({column}) = 'integer'");
    connection.prepare(&sql)?.query_map([], |row| row.get(0))?.collect()
}

/// The processes that have API calls, GPU work or NVTX ranges.
fn profiled(connection: &Connection, tables: &[Table]) -> Result<BTreeSet<i64>, Failed> {
    let mut processes = BTreeSet::new();
    for table in tables.iter().filter(|t| {
        t.is_event && (t.name.starts_with("CUPTI_ACTIVITY_KIND_") || t.name == "NVTX_EVENTS")
    }) {
        for (column, _) in &table.integers {
            if column == "globalTid" || column == "globalPid" {
                let found = integers(connection, &table.name, column).map_err(at(&table.name))?;
                processes.extend(found.into_iter().map(|id| id & PROCESS_MASK));
            }
        }
    }
    Ok(processes)
}

/// Host and user names that the settings or home folders name.
fn people(connection: &Connection, tables: &[Table]) -> Result<BTreeSet<String>, Failed> {
    const HOST_OR_USER: &str = "SELECT value FROM {} WHERE upper(name) IN ('EXPORT_HOST', 'EXPORT_USER', \
         'HOSTNAME', 'DEVICE_DISPLAY_NAME') OR upper(name) LIKE '%:USER@_NAME' ESCAPE '@'";
    let learner = compiled(&BTreeSet::new())?;
    let mut people = BTreeSet::new();
    for table in tables {
        let is_setting = table.text.iter().any(|column| column == "value")
            && table.text.iter().any(|column| column == "name");
        let mut queries = Vec::new();
        if is_setting && !table.is_event {
            let name = quoted(&table.name);
            queries.push((HOST_OR_USER.replace("{}", &name), false));
            queries.push((format!("SELECT value FROM {name}"), true));
        } else if table.name == "StringIds" {
            queries.push(("SELECT value FROM StringIds".to_owned(), true));
        }
        for (sql, only_homes) in queries {
            for text in texts(connection, &sql).map_err(at(&table.name))? {
                people.extend(learner.home_users(&text).map(str::to_owned));
                if !only_homes {
                    // `node7.cluster.org` is also known as `node7`.
                    people.extend(text.split('.').next().map(str::to_owned));
                    people.insert(text);
                }
            }
        }
    }
    Ok(people)
}

fn texts(connection: &Connection, sql: &str) -> rusqlite::Result<Vec<String>> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut texts = Vec::new();
    while let Some(row) = rows.next()? {
        texts.extend(as_text(row.get_ref(0)?));
    }
    Ok(texts)
}

fn as_text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => {
            Some(String::from_utf8_lossy(bytes).into_owned())
        }
        _ => None,
    }
}

fn is_binary(text: &str) -> bool {
    text.chars()
        .any(|c| c == char::REPLACEMENT_CHARACTER || (c.is_control() && !"\t\r\n".contains(c)))
}

impl Scrubber<'_> {
    fn table(&mut self, table: &Table) -> rusqlite::Result<()> {
        for column in &table.text {
            match rules::text_rule(&table.name, column, table.is_event) {
                Rule::Keep => {}
                rule @ (Rule::Name | Rule::Nvtx) => self.names(table, column, rule)?,
                rule => self.column(table, column, rule)?,
            }
        }
        for (column, _) in &table.integers {
            if rules::is_hardware_id(&table.name, column) {
                let (name, quoted_column) = (quoted(&table.name), quoted(column));
                let changed = self.connection.execute(
                    &format!("UPDATE {name} SET {quoted_column} = 0 WHERE {quoted_column} <> 0"),
                    [],
                )?;
                self.count(&table.name, column, changed as u64);
            }
        }
        Ok(())
    }

    /// A column of a table that is not an event table, row by row.
    fn column(&mut self, table: &Table, column: &str, rule: Rule) -> rusqlite::Result<()> {
        let beside = match rule {
            Rule::Setting => quoted("name"),
            Rule::Process => quoted("globalPid"),
            _ => "NULL".to_owned(),
        };
        let (name, quoted_column) = (quoted(&table.name), quoted(column));
        let sql = format!("SELECT rowid, {quoted_column}, {beside} FROM {name}");
        let mut changes = Vec::new();
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(text) = as_text(row.get_ref(1)?).filter(|text| !text.is_empty()) else {
                continue;
            };
            let rule = match row.get_ref(2)? {
                ValueRef::Text(setting) if rule == Rule::Setting => {
                    rules::setting_rule(&table.name, &String::from_utf8_lossy(setting))
                }
                ValueRef::Integer(process) if self.profiled.contains(&process) => Rule::Keep,
                _ => rule,
            };
            let cleaned = if rule == Rule::Keep && table.name == "PROCESSES" {
                basename(&text).to_owned()
            } else {
                self.cleaned(&text, rule)
            };
            if cleaned != text {
                changes.push((row.get::<_, i64>(0)?, cleaned));
            }
        }
        self.write(&table.name, column, &changes)
    }

    fn cleaned(&self, text: &str, rule: Rule) -> String {
        match rule {
            Rule::Keep | Rule::Name => text.to_owned(),
            Rule::Device if text == "Local (CLI)" => text.to_owned(),
            Rule::Whole | Rule::Device | Rule::Process | Rule::Setting => REDACTED.to_owned(),
            // Settings of 2020 to 2022 are serialised messages with raw identifiers inside.
            _ if is_binary(text) => REDACTED.to_owned(),
            Rule::Path => self.patterns.short_path(text),
            Rule::Message => self.patterns.without_paths(text),
            Rule::Text | Rule::Nvtx => self.patterns.clean(text),
        }
    }

    fn write(
        &mut self,
        table: &str,
        column: &str,
        changes: &[(i64, String)],
    ) -> rusqlite::Result<()> {
        let sql = format!("UPDATE {} SET {} = ?2 WHERE rowid = ?1", quoted(table), quoted(column));
        let mut statement = self.connection.prepare(&sql)?;
        for (row, text) in changes {
            statement.execute(params![row, text])?;
        }
        self.count(table, column, changes.len() as u64);
        Ok(())
    }

    /// A column of names in an event table: looked at, and changed only on request.
    fn names(&mut self, table: &Table, column: &str, rule: Rule) -> rusqlite::Result<()> {
        let (name, quoted_column) = (quoted(&table.name), quoted(column));
        let sql = format!(
            "SELECT {quoted_column}, count(*) FROM {name} WHERE typeof({quoted_column}) = 'text' GROUP BY 1"
        );
        let change = format!("UPDATE {name} SET {quoted_column} = ?2 WHERE {quoted_column} = ?1");
        let place = format!("{}.{column}", table.name);
        let mut statement = self.connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        let mut found = Vec::new();
        while let Some(row) = rows.next()? {
            if let Some(text) = as_text(row.get_ref(0)?) {
                found.push((text, row.get::<_, i64>(1)?.unsigned_abs()));
            }
        }
        for (text, rows) in found {
            let Some(kind) = self.patterns.suspicion(&text) else { continue };
            if rule == Rule::Nvtx && self.options.redact_nvtx {
                let cleaned = self.patterns.clean(&text);
                let changed = self.connection.execute(&change, params![text, cleaned])?;
                self.count(&table.name, column, changed as u64);
            } else {
                self.report.suspicious.push(Suspicious { place: place.clone(), kind, text, rows });
            }
        }
        Ok(())
    }

    fn strings(&mut self, references: &BTreeMap<i64, (Reference, String)>) -> rusqlite::Result<()> {
        let mut changes = Vec::new();
        let mut statement = self.connection.prepare("SELECT rowid, id, value FROM StringIds")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let Some(text) = as_text(row.get_ref(2)?).filter(|text| !text.is_empty()) else {
                continue;
            };
            let reference = references.get(&row.get(1)?);
            let cleaned = match reference {
                // No function or range has a NUL in its name; an environment block has.
                _ if text.contains('\0') => REDACTED.to_owned(),
                Some((Reference::Name | Reference::Nvtx, place)) => {
                    self.kept_string(&text, reference, place)
                }
                Some((Reference::Captured, _)) => REDACTED.to_owned(),
                Some((Reference::Path, _)) => self.patterns.short_path(&text),
                None => self.patterns.clean_free_text(&text),
            };
            if cleaned != text {
                changes.push((row.get::<_, i64>(0)?, cleaned));
            }
        }
        self.write("StringIds", "value", &changes)
    }

    fn kept_string(
        &mut self,
        text: &str,
        reference: Option<&(Reference, String)>,
        place: &str,
    ) -> String {
        let Some(kind) = self.patterns.suspicion(text) else { return text.to_owned() };
        let is_nvtx = matches!(reference, Some((Reference::Nvtx, _)));
        if is_nvtx && self.options.redact_nvtx {
            return self.patterns.clean(text);
        }
        self.report.suspicious.push(Suspicious {
            place: format!("StringIds.value ({place})"),
            kind,
            text: text.to_owned(),
            rows: 1,
        });
        text.to_owned()
    }

    fn count(&mut self, table: &str, column: &str, rows: u64) {
        if rows > 0 {
            *self.report.replaced.entry(format!("{table}.{column}")).or_default() += rows;
        }
    }
}
