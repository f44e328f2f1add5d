//! The run: exchanges first, then every queue, whatever became of the one before.

use crate::arguments::Arguments;
use crate::check_csv;
use crate::dry_run;
use crate::exchange::Exchange;
use crate::link::Link;
use crate::performing;
use crate::plan::{Entry, Job, Plan};
use crate::report::{Report, Told};
use crate::sheet::{Sheet, written};
use crate::task::Task;
use futures_util::stream::{self, StreamExt};
use rmq_common::exit::Ending;
use rmq_common::failure::Failure;
use rmq_common::runtime;
use rmq_common::standard_streams;

/// How many queues are asked about at once, each on a channel of its own, because a refusal closes
/// one. That is enough to keep a broker busy, whatever the network's delay between two answers.
const AT_ONCE: usize = 32;

/// Does what the command line asks for.
///
/// # Errors
/// What keeps the tool from trying any (further) queue; what became of single queues is told on
/// the way and shows in the exit status.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let task = Task::of(arguments)?;
    let sheet = arguments.csv.as_deref().map(Sheet::open).transpose()?;
    let plan = match &sheet {
        Some(sheet) => Plan::of_sheet(sheet),
        None => Plan::of_options(arguments)?,
    };
    if !matches!(task, Task::Declare) || !plan.entries.is_empty() {
        standard_streams::output()?;
    }
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics("rmq-declare");
    let report = Report::new(diagnostics);
    let mut run = Run { task, sheet, report, failed: Vec::new() };
    if plan.exchanges.is_empty() && plan.entries.iter().all(|entry| entry.job.is_err()) {
        for Entry { line, job, .. } in plan.entries {
            if let Err(failure) = job {
                run.report.tell(line, Told::Failure(failure));
            }
        }
        return Ok(run.report.exit().into());
    }
    let broker = options.broker(diagnostics)?;
    runtime::block_on(async {
        let link = Link::open(broker, options.first_retry(), diagnostics).await?;
        run.exchanges(&link, &plan.exchanges).await?;
        run.queues(&link, &plan.entries).await?;
        link.close().await;
        Ok(run.report.exit().into())
    })
}

struct Run {
    task: Task,
    sheet: Option<Sheet>,
    report: Report,
    /// Exchanges that are not as they were asked for.
    failed: Vec<Exchange>,
}

impl Run {
    async fn exchanges(
        &mut self,
        link: &Link,
        exchanges: &[(Option<u64>, Exchange)],
    ) -> Result<(), Failure> {
        for (line, exchange) in exchanges {
            let told = match self.task {
                Task::Declare => performing::declare_exchange(link, exchange).await,
                Task::Check => performing::check_exchange(link, exchange).await,
                Task::DryRun => dry_run::exchange(link, exchange).await,
                Task::Delete { .. } => Ok(Vec::new()),
            };
            let told = told.map_err(|it| it.context(format!("exchange {}", exchange.name)))?;
            if told.iter().any(|told| matches!(told, Told::Failure(_))) {
                self.failed.push(exchange.clone());
            }
            told.into_iter().for_each(|told| self.report.tell(*line, told));
        }
        Ok(())
    }

    async fn queues(&mut self, link: &Link, entries: &[Entry]) -> Result<(), Failure> {
        let Run { task, sheet, report, failed } = self;
        if let (Task::Check, Some(sheet)) = (&task, &sheet) {
            report.tell(None, Told::Line(written(&sheet.header)));
        }
        let performed =
            stream::iter(entries).map(|entry| perform(*task, sheet, failed, link, entry));
        // In their order, so that what comes out can be laid beside what went in.
        let mut performed = performed.buffered(AT_ONCE);
        for (done, entry) in entries.iter().enumerate() {
            let Some(told) = performed.next().await else { break };
            let told =
                told.map_err(|failure| unfinished(failure, entry, entries.len() - done - 1))?;
            told.into_iter().for_each(|told| report.tell(entry.line, told));
        }
        Ok(())
    }
}

async fn perform(
    task: Task,
    sheet: &Option<Sheet>,
    failed: &[Exchange],
    link: &Link,
    entry: &Entry,
) -> Result<Vec<Told>, Failure> {
    let job = match &entry.job {
        Ok(job) => job,
        Err(failure) => return Ok(vec![Told::Failure(failure.clone())]),
    };
    match task {
        Task::Declare => match job.exchanges.iter().find(|exchange| failed.contains(exchange)) {
            Some(exchange) => Ok(vec![Told::Failure(not_tried(link, job, exchange))]),
            None => performing::declare_all(link, job).await,
        },
        Task::Check => match (sheet, &entry.row) {
            (Some(sheet), Some(row)) => check_csv::row(link, job, &sheet.columns, row).await,
            _ => performing::check_all(link, job).await,
        },
        Task::DryRun => dry_run::queues(link, job).await,
        Task::Delete { conditions, pretend } => {
            performing::delete_all(link, job, conditions, pretend).await
        }
    }
}

fn not_tried(link: &Link, job: &Job, exchange: &Exchange) -> Failure {
    let (queue, vhost, exchange) = (&job.queue.name, link.vhost(), &exchange.name);
    let why = format!("declare {queue} in {vhost}: not tried, as exchange {exchange} failed");
    Failure::data(why)
}

/// The broker is out of reach: the rest was not tried.
fn unfinished(failure: Failure, entry: &Entry, rest: usize) -> Failure {
    let failure = match &entry.job {
        Ok(job) => failure.context(format!("queue {}", job.queue.name)),
        Err(_) => failure,
    };
    let failure = match entry.line {
        Some(line) => failure.context(format!("line {line}")),
        None => failure,
    };
    match rest {
        0 => failure,
        rest => Failure::new(failure.exit(), format!("{failure}; {rest} more not tried")),
    }
}
