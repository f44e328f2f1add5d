//! The run: exchanges first, then every queue, even after one fails.

pub mod check_csv;
pub mod corrected;
pub mod dry_run;
pub mod exchange_bindings;
pub mod performing;
pub mod target;
pub mod task;
pub mod undoing;

use crate::arguments::Arguments;
use crate::broker::check;
use crate::broker::link::Link;
use crate::broker::take_back;
use crate::plan::sheet::Sheet;
use crate::plan::{Entry, Job, Plan};
use crate::queue::exchange::Exchange;
use crate::report::{Outcome, Report};
use crate::run::target::Routes;
use crate::run::task::Task;
use futures_util::stream::{self, StreamExt};
use lapin::types::ShortString;
use rmq_common::exit::Ending;
use rmq_common::failure::Failure;
use rmq_common::runtime;
use rmq_common::standard_streams;

/// The number of queues in progress, each on its own channel, because a refusal closes a channel.
/// This keeps a broker busy at any network latency.
const AT_ONCE: usize = 32;

/// Runs the command line.
///
/// # Errors
/// Whatever prevents all (further) queues. Failures of single queues are reported on the way and
/// show in the exit status.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let task = Task::of(arguments)?;
    let sheet = arguments.csv.as_deref().map(Sheet::open).transpose()?;
    let plan = match (&sheet, task) {
        (Some(sheet), _) => Plan::of_sheet(sheet),
        (None, Task::DeleteExchanges { .. }) => Plan::of_unwanted_exchanges(arguments)?,
        (None, _) => Plan::of_options(arguments)?,
    };
    if !matches!(task, Task::Declare) || !plan.entries.is_empty() {
        standard_streams::output()?;
    }
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics("rmq-declare");
    let report = Report::new(diagnostics);
    for notice in sheet.iter().flat_map(|sheet| &sheet.notices) {
        diagnostics.notice(notice);
    }
    let mut run = Run {
        task,
        sheet,
        report,
        failed: Vec::new(),
        made: Vec::new(),
        routes: Routes::default(),
    };
    let is_all_wrong = plan.entries.iter().all(|entry| entry.job.is_err());
    let has_exchanges = !plan.exchanges.is_empty() || !plan.destinations.is_empty();
    if !has_exchanges && plan.unwanted.is_empty() && is_all_wrong {
        run.without_broker();
        for Entry { line, job, .. } in plan.entries {
            if let Err(failure) = job {
                run.report.add(line, Outcome::Failure(failure));
            }
        }
        return Ok(run.report.exit().into());
    }
    let broker = options.broker(diagnostics)?;
    runtime::block_on(async {
        let link = Link::open(broker, options.first_retry(), diagnostics).await?;
        run.unwanted_exchanges(&link, &plan.unwanted).await?;
        run.exchanges(&link, &plan.exchanges).await?;
        run.exchange_bindings(&link, &plan).await?;
        run.queues(&link, &plan.entries).await?;
        run.nowhere(&link, &plan).await?;
        // A queue need not have a leader to be deleted.
        let unchecked = match run.task {
            Task::Check | Task::DryRun => link.leaders().unchecked(link.vhost()),
            _ => None,
        };
        unchecked.into_iter().for_each(|it| run.report.add(None, Outcome::Notice(it)));
        link.close().await;
        Ok(run.report.exit().into())
    })
}

struct Run {
    task: Task,
    sheet: Option<Sheet>,
    report: Report,
    /// Exchanges that differ or failed.
    failed: Vec<Exchange>,
    /// Exchanges that did not exist before.
    made: Vec<Exchange>,
    /// Where messages go from what exists now.
    routes: Routes,
}

impl Run {
    /// Prints a file without rows again, for a check.
    fn without_broker(&mut self) {
        let again = self.sheet.as_ref().filter(|_| matches!(self.task, Task::Check));
        if let Some(sheet) = again.filter(|sheet| sheet.rows.is_empty()) {
            let header = sheet.header.before.clone() + &sheet.same(&sheet.header);
            self.report.add(None, Outcome::Line(header + &sheet.rest));
        }
    }

