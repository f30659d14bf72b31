//! Power that was sampled into the trace itself: GPU metrics, and counters of plug-ins.
//!
//! `GPU_METRICS(timestamp, typeId, metricId, value)` with names in `TARGET_INFO_GPU_METRICS(typeId,
//! metricId, metricName)`; the device is the low byte of `typeId`. What the NVML plug-in of 2025.6 and
//! later leaves in an export was not seen by us: any table whose name speaks of counters is taken that
//! has a time, a value and a name (in the row, or through `StringIds`). Only names that speak of power
//! are read; there are few of them, so SQLite reads these tables.

use rusqlite::Connection;
use rusqlite::types::ValueRef;

use super::scan::quoted;
use super::schema::{Schema, Table};
use crate::units::TraceTime;

/// A power over time.
#[derive(Clone, Debug, PartialEq)]
pub struct PowerCounter {
    /// The table it stands in.
    pub table: String,
    /// Its name, as the export spells it.
    pub name: String,
    /// Its unit, from a column or from brackets in the name; `None` when neither says.
    pub unit: Option<String>,
    /// The device, where the table says.
    pub device: Option<i64>,
    /// Time and value, in the order of time.
    pub values: Vec<(TraceTime, f64)>,
}

const METRICS: &str = "GPU_METRICS";
const METRIC_NAMES: &str = "TARGET_INFO_GPU_METRICS";
const TIMES: [&str; 3] = ["timestamp", "start", "time"];
const VALUES: [&str; 5] = ["value", "doubleValue", "floatValue", "intValue", "counterValue"];
const NAMES: [&str; 4] = ["name", "counterName", "metricName", "text"];
const NAME_IDS: [&str; 3] = ["nameId", "textId", "counterNameId"];
const UNITS: [&str; 2] = ["unit", "units"];
const DEVICES: [&str; 4] = ["deviceId", "gpuId", "gpu", "device"];

/// Every counter of power, by table, name and device.
pub(super) fn power_counters(
    connection: &Connection,
    schema: &Schema,
) -> rusqlite::Result<Vec<PowerCounter>> {
    let mut found = Vec::new();
    if let Some(sql) = metrics_query(schema) {
        read(connection, METRICS, &sql, &mut found)?;
    }
    for table in schema.tables().filter(|table| !table.is_view && is_counters(&table.name)) {
        if let Some(sql) = counters_query(table, schema.table("StringIds").is_some()) {
            read(connection, &table.name, &sql, &mut found)?;
        }
    }
    found.sort_by(|a, b| (&a.table, &a.name, a.device).cmp(&(&b.table, &b.name, b.device)));
    Ok(found)
}

fn is_counters(table: &str) -> bool {
    let upper = table.to_ascii_uppercase();
    upper.contains("COUNTER") && !upper.starts_with("ENUM_") && !upper.starts_with("TARGET_INFO_")
}

/// Time, value, name, unit, device of the GPU metrics whose name speaks of power.
fn metrics_query(schema: &Schema) -> Option<String> {
    let (values, names) = (schema.table(METRICS)?, schema.table(METRIC_NAMES)?);
    let has = ["timestamp", "typeId", "metricId", "value"].iter().all(|name| values.has(name))
        && ["typeId", "metricId", "metricName"].iter().all(|name| names.has(name));
    has.then(|| {
        format!(
            "SELECT m.timestamp, m.value, n.metricName, NULL, m.typeId & 255 FROM {METRIC_NAMES} n \
             JOIN {METRICS} m ON m.typeId = n.typeId AND m.metricId = n.metricId \
             WHERE n.metricName LIKE '%power%' ORDER BY 3, 5, 1"
        )
    })
}

