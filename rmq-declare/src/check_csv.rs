//! `--check --csv`: the rows as they are on the broker, in the columns of the file.

use crate::argument_value::plain;
use crate::check::Found;
use crate::columns::{Columns, EMPTY};
use crate::link::Link;
use crate::performing::{look, unchecked};
use crate::plan::Job;
use crate::queue_arguments::{DEAD_LETTER_KEY, TABLE, TYPE, option_of};
use crate::queue_type::QueueType;
use crate::report::Told;
use crate::shape::Declaration;
use crate::sheet::Sheet;
use crate::spelling::spelt;
use csv::StringRecord;
use rmq_common::failure::Failure;
use rmq_common::sheet::Written;

/// Looks at the queue of a row. One that is as the row says gives the row itself; one that is not,
/// the row as it would have to be, behind a comment where its cells do not show how it differs; one
/// that is not there, none.
///
/// # Errors
/// When the broker cannot be asked.
pub async fn row(
    link: &Link,
    job: &Job,
    sheet: &Sheet,
    row: &StringRecord,
    written: &Written,
) -> Result<Vec<Told>, Failure> {
    let mut told = Vec::new();
    let mut is_there = true;
    let mut hidden = Vec::new();
    if let Some(dlq) = &job.dead_letters {
        let (found, _) = look(link, job, dlq).await?;
        if let Found::Different(_, difference) = &found {
            hidden.push(difference.to_string());
        }
        is_there = note(link, found, dlq.name.as_str(), &mut told);
    }
    let queue = &job.queue;
    let (found, is) = look(link, job, queue).await?;
    let difference = match &found {
        Found::Different(_, difference) => Some(difference.to_string()),
        _ => None,
    };
    is_there &= note(link, found, queue.name.as_str(), &mut told);
    if is_there && let Some(difference) = difference {
        let asked = queue.shape.declaration(link.server().as_ref());
        if let Some(is) = is {
            let cells: Vec<Option<String>> = sheet
                .columns
                .cells(row)
                .map(|(option, cell)| {
                    let now = cell_of(option?, cell, &asked, &is);
                    (now != cell).then_some(now)
                })
                .collect();
            let more = without_column(&sheet.columns, row, &asked, &is);
            if cells.iter().all(Option::is_none) {
                hidden.push(difference);
            }
            told.extend(more.map(|more| {
                let why = format!("check {} in {}: {more}", queue.name, link.vhost());
                Told::Difference(Failure::data(why))
            }));
            told.extend(hidden.iter().map(|it| Told::Line(sheet.comment(it))));
            told.push(Told::Line(sheet.changed(written, &cells)));
        }
    } else if is_there {
        told.extend(hidden.iter().map(|it| Told::Line(sheet.comment(it))));
        told.push(Told::Line(sheet.same(written)));
    }
    told.extend(unchecked(link, job));
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
        Found::Down(why) => (false, Some(Told::Difference(why))),
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
            if cell.eq_ignore_ascii_case("true") { "false".to_owned() } else { cell.to_owned() }
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