    async fn exchanges(
        &mut self,
        link: &Link,
        exchanges: &[(Option<u64>, Exchange)],
    ) -> Result<(), Failure> {
        let again = self.sheet.as_ref().filter(|_| matches!(self.task, Task::Check));
        if let Some(sheet) = again {
            let header = sheet.header.before.clone() + &sheet.same(&sheet.header);
            self.report.add(None, Outcome::Line(header));
        }
        for (line, exchange) in exchanges {
            let outcomes = match self.task {
                Task::Declare => {
                    if check::is_missing_exchange(link, &exchange.name).await? {
                        self.made.push(exchange.clone());
                    }
                    performing::declare_exchange(link, exchange).await
                }
                Task::Check => performing::check_exchange(link, exchange).await,
                Task::DryRun => dry_run::exchange(link, exchange).await,
                _ => Ok(Vec::new()),
            };
            let outcomes =
                outcomes.map_err(|it| it.context(format!("exchange {}", exchange.name)))?;
            if outcomes.iter().any(|outcome| matches!(outcome, Outcome::Failure(_))) {
                self.failed.push(exchange.clone());
            }
            // No cell of the file can show how an exchange differs.
            let comments: Vec<_> = outcomes
                .iter()
                .filter_map(|outcome| match outcome {
                    Outcome::Difference(why) => Some(again?.comment(&why.to_string())),
                    _ => None,
                })
                .collect();
            comments.into_iter().for_each(|it| self.report.add(None, Outcome::Line(it)));
            outcomes.into_iter().for_each(|outcome| self.report.add(*line, outcome));
        }
        Ok(())
    }

    async fn exchange_bindings(&mut self, link: &Link, plan: &Plan) -> Result<(), Failure> {
        for (done, destination) in plan.destinations.iter().enumerate() {
            let outcomes = exchange_bindings::perform(
                link,
                self.task,
                destination,
                &plan.bindings,
                &self.failed,
            );
            let place = |it: Failure| it.context(format!("exchange {destination}"));
            let rest = plan.destinations.len() - done - 1;
            let outcomes = outcomes.await.map_err(|it| with_rest(place(it), rest))?;
            outcomes.into_iter().for_each(|outcome| self.report.add(None, outcome));
        }
        Ok(())
    }

    async fn unwanted_exchanges(
        &mut self,
        link: &Link,
        names: &[ShortString],
    ) -> Result<(), Failure> {
        let Task::DeleteExchanges { if_unused, pretend } = self.task else { return Ok(()) };
        let delete = |name| undoing::delete_exchange(link, name, if_unused, pretend);
        let mut deleted = stream::iter(names).map(delete).buffered(AT_ONCE);
        for (done, name) in names.iter().enumerate() {
            let Some(outcome) = deleted.next().await else { break };
            let place = |it: Failure| it.context(format!("exchange {name}"));
            let rest = names.len() - done - 1;
            self.report.add(None, outcome.map_err(|it| with_rest(place(it), rest))?);
        }
        Ok(())
    }

    async fn queues(&mut self, link: &Link, entries: &[Entry]) -> Result<(), Failure> {
        let Run { task, sheet, report, failed, made, routes } = self;
        // A check of a file prints the file again.
        let again = sheet.as_ref().filter(|_| matches!(task, Task::Check));
        let performed =
            stream::iter(entries).map(|entry| perform(*task, sheet, failed, link, entry));
        // In input order, so that the output can be compared with the input.
        let mut performed = performed.buffered(AT_ONCE);
        let mut in_vain: Vec<&Exchange> = Vec::new();
        for (done, entry) in entries.iter().enumerate() {
            let Some(outcomes) = performed.next().await else { break };
            let outcomes =
                outcomes.map_err(|failure| unfinished(failure, entry, entries.len() - done - 1))?;
            let is_done = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Line(_)));
            if let Ok(job) = &entry.job {
                match is_done {
                    true => made.retain(|exchange| !job.exchanges.contains(exchange)),
                    false => in_vain.extend(&job.exchanges),
                }
                if is_done {
                    routes.add_queue(job);
                }
            }
            if let (Some(_), Some(written)) = (again, &entry.written) {
                report.add(None, Outcome::Line(written.before.clone()));
            }
            outcomes.into_iter().for_each(|outcome| report.add(entry.line, outcome));
        }
        if let Some(sheet) = again {
            report.add(None, Outcome::Line(sheet.rest.clone()));
        }
        drop(performed);
        // Reversed: a later exchange may be the alternate of an earlier one, or need it.
        for exchange in made.iter().rev().filter(|exchange| in_vain.contains(exchange)) {
            let left = take_back::exchange(link, exchange).await?;
            left.into_iter().for_each(|left| report.add(None, Outcome::Notice(left)));
        }
        Ok(())
    }

    /// Reports targets that do not exist.
    async fn nowhere(&mut self, link: &Link, plan: &Plan) -> Result<(), Failure> {
        for (_, exchange) in &plan.exchanges {
            if !self.failed.contains(exchange) {
                self.routes.add_exchange(exchange);
            }
        }
        match self.task {
            Task::DryRun => self.routes.leave_out(plan),
            Task::Declare | Task::Check => {}
            _ => return Ok(()),
        }
        for sentence in self.routes.to_nowhere(link).await? {
            self.report.add(None, Outcome::Notice(sentence));
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
fn unfinished(failure: Failure, entry: &Entry, rest: usize) -> Failure {
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

fn with_rest(failure: Failure, rest: usize) -> Failure {
    match rest {
        0 => failure,
        rest => Failure::new(failure.exit(), format!("{failure}; {rest} more not tried")),
    }
}
