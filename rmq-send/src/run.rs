//! One run of rmq-send, from its arguments to its outcome.

use crate::arguments::{Arguments, PROGRAM};
use crate::await_reader::wait_for_reader;
use crate::broker::connect::{self, connect};
use crate::checks;
use crate::destination::Destination;
use crate::dry_run;
use crate::follow::handle::Following;
use crate::input::framing::Format;
use crate::input::positions::Positions;
use crate::input::reader::{Input, Plan, Reader};
use crate::input::sources::Source;
use crate::record::compose::Composer;
use crate::record::properties::Properties;
use crate::results::ack_to::Acknowledger;
use crate::results::outputs::{check_apart, check_output};
use crate::results::places::Places;
use crate::results::rejects::Rejects;
use crate::results::report::Report;
use crate::results::tally::Tally;
use crate::results::tee::Tee;
use crate::results::verdict::Verdict;
use crate::sender::job::Job;
use crate::sender::run_loop::Sender;
use crate::spool::claim::{Claim, Claimed};
use crate::spool::handle::Spooled;
use rmq_common::connection::Broker;
use rmq_common::count::counted;
use rmq_common::diagnostics::Diagnostics;
use rmq_common::duration::Limit;
use rmq_common::exit::{Ending, Exit};
use rmq_common::failure::Failure;
use rmq_common::lane::{self, Limits};
use rmq_common::retry::Patience;
use rmq_common::standing::live::Live;
use rmq_common::standing::stats_file::StatsFile;
use rmq_common::{runtime, service_manager, signals, standard_streams};
use std::time::Duration;

/// How long to continue without a confirm, unless `--retry` says otherwise.
const RETRY: Limit = Limit::For(Duration::from_secs(300));
/// The memory of a whole returned window, in bytes: 12 MiB of bodies, and 65,535 messages.
const RETURNED: u64 = 60 << 20;
/// Sends the input as the arguments say.
pub fn run(arguments: Arguments) -> Result<Ending, Failure> {
    checks::combinations(&arguments)?;
    let destination = Destination::new(&arguments)?;
    let composer = Composer {
        routing: destination.routing.clone(),
        content: destination.content.clone(),
        properties: Properties::new(&arguments)?,
        drops: arguments.ack_to.is_some(),
        source_header: checks::source_header(&arguments)?,
    };
    let diagnostics = Diagnostics::new(PROGRAM, arguments.quiet, arguments.verbose);
    let mut plan = Plan {
        positions: Positions::new(destination.format.unit()),
        sources: destination.sources.clone(),
        format: destination.format,
        max_size: arguments.max_size,
        composer,
        beyond_bad: arguments.rejects.is_some() || arguments.spool.is_some() || arguments.dry_run,
        must_end: arguments.ack_to.is_some()
            && matches!(destination.format, Format::Lines | Format::Nul),
        diagnostics,
    };
    checks::streams(&arguments, &plan.sources)?;
    let mut following = None;
    if arguments.follows() {
        let begun = Following::new(&arguments, &plan)?;
        plan.positions = plan.positions.by_byte(begun.marks());
        following = Some(begun);
    }
    if arguments.dry_run {
        let positions = plan.positions.clone();
        let started = following.map(|following| following.start(&plan)).transpose()?;
        let (followed, reader) = match started {
            Some((followed, reader)) => (Some(followed), reader),
            None => (None, Reader::start(plan)?),
        };
        let ending = runtime::block_on(dry_run::run(reader, &positions, diagnostics));
        drop(followed);
        return ending;
    }
    runtime::block_on(send(arguments, &destination, plan, following))
}

