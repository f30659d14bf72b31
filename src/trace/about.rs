//! What the export says about itself: exporter, session, devices, names of processes and threads.
//!
//! The version table is called EXPORT_META_DATA up to nsys 2023.1 and META_DATA_EXPORT from 2023.3
//! on; older exports have none. GPUs are in TARGET_INFO_GPU, once in TARGET_INFO_CUDA_GPU. The
//! session start is missing in the layouts of 2020 and 2021.

use std::collections::BTreeMap;

use rusqlite::Connection;

use super::identity::Identities;
use super::scan::quoted;
use super::schema::{Schema, Table};
use super::strings::StringTable;
use crate::units::{Nanos, SessionClock, UnixTime};

/// A GPU of the machine that was traced.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Device {
    /// CUDA's number of the device where it is known, else nsys' own.
    pub id: i64,
    /// `NVIDIA RTX A4500`; `None` when the export does not say.
    pub name: Option<String>,
}

/// A message of nsys about its own collection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// 2 is a warning, 3 an error.
    pub severity: i64,
    /// The message.
    pub text: String,
    /// How often it was given.
    pub count: u64,
}

/// What the export says about itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct About {
    /// `2024.6.2.225`; `None` in exports of 2020 and 2021.
    pub exporter_version: Option<String>,
    /// `3.16.1`; `None` in exports of 2020 and 2021.
    pub schema_version: Option<String>,
    /// The wall clock at trace time 0.
    pub session: Option<SessionClock>,
    /// Local time minus UTC at the start, in whole seconds.
    pub utc_offset_s: Option<i64>,
    /// The system clock at trace time 0, in exports of 2025.6 and later.
    pub system_clock_ns: Option<i64>,
    /// Length of the collection.
    pub duration: Option<Nanos>,
    /// The GPUs, by number.
    pub devices: Vec<Device>,
    /// Capture options by name, as META_DATA_CAPTURE lists them.
    pub capture: BTreeMap<String, Vec<String>>,
    /// What nsys complained about, warnings and errors only.
    pub diagnostics: Vec<Diagnostic>,
}

impl About {
    /// Reads every table that is there.
    pub(super) fn read(connection: &Connection, schema: &Schema) -> rusqlite::Result<Self> {
        let mut about = Self::default();
        if let Some(table) = schema.first_of(&["META_DATA_EXPORT", "EXPORT_META_DATA"]) {
            let values = name_values(connection, table)?;
            let one = |name: &str| values.get(name).and_then(|all| all.first()).cloned();
            about.exporter_version = one("EXPORT_PRODUCT_VERSION");
            about.schema_version = one("EXPORT_SCHEMA_VERSION");
        }
        if let Some(table) = schema.table("META_DATA_CAPTURE") {
            about.capture = name_values(connection, table)?;
        }
        about.read_session(connection, schema)?;
        about.devices = devices(connection, schema)?;
        about.diagnostics = diagnostics(connection, schema)?;
        Ok(about)
    }

    fn read_session(&mut self, connection: &Connection, schema: &Schema) -> rusqlite::Result<()> {
        if let Some(table) = schema.table("TARGET_INFO_SESSION_START_TIME") {
            let epoch: Option<i64> = first(connection, table, "utcEpochNs")?;
            self.session = epoch.map(|ns| SessionClock::starting_at(UnixTime::from_unix_ns(ns)));
            self.system_clock_ns = first(connection, table, "systemClockNs")?;
            let utc: Option<String> = first(connection, table, "utcTime")?;
            let local: Option<String> = first(connection, table, "localTime")?;
            self.utc_offset_s = utc.zip(local).and_then(|(utc, local)| offset(&utc, &local));
        }
        if let Some(table) = schema.table("ANALYSIS_DETAILS") {
            self.duration = first(connection, table, "duration")?.map(Nanos::from_ns);
        }
        Ok(())
    }
}

/// Names of the processes and threads that occur.
pub(super) fn name_identities(
    connection: &Connection,
    schema: &Schema,
    strings: &StringTable<'_>,
    identities: &mut Identities,
) -> rusqlite::Result<()> {
    if let Some(table) = schema.table("PROCESSES")
        && table.has("globalPid")
        && table.has("name")
    {
        let mut statement = connection
            .prepare("SELECT globalPid, name FROM PROCESSES WHERE globalPid IS NOT NULL ORDER BY globalPid, name")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (global, name): (i64, Option<String>) = (row.get(0)?, row.get(1)?);
            if let Some(id) = identities.process_of_global(global) {
                identities.processes[id.index()].name = name.filter(|name| !name.is_empty());
            }
        }
    }
    if let Some(table) = schema.table("ThreadNames")
        && table.has("globalTid")
    {
        let mut statement = connection
            .prepare("SELECT globalTid, nameId FROM ThreadNames WHERE globalTid IS NOT NULL ORDER BY 1, priority, 2")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (global, name): (i64, i64) = (row.get(0)?, row.get(1)?);
            if let Some(id) = identities.thread_of_global(Some(global)) {
                identities.threads[id.index()].name = strings.find(name)?;
            }
        }
    }
    Ok(())
}

