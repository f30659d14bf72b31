//! How does a page print the quantities of a comparison? One table for each unit, so that every column has one:
//! times, shares, counts, energies, powers.
//!
//! What is the same in many rows stands once, in the note: how the intervals were made. Quantities that are 0 on
//! both sides, and columns without a value, say nothing; the CSV file has them.

use crate::compare::Comparison;
use crate::compare::document::{By, Quantity};
use crate::report::comparison;
use crate::report::table::{Cell, Table, grouped};

/// Unit, name of the table and its title.
const UNITS: [(&str, &str, &str); 5] = [
    ("ns", "quantities", "Times per window"),
    ("share", "quantities-shares", "Shares"),
    ("count", "quantities-counts", "Counts per window"),
    ("mj", "quantities-energy", "Energy per window"),
    ("mw", "quantities-power", "Mean power"),
];

/// Columns that a page leaves to the CSV file: the heading has the unit, the note the method.
const LEFT_OUT: [&str; 2] = ["unit", "method"];

/// Every table of a comparison, for a page.
pub(super) fn tables(document: &Comparison) -> Vec<Table> {
    let mut found: Vec<Table> = UNITS.iter().filter_map(|unit| of_unit(document, *unit)).collect();
    let others = comparison::tables(document, &By::ALL);
    found.extend(others.into_iter().filter(|table| table.name != "quantities"));
    found.into_iter().map(without_empty_columns).collect()
}

fn of_unit(
    document: &Comparison,
    (unit, name, title): (&str, &'static str, &str),
) -> Option<Table> {
    let of_unit = document.quantities.iter().filter(|quantity| quantity.unit == unit);
    let (shown, zero): (Vec<&Quantity>, Vec<&Quantity>) =
        of_unit.partition(|quantity| quantity.a != Some(0.0) || quantity.b != Some(0.0));
    let mut table = comparison::quantity_table(&shown);
    table.name = name;
    let of_captures = document.a.windows == 0 || document.b.windows == 0;
    table.title = if of_captures { format!("{title} of whole sums") } else { title.to_owned() };
    for key in LEFT_OUT {
        if let Some(at) = table.columns.iter().position(|column| column.key == key) {
            table.columns.remove(at);
            table.rows.iter_mut().for_each(|row| drop(row.remove(at)));
        }
    }
    table.note = note(&shown, zero.len());
    (!shown.is_empty()).then_some(table)
}

/// How the intervals were made, the most usual way first; and what is not there.
fn note(shown: &[&Quantity], zero: usize) -> Option<String> {
    let mut methods: Vec<(&str, Vec<&str>)> = Vec::new();
    for quantity in shown {
        let Some(method) = quantity.difference.as_ref().map(|found| found.method.as_str()) else {
            continue;
        };
        match methods.iter_mut().find(|(known, _)| *known == method) {
            Some((_, names)) => names.push(&quantity.name),
            None => methods.push((method, vec![&quantity.name])),
        }
    }
    // Stable: those of one rank stay in the order of the rows.
    methods.sort_by_key(|(_, names)| std::cmp::Reverse(names.len()));
    let mut sentences: Vec<String> = methods
        .iter()
        .enumerate()
        .map(|(rank, (method, names))| {
            if rank == 0 {
                format!("Intervals: {method}")
            } else {
                format!("{}: {method}", names.join(", "))
            }
        })
        .collect();
    if zero > 0 {
        let (are, have) =
            if zero == 1 { ("quantity is", "it") } else { ("quantities are", "them") };
        sentences.push(format!(
            "{} {are} 0 on both sides; the CSV file has {have}",
            grouped(zero as u64)
        ));
    }
    (!sentences.is_empty()).then(|| sentences.join(". "))
}

fn without_empty_columns(mut table: Table) -> Table {
    let is_empty =
        |at: usize| !table.rows.is_empty() && table.rows.iter().all(|row| row[at] == Cell::Missing);
    let empty: Vec<usize> = (0..table.columns.len()).filter(|at| is_empty(*at)).collect();
    for at in empty.into_iter().rev() {
        table.columns.remove(at);
        table.rows.iter_mut().for_each(|row| drop(row.remove(at)));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::document::Estimate;

    fn quantity(name: &str, unit: &str, a: f64, method: &str) -> Quantity {
        let difference =
            Estimate { value: 0.0, ci95: None, method: method.to_owned(), also: Vec::new() };
        Quantity {
            name: name.to_owned(),
            unit: unit.to_owned(),
            a: Some(a),
            b: Some(a),
            difference: Some(difference),
            ratio: None,
            effect: None,
        }
    }

    #[test]
    fn the_note_says_what_was_left_out_and_how_intervals_were_made() {
        let rows = [
            quantity("latency", "ns", 5.0, "Welch's t"),
            quantity("latency(p95)", "ns", 5.0, "no interval"),
            quantity("busy", "ns", 4.0, "Welch's t"),
        ];
        let rows: Vec<&Quantity> = rows.iter().collect();
        let expected = "Intervals: Welch's t. latency(p95): no interval. 2 quantities are 0 on both sides; the CSV \
                        file has them";
        assert_eq!(note(&rows, 2).as_deref(), Some(expected));
        assert_eq!(note(&[], 0), None);
    }

    #[test]
    fn columns_without_a_value_are_left_out() {
        let rows = [quantity("latency", "ns", 5.0, "no interval")];
        let rows: Vec<&Quantity> = rows.iter().collect();
        let keys = |table: &Table| -> Vec<String> {
            table.columns.iter().map(|column| column.key.clone().into_owned()).collect()
        };
        let table = comparison::quantity_table(&rows);
        assert!(keys(&table).contains(&"low".to_owned()));
        let table = without_empty_columns(table);
        assert!(
            !keys(&table).contains(&"low".to_owned()) && table.rows[0].len() == table.columns.len()
        );
    }
}