async fn send(
    arguments: Arguments,
    destination: &Destination,
    plan: Plan,
    following: Option<Following>,
) -> Result<Ending, Failure> {
    let options = arguments.connection()?;
    let diagnostics = options.diagnostics(PROGRAM);
    let mut broker = options.broker(diagnostics)?;
    // Returned messages are the sent ones, and a spool may hold records from an earlier run.
    let most = arguments.max_size as u64;
    let (message, waiting) = (most.max(lane::LARGEST), RETURNED.saturating_add(most));
    broker.limit(Limits { message, waiting, is_chosen: false });
    let format = plan.format;
    let open_rejects = |plan: &Plan| match &arguments.rejects {
        Some(name) => open_rejects(name, &arguments, plan).map(Some),
        None => Ok(None),
    };
    let rejects = if arguments.spool.is_some() { None } else { open_rejects(&plan)? };
    let stats = match &arguments.stats {
        Some(name) => Some(open_stats(name, &arguments, &plan, rejects.as_ref())?),
        None => None,
    };
    let live = Live::new(Tally::default());
    live.print_on_signal(diagnostics)?;
    let mandatory = !arguments.allow_unroutable;
    let mut job = Job {
        window: arguments.window,
        retry: options.retry_or(RETRY),
        fixed: destination.fixed(),
        checked_first: destination.begins_with(),
        mandatory,
        finite: plan.sources.iter().all(Source::is_finite),
        positions: plan.positions.clone(),
        places: Places::default(),
        spooled: None,
        followed: None,
        live: live.clone(),
    };
    if let Some(directory) = &arguments.spool {
        let signals = signals::requests_to_stop()?;
        job.retry = options.retry_or(Limit::Forever);
        let (sources, retry) = (&plan.sources, job.retry);
        let claim = Claim { sources, retry, signals: &signals, diagnostics };
        let claimed = claim.wait_for(directory).await;
        // An earlier run has released them by now.
        let is_ours = matches!(claimed, Ok(Claimed::Ours(_)));
        let rejects = if is_ours { open_rejects(&plan)? } else { None };
        if let (Some(stats), Some(rejects)) = (&stats, &rejects) {
            check_apart(stats, rejects)?;
        }
        let report = Report::start(&arguments, stats, live, diagnostics)?;
        let spool = match claimed? {
            Claimed::Ours(spool) => spool,
            Claimed::Signalled(signal) => return Ok(Ending::Signal(signal)),
        };
        let started = Spooled::start(&arguments, spool, plan, rejects, diagnostics)?;
        broker.keep(format!("records are kept in the spool {}", started.0.shown()));
        let (spooled, reader, rejected) = started;
        // From here on, everything that is read is kept, with or without a broker; so are files.
        service_manager::ready();
        // What an earlier run left goes to that run's destination.
        job.fixed = None;
        job.positions = Positions::new("spooled record");
        job.spooled = Some(spooled);
        job.places = Places::new(Some(rejected), None, None);
        // What is not sent stays in the spool, so there is no reading on for the rejects' sake.
        job.finite = false;
        let (verdict, tally) = Sender::new(job, broker, None, reader, signals).run().await;
        return report.outcome(verdict, &tally);
    }
    let report = Report::start(&arguments, stats, live, diagnostics)?;
    // Announced before connecting: if there is no broker, the reader must see the end.
    let acknowledger = match &arguments.ack_to {
        Some(name) => match wait_for_reader(name, &plan.sources, diagnostics).await? {
            Some(fifo) => Some(Acknowledger::start(name, fifo, format)?),
            None => return report.outcome(Verdict::default(), &Tally::default()),
        },
        None => None,
    };
    if let Some(following) = following {
        job.places = Places::new(rejects, None, None);
        job.finite = false;
        if arguments.follow {
            broker.keep("the files keep what is not sent".to_owned());
            job.retry = options.retry_or(Limit::Forever);
        }
        let (verdict, tally) = follow(job, broker, &plan, following, options.first_retry()).await?;
        return report.outcome(verdict, &tally);
    }
    // Nothing is read before a broker is connected, so that nothing is lost if there is none.
    let patience = Patience::new(options.first_retry());
    let checked_first = job.checked_first.as_deref();
    let mut link = connect(&mut broker, mandatory, checked_first, &patience).await?;
    if let Some(route) = checked_first {
        connect::check(&broker, &mut link, route).await?;
    }
    let signals = signals::requests_to_stop()?;
    let tee = if arguments.tee { Some(Tee::start(format)?) } else { None };
    job.places = Places::new(rejects, tee, acknowledger);
    let reader = Reader::start(plan)?;
    service_manager::ready();
    let (verdict, tally) = Sender::new(job, broker, Some(link), reader, signals).run().await;
    report.outcome(verdict, &tally)
}

/// Sends the content of followed files, or what is new in them.
async fn follow(
    mut job: Job,
    mut broker: Broker,
    plan: &Plan,
    following: Following,
    first_retry: Limit,
) -> Result<(Verdict, Tally), Failure> {
    let signals = signals::requests_to_stop()?;
    let (followed, reader) = following.start(plan)?;
    service_manager::ready();
    if !followed.once() {
        job.followed = Some(followed);
        return Ok(Sender::new(job, broker, None, reader, signals).run().await);
    }
    // If nothing is new, no broker is needed.
    let first = reader.next().await;
    let mut link = None;
    if let Input::Items(_) = first {
        let patience = Patience::new(first_retry);
        let checked_first = job.checked_first.as_deref();
        let connected = connect(&mut broker, job.mandatory, checked_first, &patience).await;
        let mut new = connected.map_err(|failure| match failure.exit() {
            // Something is not confirmed.
            Exit::Unavailable => {
                let behind = counted(followed.behind(), "byte");
                Failure::new(Exit::TempFail, format!("{failure}; {behind} not confirmed"))
            }
            _ => failure,
        })?;
        if let Some(route) = checked_first {
            connect::check(&broker, &mut new, route).await?;
        }
        link = Some(new);
    }
    job.followed = Some(followed);
    Ok(Sender::new(job, broker, link, reader, signals).begin_with(first).run().await)
}

fn open_rejects(name: &str, arguments: &Arguments, plan: &Plan) -> Result<Rejects, Failure> {
    let name = standard_streams::to_write(name);
    let mut rejects = Rejects::new(name, plan.format);
    plan.diagnostics.trace(&format!("writing rejects to {name}"));
    check_output("--rejects", name, rejects.open()?, arguments, plan)?;
    if plan.format == Format::Whole && plan.sources.len() > 1 {
        let text = "--rejects holds only one record of --format whole (send the files one by one)";
        return Err(Failure::usage(text));
    }
    Ok(rejects)
}

fn open_stats(
    name: &str,
    arguments: &Arguments,
    plan: &Plan,
    rejects: Option<&Rejects>,
) -> Result<StatsFile, Failure> {
    let stats = StatsFile::open(PROGRAM, name)?;
    plan.diagnostics.trace(&format!("writing the tally to {}", stats.name()));
    check_output("--stats", stats.name(), stats.file(), arguments, plan)?;
    if let Some(rejects) = rejects {
        check_apart(&stats, rejects)?;
    }
    Ok(stats)
}
