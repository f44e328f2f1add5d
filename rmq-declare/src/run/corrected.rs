//! The row of a file, corrected to describe its queue.

use crate::plan::columns::{Columns, EMPTY};
use crate::queue::queue_arguments::{
    DEAD_LETTER_EXCHANGE, DEAD_LETTER_KEY, TABLE, TYPE, option_of, spelt,
};
use crate::queue::queue_type::QueueType;
use crate::values::argument_value::{extra, plain};
use csv::StringRecord;
use rmq_common::declaration::Declaration;
use std::collections::BTreeMap;

#[derive(Debug, PartialEq)]
pub struct Corrected {
    /// The right value of each cell; `None` if it is right already.
    pub cells: Vec<Option<String>>,
    /// What the queue has that no cell of the row can show.
    pub without_column: Vec<String>,
}

/// Corrects a row that `asked` for something other than what the queue `is`.
pub fn row(
    columns: &Columns,
    row: &StringRecord,
    asked: &Declaration,
    is: &Declaration,
) -> Corrected {
    let mut asked = asked.clone();
    // With --with-dlq its dead letters would go elsewhere, so other columns have to show where.
    let is_wired_otherwise = [DEAD_LETTER_EXCHANGE, DEAD_LETTER_KEY]
        .into_iter()
        .any(|key| is.asked(key) != asked.asked(key));
    let has_dlq = |option, cell: &str| option == "--with-dlq" && cell.eq_ignore_ascii_case("true");
    let leaves_dlq = is_wired_otherwise
        && columns.cells(row).any(|(option, cell)| option.is_some_and(|it| has_dlq(it, cell)));
    if leaves_dlq {
        let arguments = asked.arguments.inner().clone().into_iter();
        let own = arguments.filter(|(key, _)| {
            let key = key.as_str();
            key == TYPE || cells_of(columns, row, key).any(|cell| !cell.is_empty())
        });
        asked.arguments = own.collect::<BTreeMap<_, _>>().into();
    }
    let mut cells: Vec<Option<String>> = columns
        .cells(row)
        .map(|(option, cell)| {
            let now = match option? {
                option if leaves_dlq && has_dlq(option, cell) => "false".to_owned(),
                option => cell_of(option, cell, &asked, is),
            };
            (now != cell).then_some(now)
        })
        .collect();
    let mut without_column = Vec::new();
    let is_free = |(place, (option, cell)): &(usize, (Option<&str>, &str))| {
        let now = cells.get(*place).and_then(Option::as_deref).unwrap_or(cell);
        *option == Some("--arg") && now.is_empty()
    };
    let free: Vec<usize> =
        columns.cells(row).enumerate().filter(is_free).map(|(place, _)| place).collect();
    let mut free = free.into_iter();
    for (key, value) in &is.arguments {
        let key = key.as_str();
        let has_cell = cells_of(columns, row, key).next().is_some();
        if has_cell || asked.asked(key).as_ref() == Some(value) {
            continue;
        }
        // --type shows the type.
        let place = if key == TYPE { None } else { free.next() };
        match place.and_then(|place| cells.get_mut(place)) {
            Some(cell) => *cell = Some(extra(key, value)),
            None => without_column.push(format!("{key}={}", plain(value))),
        }
    }
    Corrected { cells, without_column }
}

/// The cells of the row that can show the argument `key`.
fn cells_of<'a>(
    columns: &'a Columns,
    row: &'a StringRecord,
    key: &'a str,
) -> impl Iterator<Item = &'a str> {
    let says = move |option, cell: &str| match option {
        Some("--arg") => cell.split('=').next() == Some(key),
        option => option.is_some() && option == option_of(key),
    };
    columns.cells(row).filter(move |(option, cell)| says(*option, cell)).map(|(_, cell)| cell)
}

