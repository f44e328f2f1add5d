//! The run: exchanges first, then every queue, even after one fails.

pub mod check_csv;
pub mod corrected;
pub mod dry_run;
pub mod entry;
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
use crate::plan::{Entry, Plan};
use crate::queue::exchange::Exchange;
use crate::report::{Outcome, Report};
use crate::run::entry::{perform, unfinished, with_rest};
use crate::run::target::Routes;
use crate::run::task::Task;
use futures_util::stream::{self, StreamExt};
use lapin::types::ShortString;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::options::ConnectionOptions;
use rmq_common::runtime;
use rmq_common::standard_streams;

/// How many queues are in progress, each on its own channel, because a refusal closes one.
const AT_ONCE: usize = 32;

/// Runs the command line.
///
/// # Errors
/// Whatever prevents all (further) queues. Failures of single queues are reported on the way and
/// show in the exit status.
pub fn run(arguments: &Arguments) -> Result<Ending, Failure> {
    let task = Task::of(arguments)?;
    let sheet = arguments.csv.as_deref().map(Sheet::open).transpose()?;
    let plans = match (&sheet, task) {
        (Some(sheet), _) => Plan::of_sheet(sheet),
        (None, Task::DeleteExchanges { .. }) => {
            vec![(None, Plan::of_unwanted_exchanges(arguments)?)]
        }
        (None, _) => vec![(None, Plan::of_options(arguments)?)],
    };
    if !matches!(task, Task::Declare) || plans.iter().any(|(_, plan)| !plan.entries.is_empty()) {
        standard_streams::output()?;
    }
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics("rmq-declare");
    let report = Report::new(diagnostics);
    if let Some(sheet) = &sheet {
        sheet.report(diagnostics);
    }
    let mut run = Run {
        task,
        sheet,
        report,
        failed: Vec::new(),
        made: Vec::new(),
        routes: Routes::default(),
        has_header: false,
    };
    if plans.iter().all(|(_, plan)| plan.asks_nothing()) {
        run.without_broker();
        for Entry { line, job, .. } in plans.into_iter().flat_map(|(_, plan)| plan.entries) {
            if let Err(failure) = job {
                run.report.add(line, Outcome::Failure(failure));
            }
        }
        return Ok(run.report.exit().into());
    }
    let is_one = plans.len() == 1;
    for (vhost, plan) in plans {
        let mut options = options.clone();
        options.settings.vhost = vhost.or(options.settings.vhost);
        match run.on_vhost(&options, diagnostics, &plan) {
            // That virtual host does not exist, or this user has no access; others may be usable.
            Err(failure) if !is_one && matches!(failure.exit(), Exit::DataErr | Exit::NoPerm) => {
                run.all_failed(&plan, &failure);
            }
            done => done?,
        }
    }
    run.rest();
    Ok(run.report.exit().into())
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
    /// Whether the header row was printed again.
    has_header: bool,
}

impl Run {
    /// Performs the tasks for one virtual host.
    fn on_vhost(
        &mut self,
        options: &ConnectionOptions,
        diagnostics: Diagnostics,
        plan: &Plan,
    ) -> Result<(), Failure> {
        (self.failed, self.made, self.routes) = (Vec::new(), Vec::new(), Routes::default());
        let broker = options.broker(diagnostics)?;
        runtime::block_on(async {
            let link = Link::open(broker, options.first_retry(), diagnostics).await?;
            self.unwanted_exchanges(&link, &plan.unwanted).await?;
            self.exchanges(&link, &plan.exchanges).await?;
            self.exchange_bindings(&link, plan).await?;
            self.queues(&link, &plan.entries).await?;
            self.nowhere(&link, plan).await?;
            // A queue need not have a leader to be deleted.
            let unchecked = match self.task {
                Task::Check | Task::DryRun => link.leaders().unchecked(link.vhost()),
                _ => None,
            };
            unchecked.into_iter().for_each(|it| self.report.add(None, Outcome::Notice(it)));
            link.close().await;
            Ok(())
        })
    }

    /// Reports that nothing was tried on a virtual host.
    fn all_failed(&mut self, plan: &Plan, why: &Failure) {
        self.header();
        for Entry { line, job, .. } in &plan.entries {
            let failure = job.as_ref().err().unwrap_or(why);
            self.report.add(*line, Outcome::Failure(failure.clone()));
        }
    }

    /// A check of a file prints the file again: its header row,
    fn header(&mut self) {
        let again = self.sheet.as_ref().filter(|_| matches!(self.task, Task::Check));
        if let Some(sheet) = again
            && !self.has_header
        {
            self.has_header = true;
            let header = sheet.header.before.clone() + &sheet.same(&sheet.header);
            self.report.add(None, Outcome::Line(header));
        }
    }

    /// and what follows its last row.
    fn rest(&mut self) {
        let again = self.sheet.as_ref().filter(|_| matches!(self.task, Task::Check));
        if let Some(sheet) = again {
            self.report.add(None, Outcome::Line(sheet.rest.clone()));
        }
    }

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
        self.header();
        let again = self.sheet.as_ref().filter(|_| matches!(self.task, Task::Check));
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
        let Run { task, sheet, report, failed, made, routes, .. } = self;
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
