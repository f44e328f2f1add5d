//! What the command line means when its options are combined.

use crate::arguments::{Ack, Arguments, OnFailure};
use crate::delivery::envelope::Keep;
use crate::delivery::framing::{Framing, Records};
use crate::output::pipe;
use crate::output::taken::When;
use crate::queue::offset::Offset;
use crate::queue::source::Source;
use crate::stops::{Conditions, WAITING};
use rmq_common::exit::Exit;
use rmq_common::failure::Failure;
use rmq_common::names;

/// What a run does.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where messages come from.
    pub source: Source,
    /// Where in a stream to begin.
    pub offset: Option<Offset>,
    /// Only peek at this many.
    pub peek: Option<u64>,
    /// What a message looks like.
    pub framing: Framing,
    /// Where messages go.
    pub sink: SinkKind,
    /// Whether a message counts as written only once it is on disk.
    pub sync: bool,
    pub stop: Conditions,
    /// How many messages may be unacknowledged at once.
    pub prefetch: u16,
    /// The most bytes that they may have, by the largest so far.
    pub prefetch_bytes: u64,
    /// How many more may be unacknowledged while they wait to be requeued.
    pub postponed: usize,
}

/// Where messages go, and what shows that one is done.
#[derive(Clone, Debug)]
pub enum SinkKind {
    /// Standard output, which itself shows what is done.
    Output(When),
    /// Standard output; a sender reports what is done through this FIFO.
    Downstream(String),
    /// A command for each message.
    Command(Command),
}

/// What is run for each message.
#[derive(Clone, Debug)]
pub struct Command {
    /// Its name and its arguments.
    pub words: Vec<String>,
    /// How many may run at once.
    pub jobs: usize,
    /// What to do when it fails.
    pub on_failure: OnFailure,
    /// Whether it inherits the variables that give access to the broker.
    pub keep_env: bool,
}

/// Messages that may be unacknowledged at once, by default (measured in bench/prefetch.md).
const PREFETCH: u16 = 1000;
/// Messages whose commands failed that may wait to be requeued while others are taken.
const POSTPONED: usize = 100;

impl Settings {
    /// Evaluates the arguments together.
    ///
    /// # Errors
    /// They cannot be combined (64), or a name is too long (65).
    pub fn new(arguments: &Arguments) -> Result<Self, Failure> {
        let mut words = arguments.words.iter();
        let source = match &arguments.exchange {
            Some(exchange) => tap(exchange, &arguments.routing_key)?,
            None if !arguments.routing_key.is_empty() => {
                return Err(Failure::usage("--routing-key requires --exchange"));
            }
            None => {
                let queue = words.next().ok_or_else(|| Failure::usage("missing: QUEUE"))?;
                Source::Queue(names::queue(queue)?)
            }
        };
        let command = command(arguments, words.as_slice())?;
        let prefetch = match &command {
            Some(_) => arguments.prefetch.unwrap_or(arguments.jobs),
            None => arguments.prefetch.unwrap_or(PREFETCH),
        };
        let framing = framing(arguments)?;
        if arguments.ack_from.is_some() && matches!(framing, Framing::Pretty(_)) {
            return Err(Failure::usage("--ack-from and --format pretty cannot be combined"));
        }
        if arguments.ack_from.is_some() && framing.records() == Records::Unknown {
            return Err(Failure::usage(
                "--ack downstream counts records, so a template must end with \\n or \\0",
            ));
        }
        if arguments.stats_every.is_some_and(|every| every.is_zero()) {
            return Err(Failure::usage("--stats-every must not be 0"));
        }
        if arguments.stats_every.is_some() && arguments.stats.is_none() {
            return Err(Failure::usage("--stats-every requires --stats"));
        }
        let stop = Conditions::new(arguments);
        if arguments.peek.is_some() {
            let Arguments { ack, ack_from, exchange, offset, stats, .. } = arguments;
            let others = ack.is_some() || ack_from.is_some() || exchange.is_some();
            if stop.is_waiting()
                || others
                || offset.is_some()
                || stats.is_some()
                || command.is_some()
            {
                return Err(Failure::usage(format!(
                    "--peek cannot be combined with {WAITING}, --ack, --ack-from, --exchange, \
                     --offset, --stats or a command"
                )));
            }
        }
        let sink = match command {
            Some(command) => SinkKind::Command(command),
            None => output(arguments)?,
        };
        Ok(Settings {
            source,
            offset: arguments.offset.clone(),
            peek: arguments.peek,
            framing,
            sink,
            sync: arguments.fsync,
            stop,
            prefetch,
            prefetch_bytes: arguments.prefetch_bytes,
            // A limit that the user chose is kept.
            postponed: if arguments.prefetch.is_some() { 0 } else { POSTPONED },
        })
    }
}