/// The cell of a column for the queue as it `is`; `cell` is the text that `asked` came from.
fn cell_of(option: &str, cell: &str, asked: &Declaration, is: &Declaration) -> String {
    let flag = |was: bool, now: bool| if was == now { cell.to_owned() } else { now.to_string() };
    match option {
        "--transient" => flag(!asked.durable, !is.durable),
        "--auto-delete" => flag(asked.auto_delete, is.auto_delete),
        "--with-dlq" => cell.to_owned(),
        "--arg" => {
            let key = cell.split('=').next().unwrap_or_default();
            match is.asked(key) {
                value if value == asked.asked(key) => cell.to_owned(),
                Some(value) => extra(key, &value),
                None => String::new(),
            }
        }
        option => {
            let mut keys = TABLE.iter().filter(|row| row.option == option).map(|row| row.key);
            // --group-size is one argument for quorum queues and another for streams.
            let differs = keys.find(|key| is.asked(key) != asked.asked(key));
            match differs.map(|key| (key, is.asked(key))) {
                None => cell.to_owned(),
                Some((_, Some(value))) => {
                    let key = differs.unwrap_or_default();
                    match spelt(key, &plain(&value)) {
                        text if text.is_empty() => EMPTY.to_owned(),
                        text => text,
                    }
                }
                // A queue without a type is a classic one.
                Some((TYPE, None)) => QueueType::Classic.name().to_owned(),
                Some((_, None)) => String::new(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::queue::shape::Shape;

    const HEADER: [&str; 6] = ["queue", "with-dlq", "max-length", "arg", "arg", "type"];

    /// What a row asks for; its queue is `q`.
    fn asked(columns: &Columns, row: &StringRecord) -> Declaration {
        let options = columns.options(row).unwrap();
        let shape = Shape::from_options(&options).unwrap();
        let shape = match options.with_dlq {
            true => shape.with_dead_letters_to("q.dlq").unwrap(),
            false => shape,
        };
        shape.declaration(None)
    }

    /// What becomes of a row if the queue `is` as a row of [`HEADER`] describes.
    fn corrected(header: &[&str], cells: &[&str], is: &[&str]) -> (StringRecord, Vec<String>) {
        let columns = |header: &[&str]| Columns::of(&StringRecord::from(header)).unwrap();
        let is = asked(&columns(&HEADER), &StringRecord::from(is));
        let (columns, cells) = (columns(header), StringRecord::from(cells));
        let Corrected { cells: new, without_column } =
            row(&columns, &cells, &asked(&columns, &cells), &is);
        let new = new.iter().zip(&cells).map(|(new, old)| new.as_deref().unwrap_or(old));
        let new: StringRecord = new.collect();
        if without_column.is_empty() {
            assert_eq!(asked(&columns, &new), is, "{new:?}");
        }
        (new, without_column)
    }

    #[test]
    fn an_empty_column_arg_takes_what_has_no_column() {
        let is = ["q", "", "", "x-expires=5", "x-own=\"7\"", ""];
        let (row, left) = corrected(&HEADER, &["q", "", "", "", "", ""], &is);
        assert_eq!((row.iter().collect::<Vec<_>>(), left.len()), (is.to_vec(), 0));
        // A cell whose argument the queue lacks is free.
        let (row, _) = corrected(&HEADER, &["q", "", "", "x-b=1", "x-c=1", ""], &is);
        assert_eq!(row.iter().collect::<Vec<_>>(), is);
        let (row, left) = corrected(&["queue", "arg"], &["q", ""], &is);
        assert_eq!((&row[1], left), ("x-expires=5", vec!["x-own=7".to_owned()]));
        let is = ["q", "", "", "", "", "stream"];
        let (row, left) = corrected(&["queue", "arg"], &["q", ""], &is);
        assert_eq!((&row[1], left), ("", vec!["x-queue-type=stream".to_owned()]));
    }

    #[test]
    fn dead_letters_that_go_elsewhere_are_said_in_place_of_with_dlq() {
        let dlx = "x-dead-letter-exchange=dead";
        let is = ["q", "", "5", dlx, "x-dead-letter-routing-key=q.dlq", ""];
        let (row, _) = corrected(&HEADER, &["q", "TRUE", "5", "", "", ""], &is);
        let wanted = ["q", "false", "5", dlx, "x-dead-letter-routing-key=q.dlq", ""];
        assert_eq!(row.iter().collect::<Vec<_>>(), wanted);
        let (row, _) =
            corrected(&HEADER, &["q", "true", "", "", "", ""], &["q", "", "", "", "", "classic"]);
        assert_eq!(row.iter().collect::<Vec<_>>(), ["q", "false", "", "", "", "classic"]);
        // The same target with other words than the option's own stays with the option.
        let (row, _) =
            corrected(&HEADER, &["q", "true", "", "", "", ""], &["q", "true", "5", "", "", ""]);
        assert_eq!(row.iter().take(3).collect::<Vec<_>>(), ["q", "true", "5"]);
    }
}
