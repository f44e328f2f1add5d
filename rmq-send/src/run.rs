//! One run of rmq-send, from its arguments to its outcome.

use crate::acknowledge::{Acknowledger, Fifo};
use crate::arguments::{Arguments, PROGRAM};
use crate::compose::Composer;
use crate::destination::Destination;
use crate::dry_run;
use crate::input::{Plan, Reader};
use crate::link::Link;
use crate::positions::Positions;
use crate::properties::Properties;
use crate::record::Route;
use crate::recovery;
use crate::rejects::Rejects;
use crate::sender::{Job, Sender};
use crate::sources::Source;
use crate::tally::Tally;
use crate::tee::Tee;
use crate::verdict::Verdict;
use rmq_common::amqp_error::{Trouble, reply};
use rmq_common::connection::Broker;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::Ending;
use rmq_common::failure::Failure;
use rmq_common::progress::Progress;
use rmq_common::retry::{Backoff, Patience};
use rmq_common::{runtime, signals};
use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

/// How long to go on without a confirm, unless `--retry` says otherwise.
const RETRY: Limit = Limit::For(Duration::from_secs(300));
/// How long a reader of `--ack-to` may take without a word about it.
const READER_DUE: Duration = Duration::from_secs(5);

/// Sends the input as the arguments say.
///
/// # Errors
/// Whatever keeps a record from being confirmed, with the exit status it ends with.
pub fn run(arguments: Arguments) -> Result<Ending, Failure> {
    let destination = Destination::new(&arguments)?;
    let composer = Composer {
        routing: destination.routing.clone(),
        content: destination.content.clone(),
        properties: Properties::new(&arguments)?,
    };
    let plan = Plan {
        positions: Positions::new(destination.format.unit()),
        sources: destination.sources.clone(),
        format: destination.format,
        max_size: arguments.max_size,
        composer,
        beyond_bad: arguments.rejects.is_some() || arguments.dry_run,
    };
    if arguments.dry_run {
        let diagnostics = Diagnostics::new(PROGRAM, arguments.quiet, arguments.verbose);
        return runtime::block_on(dry_run::run(plan, diagnostics));
    }
    runtime::block_on(send(arguments, &destination, plan))
}

async fn send(
    arguments: Arguments,
    destination: &Destination,
    plan: Plan,
) -> Result<Ending, Failure> {
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics(PROGRAM);
    let mut broker = options.broker(diagnostics)?;
    let format = plan.format;
    let rejects = match &arguments.rejects {
        Some(name) => Some(open_rejects(name, &plan)?),
        None => None,
    };
    let fifo = match &arguments.ack_to {
        Some(name) => Some((name, wait_for_reader(name, diagnostics).await?)),
        None => None,
    };
    let mandatory = !arguments.allow_unroutable;
    // Nothing is read before a broker is there, so that nothing is lost where none is.
    let patience = Patience::new(options.first_retry());
    let link = recovery::connect(&mut broker, mandatory, &patience).await?;
    if let Some(route) = destination.fixed() {
        look(&broker, &link, &route).await?;
    }
    let signals = signals::requests_to_stop()?;
    let acknowledger = match fifo {
        Some((name, fifo)) => Some(Acknowledger::start(name, fifo, format)?),
        None => None,
    };
    let job = Job {
        window: arguments.window,
        retry: options.retry_or(RETRY),
        fixed: destination.fixed(),
        mandatory,
        finite: plan.sources.iter().all(Source::is_finite),
        positions: plan.positions.clone(),
        rejects,
        tee: if arguments.tee { Some(Tee::start(format)?) } else { None },
        acknowledger,
        progress: Progress::new(arguments.progress && !arguments.quiet, PROGRAM, "confirmed"),
    };
    let reader = Reader::start(plan)?;
    let (verdict, tally) = Sender::new(job, broker, link, reader, signals).run().await;
    outcome(&arguments, diagnostics, verdict, &tally)
}

/// Tells the tally where it is wanted, and the outcome.
fn outcome(
    arguments: &Arguments,
    diagnostics: Diagnostics,
    mut verdict: Verdict,
    tally: &Tally,
) -> Result<Ending, Failure> {
    if let Some(name) = &arguments.stats
        && let Err(failure) = tally.write(name)
    {
        verdict.fail(failure);
    }
    let outcome = verdict.outcome();
    if outcome.is_err() {
        diagnostics.notice(&tally.to_string());
    } else {
        diagnostics.detail(&tally.to_string());
    }
    outcome
}

/// Looks whether the queue or the exchange is there, before anything is read.
async fn look(broker: &Broker, link: &Link, route: &Route) -> Result<(), Failure> {
    // Anything but a clear no is the sender's business: it can connect again.
    let Err(refused @ Trouble::Refused { code: reply::NOT_FOUND, .. }) = link.look(route).await
    else {
        return Ok(());
    };
    let what = if route.exchange.as_str().is_empty() { "queue" } else { "exchange" };
    let (vhost, shown) = (broker.vhost(), route.shown());
    let text = format!("publish to {shown}: no such {what} in vhost {vhost}");
    Err(Failure::new(refused.failure().exit(), text))
}

fn open_rejects(name: &str, plan: &Plan) -> Result<Rejects, Failure> {
    let rejects = Rejects::open(name, plan.format)?;
    if plan.sources.iter().any(|source| source.is_same_file(rejects.file())) {
        return Err(Failure::usage(format!("--rejects {name}: it is what is read")));
    }
    Ok(rejects)
}

/// Waits until somebody reads the FIFO, so that nothing is told to nobody.
async fn wait_for_reader(name: &str, diagnostics: Diagnostics) -> Result<OwnedFd, Failure> {
    let fifo = Fifo::new(name)?;
    let (mut backoff, begun, mut told) = (Backoff::default(), Instant::now(), false);
    loop {
        if let Some(opened) = fifo.open()? {
            return Ok(opened);
        }
        if !told && begun.elapsed() > READER_DUE {
            diagnostics.notice(&format!("waiting for a reader of {name} (rmq-recv --ack-from)"));
            told = true;
        }
        runtime::sleep(backoff.next_pause().min(Duration::from_millis(100))).await;
    }
}