/// What the export calls the classes of events; empty without `ENUM_NSYS_EVENT_CLASS`.
pub(super) fn event_classes(
    connection: &Connection,
    schema: &Schema,
) -> rusqlite::Result<BTreeMap<i64, String>> {
    let Some(table) = schema.table("ENUM_NSYS_EVENT_CLASS").filter(|table| table.has("label"))
    else {
        return Ok(BTreeMap::new());
    };
    let sql = format!("SELECT id, label FROM {} WHERE label IS NOT NULL", quoted(&table.name));
    let mut statement = connection.prepare(&sql)?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

fn name_values(
    connection: &Connection,
    table: &Table,
) -> rusqlite::Result<BTreeMap<String, Vec<String>>> {
    let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
    if !(table.has("name") && table.has("value")) {
        return Ok(values);
    }
    let sql = format!(
        "SELECT name, CAST(value AS TEXT) FROM {} WHERE value IS NOT NULL",
        quoted(&table.name)
    );
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let value = String::from_utf8_lossy(row.get_ref(1)?.as_bytes()?).into_owned();
        values.entry(row.get(0)?).or_default().push(value);
    }
    Ok(values)
}

fn first<T: rusqlite::types::FromSql>(
    connection: &Connection,
    table: &Table,
    column: &str,
) -> rusqlite::Result<Option<T>> {
    if !table.has(column) {
        return Ok(None);
    }
    let sql = format!("SELECT {} FROM {} LIMIT 1", quoted(column), quoted(&table.name));
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    rows.next()?.map_or(Ok(None), |row| row.get(0))
}

fn devices(connection: &Connection, schema: &Schema) -> rusqlite::Result<Vec<Device>> {
    let Some(table) = schema.first_of(&["TARGET_INFO_GPU", "TARGET_INFO_CUDA_GPU"]) else {
        return Ok(Vec::new());
    };
    let column =
        |names: &[&str]| names.iter().find(|name| table.has(name)).map(|name| quoted(name));
    let Some(id) = column(&["id", "gpuId", "deviceId"]) else { return Ok(Vec::new()) };
    let cuda = column(&["cuDevice", "cudaId"]).unwrap_or_else(|| "NULL".to_owned());
    let name = column(&["name"]).unwrap_or_else(|| "NULL".to_owned());
    let sql = format!("SELECT coalesce({cuda}, {id}), {name} FROM {}", quoted(&table.name));
    let mut statement = connection.prepare(&sql)?;
    let mut found: Vec<Device> = statement
        .query_map([], |row| Ok(Device { id: row.get(0)?, name: row.get(1)? }))?
        .collect::<Result<_, _>>()?;
    found.sort();
    found.dedup();
    Ok(found)
}

fn diagnostics(connection: &Connection, schema: &Schema) -> rusqlite::Result<Vec<Diagnostic>> {
    let Some(table) = schema.table("DIAGNOSTIC_EVENT") else { return Ok(Vec::new()) };
    if !(table.has("severity") && table.has("text")) {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare(
        "SELECT severity, text, count(*) FROM DIAGNOSTIC_EVENT WHERE severity IN (2, 3) \
         GROUP BY severity, text ORDER BY severity DESC, text",
    )?;
    let found = statement.query_map([], |row| {
        let count: i64 = row.get(2)?;
        Ok(Diagnostic { severity: row.get(0)?, text: row.get(1)?, count: count.unsigned_abs() })
    })?;
    found.collect()
}

/// Local time minus UTC, from two stamps such as `2025-04-24T15:58:58`.
fn offset(utc: &str, local: &str) -> Option<i64> {
    let stamp = |text: &str| -> Option<jiff::civil::DateTime> {
        text.get(..19)?.replace(' ', "T").parse().ok()
    };
    Some(stamp(local)?.duration_since(stamp(utc)?).as_secs())
}

#[cfg(test)]
mod tests {
    use super::offset;

    #[test]
    fn the_zone_is_local_minus_utc() {
        assert_eq!(offset("2025-04-24T19:58:58", "2025-04-24T15:58:58"), Some(-4 * 3600));
        assert_eq!(offset("2026-01-15T18:41:13", "2026-01-16T00:11:13"), Some(5 * 3600 + 1800));
        assert_eq!(offset("?", "2026-01-16T00:11:13"), None);
    }
}
