//! `--check --csv`: prints the rows again as the broker has them, in the columns of the file.

use crate::broker::check::Found;
use crate::broker::link::Link;
use crate::plan::Job;
use crate::plan::sheet::Sheet;
use crate::report::Outcome;
use crate::run::corrected::{self, Corrected};
use crate::run::performing::{look, unchecked};
use csv::StringRecord;
use rmq_common::failure::Failure;
use rmq_common::sheet::Written;

/// Checks the queue of a row. If it matches, the row is printed as written; if not, the row that
/// describes the queue, with a comment before it if no cell can show the difference. A missing
/// queue has no row.
pub async fn row(
    link: &Link,
    job: &Job,
    sheet: &Sheet,
    row: &StringRecord,
    written: &Written,
) -> Result<Vec<Outcome>, Failure> {
    let mut outcomes = Vec::new();
    let mut is_there = true;
    let mut hidden = Vec::new();
    if let Some(dlq) = &job.dead_letters {
        let (found, _) = look(link, job, dlq).await?;
        if let Found::Different(_, difference) = &found {
            hidden.push(difference.to_string());
        }
        is_there = note(link, found, dlq.name.as_str(), &mut outcomes);
    }
    let queue = &job.queue;
    let (found, is) = look(link, job, queue).await?;
    let difference = match &found {
        Found::Different(_, difference) => Some(difference.to_string()),
        _ => None,
    };
    is_there &= note(link, found, queue.name.as_str(), &mut outcomes);
    if is_there && let Some(difference) = difference {
        if let Some(is) = is {
            let asked = queue.shape.declaration(link.server().as_ref());
            let Corrected { cells, without_column } =
                corrected::row(&sheet.columns, row, &asked, &is);
            if cells.iter().all(Option::is_none) {
                hidden.push(difference);
            }
            if !without_column.is_empty() {
                let (name, vhost, more) = (&queue.name, link.vhost(), without_column.join(", "));
                outcomes.push(Outcome::Difference(Failure::data(format!(
                    "check {name} in {vhost}: the file has no column for {more}, which the queue \
                     also has (an empty column arg takes one each)"
                ))));
            }
            outcomes.extend(hidden.iter().map(|it| Outcome::Line(sheet.comment(it))));
            outcomes.push(Outcome::Line(sheet.changed(written, &cells)));
        }
    } else if is_there {
        outcomes.extend(hidden.iter().map(|it| Outcome::Line(sheet.comment(it))));
        outcomes.push(Outcome::Line(sheet.same(written)));
    }
    outcomes.extend(unchecked(link, job));
    Ok(outcomes)
}

/// Adds what was found; returns whether the queue exists.
fn note<T>(link: &Link, found: Found<T>, name: &str, outcomes: &mut Vec<Outcome>) -> bool {
    let (is_there, more) = match found {
        Found::Same(_) => (true, None),
        Found::Different(_, difference) => (true, Some(Outcome::Difference(difference))),
        Found::Missing => {
            let vhost = link.vhost();
            let missing = Failure::data(format!("check {name} in {vhost}: missing"));
            (false, Some(Outcome::Difference(missing)))
        }
        Found::Down(why) => (false, Some(Outcome::Difference(why))),
        Found::Unknown(failure) => (false, Some(Outcome::Failure(failure))),
    };
    outcomes.extend(more);
    is_there
}
