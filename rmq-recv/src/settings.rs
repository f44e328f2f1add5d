//! What the command line means, once its options are seen together.

use crate::arguments::{Ack, Arguments};
use crate::envelope::Keep;
use crate::framing::{Framing, Records};
use crate::pipe;
use crate::taken::When;
use lapin::types::ShortString;
use rmq_common::failure::Failure;
use rmq_common::names;
use std::time::Duration;

/// What a run is to do.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The queue.
    pub queue: ShortString,
    /// What a message looks like.
    pub framing: Framing,
    /// When it counts as taken.
    pub when: When,
    /// The FIFO through which a sender says what is done.
    pub ack_from: Option<String>,
    /// It counts as written once it is on disk.
    pub sync: bool,
    /// Stop after so many.
    pub number: Option<u64>,
    /// Stop when the queue has nothing more.
    pub drain: bool,
    /// Stop when nothing has come for so long.
    pub idle: Option<Duration>,
    /// Stop after so long.
    pub timeout: Option<Duration>,
    /// How many messages may be unacknowledged at once.
    pub prefetch: u16,
    /// How many bytes they may have, by the largest so far.
    pub prefetch_bytes: u64,
}

impl Settings {
    /// Reads the arguments together.
    ///
    /// # Errors
    /// When they do not go together (64), or a name is too long (65).
    pub fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let [queue] = &arguments.words[..] else {
            return Err(match arguments.words.get(1) {
                Some(word) => Failure::usage(format!("unexpected argument '{word}'")),
                None => Failure::usage("missing: QUEUE"),
            });
        };
        let framing = framing(arguments)?;
        let when = when(arguments)?;
        if when == When::Told && framing.records() == Records::Unknown {
            return Err(Failure::usage(
                "--ack downstream counts records: a template has to end with \\n or \\0",
            ));
        }
        Ok(Settings {
            queue: names::queue(queue)?,
            framing,
            when,
            ack_from: arguments.ack_from.clone(),
            sync: arguments.fsync,
            number: arguments.number,
            drain: arguments.drain,
            idle: arguments.idle,
            timeout: arguments.timeout,
            prefetch: arguments.prefetch,
            prefetch_bytes: arguments.prefetch_bytes,
        })
    }
}

fn framing(arguments: &Arguments) -> Result<Framing, Failure> {
    let Arguments { keep_user_id, keep_cc, keep_x, .. } = *arguments;
    let keep = Keep { user_id: keep_user_id, cc: keep_cc, x: keep_x };
    match (&arguments.format, arguments.nul) {
        (Some(format), true) if *format != Framing::Nul => {
            Err(Failure::usage("--nul and --format say different things"))
        }
        (Some(Framing::Json(_)), _) => Ok(Framing::Json(keep)),
        _ if keep != Keep::default() => {
            Err(Failure::usage("--keep-user-id, --keep-cc and --keep-x go with --format json"))
        }
        (Some(format), _) => Ok(format.clone()),
        (None, true) => Ok(Framing::Nul),
        (None, false) => Ok(Framing::Lines),
    }
}

fn when(arguments: &Arguments) -> Result<When, Failure> {
    if arguments.fsync && !pipe::can_sync() {
        return Err(Failure::usage("--fsync: standard output is no file"));
    }
    match arguments.ack {
        Some(Ack::Downstream) if arguments.ack_from.is_none() => {
            Err(Failure::usage("--ack downstream needs --ack-from FIFO"))
        }
        Some(Ack::Read | Ack::Written) if arguments.ack_from.is_some() => {
            Err(Failure::usage("--ack-from goes with --ack downstream alone"))
        }
        _ if arguments.ack_from.is_some() => Ok(When::Told),
        Some(Ack::Read) if !pipe::is_fifo() => Err(Failure::usage(
            "--ack read: standard output is no pipe, so nobody can tell what was read of it",
        )),
        Some(Ack::Read) => Ok(When::Read),
        None if pipe::is_fifo() => Ok(When::Read),
        _ => Ok(When::Written),
    }
}