fn counters_query(table: &Table, has_strings: bool) -> Option<String> {
    let first = |names: &[&'static str]| names.iter().copied().find(|name| table.has(name));
    let or_null =
        |name: Option<&str>| name.map_or("NULL".to_owned(), |name| format!("c.{}", quoted(name)));
    let (time, value) = (first(&TIMES)?, first(&VALUES)?);
    let (name, join) = match (first(&NAMES), first(&NAME_IDS).filter(|_| has_strings)) {
        (Some(name), _) => (format!("c.{}", quoted(name)), String::new()),
        (None, Some(id)) => {
            ("s.value".to_owned(), format!(" JOIN StringIds s ON s.id = c.{}", quoted(id)))
        }
        (None, None) => return None,
    };
    Some(format!(
        "SELECT c.{}, c.{}, {name}, {}, {} FROM {} c{join} WHERE {name} LIKE '%power%' ORDER BY 3, 5, 1",
        quoted(time),
        quoted(value),
        or_null(first(&UNITS)),
        or_null(first(&DEVICES)),
        quoted(&table.name),
    ))
}

/// Runs a query for time, value, name, unit and device; rows without a time or a number are no readings.
fn read(
    connection: &Connection,
    table: &str,
    sql: &str,
    found: &mut Vec<PowerCounter>,
) -> rusqlite::Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let value = match row.get_ref(1)? {
            ValueRef::Integer(value) => value as f64,
            ValueRef::Real(value) => value,
            _ => continue,
        };
        let (Some(at), Some(name)) = (integer(row.get_ref(0)?), text(row.get_ref(2)?)) else {
            continue;
        };
        let device = integer(row.get_ref(4)?);
        let same = |counter: &&mut PowerCounter| {
            counter.table == table && counter.name == name && counter.device == device
        };
        let at = TraceTime::from_ns(at);
        if let Some(counter) = found.last_mut().filter(same) {
            counter.values.push((at, value));
            continue;
        }
        let unit = text(row.get_ref(3)?).or_else(|| bracketed(&name));
        let (table, values) = (table.to_owned(), vec![(at, value)]);
        found.push(PowerCounter { table, name, unit, device, values });
    }
    Ok(())
}

fn integer(value: ValueRef<'_>) -> Option<i64> {
    match value {
        ValueRef::Integer(value) => Some(value),
        _ => None,
    }
}

fn text(value: ValueRef<'_>) -> Option<String> {
    match value {
        ValueRef::Text(bytes) => Some(String::from_utf8_lossy(bytes).into_owned()),
        _ => None,
    }
}

/// `GPU Power [mW]`, `Power (W)` → the unit.
fn bracketed(name: &str) -> Option<String> {
    let (_, rest) = name.rsplit_once(['[', '('])?;
    Some(rest.trim_end_matches([']', ')', ' ']).trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counters(sql: &str) -> Vec<PowerCounter> {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        power_counters(&connection, &Schema::read(&connection).unwrap()).unwrap()
    }

    #[test]
    fn gpu_metrics_named_power_are_read_and_others_are_not() {
        let found = counters(
            "CREATE TABLE GPU_METRICS (timestamp INT, typeId INT, metricId INT, value INT);
             CREATE TABLE TARGET_INFO_GPU_METRICS (typeId INT, sourceId INT, typeName TEXT, metricId INT, metricName TEXT);
             INSERT INTO TARGET_INFO_GPU_METRICS VALUES (257, 1, 'a', 1, 'SMs Active [%]'), (257, 1, 'a', 2, 'GPU Power [mW]');
             INSERT INTO GPU_METRICS VALUES (20, 257, 2, 5100), (10, 257, 1, 50), (10, 257, 2, 5000);",
        );
        assert_eq!(found.len(), 1);
        let one = &found[0];
        assert_eq!((one.unit.as_deref(), one.device), (Some("mW"), Some(1)));
        let values: Vec<(i64, f64)> = one.values.iter().map(|(t, v)| (t.as_ns(), *v)).collect();
        assert_eq!(values, [(10, 5000.0), (20, 5100.0)]);
    }

    #[test]
    fn a_table_of_counters_is_found_by_its_columns() {
        let found = counters(
            "CREATE TABLE StringIds (id INTEGER PRIMARY KEY, value TEXT);
             CREATE TABLE NVTX_COUNTERS (timestamp INT, nameId INT, unit TEXT, deviceId INT, value REAL);
             CREATE TABLE ENUM_COUNTER_KIND (id INT, name TEXT, value INT, time INT);
             CREATE TABLE PERF_COUNTERS (count INT);
             INSERT INTO StringIds VALUES (1, 'NVML Power'), (2, 'NVML Temperature');
             INSERT INTO NVTX_COUNTERS VALUES (5, 1, 'W', 0, 61.5), (5, 2, 'C', 0, 40), (6, 1, 'W', 1, 70.0), (7, 1, 'W', 0, NULL);",
        );
        let names: Vec<(&str, Option<i64>, usize)> =
            found.iter().map(|one| (one.name.as_str(), one.device, one.values.len())).collect();
        assert_eq!(names, [("NVML Power", Some(0), 1), ("NVML Power", Some(1), 1)]);
    }
}
