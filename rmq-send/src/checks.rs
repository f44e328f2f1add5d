//! What is wrong with a command line, or with the streams it needs, before anything is done.

use crate::arguments::Arguments;
use crate::input::sources::Source;
use crate::record::properties::short;
use rmq_common::failure::Failure;
use rmq_common::message::Name;
use rmq_common::standard_streams;

/// The header that names a record's file.
///
/// # Errors
/// AMQP cannot carry its name (64).
pub fn source_header(arguments: &Arguments) -> Result<Option<Name>, Failure> {
    match &arguments.source_header {
        Some(name) if name.is_empty() => {
            Err(Failure::usage("the name of --source-header is empty"))
        }
        Some(name) => short("--source-header", name.as_bytes()).map(Some),
        None => Ok(None),
    }
}

/// The standard streams, as far as this run uses them.
///
/// # Errors
/// One is closed (74).
pub fn streams(arguments: &Arguments, sources: &[Source]) -> Result<(), Failure> {
    if arguments.tee || arguments.dry_run {
        standard_streams::output()?;
    }
    if sources.iter().any(|source| matches!(source, Source::Input | Source::Dash)) {
        standard_streams::input()?;
    }
    let Arguments { rejects, stats, .. } = arguments;
    let mut written = [rejects, stats].into_iter().flatten();
    written.try_for_each(|name| standard_streams::named(standard_streams::to_write(name)))
}

/// Whether the options go together.
///
/// # Errors
/// Which do not, and why (64).
pub fn combinations(arguments: &Arguments) -> Result<(), Failure> {
    let spool = arguments.spool.is_some();
    let follows = arguments.follows();
    let why = match () {
        () if follows && spool => {
            "--spool cannot be combined with --follow or --positions: the files keep what is not confirmed"
        }
        () if follows && arguments.ack_to.is_some() => {
            "--ack-to cannot be combined with --follow or --positions"
        }
        () if follows && arguments.tee => "--tee cannot be combined with --follow or --positions",
        () if arguments.follow && arguments.dry_run => {
            "--dry-run cannot be combined with --follow: it would not end"
        }
        () if arguments.from.is_some() && !follows => "--from requires --follow or --positions",
        () if spool && arguments.tee => {
            "--spool and --tee cannot be combined: an earlier run's records are not this run's input (use tee(1))"
        }
        () if spool && arguments.ack_to.is_some() => {
            "--spool and --ack-to cannot be combined: the spool already keeps the records"
        }
        () if !spool && arguments.spool_max.is_some() => "--spool-max requires --spool",
        () if arguments.stats_every.is_some_and(|every| every.is_zero()) => {
            "--stats-every must not be 0"
        }
        () if arguments.stats_every.is_some() && arguments.stats.is_none() => {
            "--stats-every requires --stats"
        }
        () if !spool && arguments.spool_full.is_some() => "--spool-full requires --spool",
        () => return Ok(()),
    };
    Err(Failure::usage(why))
}
