//! A queue on the command line or a row of a file: what is done for it, or reported instead.

use crate::broker::link::Link;
use crate::plan::sheet::Sheet;
use crate::plan::{Entry, Job};
use crate::queue::exchange::Exchange;
use crate::report::Outcome;
use crate::run::task::Task;
use crate::run::{check_csv, dry_run, performing, undoing};
use rmq_common::failure::Failure;

/// Performs the task for one entry; `failed` are exchanges that were refused.
pub async fn perform(
    task: Task,
    sheet: &Option<Sheet>,
    failed: &[Exchange],
    link: &Link,
    entry: &Entry,
) -> Result<Vec<Outcome>, Failure> {
    let job = match &entry.job {
        Ok(job) => job,
        Err(failure) => return Ok(vec![Outcome::Failure(failure.clone())]),
    };
    match task {
        Task::Declare => match job.exchanges.iter().find(|exchange| failed.contains(exchange)) {
            Some(exchange) => Ok(vec![Outcome::Failure(not_tried(link, job, exchange))]),
            None => performing::declare_all(link, job).await,
        },
        Task::Check => match (sheet, &entry.row, &entry.written) {
            (Some(sheet), Some(row), Some(written)) => {
                check_csv::row(link, job, sheet, row, written).await
            }
            _ => performing::check_all(link, job).await,
        },
        Task::DryRun => dry_run::queues(link, job).await,
        Task::Delete { conditions, pretend } => {
            performing::delete_all(link, job, conditions, pretend).await
        }
        Task::Unbind { pretend } => undoing::unbind_all(link, job, pretend).await,
        Task::Purge { pretend } => undoing::purge(link, job, pretend).await,
        // Its plan has no queues.
        Task::DeleteExchanges { .. } => Ok(Vec::new()),
    }
}

fn not_tried(link: &Link, job: &Job, exchange: &Exchange) -> Failure {
    let (queue, vhost, exchange) = (&job.queue.name, link.vhost(), &exchange.name);
    let why = format!("declare {queue} in {vhost}: not tried, as exchange {exchange} failed");
    Failure::data(why)
}

/// No broker can be reached: the rest was not tried.
pub fn unfinished(failure: Failure, entry: &Entry, rest: usize) -> Failure {
    let failure = match &entry.job {
        Ok(job) => failure.context(format!("queue {}", job.queue.name)),
        Err(_) => failure,
    };
    let failure = match entry.line {
        Some(line) => failure.context(format!("line {line}")),
        None => failure,
    };
    with_rest(failure, rest)
}

pub fn with_rest(failure: Failure, rest: usize) -> Failure {
    match rest {
        0 => failure,
        rest => Failure::new(failure.exit(), format!("{failure}; {rest} more not tried")),
    }
}
