//! `--check --csv`: the rows as they are on the broker, in the columns of the file.

use crate::argument_value::plain;
use crate::check::Found;
use crate::columns::{Columns, EMPTY};
use crate::learn::learn;
use crate::link::Link;
use crate::performing::{look, unchecked};
use crate::plan::Job;
use crate::queue_arguments::{DEAD_LETTER_KEY, TABLE, TYPE, option_of};
use crate::queue_type::QueueType;
use crate::report::Told;
use crate::shape::Declaration;
use crate::sheet::written;
use crate::spelling::spelt;
use csv::StringRecord;
use rmq_common::failure::Failure;

/// Looks at the queue of a row. One that is as the row says gives the row itself; one that is not,
/// the row as it would have to be; one that is not there, none.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn row(
    link: &Link,
    job: &Job,
    columns: &Columns,
    row: &StringRecord,
) -> Result<Vec<Told>, Failure> {
    let mut told = Vec::new();
    let mut is_there = true;
    if let Some(dlq) = &job.dead_letters {
        is_there = note(link, look(link, job, dlq).await?, dlq.name.as_str(), &mut told);
    }
    let queue = &job.queue;
    let found = look(link, job, queue).await?;
    let differs = matches!(found, Found::Different(..));
    is_there &= note(link, found, queue.name.as_str(), &mut told);
    let learnt = if differs {
        let asked = queue.shape.declaration(link.server().as_ref());
        learn(link, &queue.name, asked.clone()).await?.map(|is| (asked, is))
    } else {
        None
    };
    match (is_there, differs, learnt) {
        (true, false, _) => told.push(Told::Line(written(row))),
        (true, true, Some((asked, is))) => {
            let cells: Vec<String> = columns
                .cells(row)
                .map(|(option, cell)| match option {
                    Some(option) => cell_of(option, cell, &asked, &is),
                    None => cell.to_owned(),
                })
                .collect();
            told.push(Told::Line(written(cells.iter().map(String::as_str))));
            told.extend(without_column(columns, row, &asked, &is).map(|more| {
                let why = format!("check {} in {}: {more}", queue.name, link.vhost());
                Told::Difference(Failure::data(why))
            }));
        }
        (true, true, None) | (false, ..) => {}
    }
    told.extend(unchecked(job));
    Ok(told)
}

/// What the queue has that no column of the row can tell.
fn without_column(
    columns: &Columns,
    row: &StringRecord,
    asked: &Declaration,
    is: &Declaration,
) -> Option<String> {
    let in_cells = |key: &str| {
        columns.cells(row).any(|(option, cell)| match option {
            Some("--arg") => cell.split('=').next() == Some(key),
            option => option.is_some() && option == option_of(key),
        })
    };
    let arguments = is.arguments.into_iter();
    let untold: Vec<String> = arguments
        .filter(|(key, value)| asked.asked(key.as_str()).as_ref() != Some(*value))
        .filter(|(key, _)| !in_cells(key.as_str()))
        .map(|(key, value)| format!("{key}={}", plain(value)))
        .collect();
    (!untold.is_empty())
        .then(|| format!("the file has no column for what it has too: {}", untold.join(", ")))
}

/// Tells what was found; whether it is there.
fn note<T>(link: &Link, found: Found<T>, name: &str, told: &mut Vec<Told>) -> bool {
    let (is_there, more) = match found {
        Found::Same(_) => (true, None),
        Found::Different(_, difference) => (true, Some(Told::Difference(difference))),
        Found::Missing => {
            let vhost = link.vhost();
            let missing = Failure::data(format!("check {name} in {vhost}: missing"));
            (false, Some(Told::Difference(missing)))
        }
        Found::Unknown(failure) => (false, Some(Told::Failure(failure))),
    };
    told.extend(more);
    is_there
}

/// The cell of a column of a queue that `is` so; it was `asked` for in the words of `cell`.
fn cell_of(option: &str, cell: &str, asked: &Declaration, is: &Declaration) -> String {
    let flag = |was: bool, now: bool| if was == now { cell.to_owned() } else { now.to_string() };
    match option {
        "--transient" => flag(!asked.durable, !is.durable),
        "--auto-delete" => flag(asked.auto_delete, is.auto_delete),
        "--with-dlq" if asked.asked(DEAD_LETTER_KEY) != is.asked(DEAD_LETTER_KEY) => {
            if cell == "true" { "false".to_owned() } else { cell.to_owned() }
        }
        "--arg" => {
            let key = cell.split('=').next().unwrap_or_default();
            match is.asked(key) {
                value if value == asked.asked(key) => cell.to_owned(),
                Some(value) => format!("{key}={}", plain(&value)),
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
