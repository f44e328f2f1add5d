//! The run: every queue in turn, whatever became of the one before.

use crate::arguments::Arguments;
use crate::check::{Found, check};
use crate::counts;
use crate::declare::declare;
use crate::link::Link;
use crate::queue::{self, Shape};
use crate::report::Report;
use lapin::types::ShortString;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::runtime;

/// What is to be done with each queue.
enum Task {
    /// Make it be there.
    Declare,
    /// Only look; with `compare`, at its arguments too.
    Check { compare: bool },
}

/// Does what the command line asks for.
///
/// # Errors
/// What keeps the tool from trying any (further) queue; what became of single queues is told on
/// the way and shows in the exit status.
pub fn run(arguments: Arguments) -> Result<Ending, Failure> {
    if arguments.queues.is_empty() {
        return Err(Failure::usage("no queue is named (see rmq-declare --help)"));
    }
    let shape = Shape::from_options(&arguments)?;
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics("rmq-declare");
    let task = if arguments.check {
        Task::Check { compare: arguments.queue_type.is_some() || shape.has_arguments() }
    } else {
        Task::Declare
    };
    let mut report = Report::new(diagnostics);
    let mut queues = Vec::new();
    for text in arguments.queues {
        match queue::name(&text) {
            Ok(name) => queues.push(name),
            Err(failure) => report.failure(&failure),
        }
    }
    if queues.is_empty() {
        return Ok(report.exit().into());
    }
    let broker = options.broker(diagnostics)?;
    runtime::block_on(async {
        let mut link = Link::open(broker, options.first_retry(), diagnostics).await?;
        for (done, queue) in queues.iter().enumerate() {
            if let Err(failure) = perform(&task, &mut link, queue, &shape, &mut report).await {
                return Err(unfinished(failure, queue, queues.len() - done - 1));
            }
        }
        link.close().await;
        Ok(report.exit().into())
    })
}

async fn perform(
    task: &Task,
    link: &mut Link,
    queue: &ShortString,
    shape: &Shape,
    report: &mut Report,
) -> Result<(), Failure> {
    let name = queue.as_str();
    match task {
        Task::Declare => match declare(link, queue, shape, "declare").await? {
            Ok(counts) => {
                report.line(&counts::line(name, counts));
                report.warn_once(|| shape.warnings(link.server()));
            }
            Err(failure) => report.failure(&failure),
        },
        Task::Check { compare } => match check(link, queue, shape, *compare).await? {
            Found::Same(counts) => report.line(&counts::line(name, counts)),
            Found::Different(counts, difference) => {
                report.line(&counts::line(name, counts));
                report.difference(&difference);
            }
            Found::Missing => {
                report.line(&counts::missing(name));
                report.worse(Exit::No);
            }
            Found::Unknown(failure) => report.failure(&failure),
        },
    }
    Ok(())
}

/// The broker is out of reach: the rest was not tried.
fn unfinished(failure: Failure, queue: &ShortString, rest: usize) -> Failure {
    let failure = failure.context(format!("queue {queue}"));
    match rest {
        0 => failure,
        rest => Failure::new(failure.exit(), format!("{failure}; {rest} more not tried")),
    }
}