/// An exchange to tap. Without a routing key, everything that a topic or fanout exchange routes.
fn tap(exchange: &str, keys: &[String]) -> Result<Source, Failure> {
    if exchange.is_empty() {
        return Err(Failure::usage(
            "--exchange: the default exchange cannot be tapped (name a queue instead)",
        ));
    }
    names::not_a_url("the exchange's name", exchange)?;
    let short = |name: &str, what| names::short(Exit::DataErr, what, name);
    let all = ["#".to_owned()];
    let keys = if keys.is_empty() { &all } else { keys };
    let keys = keys.iter().map(|key| short(key, "a routing key")).collect::<Result<_, _>>()?;
    Ok(Source::Tap { exchange: short(exchange, "the exchange's name")?, keys })
}

/// The command after `--`, if there is one.
fn command(arguments: &Arguments, words: &[String]) -> Result<Option<Command>, Failure> {
    let words = match words {
        // The queue's name came after a `--` of its own.
        [first, rest @ ..] if first == "--" => rest,
        words => words,
    };
    let Arguments { jobs, on_failure, keep_env, .. } = *arguments;
    let Some(first) = words.first() else {
        if jobs != 1 || on_failure != OnFailure::Stop || keep_env {
            return Err(Failure::usage(
                "-j, --on-failure and --keep-env require a command after --",
            ));
        }
        return Ok(None);
    };
    // An extra word must not be run.
    let line: Vec<_> = std::env::args_os().collect();
    let before = line.len().checked_sub(words.len() + 1).and_then(|index| line.get(index));
    if before.is_none_or(|before| before != "--") {
        return Err(Failure::usage(format!("unexpected argument '{first}'")));
    }
    let output = arguments.format.is_some() || arguments.nul || arguments.fsync;
    if output || arguments.ack.is_some() || arguments.ack_from.is_some() {
        return Err(Failure::usage(
            "--format, --nul, --ack, --ack-from and --fsync cannot be combined with a command",
        ));
    }
    let (words, jobs) = (words.to_vec(), usize::from(jobs));
    Ok(Some(Command { words, jobs, on_failure, keep_env }))
}

fn framing(arguments: &Arguments) -> Result<Framing, Failure> {
    let Arguments { keep_user_id, keep_cc, keep_x, .. } = *arguments;
    let keep = Keep { user_id: keep_user_id, cc: keep_cc, x: keep_x };
    match (&arguments.format, arguments.nul) {
        (Some(format), true) if *format != Framing::Nul => {
            Err(Failure::usage("--nul and another --format cannot be combined"))
        }
        (Some(Framing::Json(_)), _) => Ok(Framing::Json(keep)),
        _ if keep != Keep::default() => {
            Err(Failure::usage("--keep-user-id, --keep-cc and --keep-x require --format json"))
        }
        (Some(format), _) => Ok(format.clone()),
        (None, true) => Ok(Framing::Nul),
        (None, false) => Ok(Framing::Lines),
    }
}

fn output(arguments: &Arguments) -> Result<SinkKind, Failure> {
    if arguments.fsync && !pipe::can_sync() {
        return Err(Failure::usage("--fsync: standard output is not a file"));
    }
    let when = match (arguments.ack, &arguments.ack_from) {
        (Some(Ack::Downstream), None) => {
            return Err(Failure::usage("--ack downstream requires --ack-from FIFO"));
        }
        (Some(Ack::Read | Ack::Written), Some(_)) => {
            return Err(Failure::usage("--ack-from requires --ack downstream"));
        }
        (_, Some(path)) => return Ok(SinkKind::Downstream(path.clone())),
        (Some(Ack::Read), None) if !pipe::is_fifo() => {
            return Err(Failure::usage(
                "--ack read: standard output is not a pipe, so nothing shows what was read",
            ));
        }
        (Some(Ack::Read), None) => When::Read,
        (None, None) if pipe::is_fifo() => When::Read,
        (None | Some(Ack::Written), None) => When::Written,
    };
    Ok(SinkKind::Output(when))
}
